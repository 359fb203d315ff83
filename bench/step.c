#include "step.h"

#include "bp/bp.h"
#include "memory.h"
#include "peer_cblas.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * ROUNDS: where the arrays happen to lie in memory moves a time by some percent, and no repetition in place shows it. So a row is measured
 * in rounds, with both sides made anew, first the one, then the other first.
 */
enum { SAMPLES = 8, CHECKED_STEPS = 2 * SAMPLES, ROUNDS = 8 };

/* Small enough that the weights stay what they are over any number of steps: every repetition does the same work. */
static const double timing_rate = 1e-9;

/* What rounding may do to the way that the weights went. Far below what a wrong term does, which is of the order of 1. */
#if BP_REAL_BITS == 32
static const double tolerance = 1e-3;
#else
static const double tolerance = 1e-11;
#endif

typedef struct run {
    const bench_shape *shape;
    real *x, *target; /* the samples, used in turn */
    real *theta;      /* the first weights */
    size_t n_theta;
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    bp_status status; /* of the latest call of libbp that failed */
    REAL(peer_cblas) * peer;
    real eta; /* the peer's learning rate */
} run;

static size_t input_count(const run *r)
{
    return r->shape->widths[0];
}

static size_t output_count(const run *r)
{
    return r->shape->widths[r->shape->n_widths - 1];
}

static void step_libbp(void *state, size_t steps)
{
    run *r = state;
    size_t n_in = input_count(r), n_out = output_count(r);
    for (size_t i = 0; i < steps; i++) {
        size_t s = i % SAMPLES;
        bp_status status = REAL(bp_net_train_step)(r->net, r->ws, r->opt, BP_LOSS_MSE, 1, r->x + s * n_in, r->target + s * n_out, NULL);
        if (status != BP_OK) {
            r->status = status; /* and on: the timing counts on as many steps as it asked for */
        }
    }
}

static void step_cblas(void *state, size_t steps)
{
    run *r = state;
    size_t n_in = input_count(r), n_out = output_count(r);
    for (size_t i = 0; i < steps; i++) {
        size_t s = i % SAMPLES;
        REAL(peer_cblas_step)(r->peer, r->eta, r->x + s * n_in, r->target + s * n_out);
    }
}

/* n numbers, uniform in [−1, 1), from a linear congruential generator (Knuth's MMIX). */
static real *random_numbers(size_t n)
{
    real *numbers = bench_allocate(n, sizeof *numbers);
    uint64_t state = n;
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (real)((double)(state >> 32) * 0x1p-31 - 1);
    }
    return numbers;
}

/* θ with weights uniform in ±√(6 / (n_in + n_out)) (Glorot, Bengio 2010) and biases 0. */
static void make_theta(run *r)
{
    const size_t *widths = r->shape->widths;
    for (size_t l = 0; l + 1 < r->shape->n_widths; l++) {
        r->n_theta += (widths[l] + 1) * widths[l + 1];
    }
    r->theta = random_numbers(r->n_theta);
    real *at = r->theta;
    for (size_t l = 0; l + 1 < r->shape->n_widths; l++) {
        size_t n_in = widths[l], n_out = widths[l + 1];
        real scale = (real)sqrt(6 / (double)(n_in + n_out));
        for (size_t i = 0; i < n_out * n_in; i++) {
            *at++ *= scale;
        }
        for (size_t i = 0; i < n_out; i++) {
            *at++ = 0;
        }
    }
}

static bp_status set_learning_rate(run *r, double eta)
{
    r->eta = (real)eta;
    return bp_optimizer_set(r->opt, BP_OPTIMIZER_LEARNING_RATE, eta);
}

static bp_status create_libbp(run *r)
{
    const bench_shape *shape = r->shape;
    bp_status status = bp_net_create(&r->net, REAL_DTYPE, input_count(r));
    for (size_t l = 1; status == BP_OK && l < shape->n_widths; l++) {
        status = bp_net_add_dense(r->net, shape->widths[l], l + 1 < shape->n_widths ? BP_ACTIVATION_TANH : BP_ACTIVATION_IDENTITY, 1);
    }
    if (status == BP_OK) {
        status = bp_net_initialize(r->net, BP_INITIALIZER_ZEROS, 0);
    }
    if (status == BP_OK) {
        status = REAL(bp_net_set_parameters)(r->net, r->theta);
    }
    if (status == BP_OK) {
        status = bp_workspace_create(&r->ws, r->net, 1);
    }
    return status == BP_OK ? bp_optimizer_create(&r->opt, BP_METHOD_SGD, r->net) : status;
}

