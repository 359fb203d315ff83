#include "train/optimizer.h"

#include "core/memory.h"
#include "core/status.h"
#include "net/check.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>

/* What a method has: settings as bits, and states. */
static const struct {
    const char *name;
    unsigned settings;
    size_t n_states;
    double learning_rate; /* unless set */
} methods[] = {
    [BP_METHOD_SGD] = {"sgd", 1u << BP_OPTIMIZER_LEARNING_RATE, 0, 0.01},
    [BP_METHOD_MOMENTUM] = {"momentum", 1u << BP_OPTIMIZER_LEARNING_RATE | 1u << BP_OPTIMIZER_MOMENTUM, 1, 0.01},
    [BP_METHOD_ADAM] = {"adam",
                        1u << BP_OPTIMIZER_LEARNING_RATE | 1u << BP_OPTIMIZER_BETA1 | 1u << BP_OPTIMIZER_BETA2 | 1u << BP_OPTIMIZER_EPSILON,
                        2, 0.001},
};

enum { METHOD_COUNT = sizeof methods / sizeof *methods };

static const char *const setting_names[BP_OPTIMIZER_SETTING_COUNT] = {
    [BP_OPTIMIZER_LEARNING_RATE] = "learning_rate",
    [BP_OPTIMIZER_MOMENTUM] = "momentum",
    [BP_OPTIMIZER_BETA1] = "beta1",
    [BP_OPTIMIZER_BETA2] = "beta2",
    [BP_OPTIMIZER_EPSILON] = "epsilon",
};

/* A setting's values go from minimum to maximum; below 1 means that 1 is too much. */
static const struct {
    double initial, minimum, maximum;
    bool below_1;
} ranges[BP_OPTIMIZER_SETTING_COUNT] = {
    [BP_OPTIMIZER_LEARNING_RATE] = {0, 0, DBL_MAX, false}, /* initially what the method says; in f32 to FLT_MAX */
    [BP_OPTIMIZER_MOMENTUM] = {0.9, 0, 1, true},
    [BP_OPTIMIZER_BETA1] = {0.9, 0, 1, true},
    [BP_OPTIMIZER_BETA2] = {0.999, 0, 1, true},
    [BP_OPTIMIZER_EPSILON] = {1e-8, 1e-30, 1, false},
};

const char *bp_method_name(bp_method method)
{
    return (unsigned)method < METHOD_COUNT ? methods[method].name : NULL;
}

bp_status bp_method_from_name(const char *name, bp_method *method)
{
    const char *names[METHOD_COUNT];
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        names[i] = methods[i].name;
    }
    int value = bp_name_find(__func__, name, method, METHOD_COUNT, names);
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

static bool allocate_states(bp_optimizer *opt, const bp_net *net)
{
    size_t n = methods[opt->method].n_states, element = bp_dtype_size(net->dtype);
    for (size_t i = 0; i < n; i++) {
        opt->states[i] = bp_allocate(net->storage, element);
        if (!opt->states[i]) {
            return false;
        }
    }
    opt->gradient = n > 0 ? bp_allocate(net->storage, element) : NULL;
    return n == 0 || opt->gradient;
}

/* That there is such a setting, and that the method has it. */
static bp_status check_setting(const char *function, const bp_optimizer *opt, bp_optimizer_setting setting)
{
    if (!opt) {
        return bp_fail_null(function, "opt");
    }
    if (!bp_optimizer_setting_name(setting)) {
        return bp_fail_enum(function, "setting", (int)setting);
    }
    if (!(methods[opt->method].settings >> setting & 1)) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: %s has no %s", function, bp_method_name(opt->method), bp_optimizer_setting_name(setting));
    }
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
        made->settings[i] = ranges[i].initial;
    }
    made->settings[BP_OPTIMIZER_LEARNING_RATE] = methods[method].learning_rate;
    if (!allocate_states(made, net)) {
        bp_optimizer_destroy(made);
        return bp_fail_memory(__func__);
    }
    *opt = made;
    return BP_OK;
}

void bp_optimizer_destroy(bp_optimizer *opt)
{
    if (opt) {
        for (size_t i = 0; i < BP_MAX_STATES; i++) {
            free(opt->states[i]);
        }
        free(opt->gradient);
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
    bp_status status = check_setting(__func__, opt, setting);
    if (status != BP_OK) {
        return status;
    }
    double minimum = ranges[setting].minimum, maximum = ranges[setting].maximum;
    if (opt->dtype == BP_F32 && maximum > (double)FLT_MAX) {
        maximum = (double)FLT_MAX;
    }
    bool below_1 = ranges[setting].below_1;
    double rounded = opt->dtype == BP_F32 ? (double)(float)value : value;
    if (!(value >= minimum && value <= maximum) || (below_1 && rounded >= 1)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %g; it can be %g to %s%g", __func__, bp_optimizer_setting_name(setting), value,
                       minimum, below_1 ? "below " : "", maximum);
    }
    opt->settings[setting] = value;
    return BP_OK;
}

bp_status bp_optimizer_get(const bp_optimizer *opt, bp_optimizer_setting setting, double *value)
{
    bp_status status = check_setting(__func__, opt, setting);
    if (status != BP_OK) {
        return status;
    }
    if (!value) {
        return bp_fail_null(__func__, "value");
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
