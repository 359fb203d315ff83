/* A trainer among others: its net's gradient on the way to the sum over ranks, and its samples on the way to where they are wanted. */
#ifndef BP_MPI_TRAINER_H
#define BP_MPI_TRAINER_H

#include "mpi/rank.h"

#include <stdint.h>

/* For sums in a fixed order: who adds up which elements of a bucket. Each array has n_ranks elements. */
typedef struct bp_mpi_segments {
    int *counts, *places;         /* of the bucket's elements that each rank adds up */
    int *own_counts, *own_places; /* of the ranks' parts of what this rank adds up */
} bp_mpi_segments;

/*
 * A vector that ranks sum, elements first to end − 1, in buckets from the end to the beginning: bucket i begins size elements before bucket i − 1,
 * and the last one where the vector does.
 */
typedef struct bp_mpi_buckets {
    size_t first, end, size;
    size_t n, n_started;
    MPI_Request *requests; /* n */
    /* in a fixed order: */
    bp_mpi_segments of_full, of_last;
    void *parts; /* as long as the vector: what the other ranks have of the segments of this one */
} bp_mpi_buckets;

struct bp_mpi_trainer {
    bp_mpi *mpi;
    double settings[BP_MPI_SETTING_COUNT]; /* of mpi when this was made */
    bp_net *net;
    bp_optimizer *opt;
    bp_trainer *trainer;
    bp_dtype dtype;
    size_t n_parameters;
    bool is_running;
    /* sums */
    bp_mpi_buckets buckets;
    void *scratch; /* a bucket, or all parameters where they are averaged */
    double bytes, seconds;
    /* samples */
    const bp_dataset *training; /* this rank's */
    size_t *offsets;            /* of the ranks' first samples among all; n_ranks + 1 */
    bp_dataset *samples;        /* those of the epoch; NULL before the first */
    double samples_key[3];      /* seed, batch size and epoch whose they are; −1 for the epoch where they are not shuffled */
};

size_t bp_mpi_element_bytes(bp_dtype dtype);
MPI_Datatype bp_mpi_element_type(bp_dtype dtype);

/* θ, of the net's dtype. */
bp_status bp_mpi_get_parameters(const bp_mpi_trainer *t, void *theta);
bp_status bp_mpi_set_parameters(bp_mpi_trainer *t, const void *theta);

/* The gradient of the lowest layers that are frozen is 0, and not sent: the first element that is. */
size_t bp_mpi_first_trained(const bp_net *net);

/* Prepares sums by the settings. */
bp_status bp_mpi_buckets_plan(bp_mpi_trainer *t);
void bp_mpi_buckets_release(bp_mpi_buckets *buckets);

/* Elements of the vector from number `ready` on are there: starts the buckets that have only such. Others go on if they wait for this rank. */
bp_status bp_mpi_buckets_start(bp_mpi_trainer *t, void *vector, size_t ready);

/* Waits for what has been started, and makes the vector the sum over ranks. */
bp_status bp_mpi_buckets_finish(bp_mpi_trainer *t, void *vector);

/* Takes part in the sums of a step that some rank has failed in, whose results nobody wants: others may have started all of them. */
bp_status bp_mpi_buckets_abandon(bp_mpi_trainer *t);

/* What data_parallel.h and gradient_hook.h ask for; context is a bp_mpi_trainer. */
void bp_mpi_ready_f32(void *context, size_t first, size_t n, float *gradient);
void bp_mpi_ready_f64(void *context, size_t first, size_t n, double *gradient);
bp_status bp_mpi_complete_f32(void *context, bp_status status, float *mean_loss, size_t n, float *gradient);
bp_status bp_mpi_complete_f64(void *context, bp_status status, double *mean_loss, size_t n, double *gradient);
bp_status bp_mpi_after_step(void *context, bp_status status, int is_last);
bp_status bp_mpi_begin_epoch(void *context, uint64_t epoch, const bp_dataset **samples);
bp_status bp_mpi_end_run(void *context, bp_status status);

#endif
