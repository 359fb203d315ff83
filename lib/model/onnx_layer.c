/* Nodes that are layers, their biases, and scaling. */
#define _GNU_SOURCE /* strdup */

#include "core/memory.h"
#include "model/onnx_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* bias ← bias + factor × numbers */
static bp_status add_bias(bp_onnx_graph *g, const bp_onnx_value *value, double factor)
{
    bp_onnx_layer *layer = g->chain->layers + g->chain->n_layers - 1;
    bp_onnx_tensor numbers;
    bp_status status = bp_onnx_take_numbers(g, value, &numbers);
    if (status != BP_OK) {
        return status;
    }
    if (!bp_onnx_is_row(&numbers, layer->n_outputs)) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "\"%.40s\" does not fit as the bias of %zu outputs", value->name, layer->n_outputs);
    }
    double *bias = layer->bias ? layer->bias : malloc(layer->n_outputs * sizeof *bias);
    if (!bias) {
        return bp_fail_memory(g->from->function);
    }
    for (size_t i = 0; i < layer->n_outputs; i++) {
        double number = factor * bp_onnx_number(&numbers, numbers.count == 1 ? 0 : i);
        bias[i] = layer->bias ? bias[i] + number : number; /* not 0 + number, which is not −0 where that is */
    }
    layer->bias = bias;
    return BP_OK;
}

/* Layers can share a constant, but each has weights of its own in a net: without a limit a small file could make a net of any size. */
static bp_status count_weights(const bp_onnx_graph *g, size_t n)
{
    size_t most = g->from->size / 2;
    if (n > most - g->chain->n_weights) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "with it the layers have more than %zu weights, one for each 2 bytes of the file",
                                 most);
    }
    g->chain->n_weights += n;
    return BP_OK;
}

/* A layer of the weights that the node's input 1 is. */
static bp_status add_layer(bp_onnx_graph *g, bool transposed, double alpha)
{
    const bp_onnx_value *weights = bp_onnx_input(g, 1);
    bp_onnx_layer layer = {.transposed = transposed, .alpha = alpha, .activation = BP_ACTIVATION_IDENTITY};
    bp_status status = bp_onnx_take_head(g, 0);
    if (status == BP_OK && g->stage == BP_ONNX_AFTER_LAST) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED,
                                 "a layer behind a multiplication or addition of outputs, which only the last one has");
    }
    if (status == BP_OK && g->rank > 2) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "a layer of samples that have %zu dimensions; Flatten makes them one",
                                 g->rank - 1);
    }
    if (status == BP_OK) {
        status = bp_onnx_take_numbers(g, weights, &layer.weight);
    }
    if (status != BP_OK) {
        return status;
    }
    const BpOnnx__TensorProto *proto = layer.weight.proto;
    if (proto->n_dims != 2 || layer.weight.count == 0) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "its weights, \"%.40s\", are no matrix", weights->name);
    }
    layer.n_inputs = (size_t)proto->dims[transposed ? 1 : 0];
    layer.n_outputs = (size_t)proto->dims[transposed ? 0 : 1];
    if (g->width && g->width != layer.n_inputs) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "its weights, \"%.40s\", are for %zu inputs; there are %zu", weights->name,
                                 layer.n_inputs, g->width);
    }
    status = count_weights(g, layer.weight.count);
    if (status != BP_OK) {
        return status;
    }
    layer.node = strdup(g->what);
    if (!layer.node) {
        return bp_fail_memory(g->from->function);
    }
    g->chain->layers[g->chain->n_layers++] = layer;
    g->rank = 2;
    g->width = layer.n_outputs;
    bp_onnx_advance(g, BP_ONNX_AFTER_LAYER);
    return BP_OK;
}

/* alpha x B + beta C */
bp_status bp_onnx_gemm(bp_onnx_graph *g)
{
    int64_t transposed = bp_onnx_integer(g, "transB", 0);
    if (bp_onnx_integer(g, "transA", 0) != 0 || (transposed != 0 && transposed != 1)) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "transA is not 0, or transB neither 0 nor 1");
    }
    const bp_onnx_value *bias = bp_onnx_input(g, 2);
    bp_status status = add_layer(g, transposed == 1, bp_onnx_real(g, "alpha", 1));
    return status == BP_OK && bias ? add_bias(g, bias, bp_onnx_real(g, "beta", 1)) : status;
}

