/* What a row measures, and what came out. */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include "shapes.h"
#include "timing.h"

#include "bp/dtype.h"

enum { BENCH_ERROR_SIZE = 256, BENCH_GROUP_SIZE = 128, BENCH_LABEL_SIZE = 192 };

typedef struct bench_case {
    const char *suite;
    bench_shape shape;
    const char *operation; /* of a single layer; else NULL */
    const char *method;    /* of training; else NULL */
    bp_dtype dtype;
    size_t batch, threads;
    size_t ranks;   /* of MPI, where a row has them; else 0 */
    size_t samples; /* of an epoch, where a row is one; else 0 */
    double bytes;   /* of a file, where a row is about one; else 0 */
} bench_case;

typedef struct bench_result {
    size_t n_sides, repetitions;
    const char *names[BENCH_MAX_SIDES]; /* libbp first */
    bench_time times[BENCH_MAX_SIDES];
    const char *floor_name;       /* what limits a step (floors.h), or NULL */
    double floor_ns;              /* what it takes at least */
    char error[BENCH_ERROR_SIZE]; /* "" if all went well; else the rest does not count */
} bench_result;

/* What the row's name says beside the shape: "", " B=32 adam", "fused". */
void bench_case_group(const bench_case *c, char group[BENCH_GROUP_SIZE]);

/* The row's name for people and for --filter, without suite and dtype: "784-100-10 B=32 adam". */
void bench_case_label(const bench_case *c, char label[BENCH_LABEL_SIZE]);

/* The least that any program must do for one step, or an epoch, of this case. */
typedef struct bench_cost {
    double flops;        /* multiplications with weights, and their additions */
    double read_bytes;   /* of weights that are only read */
    double update_bytes; /* of weights that are read and written, both counted */
    double weight_bytes; /* the weights themselves, and the optimizer's state */
} bench_cost;

bench_cost bench_case_cost(const bench_case *c);

#endif
