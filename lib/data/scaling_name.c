#include "data/dataset.h"

#include "core/status.h"

static const char *const names[] = {"min_max", "standard"};

enum { SCALING_COUNT = sizeof names / sizeof *names };

const char *bp_scaling_name(bp_scaling scaling)
{
    return (unsigned)scaling < SCALING_COUNT ? names[scaling] : NULL;
}

bp_status bp_scaling_from_name(const char *name, bp_scaling *scaling)
{
    int value = bp_name_find(__func__, name, scaling, SCALING_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *scaling = (bp_scaling)value;
    return BP_OK;
}
