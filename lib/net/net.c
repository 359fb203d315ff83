#include "net/net.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const rule_names[] = {"gradient", "error_signal"};

enum { RULE_COUNT = sizeof rule_names / sizeof *rule_names };

const char *bp_rule_name(bp_rule rule)
{
    return (unsigned)rule < RULE_COUNT ? rule_names[rule] : NULL;
}

bp_status bp_rule_from_name(const char *name, bp_rule *rule)
{
    int value = bp_name_find(__func__, name, rule, RULE_COUNT, rule_names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *rule = (bp_rule)value;
    return BP_OK;
}

bp_status bp_net_create(bp_net **net, bp_dtype dtype, size_t n_inputs)
{
    if (!net) {
        return bp_fail_null(__func__, "net");
    }
    if (!bp_dtype_name(dtype)) {
        return bp_fail_enum(__func__, "dtype", (int)dtype);
    }
    if (n_inputs < 1 || n_inputs > BP_MAX_DIMENSION) {
        return bp_fail_size(__func__, "n_inputs", n_inputs);
    }
    bp_net *made = calloc(1, sizeof *made);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    made->handle = BP_HANDLE_NET;
    made->dtype = dtype;
    made->n_inputs = n_inputs;
    *net = made;
    return BP_OK;
}

/* add_dense in the name of function, which bp_net_clone is as well */
static bp_status add_dense(const char *function, bp_net *net, size_t n_units, bp_activation activation, int bias)
{
    bp_layer *layer;
    bp_status status = bp_layer_shape(function, "n_units", &layer, net->dtype, bp_net_output_count(net), n_units, activation, bias);
    if (status != BP_OK) {
        return status;
    }
    size_t storage, bytes;
    if (!bp_add(net->storage, layer->storage, &storage) || !bp_multiply(storage, bp_dtype_size(net->dtype), &bytes) ||
        bytes > PTRDIFF_MAX) {
        free(layer);
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_units is %zu; with that the net has more bytes than an address can count", function,
                       n_units);
    }
    bool is_full = (net->n_layers & (net->n_layers - 1)) == 0; /* there is room for a power of two */
    bp_layer **layers = is_full ? realloc(net->layers, (net->n_layers ? 2 * net->n_layers : 1) * sizeof(bp_layer *)) : net->layers;
    if (!layers) {
        free(layer);
        return bp_fail_memory(function);
    }
    layer->borrowed = true;
    layers[net->n_layers] = layer;
    net->layers = layers;
    net->n_layers++;
    net->storage = storage;
    net->parameter_count += bp_layer_parameter_count(layer);
    return BP_OK;
}

bp_status bp_net_add_dense(bp_net *net, size_t n_units, bp_activation activation, int bias)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is initialized, its shape is fixed; add layers before bp_net_initialize", __func__);
    }
    if (net->n_layers && net->layers[net->n_layers - 1]->activation == BP_ACTIVATION_SOFTMAX) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: the last layer is softmax, which is for outputs only; no layer can follow it", __func__);
    }
    return add_dense(__func__, net, n_units, activation, bias);
}

bp_status bp_net_fix_shape(const char *function, bp_net *net)
{
    size_t element = bp_dtype_size(net->dtype);
    char *parameters = bp_allocate(net->storage, element);
    bp_identity *identity = bp_identity_create();
    if (!parameters || !identity) {
        free(parameters);
        bp_identity_release(identity);
        return bp_fail_memory(function);
    }
    net->parameters = parameters;
    net->identity = identity;
    for (size_t l = 0; l < net->n_layers; l++) {
        bp_layer_place(net->layers[l], parameters);
        parameters += net->layers[l]->storage * element;
    }
    return BP_OK;
}

bp_status bp_net_initialize(bp_net *net, bp_initializer initializer, uint64_t seed)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!bp_initializer_name(initializer)) {
        return bp_fail_enum(__func__, "initializer", (int)initializer);
    }
    if (net->n_layers == 0) {
        return bp_fail(BP_ERROR_STATE, "%s: the net has no layer; call bp_net_add_dense first", __func__);
    }
    if (!net->parameters) {
        bp_status status = bp_net_fix_shape(__func__, net);
        if (status != BP_OK) {
            return status;
        }
    }
    for (size_t l = 0; l < net->n_layers; l++) {
        if (net->dtype == BP_F32) {
            bp_initialize_layer_f32(net->layers[l], initializer, seed, (uint32_t)l);
        } else {
            bp_initialize_layer_f64(net->layers[l], initializer, seed, (uint32_t)l);
        }
    }
    return BP_OK;
}

bp_status bp_net_set_rule(bp_net *net, bp_rule rule)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!bp_rule_name(rule)) {
        return bp_fail_enum(__func__, "rule", (int)rule);
    }
    net->rule = rule;
    return BP_OK;
}

bool bp_net_scaling_allocate(bp_net_scaling *scaling, size_t n, bp_dtype dtype)
{
    scaling->offset = bp_allocate(n, bp_dtype_size(dtype));
    scaling->scale = bp_allocate(n, bp_dtype_size(dtype));
    if (!scaling->offset || !scaling->scale) {
        bp_net_scaling_release(scaling);
    }
    return scaling->offset;
}

void bp_net_scaling_release(bp_net_scaling *scaling)
{
    free(scaling->offset);
    free(scaling->scale);
    *scaling = (bp_net_scaling){0};
}

