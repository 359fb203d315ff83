/* Nodes that are layers, their biases, and input scaling. */
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

/* A layer of the weights that the node's input 1 is. */
static bp_status add_layer(bp_onnx_graph *g, bool transposed, double alpha)
{
    const bp_onnx_value *weights = bp_onnx_input(g, 1);
    bp_onnx_layer layer = {.transposed = transposed, .alpha = alpha, .activation = BP_ACTIVATION_IDENTITY};
    bp_status status = bp_onnx_take_head(g, 0);
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
static bool spread_scaling(bp_onnx_chain *chain, size_t n)
{
    if (chain->n_scaling == n) {
        return true;
    }
    double *offset = malloc(n * sizeof *offset), *scale = malloc(n * sizeof *scale);
    if (!offset || !scale) {
        free(offset);
        free(scale);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        offset[i] = chain->n_scaling ? chain->offset[0] : 0;
        scale[i] = chain->n_scaling ? chain->scale[0] : 1;
    }
    free(chain->offset);
    free(chain->scale);
    chain->offset = offset;
    chain->scale = scale;
    chain->n_scaling = n;
    return true;
}

/* (x − offset) scale, combined with one operation more */
static bp_status combine(bp_onnx_graph *g, char operation, double number, double *offset, double *scale)
{
    if (operation == '*' || operation == '/') {
        *scale = operation == '*' ? *scale * number : *scale / number;
    } else if (*scale != 0) {
        *offset += (operation == '-' ? number : -number) / *scale;
    } else if (number != 0) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "it adds to inputs that were multiplied by 0");
    }
    if (!isfinite(*scale) || !isfinite(*offset)) {
        return bp_onnx_fail_node(g, BP_ERROR_NONFINITE, "input scaling that is NaN or infinite");
    }
    return BP_OK;
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
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "\"%.40s\" is neither one number nor one for each input", value->name);
    }
    bp_onnx_chain *chain = g->chain;
    g->width = one ? g->width : numbers.count;
    if (!spread_scaling(chain, one && chain->n_scaling > 1 ? chain->n_scaling : numbers.count)) {
        return bp_fail_memory(g->from->function);
    }
    for (size_t i = 0; status == BP_OK && i < chain->n_scaling; i++) {
        status = combine(g, operation, bp_onnx_number(&numbers, one ? 0 : i), chain->offset + i, chain->scale + i);
    }
    if (status == BP_OK) {
        bp_onnx_advance(g, BP_ONNX_BEFORE_LAYERS);
    }
    return status;
}
