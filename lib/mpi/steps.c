/* What the trainer and its optimizer call while they run. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "mpi/trainer.h"

#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a gradient is summed in every step ---- */

static bool overlaps(const bp_mpi_trainer *t)
{
    return t->settings[BP_MPI_OVERLAP] == 1;
}

void bp_mpi_ready_f32(void *context, size_t first, size_t n, float *gradient)
{
    bp_mpi_trainer *t = context;
    (void)n;
    if (overlaps(t)) { /* what fails here fails again at the end */
        bp_mpi_buckets_start(t, gradient - first, first);
    }
}

void bp_mpi_ready_f64(void *context, size_t first, size_t n, double *gradient)
{
    bp_mpi_trainer *t = context;
    (void)n;
    if (overlaps(t)) {
        bp_mpi_buckets_start(t, gradient - first, first);
    }
}

/* Meets the other ranks behind a step, and sums what has not been summed yet. *loss becomes the sum over ranks. */
static bp_status complete(bp_mpi_trainer *t, bp_status status, double *loss, void *gradient)
{
    double start = now();
    bp_status own = status;
    if (own == BP_OK && bp_mpi_first_trained(t->net) < t->buckets.first) {
        own = bp_mpi_fail(BP_ERROR_STATE, "libbp_mpi: a layer that was frozen when the trainer was made is so no more");
    }
    if (own == BP_OK && overlaps(t)) {
        own = bp_mpi_buckets_start(t, gradient, t->buckets.first);
    }
    bp_status met = bp_mpi_meet_with(t->mpi, BP_MPI_STEP, own, loss);
    if (met == BP_OK && !overlaps(t)) {
        met = bp_mpi_buckets_start(t, gradient, t->buckets.first);
    }
    if (met == BP_OK) {
        met = bp_mpi_buckets_finish(t, gradient);
    } else if (overlaps(t) && !t->mpi->is_lost) {
        bp_status ended = bp_mpi_buckets_abandon(t);
        met = ended == BP_OK ? met : ended;
    }
    t->seconds += now() - start;
    return met;
}

bp_status bp_mpi_complete_f32(void *context, bp_status status, float *mean_loss, size_t n, float *gradient)
{
    (void)n;
    double loss = (double)*mean_loss;
    status = complete(context, status, &loss, gradient);
    *mean_loss = (float)loss;
    return status;
}

bp_status bp_mpi_complete_f64(void *context, bp_status status, double *mean_loss, size_t n, double *gradient)
{
    (void)n;
    return complete(context, status, mean_loss, gradient);
}

/* ---- or parameters are averaged, now and then ---- */

static void divide(const bp_mpi_trainer *t, void *theta, int n)
{
    float *f32 = theta;
    double *f64 = theta;
    for (size_t i = 0; i < t->n_parameters; i++) {
        if (t->dtype == BP_F32) {
            f32[i] /= (float)n;
        } else {
            f64[i] /= (double)n;
        }
    }
}

static bp_status average(bp_mpi_trainer *t)
{
    bp_status status = bp_mpi_get_parameters(t, t->scratch);
    if (status == BP_OK) {
        status = bp_mpi_buckets_start(t, t->scratch, 0);
    }
    if (status == BP_OK) {
        status = bp_mpi_buckets_finish(t, t->scratch);
    }
    divide(t, t->scratch, t->mpi->n_ranks);
    return status == BP_OK ? bp_mpi_set_parameters(t, t->scratch) : status;
}

bp_status bp_mpi_after_step(void *context, bp_status status, int is_last)
{
    bp_mpi_trainer *t = context;
    uint64_t steps = (uint64_t)t->settings[BP_MPI_AVERAGING_STEPS];
    if (status == BP_OK && !is_last && bp_optimizer_step_count(t->opt) % steps != 0) {
        return BP_OK;
    }
    double start = now();
    status = bp_mpi_meet(t->mpi, BP_MPI_AVERAGE, status);
    if (status == BP_OK) {
        status = average(t);
    }
    t->seconds += now() - start;
    return status;
}

/* ---- the end ---- */

bp_status bp_mpi_end_run(void *context, bp_status status)
{
    bp_mpi_trainer *t = context;
    t->is_running = false;
    bp_status met;
    for (;;) {
        met = bp_mpi_meet(t->mpi, BP_MPI_END, status);
        if (t->mpi->is_lost || bp_mpi_came_for(t->mpi, BP_MPI_END) == t->mpi->n_ranks) {
            return met;
        }
        if (bp_mpi_came_for(t->mpi, BP_MPI_STEP) > 0 && overlaps(t) && bp_mpi_buckets_abandon(t) != BP_OK) {
            return BP_ERROR_CONNECTION;
        }
        status = met;
    }
}
