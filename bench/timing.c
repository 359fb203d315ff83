#include "timing.h"

#include <stdlib.h>
#include <time.h>

enum { MIN_PAIRS = 3 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds that a block of steps takes, after one untimed step. */
static double time_block(bench_contender contender, size_t steps)
{
    contender.run(contender.state, 1);
    double start = now();
    contender.run(contender.state, steps);
    return now() - start;
}

/* How many steps take this many seconds; 1 if a single one takes longer. */
static size_t steps_for(bench_contender contender, double seconds)
{
    size_t steps = 1;
    double taken;
    while ((taken = time_block(contender, steps)) < seconds / 2) {
        steps *= 2;
    }
    double exact = (double)steps * seconds / taken;
    return exact < 1 ? 1 : (size_t)exact;
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

void bench_measure(bench_contender ours, bench_contender peer, double seconds, size_t max_pairs, bench_samples *samples)
{
    double measured = 0;
    size_t steps = steps_for(ours, seconds / (2 * (double)max_pairs));
    for (size_t pairs = 0; pairs < max_pairs && (pairs < MIN_PAIRS || measured < seconds); pairs++) {
        double a = time_block(ours, steps), b = time_block(peer, steps);
        measured += a + b;
        samples->ours_ns[samples->n] = 1e9 * a / (double)steps;
        samples->peer_ns[samples->n] = 1e9 * b / (double)steps;
        samples->n++;
    }
}

bench_timing bench_summarize(const bench_samples *samples)
{
    size_t n = samples->n;
    bench_samples sorted = *samples;
    double ratios[BENCH_MAX_PAIRS];
    for (size_t i = 0; i < n; i++) {
        ratios[i] = samples->peer_ns[i] / samples->ours_ns[i];
    }
    qsort(sorted.ours_ns, n, sizeof(double), compare);
    qsort(sorted.peer_ns, n, sizeof(double), compare);
    qsort(ratios, n, sizeof(double), compare);

    bench_timing timing = {.ours_ns = quantile(n, sorted.ours_ns, 0.5), .peer_ns = quantile(n, sorted.peer_ns, 0.5)};
    timing.ratio = timing.peer_ns / timing.ours_ns;
    timing.spread = (quantile(n, ratios, 0.75) - quantile(n, ratios, 0.25)) / quantile(n, ratios, 0.5);
    return timing;
}
