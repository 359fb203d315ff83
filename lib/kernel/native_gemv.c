/*
 * Matrix-vector kernels on vector registers, a few rows of A at a time so that vectors are read once for all of them. What a row comes to
 * does not depend on the rows beside it, so ger_gemv gives the bits of ger and gemv.
 */
#include "kernel/native.h"

/* rows products of a row with x, plus bias; rows is a constant, 1 … 8 */
INLINE void gemv_rows(size_t rows, row_end end, const real *A, size_t lda, const real *x, vector x_end, const real *b, real *y)
{
    vector s[8] = {{0}};
    for (size_t j = 0; j < end.at; j += LANES) {
        vector x_j = load(x + j);
        for (size_t r = 0; r < rows; r++) {
            s[r] = multiply_add(load(A + r * lda + j), x_j, s[r]);
        }
    }
    if (end.n) {
        for (size_t r = 0; r < rows; r++) {
            s[r] = multiply_add(load_end(A + r * lda, end), x_end, s[r]);
        }
    }
    real sums[8];
    if (rows == 1) {
        sums[0] = sum(s[0]);
    } else {
        sum_8(s, sums);
    }
    for (size_t r = 0; r < rows; r++) {
        y[r] = b ? sums[r] + b[r] : sums[r];
    }
}

/* y = A x + b */
static void gemv(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y)
{
    row_end end = end_of_row(n, lda);
    vector x_end = end.n ? load_partial(x + end.at, end.n) : (vector){0};
    size_t i = 0;
    for (; i + 8 <= m; i += 8) {
        gemv_rows(8, end, A + i * lda, lda, x, x_end, b ? b + i : NULL, y + i);
    }
    if (i + 4 <= m) {
        gemv_rows(4, end, A + i * lda, lda, x, x_end, b ? b + i : NULL, y + i);
        i += 4;
    }
    for (; i < m; i++) {
        gemv_rows(1, end, A + i * lda, lda, x, x_end, b ? b + i : NULL, y + i);
    }
}

/*
 * y = (y +) Σ x_r row_r, and with update rows r += alpha x_r z; y's end is summed in *y_end. first: y is not read.
 */
INLINE void sweep_rows(size_t rows, row_end end, int first, int update, real alpha, const real *x, const real *z, vector z_end, real *A,
                       size_t lda, real *y, vector *y_end)
{
    vector x_r[8], step[8];
    for (size_t r = 0; r < rows; r++) {
        x_r[r] = broadcast(x[r]);
        step[r] = broadcast(alpha * x[r]);
    }
    for (size_t j = 0; j < end.at; j += LANES) {
        vector y_j = first ? (vector){0} : load(y + j);
        vector z_j = update ? load(z + j) : (vector){0};
        for (size_t r = 0; r < rows; r++) {
            vector a = load(A + r * lda + j);
            y_j = multiply_add(a, x_r[r], y_j);
            if (update) {
                store(A + r * lda + j, multiply_add(step[r], z_j, a));
            }
        }
        store(y + j, y_j);
    }
    if (end.n) {
        for (size_t r = 0; r < rows; r++) {
            vector a = load_end(A + r * lda, end);
            *y_end = multiply_add(a, x_r[r], *y_end);
            if (update) {
                store_end(A + r * lda, end, multiply_add(step[r], z_end, a));
            }
        }
    }
}

/* y = Aᵀ x */
static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    real *rows = (real *)(uintptr_t)A; /* sweep_rows writes to it in an update only */
    row_end end = end_of_row(n, lda);
    vector y_end = {0}, none = {0};
    size_t i = 0;
    for (; i + 8 <= m; i += 8) {
        sweep_rows(8, end, i == 0, 0, 0, x + i, NULL, none, rows + i * lda, lda, y, &y_end);
    }
    for (; i < m; i++) {
        sweep_rows(1, end, i == 0, 0, 0, x + i, NULL, none, rows + i * lda, lda, y, &y_end);
    }
    if (end.n) {
        store_partial(y + end.at, y_end, end.n);
    }
}

