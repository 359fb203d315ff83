#include "model/net_tensors.h"

#include "bp/version.h"

#include "core/memory.h"
#include "core/nonfinite.h"
#include "core/status.h"
#include "model/json_parse.h"
#include "model/json_texts.h"
#include "model/tensors.h"
#include "net/packing.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char format[] = "libbp", version[] = "1", user_prefix[] = "user.";

/* Of each scaling. */
typedef struct scaling_names {
    const char *what, *offset, *scale;
} scaling_names;

static const scaling_names of_inputs = {"inputs", "input.offset", "input.scale"}, of_outputs = {"outputs", "output.offset", "output.scale"};

enum { NAME_SIZE = 64 };

/* ---- to tensors ---- */

static bool add_list(bp_tensors *file, const char *key, size_t n, const char *(*text)(const bp_net *net, size_t index), const bp_net *net)
{
    char *list = bp_json_texts(net, n, text);
    bool done = list && bp_tensors_add_text(file, key, list);
    free(list);
    return done;
}

static const char *activation_of(const bp_net *net, size_t index)
{
    return bp_activation_name(net->layers[index]->activation);
}

static bool add_metadata(bp_tensors *file, const char *key, const char *value)
{
    size_t size = sizeof user_prefix + strlen(key);
    char *name = malloc(size);
    bool done = name && snprintf(name, size, "%s%s", user_prefix, key) > 0 && bp_tensors_add_text(file, name, value);
    free(name);
    return done;
}

static bool add_texts(bp_tensors *file, const bp_net *net)
{
    bool done = bp_tensors_add_text(file, "format", format) && bp_tensors_add_text(file, "version", version) &&
                bp_tensors_add_text(file, "library", bp_version()) && add_list(file, "activations", net->n_layers, activation_of, net) &&
                bp_tensors_add_text(file, "rule", bp_rule_name(net->rule));
    if (done && net->input_names) {
        done = add_list(file, "input_names", net->n_inputs, bp_net_input_name, net);
    }
    if (done && net->class_names) {
        done = add_list(file, "class_names", net->n_classes, bp_net_class_name, net);
    }
    for (size_t i = 0; done && i < net->n_metadata; i++) {
        done = add_metadata(file, net->metadata[2 * i], net->metadata[2 * i + 1]);
    }
    return done;
}

static bool add_scaling(bp_tensors *file, bp_tensor_type type, const scaling_names *names, const bp_net_scaling *scaling, size_t n)
{
    return !scaling->offset || (bp_tensors_add(file, names->offset, type, 1, &n, scaling->offset) &&
                                bp_tensors_add(file, names->scale, type, 1, &n, scaling->scale));
}

static bool add_arrays(bp_tensors *file, const bp_net *net, const char *theta)
{
    bp_tensor_type type = net->dtype == BP_F32 ? BP_TENSOR_F32 : BP_TENSOR_F64;
    size_t element = bp_dtype_size(net->dtype);
    char name[NAME_SIZE];
    bool done = true;
    for (size_t l = 0; done && l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        const size_t shape[2] = {layer->n_outputs, layer->n_inputs};
        snprintf(name, sizeof name, "layers.%zu.weight", l);
        done = bp_tensors_add(file, name, type, 2, shape, theta);
        theta += shape[0] * shape[1] * element;
        snprintf(name, sizeof name, "layers.%zu.bias", l);
        done = done && (!layer->has_bias || bp_tensors_add(file, name, type, 1, shape, theta));
        theta += layer->has_bias ? shape[0] * element : 0;
    }
    return done && add_scaling(file, type, &of_inputs, &net->input_scaling, net->n_inputs) &&
           add_scaling(file, type, &of_outputs, &net->output_scaling, bp_net_output_count(net));
}

bp_status bp_net_to_tensors(const char *function, const bp_net *net, bp_tensors *file, void **theta)
{
    char *packed = bp_allocate(net->parameter_count, bp_dtype_size(net->dtype));
    if (packed) {
        bp_parameters_pack(net, net->parameters, packed);
    }
    if (!packed || !add_texts(file, net) || !add_arrays(file, net, packed)) {
        free(packed);
        return bp_fail_memory(function);
    }
    *theta = packed;
    return BP_OK;
}

/* ---- from tensors ---- */

/* Where a tensor's numbers go: rows, ld from one to the next; NULL: they are not the net's. */
typedef struct destination {
    void *numbers;
    size_t columns, ld;
} destination;

