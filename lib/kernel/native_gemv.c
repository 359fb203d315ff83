/*
 * Matrix-vector kernels on vector registers, a block of rows of A at a time, so that vectors are read once for all of them. What a row comes
 * to does not depend on the rows beside it, so ger_gemv_activation gives the bits of ger and gemv.
 */
#include "kernel/native.h"

/*
 * Rows of this many elements and more are taken one after the other, as they lie in memory: what brings data from the level-2 cache and beyond
 * follows one stream best. Shorter ones side by side, for then the sums' latency counts (docs/performance.md).
 */
enum { LONG_ROW = 16 * LANES, CHAINS = 4 };

/* Rows that a sweep takes side by side: as many as there are registers for. */
enum { UPDATE_ROWS = BP_VECTOR_BYTES == 64 ? 8 : 4 };

/* One row times x, lane by lane: a long one in CHAINS sums, for an addition waits for the one before it, a short one in one. */
SEPARATE vector multiply_row(size_t width, size_t rest, const real *row, const real *x, vector x_end)
{
    vector s[CHAINS] = {{0}};
    size_t j = 0;
    for (; width >= LONG_ROW && j + CHAINS * LANES <= width; j += CHAINS * LANES) {
        for (size_t c = 0; c < CHAINS; c++) {
            s[c] = multiply_add(load(row + j + c * LANES), load(x + j + c * LANES), s[c]);
        }
    }
    for (; j < width; j += LANES) {
        s[0] = multiply_add(load(row + j), load(x + j), s[0]);
    }
    if (rest) {
        s[0] = multiply_add(load_partial(row + width, rest), x_end, s[0]);
    }
    return width < LONG_ROW ? s[0] : (s[0] + s[1]) + (s[2] + s[3]);
}

/* BLOCK short rows side by side. */
INLINE void multiply_block(row_end end, const real *A, size_t lda, const real *x, vector x_end, vector v[BLOCK])
{
    for (size_t r = 0; r < BLOCK; r++) {
        v[r] = (vector){0};
    }
    for (size_t j = 0; j < end.at; j += LANES) {
        vector x_j = load(x + j);
        for (size_t r = 0; r < BLOCK; r++) {
            v[r] = multiply_add(load(A + r * lda + j), x_j, v[r]);
        }
    }
    for (size_t r = 0; end.n && r < BLOCK; r++) {
        v[r] = multiply_add(load_partial(A + r * lda + end.at, end.n), x_end, v[r]);
    }
}

/* The products of 1 … BLOCK rows with x. */
INLINE void block_products(size_t rows, row_end end, const real *A, size_t lda, const real *x, vector x_end, vector sums[BLOCK_VECTORS])
{
    if (end.at < LONG_ROW && rows == BLOCK) {
        vector v[BLOCK];
        multiply_block(end, A, lda, x, x_end, v);
        sum_block(v, sums);
        return;
    }
    vector v[BLOCK] = {{0}};
    for (size_t r = 0; r < rows; r++) {
        v[r] = multiply_row(end.at, end.n, A + r * lda, x, x_end);
    }
    sum_block(v, sums);
}

/*
 * e = sums + b, y = f(e) for 1 … BLOCK rows; e and f may be NULL. whole: whole vectors are written, with zeros behind the rows; else the rows
 * only.
 */
INLINE void finish_block(size_t rows, const vector sums[BLOCK_VECTORS], const real *b, vector (*f)(vector), bool whole, real *e, real *y)
{
    for (size_t k = 0; k < BLOCK_VECTORS && k * LANES < rows; k++) {
        size_t rest = rows - k * LANES, at = k * LANES;
        if (rest >= LANES) {
            vector e_k = b ? sums[k] + load(b + at) : sums[k];
            if (e) {
                store(e + at, e_k);
            }
            store(y + at, f ? f(e_k) : e_k);
        } else if (whole) {
            vector e_k = keep_below(b ? sums[k] + load(b + at) : sums[k], rest);
            store(e + at, e_k);
            store(y + at, f ? keep_below(f(e_k), rest) : e_k);
        } else {
            store_partial(y + at, b ? sums[k] + load_partial(b + at, rest) : sums[k], rest);
        }
    }
}

/* y = f(A x + b), and e = A x + b if it is not NULL, as finish_block has it */
SEPARATE void gemv_blocks(vector (*f)(vector), size_t m, row_end end, const real *A, size_t lda, const real *x, const real *b, bool whole,
                          real *e, real *y)
{
    vector x_end = end.n ? load_partial(x + end.at, end.n) : (vector){0};
    for (size_t i = 0; i < m; i += BLOCK) {
        size_t rows = at_most(BLOCK, m - i);
        vector sums[BLOCK_VECTORS];
        block_products(rows, end, A + i * lda, lda, x, x_end, sums);
        finish_block(rows, sums, b ? b + i : NULL, f, whole, e ? e + i : NULL, y + i);
    }
}

