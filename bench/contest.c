#include "contest.h"

#include "memory.h"

#include "bp/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Where the arrays happen to lie in memory moves a time by some percent, and no repetition in place shows it. So a row is measured in
 * rounds, with all sides made anew, each time in another order. Arrays that no cache holds lie equally badly everywhere.
 */
enum { MAX_ROUNDS = 8, LARGE_ROUNDS = 2 };
static const double large_bytes = 32 << 20;

/* Small enough that the weights stay what they are over any number of steps: every repetition does the same work. */
static const double timing_rate = 1e-9;

/* What rounding may do to the way that a result went. Far below what a wrong term does, which is of the order of 1. */
#if BP_REAL_BITS == 32
static const double tolerance = 1e-2;
#else
static const double tolerance = 1e-11;
#endif

typedef struct run {
    const REAL(bench_contest) * contest;
    void *sides[BENCH_MAX_SIDES];
    char *error;
} run;

static void create_sides(run *r, size_t first)
{
    size_t n = r->contest->n_sides;
    for (size_t k = 0; k < n && !r->error[0]; k++) {
        size_t i = (first + k) % n;
        r->sides[i] = r->contest->sides[i]->create(r->contest->problem);
        if (!r->sides[i]) {
            snprintf(r->error, BENCH_ERROR_SIZE, "%s: %s", r->contest->sides[i]->name, bp_last_error());
        }
    }
}

static void destroy_sides(run *r)
{
    for (size_t i = 0; i < r->contest->n_sides; i++) {
        r->contest->sides[i]->destroy(r->sides[i]);
        r->sides[i] = NULL;
    }
}

static void set_rate(run *r, double eta)
{
    for (size_t i = 0; i < r->contest->n_sides; i++) {
        r->contest->sides[i]->set_rate(r->sides[i], eta);
    }
}

static void find_failure(run *r)
{
    for (size_t i = 0; i < r->contest->n_sides && !r->error[0]; i++) {
        const REAL(bench_side) *side = r->contest->sides[i];
        const char *failure = side->failure ? side->failure(r->sides[i]) : NULL;
        if (failure) {
            snprintf(r->error, BENCH_ERROR_SIZE, "%s: %s", side->name, failure);
        }
    }
}

/* ‖a − b‖ / ‖a − start‖; infinite where nothing moved. start NULL: zeros. */
static double deviation(size_t n, const real *start, const real *a, const real *b)
{
    double difference = 0, movement = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i], m = (double)a[i] - (start ? (double)start[i] : 0);
        difference += d * d;
        movement += m * m;
    }
    return movement > 0 ? sqrt(difference / movement) : INFINITY;
}

/* Is theirs, the result of side i, libbp's? The test is written so that NaN fails. */
static void compare_results(run *r, size_t i, size_t runs, const real *ours, const real *theirs)
{
    const REAL(bench_contest) *contest = r->contest;
    size_t at = 0;
    for (size_t p = 0; p < contest->n_parts && !r->error[0]; p++) {
        const bench_part *part = &contest->parts[p];
        double d = deviation(part->n, contest->start ? contest->start + at : NULL, ours + at, theirs + at);
        if (!(d <= tolerance)) {
            snprintf(r->error, BENCH_ERROR_SIZE, "after %zu steps %s differs from that of %s by %.2g of its way; the limit is %.2g",
                     runs * contest->samples_per_run, part->name, contest->sides[i]->name, d, tolerance);
        }
        at += part->n;
    }
}

/* Lets every side do the same from the same start, and compares where they come to. */
static void check(run *r, size_t runs)
{
    const REAL(bench_contest) *contest = r->contest;
    size_t n = 0;
    for (size_t p = 0; p < contest->n_parts; p++) {
        n += contest->parts[p].n;
    }
    real *ours = bench_allocate(n, sizeof *ours), *theirs = bench_allocate(n, sizeof *theirs);
    set_rate(r, contest->checking_rate);
    for (size_t i = 0; i < contest->n_sides && !r->error[0]; i++) {
        const REAL(bench_side) *side = contest->sides[i];
        (side->run_whole ? side->run_whole : side->run)(r->sides[i], runs);
        side->result(r->sides[i], i ? theirs : ours);
        find_failure(r);
        if (i > 0) {
            compare_results(r, i, runs, ours, theirs);
        }
    }
    free(ours);
    free(theirs);
}

static void measure(run *r, double seconds, size_t max_repetitions, bench_samples *samples)
{
    bench_contender contenders[BENCH_MAX_SIDES];
    for (size_t i = 0; i < r->contest->n_sides; i++) {
        contenders[i] = (bench_contender){r->contest->sides[i]->run, r->sides[i]};
    }
    set_rate(r, timing_rate);
    bench_measure(r->contest->n_sides, contenders, seconds, max_repetitions, samples);
    find_failure(r);
}

static void summarize(const REAL(bench_contest) * contest, const bench_samples *samples, bench_result *result)
{
    result->n_sides = contest->n_sides;
    result->repetitions = samples->n;
    bench_times(contest->n_sides, samples, result->times);
    for (size_t i = 0; i < contest->n_sides; i++) {
        result->names[i] = contest->sides[i]->name;
        result->times[i].ns /= (double)contest->samples_per_run;
    }
}

bench_result REAL(bench_contest_run)(const REAL(bench_contest) * contest, double seconds)
{
    bench_result result = {0};
    run r = {.contest = contest, .error = result.error};
    bench_samples samples = {0};
    size_t rounds = contest->bytes < large_bytes ? MAX_ROUNDS : LARGE_ROUNDS;
    for (size_t round = 0; round < rounds && !result.error[0]; round++) {
        create_sides(&r, round);
        if (!result.error[0]) {
            check(&r, round == 0 ? contest->checked_runs : 1);
        }
        if (!result.error[0]) {
            measure(&r, seconds / (double)rounds, BENCH_MAX_REPETITIONS / rounds, &samples);
        }
        destroy_sides(&r);
    }
    if (!result.error[0]) {
        summarize(contest, &samples, &result);
    }
    return result;
}
