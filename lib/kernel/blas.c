/* OpenBLAS through its C interface. Its dimensions are 32-bit: BP_MAX_DIMENSION keeps ours below. */
#include "kernel/kernel.h"

#include <cblas.h>

#if BP_REAL_BITS == 32
#define CBLAS(name) cblas_s##name
#else
#define CBLAS(name) cblas_d##name
#endif

static void gemv(size_t m, size_t n, const real *A, size_t lda, const real *x, real beta, real *y)
{
    CBLAS(gemv)(CblasRowMajor, CblasNoTrans, (int)m, (int)n, 1, A, (int)lda, x, 1, beta, y, 1);
}

static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    CBLAS(gemv)(CblasRowMajor, CblasTrans, (int)m, (int)n, 1, A, (int)lda, x, 1, 0, y, 1);
}

static void ger(size_t m, size_t n, real alpha, const real *x, const real *y, real *A, size_t lda)
{
    CBLAS(ger)(CblasRowMajor, (int)m, (int)n, alpha, x, 1, y, 1, A, (int)lda);
}

static void gemm(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    CBLAS(gemm)
    (CblasRowMajor, transpose_a == BP_TRANSPOSE ? CblasTrans : CblasNoTrans, transpose_b == BP_TRANSPOSE ? CblasTrans : CblasNoTrans,
     (int)m, (int)n, (int)k, alpha, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
}

const REAL(bp_kernel_table) REAL(bp_kernel_blas) = {"blas", gemv, gemv_t, ger, gemm};