/* y = A x + b */
static void gemv(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y)
{
    gemv_blocks(NULL, m, end_of_row(n, lda), A, lda, x, b, false, NULL, y);
}

/* A layer of at most 4 × 4, for which whole registers are too wide: a sum over 4 lanes takes half the time of one over 16. */
INLINE bool is_tiny(size_t m, size_t n)
{
    return LANES >= 4 && m <= 4 && n <= 4;
}

/* e = A x + b, y = f(e) of a tiny layer */
INLINE void tiny_gemv_activation(vector (*f)(vector), const bp_layer_step *layer)
{
    const real *A = layer->A;
    quad v[4], x = load_quad(layer->x);
    for (size_t r = 0; r < 4; r++) {
        v[r] = load_quad(A + at_most(layer->m - 1, r) * layer->lda) * x;
    }
    vector sums[BLOCK_VECTORS] = {widen(sum_quads(v))};
    finish_block(layer->m, sums, layer->b, f, true, layer->e, layer->y);
}

/* e = A x + b, y = f(e) */
static void gemv_activation(const bp_layer_step *layer)
{
    vector (*f)(vector) = NATIVE(bp_vector_activations)[layer->f].f;
    if (is_tiny(layer->m, layer->n)) {
        tiny_gemv_activation(f, layer);
    } else {
        gemv_blocks(f, layer->m, whole_row(layer->n), layer->A, layer->lda, layer->x, layer->b, true, layer->e, layer->y);
    }
    if (layer->f == BP_ACTIVATION_SOFTMAX) {
        NATIVE(bp_activation)(layer->f, 1, layer->m, layer->e, layer->y);
    }
}

/* y = (y +) Σ x_r row_r, rows of them; rows is a constant. first: y is not read. */
INLINE void gemv_t_rows(size_t rows, row_end end, int first, const real *x, const real *A, size_t lda, real *y, vector *y_end)
{
    vector x_r[8];
    for (size_t r = 0; r < rows; r++) {
        x_r[r] = broadcast(x[r]);
    }
    for (size_t j = 0; j < end.at; j += LANES) {
        vector y_j = first ? (vector){0} : load(y + j);
        for (size_t r = 0; r < rows; r++) {
            y_j = multiply_add(load(A + r * lda + j), x_r[r], y_j);
        }
        store(y + j, y_j);
    }
    for (size_t r = 0; end.n && r < rows; r++) {
        *y_end = multiply_add(load_partial(A + r * lda + end.at, end.n), x_r[r], *y_end);
    }
}

/* y = Aᵀ x */
static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    row_end end = end_of_row(n, lda);
    vector y_end = {0};
    size_t i = 0;
    for (; i + 8 <= m; i += 8) {
        gemv_t_rows(8, end, i == 0, x + i, A + i * lda, lda, y, &y_end);
    }
    for (; i < m; i++) {
        gemv_t_rows(1, end, i == 0, x + i, A + i * lda, lda, y, &y_end);
    }
    if (end.n) {
        store_partial(y + end.at, y_end, end.n);
    }
}

/* What a sweep that writes comes to a page later: the processor looks ahead by itself, but not beyond a page. */
INLINE void fetch_ahead(size_t width, const real *at)
{
    enum { PAGE = 4096 / sizeof(real) };
    if (width >= PAGE) {
        __builtin_prefetch(at + PAGE);
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
            fetch_ahead(end.at, row + j);
            store(row + j, multiply_add(step, load(z + j), load(row + j)));
        }
        if (end.n && end.padded) {
            store(row + end.at, multiply_add(step, z_end, load(row + end.at)));
        } else if (end.n) {
            store_partial(row + end.at, multiply_add(step, z_end, load_partial(row + end.at, end.n)), end.n);
        }
    }
}

/* y = y + alpha x, as a matrix of one row */
static void axpy(size_t n, real alpha, const real *x, real *y)
{
    static const real one = 1;
    ger(1, n, alpha, &one, x, y, n);
}

/* b = b + alpha g */
INLINE void update_bias(const bp_layer_step *layer, real alpha)
{
    const real *g = layer->g;
    real *b = layer->b;
    for (size_t i = 0; b && i < layer->m; i += LANES) {
        store(b + i, multiply_add(broadcast(alpha), load(g + i), load(b + i)));
    }
}

