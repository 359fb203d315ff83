#include "net/parameters.h"

#include "core/handle.h"
#include "core/status.h"
#include "net/check.h"
#include "net/packing.h"

#include <string.h>

void REAL(bp_layer_clear_padding)(bp_layer *layer)
{
    size_t padding = layer->ld - layer->n_inputs;
    for (real *end = (real *)layer->weights + layer->n_inputs; padding > 0 && end < (real *)layer->weights + layer->n_outputs * layer->ld;
         end += layer->ld) {
        memset(end, 0, padding * sizeof *end);
    }
}

void REAL(bp_layer_load_weights)(bp_layer *layer, const real *W)
{
    REAL(bp_layer_clear_padding)(layer);
    real *rows = layer->weights;
    for (size_t i = 0; i < layer->n_outputs; i++) {
        memcpy(rows + i * layer->ld, W + i * layer->n_inputs, layer->n_inputs * sizeof *W);
    }
}

void REAL(bp_layer_store_weights)(const bp_layer *layer, real *W)
{
    const real *rows = layer->weights;
    for (size_t i = 0; i < layer->n_outputs; i++) {
        memcpy(W + i * layer->n_inputs, rows + i * layer->ld, layer->n_inputs * sizeof *W);
    }
}

static bp_status check(const char *function, const bp_net *net, const real *theta)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (!theta) {
        return bp_fail_null(function, "theta");
    }
    return bp_check_net(function, net, REAL_DTYPE);
}

bp_status REAL(bp_net_get_parameters)(const bp_net *net, real *theta)
{
    bp_status status = check(__func__, net, theta);
    if (status != BP_OK) {
        return status;
    }
    bp_parameters_pack(net, net->parameters, theta);
    return BP_OK;
}

bp_status REAL(bp_net_set_parameters)(bp_net *net, const real *theta)
{
    bp_status status = check(__func__, net, theta);
    if (status != BP_OK) {
        return status;
    }
    size_t bad = REAL(bp_first_nonfinite)(net->parameter_count, theta);
    if (bad < net->parameter_count) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: theta[%zu] is %g; parameters are finite", __func__, bad, (double)theta[bad]);
    }
    bp_parameters_unpack(net, theta, net->parameters);
    return BP_OK;
}
