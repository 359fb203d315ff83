/* What settings each method has, their ranges, and their values unless set. */
#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "train/optimizer.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define BIT(setting) (1u << BP_OPTIMIZER_##setting)

enum {
    DECAY = BIT(WEIGHT_DECAY) | BIT(BIAS_DECAY),
    GRADIENT = BIT(LEARNING_RATE) | DECAY | BIT(L1_PENALTY) | BIT(CLIP_VALUE) | BIT(CLIP_NORM),
    ADAM = GRADIENT | BIT(BETA1) | BIT(BETA2) | BIT(EPSILON),
    IRPROP = GRADIENT | BIT(INCREASE_FACTOR) | BIT(DECREASE_FACTOR) | BIT(MINIMUM_STEP) | BIT(MAXIMUM_STEP),
};

/* Settings as bits, states, and what differs from the initial values below. */
static const struct {
    const char *name;
    unsigned settings;
    size_t n_states;
    double learning_rate, beta2, epsilon, weight_decay;
} methods[] = {
    [BP_METHOD_SGD] = {"sgd", GRADIENT, 0, 0.01, 0, 0, 0},
    [BP_METHOD_MOMENTUM] = {"momentum", GRADIENT | BIT(MOMENTUM), 1, 0.01, 0, 0, 0},
    [BP_METHOD_NESTEROV] = {"nesterov", GRADIENT | BIT(MOMENTUM), 1, 0.01, 0, 0, 0},
    [BP_METHOD_ADAGRAD] = {"adagrad", GRADIENT | BIT(EPSILON), 1, 0.01, 0, 1e-10, 0},
    [BP_METHOD_RMSPROP] = {"rmsprop", GRADIENT | BIT(BETA2) | BIT(EPSILON), 1, 0.01, 0.99, 1e-8, 0},
    [BP_METHOD_ADAM] = {"adam", ADAM, 2, 0.001, 0.999, 1e-8, 0},
    [BP_METHOD_ADAMW] = {"adamw", ADAM, 2, 0.001, 0.999, 1e-8, 0.01},
    [BP_METHOD_IRPROP_MINUS] = {"irprop_minus", IRPROP, 2, 0.01, 0, 0, 0},
    [BP_METHOD_LBFGS] = {"lbfgs", DECAY | BIT(ITERATIONS) | BIT(HISTORY), 1, 0, 0, 0, 0},
    [BP_METHOD_CUSTOM] = {"custom", GRADIENT, 0, 0.01, 0, 0, 0},
};

enum { METHOD_COUNT = sizeof methods / sizeof *methods };

static const char *const setting_names[BP_OPTIMIZER_SETTING_COUNT] = {
    [BP_OPTIMIZER_LEARNING_RATE] = "learning_rate",
    [BP_OPTIMIZER_MOMENTUM] = "momentum",
    [BP_OPTIMIZER_BETA1] = "beta1",
    [BP_OPTIMIZER_BETA2] = "beta2",
    [BP_OPTIMIZER_EPSILON] = "epsilon",
    [BP_OPTIMIZER_WEIGHT_DECAY] = "weight_decay",
    [BP_OPTIMIZER_L1_PENALTY] = "l1_penalty",
    [BP_OPTIMIZER_BIAS_DECAY] = "bias_decay",
    [BP_OPTIMIZER_CLIP_VALUE] = "clip_value",
    [BP_OPTIMIZER_CLIP_NORM] = "clip_norm",
    [BP_OPTIMIZER_INCREASE_FACTOR] = "increase_factor",
    [BP_OPTIMIZER_DECREASE_FACTOR] = "decrease_factor",
    [BP_OPTIMIZER_MINIMUM_STEP] = "minimum_step",
    [BP_OPTIMIZER_MAXIMUM_STEP] = "maximum_step",
    [BP_OPTIMIZER_ITERATIONS] = "iterations",
    [BP_OPTIMIZER_HISTORY] = "history",
};

typedef enum { ANY, BELOW_MAXIMUM, WHOLE } kind;