/* A = A + alpha g zᵀ, where a row is one vector */
INLINE void narrow_ger(const bp_layer_step *layer, real alpha, const real *z)
{
    real *row = layer->A;
    const real *g = layer->g;
    vector z_0 = load(z);
    for (size_t i = 0; i < layer->m; i++, row += layer->lda) {
        store(row, multiply_add(broadcast(alpha * g[i]), z_0, load(row)));
    }
}

/* y = (y +) Σ x_r row_r and rows r += alpha x_r z; rows is a constant. first: y is not read. */
INLINE void sweep_rows(size_t rows, size_t width, int first, real alpha, const real *x, const real *z, real *A, size_t lda, real *y)
{
    vector x_r[UPDATE_ROWS], step[UPDATE_ROWS];
    for (size_t r = 0; r < rows; r++) {
        x_r[r] = broadcast(x[r]);
        step[r] = broadcast(alpha * x[r]);
    }
    for (size_t j = 0; j < width; j += LANES) {
        vector y_j = first ? (vector){0} : load(y + j);
        vector z_j = load(z + j);
        for (size_t r = 0; r < rows; r++) {
            vector a = load(A + r * lda + j);
            y_j = multiply_add(a, x_r[r], y_j);
            store(A + r * lda + j, multiply_add(step[r], z_j, a));
        }
        store(y + j, y_j);
    }
}

/* gemv_t_ger of any width */
SEPARATE void wide_gemv_t_ger(const bp_layer_step *layer, real alpha, const bp_layer_step *before, real *delta_prev)
{
    size_t m = layer->m, width = whole_row(layer->n).at, lda = layer->lda, i = 0;
    real *A = layer->A;
    const real *g = layer->g, *x = layer->x;
    for (; i + UPDATE_ROWS <= m; i += UPDATE_ROWS) {
        sweep_rows(UPDATE_ROWS, width, i == 0, alpha, g + i, x, A + i * lda, lda, delta_prev);
    }
    for (; i < m; i++) {
        sweep_rows(1, width, i == 0, alpha, g + i, x, A + i * lda, lda, delta_prev);
    }
    vector (*gradient)(vector, vector, vector) = before ? NATIVE(bp_vector_activations)[before->f].gradient : NULL;
    const real *e = gradient ? before->e : NULL;
    for (size_t j = 0; gradient && j < width; j += LANES) {
        store(delta_prev + j, gradient(load(e + j), load(x + j), load(delta_prev + j)));
    }
}

/* The same where a row is one vector: δ stays in registers. Two sums, for an addition waits for the one before. */
INLINE void narrow_gemv_t_ger(const bp_layer_step *layer, real alpha, const bp_layer_step *before, real *delta_prev)
{
    size_t m = layer->m, lda = layer->lda, i = 0;
    real *row = layer->A;
    const real *g = layer->g;
    vector even = {0}, odd = {0}, x = load(layer->x);
    for (; i + 2 <= m; i += 2, row += 2 * lda) {
        vector a_0 = load(row), a_1 = load(row + lda);
        even = multiply_add(a_0, broadcast(g[i]), even);
        odd = multiply_add(a_1, broadcast(g[i + 1]), odd);
        store(row, multiply_add(broadcast(alpha * g[i]), x, a_0));
        store(row + lda, multiply_add(broadcast(alpha * g[i + 1]), x, a_1));
    }
    if (i < m) {
        vector a_0 = load(row);
        even = multiply_add(a_0, broadcast(g[i]), even);
        store(row, multiply_add(broadcast(alpha * g[i]), x, a_0));
    }
    even += odd;
    vector (*gradient)(vector, vector, vector) = before ? NATIVE(bp_vector_activations)[before->f].gradient : NULL;
    store(delta_prev, gradient ? gradient(load(before->e), x, even) : even);
}

/* δ_prev = Aᵀ g with A as it was, A = A + alpha g xᵀ, b = b + alpha g; δ_prev ⊙ f′(e_prev) of the layer before */
static void gemv_t_ger(const bp_layer_step *layer, real alpha, const bp_layer_step *before, real *delta_prev)
{
    update_bias(layer, alpha);
    if (layer->n > LANES) {
        if (delta_prev) {
            wide_gemv_t_ger(layer, alpha, before, delta_prev);
        } else {
            ger(layer->m, layer->n, alpha, layer->g, layer->x, layer->A, layer->lda);
        }
    } else if (delta_prev) {
        narrow_gemv_t_ger(layer, alpha, before, delta_prev);
    } else {
        narrow_ger(layer, alpha, layer->x);
    }
}

