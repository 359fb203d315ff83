#include "side_sweep.h"

#include "floors.h"
#include "memory.h"
#include "net_problem.h"

#include "bp/bp.h"

#include "net/workspace.h"
#include "train/optimizer_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- libbp ---- */

typedef struct libbp {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    bool failed;
} libbp;

static void libbp_destroy(void *state)
{
    libbp *side = state;
    if (side) {
        bp_workspace_destroy(side->ws);
        bp_optimizer_destroy(side->opt);
        bp_net_destroy(side->net);
        free(side);
    }
}

/* Puts n random numbers where a layer's vector is. */
static void fill(real *vector, size_t n)
{
    real *numbers = REAL(bench_random)(n);
    memcpy(vector, numbers, n * sizeof *vector);
    free(numbers);
}

static void *libbp_create(const void *problem)
{
    libbp *side = bench_allocate(1, sizeof *side);
    if (REAL(net_problem_build)(problem, &side->net, &side->opt) != BP_OK || bp_workspace_create(&side->ws, side->net, 1) != BP_OK) {
        libbp_destroy(side);
        return NULL;
    }
    bp_layer_step *layers = side->ws->layers;
    layers[0].x = side->ws->input;
    for (size_t l = 0; l < side->net->n_layers; l++) {
        fill(l ? layers[l - 1].y : side->ws->input, layers[l].n);
        fill(layers[l].g, layers[l].m);
    }
    return side;
}

static void libbp_set_rate(void *state, double eta)
{
    libbp *side = state;
    side->failed |= bp_optimizer_set(side->opt, BP_OPTIMIZER_LEARNING_RATE, eta) != BP_OK;
}

static void libbp_run(void *state, size_t runs)
{
    libbp *side = state;
    bp_training training = {.opt = side->opt, .net = side->net};
    const REAL(bp_pass) pass = {.net = side->net, .ws = side->ws, .batch = 1};
    for (size_t i = 0; i < runs; i++) {
        REAL(bp_optimizer_begin)(side->opt);
        for (size_t l = side->net->n_layers; l-- > 0;) {
            REAL(bp_optimizer_take)(&training, &pass, l, (bp_range){0, side->ws->layers[l].m}, BP_PASS_BOTH);
        }
    }
}

static void libbp_result(void *state, real *theta)
{
    libbp *side = state;
    side->failed |= REAL(bp_net_get_parameters)(side->net, theta) != BP_OK;
}

static const char *libbp_failure(const void *state)
{
    const libbp *side = state;
    return side->failed ? bp_last_error() : NULL;
}

/* ---- reading and writing ---- */

typedef struct copy {
    const REAL(net_problem) * problem;
    size_t bytes;
    void *array; /* of so many */
    real eta;
    int t; /* steps so far */
    real *theta, *m, *v;
} copy;

static void *copy_create(const void *state)
{
    const REAL(net_problem) *p = state;
    copy *side = bench_allocate(1, sizeof *side);
    side->problem = p;
    side->bytes = (3 * p->n_theta * sizeof(real) + BENCH_FLOOR_STRIDE - 1) / BENCH_FLOOR_STRIDE * BENCH_FLOOR_STRIDE;
    side->array = bench_allocate(side->bytes, 1);
    side->theta = bench_allocate(p->n_theta, sizeof(real));
    side->m = bench_allocate(p->n_theta, sizeof(real));
    side->v = bench_allocate(p->n_theta, sizeof(real));
    memcpy(side->theta, p->theta, p->n_theta * sizeof(real));
    return side;
}

static void copy_destroy(void *state)
{
    copy *side = state;
    if (side) {
        free(side->array);
        free(side->theta);
        free(side->m);
        free(side->v);
        free(side);
    }
}

static void copy_set_rate(void *state, double eta)
{
    copy *side = state;
    side->eta = (real)eta;
}

static void copy_run(void *state, size_t runs)
{
    const copy *side = state;
    const bench_floor_kernel *kernel = bench_floors_kernel(REAL_DTYPE);
    for (size_t i = 0; i < runs; i++) {
        kernel->update(side->bytes, side->array);
    }
}

/* Kingma, Ba 2015, algorithm 1, for parameter i. */
static void adam(copy *side, size_t i, double gradient)
{
    double m = 0.9 * (double)side->m[i] + 0.1 * gradient, v = 0.999 * (double)side->v[i] + 0.001 * gradient * gradient;
    side->m[i] = (real)m;
    side->v[i] = (real)v;
    double mean = m / (1 - pow(0.9, side->t)), square = v / (1 - pow(0.999, side->t));
    side->theta[i] -= (real)((double)side->eta * mean / (sqrt(square) + 1e-8));
}

/* W by −g xᵀ, b by −g */
static void adam_of_layer(copy *side, size_t first, size_t n_out, size_t n_in)
{
    real *x = REAL(bench_random)(n_in), *g = REAL(bench_random)(n_out);
    for (size_t i = 0; i < n_out; i++) {
        for (size_t j = 0; j < n_in; j++) {
            adam(side, first + i * n_in + j, -(double)g[i] * (double)x[j]);
        }
        adam(side, first + n_out * n_in + i, -(double)g[i]);
    }
    free(x);
    free(g);
}

static void copy_run_whole(void *state, size_t runs)
{
    copy *side = state;
    const bench_shape *shape = &side->problem->c->shape;
    for (size_t run = 0; run < runs; run++) {
        side->t++;
        size_t first = 0;
        for (size_t l = 0; l + 1 < shape->n_widths; l++) {
            size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
            adam_of_layer(side, first, n_out, n_in);
            first += n_out * (n_in + 1);
        }
    }
}

static void copy_result(void *state, real *theta)
{
    const copy *side = state;
    memcpy(theta, side->theta, side->problem->n_theta * sizeof *theta);
}

const REAL(bench_side) REAL(adam_sweep) = {
    .name = "libbp",
    .create = libbp_create,
    .destroy = libbp_destroy,
    .set_rate = libbp_set_rate,
    .run = libbp_run,
    .result = libbp_result,
    .failure = libbp_failure,
};

const REAL(bench_side) REAL(copy_sweep) = {
    .name = "copy",
    .create = copy_create,
    .destroy = copy_destroy,
    .set_rate = copy_set_rate,
    .run = copy_run,
    .run_whole = copy_run_whole,
    .result = copy_result,
};
