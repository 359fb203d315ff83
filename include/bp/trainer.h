/**
 * The loop around training steps: epochs of batches in a new order, validation, metrics, a schedule of the learning rate, early stopping,
 * checkpoints.
 *
 *     bp_trainer_create(&trainer, net, opt, BP_LOSS_CROSS_ENTROPY, train);
 *     bp_trainer_set_validation(trainer, test);
 *     bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 60);
 *     bp_trainer_set(trainer, BP_TRAINER_PATIENCE, 10);
 *     bp_trainer_set_progress(trainer, bp_progress_print, stdout, BP_PROGRESS_BATCH);
 *     bp_trainer_run(trainer);
 *
 * A trainer uses net, optimizer and datasets of the caller's, who keeps them alive and unchanged while the trainer lives (the optimizer's
 * settings may change between steps). It belongs to one thread at a time. What it does depends on the settings and the seeds alone: not on the
 * number of threads, and not on whether it was stopped, saved, loaded or asked for its progress on the way.
 */
#ifndef BP_TRAINER_H
#define BP_TRAINER_H

#include "bp/dataset.h"
#include "bp/export.h"
#include "bp/loss.h"
#include "bp/metric.h"
#include "bp/net.h"
#include "bp/optimizer.h"
#include "bp/schedule.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The loop around training steps. */
typedef struct bp_trainer bp_trainer;

/** Behind each setting: its range, and what it is unless set. Counts are whole numbers. */
typedef enum bp_trainer_setting {
    BP_TRAINER_EPOCHS = 0, /**< the most epochs in all, of every bp_trainer_run together; 0 to 2⁵³; 100 */
    /**
     * Samples in a step, 1 to the number of samples; 32, or all if there are fewer. The last batch of an epoch may be smaller. 1 is on-line learning
     * (bp_net_train_online), where 256 samples count as a batch for progress and schedule. L-BFGS takes all samples as one batch, whatever is set.
     */
    BP_TRAINER_BATCH_SIZE = 1,
    BP_TRAINER_SEED = 2,            /**< of the order of samples, 0 to 2⁵³; 0. Dropout and noise: bp_optimizer_set_seed */
    BP_TRAINER_SHUFFLE = 3,         /**< 1: a new order in every epoch, a function of seed and epoch; 0: as in the dataset; 1 */
    BP_TRAINER_THREADS = 4,         /**< bp_workspace_set_threads, 1 to 1024; 1 */
    BP_TRAINER_LABEL_SMOOTHING = 5, /**< s of targets (1 − s) z + s / n_outputs, for cross-entropy (Szegedy et al. 2016); 0 to 0.99; 0 */
    BP_TRAINER_MONITOR = 6,  /**< the bp_metric that PATIENCE and TARGET look at, of the validation set, or without one of training; loss */
    BP_TRAINER_PATIENCE = 7, /**< stop when so many epochs one after the other have not improved MONITOR; 0 (never) to 2⁵³; 0 */
    BP_TRAINER_MINIMUM_IMPROVEMENT = 8, /**< by how much more than this an epoch improves; 0 or more; 0 */
    BP_TRAINER_RESTORE_BEST = 9,        /**< 1: with PATIENCE, bp_trainer_run leaves the net with the parameters of the best epoch; 1 */
    BP_TRAINER_TARGET = 10,             /**< stop when MONITOR is as good as this; infinite: never; infinite */
    BP_TRAINER_TIME_LIMIT = 11,         /**< stop a run behind the batch at which it has taken so many seconds; 0 (no limit) or more; 0 */
    BP_TRAINER_TOP_K = 12,              /**< k of BP_METRIC_TOP_K, 1 to 2⁵³, held to the number of classes; 3 */
    /** 1: all metrics of the training set at each epoch's end, and not only the mean loss of its steps; 0 */
    BP_TRAINER_TRAINING_METRICS = 13,
    /**
     * When the loss or the parameters are no longer finite, go back to where the epoch began and try again with half the learning rate, at most
     * so many times in all; 0 to 2⁵³; 0. So that a net whose loss is not finite is no such beginning, the training set is measured at each epoch's
     * end where there is no validation set.
     */
    BP_TRAINER_HALVINGS = 14
} bp_trainer_setting;

