/* A net from an ONNX model: the bytes are checked, unpacked by protobuf-c, walked along (onnx_graph.c) and made into a net. */
#include "bp/onnx.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/nonfinite.h"
#include "model/json_parse.h"
#include "model/onnx_read.h"
#include "net/net.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the library itself refused, with the file's name. */
static bp_status fail_again(const bp_onnx_source *from, const char *what, bp_status status)
{
    char sentence[300];
    snprintf(sentence, sizeof sentence, "%s", bp_last_error());
    return bp_onnx_fail(from, status == BP_ERROR_ARGUMENT ? BP_ERROR_FORMAT : status, "%s: %s", what, sentence);
}

/* ---- protobuf-c ---- */

static void *allocate(void *failed, size_t size)
{
    void *memory = malloc(size ? size : 1);
    *(bool *)failed |= !memory;
    return memory;
}

static void release(void *failed, void *memory)
{
    (void)failed;
    free(memory);
}

static bp_status unpack(const bp_onnx_source *from, const unsigned char *bytes, size_t size, BpOnnx__ModelProto **model)
{
    bp_status status = bp_onnx_check_bytes(from, bytes, size);
    if (status != BP_OK) {
        return status;
    }
    bool failed = false;
    ProtobufCAllocator allocator = {allocate, release, &failed};
    *model = bp_onnx__model_proto__unpack(&allocator, size, bytes);
    if (*model) {
        return BP_OK;
    }
    return failed ? bp_fail_memory(from->function)
                  : bp_onnx_fail(from, BP_ERROR_FORMAT, "this is no ONNX model, or a damaged one: a field is not of its type");
}

/* ---- numbers ---- */

static void put(bp_dtype dtype, void *numbers, size_t index, double number)
{
    if (dtype == BP_F32) {
        ((float *)numbers)[index] = (float)number;
    } else {
        ((double *)numbers)[index] = number;
    }
}

static bp_status check_finite(const bp_onnx_source *from, bp_dtype dtype, size_t n, const void *numbers, const char *what, const char *of)
{
    size_t bad = bp_first_nonfinite(dtype, n, numbers);
    return bad == n
               ? BP_OK
               : bp_onnx_fail(from, BP_ERROR_NONFINITE, "%s: %s %zu is NaN, infinite or beyond %s", what, of, bad, bp_dtype_name(dtype));
}

static bp_status fill_layer(const bp_onnx_source *from, const bp_onnx_layer *source, const bp_layer *layer)
{
    size_t n_in = layer->n_inputs, n_out = layer->n_outputs;
    bp_status status = BP_OK;
    for (size_t i = 0; status == BP_OK && i < n_out; i++) {
        void *row = (char *)layer->weights + i * layer->ld * bp_dtype_size(layer->dtype);
        for (size_t j = 0; j < n_in; j++) {
            put(layer->dtype, row, j, source->alpha * bp_onnx_number(&source->weight, source->transposed ? i * n_in + j : j * n_out + i));
        }
        char of[60];
        snprintf(of, sizeof of, "of output %zu weight", i);
        status = check_finite(from, layer->dtype, n_in, row, source->node, of);
    }
    for (size_t i = 0; source->bias && i < n_out; i++) {
        put(layer->dtype, layer->bias, i, source->bias[i]);
    }
    return status == BP_OK && source->bias ? check_finite(from, layer->dtype, n_out, layer->bias, source->node, "bias") : status;
}

static bp_status fill_scaling(const bp_onnx_source *from, const bp_onnx_scaling *source, bp_dtype dtype, size_t n, const char *what,
                              bp_net_scaling *scaling)
{
    if (source->n == 0) {
        return BP_OK;
    }
    if (!bp_net_scaling_allocate(scaling, n, dtype)) {
        return bp_fail_memory(from->function);
    }
    for (size_t i = 0; i < n; i++) {
        put(dtype, scaling->offset, i, source->offset[source->n == 1 ? 0 : i]);
        put(dtype, scaling->scale, i, source->scale[source->n == 1 ? 0 : i]);
    }
    bp_status status = check_finite(from, dtype, n, scaling->offset, what, "offset");
    return status == BP_OK ? check_finite(from, dtype, n, scaling->scale, what, "scale") : status;
}

static bp_status fill_scalings(const bp_onnx_source *from, const bp_onnx_chain *chain, bp_net *net)
{
    size_t n = bp_net_output_count(net);
    bp_status status = fill_scaling(from, &chain->input_scaling, net->dtype, net->n_inputs, "input scaling", &net->input_scaling);
    if (status == BP_OK) {
        status = fill_scaling(from, &chain->output_scaling, net->dtype, n, "output scaling", &net->output_scaling);
    }
    size_t bad = status == BP_OK ? bp_net_first_not_invertible(net) : n;
    return bad == n ? status
                    : bp_onnx_fail(from, BP_ERROR_NONFINITE, "output scaling: what output %zu is multiplied by has no inverse", bad);
}

