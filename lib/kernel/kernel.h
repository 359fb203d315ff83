/*
 * The operations on matrices and vectors that a net is made of, under their BLAS names: a table of functions for each way to do them.
 * Everything above this room asks REAL(bp_kernel)() for the table in use and knows nothing of instruction sets or libraries.
 *
 * Matrices are row-major; lda, ldb, ldc are the elements from one row to the next. m, n, k are 1 … BP_MAX_DIMENSION. Operands that are
 * written overlap none that are read. If lda is a multiple of a cache line, all lda elements of a row belong to the matrix, and those beyond
 * n are 0 and stay 0. Vectors need no padding and no alignment.
 */
#ifndef BP_KERNEL_KERNEL_H
#define BP_KERNEL_KERNEL_H

#include "bp/activation.h"

#include "core/real.h"

#include <stddef.h>

typedef enum { BP_NO_TRANSPOSE, BP_TRANSPOSE } bp_transpose;

typedef struct REAL(bp_kernel_table) {
    const char *name;

    /* y = A x + b. A: m × n, x: n, y and b: m; b may be NULL. */
    void (*gemv)(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y);

    /* y = Aᵀ x. A: m × n, x: m, y: n. */
    void (*gemv_t)(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y);

    /* A = A + alpha x zᵀ. A: m × n, x: m, z: n. */
    void (*ger)(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda);

    /*
     * y = Aᵀ x with A as it was, and A = A + alpha x zᵀ. A: m × n, x: m, y and z: n. One sweep over A for two operations, the idea of
     * GEMVT in the updated BLAS (Blackford et al. 2002).
     */
    void (*gemv_t_ger)(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda, real *y);

    /* A = A + alpha x zᵀ, and y = A next + b with A as it is then. A: m × n; x, y and b: m; z and next: n; b may be NULL. */
    void (*ger_gemv)(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda, const real *next, const real *b,
                     real *y);

    /* C = alpha op(A) op(B) + beta C. op(A): m × k, op(B): k × n, C: m × n; C is not read if beta is 0. */
    void (*gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc);

    /* y = f(e) for a batch × n, packed. y may be e. */
    void (*activation)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);

    /* g = δ ⊙ f′(e), or Jᵀδ for softmax. y is f(e); g may be delta or y. */
    void (*local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta, real *g);
} REAL(bp_kernel_table);

/* Plain loops: the oracle of the tests, and the last resort. */
extern const REAL(bp_kernel_table) REAL(bp_kernel_reference);

/* The table in use, chosen when the library is loaded. */
extern const REAL(bp_kernel_table) * REAL(bp_kernel_chosen);

static inline const REAL(bp_kernel_table) * REAL(bp_kernel)(void)
{
    return REAL(bp_kernel_chosen);
}

/* The table of this name, if it is built in and the machine can run it; else NULL. */
const REAL(bp_kernel_table) * REAL(bp_kernel_find)(const char *name);

#endif