bp_status bp_onnx_matmul(bp_onnx_graph *g)
{
    return add_layer(g, false, 1);
}

bp_status bp_onnx_shift(bp_onnx_graph *g, const bp_onnx_value *value, double sign)
{
    bp_status status = add_bias(g, value, sign);
    if (status == BP_OK) {
        bp_onnx_advance(g, BP_ONNX_AFTER_LAYER);
    }
    return status;
}

/* Makes room for n offsets and scales, which start as those there are; false: no memory. */
static bool spread(bp_onnx_scaling *scaling, size_t n)
{
    if (scaling->n == n) {
        return true;
    }
    double *offset = malloc(n * sizeof *offset), *scale = malloc(n * sizeof *scale);
    if (!offset || !scale) {
        free(offset);
        free(scale);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        offset[i] = scaling->n ? scaling->offset[0] : 0;
        scale[i] = scaling->n ? scaling->scale[0] : 1;
    }
    free(scaling->offset);
    free(scaling->scale);
    *scaling = (bp_onnx_scaling){n, offset, scale};
    return true;
}

static bp_status check_finite(const bp_onnx_graph *g, double offset, double scale)
{
    return isfinite(offset) && isfinite(scale) ? BP_OK : bp_onnx_fail_node(g, BP_ERROR_NONFINITE, "scaling that is NaN or infinite");
}

/* (x − offset) scale, combined with one operation more */
static bp_status combine_input(const bp_onnx_graph *g, char operation, double number, double *offset, double *scale)
{
    if (operation == '*' || operation == '/') {
        *scale = operation == '*' ? *scale * number : *scale / number;
    } else if (*scale != 0) {
        *offset += (operation == '-' ? number : -number) / *scale;
    } else if (number != 0) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "it adds to inputs that were multiplied by 0");
    }
    return check_finite(g, *offset, *scale);
}

/* y / scale + offset, combined with one operation more */
static bp_status combine_output(const bp_onnx_graph *g, char operation, double number, double *offset, double *scale)
{
    if (operation == '*') {
        *scale /= number;
        *offset *= number;
    } else if (operation == '/') {
        *scale *= number;
        *offset /= number;
    } else {
        *offset += operation == '+' ? number : -number;
    }
    return check_finite(g, *offset, *scale);
}

bp_status bp_onnx_scale(bp_onnx_graph *g, char operation, const bp_onnx_value *value)
{
    bp_onnx_tensor numbers;
    bp_status status = bp_onnx_take_numbers(g, value, &numbers);
    if (status != BP_OK) {
        return status;
    }
    bool one = numbers.count == 1 && numbers.proto->n_dims <= (g->rank ? g->rank : 2);
    if (!one && (numbers.count == 0 || g->rank > 2 || !bp_onnx_is_row(&numbers, g->width ? g->width : numbers.count))) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "\"%.40s\" is neither one number nor one for each column", value->name);
    }
    bool of_inputs = g->stage == BP_ONNX_BEFORE_LAYERS;
    bp_onnx_scaling *scaling = of_inputs ? &g->chain->input_scaling : &g->chain->output_scaling;
    g->width = one ? g->width : numbers.count;
    if (!spread(scaling, one && scaling->n > 1 ? scaling->n : numbers.count)) {
        return bp_fail_memory(g->from->function);
    }
    for (size_t i = 0; status == BP_OK && i < scaling->n; i++) {
        double number = bp_onnx_number(&numbers, one ? 0 : i);
        status = (of_inputs ? combine_input : combine_output)(g, operation, number, scaling->offset + i, scaling->scale + i);
    }
    if (status == BP_OK) {
        bp_onnx_advance(g, of_inputs ? BP_ONNX_BEFORE_LAYERS : BP_ONNX_AFTER_LAST);
    }
    return status;
}
