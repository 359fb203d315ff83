#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "mpi/rank.h"

#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bp_status bp_mpi_fail(bp_status status, const char *format, ...)
{
    char sentence[BP_MPI_SENTENCE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return bp_set_last_error(status, sentence);
}

bp_status bp_mpi_fail_null(const char *function, const char *argument)
{
    return bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: %s is NULL", function, argument);
}

static bp_status lose(bp_mpi *mpi, const char *what, const char *why)
{
    mpi->is_lost = true;
    return bp_mpi_fail(BP_ERROR_CONNECTION, "libbp_mpi: %s: %s", what, why);
}

bp_status bp_mpi_started(bp_mpi *mpi, const char *what, int result)
{
    if (mpi->is_lost) {
        return bp_mpi_fail(BP_ERROR_CONNECTION, "libbp_mpi: %s: the connection to other ranks was lost before", what);
    }
    char words[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (result != MPI_SUCCESS) {
        MPI_Error_string(result, words, &length);
    }
    return result == MPI_SUCCESS ? BP_OK : lose(mpi, what, words);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Not MPI_Waitall: it would wait for ever, and not let go of a processor that another rank needs. */
bp_status bp_mpi_wait(bp_mpi *mpi, const char *what, int n, MPI_Request *requests)
{
    bp_status status = bp_mpi_started(mpi, what, MPI_SUCCESS);
    double limit = mpi->settings[BP_MPI_TIMEOUT], start = -1;
    int done = 0;
    while (status == BP_OK && !done) {
        status = bp_mpi_started(mpi, what, MPI_Testall(n, requests, &done, MPI_STATUSES_IGNORE));
        if (status == BP_OK && !done) {
            start = start < 0 ? now() : start;
            sched_yield();
            if (now() - start > limit) {
                char why[64];
                snprintf(why, sizeof why, "a rank has not come within %g seconds", limit);
                return lose(mpi, what, why);
            }
        }
    }
    return status;
}

enum { NUMBER, FAILED, ACTS }; /* places in told */

/* The status and the sentence of the lowest rank that has failed, which all know to be there. */
static bp_status hear(bp_mpi *mpi, bp_status own)
{
    static const char what[] = "hearing of a failure";
    const char *sentence = bp_last_error();
    if (own == BP_OK) {
        mpi->news.status = BP_OK;
    } else if (own != (bp_status)mpi->news.status || strcmp(sentence, mpi->news.sentence) != 0) { /* else they have it from here */
        mpi->news.status = (int)own;
        snprintf(mpi->news.sentence, sizeof mpi->news.sentence, "rank %d: %.480s", mpi->rank, sentence);
    }
    mpi->first_failed = own != BP_OK ? mpi->rank : INT_MAX;
    MPI_Request request;
    bp_status status =
        bp_mpi_started(mpi, what, MPI_Iallreduce(MPI_IN_PLACE, &mpi->first_failed, 1, MPI_INT, MPI_MIN, mpi->control, &request));
    if (status == BP_OK) {
        status = bp_mpi_wait(mpi, what, 1, &request);
    }
    if (status == BP_OK) {
        status =
            bp_mpi_started(mpi, what, MPI_Ibcast(&mpi->news, (int)sizeof mpi->news, MPI_BYTE, mpi->first_failed, mpi->control, &request));
    }
    if (status == BP_OK) {
        status = bp_mpi_wait(mpi, what, 1, &request);
    }
    return status == BP_OK ? bp_set_last_error((bp_status)mpi->news.status, mpi->news.sentence) : status;
}

int bp_mpi_came_for(const bp_mpi *mpi, bp_mpi_act act)
{
    return (int)mpi->told[ACTS + act];
}

/* All have come for the same act; but a run may have ended on a rank that failed. */
static bool is_in_order(const bp_mpi *mpi)
{
    int most = 0, ended = bp_mpi_came_for(mpi, BP_MPI_END);
    for (int act = 0; act < BP_MPI_ACT_COUNT; act++) {
        int n = act != BP_MPI_END ? bp_mpi_came_for(mpi, (bp_mpi_act)act) : 0;
        most = n > most ? n : most;
    }
    return most + ended == mpi->n_ranks && (most == 0 || ended <= (int)mpi->told[FAILED]);
}

bp_status bp_mpi_meet_with(bp_mpi *mpi, bp_mpi_act act, bp_status status, double *number)
{
    if (mpi->n_ranks == 1) {
        mpi->told[ACTS + act] = 1;
        return status;
    }
    bp_status met = bp_mpi_started(mpi, "meeting", MPI_SUCCESS);
    if (met != BP_OK) {
        return met;
    }
    memset(mpi->told, 0, sizeof mpi->told);
    mpi->told[NUMBER] = *number;
    mpi->told[FAILED] = status != BP_OK;
    mpi->told[ACTS + act] = 1;
    MPI_Request request;
    met = bp_mpi_started(mpi, "meeting",
                         MPI_Iallreduce(MPI_IN_PLACE, mpi->told, BP_MPI_TOLD_COUNT, MPI_DOUBLE, MPI_SUM, mpi->control, &request));
    if (met == BP_OK) {
        met = bp_mpi_wait(mpi, "meeting", 1, &request);
    }
    if (met != BP_OK) {
        return met;
    }
    if (!is_in_order(mpi)) {
        mpi->is_lost = true; /* what one of them starts, others would take for something else */
        return bp_mpi_fail(BP_ERROR_STATE, "libbp_mpi: ranks are in different calls: %d of %d came for what this rank came for",
                           bp_mpi_came_for(mpi, act), mpi->n_ranks);
    }
    if (mpi->told[FAILED] > 0) {
        return hear(mpi, status);
    }
    *number = mpi->told[NUMBER];
    return BP_OK;
}

bp_status bp_mpi_meet(bp_mpi *mpi, bp_mpi_act act, bp_status status)
{
    double nothing = 0;
    return bp_mpi_meet_with(mpi, act, status, &nothing);
}

/* Elements of a call: MPI counts in int. */
enum { MOST = 1 << 28 };

bp_status bp_mpi_sum(bp_mpi *mpi, size_t n, double *values)
{
    static const char what[] = "a sum";
    bp_status status = BP_OK;
    while (status == BP_OK && n > 0) {
        int some = n < MOST ? (int)n : MOST;
        MPI_Request request;
        status = bp_mpi_started(mpi, what, MPI_Iallreduce(MPI_IN_PLACE, values, some, MPI_DOUBLE, MPI_SUM, mpi->data, &request));
        if (status == BP_OK) {
            status = bp_mpi_wait(mpi, what, 1, &request);
        }
        values += some;
        n -= (size_t)some;
    }
    return status;
}

bp_status bp_mpi_broadcast(bp_mpi *mpi, size_t bytes, void *data)
{
    static const char what[] = "a broadcast";
    char *at = data;
    bp_status status = BP_OK;
    while (status == BP_OK && bytes > 0) {
        int some = bytes < MOST ? (int)bytes : MOST;
        MPI_Request request;
        status = bp_mpi_started(mpi, what, MPI_Ibcast(at, some, MPI_BYTE, 0, mpi->data, &request));
        if (status == BP_OK) {
            status = bp_mpi_wait(mpi, what, 1, &request);
        }
        at += some;
        bytes -= (size_t)some;
    }
    return status;
}
