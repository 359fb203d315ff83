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

/* What a step multiplies the sum of g xᵀ with: stochastic gradient descent needs no gradient vector, W += η/batch Σ g xᵀ. */
static real step_size(const bp_optimizer *opt, size_t batch)
{
    return (real)opt->settings[BP_OPTIMIZER_LEARNING_RATE] / (real)batch;
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
    bool is_local;
    x = REAL(bp_pass_input)(net, batch, x, ws->input);
    REAL(bp_pass_forward)(net, ws, batch, x);
    status = REAL(bp_pass_loss)(__func__, net, ws, loss, batch, target, &mean, &is_local);
    if (status != BP_OK) {
        return status;
    }
    REAL(bp_pass_sink) sink = {.alpha = step_size(opt, batch), .net = net};
    REAL(bp_pass_backward)(net, ws, batch, x, is_local, sink, NULL);
    if (mean_loss) {
        *mean_loss = mean;
    }
    return BP_OK;
}

/* Each sample's update of the first layer waits for the next sample, to share a sweep over the weights with its forward pass. */
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
    size_t n_inputs = net->n_inputs, n_outputs = bp_net_output_count(net);
    real *inputs[2] = {ws->input, (real *)ws->input + n_inputs}; /* of this sample and the one before, if they are scaled */
    REAL(bp_pass_sink) sink = {.alpha = step_size(opt, 1), .net = net, .first_left = true};
    const real *before = NULL;
    double sum = 0;
    for (size_t s = 0; s < n; s++) {
        const real *sample = REAL(bp_pass_input)(net, 1, x + s * n_inputs, inputs[s % 2]);
        if (s == 0) {
            REAL(bp_pass_forward)(net, ws, 1, sample);
        } else {
            REAL(bp_pass_update_forward)(net, ws, sink.alpha, before, sample);
        }
        real loss_of_sample;
        bool is_local;
        status = REAL(bp_pass_loss)(__func__, net, ws, loss, 1, target + s * n_outputs, &loss_of_sample, &is_local);
        if (status != BP_OK) {
            return bp_fail(status, "%s: at sample %zu of %zu the loss or its derivative is NaN or infinite", __func__, s, n);
        }
        REAL(bp_pass_backward)(net, ws, 1, sample, is_local, sink, NULL);
        sum += (double)loss_of_sample;
        before = sample;
    }
    REAL(bp_pass_update_first)(net, ws, sink.alpha, before);
    if (mean_loss) {
        *mean_loss = (real)(sum / (double)n);
    }
    return BP_OK;
}