/** "epochs", "batch_size", …; NULL for a value that is no setting. Static text. Thread-safe. */
BP_API const char *bp_trainer_setting_name(bp_trainer_setting setting);

/** The setting whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_trainer_setting_from_name(const char *name, bp_trainer_setting *setting);

/** Why the latest bp_trainer_run ended. */
typedef enum bp_stop {
    BP_STOP_NONE = 0,     /**< there was no run, or it failed */
    BP_STOP_EPOCHS = 1,   /**< all epochs are done */
    BP_STOP_PATIENCE = 2, /**< MONITOR has not improved for PATIENCE epochs */
    BP_STOP_TARGET = 3,   /**< MONITOR reached TARGET */
    BP_STOP_TIME = 4,     /**< TIME_LIMIT has passed */
    BP_STOP_CALLBACK = 5  /**< the progress function said so */
} bp_stop;

/** "none", "epochs", "patience", "target", "time", "callback"; NULL for a value that is none. Static text. Thread-safe. */
BP_API const char *bp_stop_name(bp_stop stop);

/** The reason whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_stop_from_name(const char *name, bp_stop *stop);

/* ---- make ---- */

/**
 * Makes a trainer. Samples count with their weights (bp_dataset_set_weights): the loss of a batch is (1/B) Σ w L.
 * Returns BP_ERROR_ARGUMENT (NULL, unknown loss, a dataset without targets or of other widths than the net's, more classes than the net can
 * tell apart), BP_ERROR_DTYPE (net and dataset differ), BP_ERROR_STATE (the net is not initialized, the optimizer is another net's),
 * BP_ERROR_UNSUPPORTED (the loss does not fit the output activation; softmax under BP_RULE_ERROR_SIGNAL), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_trainer_create(bp_trainer **trainer, bp_net *net, bp_optimizer *opt, bp_loss loss, const bp_dataset *training);

/** Ends the trainer; NULL is allowed. From within its own progress function nothing happens, and bp_last_error says so. */
BP_API void bp_trainer_destroy(bp_trainer *trainer);

/*
 * From here to bp_trainer_run, and in bp_trainer_load: called from within the trainer's own progress function they return BP_ERROR_STATE and do
 * nothing.
 */

/**
 * Changes a setting. Returns BP_ERROR_ARGUMENT (NULL, unknown setting, value NaN, out of the setting's range, or not whole where it is to be),
 * BP_ERROR_STATE (the order of samples, batch size, seed or shuffle, in the middle of an epoch), BP_ERROR_UNSUPPORTED (label smoothing of
 * another loss than cross-entropy).
 */
BP_API bp_status bp_trainer_set(bp_trainer *trainer, bp_trainer_setting setting, double value);

/** Reads a setting. Returns BP_ERROR_ARGUMENT (NULL, unknown setting). Read-only. */
BP_API bp_status bp_trainer_get(const bp_trainer *trainer, bp_trainer_setting setting, double *value);

/** A dataset to be measured at each epoch's end; NULL: none. Returns BP_ERROR_ARGUMENT and BP_ERROR_DTYPE as bp_trainer_create. */
BP_API bp_status bp_trainer_set_validation(bp_trainer *trainer, const bp_dataset *validation);

/**
 * Factors of the samples' losses by class, class_count of the training set, 0 or more and finite; copied. NULL: none.
 * Returns BP_ERROR_ARGUMENT (NULL, a weight out of range, named by its class), BP_ERROR_STATE (the set has no classes), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_trainer_set_class_weights(bp_trainer *trainer, const double *weights);

/**
 * From now on the optimizer's learning rate is the schedule's, whose base rate is what the optimizer has now; it is set before each batch. A plateau
 * schedule watches the loss of the validation set, or without one of training. The schedule is copied. NULL: none, and the rate is the base rate
 * again. Returns BP_ERROR_ARGUMENT (NULL trainer), BP_ERROR_UNSUPPORTED (L-BFGS, which has no learning rate).
 */
