/* FANN's nets: steepness and the affine part of activations go into weights as these are read, behind the last layer into output scaling. */
#define _POSIX_C_SOURCE 200809L /* newlocale */

#include "model/fann.h"

#include "core/file.h"
#include "core/memory.h"
#include "model/fann_file.h"
#include "net/net.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What is done to a number: factor × it + offset. */
typedef struct affine {
    double factor, offset;
} affine;

/* The inverse of a scaling: from ((x − mean) / deviation + 1) factor + new_min to x. */
static affine descaling(float *const scales[FANN_SCALE_COUNT], size_t i)
{
    double mean = scales[MEAN][i], deviation = scales[DEVIATION][i], factor = deviation / scales[FACTOR][i];
    return (affine){factor, mean - deviation - factor * scales[NEW_MIN][i]};
}

/* From what our activation gives to what the neuron's output is to the next layer or, behind the last, to the caller. */
static affine output_of(const bp_fann_file *file, const bp_fann_neuron *neuron, bool is_last, size_t i)
{
    affine own = {neuron->function->factor, neuron->function->offset};
    if (!is_last || !file->has_scaling) {
        return own;
    }
    affine scaled = descaling(file->output_scales, i);
    return (affine){own.factor * scaled.factor, own.offset * scaled.factor + scaled.offset};
}

static bool is_identity(affine a)
{
    return a.factor == 1 && a.offset == 0;
}

/* numbers[index] = value in the element type; false if it is not finite there. */
static bool put(const bp_net *net, void *numbers, size_t index, double value)
{
    if (!isfinite(value) || (net->dtype == BP_F32 && fabs(value) > FLT_MAX)) {
        return false;
    }
    if (net->dtype == BP_F32) {
        ((float *)numbers)[index] = (float)value;
    } else {
        ((double *)numbers)[index] = value;
    }
    return true;
}

/* ---- the net, all zeros ---- */

/* A layer of weights; *n_weights counts them. Connections that are not in the file could be many more than those that are. */
static bp_status add_layer(const bp_fann_text *text, bp_net *net, size_t n_units, bp_activation activation, size_t *n_weights)
{
    size_t n_inputs = bp_net_output_count(net), size = (size_t)(text->end - text->begin);
    if (n_units > (size - *n_weights) / n_inputs) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "with %zu × %zu weights of layer %zu, the net has more than the file has bytes, %zu",
                            n_units, n_inputs, net->n_layers, size);
    }
    *n_weights += n_units * n_inputs;
    return bp_net_add_dense(net, n_units, activation, 1);
}

static bp_status build(const bp_fann_text *text, const bp_fann_file *file, bp_dtype dtype, bp_net **net)
{
    bp_status status = bp_net_create(net, dtype, file->sizes[0] - 1);
    const bp_fann_neuron *first = file->neurons;
    size_t n_weights = 0;
    for (size_t l = 1; status == BP_OK && l < file->n_layers; l++) {
        first += file->sizes[l - 1];
        status = add_layer(text, *net, file->sizes[l] - 1, (bp_activation)first->function->activation, &n_weights);
    }
    return status == BP_OK ? bp_net_fix_shape(text->function, *net) : status;
}

/* ---- numbers ---- */

/* One connection: the index of its source among all neurons, and its weight. */
static bp_status read_connection(bp_fann_text *text, bool is_1_1, size_t *source, double *weight)
{
    bp_status status = bp_fann_expect(text, "(");
    if (status == BP_OK) {
        status = bp_fann_count(text, SIZE_MAX, source);
    }
    if (status == BP_OK && !is_1_1) {
        status = bp_fann_expect(text, ",");
    }
    if (status == BP_OK) {
        status = bp_fann_number(text, weight);
    }
    return status == BP_OK ? bp_fann_expect(text, ")") : status;
}

