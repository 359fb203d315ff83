/*
 * Matrix products in register blocks: three of the four transpositions, those that a net's passes are made of. An element of C is summed in
 * an order that k alone decides, so it does not depend on m, n, or where its block lies.
 */
#include "kernel/cache.h"
#include "kernel/native.h"

/* A block of op(A) B: rows × vectors accumulators. */
enum { ROWS = BP_VECTOR_BYTES == 64 ? 8 : 4, COLUMNS = 2 };

/* A part of B that stays in the level-1 cache over all rows of A: this many rows of COLUMNS vectors, 16 KiB with AVX-512. */
enum { DEPTH = 128 };

/* Of a level-1 cache of 32 KiB, the smallest there is in processors with these registers, what may be filled with one operand. */
enum { LEVEL_1_BYTES = 24 * 1024 };

/* A block of A Bᵀ: rows of A × rows of B, one accumulator each; as many as sum_block takes. */
enum { PRODUCT_ROWS = BLOCK / 4, PRODUCT_COLUMNS = 4 };

/* rows × columns products of a row of A with a row of B, which are C = alpha … + beta C. rows and columns, 1 or 4, are constants. */
INLINE void product_block(size_t rows, size_t columns, row_end end, real alpha, const real *A, size_t lda, const real *B, size_t ldb,
                          real beta, real *C, size_t ldc)
{
    vector s[BLOCK] = {{0}};
    for (size_t l = 0; l < end.at; l += LANES) {
        vector b[PRODUCT_COLUMNS];
        for (size_t j = 0; j < columns; j++) {
            b[j] = load(B + j * ldb + l);
        }
        for (size_t i = 0; i < rows; i++) {
            vector a = load(A + i * lda + l);
            for (size_t j = 0; j < columns; j++) {
                s[i * PRODUCT_COLUMNS + j] = multiply_add(a, b[j], s[i * PRODUCT_COLUMNS + j]);
            }
        }
    }
    for (size_t i = 0; end.n && i < rows; i++) {
        vector a = load_partial(A + i * lda + end.at, end.n);
        for (size_t j = 0; j < columns; j++) {
            vector b = load_partial(B + j * ldb + end.at, end.n);
            s[i * PRODUCT_COLUMNS + j] = multiply_add(a, b, s[i * PRODUCT_COLUMNS + j]);
        }
    }
    vector sums[BLOCK_VECTORS];
    real values[BLOCK];
    sum_block(s, sums);
    memcpy(values, sums, sizeof values);
    for (size_t i = 0; i < rows; i++) {
        real *c = C + i * ldc, value = alpha * values[i * PRODUCT_COLUMNS];
        if (columns == 1) {
            *c = beta == 0 ? value : value + beta * *c;
        } else {
            quad four = alpha * load_quad(values + i * PRODUCT_COLUMNS);
            store_quad(c, beta == 0 ? four : four + beta * load_quad(c));
        }
    }
}

/* The rows of length k that stay in this many bytes; a multiple of some, at least one. */
INLINE size_t rows_within(size_t bytes, size_t k, size_t some)
{
    size_t rows = bytes / (k * sizeof(real)) / some * some;
    return rows < some ? some : rows;
}

/* C = alpha A Bᵀ + beta C for as many rows of A as stay in the level-1 cache and rows of B as stay in the level-2 cache. */
SEPARATE void gemm_nt_part(size_t m, size_t n, row_end end, real alpha, const real *A, size_t lda, const real *B, size_t ldb, real beta,
                           real *C, size_t ldc)
{
    size_t j = 0;
    for (; j + PRODUCT_COLUMNS <= n; j += PRODUCT_COLUMNS) {
        const real *b = B + j * ldb;
        size_t i = 0;
        for (; i + PRODUCT_ROWS <= m; i += PRODUCT_ROWS) {
            product_block(PRODUCT_ROWS, PRODUCT_COLUMNS, end, alpha, A + i * lda, lda, b, ldb, beta, C + i * ldc + j, ldc);
        }
        if (PRODUCT_ROWS > 2 && i + 2 <= m) {
            product_block(2, PRODUCT_COLUMNS, end, alpha, A + i * lda, lda, b, ldb, beta, C + i * ldc + j, ldc);
            i += 2;
        }
        for (; i < m; i++) {
            product_block(1, PRODUCT_COLUMNS, end, alpha, A + i * lda, lda, b, ldb, beta, C + i * ldc + j, ldc);
        }
    }
    for (; j < n; j++) {
        for (size_t i = 0; i < m; i++) {
            product_block(1, 1, end, alpha, A + i * lda, lda, B + j * ldb, ldb, beta, C + i * ldc + j, ldc);
        }
    }
}