size_t bp_net_first_not_invertible(const bp_net *net)
{
    size_t n = bp_net_output_count(net);
    const void *scale = net->output_scaling.scale;
    return !scale ? n : net->dtype == BP_F32 ? bp_first_not_invertible_f32(n, scale) : bp_first_not_invertible_f64(n, scale);
}

static bool copy_scaling(bp_net_scaling *copy, const bp_net_scaling *scaling, size_t n, bp_dtype dtype)
{
    if (!scaling->offset) {
        return true;
    }
    if (!bp_net_scaling_allocate(copy, n, dtype)) {
        return false;
    }
    memcpy(copy->offset, scaling->offset, n * bp_dtype_size(dtype));
    memcpy(copy->scale, scaling->scale, n * bp_dtype_size(dtype));
    return true;
}

/* The parts of a clone that need memory; on failure the caller destroys copy. */
static bp_status fill_clone(const char *function, bp_net *copy, const bp_net *net)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        bp_status status = add_dense(function, copy, layer->n_outputs, layer->activation, layer->has_bias);
        if (status != BP_OK) {
            return status;
        }
        copy->layers[l]->frozen = layer->frozen;
        copy->layers[l]->dropout = layer->dropout;
    }
    if (net->parameters) {
        bp_status status = bp_net_fix_shape(function, copy);
        if (status != BP_OK) {
            return status;
        }
        memcpy(copy->parameters, net->parameters, net->storage * bp_dtype_size(net->dtype));
    }
    bool done = copy_scaling(&copy->input_scaling, &net->input_scaling, net->n_inputs, net->dtype) &&
                copy_scaling(&copy->output_scaling, &net->output_scaling, bp_net_output_count(net), net->dtype) &&
                bp_net_copy_labels(copy, net);
    return done ? BP_OK : bp_fail_memory(function);
}

bp_status bp_net_clone(bp_net **copy, const bp_net *net)
{
    if (!copy) {
        return bp_fail_null(__func__, "copy");
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    bp_net *made;
    bp_status status = bp_net_create(&made, net->dtype, net->n_inputs);
    if (status != BP_OK) {
        return status;
    }
    made->rule = net->rule;
    made->input_noise = net->input_noise;
    made->has_dropout = net->has_dropout;
    made->has_frozen = net->has_frozen;
    made->lowest_trained = net->lowest_trained;
    status = fill_clone(__func__, made, net);
    if (status != BP_OK) {
        bp_net_destroy(made);
        return status;
    }
    *copy = made;
    return BP_OK;
}

bp_status bp_net_copy_parameters(bp_net *destination, const bp_net *source)
{
    if (!bp_is(destination, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "destination", destination, BP_HANDLE_NET);
    }
    if (!bp_is(source, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "source", source, BP_HANDLE_NET);
    }
    if (source->dtype != destination->dtype) {
        return bp_fail(BP_ERROR_DTYPE, "%s: source is %s, destination %s", __func__, bp_dtype_name(source->dtype),
                       bp_dtype_name(destination->dtype));
    }
    if (!source->parameters || !destination->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: %s is not initialized", __func__, source->parameters ? "destination" : "source");
    }
    bool same = source->n_layers == destination->n_layers && source->n_inputs == destination->n_inputs;
    for (size_t l = 0; same && l < source->n_layers; l++) {
        const bp_layer *a = source->layers[l], *b = destination->layers[l];
        same = a->n_outputs == b->n_outputs && a->has_bias == b->has_bias;
    }
    if (!same) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: source and destination have not the same layer widths and biases", __func__);
    }
    if (destination != source) {
        memcpy(destination->parameters, source->parameters, source->storage * bp_dtype_size(source->dtype));
    }
    return BP_OK;
}

void bp_net_destroy(bp_net *net)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return;
    }
    for (size_t l = 0; l < net->n_layers; l++) {
        bp_end_handle(net->layers[l]);
        free(net->layers[l]);
    }
    free(net->layers);
    free(net->parameters);
    bp_net_scaling_release(&net->input_scaling);
    bp_net_scaling_release(&net->output_scaling);
    bp_net_release_labels(net);
    bp_identity_release(net->identity);
    bp_end_handle(net);
    free(net);
}

bp_dtype bp_net_dtype(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->dtype : (bp_dtype)0;
}

bp_rule bp_net_rule(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->rule : BP_RULE_GRADIENT;
}

int bp_net_is_initialized(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) && net->parameters;
}

int bp_net_has_input_scaling(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) && net->input_scaling.offset;
}

int bp_net_has_output_scaling(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) && net->output_scaling.offset;
}

size_t bp_net_input_count(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->n_inputs : 0;
}

size_t bp_net_output_count(const bp_net *net)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return 0;
    }
    return net->n_layers ? net->layers[net->n_layers - 1]->n_outputs : net->n_inputs;
}

size_t bp_net_layer_count(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->n_layers : 0;
}

size_t bp_net_parameter_count(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->parameter_count : 0;
}

bp_status bp_net_layer(bp_net *net, size_t index, bp_layer **layer)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!layer) {
        return bp_fail_null(__func__, "layer");
    }
    if (index >= net->n_layers) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: index is %zu; the net has %zu layers", __func__, index, net->n_layers);
    }
    *layer = net->layers[index];
    return BP_OK;
}
