#include "net/check.h"

#include "core/handle.h"
#include "core/status.h"
#include "net/loss.h"

bp_status bp_check_net(const char *function, const bp_net *net, bp_dtype dtype)
{
    if (net->dtype != dtype) {
        return bp_fail_dtype(function, "net", net->dtype);
    }
    if (!net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is not initialized; call bp_net_initialize first", function);
    }
    return BP_OK;
}

bp_status bp_check_workspace(const char *function, const bp_net *net, const bp_workspace *ws, bp_dtype dtype)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (!bp_is(ws, BP_HANDLE_WORKSPACE)) {
        return bp_fail_handle(function, "ws", ws, BP_HANDLE_WORKSPACE);
    }
    bp_status status = bp_check_net(function, net, dtype);
    if (status == BP_OK && ws->identity != net->identity) {
        return bp_fail(BP_ERROR_STATE, "%s: the workspace was made for another net", function);
    }
    return status;
}

bp_status bp_check_batch(const char *function, const bp_workspace *ws, size_t batch)
{
    if (batch < 1 || batch > ws->max_batch) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: batch is %zu; the workspace takes 1 to %zu samples", function, batch, ws->max_batch);
    }
    return BP_OK;
}

/* The activation of the last layer. */
static bp_activation output_activation(const bp_net *net)
{
    return net->layers[net->n_layers - 1]->activation;
}

bp_status bp_check_rule(const char *function, const bp_net *net)
{
    if (net->rule == BP_RULE_ERROR_SIGNAL && output_activation(net) == BP_ACTIVATION_SOFTMAX) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: the error-signal rule needs an f' of one argument, which softmax has not", function);
    }
    return BP_OK;
}

bp_status bp_check_pair(const char *function, const bp_net *net, bp_loss loss)
{
    bp_activation output = output_activation(net);
    if (!bp_loss_name(loss)) {
        return bp_fail_enum(function, "loss", (int)loss);
    }
    if (loss == BP_LOSS_BINARY_CROSS_ENTROPY && output != BP_ACTIVATION_SIGMOID) {
        return bp_fail(BP_ERROR_UNSUPPORTED,
                       "%s: binary_cross_entropy needs outputs that are probabilities, each by itself: sigmoid, not %s", function,
                       bp_activation_name(output));
    }
    if (loss == BP_LOSS_CROSS_ENTROPY && output != BP_ACTIVATION_SOFTMAX) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: cross_entropy needs outputs that are a distribution: softmax, not %s", function,
                       bp_activation_name(output));
    }
    if (net->output_scaling.offset && bp_loss_is_fused(loss)) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: %s is of targets that are probabilities, but the net has output scaling", function,
                       bp_loss_name(loss));
    }
    return bp_check_rule(function, net);
}

bp_status bp_check_loss(const char *function, const bp_net *net, const bp_workspace *ws, bp_dtype dtype, bp_loss loss, size_t batch,
                        const void *x, const void *target)
{
    bp_status status = bp_check_workspace(function, net, ws, dtype);
    if (status == BP_OK) {
        status = bp_check_batch(function, ws, batch);
    }
    if (status == BP_OK && (!x || !target)) {
        status = bp_fail_null(function, x ? "target" : "x");
    }
    return status == BP_OK ? bp_check_pair(function, net, loss) : status;
}

bp_status bp_check_dropout(const char *function, const bp_net *net, const bp_workspace *ws)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        if (net->layers[l]->dropout > 0 && !(ws->dropouts && ws->dropouts[l].factors)) {
            return bp_fail(BP_ERROR_STATE, "%s: layer %zu was given dropout after the workspace was made; make a new workspace", function,
                           l);
        }
    }
    return BP_OK;
}
