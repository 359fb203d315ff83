/* Schedules of the learning rate. */
#include "fuzz/api.h"

#include <float.h>
#include <math.h>

enum { SETTINGS = BP_SCHEDULE_COOLDOWN + 1, KINDS = BP_SCHEDULE_PLATEAU + 1 };

typedef struct schedule_slot {
    bp_schedule *schedule;
    bp_schedule_kind kind;
    double settings[SETTINGS];
} schedule_slot;

static schedule_slot schedules[SCHEDULES];

#define BIT(kind) (1u << BP_SCHEDULE_##kind)

/* As schedule.h has it. */
static const struct {
    double minimum, maximum;
    bool is_whole;
    unsigned kinds;
} ranges[SETTINGS] = {
    [BP_SCHEDULE_FACTOR] = {0, 1, false, BIT(STEP) | BIT(EXPONENTIAL) | BIT(PLATEAU)},
    [BP_SCHEDULE_PERIOD] = {1e-6, 1e9, false, BIT(STEP) | BIT(COSINE) | BIT(ONE_CYCLE)},
    [BP_SCHEDULE_WARM_UP] = {0, 1e9, false, BIT(CONSTANT) | BIT(STEP) | BIT(EXPONENTIAL) | BIT(COSINE)},
    [BP_SCHEDULE_PERIOD_FACTOR] = {1, 1000, true, BIT(COSINE)},
    [BP_SCHEDULE_MINIMUM] = {0, DBL_MAX, false, BIT(COSINE) | BIT(PLATEAU)},
    [BP_SCHEDULE_PATIENCE] = {0, 1e9, true, BIT(PLATEAU)},
    [BP_SCHEDULE_THRESHOLD] = {0, 0.99, false, BIT(PLATEAU)},
    [BP_SCHEDULE_DIVISOR] = {1, 1e12, false, BIT(ONE_CYCLE) | BIT(CONSTANT) | BIT(STEP) | BIT(EXPONENTIAL) | BIT(COSINE)},
    [BP_SCHEDULE_FINAL_DIVISOR] = {1, 1e12, false, BIT(ONE_CYCLE)},
    [BP_SCHEDULE_RISE] = {0, 1, false, BIT(ONE_CYCLE)},
    [BP_SCHEDULE_COOLDOWN] = {0, 1e9, true, BIT(PLATEAU)},
};

static bool has(const schedule_slot *s, int setting)
{
    return setting >= 0 && setting < SETTINGS && ranges[setting].kinds >> s->kind & 1;
}

static void read_settings(schedule_slot *s)
{
    for (int i = 0; i < SETTINGS; i++) {
        UNTYPED(IF(!has(s, i), BP_ERROR_UNSUPPORTED), 0, bp_schedule_get, s->schedule, (bp_schedule_setting)i, &s->settings[i]);
    }
}

static schedule_slot *take_schedule(void)
{
    static schedule_slot none;
    unsigned byte = take();
    return byte >= 0xF8 ? &none : &schedules[byte % SCHEDULES];
}

void clear_schedules(void)
{
    for (int i = 0; i < SCHEDULES; i++) {
        bp_schedule_destroy(schedules[i].schedule);
        schedules[i] = (schedule_slot){0};
    }
}

void call_schedule_create(void)
{
    schedule_slot *s = &schedules[take() % SCHEDULES];
    int kind = take_enum(BP_SCHEDULE_CONSTANT, KINDS);
    bp_schedule *made = NULL;
    bp_schedule_destroy(s->schedule);
    *s = (schedule_slot){0};
    if (UNTYPED(IF(kind < 0 || kind >= KINDS, BP_ERROR_ARGUMENT), 0, bp_schedule_create, &made, (bp_schedule_kind)kind)) {
        *s = (schedule_slot){.schedule = made, .kind = (bp_schedule_kind)kind};
        read_settings(s);
    }
    check(bp_schedule_get_kind(s->schedule) == s->kind, "that a schedule has its kind");
}

void call_schedule_set(void)
{
    schedule_slot *s = take_schedule();
    int setting = take_enum(BP_SCHEDULE_FACTOR, SETTINGS);
    double value = take_number(), read = 0;
    bool is_setting = setting >= 0 && setting < SETTINGS;
    unsigned wrong = IF(!s->schedule || !is_setting, BP_ERROR_ARGUMENT) | IF(is_setting && !has(s, setting), BP_ERROR_UNSUPPORTED);
    if (is_setting) {
        bool in_range = value >= ranges[setting].minimum && value <= ranges[setting].maximum;
        wrong |= IF(!in_range || (ranges[setting].is_whole && value != floor(value)), BP_ERROR_ARGUMENT);
    }
    if (UNTYPED(wrong, 0, bp_schedule_set, s->schedule, (bp_schedule_setting)setting, value)) {
        s->settings[setting] = value;
    }
    if (s->schedule && has(s, setting)) {
        UNTYPED(0, 0, bp_schedule_get, s->schedule, (bp_schedule_setting)setting, &read);
        check(read == s->settings[setting], "that a setting is what was set");
    }
}

/* Asks for a rate, shows a loss, and gives the schedule to a trainer. */
void call_schedule_use(void)
{
    const schedule_slot *s = take_schedule();
    double base_rate = take_number(), epoch = take_number(), value = take_number(), rate = -1;
    bool are_numbers = base_rate >= 0 && base_rate <= DBL_MAX && epoch >= 0 && epoch <= DBL_MAX;
    if (UNTYPED(IF(!s->schedule || !are_numbers, BP_ERROR_ARGUMENT), 0, bp_schedule_learning_rate, s->schedule, base_rate, epoch, &rate)) {
        check(rate >= 0 && rate <= fmin(base_rate * (1 + 1e-9), DBL_MAX), "that a rate is between 0 and the base rate");
    }
    UNTYPED(IF(!s->schedule, BP_ERROR_ARGUMENT) | IF(isnan(value), BP_ERROR_NONFINITE), 0, bp_schedule_observe, s->schedule, value);
    trainer_slot *t = take_trainer();
    unsigned wrong = IF(!t->trainer, BP_ERROR_ARGUMENT) | IF(t->trainer && t->opt->method == BP_METHOD_LBFGS, BP_ERROR_UNSUPPORTED);
    if (UNTYPED(wrong, 0, bp_trainer_set_schedule, t->trainer, s->schedule)) {
        t->has_schedule = s->schedule != NULL;
        read_optimizer(t->opt);
    }
}
