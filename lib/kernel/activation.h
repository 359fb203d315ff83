/* Activations on whole batches: y = f(e) and the local gradient g = δ ⊙ f′(e). A batch is batch × n, packed. */
#ifndef BP_KERNEL_ACTIVATION_H
#define BP_KERNEL_ACTIVATION_H

#include "bp/activation.h"

#include "core/real.h"

#include <stddef.h>

/* y may be e. */
void REAL(bp_activation_forward)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);

/* y is f(e), as forward left it; g may be delta or y. */
void REAL(bp_activation_local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta,
                                        real *g);

#endif