/*
 * The connections of neuron i of layer l: row receives the weights of n_sources neurons from the first on, and last the bias's. What is to
 * be done to the outputs of the layer before is done here.
 */
static bp_status read_row(bp_fann_text *text, const bp_fann_file *file, size_t l, size_t i, size_t n_connections, size_t first_source,
                          double *row)
{
    const bp_fann_neuron *sources = file->neurons + first_source;
    size_t n_sources = file->sizes[l - 1], bias = n_sources - 1;
    memset(row, 0, n_sources * sizeof *row);
    for (size_t c = 0; c < n_connections; c++) {
        size_t source = 0;
        double weight = 0;
        bp_status status = read_connection(text, file->is_1_1, &source, &weight);
        if (status != BP_OK) {
            return status;
        }
        if (source < first_source || source - first_source >= n_sources) {
            return bp_fann_fail(text, BP_ERROR_FORMAT,
                                "neuron %zu of layer %zu is connected to neuron %zu; the layer before has %zu to %zu", i, l, source,
                                first_source, first_source + bias);
        }
        if (!file->is_sparse && source != first_source + c) { /* FANN would not look at the number */
            return bp_fann_fail(text, BP_ERROR_FORMAT, "neuron %zu of layer %zu is connected to neuron %zu where %zu is in turn", i, l,
                                source, first_source + c);
        }
        size_t j = source - first_source;
        affine before = l == 1 || j == bias ? (affine){1, 0} : output_of(file, &sources[j], false, j);
        row[j] += weight * before.factor;
        row[bias] += weight * before.offset;
    }
    return BP_OK;
}

static bp_status fail_number(const bp_fann_text *text, const bp_net *net, const char *what, size_t l, size_t i)
{
    return bp_fann_fail(text, BP_ERROR_NONFINITE, "%s of layer %zu, neuron %zu, are beyond %s", what, l, i, bp_dtype_name(net->dtype));
}

static bp_status read_layer(bp_fann_text *text, const bp_fann_file *file, const bp_net *net, size_t l, size_t first_source, double *row)
{
    const bp_layer *layer = net->layers[l - 1];
    const bp_fann_neuron *neurons = file->neurons + first_source + file->sizes[l - 1];
    for (size_t i = 0; i < layer->n_outputs; i++) {
        const bp_fann_neuron *neuron = &neurons[i];
        bp_status status = read_row(text, file, l, i, neuron->n_inputs, first_source, row);
        if (status != BP_OK) {
            return status;
        }
        double steepness = neuron->function->steepness_factor * neuron->steepness;
        bool finite = true;
        for (size_t j = 0; finite && j < layer->n_inputs; j++) {
            finite = put(net, layer->weights, i * layer->ld + j, steepness * row[j]);
        }
        if (!finite || !put(net, layer->bias, i, steepness * row[layer->n_inputs] + neuron->function->shift)) {
            return fail_number(text, net, "weights", l, i);
        }
    }
    return BP_OK;
}

static bp_status read_connections(bp_fann_text *text, const bp_fann_file *file, const bp_net *net)
{
    size_t widest = 0, first_source = 0;
    for (size_t l = 0; l < file->n_layers; l++) {
        widest = file->sizes[l] > widest ? file->sizes[l] : widest;
    }
    double *row = malloc(widest * sizeof *row); /* NOLINT(clang-analyzer-optin.portability.UnixAPI): no layer is empty */
    bp_status status = row ? BP_OK : bp_fail_memory(text->function);
    for (size_t l = 1; status == BP_OK && l < file->n_layers; l++) {
        status = read_layer(text, file, net, l, first_source, row);
        first_source += file->sizes[l - 1];
    }
    free(row);
    if (status == BP_OK && !bp_fann_at_end(text)) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "the file goes on behind the last connection");
    }
    return status;
}

