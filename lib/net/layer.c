#include "net/layer.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * A layer is divided into panels by its shape alone, and their parts of a sum are added in order, so that results do not depend on the
 * number of threads. A panel has work for microseconds, which is what a hand-over between threads costs a part of.
 */
static size_t panel_rows(size_t n_outputs, size_t ld, size_t element)
{
    enum { PANEL_BYTES = 64 * 1024 };
    size_t n_panels = n_outputs * ld / (PANEL_BYTES / element);
    n_panels = n_panels < 1 ? 1 : n_panels > BP_MAX_PANELS ? BP_MAX_PANELS : n_panels;
    return bp_round_up((n_outputs + n_panels - 1) / n_panels, BP_ALIGNMENT / element);
}

bp_status bp_layer_shape(const char *function, const char *outputs, bp_layer **layer, bp_dtype dtype, size_t n_inputs, size_t n_outputs,
                         bp_activation activation, int bias)
{
    size_t element = bp_dtype_size(dtype);
    if (element == 0) {
        return bp_fail_enum(function, "dtype", (int)dtype);
    }
    if (n_inputs < 1 || n_inputs > BP_MAX_DIMENSION) {
        return bp_fail_size(function, "n_inputs", n_inputs);
    }
    if (n_outputs < 1 || n_outputs > BP_MAX_DIMENSION) {
        return bp_fail_size(function, outputs, n_outputs);
    }
    if (!bp_activation_name(activation)) {
        return bp_fail_enum(function, "activation", (int)activation);
    }
    if (bias != 0 && bias != 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: bias is %d; it can be 0 or 1", function, bias);
    }
    size_t line = BP_ALIGNMENT / element;
    size_t ld = bp_round_up(n_inputs, line);
    if (ld * element % 2048 == 0) {
        ld += line; /* a stride of many cache sets would crowd the rows that a kernel works on at a time into a few of them */
    }
    size_t vector = bp_round_up(n_outputs, line);
    size_t storage, bytes;
    if (!bp_multiply(n_outputs, ld, &storage) || !bp_add(storage, 2 * vector, &storage) || !bp_multiply(storage, element, &bytes) ||
        bytes > PTRDIFF_MAX) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %zu; with %zu inputs that is more bytes than an address can count", function, outputs,
                       n_outputs, n_inputs);
    }
    bp_layer *made = calloc(1, sizeof *made);
    if (!made) {
        return bp_fail_memory(function);
    }
    *made = (bp_layer){
        .handle = BP_HANDLE_LAYER,
        .dtype = dtype,
        .activation = activation,
        .n_inputs = n_inputs,
        .n_outputs = n_outputs,
        .ld = ld,
        .panel_rows = panel_rows(n_outputs, ld, element),
        .has_bias = bias != 0,
        .storage = storage,
    };
    *layer = made;
    return BP_OK;
}

void bp_layer_place(bp_layer *layer, void *memory)
{
    size_t element = bp_dtype_size(layer->dtype);
    size_t vector = bp_round_up(layer->n_outputs, BP_ALIGNMENT / element);
    char *at = memory;
    layer->weights = at;
    at += layer->n_outputs * layer->ld * element;
    layer->bias = layer->has_bias ? at : NULL;
    layer->g = at + vector * element;
}

size_t bp_layer_parameter_count(const bp_layer *layer)
{
    return layer->n_outputs * layer->n_inputs + (layer->has_bias ? layer->n_outputs : 0);
}

bp_status bp_layer_create(bp_layer **layer, bp_dtype dtype, size_t n_inputs, size_t n_outputs, bp_activation activation, int bias)
{
    if (!layer) {
        return bp_fail_null(__func__, "layer");
    }
    bp_layer *made = NULL;
    bp_status status = bp_layer_shape(__func__, "n_outputs", &made, dtype, n_inputs, n_outputs, activation, bias);
    if (status != BP_OK) {
        return status;
    }
    void *memory = bp_allocate(made->storage, bp_dtype_size(dtype));
    if (!memory) {
        free(made);
        return bp_fail_memory(__func__);
    }
    bp_layer_place(made, memory);
    *layer = made;
    return BP_OK;
}

void bp_layer_destroy(bp_layer *layer)
{
    if (bp_is(layer, BP_HANDLE_LAYER) && !layer->borrowed) {
        free(layer->weights);
        bp_end_handle(layer);
        free(layer);
    }
}

bp_dtype bp_layer_dtype(const bp_layer *layer)
{
    return bp_is(layer, BP_HANDLE_LAYER) ? layer->dtype : (bp_dtype)0;
}

size_t bp_layer_input_count(const bp_layer *layer)
{
    return bp_is(layer, BP_HANDLE_LAYER) ? layer->n_inputs : 0;
}

size_t bp_layer_output_count(const bp_layer *layer)
{
    return bp_is(layer, BP_HANDLE_LAYER) ? layer->n_outputs : 0;
}

bp_activation bp_layer_activation(const bp_layer *layer)
{
    return bp_is(layer, BP_HANDLE_LAYER) ? layer->activation : BP_ACTIVATION_IDENTITY;
}

int bp_layer_has_bias(const bp_layer *layer)
{
    return bp_is(layer, BP_HANDLE_LAYER) && layer->has_bias;
}