/* C = alpha A Bᵀ + beta C: the forward pass, E = X Wᵀ */
static void gemm_nt(size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda, const real *B, size_t ldb, real beta, real *C,
                    size_t ldc)
{
    size_t rows = rows_within(LEVEL_1_BYTES, k, 2 * PRODUCT_ROWS), columns = rows_within(bp_cache_panel_bytes(), k, PRODUCT_COLUMNS);
    for (size_t j = 0; j < n; j += columns) {
        for (size_t i = 0; i < m; i += rows) {
            gemm_nt_part(at_most(rows, m - i), at_most(columns, n - j), end_of_row(k, 0), alpha, A + i * lda, lda, B + j * ldb, ldb, beta,
                         C + i * ldc + j, ldc);
        }
    }
}

/*
 * C = alpha op(A) B + beta C in a block of rows × columns vectors. Element (i, l) of op(A) is A[i * step_i + l * step_l]. If columns is 1, C and
 * B are but n ≤ LANES elements wide. rows and columns are constants.
 */
INLINE void outer_block(size_t rows, size_t columns, size_t n, size_t k, real alpha, const real *A, size_t step_i, size_t step_l,
                        const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    vector s[ROWS][COLUMNS] = {{{0}}};
    for (size_t i = 0; beta != 0 && i < rows; i++) {
        __builtin_prefetch(C + i * ldc);
        __builtin_prefetch(C + i * ldc + (columns - 1) * LANES);
    }
    for (size_t l = 0; l < k; l++) {
        vector b[COLUMNS];
        for (size_t j = 0; j < columns; j++) {
            b[j] = columns == 1 ? load_partial(B + l * ldb, n) : load(B + l * ldb + j * LANES);
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
            vector value = alpha * s[i][j];
            if (beta != 0) {
                value += beta * (columns == 1 ? load_partial(c, n) : load(c));
            }
            if (columns > 1 || n == LANES) {
                store(c, value);
            } else {
                store_partial(c, value, n);
            }
        }
    }
}

/* COLUMNS vectors of C, all rows. */
SEPARATE void outer_columns(size_t m, size_t k, real alpha, const real *A, size_t step_i, size_t step_l, const real *B, size_t ldb,
                            real beta, real *C, size_t ldc)
{
    size_t i = 0;
    for (; i + ROWS <= m; i += ROWS) {
        outer_block(ROWS, COLUMNS, 0, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
    }
    if (ROWS > 4 && i + 4 <= m) {
        outer_block(4, COLUMNS, 0, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
        i += 4;
    }
    if (i + 2 <= m) {
        outer_block(2, COLUMNS, 0, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
        i += 2;
    }
    for (; i < m; i++) {
        outer_block(1, COLUMNS, 0, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
    }
}

/* n ≤ LANES elements of each row of C. */
SEPARATE void outer_rest(size_t n, size_t m, size_t k, real alpha, const real *A, size_t step_i, size_t step_l, const real *B, size_t ldb,
                         real beta, real *C, size_t ldc)
{
    size_t i = 0;
    for (; i + 4 <= m; i += 4) {
        outer_block(4, 1, n, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
    }
    for (; i < m; i++) {
        outer_block(1, 1, n, k, alpha, A + i * step_i, step_i, step_l, B, ldb, beta, C + i * ldc, ldc);
    }
}

/* C = alpha op(A) B + beta C: the backward pass, Δ_prev = Δ W, and transposed the update, W += alpha Gᵀ X */
static void gemm_n(size_t m, size_t n, size_t k, real alpha, const real *A, size_t step_i, size_t step_l, const real *B, size_t ldb,
                   real beta, real *C, size_t ldc)
{
    enum { WIDTH = COLUMNS * LANES };
    _Alignas(64) real packed[DEPTH * WIDTH];
    for (size_t first = 0; first < k; first += DEPTH, beta = 1) {
        const real *a = A + first * step_l;
        size_t depth = at_most(DEPTH, k - first), j = 0;
        for (; j + WIDTH <= n; j += WIDTH) {
            const real *b = B + first * ldb + j;
            size_t step = ldb;
            if (m > 2 * ROWS) {
                for (size_t l = 0; l < depth; l++) {
                    memcpy(packed + l * WIDTH, b + l * ldb, WIDTH * sizeof *b);
                }
                b = packed;
                step = WIDTH;
            }
            outer_columns(m, depth, alpha, a, step_i, step_l, b, step, beta, C + j, ldc);
        }
        for (; j < n; j += LANES) {
            outer_rest(at_most(LANES, n - j), m, depth, alpha, a, step_i, step_l, B + first * ldb + j, ldb, beta, C + j, ldc);
        }
    }
}

void NATIVE(bp_gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A,
                     size_t lda, const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    if (transpose_a == BP_NO_TRANSPOSE && transpose_b == BP_TRANSPOSE) {
        gemm_nt(m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
    } else if (transpose_b == BP_NO_TRANSPOSE) {
        gemm_n(m, n, k, alpha, A, transpose_a == BP_TRANSPOSE ? 1 : lda, transpose_a == BP_TRANSPOSE ? lda : 1, B, ldb, beta, C, ldc);
    } else {
        REAL(bp_kernel_reference).gemm(transpose_a, transpose_b, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
    }
}