/* What is to be done to the last layer's outputs, if anything. A net's outputs are y / scale + offset. */
static bp_status set_output_scaling(const bp_fann_text *text, const bp_fann_file *file, bp_net *net)
{
    const bp_fann_neuron *last = file->neurons;
    size_t n = bp_net_output_count(net);
    bool needed = false;
    for (size_t l = 0; l + 1 < file->n_layers; l++) {
        last += file->sizes[l];
    }
    for (size_t i = 0; i < n; i++) {
        needed = needed || !is_identity(output_of(file, &last[i], true, i));
    }
    if (needed && !bp_net_scaling_allocate(&net->output_scaling, n, net->dtype)) {
        return bp_fail_memory(text->function);
    }
    for (size_t i = 0; needed && i < n; i++) {
        affine out = output_of(file, &last[i], true, i);
        if (!put(net, net->output_scaling.offset, i, out.offset) || !put(net, net->output_scaling.scale, i, 1 / out.factor)) {
            return fail_number(text, net, "scaling of outputs", file->n_layers - 1, i);
        }
    }
    size_t bad = bp_net_first_not_invertible(net);
    return bad == n ? BP_OK : fail_number(text, net, "scaling of outputs", file->n_layers - 1, bad);
}

/* A net's scaling is (x − offset) scale: the offset is what becomes 0. */
static bp_status set_input_scaling(const bp_fann_text *text, const bp_fann_file *file, bp_net *net)
{
    if (!bp_net_scaling_allocate(&net->input_scaling, net->n_inputs, net->dtype)) {
        return bp_fail_memory(text->function);
    }
    for (size_t i = 0; i < net->n_inputs; i++) {
        affine inverse = descaling(file->input_scales, i);
        if (!put(net, net->input_scaling.offset, i, inverse.offset) || !put(net, net->input_scaling.scale, i, 1 / inverse.factor)) {
            return bp_fann_fail(text, BP_ERROR_NONFINITE, "the scaling of input %zu, with deviation %g and factor %g, is beyond %s", i,
                                (double)file->input_scales[DEVIATION][i], (double)file->input_scales[FACTOR][i], bp_dtype_name(net->dtype));
        }
    }
    return BP_OK;
}

static bp_status read_net(bp_fann_text *text, bp_fann_file *file, bp_dtype dtype, bp_net **net)
{
    bp_status status = bp_fann_file_read(text, file);
    if (status == BP_OK) {
        status = build(text, file, dtype, net);
    }
    if (status == BP_OK) {
        status = read_connections(text, file, *net);
    }
    if (status == BP_OK) {
        status = set_output_scaling(text, file, *net);
    }
    return status == BP_OK && file->has_scaling ? set_input_scaling(text, file, *net) : status;
}

bp_status bp_fann_net(const char *function, const char *path, const void *bytes, size_t size, bp_dtype dtype, bp_net **net)
{
    bp_fann_text text = {.function = function, .path = path, .begin = bytes};
    text.at = text.begin;
    text.end = text.begin + size;
    text.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!text.c_locale) {
        return bp_fail_memory(function);
    }
    bp_fann_file file = {0};
    bp_net *made = NULL;
    bp_status status = read_net(&text, &file, dtype, &made);
    bp_fann_file_release(&file);
    freelocale(text.c_locale);
    if (status != BP_OK) {
        bp_net_destroy(made);
        return status;
    }
    *net = made;
    return BP_OK;
}

bp_status bp_net_import_fann(bp_net **net, const char *path, bp_dtype dtype)
{
    if (!net || !path) {
        return bp_fail_null(__func__, net ? "path" : "net");
    }
    if (!bp_dtype_name(dtype)) {
        return bp_fail_enum(__func__, "dtype", (int)dtype);
    }
    unsigned char *bytes;
    size_t size;
    bp_status status = bp_file_read(__func__, path, &bytes, &size);
    if (status == BP_OK) {
        status = bp_fann_net(__func__, path, bytes, size, dtype, net);
        free(bytes);
    }
    return status;
}
