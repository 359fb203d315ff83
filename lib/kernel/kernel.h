/*
 * The operations on matrices and vectors that a net is made of, under their BLAS names: a table of functions for each way to do them.
 * Everything above this room asks REAL(bp_kernel)() for the table in use and knows nothing of instruction sets or libraries.
 *
 * Matrices are row-major; lda, ldb, ldc are the elements from one row to the next. m, n, k are 1 … BP_MAX_DIMENSION. Operands that are
 * written overlap none that are read. If lda is a multiple of a cache line, all lda elements of a row belong to the matrix, and those beyond
 * n are 0 and stay 0. Vectors need no padding and no alignment, but where it is said.
 */
#ifndef BP_KERNEL_KERNEL_H
#define BP_KERNEL_KERNEL_H

#include "bp/activation.h"
#include "bp/loss.h"
#include "bp/optimizer.h"

#include "core/real.h"
#include "kernel/layer_step.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { BP_NO_TRANSPOSE, BP_TRANSPOSE } bp_transpose;

/* The numbers of one step of an optimization method; a method uses those of its formula. */
typedef struct REAL(bp_method_step) {
    real learning_rate; /* of Adam and AdamW η √(1 − β₂ᵗ) / (1 − β₁ᵗ); of iRPROP− the step that an element begins with */
    real epsilon;       /* of Adam and AdamW ε √(1 − β₂ᵗ) */
    real momentum;
    real rest1, rest2;                         /* 1 − β₁, 1 − β₂ */
    real decay, l1;                            /* g + decay θ + l1 sign θ takes the place of g */
    real shrinkage;                            /* θ − shrinkage θ takes the place of θ: of AdamW ηλ */
    real increase, decrease, minimum, maximum; /* of iRPROP−'s steps */
} REAL(bp_method_step);

/*
 * Parameters for a step: m rows of n elements, ld from one to the next, whose gradient is scale × g_i × direction for row i, or scale ×
 * direction where g is NULL. So one sample's gradient, −g xᵀ, needs no memory. Rows are as a layer's vectors.
 */
typedef struct REAL(bp_method_rows) {
    size_t m, n, ld;
    real scale;
    const real *g, *direction;
    real *theta;
    real *first, *second; /* the method's state, in the order of its formula (bp/optimizer.h); NULL for a state that it has not */
    size_t direction_ld;  /* from a row's direction to the next one's; 0: all rows have the same */
} REAL(bp_method_rows);

typedef struct REAL(bp_kernel_table) {
    const char *name;

    /* A part of a result has the same bits whether it is computed by itself or with the rest: work can be divided between threads. */
    bool divisible;

    /* y = A x + b. A: m × n, x: n, y and b: m; b may be NULL. */
    void (*gemv)(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y);

    /* y = Aᵀ x. A: m × n, x: m, y: n. */
    void (*gemv_t)(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y);

    /* A = A + alpha x zᵀ. A: m × n, x: m, z: n. */
    void (*ger)(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda);

    /* y = y + alpha x; n elements. In every table with the bits of any part of it. */
    void (*axpy)(size_t n, real alpha, const real *x, real *y);

    /* C = alpha op(A) op(B) + beta C. op(A): m × k, op(B): k × n, C: m × n; C is not read if beta is 0. */
    void (*gemm)(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc);

    /* y = f(e) for a batch × n, packed. y may be e. */
    void (*activation)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);

    /* g = δ ⊙ f′(e), or Jᵀδ for softmax. y is f(e); g may be delta or y. */
    void (*local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta, real *g);

    /*
     * Returns the loss, summed over samples and outputs, of outputs y = f(e) and targets, batch × n each, and writes delta: −∂L/∂y, or if local
     * −∂L/∂e, which the two cross-entropies have. weights are factors of the samples' losses, or NULL. NaN is returned if not all of delta is
     * finite. With one sample delta is as a layer's g.
     */
    double (*loss)(bp_loss loss, bool local, size_t batch, size_t n, const real *e, const real *y, const real *target, const real *weights,
                   real *delta);

    /* y = (x − offset) ⊙ scale, or x if offset is NULL; n elements. y is as a layer's x, x need not be. */
    void (*scale)(size_t n, const real *x, const real *offset, const real *scale, real *y);

    /* The steps of a layer with one sample, each in one sweep over its weights. */

    /* e = A x + b, y = f(e) */
    void (*gemv_activation)(const bp_layer_step *layer);

    /*
     * δ = Aᵀ g with A as it was, A = A + alpha g xᵀ, b = b + alpha g; then delta_prev = δ, or with before, the layer whose y is x, not of softmax,
     * δ ⊙ f′(e) of that. delta_prev may be NULL: it is left out. The idea of GEMVT in the updated BLAS (Blackford et al. 2002): the gradient
     * passes through a layer that it changes.
     */
    void (*gemv_t_ger)(const bp_layer_step *layer, real alpha, const bp_layer_step *before, real *delta_prev);

    /* A = A + alpha g zᵀ, b = b + alpha g, then e = A x + b and y = f(e) with these, f not softmax: z is the x that g came from. */
    void (*ger_gemv_activation)(const bp_layer_step *layer, real alpha, const real *z);

    /* A step of a method. Parameters and state are gone over once. */
    void (*method)(bp_method method, const REAL(bp_method_step) * step, const REAL(bp_method_rows) * rows);

    /* Holds n elements to ±limit, and returns the sum of their squares. The vector is as a layer's. */
    double (*clip)(size_t n, real limit, real *x);
} REAL(bp_kernel_table);

/* Zeros from element n of a vector to the end of its last cache line. */
static inline void REAL(bp_clear_end)(size_t n, real *vector)
{
    for (; n % (64 / sizeof(real)) != 0; n++) {
        vector[n] = 0;
    }
}

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