typedef struct source {
    const char *function, *path;
    bp_tensors *file;
    bp_dtype dtype; /* of the net; 0: the file's */
    bool allow_nonfinite;
    destination *destinations; /* of each tensor */
} source;

BP_PRINTF(3, 4)
static bp_status fail(const source *from, bp_status status, const char *text_format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, text_format);
    vsnprintf(text, sizeof text, text_format, arguments);
    va_end(arguments);
    return bp_fail(status, "%s: %.200s: %s", from->function, from->path, text);
}

/* What the library itself refused, with the file's name. */
static bp_status fail_again(const source *from, bp_status status)
{
    char sentence[400];
    snprintf(sentence, sizeof sentence, "%s", bp_last_error());
    return fail(from, status == BP_ERROR_MEMORY ? status : BP_ERROR_FORMAT, "%s", sentence);
}

/* The JSON array of texts under a key, freed by json_decref; *list is NULL if there is no such key. */
static bp_status read_list(const source *from, const char *key, json_t **list)
{
    const char *text = bp_tensors_text(from->file, key);
    *list = NULL;
    json_error_t error;
    if (text && bp_json_parse(text, strlen(text), 0, list, &error) == BP_ERROR_MEMORY) {
        return bp_fail_memory(from->function);
    }
    bool good = !text || json_is_array(*list);
    for (size_t i = 0; good && i < json_array_size(*list); i++) {
        good = json_is_string(json_array_get(*list, i));
    }
    if (!good) {
        json_decref(*list);
        *list = NULL;
        return fail(from, BP_ERROR_FORMAT, "%s is not a JSON array of texts", key);
    }
    return BP_OK;
}

static bp_status check_format(const source *from)
{
    const char *found = bp_tensors_text(from->file, "format"), *of_version = bp_tensors_text(from->file, "version");
    if (!found || strcmp(found, format) != 0 || !of_version) {
        return fail(from, BP_ERROR_FORMAT, "this safetensors file is not a net of libbp");
    }
    if (strcmp(of_version, version) != 0) {
        return fail(from, BP_ERROR_UNSUPPORTED, "the format's version is %.20s; this library reads version %s", of_version, version);
    }
    return BP_OK;
}

/* A tensor of numbers as they are in nets; NULL, and the sentence is written, if there is none such. */
static const bp_tensor *find_numbers(const source *from, const char *name, size_t n_dimensions, bp_status *status)
{
    const bp_tensor *tensor = bp_tensors_get(from->file, name);
    if (!tensor || tensor->n_dimensions != n_dimensions) {
        *status = fail(from, BP_ERROR_FORMAT, tensor ? "%s has not %zu dimensions" : "%s is missing", name, n_dimensions);
        return NULL;
    }
    if (tensor->type != BP_TENSOR_F32 && tensor->type != BP_TENSOR_F64) {
        *status = fail(from, BP_ERROR_UNSUPPORTED, "%s is neither F32 nor F64", name);
        return NULL;
    }
    *status = BP_OK;
    return tensor;
}

/* n numbers from element first of a tensor on, in the element type of the net. */
static bp_status copy_numbers(const source *from, const bp_tensor *tensor, size_t first, size_t n, const void *data, void *to)
{
    bp_dtype of_file = tensor->type == BP_TENSOR_F32 ? BP_F32 : BP_F64;
    for (size_t i = 0; i < n && of_file != from->dtype; i++) {
        if (from->dtype == BP_F32) {
            ((float *)to)[i] = (float)((const double *)data)[i];
        } else {
            ((double *)to)[i] = (double)((const float *)data)[i];
        }
    }
    if (of_file == from->dtype) {
        memcpy(to, data, n * bp_dtype_size(of_file));
    }
    size_t bad = from->allow_nonfinite ? n : bp_first_nonfinite(from->dtype, n, to);
    return bad == n ? BP_OK
                    : fail(from, BP_ERROR_NONFINITE, "element %zu of %s is NaN, infinite or beyond %s", first + bad, tensor->name,
                           bp_dtype_name(from->dtype));
}

