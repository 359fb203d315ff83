#include "net/pass.h"

#include "core/status.h"
#include "kernel/kernel.h"
#include "net/loss.h"
#include "net/parameters.h"

#include <math.h>
#include <string.h>

const real *REAL(bp_pass_input)(const bp_net *net, size_t batch, const real *x, real *input)
{
    const real *offset = net->input_offset, *scale = net->input_scale;
    if (!offset) {
        return x;
    }
    for (size_t s = 0; s < batch; s++) {
        for (size_t i = 0; i < net->n_inputs; i++) {
            input[s * net->n_inputs + i] = (x[s * net->n_inputs + i] - offset[i]) * scale[i];
        }
    }
    return input;
}

/* E = X Wᵀ + b, a row for each sample; for one sample e = W x + b */
static void forward(const bp_layer *layer, size_t batch, const real *x, real *e)
{
    const REAL(bp_kernel_table) *kernel = REAL(bp_kernel)();
    size_t n_out = layer->n_outputs, n_in = layer->n_inputs;
    if (batch == 1) {
        kernel->gemv(n_out, n_in, layer->weights, layer->ld, x, layer->bias, e);
        return;
    }
    for (size_t s = 0; layer->has_bias && s < batch; s++) {
        memcpy(e + s * n_out, layer->bias, n_out * sizeof *e);
    }
    kernel->gemm(BP_NO_TRANSPOSE, BP_TRANSPOSE, batch, n_out, n_in, 1, x, n_in, layer->weights, layer->ld, layer->has_bias, e, n_out);
}

/* Δ_prev = Δ W; for one sample δ_prev = Wᵀ δ */
static void backward(const bp_layer *layer, size_t batch, const real *delta, real *delta_prev)
{
    const REAL(bp_kernel_table) *kernel = REAL(bp_kernel)();
    size_t n_out = layer->n_outputs, n_in = layer->n_inputs;
    if (batch == 1) {
        kernel->gemv_t(n_out, n_in, layer->weights, layer->ld, delta, delta_prev);
    } else {
        kernel->gemm(BP_NO_TRANSPOSE, BP_NO_TRANSPOSE, batch, n_in, n_out, 1, delta, n_out, layer->weights, layer->ld, 0, delta_prev, n_in);
    }
}

/* b += alpha Σ g over the samples; b may be NULL */
static void update_bias(size_t n_out, size_t batch, real alpha, const real *g, real *b)
{
    for (size_t s = 0; b && s < batch; s++) {
        for (size_t i = 0; i < n_out; i++) {
            b[i] += alpha * g[s * n_out + i];
        }
    }
}

/* W += alpha Gᵀ X; for one sample W += alpha g xᵀ */
static void update(size_t n_out, size_t n_in, size_t batch, real alpha, const real *g, const real *x, real *W, size_t ld)
{
    const REAL(bp_kernel_table) *kernel = REAL(bp_kernel)();
    if (batch == 1) {
        kernel->ger(n_out, n_in, alpha, g, x, W, ld);
    } else {
        kernel->gemm(BP_TRANSPOSE, BP_NO_TRANSPOSE, n_out, n_in, batch, alpha, g, n_out, x, n_in, 1, W, ld);
    }
}

/* y = f(e) of the first layer, whose e is there, then the layers behind it */
static const real *finish_forward(const bp_net *net, bp_workspace *ws, size_t batch)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        bp_layer_pass *pass = &ws->layers[l];
        if (l > 0) {
            forward(layer, batch, ws->layers[l - 1].y, pass->e);
        }
        REAL(bp_kernel)()->activation(layer->activation, batch, layer->n_outputs, pass->e, pass->y);
    }
    return ws->layers[net->n_layers - 1].y;
}

const real *REAL(bp_pass_forward)(const bp_net *net, bp_workspace *ws, size_t batch, const real *x)
{
    forward(net->layers[0], batch, x, ws->layers[0].e);
    return finish_forward(net, ws, batch);
}

void REAL(bp_pass_update_first)(bp_net *net, bp_workspace *ws, real alpha, const real *x)
{
    bp_layer *first = net->layers[0];
    update(first->n_outputs, first->n_inputs, 1, alpha, ws->layers[0].delta, x, first->weights, first->ld);
    update_bias(first->n_outputs, 1, alpha, ws->layers[0].delta, first->bias);
}

