/* How the library reports failure: every refusal goes through bp_fail, which writes the sentence and hands back the status. */
#ifndef BP_CORE_STATUS_H
#define BP_CORE_STATUS_H

#include "bp/dtype.h"
#include "bp/status.h"

#include <stddef.h>

#if defined(__GNUC__)
#define BP_PRINTF(text, arguments) __attribute__((format(printf, text, arguments)))
#else
#define BP_PRINTF(text, arguments)
#endif

/* Writes the calling thread's sentence and returns status: return bp_fail(BP_ERROR_ARGUMENT, "%s: batch is 0; …", __func__). */
bp_status bp_fail(bp_status status, const char *format, ...) BP_PRINTF(2, 3);

/* bp_fail for the commonest refusals. */
bp_status bp_fail_null(const char *function, const char *argument);
bp_status bp_fail_memory(const char *function);
bp_status bp_fail_enum(const char *function, const char *argument, int value);
bp_status bp_fail_dtype(const char *function, const char *object, bp_dtype dtype); /* dtype: what the object has */
bp_status bp_fail_size(const char *function, const char *argument, size_t value);  /* the limits are 1 … BP_MAX_DIMENSION */

/*
 * Why the last system call failed, errno in words, which are written to text; not strerror, which may write to memory that all threads share.
 */
enum { BP_SYSTEM_WORDS = 128 };
const char *bp_system_words(char text[BP_SYSTEM_WORDS]);

/*
 * The body of every …_from_name: the index of name among n names, which is the enum's value, or −1 with the sentence written if name is
 * none of them or NULL, or if out, where the caller is going to write, is NULL.
 */
int bp_name_find(const char *function, const char *name, const void *out, size_t n, const char *const *names);

#endif
