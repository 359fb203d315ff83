/* OpenBLAS through its C interface. Its dimensions are 32-bit: BP_MAX_DIMENSION keeps ours below. */
#include "kernel/blas.h"

#include "kernel/cache.h"
#include "kernel/reference.h"

#include <cblas.h>
#include <string.h>

#if BP_REAL_BITS == 32
#define CBLAS(name) cblas_s##name
#else
#define CBLAS(name) cblas_d##name
#endif

static void gemv(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y)
{
    if (b) {
        memcpy(y, b, m * sizeof *y);
    }
    CBLAS(gemv)(CblasRowMajor, CblasNoTrans, (int)m, (int)n, 1, A, (int)lda, x, 1, b ? 1 : 0, y, 1);
}

/* y = Aᵀ x + beta y */
static void add_gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real beta, real *y)
{
    CBLAS(gemv)(CblasRowMajor, CblasTrans, (int)m, (int)n, 1, A, (int)lda, x, 1, beta, y, 1);
}

static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    add_gemv_t(m, n, A, lda, x, 0, y);
}

static void ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda)
{
    CBLAS(ger)(CblasRowMajor, (int)m, (int)n, alpha, x, 1, z, 1, A, (int)lda);
}

/*
 * The rows of A that stay in a core's own cache from one operation to the next; all of them, if A is small. A multiple of 16, so that
 * OpenBLAS's blocks of rows, and with them the rounding of each row, are those of a call for the whole.
 */
static size_t panel_rows(size_t m, size_t lda)
{
    size_t rows = bp_cache_panel_bytes() / (lda * sizeof(real)) / 16 * 16;
    return rows < 16 ? 16 : rows < m ? rows : m;
}

/* b = b + alpha x; b may be NULL. As a matrix of one row, so that its bits are those of ger. */
static void update_bias(size_t m, real alpha, const real *x, real *b)
{
    static const real one = 1;
    if (b) {
        ger(1, m, alpha, &one, x, b, m);
    }
}

static void gemv_activation(bp_activation activation, size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *e,
                            real *y)
{
    gemv(m, n, A, lda, x, b, e);
    REAL(bp_activation_reference)(activation, 1, m, e, y);
    REAL(bp_clear_end)(m, e);
    REAL(bp_clear_end)(m, y);
}

static void gemv_t_ger(bp_activation activation, size_t m, size_t n, real alpha, const real *x, const real *z, const real *e, real *A,
                       size_t lda, real *b, real *y)
{
    size_t panel = panel_rows(m, lda);
    for (size_t i = 0; i < m; i += panel) {
        size_t rows = m - i < panel ? m - i : panel;
        if (y) {
            add_gemv_t(rows, n, A + i * lda, lda, x + i, i > 0, y);
        }
        ger(rows, n, alpha, x + i, z, A + i * lda, lda);
    }
    update_bias(m, alpha, x, b);
    if (y) {
        REAL(bp_local_gradient_reference)(activation, 1, n, e, z, y, y);
        REAL(bp_clear_end)(n, y);
    }
}

static void ger_gemv_activation(bp_activation activation, size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda,
                                real *b, const real *next, real *e, real *y)
{
    update_bias(m, alpha, x, b);
    size_t panel = panel_rows(m, lda);
    for (size_t i = 0; i < m; i += panel) {
        size_t rows = m - i < panel ? m - i : panel;
        ger(rows, n, alpha, x + i, z, A + i * lda, lda);
        gemv(rows, n, A + i * lda, lda, next, b ? b + i : NULL, e + i);
    }
    REAL(bp_activation_reference)(activation, 1, m, e, y);
    REAL(bp_clear_end)(m, e);
    REAL(bp_clear_end)(m, y);
}

static void gemm(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    CBLAS(gemm)
    (CblasRowMajor, transpose_a == BP_TRANSPOSE ? CblasTrans : CblasNoTrans, transpose_b == BP_TRANSPOSE ? CblasTrans : CblasNoTrans,
     (int)m, (int)n, (int)k, alpha, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
}

const REAL(bp_kernel_table) REAL(bp_kernel_blas) = {
    .name = "blas",
    .gemv = gemv,
    .gemv_t = gemv_t,
    .ger = ger,
    .gemm = gemm,
    .activation = REAL(bp_activation_reference),
    .local_gradient = REAL(bp_local_gradient_reference),
    .loss = REAL(bp_loss_reference),
    .scale = REAL(bp_scale_reference),
    .gemv_activation = gemv_activation,
    .gemv_t_ger = gemv_t_ger,
    .ger_gemv_activation = ger_gemv_activation,
    .momentum = REAL(bp_momentum_reference),
    .adam = REAL(bp_adam_reference),
};
