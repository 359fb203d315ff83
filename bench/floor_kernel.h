/* Loops that do nothing but what the processor is limited by, for every instruction set (BENCH_ISA) and element type. */
#ifndef BENCH_FLOOR_KERNEL_H
#define BENCH_FLOOR_KERNEL_H

#include <stddef.h>

typedef struct bench_floor_kernel {
    /* Multiplications and additions on vectors: the floating-point operations done. */
    double (*compute)(size_t rounds);
    /* Reads all of an aligned array, front to back or four quarters at a time; a multiple of BENCH_FLOOR_STRIDE bytes. */
    void (*read)(size_t bytes, const void *array);
    void (*read_quarters)(size_t bytes, const void *array);
    /* Reads and writes all of it; the values stay what they are. */
    void (*update)(size_t bytes, void *array);
} bench_floor_kernel;

enum { BENCH_FLOOR_STRIDE = 2048 };

#if defined(__x86_64__)
extern const bench_floor_kernel bench_floor_kernel_avx512_f32, bench_floor_kernel_avx512_f64;
extern const bench_floor_kernel bench_floor_kernel_avx2_f32, bench_floor_kernel_avx2_f64;
#endif
extern const bench_floor_kernel bench_floor_kernel_generic_f32, bench_floor_kernel_generic_f64;

#endif