BP_API bp_status bp_trainer_set_schedule(bp_trainer *trainer, const bp_schedule *schedule);

/* ---- progress ---- */

/** What a progress function is told; it only reads, and keeps nothing of it. The struct grows only at its end. */
typedef struct bp_progress {
    size_t size;      /**< of this struct, in bytes */
    int is_epoch_end; /**< 1: the epoch is complete, and metrics are its own; 0: a batch is, and metrics are those of the epoch before */
    uint64_t epoch;   /**< the number of the epoch, from 1 */
    uint64_t epochs;  /**< BP_TRAINER_EPOCHS */
    uint64_t batch;   /**< batches made in this epoch */
    uint64_t batches; /**< in an epoch */
    uint64_t step;    /**< of the optimizer, over all epochs */
    double learning_rate;      /**< the optimizer's */
    double training_loss;      /**< mean of the steps of this epoch so far */
    double seconds;            /**< since bp_trainer_run was called */
    double samples_per_second; /**< in this run, validation included */
    double seconds_left;       /**< to the last of BP_TRAINER_EPOCHS at that speed */
    size_t n_metrics;          /**< elements of the next two */
    const double *training;    /**< by bp_metric; NaN where not computed */
    const double *validation;  /**< likewise, of the validation set */
} bp_progress;

/**
 * Is called on the thread that called bp_trainer_run. 0: go on; else the run ends with BP_STOP_CALLBACK, the net is whole, and bp_trainer_run goes on
 * from there. It may save the trainer, read it, change the optimizer's settings, and use the net for reading.
 */
typedef int bp_progress_function(void *context, const bp_progress *progress);

/** When to call it. */
typedef enum bp_progress_when {
    BP_PROGRESS_EPOCH = 0, /**< at each epoch's end */
    BP_PROGRESS_BATCH = 1  /**< behind each batch as well */
} bp_progress_when;

/** Sets the progress function; NULL: none. Returns BP_ERROR_ARGUMENT (NULL trainer, unknown when). */
BP_API bp_status bp_trainer_set_progress(bp_trainer *trainer, bp_progress_function *function, void *context, bp_progress_when when);

/**
 * A progress function that prints a line an epoch to the FILE * that is its context: epoch, a bar, loss, metrics, samples a second, time left. On
 * a terminal the line is written again while the epoch goes on. Returns 0, also if the file cannot be written.
 */
BP_API int bp_progress_print(void *file, const bp_progress *progress);

/* ---- run ---- */

/**
 * Trains until one of the settings, or the progress function, ends it (bp_trainer_stop). Called again it goes on where it stopped, also in the
 * middle of an epoch: after BP_STOP_EPOCHS when there are more of them, after BP_STOP_PATIENCE for another PATIENCE epochs. With RESTORE_BEST the net
 * has the best epoch's parameters in between, and goes on with its latest.
 *
 * When a step fails, net and optimizer are where the epoch began: on BP_ERROR_DIVERGED (the loss, its derivative, a parameter, or an output on the
 * validation set is NaN or infinite; the sentence has epoch and batch), and with a custom method.
 * Returns BP_ERROR_ARGUMENT (NULL; a MONITOR that the set has not), BP_ERROR_STATE (called from its own progress function), BP_ERROR_MEMORY,
 * BP_ERROR_DIVERGED, BP_ERROR_FORMAT (a number of a mapped file is NaN, infinite or beyond the dtype; the sentence has file, row and column), and
 * what a custom method returns.
 *
 * Halvings cannot help where the gradient is beyond the dtype although the loss is not: then all of them are used, and the run ends as diverged.
 */
BP_API bp_status bp_trainer_run(bp_trainer *trainer);

/** Why the latest run ended; BP_STOP_NONE for NULL. Read-only. */
BP_API bp_stop bp_trainer_stop(const bp_trainer *trainer);

