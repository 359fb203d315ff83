#include "floors.h"

#include "memory.h"
#include "statistics.h"

#include "kernel/cpu.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A floor is the best of short blocks, for about this many seconds; longer where more memory is gone through. */
static const double measuring = 8e-3, measuring_large = 40e-3, shortest_block = 100e-6;
enum { MIN_BLOCKS = 3, LARGE = 1 << 20 };

/* Widest first. */
static const struct {
    const bench_floor_kernel *f32, *f64;
    bool (*runs)(void);
} kernels[] = {
#if defined(__x86_64__)
    {&bench_floor_kernel_avx512_f32, &bench_floor_kernel_avx512_f64, bp_cpu_has_avx512},
    {&bench_floor_kernel_avx2_f32, &bench_floor_kernel_avx2_f64, bp_cpu_has_avx2},
#endif
    {&bench_floor_kernel_generic_f32, &bench_floor_kernel_generic_f64, NULL},
};

static bool runs(size_t i)
{
    return !kernels[i].runs || kernels[i].runs();
}

static const char peak[] = "peak", read[] = "read", read_write[] = "read-write";

/* One way to get at a limit. It does so this many times and returns the operations or bytes. */
typedef double way(const bench_floor_kernel *kernel, size_t times, size_t bytes, void *array);

static double compute(const bench_floor_kernel *kernel, size_t times, size_t bytes, void *array)
{
    (void)bytes;
    (void)array;
    return kernel->compute(times);
}

static double read_front_to_back(const bench_floor_kernel *kernel, size_t times, size_t bytes, void *array)
{
    for (size_t i = 0; i < times; i++) {
        kernel->read(bytes, array);
    }
    return (double)bytes * (double)times;
}

static double read_in_quarters(const bench_floor_kernel *kernel, size_t times, size_t bytes, void *array)
{
    for (size_t i = 0; i < times; i++) {
        kernel->read_quarters(bytes, array);
    }
    return (double)bytes * (double)times;
}

static double update(const bench_floor_kernel *kernel, size_t times, size_t bytes, void *array)
{
    for (size_t i = 0; i < times; i++) {
        kernel->update(bytes, array);
    }
    return 2 * (double)bytes * (double)times;
}

/* The best block's operations or bytes a second. */
static double best_rate(way *perform, const bench_floor_kernel *kernel, size_t bytes, void *array)
{
    double best = 0, start = bench_now(), end = start + (bytes < LARGE ? measuring : measuring_large);
    size_t times = 1;
    for (size_t blocks = 0; blocks < MIN_BLOCKS || bench_now() < end; blocks++) {
        double begin = bench_now(), done = perform(kernel, times, bytes, array), seconds = bench_now() - begin;
        best = fmax(best, done / seconds);
        times *= seconds < shortest_block ? 2 : 1;
    }
    return best;
}

/* Some processors do as many operations a second with narrower vectors, or more. */
static double measure_peak(bp_dtype dtype)
{
    double best = 0;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (runs(i)) {
            best = fmax(best, best_rate(compute, dtype == BP_F32 ? kernels[i].f32 : kernels[i].f64, 0, NULL));
        }
    }
    return best;
}

const bench_floor_kernel *bench_floors_kernel(bp_dtype dtype)
{
    size_t i = 0;
    while (!runs(i)) {
        i++;
    }
    return dtype == BP_F32 ? kernels[i].f32 : kernels[i].f64;
}

static double measure_bandwidth(const char *name, bp_dtype dtype, size_t bytes, void *array)
{
    const bench_floor_kernel *kernel = bench_floors_kernel(dtype);
    if (name == read_write) {
        return best_rate(update, kernel, bytes, array);
    }
    return fmax(best_rate(read_front_to_back, kernel, bytes, array), best_rate(read_in_quarters, kernel, bytes, array));
}

static double find(bench_floors *floors, const char *name, bp_dtype dtype, size_t bytes)
{
    if (name != peak) {
        bytes = bytes < floors->l1d / 2 ? floors->l1d / 2 : bytes > floors->largest ? floors->largest : bytes;
        bytes = (bytes + BENCH_FLOOR_STRIDE - 1) / BENCH_FLOOR_STRIDE * BENCH_FLOOR_STRIDE;
    }
    for (size_t i = 0; i < floors->n; i++) {
        const bench_floor *floor = &floors->floors[i];
        if (floor->name == name && floor->dtype == dtype && floor->bytes == bytes) {
            return floor->value;
        }
    }
    double value = name == peak ? measure_peak(dtype) : measure_bandwidth(name, dtype, bytes, floors->array);
    if (floors->n < BENCH_MAX_FLOORS) {
        floors->floors[floors->n++] = (bench_floor){dtype, name, bytes, value};
    }
    return value;
}

static void measure_standard(bench_floors *floors, const bench_machine *machine, bp_dtype dtype)
{
    const size_t sizes[] = {machine->l1d / 2, machine->l2 / 2, machine->l3 / 2, floors->largest};
    find(floors, peak, dtype, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i] > 0) {
            find(floors, read, dtype, sizes[i]);
            find(floors, read_write, dtype, sizes[i]);
        }
    }
}

bench_floors *bench_floors_create(const bench_machine *machine, bool f32, bool f64)
{
    size_t last = machine->l3 ? machine->l3 : machine->l2;
    bench_floors *floors = bench_allocate(1, sizeof *floors);
    floors->l1d = machine->l1d ? machine->l1d : 32 << 10;
    floors->largest = 4 * (last > 16 << 20 ? last : 16 << 20);
    floors->array = bench_allocate(floors->largest + BENCH_FLOOR_STRIDE, 1);
    if (f32) {
        measure_standard(floors, machine, BP_F32);
    }
    if (f64) {
        measure_standard(floors, machine, BP_F64);
    }
    return floors;
}

void bench_floors_destroy(bench_floors *floors)
{
    if (floors) {
        free(floors->array);
        free(floors);
    }
}

void bench_floors_apply(bench_floors *floors, const bench_case *c, bench_result *result)
{
    if (c->threads > 1 || c->ranks > 0 || result->error[0]) {
        return;
    }
    bench_cost cost = bench_case_cost(c);
    size_t bytes = (size_t)cost.weight_bytes;
    double computing = cost.flops / find(floors, peak, c->dtype, 0);
    double moving = cost.read_bytes > 0 ? cost.read_bytes / find(floors, read, c->dtype, bytes) : 0;
    if (cost.update_bytes > 0) {
        moving += cost.update_bytes / find(floors, read_write, c->dtype, bytes);
    }
    result->floor_name = computing > moving ? peak : cost.update_bytes > 0 ? read_write : read;
    result->floor_ns = 1e9 * fmax(computing, moving);
}

void bench_floors_print(const bench_floors *floors)
{
    printf("\nfloors, one thread:");
    for (size_t i = 0; i < floors->n; i++) {
        const bench_floor *floor = &floors->floors[i];
        if (floor->bytes == 0) {
            printf("\n  %s  peak %.1f GFLOP/s", bp_dtype_name(floor->dtype), floor->value / 1e9);
        } else if (floor->name == read) {
            printf("; %zu KiB: read %.1f", floor->bytes >> 10, floor->value / 1e9);
        } else {
            printf(", read-write %.1f GB/s", floor->value / 1e9);
        }
    }
    printf("\n");
}