static bp_status build(const bp_onnx_source *from, const bp_onnx_chain *chain, bp_net **net)
{
    bp_status status = bp_net_create(net, chain->dtype, chain->layers[0].n_inputs);
    const char *what = chain->layers[0].node;
    for (size_t l = 0; status == BP_OK && l < chain->n_layers; l++) {
        const bp_onnx_layer *layer = chain->layers + l;
        what = layer->node;
        status = bp_net_add_dense(*net, layer->n_outputs, layer->activation, layer->bias != NULL);
    }
    if (status == BP_OK) {
        status = bp_net_fix_shape(from->function, *net);
    }
    if (status != BP_OK) {
        return fail_again(from, what, status);
    }
    for (size_t l = 0; status == BP_OK && l < chain->n_layers; l++) {
        status = fill_layer(from, chain->layers + l, (*net)->layers[l]);
    }
    return status == BP_OK ? fill_scalings(from, chain, *net) : status;
}

/* ---- texts ---- */

/* The names in a JSON array. */
static bp_status set_names(bp_net *net, bool of_classes, const char *text)
{
    json_t *list = NULL;
    json_error_t error;
    if (bp_json_parse(text, strlen(text), 0, &list, &error) == BP_ERROR_MEMORY) {
        return bp_fail_memory(__func__);
    }
    size_t n = json_array_size(list);
    const char **names = malloc((n ? n : 1) * sizeof *names);
    bool good = names && json_is_array(list) && (of_classes || n == net->n_inputs);
    for (size_t i = 0; good && i < n; i++) {
        names[i] = json_string_value(json_array_get(list, i));
        good = names[i];
    }
    bp_status status = !names  ? bp_fail_memory(__func__)
                       : !good ? bp_fail(BP_ERROR_FORMAT, "no JSON array of as many names")
                               : (of_classes ? bp_net_set_class_names(net, n, names) : bp_net_set_input_names(net, names));
    free(names);
    json_decref(list);
    return status;
}

static bp_status set_text(bp_net *net, const char *key, const char *value)
{
    if (strcmp(key, BP_ONNX_RULE) == 0) {
        bp_rule rule;
        bp_status status = bp_rule_from_name(value, &rule);
        return status == BP_OK ? bp_net_set_rule(net, rule) : status;
    }
    if (strcmp(key, BP_ONNX_INPUT_NAMES) == 0 || strcmp(key, BP_ONNX_CLASS_NAMES) == 0) {
        return set_names(net, strcmp(key, BP_ONNX_CLASS_NAMES) == 0, value);
    }
    if (strncmp(key, BP_ONNX_OWN_METADATA, sizeof BP_ONNX_OWN_METADATA - 1) == 0) {
        return BP_OK; /* of a later version */
    }
    return bp_net_metadata(net, key) ? bp_fail(BP_ERROR_FORMAT, "the key is there twice") : bp_net_set_metadata(net, key, value);
}

static bp_status read_texts(const bp_onnx_source *from, const BpOnnx__ModelProto *model, bp_net *net)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const BpOnnx__StringStringEntryProto *entry = model->metadata_props[i];
        const char *key = entry->key ? entry->key : "";
        bp_status status = set_text(net, key, entry->value ? entry->value : "");
        if (status != BP_OK) {
            char what[100];
            snprintf(what, sizeof what, "metadata \"%.60s\"", key);
            return fail_again(from, what, status);
        }
    }
    return BP_OK;
}

/* ---- the calls ---- */

static bp_status import(const bp_onnx_source *from, const unsigned char *bytes, bp_net **net)
{
    BpOnnx__ModelProto *model = NULL;
    bp_onnx_chain chain = {0};
    bp_net *made = NULL;
    bp_status status = unpack(from, bytes, from->size, &model);
    if (status == BP_OK) {
        status = bp_onnx_walk(from, model, &chain);
    }
    if (status == BP_OK) {
        status = build(from, &chain, &made);
    }
    if (status == BP_OK) {
        status = read_texts(from, model, made);
    }
    bp_onnx_chain_release(&chain);
    bp_onnx__model_proto__free_unpacked(model, NULL);
    if (status != BP_OK) {
        bp_net_destroy(made);
        return status;
    }
    *net = made;
    return BP_OK;
}

bp_status bp_net_import_onnx(bp_net **net, const char *path)
{
    if (!net || !path) {
        return bp_fail_null(__func__, net ? "path" : "net");
    }
    bp_onnx_source from = {.function = __func__, .path = path};
    unsigned char *bytes = NULL;
    bp_status status = bp_file_read(__func__, path, &bytes, &from.size);
    if (status == BP_OK) {
        status = import(&from, bytes, net);
    }
    free(bytes);
    return status;
}

bp_status bp_net_import_onnx_memory(bp_net **net, const void *bytes, size_t size)
{
    if (!net || !bytes) {
        return bp_fail_null(__func__, net ? "bytes" : "net");
    }
    const bp_onnx_source from = {__func__, "bytes", size};
    return import(&from, bytes, net);
}
