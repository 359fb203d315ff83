#include "timing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MIN_REPETITIONS = 3 };

/*
 * The weights that another side has driven out of the last cache do not come back at once: the cache does not drop the oldest first. A
 * step of long_step seconds needs no warm caches: it moves more than they hold, or computes for longer than it takes to fill them.
 */
enum { WARM_UP_STEPS = 3, MIN_STEPS = 4 };
static const double long_step = 2e-3;

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double time_steps(bench_contender contender, size_t steps)
{
    double start = bench_now();
    contender.run(contender.state, steps);
    return bench_now() - start;
}

typedef struct block {
    size_t warm_up, steps;
} block;

/* A block of about this many seconds, but of some steps at least; of a single step if that is long. */
static block plan_block(bench_contender contender, double seconds)
{
    size_t steps = 1;
    double taken;
    while ((taken = time_steps(contender, steps)) < seconds / 2) {
        steps *= 2;
    }
    double step = taken / (double)steps, fitting = seconds / step;
    size_t least = step < long_step ? MIN_STEPS : 1;
    return (block){.warm_up = step < long_step ? WARM_UP_STEPS : 0, .steps = fitting > (double)least ? (size_t)fitting : least};
}

static double time_block(bench_contender contender, block b)
{
    contender.run(contender.state, b.warm_up);
    return time_steps(contender, b.steps);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which this fraction of n sorted numbers lies, interpolated. */
static double quantile(size_t n, const double *sorted, double fraction)
{
    double at = fraction * (double)(n - 1);
    size_t i = (size_t)at;
    double next = i + 1 < n ? sorted[i + 1] : sorted[i];
    return sorted[i] + (at - (double)i) * (next - sorted[i]);
}

static void median_and_spread(size_t n, const double *values, double *median, double *spread)
{
    double sorted[BENCH_MAX_REPETITIONS];
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    *median = quantile(n, sorted, 0.5);
    *spread = (quantile(n, sorted, 0.75) - quantile(n, sorted, 0.25)) / *median;
}

void bench_measure(size_t n, const bench_contender *contenders, double seconds, size_t max_repetitions, bench_samples *samples)
{
    block blocks[BENCH_MAX_SIDES];
    for (size_t i = 0; i < n; i++) {
        blocks[i] = plan_block(contenders[i], seconds / (double)(n * max_repetitions));
    }
    double start = bench_now();
    for (size_t r = 0; r < max_repetitions && (r < MIN_REPETITIONS || bench_now() - start < seconds); r++) {
        for (size_t k = 0; k < n; k++) {
            size_t i = (k + r) % n; /* so that nobody always comes behind the same one */
            samples->ns[i][samples->n] = 1e9 * time_block(contenders[i], blocks[i]) / (double)blocks[i].steps;
        }
        samples->n++;
    }
}

void bench_summarize(size_t n, const bench_samples *samples, bench_time *times)
{
    for (size_t i = 0; i < n; i++) {
        double ratios[BENCH_MAX_REPETITIONS];
        for (size_t r = 0; r < samples->n; r++) {
            ratios[r] = samples->ns[i][r] / samples->ns[0][r];
        }
        median_and_spread(samples->n, samples->ns[i], &times[i].ns, &times[i].spread);
        median_and_spread(samples->n, ratios, &times[i].ratio, &times[i].ratio_spread);
    }
}