/* y = Aᵀ x with A as it was, and A = A + alpha x zᵀ, in one sweep */
static void gemv_t_ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda, real *y)
{
    row_end end = end_of_row(n, lda);
    vector y_end = {0}, z_end = end.n ? load_partial(z + end.at, end.n) : (vector){0};
    size_t i = 0;
    for (; i + 4 <= m; i += 4) {
        sweep_rows(4, end, i == 0, 1, alpha, x + i, z, z_end, A + i * lda, lda, y, &y_end);
    }
    for (; i < m; i++) {
        sweep_rows(1, end, i == 0, 1, alpha, x + i, z, z_end, A + i * lda, lda, y, &y_end);
    }
    if (end.n) {
        store_partial(y + end.at, y_end, end.n);
    }
}

/* A = A + alpha x zᵀ */
static void ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda)
{
    row_end end = end_of_row(n, lda);
    vector z_end = end.n ? load_partial(z + end.at, end.n) : (vector){0};
    for (size_t i = 0; i < m; i++) {
        real *row = A + i * lda;
        vector step = broadcast(alpha * x[i]);
        for (size_t j = 0; j < end.at; j += LANES) {
            store(row + j, multiply_add(step, load(z + j), load(row + j)));
        }
        if (end.n) {
            store_end(row, end, multiply_add(step, z_end, load_end(row, end)));
        }
    }
}

/* rows of A += alpha x_r zᵀ, and their products with the next x, plus bias */
INLINE void ger_gemv_rows(size_t rows, row_end end, real alpha, const real *x, const real *z, vector z_end, real *A, size_t lda,
                          const real *next, vector next_end, const real *b, real *y)
{
    vector s[8] = {{0}}, step[8];
    for (size_t r = 0; r < rows; r++) {
        step[r] = broadcast(alpha * x[r]);
    }
    for (size_t j = 0; j < end.at; j += LANES) {
        vector z_j = load(z + j), next_j = load(next + j);
        for (size_t r = 0; r < rows; r++) {
            vector a = multiply_add(step[r], z_j, load(A + r * lda + j));
            store(A + r * lda + j, a);
            s[r] = multiply_add(a, next_j, s[r]);
        }
    }
    if (end.n) {
        for (size_t r = 0; r < rows; r++) {
            vector a = multiply_add(step[r], z_end, load_end(A + r * lda, end));
            store_end(A + r * lda, end, a);
            s[r] = multiply_add(a, next_end, s[r]);
        }
    }
    real sums[8];
    if (rows == 1) {
        sums[0] = sum(s[0]);
    } else {
        sum_8(s, sums);
    }
    for (size_t r = 0; r < rows; r++) {
        y[r] = b ? sums[r] + b[r] : sums[r];
    }
}

/* A = A + alpha x zᵀ, then y = A next + b with the new A, in one sweep */
static void ger_gemv(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda, const real *next, const real *b,
                     real *y)
{
    row_end end = end_of_row(n, lda);
    vector z_end = end.n ? load_partial(z + end.at, end.n) : (vector){0};
    vector next_end = end.n ? load_partial(next + end.at, end.n) : (vector){0};
    size_t i = 0;
    for (; i + 4 <= m; i += 4) {
        ger_gemv_rows(4, end, alpha, x + i, z, z_end, A + i * lda, lda, next, next_end, b ? b + i : NULL, y + i);
    }
    for (; i < m; i++) {
        ger_gemv_rows(1, end, alpha, x + i, z, z_end, A + i * lda, lda, next, next_end, b ? b + i : NULL, y + i);
    }
}

const REAL(bp_kernel_table) NATIVE(bp_kernel) = {
    .name = BP_ISA_NAME,
    .gemv = gemv,
    .gemv_t = gemv_t,
    .ger = ger,
    .gemv_t_ger = gemv_t_ger,
    .ger_gemv = ger_gemv,
    .gemm = NATIVE(bp_gemm),
    .activation = NATIVE(bp_activation),
    .local_gradient = NATIVE(bp_local_gradient),
};
