#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */

#include "train/ranks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- datasets ---- */

bp_dataset *pick(const bp_dataset *from, size_t n, const size_t *indices)
{
    size_t n_inputs = bp_dataset_input_count(from), n_outputs = bp_dataset_output_count(from), n_classes = bp_dataset_class_count(from);
    real *x = malloc(n * n_inputs * sizeof *x), *z = malloc(n * n_outputs * sizeof *z);
    uint32_t *classes = malloc(n * sizeof *classes);
    double *weights = malloc(n * sizeof *weights);
    bp_dataset *picked = NULL;
    bp_status status = REAL(bp_dataset_gather)(from, n, indices, x, z);
    for (size_t i = 0; i < n; i++) {
        classes[i] = n_classes ? bp_dataset_classes(from)[indices[i]] : 0;
        weights[i] = bp_dataset_weights(from) ? bp_dataset_weights(from)[indices[i]] : 1;
    }
    if (status == BP_OK) {
        status = n_classes ? REAL(bp_dataset_create_classes)(&picked, n, n_inputs, n_classes, x, classes)
                           : REAL(bp_dataset_create)(&picked, n, n_inputs, n_outputs, x, z);
    }
    if (status == BP_OK && bp_dataset_weights(from)) {
        bp_dataset_set_weights(picked, weights);
    }
    free(x);
    free(z);
    free(classes);
    free(weights);
    return picked;
}

void weigh(bp_dataset *dataset)
{
    size_t n = bp_dataset_sample_count(dataset);
    double *weights = malloc(n * sizeof *weights);
    for (size_t i = 0; i < n; i++) {
        weights[i] = 1 + (double)(i % 3) / 2;
    }
    must(bp_dataset_set_weights(dataset, weights));
    free(weights);
}

/* A rank's share of rows. */
static bp_dataset *share(const bp_dataset *from, size_t number, size_t n_ranks)
{
    size_t n = bp_dataset_sample_count(from), first = n * number / n_ranks, end = n * (number + 1) / n_ranks;
    size_t *indices = malloc(n * sizeof *indices);
    for (size_t i = first; i < end; i++) {
        indices[i - first] = i;
    }
    bp_dataset *made = pick(from, end - first, indices);
    free(indices);
    assert_non_null(made);
    return made;
}

/* ---- the transport: all that is said is said where all ranks meet ---- */

/* status, or that of the call that is to fail. */
static bp_status fault(rank *r, place at, bp_status status)
{
    r->calls[at]++;
    if (r->fault_at != at || r->calls[at] != r->fault_call) {
        return status;
    }
    char sentence[80];
    snprintf(sentence, sizeof sentence, "fault of rank %zu", r->number);
    return bp_set_last_error(r->fault, sentence);
}

/* *together: all are at the same place. Else some rank has failed, or all are told that they do not belong together. */
static bp_status meet(rank *r, place at, bp_status status, size_t n, double *values, bool *together)
{
    ranks *all = r->all;
    all->posts[r->number].at = at;
    all->posts[r->number].status = status;
    all->posts[r->number].n = n;
    all->posts[r->number].values = values;
    snprintf(all->posts[r->number].sentence, SENTENCE, "%s", bp_last_error());
    pthread_barrier_wait(&all->barrier);
    char sentence[SENTENCE] = "";
    status = BP_OK;
    *together = true;
    for (size_t i = 0; i < all->n; i++) {
        *together = *together && all->posts[i].at == at && all->posts[i].n == n;
        if (status == BP_OK && all->posts[i].status != BP_OK) {
            status = all->posts[i].status;
            memcpy(sentence, all->posts[i].sentence, SENTENCE);
        }
    }
    if (status == BP_OK && !*together) {
        status = BP_ERROR_UNSUPPORTED;
        snprintf(sentence, SENTENCE, "the ranks are at different places");
    }
    double *sums = calloc(n + 1, sizeof *sums);
    for (size_t i = 0; status == BP_OK && i < all->n; i++) {
        for (size_t k = 0; k < n; k++) {
            sums[k] += all->posts[i].values[k];
        }
    }
    pthread_barrier_wait(&all->barrier);
    if (status == BP_OK && n > 0) {
        memcpy(values, sums, n * sizeof *sums);
    }
    free(sums);
    return status == BP_OK ? BP_OK : bp_set_last_error(status, sentence);
}

