/* A rank among others: how they wait for each other, and learn of each other's failures. */
#ifndef BP_MPI_RANK_H
#define BP_MPI_RANK_H

#include "bp/mpi.h"

#include <stdbool.h>

enum { BP_MPI_SETTING_COUNT = 5, BP_MPI_SENTENCE_SIZE = 512 };

/* What ranks do together. */
typedef enum bp_mpi_act {
    BP_MPI_AGREE,   /* nothing but hearing of each other */
    BP_MPI_STEP,    /* a sum of gradients */
    BP_MPI_AVERAGE, /* of parameters */
    BP_MPI_SHUFFLE, /* samples to where they are wanted */
    BP_MPI_END,     /* the end of a run */
    BP_MPI_ACT_COUNT
} bp_mpi_act;

struct bp_mpi {
    MPI_Comm data;    /* for what they do */
    MPI_Comm control; /* for whether they do it: two communicators, so that neither waits in the other's order */
    int n_ranks, rank;
    bool is_lost; /* somebody does not answer */
    double settings[BP_MPI_SETTING_COUNT];
};

/* Writes the calling thread's sentence and returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
bp_status
bp_mpi_fail(bp_status status, const char *format, ...);

bp_status bp_mpi_fail_null(const char *function, const char *argument);

/* What an MPI call that was to start something returned: BP_OK for MPI_SUCCESS. */
bp_status bp_mpi_started(bp_mpi *mpi, const char *what, int result);

/* Waits for requests, at most BP_MPI_TIMEOUT; what names them. MPI_REQUEST_NULL is done. */
bp_status bp_mpi_wait(bp_mpi *mpi, const char *what, int n, MPI_Request *requests);

/* A number that each rank gives, and then is the sum of all ranks'. */
typedef struct bp_mpi_meeting {
    bp_mpi_act act;
    bp_status status;                  /* of what this rank did before */
    double told[2 + BP_MPI_ACT_COUNT]; /* the caller's number, how many have failed, how many came for each act */
    MPI_Request request;
} bp_mpi_meeting;

/* The two halves of bp_mpi_meet. Between them ranks may do what does not depend on whether all are well, and is done by all that come for this act. */
bp_status bp_mpi_meet_begin(bp_mpi *mpi, bp_mpi_meeting *meeting, bp_mpi_act act, bp_status status, double number);
bp_status bp_mpi_meet_end(bp_mpi *mpi, bp_mpi_meeting *meeting);

/*
 * Before an act: BP_OK if all ranks come to it and all are well. Else, on all of them, the status and the sentence of the first that is not, or
 * BP_ERROR_STATE if they come for different acts.
 */
bp_status bp_mpi_meet(bp_mpi *mpi, bp_mpi_act act, bp_status status);

/* Each values[i] becomes the sum over ranks, the same bits on all; they have met. */
bp_status bp_mpi_sum(bp_mpi *mpi, size_t n, double *values);

/* From rank 0 to all; they have met. */
bp_status bp_mpi_broadcast(bp_mpi *mpi, size_t bytes, void *data);

#endif
