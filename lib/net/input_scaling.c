#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"
#include "net/net.h"
#include "net/parameters.h"

#include <stdlib.h>
#include <string.h>

static bp_status check(const char *function, const bp_net *net)
{
    if (!net) {
        return bp_fail_null(function, "net");
    }
    if (net->dtype != REAL_DTYPE) {
        return bp_fail_dtype(function, "net", net->dtype);
    }
    return BP_OK;
}

static bp_status check_finite(const char *function, const char *name, size_t n, const real *numbers)
{
    size_t bad = REAL(bp_first_nonfinite)(n, numbers);
    if (bad < n) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: %s[%zu] is %g; it is to be finite", function, name, bad, (double)numbers[bad]);
    }
    return BP_OK;
}

static void replace(bp_net *net, void *offset, void *scale)
{
    free(net->input_offset);
    free(net->input_scale);
    net->input_offset = offset;
    net->input_scale = scale;
}

bp_status REAL(bp_net_set_input_scaling)(bp_net *net, const real *offset, const real *scale)
{
    bp_status status = check(__func__, net);
    if (status != BP_OK) {
        return status;
    }
    if (!offset && !scale) {
        replace(net, NULL, NULL);
        return BP_OK;
    }
    if (!offset || !scale) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is NULL; both are given, or neither", __func__, offset ? "scale" : "offset");
    }
    if ((status = check_finite(__func__, "offset", net->n_inputs, offset)) != BP_OK ||
        (status = check_finite(__func__, "scale", net->n_inputs, scale)) != BP_OK) {
        return status;
    }
    void *new_offset = bp_allocate(net->n_inputs, sizeof *offset);
    void *new_scale = bp_allocate(net->n_inputs, sizeof *scale);
    if (!new_offset || !new_scale) {
        free(new_offset);
        free(new_scale);
        return bp_fail_memory(__func__);
    }
    memcpy(new_offset, offset, net->n_inputs * sizeof *offset);
    memcpy(new_scale, scale, net->n_inputs * sizeof *scale);
    replace(net, new_offset, new_scale);
    return BP_OK;
}

bp_status REAL(bp_net_get_input_scaling)(const bp_net *net, real *offset, real *scale)
{
    bp_status status = check(__func__, net);
    if (status != BP_OK) {
        return status;
    }
    if (!offset || !scale) {
        return bp_fail_null(__func__, offset ? "scale" : "offset");
    }
    for (size_t i = 0; i < net->n_inputs; i++) {
        offset[i] = net->input_offset ? ((const real *)net->input_offset)[i] : 0;
        scale[i] = net->input_scale ? ((const real *)net->input_scale)[i] : 1;
    }
    return BP_OK;
}
