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
#define SEPARATE static __attribute__((noinline)) /* so that others need not make room for its registers */

INLINE size_t at_most(size_t limit, size_t n)
{
    return n < limit ? n : limit;
}

/* where condition (all bits of a lane 1 or 0) a, else b */
INLINE vector choose(integer_vector condition, vector a, vector b)
{
    return (vector)((condition & (integer_vector)a) | (~condition & (integer_vector)b));
}

INLINE vector absolute(vector e)
{
    return choose(e < 0, -e, e);
}

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

/* A padded row as nothing but whole vectors. */
INLINE row_end whole_row(size_t n)
{
    return (row_end){(n + LANES - 1) / LANES * LANES, 0, 1};
}

/* y = f(e), and g = δ ⊙ f′(e) with y = f(e), of a vector each; NULL for the identity, and for softmax, which is none of one vector */
typedef struct NATIVE(bp_vector_activation) {
    vector (*f)(vector e);
    vector (*gradient)(vector e, vector y, vector delta);
} NATIVE(bp_vector_activation);

extern const NATIVE(bp_vector_activation) NATIVE(bp_vector_activations)[];

void NATIVE(bp_activation)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);
void NATIVE(bp_local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta, real *g);

double NATIVE(bp_loss)(bp_loss loss, bool local, size_t batch, size_t n, const real *e, const real *y, const real *target,
                       const real *weights, real *delta);

void NATIVE(bp_gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A,
                     size_t lda, const real *B, size_t ldb, real beta, real *C, size_t ldc);

void NATIVE(bp_method)(bp_method method, const REAL(bp_method_step) * step, const REAL(bp_method_rows) * rows);
double NATIVE(bp_clip)(size_t n, real limit, real *x);

extern const REAL(bp_kernel_table) NATIVE(bp_kernel);

#endif
