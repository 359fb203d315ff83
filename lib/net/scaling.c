/* The affine maps in front of a net's first layer and behind its last. */
#include "core/handle.h"
#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"
#include "net/net.h"
#include "net/parameters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bp_status check(const char *function, const bp_net *net)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
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

size_t REAL(bp_first_not_invertible)(size_t n, const real *scale)
{
    size_t i = 0;
    while (i < n && isfinite(1 / scale[i])) {
        i++;
    }
    return i;
}

/* In the place of a scaling comes a copy of this one of n elements, or none. */
static bp_status set(const char *function, bp_net_scaling *scaling, size_t n, const real *offset, const real *scale)
{
    if (!offset && !scale) {
        bp_net_scaling_release(scaling);
        return BP_OK;
    }
    if (!offset || !scale) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is NULL; both are given, or neither", function, offset ? "scale" : "offset");
    }
    bp_status status = check_finite(function, "offset", n, offset);
    if (status == BP_OK) {
        status = check_finite(function, "scale", n, scale);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_net_scaling made;
    if (!bp_net_scaling_allocate(&made, n, REAL_DTYPE)) {
        return bp_fail_memory(function);
    }
    memcpy(made.offset, offset, n * sizeof *offset);
    memcpy(made.scale, scale, n * sizeof *scale);
    bp_net_scaling_release(scaling);
    *scaling = made;
    return BP_OK;
}

static bp_status get(const char *function, const bp_net_scaling *scaling, size_t n, real *offset, real *scale)
{
    if (!offset || !scale) {
        return bp_fail_null(function, offset ? "scale" : "offset");
    }
    for (size_t i = 0; i < n; i++) {
        offset[i] = scaling->offset ? ((const real *)scaling->offset)[i] : 0;
        scale[i] = scaling->scale ? ((const real *)scaling->scale)[i] : 1;
    }
    return BP_OK;
}

bp_status REAL(bp_net_set_input_scaling)(bp_net *net, const real *offset, const real *scale)
{
    bp_status status = check(__func__, net);
    return status == BP_OK ? set(__func__, &net->input_scaling, net->n_inputs, offset, scale) : status;
}

bp_status REAL(bp_net_get_input_scaling)(const bp_net *net, real *offset, real *scale)
{
    bp_status status = check(__func__, net);
    return status == BP_OK ? get(__func__, &net->input_scaling, net->n_inputs, offset, scale) : status;
}

bp_status REAL(bp_net_set_output_scaling)(bp_net *net, const real *offset, const real *scale)
{
    bp_status status = check(__func__, net);
    if (status == BP_OK && !net->parameters) {
        status = bp_fail(BP_ERROR_STATE, "%s: the net is not initialized, its outputs are not yet known; call bp_net_initialize first",
                         __func__);
    }
    size_t n = bp_net_output_count(net), bad = status == BP_OK && offset && scale ? REAL(bp_first_not_invertible)(n, scale) : n;
    if (bad < n) {
        status = bp_fail(BP_ERROR_ARGUMENT, "%s: scale[%zu] is %g; outputs are divided by it, and 1 / scale is to be finite", __func__, bad,
                         (double)scale[bad]);
    }
    return status == BP_OK ? set(__func__, &net->output_scaling, n, offset, scale) : status;
}

bp_status REAL(bp_net_get_output_scaling)(const bp_net *net, real *offset, real *scale)
{
    bp_status status = check(__func__, net);
    return status == BP_OK ? get(__func__, &net->output_scaling, bp_net_output_count(net), offset, scale) : status;
}

void REAL(bp_net_scale_targets)(const bp_net *net, size_t rows, real *target)
{
    size_t n = bp_net_output_count(net);
    const real *offset = net->output_scaling.offset, *scale = net->output_scaling.scale;
    for (size_t s = 0; scale && s < rows; s++, target += n) {
        for (size_t i = 0; i < n; i++) {
            target[i] = (target[i] - offset[i]) * scale[i];
        }
    }
}

void REAL(bp_net_unscale_outputs)(const bp_net *net, size_t rows, real *y)
{
    size_t n = bp_net_output_count(net);
    const real *offset = net->output_scaling.offset, *scale = net->output_scaling.scale;
    for (size_t s = 0; scale && s < rows; s++, y += n) {
        for (size_t i = 0; i < n; i++) {
            y[i] = y[i] / scale[i] + offset[i];
        }
    }
}

void REAL(bp_net_unscale_delta)(const bp_net *net, size_t rows, real *delta)
{
    size_t n = bp_net_output_count(net);
    const real *scale = net->output_scaling.scale;
    for (size_t s = 0; scale && s < rows; s++, delta += n) {
        for (size_t i = 0; i < n; i++) {
            delta[i] /= scale[i];
        }
    }
}
