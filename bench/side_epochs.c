#include "side_epochs.h"

#include "memory.h"
#include "net_problem.h"

#include "bp/bp.h"

#include <stdlib.h>
#include <string.h>

/* Samples of on-line learning in a call, as a trainer takes them. */
enum { SEED = 1, ONLINE_SAMPLES = 256 };

typedef struct side {
    const REAL(net_problem) * problem;
    bp_net *net;
    bp_optimizer *opt;
    bp_workspace *ws;
    bp_dataset *dataset; /* the problem's samples */
    bp_trainer *trainer;
    uint64_t epochs;  /* made so far by the sides without a trainer */
    size_t *order;    /* of an epoch */
    real *x, *target; /* all samples in the order of the first epoch, or a batch */
    bp_status status; /* of the latest call that failed */
    char failure[BENCH_ERROR_SIZE];
} side;

/* Keeps the first failure. */
static void note(side *s, bp_status status)
{
    if (status != BP_OK && s->status == BP_OK) {
        s->status = status;
        strncpy(s->failure, bp_last_error(), sizeof s->failure - 1);
    }
}

/* All samples in the order of the next epoch. */
static void gather_all(side *s)
{
    size_t n = s->problem->n_samples;
    note(s, bp_random_permutation(SEED, s->epochs, n, s->order));
    note(s, REAL(bp_dataset_gather)(s->dataset, n, s->order, s->x, s->target));
}

static bp_status build(side *s)
{
    const REAL(net_problem) *p = s->problem;
    bp_status status = REAL(net_problem_build)(p, &s->net, &s->opt);
    if (status == BP_OK) {
        status = bp_workspace_create(&s->ws, s->net, p->c->batch);
    }
    if (status == BP_OK && p->c->threads > 1) {
        status = bp_workspace_set_threads(s->ws, p->c->threads);
    }
    if (status == BP_OK) {
        status = REAL(bp_dataset_borrow)(&s->dataset, p->n_samples, p->n_in, p->n_out, p->x, p->target);
    }
    if (status == BP_OK) {
        status = bp_trainer_create(&s->trainer, s->net, s->opt, BP_LOSS_MSE, s->dataset);
    }
    if (status == BP_OK) {
        note(s, bp_trainer_set(s->trainer, BP_TRAINER_SEED, SEED));
        note(s, bp_trainer_set(s->trainer, BP_TRAINER_BATCH_SIZE, (double)p->c->batch));
        note(s, bp_trainer_set(s->trainer, BP_TRAINER_THREADS, (double)p->c->threads));
        gather_all(s);
    }
    return status;
}

static void destroy(void *state)
{
    side *s = state;
    if (s) {
        bp_trainer_destroy(s->trainer);
        bp_dataset_destroy(s->dataset);
        bp_workspace_destroy(s->ws);
        bp_optimizer_destroy(s->opt);
        bp_net_destroy(s->net);
        free(s->order);
        free(s->x);
        free(s->target);
        free(s);
    }
}

static void *create(const void *problem)
{
    const REAL(net_problem) *p = problem;
    side *s = bench_allocate(1, sizeof *s);
    s->problem = p;
    s->order = bench_allocate(p->n_samples, sizeof *s->order);
    s->x = bench_allocate(p->n_samples * p->n_in, sizeof *s->x);
    s->target = bench_allocate(p->n_samples * p->n_out, sizeof *s->target);
    if (build(s) != BP_OK) {
        destroy(s);
        return NULL;
    }
    return s;
}

static void set_rate(void *state, double eta)
{
    side *s = state;
    note(s, bp_optimizer_set(s->opt, BP_OPTIMIZER_LEARNING_RATE, eta));
}

static void run_trainer(void *state, size_t epochs)
{
    side *s = state;
    note(s, bp_trainer_set(s->trainer, BP_TRAINER_EPOCHS, (double)(bp_trainer_epoch_count(s->trainer) + epochs)));
    note(s, bp_trainer_run(s->trainer));
}

static size_t samples_per_call(const side *s)
{
    return s->problem->c->batch == 1 ? ONLINE_SAMPLES : s->problem->c->batch;
}

/* Learns from n samples, a batch or some of on-line learning. */
static void learn(side *s, size_t n, const real *x, const real *target)
{
    real loss;
    if (s->problem->c->batch == 1) {
        note(s, REAL(bp_net_train_online)(s->net, s->ws, s->opt, BP_LOSS_MSE, n, x, target, &loss));
    } else {
        note(s, REAL(bp_net_train_step)(s->net, s->ws, s->opt, BP_LOSS_MSE, n, x, target, &loss));
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void run_steps(void *state, size_t epochs)
{
    side *s = state;
    size_t n = s->problem->n_samples, most = samples_per_call(s);
    for (size_t e = 0; e < epochs; e++) {
        note(s, bp_random_permutation(SEED, s->epochs++, n, s->order));
        for (size_t i = 0; i < n; i += most) {
            size_t taken = least(most, n - i);
            note(s, REAL(bp_dataset_gather)(s->dataset, taken, s->order + i, s->x, s->target));
            learn(s, taken, s->x, s->target);
        }
    }
}

static void run_bare(void *state, size_t epochs)
{
    side *s = state;
    const REAL(net_problem) *p = s->problem;
    size_t most = samples_per_call(s);
    for (size_t e = 0; e < epochs; e++) {
        for (size_t i = 0; i < p->n_samples; i += most) {
            learn(s, least(most, p->n_samples - i), s->x + i * p->n_in, s->target + i * p->n_out);
        }
    }
}

static void run_bare_in_new_orders(void *state, size_t epochs)
{
    side *s = state;
    for (size_t e = 0; e < epochs; e++) {
        gather_all(s);
        run_bare(s, 1);
        s->epochs++;
    }
}

static void weights(void *state, real *theta)
{
    side *s = state;
    note(s, REAL(bp_net_get_parameters)(s->net, theta));
}

static const char *failure(const void *state)
{
    const side *s = state;
    return s->status == BP_OK ? NULL : s->failure;
}

const REAL(bench_side) REAL(trainer_epochs) = {
    .name = "libbp",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = run_trainer,
    .result = weights,
    .failure = failure,
};

const REAL(bench_side) REAL(steps_epochs) = {
    .name = "steps",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = run_steps,
    .result = weights,
    .failure = failure,
};

const REAL(bench_side) REAL(bare_epochs) = {
    .name = "bare",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = run_bare,
    .run_whole = run_bare_in_new_orders,
    .result = weights,
    .failure = failure,
};