/* A setting's values go from minimum to maximum, to FLT_MAX in f32. */
static const struct {
    double initial, minimum, maximum;
    kind kind;
} ranges[BP_OPTIMIZER_SETTING_COUNT] = {
    [BP_OPTIMIZER_LEARNING_RATE] = {0, 0, DBL_MAX, ANY}, /* initially what the method says */
    [BP_OPTIMIZER_MOMENTUM] = {0.9, 0, 1, BELOW_MAXIMUM},
    [BP_OPTIMIZER_BETA1] = {0.9, 0, 1, BELOW_MAXIMUM},
    [BP_OPTIMIZER_BETA2] = {0, 0, 1, BELOW_MAXIMUM}, /* likewise */
    [BP_OPTIMIZER_EPSILON] = {0, 1e-30, 1, ANY},     /* likewise */
    [BP_OPTIMIZER_WEIGHT_DECAY] = {0, 0, DBL_MAX, ANY},
    [BP_OPTIMIZER_L1_PENALTY] = {0, 0, DBL_MAX, ANY},
    [BP_OPTIMIZER_BIAS_DECAY] = {1, 0, 1, WHOLE},
    [BP_OPTIMIZER_CLIP_VALUE] = {0, 0, DBL_MAX, ANY},
    [BP_OPTIMIZER_CLIP_NORM] = {0, 0, DBL_MAX, ANY},
    [BP_OPTIMIZER_INCREASE_FACTOR] = {1.2, 1, 100, ANY},
    [BP_OPTIMIZER_DECREASE_FACTOR] = {0.5, 0, 1, BELOW_MAXIMUM},
    [BP_OPTIMIZER_MINIMUM_STEP] = {1e-6, 1e-30, DBL_MAX, ANY},
    [BP_OPTIMIZER_MAXIMUM_STEP] = {50, 1e-30, DBL_MAX, ANY},
    [BP_OPTIMIZER_ITERATIONS] = {20, 1, 1e6, WHOLE},
    [BP_OPTIMIZER_HISTORY] = {100, 1, 1000, WHOLE},
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

size_t bp_method_state_count(bp_method method)
{
    return methods[method].n_states;
}

void bp_method_defaults(bp_method method, double settings[BP_OPTIMIZER_SETTING_COUNT])
{
    for (int i = 0; i < BP_OPTIMIZER_SETTING_COUNT; i++) {
        settings[i] = ranges[i].initial;
    }
    settings[BP_OPTIMIZER_LEARNING_RATE] = methods[method].learning_rate;
    settings[BP_OPTIMIZER_BETA2] = methods[method].beta2;
    settings[BP_OPTIMIZER_EPSILON] = methods[method].epsilon;
    settings[BP_OPTIMIZER_WEIGHT_DECAY] = methods[method].weight_decay;
}

void bp_optimizer_settle_kind(bp_optimizer *opt)
{
    const double *settings = opt->settings;
    bool clips = settings[BP_OPTIMIZER_CLIP_VALUE] > 0 || settings[BP_OPTIMIZER_CLIP_NORM] > 0;
    bool penalized = settings[BP_OPTIMIZER_WEIGHT_DECAY] > 0 || settings[BP_OPTIMIZER_L1_PENALTY] > 0;
    opt->plain = opt->method == BP_METHOD_SGD && !penalized && !clips && !opt->hook.complete;
    opt->whole = opt->method == BP_METHOD_CUSTOM || opt->method == BP_METHOD_LBFGS || clips || opt->hook.complete;
}

/* That there is such a setting, and that the method has it. */
static bp_status check_setting(const char *function, const bp_optimizer *opt, bp_optimizer_setting setting)
{
    if (!bp_is(opt, BP_HANDLE_OPTIMIZER)) {
        return bp_fail_handle(function, "opt", opt, BP_HANDLE_OPTIMIZER);
    }
    if (!bp_optimizer_setting_name(setting)) {
        return bp_fail_enum(function, "setting", (int)setting);
    }
    if (!(methods[opt->method].settings >> setting & 1)) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: %s has no %s", function, bp_method_name(opt->method), bp_optimizer_setting_name(setting));
    }
    return BP_OK;
}

static bp_status check_range(const char *function, const bp_optimizer *opt, bp_optimizer_setting setting, double value)
{
    double minimum = ranges[setting].minimum, maximum = ranges[setting].maximum;
    if (opt->dtype == BP_F32 && maximum > (double)FLT_MAX) {
        maximum = (double)FLT_MAX;
    }
    if (setting == BP_OPTIMIZER_MINIMUM_STEP) {
        maximum = opt->settings[BP_OPTIMIZER_MAXIMUM_STEP];
    } else if (setting == BP_OPTIMIZER_MAXIMUM_STEP) {
        minimum = opt->settings[BP_OPTIMIZER_MINIMUM_STEP];
    }
    kind kind = ranges[setting].kind;
    double rounded = opt->dtype == BP_F32 ? (double)(float)value : value;
    if (!(value >= minimum && value <= maximum) || (kind == BELOW_MAXIMUM && rounded >= maximum) ||
        (kind == WHOLE && floor(value) != value)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %g; it can be %g to %s%g%s", function, bp_optimizer_setting_name(setting), value,
                       minimum, kind == BELOW_MAXIMUM ? "below " : "", maximum, kind == WHOLE ? ", whole" : "");
    }
    return BP_OK;
}

bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value)
{
    bp_status status = check_setting(__func__, opt, setting);
    if (status == BP_OK) {
        status = check_range(__func__, opt, setting, value); /* before others, which depend on it */
    }
    if (status != BP_OK) {
        return status;
    }
    double changed[BP_OPTIMIZER_SETTING_COUNT];
    memcpy(changed, opt->settings, sizeof changed);
    changed[setting] = value;
    status = bp_optimizer_check_settings(__func__, opt, changed);
    if (status == BP_OK) {
        opt->settings[setting] = value;
        bp_optimizer_settle_kind(opt);
    }
    return status;
}

bp_status bp_optimizer_check_settings(const char *function, bp_optimizer *opt, const double *settings)
{
    bp_optimizer changed = *opt;
    memcpy(changed.settings, settings, sizeof changed.settings);
    for (int s = 0; s < BP_OPTIMIZER_SETTING_COUNT; s++) {
        bool has = methods[opt->method].settings >> s & 1;
        bp_status status = has ? check_range(function, &changed, (bp_optimizer_setting)s, settings[s]) : BP_OK;
        if (status != BP_OK) {
            return status;
        }
    }
    bp_optimizer_settle_kind(&changed);
    if (!opt->gradient && !changed.plain) {
        opt->gradient = bp_allocate(opt->storage, bp_dtype_size(opt->dtype));
        return opt->gradient ? BP_OK : bp_fail_memory(function);
    }
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
