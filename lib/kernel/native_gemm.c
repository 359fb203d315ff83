/*
 * Matrix products for small batches, in register blocks without packing: what OpenBLAS spends on packing does not pay there. Three of the
 * four transpositions, those that a net's passes are made of.
 */
#include "kernel/native.h"

#ifdef BP_HAVE_BLAS
#include "kernel/blas.h"
#endif

enum { ROWS = 4, COLUMNS = 2 }; /* of a block: ROWS × COLUMNS accumulators */

/* A block of C = alpha A Bᵀ + beta C: rows rows of A with four rows of B, each a product of two rows. rows is a constant, 1 or 2. */
INLINE void dot_block(size_t rows, size_t columns, row_end end, real alpha, const real *A, size_t lda, const real *B, size_t ldb, real beta,
                      real *C, size_t ldc)
{
    vector s[BLOCK] = {{0}};
    for (size_t l = 0; l < end.at; l += LANES) {
        vector a[2];
        for (size_t i = 0; i < rows; i++) {
            a[i] = load(A + i * lda + l);
        }
        for (size_t j = 0; j < columns; j++) {
            vector b = load(B + j * ldb + l);
            for (size_t i = 0; i < rows; i++) {
                s[i * 4 + j] = multiply_add(a[i], b, s[i * 4 + j]);
            }
        }
    }
    if (end.n) {
        for (size_t j = 0; j < columns; j++) {
            vector b = load_partial(B + j * ldb + end.at, end.n);
            for (size_t i = 0; i < rows; i++) {
                s[i * 4 + j] = multiply_add(load_partial(A + i * lda + end.at, end.n), b, s[i * 4 + j]);
            }
        }
    }
    vector in_lanes[BLOCK_VECTORS];
    real sums[BLOCK];
    sum_block(s, in_lanes);
    memcpy(sums, in_lanes, sizeof sums);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            real *c = C + i * ldc + j;
            *c = beta == 0 ? alpha * sums[i * 4 + j] : alpha * sums[i * 4 + j] + beta * *c;
        }
    }
}

/* C = alpha A Bᵀ + beta C: the forward pass, E = X Wᵀ */
static void gemm_nt(size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda, const real *B, size_t ldb, real beta, real *C,
                    size_t ldc)
{
    row_end end = end_of_row(k, 0);
    size_t j = 0;
    for (; j + 4 <= n; j += 4) {
        size_t i = 0;
        for (; i + 2 <= m; i += 2) {
            dot_block(2, 4, end, alpha, A + i * lda, lda, B + j * ldb, ldb, beta, C + i * ldc + j, ldc);
        }
        if (i < m) {
            dot_block(1, 4, end, alpha, A + i * lda, lda, B + j * ldb, ldb, beta, C + i * ldc + j, ldc);
        }
    }
    for (; j < n; j++) {
        for (size_t i = 0; i < m; i++) {
            dot_block(1, 1, end, alpha, A + i * lda, lda, B + j * ldb, ldb, beta, C + i * ldc + j, ldc);
        }
    }
}

/*
 * A block of C = alpha op(A) B + beta C: rows rows with columns vectors, the last of them n elements wide where n is not 0. Element (i, l) of
 * op(A) is A[i * step_i + l * step_l]. rows, columns and whether n is 0 are constants.
 */
INLINE void outer_block(size_t rows, size_t columns, size_t n, size_t k, real alpha, const real *A, size_t step_i, size_t step_l,
                        const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    vector s[ROWS][COLUMNS] = {{{0}}};
    for (size_t l = 0; l < k; l++) {
        vector b[COLUMNS];
        for (size_t j = 0; j < columns; j++) {
            b[j] = n ? load_partial(B + l * ldb, n) : load(B + l * ldb + j * LANES);
        }
        for (size_t i = 0; i < rows; i++) {
            vector a = broadcast(A[i * step_i + l * step_l]);
            for (size_t j = 0; j < columns; j++) {
                s[i][j] = multiply_add(a, b[j], s[i][j]);
            }
        }
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            real *c = C + i * ldc + j * LANES;
            vector old = beta == 0 ? (vector){0} : beta * (n ? load_partial(c, n) : load(c));
            vector value = alpha * s[i][j] + old;
            if (n) {
                store_partial(c, value, n);
            } else {
                store(c, value);
            }
        }
    }
}

/* All columns of rows rows. */
INLINE void outer_rows(size_t rows, size_t n, size_t k, real alpha, const real *A, size_t step_i, size_t step_l, const real *B, size_t ldb,
                       real beta, real *C, size_t ldc)
{
    size_t j = 0;
    for (; j + COLUMNS * LANES <= n; j += COLUMNS * LANES) {
        outer_block(rows, COLUMNS, 0, k, alpha, A, step_i, step_l, B + j, ldb, beta, C + j, ldc);
    }
    for (; j + LANES <= n; j += LANES) {
        outer_block(rows, 1, 0, k, alpha, A, step_i, step_l, B + j, ldb, beta, C + j, ldc);
    }
    if (j < n) {
        outer_block(rows, 1, n - j, k, alpha, A, step_i, step_l, B + j, ldb, beta, C + j, ldc);
    }
}

/* C = alpha op(A) B + beta C: the backward pass, Δ_prev = Δ W, and transposed the update, W += alpha Gᵀ X */
static void gemm_n(size_t m, size_t n, size_t k, real alpha, const real *A, size_t step_i, size_t step_l, const real *B, size_t ldb,
                   real beta, real *C, size_t ldc)
{
    size_t i = 0;
    for (; i + ROWS <= m; i += ROWS) {
        outer_rows(ROWS, n, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
    }
    for (; i < m; i++) {
        outer_rows(1, n, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
    }
}

void NATIVE(bp_gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A,
                     size_t lda, const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
#ifdef BP_HAVE_BLAS
    size_t batch = transpose_a == BP_TRANSPOSE ? k : m;
    if (batch > 32) {
        REAL(bp_kernel_blas).gemm(transpose_a, transpose_b, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
        return;
    }
#endif
    if (transpose_a == BP_NO_TRANSPOSE && transpose_b == BP_TRANSPOSE) {
        gemm_nt(m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
    } else if (transpose_b == BP_NO_TRANSPOSE) {
        gemm_n(m, n, k, alpha, A, transpose_a == BP_TRANSPOSE ? 1 : lda, transpose_a == BP_TRANSPOSE ? lda : 1, B, ldb, beta, C, ldc);
    } else {
        REAL(bp_kernel_reference).gemm(transpose_a, transpose_b, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
    }
}
