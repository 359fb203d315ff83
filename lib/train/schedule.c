#include "train/schedule.h"

#include "core/handle.h"
#include "core/status.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* What a kind has: settings as bits, and what two of them are unless set. */
static const struct {
    const char *name;
    unsigned settings;
    double factor, period;
} kinds[] = {
    [BP_SCHEDULE_CONSTANT] = {"constant", 1u << BP_SCHEDULE_WARM_UP | 1u << BP_SCHEDULE_DIVISOR, 0, 0},
    [BP_SCHEDULE_STEP] = {"step",
                          1u << BP_SCHEDULE_FACTOR | 1u << BP_SCHEDULE_PERIOD | 1u << BP_SCHEDULE_WARM_UP | 1u << BP_SCHEDULE_DIVISOR, 0.1,
                          30},
    [BP_SCHEDULE_EXPONENTIAL] = {"exponential", 1u << BP_SCHEDULE_FACTOR | 1u << BP_SCHEDULE_WARM_UP | 1u << BP_SCHEDULE_DIVISOR, 0.95, 0},
    [BP_SCHEDULE_COSINE] = {"cosine",
                            1u << BP_SCHEDULE_PERIOD | 1u << BP_SCHEDULE_WARM_UP | 1u << BP_SCHEDULE_DIVISOR |
                                1u << BP_SCHEDULE_PERIOD_FACTOR | 1u << BP_SCHEDULE_MINIMUM,
                            0, 10},
    [BP_SCHEDULE_ONE_CYCLE] = {"one_cycle",
                               1u << BP_SCHEDULE_PERIOD | 1u << BP_SCHEDULE_DIVISOR | 1u << BP_SCHEDULE_FINAL_DIVISOR |
                                   1u << BP_SCHEDULE_RISE,
                               0, 10},
    [BP_SCHEDULE_PLATEAU] = {"plateau",
                             1u << BP_SCHEDULE_FACTOR | 1u << BP_SCHEDULE_MINIMUM | 1u << BP_SCHEDULE_PATIENCE |
                                 1u << BP_SCHEDULE_THRESHOLD | 1u << BP_SCHEDULE_COOLDOWN,
                             0.1, 0},
};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static const struct {
    const char *name;
    double initial, minimum, maximum;
    bool whole;
} ranges[BP_SCHEDULE_SETTING_COUNT] = {
    [BP_SCHEDULE_FACTOR] = {"factor", 0, 0, 1, false}, /* initially, as the period, what the kind says */
    [BP_SCHEDULE_PERIOD] = {"period", 0, 1e-6, 1e9, false},
    [BP_SCHEDULE_WARM_UP] = {"warm_up", 0, 0, 1e9, false},
    [BP_SCHEDULE_PERIOD_FACTOR] = {"period_factor", 1, 1, 1000, true},
    [BP_SCHEDULE_MINIMUM] = {"minimum", 0, 0, DBL_MAX, false},
    [BP_SCHEDULE_PATIENCE] = {"patience", 10, 0, 1e9, true},
    [BP_SCHEDULE_THRESHOLD] = {"threshold", 1e-4, 0, 0.99, false},
    [BP_SCHEDULE_DIVISOR] = {"divisor", 25, 1, 1e12, false},
    [BP_SCHEDULE_FINAL_DIVISOR] = {"final_divisor", 1e4, 1, 1e12, false},
    [BP_SCHEDULE_RISE] = {"rise", 0.3, 0, 1, false},
    [BP_SCHEDULE_COOLDOWN] = {"cooldown", 0, 0, 1e9, true},
};

const char *bp_schedule_kind_name(bp_schedule_kind kind)
{
    return (unsigned)kind < KIND_COUNT ? kinds[kind].name : NULL;
}

