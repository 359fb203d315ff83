/* Several ways to do a row's work: first checked against each other, then timed. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include "case.h"

#include "core/real.h"

/* One way to do the work. problem is what the row's create function wants; side is what it made. */
typedef struct REAL(bench_side) {
    const char *name;
    void *(*create)(const void *problem); /* NULL if it fails, with libbp's sentence in bp_last_error */
    void (*destroy)(void *side);          /* NULL is allowed */
    void (*set_rate)(void *side, double eta);
    void (*run)(void *side, size_t steps);
    /* The same with all the arithmetic, where run leaves some out; NULL: run does all of it. */
    void (*run_whole)(void *side, size_t steps);
    void (*result)(void *side, real *result);
    const char *(*failure)(const void *side); /* why a call failed, or NULL; itself NULL: none can */
} REAL(bench_side);

enum { BENCH_MAX_PARTS = 2 * BENCH_MAX_WIDTHS };

/* A result is compared part by part: a layer's W, its b. */
typedef struct bench_part {
    char name[32];
    size_t n;
} bench_part;

typedef struct REAL(bench_contest) {
    const void *problem;
    size_t n_sides;
    const REAL(bench_side) * sides[BENCH_MAX_SIDES]; /* libbp first */
    size_t n_parts;
    bench_part parts[BENCH_MAX_PARTS];
    const real *start;      /* the result before the first step; NULL: zeros */
    size_t samples_per_run; /* steps that run makes when asked for one */
    size_t checked_runs;    /* before the first round */
    double checking_rate;   /* η of the check */
    double bytes;           /* of a side */
} REAL(bench_contest);

/* Measures for about this many seconds. */
bench_result REAL(bench_contest_run)(const REAL(bench_contest) * contest, double seconds);

#endif