void REAL(bp_pass_update_forward)(bp_net *net, bp_workspace *ws, real alpha, const real *x, const real *next)
{
    bp_layer *first = net->layers[0];
    const real *g = ws->layers[0].delta;
    update_bias(first->n_outputs, 1, alpha, g, first->bias);
    REAL(bp_kernel)
    ()->ger_gemv(first->n_outputs, first->n_inputs, alpha, g, x, first->weights, first->ld, next, first->bias, ws->layers[0].e);
    finish_forward(net, ws, 1);
}

bp_status REAL(bp_pass_loss)(const char *function, const bp_net *net, bp_workspace *ws, bp_loss loss, size_t batch, const real *target,
                             real *mean_loss, bool *is_local)
{
    const bp_layer_pass *output = &ws->layers[net->n_layers - 1];
    size_t n = net->layers[net->n_layers - 1]->n_outputs;
    real mean = (real)REAL(bp_loss_mean)(loss, batch, n, output->e, output->y, target);
    if (!isfinite(mean)) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: the loss is %g", function, (double)mean);
    }
    bool fused = net->rule == BP_RULE_GRADIENT && bp_loss_is_fused(loss);
    REAL(bp_loss_error_signal)(loss, fused, batch, n, output->e, output->y, target, output->delta);
    if (REAL(bp_first_nonfinite)(batch * n, output->delta) < batch * n) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: the loss is %g, but its derivative is beyond the range of %s", function, (double)mean,
                       bp_dtype_name(REAL_DTYPE));
    }
    *mean_loss = mean;
    *is_local = fused;
    return BP_OK;
}

void REAL(bp_pass_backward)(const bp_net *net, bp_workspace *ws, size_t batch, const real *x, bool is_local, REAL(bp_pass_sink) sink,
                            real *delta_input)
{
    real *gradient = sink.gradient ? sink.gradient + net->parameter_count : NULL;
    if (gradient) {
        memset(sink.gradient, 0, net->parameter_count * sizeof *gradient);
    }
    for (size_t l = net->n_layers; l-- > 0;) {
        const bp_layer *layer = net->layers[l];
        const bp_layer_pass *pass = &ws->layers[l];
        size_t n_out = layer->n_outputs, n_in = layer->n_inputs;
        const real *x_l = l ? ws->layers[l - 1].y : x;
        real *delta_prev = l ? ws->layers[l - 1].delta : delta_input;
        real *g = pass->delta;

        if (net->rule == BP_RULE_ERROR_SIGNAL && delta_prev) {
            backward(layer, batch, pass->delta, delta_prev);
        }
        if (!is_local) {
            REAL(bp_kernel)()->local_gradient(layer->activation, batch, n_out, pass->e, pass->y, pass->delta, g);
        }
        bool to_weights = sink.net && !(l == 0 && sink.first_left);
        bool one_sweep = to_weights && batch == 1 && net->rule == BP_RULE_GRADIENT && delta_prev;
        if (one_sweep) {
            /* δ_prev = Wᵀ g and W += alpha g xᵀ */
            REAL(bp_kernel)()->gemv_t_ger(n_out, n_in, sink.alpha, g, x_l, sink.net->layers[l]->weights, layer->ld, delta_prev);
        } else if (net->rule == BP_RULE_GRADIENT && delta_prev) {
            backward(layer, batch, g, delta_prev);
        }
        if (gradient) {
            gradient -= bp_layer_parameter_count(layer);
            update(n_out, n_in, batch, sink.alpha, g, x_l, gradient, n_in);
            update_bias(n_out, batch, sink.alpha, g, layer->has_bias ? gradient + n_out * n_in : NULL);
        }
        if (to_weights && !one_sweep) {
            update(n_out, n_in, batch, sink.alpha, g, x_l, sink.net->layers[l]->weights, layer->ld);
        }
        if (to_weights) {
            update_bias(n_out, batch, sink.alpha, g, sink.net->layers[l]->bias);
        }
        is_local = false;
    }
    if (delta_input && net->input_scale) {
        const real *scale = net->input_scale;
        for (size_t i = 0; i < batch * net->n_inputs; i++) {
            delta_input[i] *= scale[i % net->n_inputs];
        }
    }
}