bp_status bp_schedule_kind_from_name(const char *name, bp_schedule_kind *kind)
{
    const char *names[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        names[i] = kinds[i].name;
    }
    int value = bp_name_find(__func__, name, kind, KIND_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *kind = (bp_schedule_kind)value;
    return BP_OK;
}

const char *bp_schedule_setting_name(bp_schedule_setting setting)
{
    return (unsigned)setting < BP_SCHEDULE_SETTING_COUNT ? ranges[setting].name : NULL;
}

bp_status bp_schedule_setting_from_name(const char *name, bp_schedule_setting *setting)
{
    const char *names[BP_SCHEDULE_SETTING_COUNT];
    for (size_t i = 0; i < BP_SCHEDULE_SETTING_COUNT; i++) {
        names[i] = ranges[i].name;
    }
    int value = bp_name_find(__func__, name, setting, BP_SCHEDULE_SETTING_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *setting = (bp_schedule_setting)value;
    return BP_OK;
}

static double initial_value(bp_schedule_kind kind, int setting)
{
    return setting == BP_SCHEDULE_FACTOR   ? kinds[kind].factor
           : setting == BP_SCHEDULE_PERIOD ? kinds[kind].period
                                           : ranges[setting].initial;
}

bp_status bp_schedule_create(bp_schedule **schedule, bp_schedule_kind kind)
{
    if (!schedule) {
        return bp_fail_null(__func__, "schedule");
    }
    if (!bp_schedule_kind_name(kind)) {
        return bp_fail_enum(__func__, "kind", (int)kind);
    }
    bp_schedule *made = malloc(sizeof *made);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    *made = (bp_schedule){.handle = BP_HANDLE_SCHEDULE, .kind = kind, .state = {[BP_SCHEDULE_BEST] = DBL_MAX}};
    for (int i = 0; i < BP_SCHEDULE_SETTING_COUNT; i++) {
        made->settings[i] = initial_value(kind, i);
    }
    *schedule = made;
    return BP_OK;
}

void bp_schedule_destroy(bp_schedule *schedule)
{
    if (bp_is(schedule, BP_HANDLE_SCHEDULE)) {
        bp_end_handle(schedule);
        free(schedule);
    }
}

bp_schedule_kind bp_schedule_get_kind(const bp_schedule *schedule)
{
    return bp_is(schedule, BP_HANDLE_SCHEDULE) ? schedule->kind : BP_SCHEDULE_CONSTANT;
}

/* That there is such a setting, and that the kind has it. */
static bp_status check_setting(const char *function, const bp_schedule *schedule, bp_schedule_setting setting)
{
    if (!bp_is(schedule, BP_HANDLE_SCHEDULE)) {
        return bp_fail_handle(function, "schedule", schedule, BP_HANDLE_SCHEDULE);
    }
    if (!bp_schedule_setting_name(setting)) {
        return bp_fail_enum(function, "setting", (int)setting);
    }
    if (!(kinds[schedule->kind].settings >> setting & 1)) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: a schedule \"%s\" has no %s", function, bp_schedule_kind_name(schedule->kind),
                       bp_schedule_setting_name(setting));
    }
    return BP_OK;
}

bp_status bp_schedule_set(bp_schedule *schedule, bp_schedule_setting setting, double value)
{
    bp_status status = check_setting(__func__, schedule, setting);
    if (status != BP_OK) {
        return status;
    }
    double minimum = ranges[setting].minimum, maximum = ranges[setting].maximum;
    bool whole = ranges[setting].whole;
    if (!(value >= minimum && value <= maximum) || (whole && value != floor(value))) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %g; it can be %s%g to %g", __func__, ranges[setting].name, value,
                       whole ? "a whole number from " : "", minimum, maximum);
    }
    schedule->settings[setting] = value;
    return BP_OK;
}

bp_status bp_schedule_get(const bp_schedule *schedule, bp_schedule_setting setting, double *value)
{
    bp_status status = check_setting(__func__, schedule, setting);
    if (status != BP_OK) {
        return status;
    }
    if (!value) {
        return bp_fail_null(__func__, "value");
    }
    *value = schedule->settings[setting];
    return BP_OK;
}

bool bp_schedule_is_valid(const bp_schedule *schedule)
{
    bp_schedule copy = *schedule;
    bool valid = true;
    for (int s = 0; s < BP_SCHEDULE_SETTING_COUNT; s++) {
        bool has = kinds[schedule->kind].settings >> s & 1;
        double value = schedule->settings[s];
        valid = valid && (has ? bp_schedule_set(&copy, (bp_schedule_setting)s, value) == BP_OK : value == initial_value(copy.kind, s));
    }
    for (int i = BP_SCHEDULE_BAD_EPOCHS; i < BP_SCHEDULE_STATE_COUNT; i++) {
        double count = schedule->state[i];
        valid = valid && count >= 0 && count <= DBL_MAX && count == floor(count);
    }
    return valid && !isnan(schedule->state[BP_SCHEDULE_BEST]);
}

/* From first, at part 0, to last, at part 1, along half a cosine. */
static double anneal(double first, double last, double part)
{
    const double pi = 3.14159265358979323846;
    return last + (first - last) * ((1 + cos(pi * part)) / 2); /* a share: no rate is too large for it */
}

