/* The formulas of one layer: forward, local gradient, backward, update. */
#include "bp/layer.h"

#include "core/handle.h"
#include "core/real.h"
#include "core/status.h"
#include "kernel/kernel.h"
#include "net/layer.h"
#include "net/parameters.h"

#include <string.h>
#include <tgmath.h>

static bp_status check(const char *function, const bp_layer *layer)
{
    if (!bp_is(layer, BP_HANDLE_LAYER)) {
        return bp_fail_handle(function, "layer", layer, BP_HANDLE_LAYER);
    }
    if (layer->dtype != REAL_DTYPE) {
        return bp_fail_dtype(function, "layer", layer->dtype);
    }
    if (!layer->weights) {
        return bp_fail(BP_ERROR_STATE, "%s: the layer's net is not initialized yet", function);
    }
    return BP_OK;
}

/* check, and that each of the vectors is there; names are their arguments' */
static bp_status check_vectors(const char *function, const bp_layer *layer, size_t n, const void *const *vectors, const char *const *names)
{
    bp_status status = check(function, layer);
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        if (!vectors[i]) {
            status = bp_fail_null(function, names[i]);
        }
    }
    return status;
}

bp_status REAL(bp_layer_set_weights)(bp_layer *layer, const real *W, const real *b)
{
    bp_status status = check(__func__, layer);
    if (status != BP_OK) {
        return status;
    }
    if (b && !layer->has_bias) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: b is given, but the layer has no bias", __func__);
    }
    size_t n = layer->n_outputs * layer->n_inputs;
    size_t bad = W ? REAL(bp_first_nonfinite)(n, W) : n;
    if (bad < n) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: W[%zu] is %g; weights are finite", __func__, bad, (double)W[bad]);
    }
    bad = b ? REAL(bp_first_nonfinite)(layer->n_outputs, b) : layer->n_outputs;
    if (bad < layer->n_outputs) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: b[%zu] is %g; biases are finite", __func__, bad, (double)b[bad]);
    }
    if (W) {
        REAL(bp_layer_load_weights)(layer, W);
    }
    if (b) {
        memcpy(layer->bias, b, layer->n_outputs * sizeof *b);
    }
    return BP_OK;
}

bp_status REAL(bp_layer_get_weights)(const bp_layer *layer, real *W, real *b)
{
    bp_status status = check(__func__, layer);
    if (status != BP_OK) {
        return status;
    }
    if (b && !layer->has_bias) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: b is given, but the layer has no bias", __func__);
    }
    if (W) {
        REAL(bp_layer_store_weights)(layer, W);
    }
    if (b) {
        memcpy(b, layer->bias, layer->n_outputs * sizeof *b);
    }
    return BP_OK;
}

/* e = W x + b, y = f(e) */
bp_status REAL(bp_layer_forward)(const bp_layer *layer, const real *x, real *e, real *y)
{
    bp_status status = check_vectors(__func__, layer, 3, (const void *[]){x, e, y}, (const char *[]){"x", "e", "y"});
    if (status != BP_OK) {
        return status;
    }
    REAL(bp_kernel)()->gemv(layer->n_outputs, layer->n_inputs, layer->weights, layer->ld, x, layer->bias, e);
    REAL(bp_kernel)()->activation(layer->activation, 1, layer->n_outputs, e, y);
    return BP_OK;
}

/* Softmax from e alone, without memory for y, so that g may be delta. */
static void softmax_local_gradient(size_t n, const real *delta, const real *e, real *g)
{
    real maximum = e[0];
    for (size_t i = 1; i < n; i++) {
        maximum = e[i] > maximum ? e[i] : maximum;
    }
    real sum = 0, product = 0;
    for (size_t i = 0; i < n; i++) {
        real t = exp(e[i] - maximum);
        sum += t;
        product += t * delta[i];
    }
    for (size_t i = 0; i < n; i++) {
        g[i] = exp(e[i] - maximum) / sum * (delta[i] - product / sum);
    }
}

/* g = δ ⊙ f′(e) */
bp_status REAL(bp_layer_local_gradient)(const bp_layer *layer, const real *delta, const real *e, real *g)
{
    bp_status status = check_vectors(__func__, layer, 3, (const void *[]){delta, e, g}, (const char *[]){"delta", "e", "g"});
    if (status != BP_OK) {
        return status;
    }
    if (layer->activation == BP_ACTIVATION_SOFTMAX) {
        softmax_local_gradient(layer->n_outputs, delta, e, g);
        return BP_OK;
    }
    real y[64];
    for (size_t i = 0; i < layer->n_outputs; i += 64) {
        size_t n = layer->n_outputs - i < 64 ? layer->n_outputs - i : 64;
        REAL(bp_kernel)()->activation(layer->activation, 1, n, e + i, y);
        REAL(bp_kernel)()->local_gradient(layer->activation, 1, n, e + i, y, delta + i, g + i);
    }
    return BP_OK;
}

/* δ_prev = Wᵀ δ */
bp_status REAL(bp_layer_backward)(const bp_layer *layer, const real *delta, real *delta_prev)
{
    bp_status status = check_vectors(__func__, layer, 2, (const void *[]){delta, delta_prev}, (const char *[]){"delta", "delta_prev"});
    if (status != BP_OK) {
        return status;
    }
    REAL(bp_kernel)()->gemv_t(layer->n_outputs, layer->n_inputs, layer->weights, layer->ld, delta, delta_prev);
    return BP_OK;
}

/* W ← W + η g xᵀ, b ← b + η g */
bp_status REAL(bp_layer_update)(bp_layer *layer, real eta, const real *delta, const real *e, const real *x)
{
    bp_status status = check_vectors(__func__, layer, 3, (const void *[]){delta, e, x}, (const char *[]){"delta", "e", "x"});
    if (status != BP_OK) {
        return status;
    }
    if (!isfinite(eta)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: eta is %g; it can be any finite number", __func__, (double)eta);
    }
    real *g = layer->g, *b = layer->bias;
    REAL(bp_kernel)()->activation(layer->activation, 1, layer->n_outputs, e, g);
    REAL(bp_kernel)()->local_gradient(layer->activation, 1, layer->n_outputs, e, g, delta, g);
    REAL(bp_kernel)()->ger(layer->n_outputs, layer->n_inputs, eta, g, x, layer->weights, layer->ld);
    for (size_t i = 0; b && i < layer->n_outputs; i++) {
        b[i] += eta * g[i];
    }
    return BP_OK;
}
