/* Learning: forward pass, loss, and a backward pass that goes straight into the weights. */
#include "bp/train.h"

#include "core/real.h"
#include "core/status.h"
#include "net/check.h"
#include "net/pass.h"
#include "train/optimizer.h"

static bp_status check(const char *function, const bp_net *net, const bp_workspace *ws, const bp_optimizer *opt, bp_loss loss, size_t batch,
                       const real *x, const real *target)
{
    bp_status status = bp_check_loss(function, net, ws, REAL_DTYPE, loss, batch, x, target);
    return status == BP_OK ? bp_check_optimizer(function, opt, net) : status;
}

/* One step, checked by the caller. Stochastic gradient descent needs no gradient vector: W += η/batch Σ g xᵀ. */
static bp_status step(const char *function, bp_net *net, bp_workspace *ws, const bp_optimizer *opt, bp_loss loss, size_t batch,
                      const real *x, const real *target, real *mean_loss)
{
    bool is_local;
    x = REAL(bp_pass_input)(net, ws, batch, x);
    REAL(bp_pass_forward)(net, ws, batch, x);
    bp_status status = REAL(bp_pass_loss)(function, net, ws, loss, batch, target, mean_loss, &is_local);
    if (status != BP_OK) {
        return status;
    }
    real learning_rate = (real)opt->settings[BP_OPTIMIZER_LEARNING_RATE];
    REAL(bp_pass_sink) sink = {.alpha = learning_rate / (real)batch, .net = net};
    REAL(bp_pass_backward)(net, ws, batch, x, is_local, sink, NULL);
    return BP_OK;
}

bp_status REAL(bp_net_train_step)(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t batch, const real *x,
                                  const real *target, real *mean_loss)
{
    bp_status status = check(__func__, net, ws, opt, loss, batch, x, target);
    if (status != BP_OK) {
        return status;
    }
    ws->batch = 0;
    real mean;
    status = step(__func__, net, ws, opt, loss, batch, x, target, &mean);
    if (status == BP_OK && mean_loss) {
        *mean_loss = mean;
    }
    return status;
}

bp_status REAL(bp_net_train_online)(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t n, const real *x,
                                    const real *target, real *mean_loss)
{
    bp_status status = check(__func__, net, ws, opt, loss, 1, x, target);
    if (status != BP_OK) {
        return status;
    }
    if (n < 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n is 0; it can be 1 or more", __func__);
    }
    ws->batch = 0;
    size_t n_outputs = bp_net_output_count(net);
    double sum = 0;
    for (size_t s = 0; s < n; s++) {
        real loss_of_sample;
        status = step(__func__, net, ws, opt, loss, 1, x + s * net->n_inputs, target + s * n_outputs, &loss_of_sample);
        if (status != BP_OK) {
            return bp_fail(status, "%s: at sample %zu of %zu the loss or its derivative is NaN or infinite", __func__, s, n);
        }
        sum += (double)loss_of_sample;
    }
    if (mean_loss) {
        *mean_loss = (real)(sum / (double)n);
    }
    return BP_OK;
}