static double cosine(const double *settings, double base, double epoch)
{
    double period = settings[BP_SCHEDULE_PERIOD], factor = settings[BP_SCHEDULE_PERIOD_FACTOR];
    if (factor == 1) {
        epoch = fmod(epoch, period);
    }
    while (epoch >= period) {
        epoch -= period;
        period *= factor;
    }
    return anneal(base, fmin(base, settings[BP_SCHEDULE_MINIMUM]), epoch / period);
}

static double one_cycle(const double *settings, double base, double epoch)
{
    double period = settings[BP_SCHEDULE_PERIOD], top = settings[BP_SCHEDULE_RISE] * period;
    double first = base / settings[BP_SCHEDULE_DIVISOR], last = first / settings[BP_SCHEDULE_FINAL_DIVISOR];
    if (epoch < top) {
        return anneal(first, base, epoch / top);
    }
    return epoch < period ? anneal(base, last, (epoch - top) / (period - top)) : last;
}

static double plateau(const bp_schedule *schedule, double base)
{
    double rate = base * pow(schedule->settings[BP_SCHEDULE_FACTOR], schedule->state[BP_SCHEDULE_REDUCTIONS]);
    return fmax(rate, fmin(base, schedule->settings[BP_SCHEDULE_MINIMUM]));
}

/* At an epoch counted from the end of the warm-up. */
static double rate_at(const bp_schedule *schedule, double base, double epoch)
{
    const double *settings = schedule->settings;
    switch (schedule->kind) {
    case BP_SCHEDULE_STEP:
        return base * pow(settings[BP_SCHEDULE_FACTOR], floor(floor(epoch) / settings[BP_SCHEDULE_PERIOD]));
    case BP_SCHEDULE_EXPONENTIAL:
        return base * pow(settings[BP_SCHEDULE_FACTOR], floor(epoch));
    case BP_SCHEDULE_COSINE:
        return cosine(settings, base, epoch);
    case BP_SCHEDULE_ONE_CYCLE:
        return one_cycle(settings, base, epoch);
    case BP_SCHEDULE_PLATEAU:
        return plateau(schedule, base);
    default:
        return base;
    }
}

bp_status bp_schedule_learning_rate(const bp_schedule *schedule, double base_rate, double epoch, double *rate)
{
    if (!bp_is(schedule, BP_HANDLE_SCHEDULE)) {
        return bp_fail_handle(__func__, "schedule", schedule, BP_HANDLE_SCHEDULE);
    }
    if (!rate) {
        return bp_fail_null(__func__, "rate");
    }
    if (!(base_rate >= 0 && base_rate <= DBL_MAX)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: base_rate is %g; it can be 0 or more and finite", __func__, base_rate);
    }
    if (!(epoch >= 0 && epoch <= DBL_MAX)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: epoch is %g; it can be 0 or more and finite", __func__, epoch);
    }
    double warm_up = schedule->settings[BP_SCHEDULE_WARM_UP];
    if (epoch < warm_up) {
        double first = base_rate / schedule->settings[BP_SCHEDULE_DIVISOR];
        *rate = first + (base_rate - first) * (epoch / warm_up);
    } else {
        *rate = rate_at(schedule, base_rate, epoch - warm_up);
    }
    return BP_OK;
}

bp_status bp_schedule_observe(bp_schedule *schedule, double value)
{
    if (!bp_is(schedule, BP_HANDLE_SCHEDULE)) {
        return bp_fail_handle(__func__, "schedule", schedule, BP_HANDLE_SCHEDULE);
    }
    if (isnan(value)) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: value is NaN", __func__);
    }
    if (schedule->kind != BP_SCHEDULE_PLATEAU) {
        return BP_OK;
    }
    const double *settings = schedule->settings;
    double *state = schedule->state, best = state[BP_SCHEDULE_BEST];
    if (value < best - settings[BP_SCHEDULE_THRESHOLD] * fabs(best)) {
        state[BP_SCHEDULE_BEST] = value;
        state[BP_SCHEDULE_BAD_EPOCHS] = 0;
    } else {
        state[BP_SCHEDULE_BAD_EPOCHS]++;
    }
    if (state[BP_SCHEDULE_COOLING] > 0) {
        state[BP_SCHEDULE_COOLING]--;
        state[BP_SCHEDULE_BAD_EPOCHS] = 0;
    }
    if (state[BP_SCHEDULE_BAD_EPOCHS] > settings[BP_SCHEDULE_PATIENCE]) {
        state[BP_SCHEDULE_REDUCTIONS]++;
        state[BP_SCHEDULE_COOLING] = settings[BP_SCHEDULE_COOLDOWN];
        state[BP_SCHEDULE_BAD_EPOCHS] = 0;
    }
    return BP_OK;
}