/* A bp_tensors_take: to the tensor's destination, row by row. */
static bp_status take_numbers(void *context, size_t index, size_t at, size_t size, const void *bytes)
{
    const source *from = context;
    const bp_tensor *tensor = &from->file->tensors[index];
    const destination *to = &from->destinations[index];
    size_t of_file = tensor->type == BP_TENSOR_F32 ? sizeof(float) : sizeof(double), of_net = bp_dtype_size(from->dtype);
    size_t first = at / of_file, end = first + size / of_file;
    bp_status status = BP_OK;
    while (to->numbers && status == BP_OK && first < end) {
        size_t row = first / to->columns, column = first % to->columns, left = to->columns - column;
        size_t n = end - first < left ? end - first : left;
        status = copy_numbers(from, tensor, first, n, bytes, (char *)to->numbers + (row * to->ld + column) * of_net);
        bytes = (const char *)bytes + n * of_file;
        first += n;
    }
    return status;
}

static void set_destination(const source *from, const bp_tensor *tensor, void *numbers, size_t columns, size_t ld)
{
    from->destinations[tensor - from->file->tensors] = (destination){numbers, columns, ld};
}

/* A net with the layers of the file, all zeros. */
static bp_status build(source *from, const json_t *activations, bp_net **net)
{
    size_t n_layers = json_array_size(activations), width = 0;
    bp_status status = n_layers > 0 ? BP_OK : fail(from, BP_ERROR_FORMAT, "it has no layer");
    for (size_t l = 0; status == BP_OK && l < n_layers; l++) {
        char name[NAME_SIZE];
        bp_activation activation;
        snprintf(name, sizeof name, "layers.%zu.weight", l);
        const bp_tensor *weight = find_numbers(from, name, 2, &status);
        if (!weight) {
            return status;
        }
        if (bp_activation_from_name(json_string_value(json_array_get(activations, l)), &activation) != BP_OK) {
            return fail(from, BP_ERROR_UNSUPPORTED, "layer %zu has an activation that this library does not know", l);
        }
        if (l > 0 && weight->shape[1] != width) {
            return fail(from, BP_ERROR_FORMAT, "%s has %zu columns, but the layer before %zu outputs", name, weight->shape[1], width);
        }
        from->dtype = from->dtype ? from->dtype : weight->type == BP_TENSOR_F32 ? BP_F32 : BP_F64;
        width = weight->shape[0];
        snprintf(name, sizeof name, "layers.%zu.bias", l);
        int bias = bp_tensors_get(from->file, name) != NULL;
        status = l > 0 ? BP_OK : bp_net_create(net, from->dtype, weight->shape[1]);
        if (status == BP_OK) {
            status = bp_net_add_dense(*net, width, activation, bias);
        }
        if (status != BP_OK) {
            return fail_again(from, status);
        }
    }
    return status == BP_OK ? bp_net_fix_shape(from->function, *net) : status;
}

static bp_status place_layers(const source *from, const bp_net *net)
{
    bp_status status = BP_OK;
    for (size_t l = 0; status == BP_OK && l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "layers.%zu.weight", l);
        const bp_tensor *tensor = find_numbers(from, name, 2, &status);
        if (tensor) {
            set_destination(from, tensor, layer->weights, layer->n_inputs, layer->ld);
        }
        snprintf(name, sizeof name, "layers.%zu.bias", l);
        tensor = status == BP_OK && layer->has_bias ? find_numbers(from, name, 1, &status) : NULL;
        if (tensor && tensor->shape[0] != layer->n_outputs) {
            status =
                fail(from, BP_ERROR_FORMAT, "%s has %zu elements, but its layer %zu outputs", name, tensor->shape[0], layer->n_outputs);
        } else if (tensor) {
            set_destination(from, tensor, layer->bias, layer->n_outputs, layer->n_outputs);
        }
    }
    return status;
}

/* n numbers of a scaling. */
static bp_status place_vector(const source *from, const char *name, const char *what, size_t n, void *numbers)
{
    bp_status status;
    const bp_tensor *tensor = find_numbers(from, name, 1, &status);
    if (tensor && tensor->shape[0] != n) {
        return fail(from, BP_ERROR_FORMAT, "%s has %zu elements, but the net %zu %s", name, tensor->shape[0], n, what);
    }
    if (tensor) {
        set_destination(from, tensor, numbers, n, n);
    }
    return status;
}

static bp_status place_scaling(const source *from, const scaling_names *names, size_t n, bp_net_scaling *scaling)
{
    if (!bp_tensors_get(from->file, names->offset) && !bp_tensors_get(from->file, names->scale)) {
        return BP_OK;
    }
    if (!bp_net_scaling_allocate(scaling, n, from->dtype)) {
        return bp_fail_memory(from->function);
    }
    bp_status status = place_vector(from, names->offset, names->what, n, scaling->offset);
    return status == BP_OK ? place_vector(from, names->scale, names->what, n, scaling->scale) : status;
}

