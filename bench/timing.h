/* Several ways to do the same work, timed side by side. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stddef.h>

enum { BENCH_MAX_SIDES = 4, BENCH_MAX_REPETITIONS = 256 };

typedef struct bench_contender {
    void (*run)(void *state, size_t steps);
    void *state;
} bench_contender;

/* What was measured so far: a block of each contender for each repetition. */
typedef struct bench_samples {
    size_t n;
    double ns[BENCH_MAX_SIDES][BENCH_MAX_REPETITIONS]; /* of one step */
} bench_samples;

/* Of one contender. A spread is the interquartile range from repetition to repetition, as a part of the median. */
typedef struct bench_time {
    double ns, spread;          /* of one step, the median */
    double ratio, ratio_spread; /* to the first contender in the same repetition, the median: above 1, the first is faster */
} bench_time;

/*
 * Measures in at most max_repetitions repetitions of short blocks, one of each contender in turn, for about this many seconds: whatever
 * slows the machine down for a while then meets all. Each block follows untimed steps that bring its own weights back into the caches.
 */
void bench_measure(size_t n, const bench_contender *contenders, double seconds, size_t max_repetitions, bench_samples *samples);

void bench_times(size_t n, const bench_samples *samples, bench_time *times);

#endif
