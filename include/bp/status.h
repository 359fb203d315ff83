/**
 * Status codes and the sentence behind the last one.
 *
 *     if (bp_net_create(&net, BP_F32, 64) != BP_OK)
 *         fprintf(stderr, "%s\n", bp_last_error());
 */
#ifndef BP_STATUS_H
#define BP_STATUS_H

#include "bp/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a call. */
typedef enum bp_status {
    BP_OK = 0,
    /**
     * NULL where a pointer is needed, a size, index, enum value or number out of its range; an object of another kind than the function is for,
     * or one that was destroyed, as far as that can be told: using it is undefined. What returns no status then does as for NULL.
     */
    BP_ERROR_ARGUMENT = 1,
    BP_ERROR_DTYPE = 2,       /**< …_f32 called on an f64 object, or the reverse; objects of two element types in one call */
    BP_ERROR_STATE = 3,       /**< the call comes too early or too late in the object's life, or objects do not belong together */
    BP_ERROR_MEMORY = 4,      /**< memory could not be had */
    BP_ERROR_IO = 5,          /**< a file could not be opened, read or written */
    BP_ERROR_FORMAT = 6,      /**< a file's content is not what its format allows */
    BP_ERROR_NONFINITE = 7,   /**< NaN or infinity where a finite number is needed, or as the loss of a training step */
    BP_ERROR_UNSUPPORTED = 8, /**< a combination that has no meaning or that this build does not have */
    BP_ERROR_DIVERGED = 9,    /**< training has come to numbers that are not finite */
    BP_ERROR_CONNECTION = 10  /**< another process does not answer, or cannot be reached (mpi.h) */
} bp_status;

/** "ok", "argument", "dtype", …; NULL for a value that is no status. Static text. Thread-safe. */
BP_API const char *bp_status_name(bp_status status);

/** The status whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_status_from_name(const char *name, bp_status *status);

/** What a status means in a few words, "invalid argument"; never NULL. Static text. Thread-safe. */
BP_API const char *bp_status_string(bp_status status);

/**
 * The sentence of the calling thread's latest failure, "" before the first one; a success does not clear it.
 * It is one line of UTF-8, whatever is in a file that it quotes. The text is the thread's own and is overwritten by its next failure.
 * Never NULL.
 */
BP_API const char *bp_last_error(void);

/**
 * Makes text the calling thread's sentence, and returns status: for functions of the caller's that the library calls, and for libraries on top of
 * this one. Of text, at most 511 bytes are kept, and what is no printable UTF-8 of one line becomes "?"; NULL counts as "".
 */
BP_API bp_status bp_set_last_error(bp_status status, const char *text);

#ifdef __cplusplus
}
#endif

#endif
