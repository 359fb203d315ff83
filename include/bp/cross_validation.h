/**
 * k-fold cross-validation (Stone 1974): each sample is validated once, by a net that has not seen it.
 *
 *     static int fold(void *context, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score);
 *     double scores[5];
 *     bp_cross_validate(dataset, 5, seed, 2, fold, &settings, scores);
 */
#ifndef BP_CROSS_VALIDATION_H
#define BP_CROSS_VALIDATION_H

#include "bp/dataset.h"
#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Trains on one part and measures on the other: what it writes to score (NaN until it does) is the fold's. The datasets end when it
 * returns. It returns 0, or not 0 for a failure. If that is a bp_status, bp_cross_validate returns it with the sentence that bp_last_error
 * has then in this thread. It is called on several threads at once, all but the caller's own with 256 KiB of stack. For the same scores on
 * every number of threads, what it draws is to depend on fold, not on the order of calls.
 */
typedef int bp_fold_function(void *context, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score);

/**
 * Calls function for every fold of bp_dataset_fold(dataset, n_folds, fold, seed), up to n_threads at a time (1 … 1024; 1: all on the
 * caller's, in order). scores receives n_folds elements.
 * When a fold fails, no other is begun, and the sentence names it; scores are untouched.
 * Returns the errors of bp_dataset_fold, BP_ERROR_ARGUMENT (NULL, n_threads out of range), BP_ERROR_MEMORY (no memory, or the system has no
 * thread to give), what function returned if that is a bp_status, or else BP_ERROR_STATE. Read-only on dataset.
 */
BP_API bp_status bp_cross_validate(const bp_dataset *dataset, size_t n_folds, uint64_t seed, size_t n_threads, bp_fold_function *function,
                                   void *context, double *scores);

#ifdef __cplusplus
}
#endif

#endif
