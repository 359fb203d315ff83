/* OpenBLAS through its C interface. Its dimensions are 32-bit: BP_MAX_DIMENSION keeps ours below. */
#include "kernel/blas.h"

#include "kernel/blas_lock.h"
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
    bp_blas_lock();
    CBLAS(gemv)(CblasRowMajor, CblasNoTrans, (int)m, (int)n, 1, A, (int)lda, x, 1, b ? 1 : 0, y, 1);
    bp_blas_unlock();
}

/* y = Aᵀ x + beta y */
static void add_gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real beta, real *y)
{
    bp_blas_lock();
    CBLAS(gemv)(CblasRowMajor, CblasTrans, (int)m, (int)n, 1, A, (int)lda, x, 1, beta, y, 1);
    bp_blas_unlock();
}

static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    add_gemv_t(m, n, A, lda, x, 0, y);
}

static void ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda)
{
    bp_blas_lock();
    CBLAS(ger)(CblasRowMajor, (int)m, (int)n, alpha, x, 1, z, 1, A, (int)lda);
    bp_blas_unlock();
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

/* b = b + alpha g. Not by OpenBLAS, whose bits depend on where a vector begins and ends. */
static void update_bias(const bp_layer_step *layer, real alpha)
{
    if (layer->b) {
        REAL(bp_axpy_reference)(layer->m, alpha, layer->g, layer->b);
    }
}

static void apply_activation(const bp_layer_step *layer)
{
    REAL(bp_activation_reference)(layer->f, 1, layer->m, layer->e, layer->y);
    REAL(bp_clear_end)(layer->m, layer->e);
    REAL(bp_clear_end)(layer->m, layer->y);
}

static void gemv_activation(const bp_layer_step *layer)
{
    gemv(layer->m, layer->n, layer->A, layer->lda, layer->x, layer->b, layer->e);
    apply_activation(layer);
}

static void gemv_t_ger(const bp_layer_step *layer, real alpha, const bp_layer_step *before, real *delta_prev)
{
    size_t m = layer->m, n = layer->n, lda = layer->lda, panel = panel_rows(m, lda);
    real *A = layer->A;
    const real *g = layer->g;
    for (size_t i = 0; i < m; i += panel) {
        size_t rows = m - i < panel ? m - i : panel;
        if (delta_prev) {
            add_gemv_t(rows, n, A + i * lda, lda, g + i, i > 0 ? 1 : 0, delta_prev);
        }
        ger(rows, n, alpha, g + i, layer->x, A + i * lda, lda);
    }
    update_bias(layer, alpha);
    if (delta_prev && before) {
        REAL(bp_local_gradient_reference)(before->f, 1, n, before->e, before->y, delta_prev, delta_prev);
    }
    if (delta_prev) {
        REAL(bp_clear_end)(n, delta_prev);
    }
}

static void ger_gemv_activation(const bp_layer_step *layer, real alpha, const real *z)
{
    size_t m = layer->m, n = layer->n, lda = layer->lda, panel = panel_rows(m, lda);
    real *A = layer->A, *b = layer->b, *e = layer->e;
    const real *g = layer->g;
    update_bias(layer, alpha);
    for (size_t i = 0; i < m; i += panel) {
        size_t rows = m - i < panel ? m - i : panel;
        ger(rows, n, alpha, g + i, z, A + i * lda, lda);
        gemv(rows, n, A + i * lda, lda, layer->x, b ? b + i : NULL, e + i);
    }
    apply_activation(layer);
}

static void gemm(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    bp_blas_lock();
    CBLAS(gemm)
    (CblasRowMajor, transpose_a == BP_TRANSPOSE ? CblasTrans : CblasNoTrans, transpose_b == BP_TRANSPOSE ? CblasTrans : CblasNoTrans,
     (int)m, (int)n, (int)k, alpha, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
    bp_blas_unlock();
}

const REAL(bp_kernel_table) REAL(bp_kernel_blas) = {
    .name = "blas",
    .gemv = gemv,
    .gemv_t = gemv_t,
    .ger = ger,
    .axpy = REAL(bp_axpy_reference),
    .gemm = gemm,
    .activation = REAL(bp_activation_reference),
    .local_gradient = REAL(bp_local_gradient_reference),
    .loss = REAL(bp_loss_reference),
    .scale = REAL(bp_scale_reference),
    .gemv_activation = gemv_activation,
    .gemv_t_ger = gemv_t_ger,
    .ger_gemv_activation = ger_gemv_activation,
    .method = REAL(bp_method_reference),
    .clip = REAL(bp_clip_reference),
};
