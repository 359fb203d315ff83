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

bp_status bp_mpi_meet_begin(bp_mpi *mpi, bp_mpi_meeting *meeting, bp_mpi_act act, bp_status status, double number)
{
    *meeting = (bp_mpi_meeting){.act = act, .status = status, .request = MPI_REQUEST_NULL};
    meeting->told[NUMBER] = number;
    meeting->told[FAILED] = status != BP_OK;
    meeting->told[ACTS + act] = 1;
    if (mpi->is_lost) {
        return bp_mpi_started(mpi, "meeting", MPI_SUCCESS);
    }
    return bp_mpi_started(
        mpi, "meeting",
        MPI_Iallreduce(MPI_IN_PLACE, meeting->told, ACTS + BP_MPI_ACT_COUNT, MPI_DOUBLE, MPI_SUM, mpi->control, &meeting->request));
}

/* The status and the sentence of the lowest rank that has failed, which all know to be there. */
static bp_status hear(bp_mpi *mpi, bp_status own)
{
    static const char what[] = "hearing of a failure";
    int first = own != BP_OK ? mpi->rank : INT_MAX;
    struct {
        int status;
        char sentence[BP_MPI_SENTENCE_SIZE];
    } news = {(int)own, ""};
    snprintf(news.sentence, sizeof news.sentence, "rank %d: %.480s", mpi->rank, bp_last_error());
    MPI_Request request;
    bp_status status = bp_mpi_started(mpi, what, MPI_Iallreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, mpi->control, &request));
    if (status == BP_OK) {
        status = bp_mpi_wait(mpi, what, 1, &request);
    }
    if (status == BP_OK) {
        status = bp_mpi_started(mpi, what, MPI_Ibcast(&news, (int)sizeof news, MPI_BYTE, first, mpi->control, &request));
    }
    if (status == BP_OK) {
        status = bp_mpi_wait(mpi, what, 1, &request);
    }
    return status == BP_OK ? bp_set_last_error((bp_status)news.status, news.sentence) : status;
}

bp_status bp_mpi_meet_end(bp_mpi *mpi, bp_mpi_meeting *meeting)
{
    bp_status status = bp_mpi_wait(mpi, "meeting", 1, &meeting->request);
    if (status != BP_OK || mpi->n_ranks == 1) {
        return status != BP_OK ? status : meeting->status;
    }
    if (meeting->told[FAILED] > 0) {
        return hear(mpi, meeting->status);
    }
    for (int act = 0; act < BP_MPI_ACT_COUNT; act++) {
        if (meeting->told[ACTS + act] > 0 && act != (int)meeting->act) {
            return bp_mpi_fail(BP_ERROR_STATE, "libbp_mpi: ranks are in different calls: %g of %d came for what this rank came for",
                               meeting->told[ACTS + meeting->act], mpi->n_ranks);
        }
    }
    return BP_OK;
}

bp_status bp_mpi_meet(bp_mpi *mpi, bp_mpi_act act, bp_status status)
{
    bp_mpi_meeting meeting;
    bp_status met = bp_mpi_meet_begin(mpi, &meeting, act, status, 0);
    return met == BP_OK ? bp_mpi_meet_end(mpi, &meeting) : met;
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
        /* to one and from there to all: MPI_Allreduce need not give all the same bits */
        status = bp_mpi_started(
            mpi, what, MPI_Ireduce(mpi->rank == 0 ? MPI_IN_PLACE : values, values, some, MPI_DOUBLE, MPI_SUM, 0, mpi->data, &request));
        if (status == BP_OK) {
            status = bp_mpi_wait(mpi, what, 1, &request);
        }
        if (status == BP_OK) {
            status = bp_mpi_broadcast(mpi, (size_t)some * sizeof *values, values);
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