static bp_status check_output_scale(const source *from, const bp_net *net)
{
    size_t bad = bp_net_first_not_invertible(net);
    return bad == bp_net_output_count(net) ? BP_OK
                                           : fail(from, BP_ERROR_FORMAT, "element %zu of %s has no finite inverse", bad, of_outputs.scale);
}

/* The texts of a list, in an array freed by free; NULL without memory. */
static const char **texts_of(const json_t *list)
{
    size_t n = json_array_size(list);
    const char **texts = malloc((n ? n : 1) * sizeof *texts);
    for (size_t i = 0; texts && i < n; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    return texts;
}

static bp_status read_names(const source *from, bp_net *net, const char *key, bool of_classes)
{
    json_t *list;
    bp_status status = read_list(from, key, &list);
    if (status != BP_OK || !list) {
        return status;
    }
    size_t n = json_array_size(list);
    const char **names = texts_of(list);
    if (!names) {
        status = bp_fail_memory(from->function);
    } else if (!of_classes && n != net->n_inputs) {
        status = fail(from, BP_ERROR_FORMAT, "it has %zu names for %zu inputs", n, net->n_inputs);
    } else {
        status = of_classes ? bp_net_set_class_names(net, n, names) : bp_net_set_input_names(net, names);
        status = status == BP_OK ? status : fail_again(from, status);
    }
    free(names);
    json_decref(list);
    return status;
}

static bp_status read_metadata(const source *from, bp_net *net)
{
    bp_status status = BP_OK;
    const char *key, *value;
    size_t length = sizeof user_prefix - 1;
    for (size_t i = 0; status == BP_OK && bp_tensors_text_at(from->file, i, &key, &value); i++) {
        if (strncmp(key, user_prefix, length) == 0) {
            status = bp_net_set_metadata(net, key + length, value);
        }
    }
    return status == BP_OK ? status : fail_again(from, status);
}

static bp_status read_rule(const source *from, bp_net *net)
{
    const char *name = bp_tensors_text(from->file, "rule");
    if (!name || bp_rule_from_name(name, &net->rule) != BP_OK) {
        return fail(from, name ? BP_ERROR_UNSUPPORTED : BP_ERROR_FORMAT, "rule is %.40s", name ? name : "missing");
    }
    return BP_OK;
}

/* All numbers. */
static bp_status fill(source *from, bp_net *net)
{
    from->destinations = calloc(from->file->n_tensors + 1, sizeof *from->destinations);
    bp_status status = from->destinations ? place_layers(from, net) : bp_fail_memory(from->function);
    if (status == BP_OK) {
        status = place_scaling(from, &of_inputs, net->n_inputs, &net->input_scaling);
    }
    if (status == BP_OK) {
        status = place_scaling(from, &of_outputs, bp_net_output_count(net), &net->output_scaling);
    }
    if (status == BP_OK) {
        status = bp_tensors_read(from->file, take_numbers, from);
    }
    free(from->destinations);
    return status == BP_OK ? check_output_scale(from, net) : status;
}

bp_status bp_net_from_tensors(const char *function, const char *path, bp_tensors *file, bp_dtype dtype, bool allow_nonfinite, bp_net **net)
{
    source from = {.function = function, .path = path, .file = file, .dtype = dtype, .allow_nonfinite = allow_nonfinite};
    json_t *activations = NULL;
    bp_net *made = NULL;
    bp_status status = check_format(&from);
    if (status == BP_OK) {
        status = read_list(&from, "activations", &activations);
    }
    if (status == BP_OK) {
        status = build(&from, activations, &made);
    }
    json_decref(activations);
    if (status == BP_OK) {
        status = read_rule(&from, made);
    }
    if (status == BP_OK) {
        status = read_names(&from, made, "input_names", false);
    }
    if (status == BP_OK) {
        status = read_names(&from, made, "class_names", true);
    }
    if (status == BP_OK) {
        status = read_metadata(&from, made);
    }
    if (status == BP_OK) {
        status = fill(&from, made);
    }
    if (status != BP_OK) {
        bp_net_destroy(made);
        return status;
    }
    *net = made;
    return BP_OK;
}
