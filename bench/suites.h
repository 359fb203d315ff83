/* The suites: what each measures, against whom. */
#ifndef BENCH_SUITES_H
#define BENCH_SUITES_H

#include "case.h"

#include <stdbool.h>

/* A growing list of cases. */
typedef struct bench_cases {
    size_t n, capacity;
    bench_case *cases;
} bench_cases;

typedef bench_result bench_row(const bench_case *c, double seconds);

typedef struct bench_suite {
    const char *name;
    const char *what;                                              /* a row is, for the heading of its table */
    const char *peers[BENCH_MAX_SIDES];                            /* its columns; NULL behind the last */
    const char *peer_notes;                                        /* what the peers do */
    void (*list)(bench_cases *cases, const bench_case *prototype); /* appends the cases; the prototype has suite, dtype and threads */
    bench_row *row_f32, *row_f64;
} bench_suite;

/* NULL behind the last. */
const bench_suite *bench_suite_at(size_t index);

/* NULL if there is none of this name; it need not end with a zero byte. */
const bench_suite *bench_suite_find(const char *name, size_t length);

bench_row bench_step_f32, bench_step_f64;
bench_row bench_online_f32, bench_online_f64;
bench_row bench_batch_f32, bench_batch_f64;
bench_row bench_infer_f32, bench_infer_f64;
bench_row bench_threads_f32, bench_threads_f64;
bench_row bench_train_f32, bench_train_f64;
bench_row bench_layer_f32, bench_layer_f64;
bench_row bench_io_f32, bench_io_f64;
bench_row bench_mpi; /* of either type: another program computes */

#endif
