/**
 * Training by several processes together: each has a replica of the net and some of the samples, and takes its part of every batch. The trainer
 * needs somebody who carries numbers between them: mpi.h does, over MPI; what is here is for another transport.
 *
 * What differs between ranks is the samples alone: nets, optimizers, settings and everything that is decided from them are the same on all, epoch
 * for epoch, and a trainer's checkpoint is that of one process with all samples.
 */
#ifndef BP_DATA_PARALLEL_H
#define BP_DATA_PARALLEL_H

#include "bp/dataset.h"
#include "bp/export.h"
#include "bp/status.h"
#include "bp/trainer.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives the samples that this rank trains with in an epoch (from 0), in the order in which it takes them: of each batch of b samples, the last of an
 * epoch may be smaller, the ⌊b r / n⌋-th to the one before the ⌊b (r + 1) / n⌋-th, for rank r of n. *samples is like the trainer's training set, and
 * is there and unchanged until the next call. All ranks make this call.
 */
typedef bp_status bp_begin_epoch_function(void *context, uint64_t epoch, const bp_dataset **samples);

/**
 * For bp_begin_epoch_function: copies arrays into a new dataset that is like another one in element type, widths and number of classes. inputs:
 * n_samples × input_count; targets: n_samples × output_count, NULL if that is 0, or where one-hot targets are to be made from as many classes; classes
 * and weights: n_samples. classes is NULL if and only if `like` has none; weights may be NULL, and all 0, as other ranks' may be others.
 * Returns BP_ERROR_ARGUMENT (NULL, an array given that `like` has not, n_samples 0, a class out of range, a weight below 0), BP_ERROR_DTYPE,
 * BP_ERROR_NONFINITE (row and column named), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_create_like_f32(bp_dataset **dataset, const bp_dataset *like, size_t n_samples, const float *inputs,
                                            const float *targets, const uint32_t *classes, const double *weights);
BP_API bp_status bp_dataset_create_like_f64(bp_dataset **dataset, const bp_dataset *like, size_t n_samples, const double *inputs,
                                            const double *targets, const uint32_t *classes, const double *weights);

/**
 * Each values[i] becomes the sum of the ranks', with the same bits on all. If status, which is what became of the work before, is not BP_OK on some
 * rank, no sums are made and all ranks are given the same one of these statuses (and its sentence); values may be NULL where it
 * is not BP_OK. All ranks make this call with the same n.
 */
typedef bp_status bp_agree_function(void *context, bp_status status, size_t n, double *values);

/**
 * For parameter averaging (local SGD: Stich 2019), where a step uses the gradient of the rank's own part of a batch alone; without it, every
 * gradient is summed over the ranks by the optimizer's gradient hook (gradient_hook.h). It is called behind each step, with what became of it, and
 * may change the net's parameters; is_last: of an epoch, after which they are the same on all ranks. If some rank's step has failed, all ranks
 * are to be given the same status, some steps later if it must be. Parameters differ between ranks in the middle of an epoch: bp_trainer_save, and
 * bp_trainer_load of what was saved there, are BP_ERROR_STATE. What the optimizer keeps besides parameters is each rank's own at all times: to go on
 * as if there had been no stop, each saves and loads a checkpoint of its own.
 */
typedef bp_status bp_after_step_function(void *context, bp_status status, int is_last);

/**
 * The end of a run, with its status, which on some ranks may be a failure that others do not know of and wait in another of these functions or
 * in the hook, where they are to be told. Returns the status in which all ranks end. All ranks make this call.
 */
typedef bp_status bp_end_run_function(void *context, bp_status status);

/** How this process takes part. All functions return BP_OK, or a status with the sentence of bp_set_last_error, which ends the run. */
typedef struct bp_data_parallel {
    size_t size;                          /**< of this struct, in bytes */
    size_t n_ranks;                       /**< processes, 1 or more */
    size_t rank;                          /**< this one, 0 to n_ranks − 1 */
    uint64_t n_samples;                   /**< training samples of all ranks together */
    void *context;                        /**< handed to the functions */
    bp_begin_epoch_function *begin_epoch; /**< as its type says, like the others */
    bp_agree_function *agree;             /**< all ranks go on, or none */
    bp_after_step_function *after_step;   /**< or NULL */
    bp_end_run_function *end_run;         /**< all ranks end */
} bp_data_parallel;

/**
 * Makes the trainer one of several. Its training set is the rank's own samples, and so is its validation set, which all ranks have or none;
 * metrics are of all ranks' samples. BP_TRAINER_BATCH_SIZE is of all ranks together, and at least their number. When the progress function or the
 * time limit of one rank ends the run, all end with that epoch. parallel is copied; NULL: alone again.
 * Settings of trainer and optimizer are compared when a run begins: one that differs between ranks is BP_ERROR_STATE there, on all of them.
 * Returns BP_ERROR_ARGUMENT (NULL trainer, a function that is missing, rank or n_samples out of range), BP_ERROR_STATE (called from within the
 * trainer's own progress function; in the middle of an epoch; a batch_size of more samples than there will be), BP_ERROR_UNSUPPORTED (L-BFGS).
 */
BP_API bp_status bp_trainer_set_data_parallel(bp_trainer *trainer, const bp_data_parallel *parallel);

/**
 * bp_trainer_load_memory by all ranks, each with the same bytes: a rank that fails (as without memory) fails on all, by bp_agree_function, and then
 * nothing has changed on any of them. Returns what bp_trainer_load_memory does.
 */
BP_API bp_status bp_trainer_load_together(bp_trainer *trainer, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
