/*
 * The operations on matrices and vectors that a net is made of, under their BLAS names: one table for each way to do them. Everything
 * above this room asks REAL(bp_kernel)() for the table in use and knows nothing of instruction sets or libraries.
 *
 * Matrices are row-major; lda, ldb, ldc are the elements from one row to the next. m, n, k are 1 … BP_MAX_DIMENSION. Operands that are
 * written overlap none that are read.
 */
#ifndef BP_KERNEL_KERNEL_H
#define BP_KERNEL_KERNEL_H

#include "core/real.h"

#include <stddef.h>

typedef enum { BP_NO_TRANSPOSE, BP_TRANSPOSE } bp_transpose;

typedef struct REAL(bp_kernel_table) {
    const char *name;

    /* y = A x + beta y. A: m × n, x: n, y: m; y is not read if beta is 0. */
    void (*gemv)(size_t m, size_t n, const real *A, size_t lda, const real *x, real beta, real *y);

    /* y = Aᵀ x. A: m × n, x: m, y: n. */
    void (*gemv_t)(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y);

    /* A = A + alpha x yᵀ. A: m × n, x: m, y: n. */
    void (*ger)(size_t m, size_t n, real alpha, const real *x, const real *y, real *A, size_t lda);

    /* C = alpha op(A) op(B) + beta C. op(A): m × k, op(B): k × n, C: m × n; C is not read if beta is 0. */
    void (*gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc);
} REAL(bp_kernel_table);

/* Plain loops: the oracle of the tests, and what runs in a build without a BLAS library. */
extern const REAL(bp_kernel_table) REAL(bp_kernel_reference);

/* OpenBLAS. */
extern const REAL(bp_kernel_table) REAL(bp_kernel_blas);

/* The table in use. */
static inline const REAL(bp_kernel_table) * REAL(bp_kernel)(void)
{
#ifdef BP_HAVE_BLAS
    return &REAL(bp_kernel_blas);
#else
    return &REAL(bp_kernel_reference);
#endif
}

#endif
