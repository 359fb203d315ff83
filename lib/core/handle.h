/*
 * What every opaque object begins with: a number that says what it is, so that another kind of object, or one that was destroyed, is refused
 * where NULL is. That is a help and no promise. Memory that was given back is not the library's to read; mostly it is still there, and no longer
 * has the number, but an object made since may be in its place, and AddressSanitizer ends a program that does it.
 */
#ifndef BP_CORE_HANDLE_H
#define BP_CORE_HANDLE_H

#include "bp/status.h"

#include <stdbool.h>

/* The kinds of objects; the numbers are those that other memory is unlikely to begin with. */
typedef enum bp_handle {
    BP_HANDLE_CSV_READER = 0x6b70a5e1,
    BP_HANDLE_DATASET,
    BP_HANDLE_LAYER,
    BP_HANDLE_NET,
    BP_HANDLE_OPTIMIZER,
    BP_HANDLE_SCHEDULE,
    BP_HANDLE_TRAINER,
    BP_HANDLE_WORKSPACE
} bp_handle;

/* Whether the object is there, and of this kind. */
static inline bool bp_is(const void *object, bp_handle kind)
{
    return object && *(const bp_handle *)object == kind;
}

/* The end of an object, before it is freed. Volatile, for a compiler leaves out what is written to memory that nobody may read again. */
static inline void bp_end_handle(void *object)
{
    *(volatile bp_handle *)object = (bp_handle)0;
}

/* Refuses an argument for which bp_is is false. */
bp_status bp_fail_handle(const char *function, const char *argument, const void *object, bp_handle kind);

#endif