static bp_status begin_epoch(void *context, uint64_t epoch, const bp_dataset **samples)
{
    rank *r = context;
    bp_status status = fault(r, AT_BEGIN, BP_OK);
    double batch = 0, shuffle = 0, seed = 0;
    bp_trainer_get(r->s.trainer, BP_TRAINER_BATCH_SIZE, &batch);
    bp_trainer_get(r->s.trainer, BP_TRAINER_SHUFFLE, &shuffle);
    bp_trainer_get(r->s.trainer, BP_TRAINER_SEED, &seed);
    size_t n = bp_dataset_sample_count(r->all->plan->training), n_own = 0;
    size_t *order = malloc(n * sizeof *order), *own = malloc(n * sizeof *own);
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    if (shuffle == 1) {
        bp_random_permutation((uint64_t)seed, epoch, n, order);
    }
    for (size_t first = 0; first < n; first += (size_t)batch) {
        size_t b = n - first < (size_t)batch ? n - first : (size_t)batch;
        for (size_t i = b * r->number / r->all->n; i < b * (r->number + 1) / r->all->n; i++) {
            own[n_own++] = order[first + i];
        }
    }
    bp_dataset_destroy(r->epoch);
    r->epoch = pick(r->all->plan->training, n_own, own);
    *samples = r->gives_other ? r->other : r->epoch;
    free(order);
    free(own);
    return status;
}

static bp_status agree(void *context, bp_status status, size_t n, double *values)
{
    rank *r = context;
    bool together;
    status = fault(r, AT_AGREE, status);
    return meet(r, AT_AGREE, status, n, values, &together);
}

static bp_status end_run(void *context, bp_status status)
{
    rank *r = context;
    bool together;
    do {
        status = meet(r, AT_END, status, 0, NULL, &together);
    } while (!together);
    return status;
}

/* The mean loss is summed behind the gradient. */
static bp_status sum_gradient(void *context, bp_status status, real *mean_loss, size_t n, real *gradient)
{
    rank *r = context;
    bool together;
    double *values = malloc((n + 1) * sizeof *values);
    for (size_t i = 0; gradient && i < n; i++) {
        values[i] = (double)gradient[i];
    }
    values[n] = (double)*mean_loss;
    status = fault(r, AT_GRADIENT, status);
    status = meet(r, AT_GRADIENT, status, n + 1, values, &together);
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        gradient[i] = (real)values[i];
    }
    *mean_loss = status == BP_OK ? (real)values[n] : *mean_loss;
    free(values);
    return status;
}

static bp_status average(void *context, bp_status status, int is_last)
{
    rank *r = context;
    bool together;
    status = fault(r, AT_AVERAGE, status);
    if (status == BP_OK && !is_last && ++r->steps % r->all->plan->average_every != 0) {
        return BP_OK;
    }
    r->steps = 0;
    size_t n = bp_net_parameter_count(r->s.net);
    real *theta = malloc(n * sizeof *theta);
    double *values = malloc(n * sizeof *values);
    REAL(bp_net_get_parameters)(r->s.net, theta);
    for (size_t i = 0; i < n; i++) {
        values[i] = (double)theta[i];
    }
    status = meet(r, AT_AVERAGE, status, n, values, &together);
    for (size_t i = 0; i < n; i++) {
        theta[i] = (real)(values[i] / (double)r->all->n);
    }
    if (status == BP_OK) {
        status = REAL(bp_net_set_parameters)(r->s.net, theta);
    }
    free(theta);
    free(values);
    return status;
}

/* ---- sessions ---- */

session open_one(const plan *of)
{
    session s = open_session(of->training, of->method, 3);
    must(bp_trainer_set_validation(s.trainer, of->validation));
    if (of->prepare) {
        of->prepare(&s);
    }
    return s;
}

void open_ranks(ranks *r, const plan *of, size_t n)
{
    memset(r, 0, sizeof *r);
    r->plan = of;
    r->n = n;
    assert_int_equal(pthread_barrier_init(&r->barrier, NULL, (unsigned)n), 0);
    for (size_t i = 0; i < n; i++) {
        rank *made = &r->rank[i];
        made->all = r;
        made->number = i;
        made->own = share(of->training, i, n);
        made->validation = of->validation ? share(of->validation, i, n) : NULL;
        made->s = open_session(made->own, of->method, 3);
        must(bp_trainer_set_validation(made->s.trainer, made->validation));
        made->parallel = (bp_data_parallel){
            .size = sizeof made->parallel,
            .n_ranks = n,
            .rank = i,
            .n_samples = bp_dataset_sample_count(of->training),
            .context = made,
            .begin_epoch = begin_epoch,
            .agree = agree,
            .after_step = of->average_every > 0 ? average : NULL,
            .end_run = end_run,
        };
        must(bp_trainer_set_data_parallel(made->s.trainer, &made->parallel));
        if (of->average_every == 0) {
            must(REAL(bp_optimizer_set_gradient_hook)(made->s.opt, NULL, sum_gradient, made));
        }
        if (of->prepare) {
            of->prepare(&made->s);
        }
    }
}

