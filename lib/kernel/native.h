/*
 * What the native kernels' sources have in common. Each is compiled once for every instruction set (BP_ISA: generic, avx2, avx512) and
 * element type: NATIVE(name) is name_avx2_f32 and so on.
 */
#ifndef BP_KERNEL_NATIVE_H
#define BP_KERNEL_NATIVE_H

#include "kernel/kernel.h"
#include "kernel/vector.h"

#define JOIN_NAMES(a, b) a##_##b
#define JOIN(a, b) JOIN_NAMES(a, b)
#define NATIVE(name) REAL_OF(JOIN(name, BP_ISA))
#define REAL_OF(name) REAL(name)

#define INLINE static inline __attribute__((always_inline))

/* The end of a row behind its last whole vector. */
typedef struct row_end {
    size_t at;  /* where it starts */
    size_t n;   /* its elements, 0 … LANES − 1 */
    int padded; /* it may be read and written as a whole vector */
} row_end;

INLINE row_end end_of_row(size_t n, size_t lda)
{
    size_t at = n / LANES * LANES;
    return (row_end){at, n - at, lda % (64 / sizeof(real)) == 0};
}

INLINE vector load_end(const real *row, row_end end)
{
    return end.padded ? load(row + end.at) : load_partial(row + end.at, end.n);
}

INLINE void store_end(real *row, row_end end, vector v)
{
    if (end.padded) {
        store(row + end.at, v);
    } else {
        store_partial(row + end.at, v, end.n);
    }
}

void NATIVE(bp_gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A,
                     size_t lda, const real *B, size_t ldb, real beta, real *C, size_t ldc);

void NATIVE(bp_activation)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);
void NATIVE(bp_local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta, real *g);

extern const REAL(bp_kernel_table) NATIVE(bp_kernel);

#endif
