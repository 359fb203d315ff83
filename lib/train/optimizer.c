#include "train/optimizer.h"

#include "core/status.h"
#include "net/check.h"

#include <float.h>
#include <stdlib.h>

static const char *const method_names[] = {"sgd"};

static const char *const setting_names[BP_OPTIMIZER_SETTING_COUNT] = {"learning_rate"};

static const double setting_defaults[BP_OPTIMIZER_SETTING_COUNT] = {0.01};

enum { METHOD_COUNT = sizeof method_names / sizeof *method_names };

const char *bp_method_name(bp_method method)
{
    return (unsigned)method < METHOD_COUNT ? method_names[method] : NULL;
}

bp_status bp_method_from_name(const char *name, bp_method *method)
{
    int value = bp_name_find(__func__, name, method, METHOD_COUNT, method_names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *method = (bp_method)value;
    return BP_OK;
}

const char *bp_optimizer_setting_name(bp_optimizer_setting setting)
{
    return (unsigned)setting < BP_OPTIMIZER_SETTING_COUNT ? setting_names[setting] : NULL;
}

bp_status bp_optimizer_setting_from_name(const char *name, bp_optimizer_setting *setting)
{
    int value = bp_name_find(__func__, name, setting, BP_OPTIMIZER_SETTING_COUNT, setting_names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *setting = (bp_optimizer_setting)value;
    return BP_OK;
}

bp_status bp_optimizer_create(bp_optimizer **opt, bp_method method, const bp_net *net)
{
    if (!opt || !net) {
        return bp_fail_null(__func__, opt ? "net" : "opt");
    }
    if (!bp_method_name(method)) {
        return bp_fail_enum(__func__, "method", (int)method);
    }
    bp_status status = bp_check_net(__func__, net, net->dtype);
    if (status != BP_OK) {
        return status;
    }
    bp_optimizer *made = malloc(sizeof *made);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    *made = (bp_optimizer){.method = method, .dtype = net->dtype, .identity = bp_identity_hold(net->identity)};
    for (int i = 0; i < BP_OPTIMIZER_SETTING_COUNT; i++) {
        made->settings[i] = setting_defaults[i];
    }
    *opt = made;
    return BP_OK;
}

void bp_optimizer_destroy(bp_optimizer *opt)
{
    if (opt) {
        bp_identity_release(opt->identity);
        free(opt);
    }
}

bp_method bp_optimizer_method(const bp_optimizer *opt)
{
    return opt ? opt->method : BP_METHOD_SGD;
}

bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value)
{
    if (!opt) {
        return bp_fail_null(__func__, "opt");
    }
    if (!bp_optimizer_setting_name(setting)) {
        return bp_fail_enum(__func__, "setting", (int)setting);
    }
    double limit = opt->dtype == BP_F32 ? (double)FLT_MAX : DBL_MAX;
    if (!(value >= 0 && value <= limit)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %g; it can be 0 to %g", __func__, bp_optimizer_setting_name(setting), value, limit);
    }
    opt->settings[setting] = value;
    return BP_OK;
}

bp_status bp_optimizer_get(const bp_optimizer *opt, bp_optimizer_setting setting, double *value)
{
    if (!opt || !value) {
        return bp_fail_null(__func__, opt ? "value" : "opt");
    }
    if (!bp_optimizer_setting_name(setting)) {
        return bp_fail_enum(__func__, "setting", (int)setting);
    }
    *value = opt->settings[setting];
    return BP_OK;
}

bp_status bp_check_optimizer(const char *function, const bp_optimizer *opt, const bp_net *net)
{
    if (!opt) {
        return bp_fail_null(function, "opt");
    }
    if (opt->identity != net->identity) {
        return bp_fail(BP_ERROR_STATE, "%s: the optimizer was made for another net", function);
    }
    return BP_OK;
}
