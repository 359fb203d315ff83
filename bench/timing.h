/* Two ways to do the same work, timed side by side. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stddef.h>

typedef struct bench_contender {
    void (*run)(void *state, size_t steps);
    void *state;
} bench_contender;

enum { BENCH_MAX_PAIRS = 256 };

/* What was measured so far, a pair of blocks each. */
typedef struct bench_samples {
    size_t n;
    double ours_ns[BENCH_MAX_PAIRS], peer_ns[BENCH_MAX_PAIRS]; /* of one step */
} bench_samples;

typedef struct bench_timing {
    double ours_ns, peer_ns; /* of one step, the medians over the blocks */
    double ratio;            /* peer_ns / ours_ns: above 1, ours is faster */
    double spread;           /* of the ratio from pair to pair of blocks: interquartile range / median */
} bench_timing;

/*
 * Measures in at most max_pairs pairs of short blocks, one of ours and one of the peer, again and again for about this many seconds:
 * whatever slows the machine down for a while then meets both. Each block follows an untimed step that brings its own weights back into
 * the caches.
 */
void bench_measure(bench_contender ours, bench_contender peer, double seconds, size_t max_pairs, bench_samples *samples);

bench_timing bench_summarize(const bench_samples *samples);

#endif