/* ---- history (read-only) ---- */

/** What is known of an epoch; those without a value there are NaN. */
typedef enum bp_history {
    BP_HISTORY_LEARNING_RATE = 0, /**< of its last batch */
    BP_HISTORY_SECONDS = 1,       /**< it took, validation included */
    BP_HISTORY_TRAINING_LOSS = 2, /**< mean of its steps, each before its own update; with TRAINING_METRICS of the whole set at its end */
    BP_HISTORY_TRAINING_ACCURACY = 3,
    BP_HISTORY_TRAINING_TOP_K = 4,
    BP_HISTORY_TRAINING_MAE = 5,
    BP_HISTORY_TRAINING_RMSE = 6,
    BP_HISTORY_TRAINING_R2 = 7,
    BP_HISTORY_VALIDATION_LOSS = 8,
    BP_HISTORY_VALIDATION_ACCURACY = 9,
    BP_HISTORY_VALIDATION_TOP_K = 10,
    BP_HISTORY_VALIDATION_MAE = 11,
    BP_HISTORY_VALIDATION_RMSE = 12,
    BP_HISTORY_VALIDATION_R2 = 13
} bp_history;

/** "learning_rate", "seconds", "training_loss", …; NULL for a value that is none. Static text. Thread-safe. */
BP_API const char *bp_history_name(bp_history column);

/** The column whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_history_from_name(const char *name, bp_history *column);

/** The epochs that are complete; 0 for NULL. */
BP_API size_t bp_trainer_epoch_count(const bp_trainer *trainer);

/** The epoch, from 0, that was best by MONITOR; SIZE_MAX if none is complete, or for NULL. */
BP_API size_t bp_trainer_best_epoch(const bp_trainer *trainer);

/** Reads a column of a complete epoch, from 0. Returns BP_ERROR_ARGUMENT (NULL, unknown column, epoch out of range). */
BP_API bp_status bp_trainer_history(const bp_trainer *trainer, bp_history column, size_t epoch, double *value);

/**
 * Writes the history as CSV: a line of names, "epoch" and the columns, then a line an epoch; numbers with a point in any locale and so many digits that
 * they read back the same, fields without a value empty. The file is replaced whole or not at all.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_IO, BP_ERROR_MEMORY.
 */
BP_API bp_status bp_trainer_write_history(const bp_trainer *trainer, const char *path);

/* ---- checkpoints ---- */

/**
 * Writes all that training needs to go on: the net as in a model file (model.h), optimizer and schedule with their settings and state, place in
 * the epoch, best parameters, history, settings of the trainer. The format is safetensors. The file is replaced whole or not at all; also from
 * within the progress function. Datasets, class weights, dropout, noise and frozen layers are the program's, and not saved.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_IO, BP_ERROR_NONFINITE (a parameter is NaN or infinite: training is about to diverge),
 * BP_ERROR_MEMORY. Read-only.
 */
BP_API bp_status bp_trainer_save(const bp_trainer *trainer, const char *path);

/**
 * Takes all of that from a file into a trainer that was made with a net of the same layers and scaling of inputs and outputs, an optimizer of the
 * same method, the same loss and a training set of as many samples; settings other than THREADS are the file's from then on. Training goes on to the
 * same bits as without a break.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_IO, BP_ERROR_FORMAT (not a checkpoint, cut short, damaged, of another version), BP_ERROR_UNSUPPORTED (a
 * model format of another version, an activation or element type that this library has not), BP_ERROR_STATE (of another net, method, loss or
 * dataset; the sentence says which), BP_ERROR_NONFINITE (a parameter), BP_ERROR_MEMORY. On failure nothing has changed.
 */
BP_API bp_status bp_trainer_load(bp_trainer *trainer, const char *path);

/** The same from the bytes of such a file, which are not needed afterwards. Returns BP_ERROR_ARGUMENT (NULL), and else as bp_trainer_load. */
BP_API bp_status bp_trainer_load_memory(bp_trainer *trainer, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