/* row += step z, and then multiply_row */
SEPARATE vector update_multiply_row(size_t width, vector step, const real *z, real *row, const real *x)
{
    vector s[CHAINS] = {{0}};
    size_t j = 0;
    for (; width >= LONG_ROW && j + CHAINS * LANES <= width; j += CHAINS * LANES) {
        for (size_t c = 0; c < CHAINS; c++) {
            size_t at = j + c * LANES;
            fetch_ahead(width, row + at);
            vector a = multiply_add(step, load(z + at), load(row + at));
            store(row + at, a);
            s[c] = multiply_add(a, load(x + at), s[c]);
        }
    }
    for (; j < width; j += LANES) {
        vector a = multiply_add(step, load(z + j), load(row + j));
        store(row + j, a);
        s[0] = multiply_add(a, load(x + j), s[0]);
    }
    return width < LONG_ROW ? s[0] : (s[0] + s[1]) + (s[2] + s[3]);
}

/* UPDATE_ROWS short rows side by side. */
INLINE void update_multiply_rows(size_t width, real alpha, const real *g, const real *z, real *A, size_t lda, const real *x, vector v[])
{
    vector s[UPDATE_ROWS], step[UPDATE_ROWS];
    for (size_t r = 0; r < UPDATE_ROWS; r++) {
        s[r] = (vector){0};
        step[r] = broadcast(alpha * g[r]);
    }
    for (size_t j = 0; j < width; j += LANES) {
        vector z_j = load(z + j), x_j = load(x + j);
        for (size_t r = 0; r < UPDATE_ROWS; r++) {
            vector a = multiply_add(step[r], z_j, load(A + r * lda + j));
            store(A + r * lda + j, a);
            s[r] = multiply_add(a, x_j, s[r]);
        }
    }
    for (size_t r = 0; r < UPDATE_ROWS; r++) {
        v[r] = s[r];
    }
}

/* ger_gemv_activation of any size */
SEPARATE void blocks_ger_gemv_activation(vector (*f)(vector), const bp_layer_step *layer, real alpha, const real *z)
{
    size_t m = layer->m, lda = layer->lda, width = whole_row(layer->n).at;
    real *A = layer->A, *b = layer->b, *e = layer->e, *y = layer->y;
    const real *g = layer->g, *x = layer->x;
    for (size_t i = 0; i < m; i += BLOCK) {
        size_t rows = at_most(BLOCK, m - i);
        vector v[BLOCK] = {{0}}, sums[BLOCK_VECTORS];
        size_t r = 0;
        for (; width < LONG_ROW && r + UPDATE_ROWS <= rows; r += UPDATE_ROWS) {
            update_multiply_rows(width, alpha, g + i + r, z, A + (i + r) * lda, lda, x, v + r);
        }
        for (; r < rows; r++) {
            v[r] = update_multiply_row(width, broadcast(alpha * g[i + r]), z, A + (i + r) * lda, x);
        }
        sum_block(v, sums);
        finish_block(rows, sums, b ? b + i : NULL, f, true, e + i, y + i);
    }
}

/* A = A + alpha g zᵀ, b = b + alpha g, then e = A x + b and y = f(e) with these */
static void ger_gemv_activation(const bp_layer_step *layer, real alpha, const real *z)
{
    vector (*f)(vector) = NATIVE(bp_vector_activations)[layer->f].f;
    update_bias(layer, alpha);
    if (is_tiny(layer->m, layer->n)) {
        narrow_ger(layer, alpha, z);
        tiny_gemv_activation(f, layer);
    } else {
        blocks_ger_gemv_activation(f, layer, alpha, z);
    }
}

/* y = (x − offset) ⊙ scale, or x */
static void scale(size_t n, const real *x, const real *offset, const real *scale, real *y)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t rest = at_most(LANES, n - i);
        vector v = load_partial(x + i, rest);
        store(y + i, offset ? (v - load_partial(offset + i, rest)) * load_partial(scale + i, rest) : v);
    }
}

const REAL(bp_kernel_table) NATIVE(bp_kernel) = {
    .name = BP_ISA_NAME,
    .divisible = true,
    .gemv = gemv,
    .gemv_t = gemv_t,
    .ger = ger,
    .axpy = axpy,
    .gemm = NATIVE(bp_gemm),
    .activation = NATIVE(bp_activation),
    .local_gradient = NATIVE(bp_local_gradient),
    .loss = NATIVE(bp_loss),
    .scale = scale,
    .gemv_activation = gemv_activation,
    .gemv_t_ger = gemv_t_ger,
    .ger_gemv_activation = ger_gemv_activation,
    .method = NATIVE(bp_method),
    .clip = NATIVE(bp_clip),
};