static void create_sides(run *r, bool peer_first)
{
    if (peer_first) {
        r->peer = REAL(peer_cblas_create)(r->shape, r->theta);
    }
    r->status = create_libbp(r);
    if (!peer_first) {
        r->peer = REAL(peer_cblas_create)(r->shape, r->theta);
    }
}

static void destroy_sides(run *r)
{
    bp_optimizer_destroy(r->opt);
    bp_workspace_destroy(r->ws);
    bp_net_destroy(r->net);
    REAL(peer_cblas_destroy)(r->peer);
    r->opt = NULL;
    r->ws = NULL;
    r->net = NULL;
}

/* ‖a − b‖ / ‖a − start‖; infinite where nothing moved. */
static double deviation(size_t n, const real *start, const real *a, const real *b)
{
    double difference = 0, movement = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i], m = (double)a[i] - (double)start[i];
        difference += d * d;
        movement += m * m;
    }
    return movement > 0 ? sqrt(difference / movement) : INFINITY;
}

/* Compares W and b of each layer. The test is written so that NaN fails. */
static bool same_weights(const bench_shape *shape, const real *start, const real *a, const real *b, char *error, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < 2 * (shape->n_widths - 1); i++) {
        size_t l = i / 2, n = shape->widths[l + 1] * (i % 2 ? 1 : shape->widths[l]);
        double d = deviation(n, start + at, a + at, b + at);
        if (!(d <= tolerance)) {
            snprintf(error, size, "after %d steps %s of layer %zu differs from that of cblas by %.2g of its way; the limit is %.2g",
                     CHECKED_STEPS, i % 2 ? "b" : "W", l, d, tolerance);
            return false;
        }
        at += n;
    }
    return true;
}

/* Trains both from the same weights to the same weights. */
static bool check(run *r, char *error, size_t size)
{
    size_t widest = 1;
    for (size_t i = 0; i < r->shape->n_widths; i++) {
        widest = r->shape->widths[i] > widest ? r->shape->widths[i] : widest;
    }
    real *ours = bench_allocate(r->n_theta, sizeof *ours), *theirs = bench_allocate(r->n_theta, sizeof *theirs);
    r->status = set_learning_rate(r, 0.5 / (double)widest);
    step_libbp(r, CHECKED_STEPS);
    step_cblas(r, CHECKED_STEPS);
    if (r->status == BP_OK) {
        r->status = REAL(bp_net_get_parameters)(r->net, ours);
    }
    REAL(peer_cblas_get)(r->peer, theirs);
    bool same = r->status == BP_OK && same_weights(r->shape, r->theta, ours, theirs, error, size);
    free(ours);
    free(theirs);
    return same;
}

static bool measure_round(run *r, bool peer_first, double seconds, bench_samples *samples, char *error, size_t size)
{
    create_sides(r, peer_first);
    bool good = r->status == BP_OK && check(r, error, size);
    if (good) {
        r->status = set_learning_rate(r, timing_rate);
        bench_measure((bench_contender){step_libbp, r}, (bench_contender){step_cblas, r}, seconds, BENCH_MAX_PAIRS / ROUNDS, samples);
    }
    if (r->status != BP_OK) {
        snprintf(error, size, "%s", bp_last_error());
        good = false;
    }
    destroy_sides(r);
    return good;
}

bool REAL(bench_step)(const bench_shape *shape, double seconds, bench_timing *timing, char *error, size_t size)
{
    run r = {.shape = shape};
    r.x = random_numbers(SAMPLES * input_count(&r));
    r.target = random_numbers(SAMPLES * output_count(&r));
    make_theta(&r);
    bench_samples samples = {0};
    bool good = true;
    for (int round = 0; good && round < ROUNDS; round++) {
        good = measure_round(&r, round % 2, seconds / ROUNDS, &samples, error, size);
    }
    if (good) {
        *timing = bench_summarize(&samples);
    }
    free(r.x);
    free(r.target);
    free(r.theta);
    return good;
}
