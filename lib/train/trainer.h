/* The state of a trainer. Between batches all of it is whole; what a checkpoint holds is marked. */
#ifndef BP_TRAIN_TRAINER_H
#define BP_TRAIN_TRAINER_H

#include "bp/data_parallel.h"
#include "bp/trainer.h"

#include "core/handle.h"
#include "data/batch.h"
#include "net/net.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/snapshot.h"

#include <stdbool.h>

enum { BP_TRAINER_SETTING_COUNT = 15, BP_METRIC_COUNT = 6, BP_HISTORY_COUNT = 14 };

/* Samples of on-line learning that count as a batch. */
enum { BP_ONLINE_BATCH = 256 };

/* Where training is, in numbers of a checkpoint. */
typedef struct bp_trainer_place {
    uint64_t epoch;          /* epochs that are complete */
    uint64_t sample;         /* samples of the next one that have been trained with */
    uint64_t best_epoch;     /* from 0; UINT64_MAX: there is none */
    uint64_t bad_epochs;     /* since it improved */
    uint64_t halvings;       /* made */
    uint64_t pending;        /* a bp_stop that is to come before the next epoch */
    uint64_t best_is_in_net; /* 1: the net has the best parameters, and `best` the latest */
} bp_trainer_place;

/* The same for numbers with a fraction. */
typedef struct bp_trainer_values {
    double loss_sum;  /* of the samples of this epoch, each with its weight */
    double seconds;   /* that this epoch took in earlier runs */
    double base_rate; /* of the schedule */
} bp_trainer_values;

struct bp_trainer {
    bp_handle handle;
    bp_net *net;
    bp_optimizer *opt;
    bp_loss loss;
    const bp_dataset *training, *validation; /* validation may be NULL */
    double *class_weights;                   /* or NULL */
    bp_progress_function *progress;
    void *progress_context;
    bp_progress_when progress_when;
    bool has_schedule;
    bool is_parallel;
    bp_data_parallel parallel; /* if so */

    /* in a checkpoint */
    double settings[BP_TRAINER_SETTING_COUNT];
    bp_schedule schedule;
    bp_trainer_place place;
    bp_trainer_values values;
    bp_snapshot start; /* of the epoch */
    void *best;        /* parameters, laid out as the net's */
    double *history;   /* place.epoch rows of BP_HISTORY_COUNT */

    size_t history_capacity; /* rows */
    bp_stop stop;
    /* of a run */
    bool is_running;
    bp_workspace *ws;
    size_t *order;             /* of this epoch's samples */
    const bp_dataset *samples; /* the training set, or one of several ranks' part of it in this epoch's order */
    uint64_t order_epoch;      /* whose order or samples these are; UINT64_MAX: none's */
    void *weights;             /* of each sample, as elements; NULL: all 1 */
    bp_batch_room room;        /* for samples of a dataset that is not plain */
    void *room_weights;        /* theirs */
    double run_start, epoch_start;
    uint64_t run_samples;
    double metrics[2][BP_METRIC_COUNT]; /* of the training set and of the validation set, latest */
};

/* That trainer is there and does not run. */
bp_status bp_trainer_check_idle(const char *function, const bp_trainer *trainer);

/* That these can be a trainer's settings. */
bp_status bp_trainer_check_settings(const char *function, const bp_trainer *trainer, const double *settings);

/* Training samples, of all ranks. */
size_t bp_trainer_samples(const bp_trainer *trainer);

/* Of the first n samples of an epoch, which end with a batch or the epoch, those of this rank. */
size_t bp_trainer_part(const bp_trainer *trainer, uint64_t n);

/* Ranks have parameters and sums of losses of their own until an epoch ends. */
bool bp_trainer_is_whole_at_epochs(const bp_trainer *trainer);

/* t->samples, of several ranks, from who has them. */
bp_status bp_trainer_take_part(bp_trainer *trainer);

/* That all ranks have the same settings. They make the call together, each with what became of its run so far. */
bp_status bp_trainer_compare_ranks(const bp_trainer *trainer, bp_status status);

/* t->stop, before the next epoch, if one of several ranks stops. */
bp_status bp_trainer_agree_stop(bp_trainer *trainer);

/* Where the loss of an epoch's steps is of one rank alone: it becomes that of all. */
bp_status bp_trainer_agree_loss(bp_trainer *trainer);

/* Samples of a step. */
size_t bp_trainer_batch(const bp_trainer *trainer);

/* Steps are those of bp_net_train_online. */
bool bp_trainer_is_online(const bp_trainer *trainer);

/* Room for so many rows of history; false without memory. */
bool bp_history_reserve(bp_trainer *trainer, size_t rows);

/* Samples place.sample … + n − 1, a batch or some of on-line learning; *sum is the sum of their losses. */
bp_status bp_trainer_train_f32(bp_trainer *trainer, size_t n, double *sum);
bp_status bp_trainer_train_f64(bp_trainer *trainer, size_t n, double *sum);

/* trainer->weights anew, from those of samples and of classes; false without memory. */
bool bp_trainer_weigh_f32(bp_trainer *trainer);
bool bp_trainer_weigh_f64(bp_trainer *trainer);

/* Whether a vector that is stored as the net's parameters are is finite. */
bool bp_parameters_are_finite(const bp_net *net, const void *stored);

/* All NaN. */
void bp_trainer_clear_metrics(bp_trainer *trainer);

/* Whether all of the net's parameters are. */
bool bp_trainer_is_finite(const bp_trainer *trainer);

#endif
