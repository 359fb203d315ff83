#include "side_libbp.h"

#include "memory.h"
#include "net_problem.h"

#include "bp/bp.h"

#include <stdlib.h>
#include <string.h>

typedef struct libbp {
    const REAL(net_problem) * problem;
    size_t threads;
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    real *y;          /* batch × n_out, the outputs of bp_net_predict */
    bp_status status; /* of the latest call that failed */
    char failure[BENCH_ERROR_SIZE];
} libbp;

/* Keeps the first failure. A run goes on after one: the timing counts on as many steps as it asked for. */
static void note(libbp *side, bp_status status)
{
    if (status != BP_OK && side->status == BP_OK) {
        side->status = status;
        strncpy(side->failure, bp_last_error(), sizeof side->failure - 1);
    }
}

static bp_status build(libbp *side)
{
    bp_status status = REAL(net_problem_build)(side->problem, &side->net, &side->opt);
    if (status == BP_OK) {
        status = bp_workspace_create(&side->ws, side->net, side->problem->c->batch);
    }
    return status == BP_OK && side->threads > 1 ? bp_workspace_set_threads(side->ws, side->threads) : status;
}

static void destroy(void *state)
{
    libbp *side = state;
    if (side) {
        bp_optimizer_destroy(side->opt);
        bp_workspace_destroy(side->ws);
        bp_net_destroy(side->net);
        free(side->y);
        free(side);
    }
}

static void *create_with_threads(const REAL(net_problem) * problem, size_t threads)
{
    libbp *side = bench_allocate(1, sizeof *side);
    side->problem = problem;
    side->threads = threads;
    side->y = bench_allocate(side->problem->c->batch * side->problem->n_out, sizeof *side->y);
    if (build(side) != BP_OK) {
        destroy(side);
        return NULL;
    }
    return side;
}

static void *create(const void *problem)
{
    const REAL(net_problem) *p = problem;
    return create_with_threads(p, p->c->threads);
}

static void *create_alone(const void *problem)
{
    return create_with_threads(problem, 1);
}

static void set_rate(void *state, double eta)
{
    libbp *side = state;
    note(side, bp_optimizer_set(side->opt, BP_OPTIMIZER_LEARNING_RATE, eta));
}

static void step(void *state, size_t steps)
{
    libbp *side = state;
    const REAL(net_problem) *p = side->problem;
    size_t batch = p->c->batch;
    for (size_t i = 0; i < steps; i++) {
        size_t s = i * batch % p->n_samples;
        note(side, REAL(bp_net_train_step)(side->net, side->ws, side->opt, BP_LOSS_MSE, batch, p->x + s * p->n_in, p->target + s * p->n_out,
                                           NULL));
    }
}

static void online(void *state, size_t runs)
{
    libbp *side = state;
    const REAL(net_problem) *p = side->problem;
    for (size_t i = 0; i < runs; i++) {
        note(side, REAL(bp_net_train_online)(side->net, side->ws, side->opt, BP_LOSS_MSE, p->n_samples, p->x, p->target, NULL));
    }
}

static void predict(void *state, size_t runs)
{
    libbp *side = state;
    const REAL(net_problem) *p = side->problem;
    size_t batch = p->c->batch;
    for (size_t i = 0; i < runs; i++) {
        note(side, REAL(bp_net_predict)(side->net, side->ws, batch, p->x + i * batch % p->n_samples * p->n_in, side->y));
    }
}

static void weights(void *state, real *theta)
{
    libbp *side = state;
    note(side, REAL(bp_net_get_parameters)(side->net, theta));
}

static void outputs(void *state, real *y)
{
    const libbp *side = state;
    memcpy(y, side->y, side->problem->c->batch * side->problem->n_out * sizeof *y);
}

static const char *failure(const void *state)
{
    const libbp *side = state;
    return side->status == BP_OK ? NULL : side->failure;
}

const REAL(bench_side) REAL(libbp_step) = {
    .name = "libbp",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = step,
    .result = weights,
    .failure = failure,
};

const REAL(bench_side) REAL(libbp_step_alone) = {
    .name = "1 thread",
    .create = create_alone,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = step,
    .result = weights,
    .failure = failure,
};

const REAL(bench_side) REAL(libbp_online) = {
    .name = "libbp",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = online,
    .result = weights,
    .failure = failure,
};

const REAL(bench_side) REAL(libbp_predict) = {
    .name = "libbp",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = predict,
    .result = outputs,
    .failure = failure,
};
