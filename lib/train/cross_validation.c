#include "bp/cross_validation.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/pool.h"
#include "core/status.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How the work of one thread ended: with its folds done, or at the first failure, whose sentence is the thread's own. */
typedef struct outcome {
    int result; /* of the function; 0: no failure */
    size_t fold;
    char sentence[512];
} outcome;

typedef struct validation_job {
    const bp_dataset *dataset;
    size_t n_folds;
    uint64_t seed;
    bp_fold_function *function;
    void *context;
    double *scores;
    outcome *outcomes; /* one a thread */
    atomic_size_t next_fold;
    atomic_bool failed;
} validation_job;

static int run_fold(const validation_job *job, size_t fold)
{
    bp_dataset *train, *validation;
    bp_status status = bp_dataset_fold(job->dataset, job->n_folds, fold, job->seed, &train, &validation);
    if (status != BP_OK) {
        return (int)status;
    }
    int result = job->function(job->context, fold, train, validation, &job->scores[fold]);
    bp_dataset_destroy(train);
    bp_dataset_destroy(validation);
    return result;
}

static void run_folds(void *argument, size_t thread, size_t n_threads)
{
    (void)n_threads;
    validation_job *job = argument;
    outcome *own = &job->outcomes[thread];
    while (!atomic_load(&job->failed) && (own->fold = atomic_fetch_add(&job->next_fold, 1)) < job->n_folds) {
        job->scores[own->fold] = (double)NAN;
        own->result = run_fold(job, own->fold);
        if (own->result) {
            strncpy(own->sentence, bp_last_error(), sizeof own->sentence - 1);
            atomic_store(&job->failed, true);
            return;
        }
    }
}

/* What the failed fold of the least number has to say. */
static bp_status report(const char *function, const validation_job *job, size_t n_threads)
{
    const outcome *first = NULL;
    for (size_t i = 0; i < n_threads; i++) {
        const outcome *of_thread = &job->outcomes[i];
        if (of_thread->result && (!first || of_thread->fold < first->fold)) {
            first = of_thread;
        }
    }
    if (!first) {
        return BP_OK;
    }
    if (!bp_status_name((bp_status)first->result)) {
        return bp_fail(BP_ERROR_STATE, "%s: the function returned %d for fold %zu of %zu", function, first->result, first->fold,
                       job->n_folds);
    }
    return bp_fail((bp_status)first->result, "%s: fold %zu of %zu: %.400s", function, first->fold, job->n_folds, first->sentence);
}

bp_status bp_cross_validate(const bp_dataset *dataset, size_t n_folds, uint64_t seed, size_t n_threads, bp_fold_function *function,
                            void *context, double *scores)
{
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(__func__, "dataset", dataset, BP_HANDLE_DATASET);
    }
    if (!function || !scores) {
        return bp_fail_null(__func__, function ? "scores" : "function");
    }
    size_t n_samples = bp_dataset_sample_count(dataset);
    if (n_folds < 2 || n_folds > n_samples) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_folds is %zu; of %zu samples it can be 2 to %zu", __func__, n_folds, n_samples, n_samples);
    }
    if (n_threads < 1 || n_threads > BP_POOL_MAX_THREADS) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_threads is %zu; it can be 1 to %d", __func__, n_threads, BP_POOL_MAX_THREADS);
    }
    n_threads = n_threads < n_folds ? n_threads : n_folds;
    validation_job job = {.dataset = dataset, .n_folds = n_folds, .seed = seed, .function = function, .context = context};
    job.scores = bp_allocate(n_folds, sizeof *scores);
    job.outcomes = bp_allocate(n_threads, sizeof *job.outcomes);
    bp_pool *pool = NULL;
    bp_status status = job.scores && job.outcomes ? BP_OK : bp_fail_memory(__func__);
    if (status == BP_OK && n_threads > 1) {
        status = bp_pool_create(__func__, &pool, n_threads);
    }
    if (status == BP_OK) {
        if (pool) {
            bp_pool_run(pool, n_threads, run_folds, &job);
        } else {
            run_folds(&job, 0, 1);
        }
        status = report(__func__, &job, n_threads);
    }
    if (status == BP_OK) {
        memcpy(scores, job.scores, n_folds * sizeof *scores);
    }
    bp_pool_destroy(pool);
    free(job.scores);
    free(job.outcomes);
    return status;
}
