/* Each operation as its formula says it. */
#include "kernel/activation_reference.h"
#include "kernel/kernel.h"

/* y_i = Σ_j A_ij x_j + b_i */
static void gemv(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y)
{
    for (size_t i = 0; i < m; i++) {
        real sum = 0;
        for (size_t j = 0; j < n; j++) {
            sum += A[i * lda + j] * x[j];
        }
        y[i] = b ? sum + b[i] : sum;
    }
}

/* y_j = Σ_i A_ij x_i */
static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    for (size_t j = 0; j < n; j++) {
        y[j] = 0;
    }
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            y[j] += A[i * lda + j] * x[i];
        }
    }
}

/* A_ij = A_ij + alpha x_i z_j */
static void ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            A[i * lda + j] += alpha * x[i] * z[j];
        }
    }
}

static void gemv_t_ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda, real *y)
{
    gemv_t(m, n, A, lda, x, y);
    ger(m, n, alpha, x, z, A, lda);
}

static void ger_gemv(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda, const real *next, const real *b,
                     real *y)
{
    ger(m, n, alpha, x, z, A, lda);
    gemv(m, n, A, lda, next, b, y);
}

/* C_ij = alpha Σ_l op(A)_il op(B)_lj + beta C_ij */
static void gemm(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            real sum = 0;
            for (size_t l = 0; l < k; l++) {
                real a = transpose_a == BP_TRANSPOSE ? A[l * lda + i] : A[i * lda + l];
                real b = transpose_b == BP_TRANSPOSE ? B[j * ldb + l] : B[l * ldb + j];
                sum += a * b;
            }
            real *c = &C[i * ldc + j];
            *c = beta == 0 ? alpha * sum : alpha * sum + beta * *c;
        }
    }
}

const REAL(bp_kernel_table) REAL(bp_kernel_reference) = {
    .name = "reference",
    .gemv = gemv,
    .gemv_t = gemv_t,
    .ger = ger,
    .gemv_t_ger = gemv_t_ger,
    .ger_gemv = ger_gemv,
    .gemm = gemm,
    .activation = REAL(bp_activation_reference),
    .local_gradient = REAL(bp_local_gradient_reference),
};