void close_ranks(ranks *r)
{
    for (size_t i = 0; i < r->n; i++) {
        close_session(&r->rank[i].s);
        bp_dataset_destroy(r->rank[i].own);
        bp_dataset_destroy(r->rank[i].validation);
        bp_dataset_destroy(r->rank[i].epoch);
    }
    pthread_barrier_destroy(&r->barrier);
}

static void *run_rank(void *argument)
{
    rank *r = argument;
    r->status = bp_trainer_run(r->s.trainer);
    snprintf(r->sentence, SENTENCE, "%s", bp_last_error());
    return NULL;
}

void run_ranks(ranks *r)
{
    pthread_t threads[MOST_RANKS];
    for (size_t i = 0; i < r->n; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_rank, &r->rank[i]), 0);
    }
    for (size_t i = 0; i < r->n; i++) {
        pthread_join(threads[i], NULL);
    }
}

void run_together(const char *what, ranks *r, bp_stop expected)
{
    run_ranks(r);
    for (size_t i = 0; i < r->n; i++) {
        const rank *one = &r->rank[i];
        if (one->status != BP_OK || bp_trainer_stop(one->s.trainer) != expected) {
            fail_msg("%s: rank %zu of %zu: %s, %s: %s", what, i, r->n, bp_status_name(one->status),
                     bp_stop_name(bp_trainer_stop(one->s.trainer)), one->status == BP_OK ? "" : one->sentence);
        }
        expect_same(what, &r->rank[0].s, &one->s);
    }
}

void expect_all(const char *what, const ranks *r, bp_status status, const char *word)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->rank[i].status != status || !strstr(r->rank[i].sentence, word)) {
            fail_msg("%s: rank %zu of %zu: %s: %s; expected %s, %s", what, i, r->n, bp_status_name(r->rank[i].status), r->rank[i].sentence,
                     bp_status_name(status), word);
        }
    }
}

static bool are_close(double a, double b, double tolerance)
{
    double size = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
    return same_number(a, b) || fabs(a - b) <= tolerance * (size > 1 ? size : 1);
}

void expect_alike(const char *what, const session *a, const session *b)
{
    static const double tolerance = REAL_DTYPE == BP_F32 ? 1e-3 : 1e-10;
    size_t n = bp_trainer_epoch_count(a->trainer), count = bp_net_parameter_count(a->net);
    if (n != bp_trainer_epoch_count(b->trainer) || bp_trainer_best_epoch(a->trainer) != bp_trainer_best_epoch(b->trainer) ||
        bp_trainer_stop(a->trainer) != bp_trainer_stop(b->trainer) || bp_optimizer_step_count(a->opt) != bp_optimizer_step_count(b->opt)) {
        fail_msg("%s: %zu epochs, best %zu, %s, %llu steps; and %zu, best %zu, %s, %llu steps", what, n, bp_trainer_best_epoch(a->trainer),
                 bp_stop_name(bp_trainer_stop(a->trainer)), (unsigned long long)bp_optimizer_step_count(a->opt),
                 bp_trainer_epoch_count(b->trainer), bp_trainer_best_epoch(b->trainer), bp_stop_name(bp_trainer_stop(b->trainer)),
                 (unsigned long long)bp_optimizer_step_count(b->opt));
    }
    for (size_t epoch = 0; epoch < n; epoch++) {
        for (int column = 0; column < COLUMNS; column++) {
            double u = history(a, (bp_history)column, epoch), v = history(b, (bp_history)column, epoch);
            if (column != BP_HISTORY_SECONDS && !are_close(u, v, tolerance)) {
                fail_msg("%s: epoch %zu: %s is %.17g and %.17g", what, epoch, bp_history_name((bp_history)column), u, v);
            }
        }
    }
    real *theta_a = parameters(a->net), *theta_b = parameters(b->net);
    for (size_t i = 0; i < count; i++) {
        if (!are_close((double)theta_a[i], (double)theta_b[i], tolerance)) {
            fail_msg("%s: theta[%zu] is %.17g and %.17g", what, i, (double)theta_a[i], (double)theta_b[i]);
        }
    }
    free(theta_a);
    free(theta_b);
}
