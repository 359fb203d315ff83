/* Suite layer: what happens to the weights of one n × n layer, without bias and with identity activation. */
#include "cblas_real.h"
#include "contest.h"
#include "memory.h"
#include "net_problem.h"
#include "suites.h"

#include "bp/layer.h"
#include "bp/status.h"

#include "kernel/kernel.h"
#include "net/layer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKED_RUNS = 3 };

/* Results: a vector of n, the weights, or first the one and then the other. */
typedef struct operation {
    const char *name;
    bool gives_vector, changes_W;
    void (*libbp)(void *side, size_t runs), (*cblas)(void *side, size_t runs);
} operation;

typedef struct problem {
    const operation *o;
    size_t n;
    real *start;         /* n zeros, then n × n first weights */
    real *x, *delta, *e; /* n each; for an identity activation delta is g, and e does not matter */
} problem;

/* ---- libbp: the public calls, and for fused the kernel that a training step calls ---- */

typedef struct libbp {
    const problem *p;
    bp_layer *layer;
    real eta;
    real *y; /* n, the result that is not W */
    bool failed;
} libbp;

static void libbp_destroy(void *state)
{
    libbp *side = state;
    if (side) {
        bp_layer_destroy(side->layer);
        free(side->y);
        free(side);
    }
}

static void *libbp_create(const void *state)
{
    libbp *side = bench_allocate(1, sizeof *side);
    side->p = state;
    side->y = bench_allocate(side->p->n, sizeof *side->y);
    if (bp_layer_create(&side->layer, REAL_DTYPE, side->p->n, side->p->n, BP_ACTIVATION_IDENTITY, 0) != BP_OK ||
        REAL(bp_layer_set_weights)(side->layer, side->p->start + side->p->n, NULL) != BP_OK) {
        libbp_destroy(side);
        return NULL;
    }
    return side;
}

static void libbp_set_rate(void *state, double eta)
{
    libbp *side = state;
    side->eta = (real)eta;
}

static const char *libbp_failure(const void *state)
{
    const libbp *side = state;
    return side->failed ? bp_last_error() : NULL;
}

static void libbp_result(void *state, real *result)
{
    libbp *side = state;
    if (side->p->o->gives_vector) {
        memcpy(result, side->y, side->p->n * sizeof *result);
        result += side->p->n;
    }
    if (side->p->o->changes_W) {
        side->failed |= REAL(bp_layer_get_weights)(side->layer, result, NULL) != BP_OK;
    }
}

static void libbp_forward(void *state, size_t runs)
{
    libbp *side = state;
    for (size_t i = 0; i < runs; i++) {
        side->failed |= REAL(bp_layer_forward)(side->layer, side->p->x, side->y, side->y) != BP_OK;
    }
}

static void libbp_backward(void *state, size_t runs)
{
    libbp *side = state;
    for (size_t i = 0; i < runs; i++) {
        side->failed |= REAL(bp_layer_backward)(side->layer, side->p->delta, side->y) != BP_OK;
    }
}

static void libbp_update(void *state, size_t runs)
{
    libbp *side = state;
    for (size_t i = 0; i < runs; i++) {
        side->failed |= REAL(bp_layer_update)(side->layer, side->eta, side->p->delta, side->p->e, side->p->x) != BP_OK;
    }
}

static void libbp_fused(void *state, size_t runs)
{
    libbp *side = state;
    const problem *p = side->p;
    const bp_layer_step step = {
        .m = p->n, .n = p->n, .lda = side->layer->ld, .A = side->layer->weights, .x = p->x, .g = p->delta, /* b, e and y are not used */
    };
    for (size_t i = 0; i < runs; i++) {
        REAL(bp_kernel)()->gemv_t_ger(&step, side->eta, NULL, side->y);
    }
}

/* ---- cblas ---- */

typedef struct peer {
    const problem *p;
    int n;
    real eta;
    real *W, *y;
} peer;

static void *cblas_create(const void *state)
{
    peer *side = bench_allocate(1, sizeof *side);
    side->p = state;
    side->n = (int)side->p->n;
    side->W = bench_allocate(side->p->n * side->p->n, sizeof(real));
    side->y = bench_allocate(side->p->n, sizeof(real));
    memcpy(side->W, side->p->start + side->p->n, side->p->n * side->p->n * sizeof(real));
    return side;
}

