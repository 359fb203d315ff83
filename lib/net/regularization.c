/* What a net has for its training only: dropout, noise, layers that stay. */
#include "core/handle.h"
#include "core/status.h"
#include "net/net.h"

#include <float.h>

/* That there is an initialized net, and such a layer. */
static bp_status check_layer(const char *function, const bp_net *net, size_t index)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (!net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is not initialized; call bp_net_initialize first", function);
    }
    if (index >= net->n_layers) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: index is %zu; the net has %zu layers", function, index, net->n_layers);
    }
    return BP_OK;
}

bp_status bp_net_set_dropout(bp_net *net, size_t index, double probability)
{
    bp_status status = check_layer(__func__, net, index);
    if (status != BP_OK) {
        return status;
    }
    if (!(probability >= 0 && probability <= 0.99)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: probability is %g; it can be 0 to 0.99", __func__, probability);
    }
    if (index + 1 == net->n_layers && probability > 0) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: layer %zu is the last one, whose outputs are the net's; dropout is for those before it",
                       __func__, index);
    }
    net->layers[index]->dropout = probability;
    net->has_dropout = false;
    for (size_t l = 0; l < net->n_layers; l++) {
        net->has_dropout = net->has_dropout || net->layers[l]->dropout > 0;
    }
    return BP_OK;
}

bp_status bp_net_set_input_noise(bp_net *net, double deviation)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!(deviation >= 0 && deviation <= (double)FLT_MAX)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: deviation is %g; it can be 0 to %g", __func__, deviation, (double)FLT_MAX);
    }
    net->input_noise = deviation;
    return BP_OK;
}

bp_status bp_net_set_frozen(bp_net *net, size_t index, int frozen)
{
    bp_status status = check_layer(__func__, net, index);
    if (status != BP_OK) {
        return status;
    }
    if (frozen != 0 && frozen != 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: frozen is %d; it can be 0 or 1", __func__, frozen);
    }
    net->layers[index]->frozen = frozen;
    net->lowest_trained = 0;
    while (net->lowest_trained < net->n_layers && net->layers[net->lowest_trained]->frozen) {
        net->lowest_trained++;
    }
    net->has_frozen = false;
    for (size_t l = 0; l < net->n_layers; l++) {
        net->has_frozen = net->has_frozen || net->layers[l]->frozen;
    }
    return BP_OK;
}

double bp_net_dropout(const bp_net *net, size_t index)
{
    return bp_is(net, BP_HANDLE_NET) && index < net->n_layers ? net->layers[index]->dropout : 0;
}

double bp_net_input_noise(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->input_noise : 0;
}

int bp_net_is_frozen(const bp_net *net, size_t index)
{
    return bp_is(net, BP_HANDLE_NET) && index < net->n_layers && net->layers[index]->frozen;
}
