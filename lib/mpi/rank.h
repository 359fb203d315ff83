/* A rank among others: how they wait for each other, and learn of each other's failures. */
#ifndef BP_MPI_RANK_H
#define BP_MPI_RANK_H

#include "bp/mpi.h"

#include <stdbool.h>

enum { BP_MPI_SETTING_COUNT = 5, BP_MPI_SENTENCE_SIZE = 512 };

/* What ranks do together. */
typedef enum bp_mpi_act {
    BP_MPI_AGREE,   /* nothing but hearing of each other */
    BP_MPI_SUM,     /* a sum of numbers that the trainer has */
    BP_MPI_STEP,    /* a sum of gradients */
    BP_MPI_AVERAGE, /* of parameters */
    BP_MPI_SHUFFLE, /* samples to where they are wanted */
    BP_MPI_END,     /* the end of a run */
    BP_MPI_ACT_COUNT
} bp_mpi_act;

enum { BP_MPI_TOLD_COUNT = 2 + BP_MPI_ACT_COUNT };

/* A failure as the others hear of it. */
typedef struct bp_mpi_news {
    int status;
    char sentence[BP_MPI_SENTENCE_SIZE];
} bp_mpi_news;

struct bp_mpi {
    MPI_Comm data;    /* for what they do */
    MPI_Comm control; /* for whether they do it: two communicators, so that neither waits in the other's order */
    int n_ranks, rank;
    bool is_lost; /* somebody does not answer */
    double settings[BP_MPI_SETTING_COUNT];
    /* What is on its way in a meeting: not on the stack, which MPI would still write to when somebody comes too late. */
    double told[BP_MPI_TOLD_COUNT]; /* the caller's number, how many have failed, how many came for each act */
    int first_failed;
    bp_mpi_news news;
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

/*
 * Before an act: BP_OK if all ranks come to it and all are well. Else, on all of them, the status and the sentence of the first that is not, or
 * BP_ERROR_STATE if they come for different acts.
 */
bp_status bp_mpi_meet(bp_mpi *mpi, bp_mpi_act act, bp_status status);

/* The same; *number becomes the sum of all ranks'. */
bp_status bp_mpi_meet_with(bp_mpi *mpi, bp_mpi_act act, bp_status status, double *number);

/* How many came for the act to the latest meeting. */
int bp_mpi_came_for(const bp_mpi *mpi, bp_mpi_act act);

/* Each values[i] becomes the sum over ranks, the same bits on all, as MPI has it; they have met. */
bp_status bp_mpi_sum(bp_mpi *mpi, size_t n, double *values);

/* From rank 0 to all; they have met. */
bp_status bp_mpi_broadcast(bp_mpi *mpi, size_t bytes, void *data);

#endif
