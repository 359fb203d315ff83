/* The public calls that run and differentiate a net. */
#include "bp/net.h"

#include "core/status.h"
#include "net/check.h"
#include "net/pass.h"

#include <string.h>

bp_status REAL(bp_net_forward)(const bp_net *net, bp_workspace *ws, size_t batch, const real *x, real *y)
{
    bp_status status = bp_check_workspace(__func__, net, ws, REAL_DTYPE);
    if (status == BP_OK) {
        status = bp_check_batch(__func__, ws, batch);
    }
    if (status != BP_OK) {
        return status;
    }
    if (!x || !y) {
        return bp_fail_null(__func__, x ? "y" : "x");
    }
    /* backward needs x again, and the caller's may be gone by then */
    if (REAL(bp_pass_input)(net, batch, x, ws->input) == x) {
        memcpy(ws->input, x, batch * net->n_inputs * sizeof *x);
    }
    const real *output = REAL(bp_pass_forward)(net, ws, batch, ws->input);
    memcpy(y, output, batch * bp_net_output_count(net) * sizeof *y);
    ws->batch = batch;
    return BP_OK;
}

bp_status REAL(bp_net_backward)(const bp_net *net, bp_workspace *ws, const real *delta, real *gradient, real *delta_input)
{
    bp_status status = bp_check_workspace(__func__, net, ws, REAL_DTYPE);
    if (status != BP_OK) {
        return status;
    }
    if (!delta) {
        return bp_fail_null(__func__, "delta");
    }
    if (ws->batch == 0) {
        return bp_fail(BP_ERROR_STATE, "%s: no bp_net_forward came just before on this workspace", __func__);
    }
    const bp_layer *output = net->layers[net->n_layers - 1];
    status = bp_check_rule(__func__, net);
    if (status != BP_OK) {
        return status;
    }
    memcpy(ws->layers[net->n_layers - 1].delta, delta, ws->batch * output->n_outputs * sizeof *delta);
    REAL(bp_pass_sink) sink = {.alpha = -1, .gradient = gradient};
    REAL(bp_pass_backward)(net, ws, ws->batch, ws->input, false, sink, delta_input);
    return BP_OK;
}

bp_status REAL(bp_net_predict)(const bp_net *net, bp_workspace *ws, size_t n, const real *x, real *y)
{
    bp_status status = bp_check_workspace(__func__, net, ws, REAL_DTYPE);
    if (status != BP_OK) {
        return status;
    }
    if (!x || !y) {
        return bp_fail_null(__func__, x ? "y" : "x");
    }
    ws->batch = 0;
    size_t n_outputs = bp_net_output_count(net);
    while (n > 0) {
        size_t batch = n < ws->max_batch ? n : ws->max_batch;
        const real *output = REAL(bp_pass_forward)(net, ws, batch, REAL(bp_pass_input)(net, batch, x, ws->input));
        memcpy(y, output, batch * n_outputs * sizeof *y);
        x += batch * net->n_inputs;
        y += batch * n_outputs;
        n -= batch;
    }
    return BP_OK;
}

bp_status REAL(bp_net_gradient)(const bp_net *net, bp_workspace *ws, bp_loss loss, size_t batch, const real *x, const real *target,
                                real *gradient, real *mean_loss)
{
    bp_status status = bp_check_loss(__func__, net, ws, REAL_DTYPE, loss, batch, x, target);
    if (status != BP_OK) {
        return status;
    }
    ws->batch = 0;
    x = REAL(bp_pass_input)(net, batch, x, ws->input);
    REAL(bp_pass_forward)(net, ws, batch, x);
    real mean;
    bool is_local;
    status = REAL(bp_pass_loss)(__func__, net, ws, loss, batch, target, &mean, &is_local);
    if (status != BP_OK) {
        return status;
    }
    if (gradient) {
        REAL(bp_pass_sink) sink = {.alpha = -1 / (real)batch, .gradient = gradient};
        REAL(bp_pass_backward)(net, ws, batch, x, is_local, sink, NULL);
    }
    if (mean_loss) {
        *mean_loss = mean;
    }
    return BP_OK;
}
