#include "core/handle.h"

#include "core/status.h"

static const char *const names[] = {"a CSV reader", "a dataset",  "a layer",   "a net",
                                    "an optimizer", "a schedule", "a trainer", "a workspace"};

bp_status bp_fail_handle(const char *function, const char *argument, const void *object, bp_handle kind)
{
    if (!object) {
        return bp_fail_null(function, argument);
    }
    return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is not %s (it was destroyed, or is another kind of object)", function, argument,
                   names[kind - BP_HANDLE_CSV_READER]);
}