static void cblas_destroy(void *state)
{
    peer *side = state;
    if (side) {
        free(side->W);
        free(side->y);
        free(side);
    }
}

static void cblas_set_rate(void *state, double eta)
{
    peer *side = state;
    side->eta = (real)eta;
}

static void cblas_result(void *state, real *result)
{
    const peer *side = state;
    size_t n = side->p->n;
    if (side->p->o->gives_vector) {
        memcpy(result, side->y, n * sizeof *result);
        result += n;
    }
    if (side->p->o->changes_W) {
        memcpy(result, side->W, n * n * sizeof *result);
    }
}

static void cblas_forward(void *state, size_t runs)
{
    const peer *side = state;
    for (size_t i = 0; i < runs; i++) {
        CBLAS(gemv)(CblasRowMajor, CblasNoTrans, side->n, side->n, 1, side->W, side->n, side->p->x, 1, 0, side->y, 1);
    }
}

static void cblas_backward(void *state, size_t runs)
{
    const peer *side = state;
    for (size_t i = 0; i < runs; i++) {
        CBLAS(gemv)(CblasRowMajor, CblasTrans, side->n, side->n, 1, side->W, side->n, side->p->delta, 1, 0, side->y, 1);
    }
}

static void cblas_update(void *state, size_t runs)
{
    const peer *side = state;
    for (size_t i = 0; i < runs; i++) {
        CBLAS(ger)(CblasRowMajor, side->n, side->n, side->eta, side->p->delta, 1, side->p->x, 1, side->W, side->n);
    }
}

static void cblas_fused(void *state, size_t runs)
{
    for (size_t i = 0; i < runs; i++) {
        cblas_backward(state, 1);
        cblas_update(state, 1);
    }
}

/* ---- the rows ---- */

static const operation operations[] = {
    {"forward", true, false, libbp_forward, cblas_forward},
    {"backward", true, false, libbp_backward, cblas_backward},
    {"update", false, true, libbp_update, cblas_update},
    {"fused", true, true, libbp_fused, cblas_fused},
};

static const operation *find_operation(const char *name)
{
    const operation *o = operations;
    while (strcmp(o->name, name) != 0) {
        o++;
    }
    return o;
}

static problem create_problem(const operation *o, size_t n)
{
    problem p = {
        .o = o,
        .n = n,
        .start = REAL(bench_random)(n + n * n),
        .x = REAL(bench_random)(n),
        .delta = REAL(bench_random)(n),
        .e = bench_allocate(n, sizeof(real)),
    };
    memset(p.start, 0, n * sizeof *p.start);
    return p;
}

static void destroy_problem(problem *p)
{
    free(p->start);
    free(p->x);
    free(p->delta);
    free(p->e);
}

bench_result REAL(bench_layer)(const bench_case *c, double seconds)
{
    const operation *o = find_operation(c->operation);
    size_t n = c->shape.widths[0];
    problem p = create_problem(o, n);
    const REAL(bench_side) libbp = {
        .name = "libbp",
        .create = libbp_create,
        .destroy = libbp_destroy,
        .set_rate = libbp_set_rate,
        .run = o->libbp,
        .result = libbp_result,
        .failure = libbp_failure,
    };
    const REAL(bench_side) cblas = {
        .name = "cblas",
        .create = cblas_create,
        .destroy = cblas_destroy,
        .set_rate = cblas_set_rate,
        .run = o->cblas,
        .result = cblas_result,
    };
    REAL(bench_contest)
    contest = {
        .problem = &p,
        .n_sides = 2,
        .sides = {&libbp, &cblas},
        .start = o->gives_vector ? p.start : p.start + n,
        .samples_per_run = 1,
        .checked_runs = CHECKED_RUNS,
        .checking_rate = 0.5,
        .bytes = (double)(n * n * sizeof(real)),
    };
    if (o->gives_vector) {
        contest.parts[contest.n_parts++] = (bench_part){"the vector", n};
    }
    if (o->changes_W) {
        contest.parts[contest.n_parts++] = (bench_part){"W", n * n};
    }
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    destroy_problem(&p);
    return result;
}
