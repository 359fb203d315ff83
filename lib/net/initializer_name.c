#include "bp/initializer.h"

#include "core/status.h"

static const char *const names[] = {"zeros", "uniform", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal"};

enum { INITIALIZER_COUNT = sizeof names / sizeof *names };

const char *bp_initializer_name(bp_initializer initializer)
{
    return (unsigned)initializer < INITIALIZER_COUNT ? names[initializer] : NULL;
}

bp_status bp_initializer_from_name(const char *name, bp_initializer *initializer)
{
    int value = bp_name_find(__func__, name, initializer, INITIALIZER_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *initializer = (bp_initializer)value;
    return BP_OK;
}
