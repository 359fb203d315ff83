/* The suites about whole nets. */
#include "memory.h"
#include "net_problem.h"
#include "peer_cblas.h"
#include "peer_gemm.h"
#ifdef BENCH_HAVE_FANN
#include "peer_fann.h"
#endif
#include "side_epochs.h"
#include "side_libbp.h"
#include "side_sweep.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

/* Samples, or batches, that are used in turn. */
enum { BATCHES = 2, STEP_SAMPLES = 8, ONLINE_SAMPLES = 64, LARGE_ONLINE_SAMPLES = 16 };

/* Nets from here on take fewer samples, and FANN, with 12 bytes and a pointer to follow for each weight, too long. */
static const size_t large_weights = 4 << 20;

/* A contest of training: the results are the weights, W and b of each layer. */
static REAL(bench_contest) training_contest(const REAL(net_problem) * problem)
{
    const bench_shape *shape = &problem->c->shape;
    REAL(bench_contest) contest = {.problem = problem, .start = problem->theta, .samples_per_run = 1};
    size_t widest = 1;
    for (size_t l = 0; l + 1 < shape->n_widths; l++) {
        size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
        bench_part *parts = &contest.parts[contest.n_parts];
        parts[0].n = n_out * n_in;
        parts[1].n = n_out;
        snprintf(parts[0].name, sizeof parts->name, "W of layer %zu", l);
        snprintf(parts[1].name, sizeof parts->name, "b of layer %zu", l);
        contest.n_parts += 2;
        widest = n_in > widest ? n_in : widest;
        widest = n_out > widest ? n_out : widest;
    }
    contest.checking_rate = 0.5 / (double)widest;
    contest.bytes = (double)(problem->n_theta * sizeof(real));
    return contest;
}

bench_result REAL(bench_step)(const bench_case *c, double seconds)
{
    REAL(net_problem) problem = REAL(net_problem_create)(c, STEP_SAMPLES);
    REAL(bench_contest) contest = training_contest(&problem);
    contest.checked_runs = 2 * STEP_SAMPLES;
    contest.sides[contest.n_sides++] = &REAL(libbp_step);
    contest.sides[contest.n_sides++] = &REAL(cblas_step);
    contest.sides[contest.n_sides++] = &REAL(panel_step);
#ifdef BENCH_HAVE_FANN
    if (problem.n_theta < large_weights) {
        contest.sides[contest.n_sides++] = &REAL(fann_step);
    }
#endif
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

bench_result REAL(bench_online)(const bench_case *c, double seconds)
{
    size_t n_samples = bench_shape_weight_count(&c->shape) < large_weights ? ONLINE_SAMPLES : LARGE_ONLINE_SAMPLES;
    REAL(net_problem) problem = REAL(net_problem_create)(c, n_samples);
    REAL(bench_contest) contest = training_contest(&problem);
    contest.samples_per_run = n_samples;
    contest.checked_runs = 1;
    contest.sides[contest.n_sides++] = &REAL(libbp_online);
    contest.sides[contest.n_sides++] = &REAL(cblas_online);
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

bench_result REAL(bench_batch)(const bench_case *c, double seconds)
{
    REAL(net_problem) problem = REAL(net_problem_create)(c, BATCHES * c->batch);
    REAL(bench_contest) contest = training_contest(&problem);
    contest.checked_runs = 2 * BATCHES;
    contest.sides[contest.n_sides++] = &REAL(libbp_step);
    contest.sides[contest.n_sides++] = &REAL(gemm_step);
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

bench_result REAL(bench_infer)(const bench_case *c, double seconds)
{
    REAL(net_problem) problem = REAL(net_problem_create)(c, BATCHES * c->batch);
    REAL(bench_contest)
    contest = {
        .problem = &problem,
        .n_parts = 1,
        .parts = {{"y", c->batch * problem.n_out}},
        .samples_per_run = 1,
        .checked_runs = 1,
        .bytes = (double)(problem.n_theta * sizeof(real)),
    };
    contest.sides[contest.n_sides++] = &REAL(libbp_predict);
    contest.sides[contest.n_sides++] = &REAL(gemm_predict);
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

bench_result REAL(bench_threads)(const bench_case *c, double seconds)
{
    REAL(net_problem) problem = REAL(net_problem_create)(c, c->batch == 1 ? STEP_SAMPLES : BATCHES * c->batch);
    REAL(bench_contest) contest = training_contest(&problem);
    contest.checked_runs = 2 * problem.n_samples / c->batch;
    contest.sides[contest.n_sides++] = &REAL(libbp_step);
    if (c->threads > 1) {
        contest.sides[contest.n_sides++] = &REAL(libbp_step_alone);
    }
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

static bench_result run_epochs(const bench_case *c, double seconds)
{
    REAL(net_problem) problem = REAL(net_problem_create)(c, c->samples);
    REAL(bench_contest) contest = training_contest(&problem);
    contest.checked_runs = 2;
    contest.sides[contest.n_sides++] = &REAL(trainer_epochs);
    contest.sides[contest.n_sides++] = &REAL(steps_epochs);
    contest.sides[contest.n_sides++] = &REAL(bare_epochs);
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

static bench_result run_sweep(const bench_case *c, double seconds)
{
    REAL(net_problem) problem = REAL(net_problem_create)(c, 1);
    REAL(bench_contest) contest = training_contest(&problem);
    contest.checked_runs = 4;
    contest.sides[contest.n_sides++] = &REAL(adam_sweep);
    contest.sides[contest.n_sides++] = &REAL(copy_sweep);
    bench_result result = REAL(bench_contest_run)(&contest, seconds);
    REAL(net_problem_destroy)(&problem);
    return result;
}

bench_result REAL(bench_train)(const bench_case *c, double seconds)
{
    return strcmp(c->operation, "sweep") == 0 ? run_sweep(c, seconds) : run_epochs(c, seconds);
}
