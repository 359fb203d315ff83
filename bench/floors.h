/* What the machine can do at best, measured where and when it is asked for, with one thread. */
#ifndef BENCH_FLOORS_H
#define BENCH_FLOORS_H

#include "case.h"
#include "floor_kernel.h"
#include "machine.h"

#include <stdbool.h>

enum { BENCH_MAX_FLOORS = 256 };

typedef struct bench_floor {
    bp_dtype dtype;
    const char *name; /* "peak": multiplications and additions; "read", "read-write": bandwidth, each byte counted as often as it moves */
    size_t bytes;     /* of the array that is gone through again and again; 0 for peak */
    double value;     /* floating-point operations or bytes a second */
} bench_floor;

typedef struct bench_floors {
    size_t l1d, largest; /* bytes: arrays are at least half of the one and at most the other, far beyond the last cache */
    size_t n;
    bench_floor floors[BENCH_MAX_FLOORS];
    void *array;
} bench_floors;

/* Measures in the middle of each cache, in memory, and the peak, for the element types that are asked for. */
bench_floors *bench_floors_create(const bench_machine *machine, bool f32, bool f64);
void bench_floors_destroy(bench_floors *floors);

/*
 * Sets a result's floor: what a step costs at least by what it computes, or by what it moves with weights of this size, whichever takes
 * longer. None for more than one thread.
 */
void bench_floors_apply(bench_floors *floors, const bench_case *c, bench_result *result);

/* The loops on the widest vectors that this machine has. */
const bench_floor_kernel *bench_floors_kernel(bp_dtype dtype);

void bench_floors_print(const bench_floors *floors);

#endif
