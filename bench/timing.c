#include "timing.h"

#include "statistics.h"

#include <stdbool.h>
#include <string.h>

enum { MIN_REPETITIONS = 3 };

/*
 * The weights that another side has driven out of the last cache do not come back at once: the cache does not drop the oldest first. A
 * step of long_step seconds needs no warm caches: it moves more than they hold, or computes for longer than it takes to fill them.
 */
enum { WARM_UP_STEPS = 3, MIN_STEPS = 4 };
static const double long_step = 2e-3;

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

static bench_summary summary_of(size_t n, const double *values)
{
    double copy[BENCH_MAX_REPETITIONS];
    memcpy(copy, values, n * sizeof *copy);
    return bench_summarize(n, copy);
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

void bench_times(size_t n, const bench_samples *samples, bench_time *times)
{
    for (size_t i = 0; i < n; i++) {
        double ratios[BENCH_MAX_REPETITIONS];
        for (size_t r = 0; r < samples->n; r++) {
            ratios[r] = samples->ns[i][r] / samples->ns[0][r];
        }
        bench_summary ns = summary_of(samples->n, samples->ns[i]), ratio = summary_of(samples->n, ratios);
        times[i] = (bench_time){ns.median, ns.spread, ratio.median, ratio.spread};
    }
}
