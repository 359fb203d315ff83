#ifndef BP_KERNEL_LAYER_STEP_H
#define BP_KERNEL_LAYER_STEP_H

#include "bp/activation.h"

#include <stddef.h>

/*
 * A layer with one sample. Rows of A are whole cache lines, and every vector lies in memory of whole cache lines and is 0 behind its end, when it
 * comes in and when it goes out.
 */
typedef struct bp_layer_step {
    bp_activation f;
    size_t m, n, lda; /* A is m × n */
    void *A, *b;      /* weights and bias; b is NULL without */
    void *x;          /* n: what it reads */
    void *e, *y;      /* m: A x + b, and f(e) */
    void *g;          /* m: the error signal δ, which becomes the local gradient g */
} bp_layer_step;

#endif
