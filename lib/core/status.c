#define _POSIX_C_SOURCE 200809L /* the strerror_r that returns a number, which every C library has */

#include "core/status.h"

#include "core/memory.h"
#include "core/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[512];

static const char *const names[] = {"ok",     "argument",  "dtype",       "state",    "memory",    "io",
                                    "format", "nonfinite", "unsupported", "diverged", "connection"};

static const char *const meanings[] = {
    "success",
    "invalid argument",
    "wrong element type",
    "call not possible in the object's present state",
    "out of memory",
    "file cannot be read or written",
    "malformed file",
    "NaN or infinity",
    "unsupported combination",
    "training diverged",
    "no answer from another process",
};

enum { STATUS_COUNT = sizeof names / sizeof *names };

const char *bp_system_words(char text[BP_SYSTEM_WORDS])
{
    int error = errno;
    if (strerror_r(error, text, BP_SYSTEM_WORDS) != 0) {
        snprintf(text, BP_SYSTEM_WORDS, "error %d", error);
    }
    return text;
}

const char *bp_status_name(bp_status status)
{
    return (unsigned)status < STATUS_COUNT ? names[status] : NULL;
}

bp_status bp_status_from_name(const char *name, bp_status *status)
{
    int value = bp_name_find(__func__, name, status, STATUS_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *status = (bp_status)value;
    return BP_OK;
}

const char *bp_status_string(bp_status status)
{
    return (unsigned)status < STATUS_COUNT ? meanings[status] : "unknown status";
}

const char *bp_last_error(void)
{
    return last_error;
}

bp_status bp_fail(bp_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    bp_make_line(last_error); /* what it quotes from a file could be anything, and goes to a terminal or a log */
    return status;
}

bp_status bp_set_last_error(bp_status status, const char *text)
{
    char copy[sizeof last_error]; /* text may be the sentence itself */
    snprintf(copy, sizeof copy, "%s", text ? text : "");
    return bp_fail(status, "%s", copy);
}

bp_status bp_fail_null(const char *function, const char *argument)
{
    return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is NULL", function, argument);
}

bp_status bp_fail_memory(const char *function)
{
    return bp_fail(BP_ERROR_MEMORY, "%s: out of memory", function);
}

bp_status bp_fail_enum(const char *function, const char *argument, int value)
{
    return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %d, which is none of its enum's values", function, argument, value);
}

bp_status bp_fail_dtype(const char *function, const char *object, bp_dtype dtype)
{
    return bp_fail(BP_ERROR_DTYPE, "%s: the %s is %s; call the function that ends in _%s", function, object, bp_dtype_name(dtype),
                   bp_dtype_name(dtype));
}

bp_status bp_fail_size(const char *function, const char *argument, size_t value)
{
    return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %zu; it can be 1 to %zu", function, argument, value, BP_MAX_DIMENSION);
}

int bp_name_find(const char *function, const char *name, const void *out, size_t n, const char *const *candidates)
{
    if (!name || !out) {
        bp_fail(BP_ERROR_ARGUMENT, "%s: %s is NULL", function, name ? "the second argument" : "name");
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (candidates[i] && strcmp(name, candidates[i]) == 0) {
            return (int)i;
        }
    }
    bp_fail(BP_ERROR_ARGUMENT, "%s: there is no \"%.100s\"", function, name);
    return -1;
}
