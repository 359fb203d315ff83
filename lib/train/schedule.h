/* A schedule: settings, and the state of a plateau schedule. Numbers only, so that a checkpoint can hold both arrays. */
#ifndef BP_TRAIN_SCHEDULE_H
#define BP_TRAIN_SCHEDULE_H

#include "bp/schedule.h"

#include "core/handle.h"

#include <stdbool.h>

enum { BP_SCHEDULE_SETTING_COUNT = 11 };

typedef enum {
    BP_SCHEDULE_BEST,       /* value observed */
    BP_SCHEDULE_BAD_EPOCHS, /* since it improved */
    BP_SCHEDULE_COOLING,    /* epochs left in which none is bad */
    BP_SCHEDULE_REDUCTIONS, /* how often the rate was reduced */
    BP_SCHEDULE_STATE_COUNT
} bp_schedule_state;

struct bp_schedule {
    bp_handle handle;
    bp_schedule_kind kind;
    double settings[BP_SCHEDULE_SETTING_COUNT]; /* by bp_schedule_setting */
    double state[BP_SCHEDULE_STATE_COUNT];      /* all finite, until an observed value is −∞ */
};

/* Whether settings and state are such as calls leave them. */
bool bp_schedule_is_valid(const bp_schedule *schedule);

#endif
