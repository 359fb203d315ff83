/* Activations one element at a time through libm: the entries of the reference table, and of the BLAS table, for BLAS has none. */
#ifndef BP_KERNEL_ACTIVATION_REFERENCE_H
#define BP_KERNEL_ACTIVATION_REFERENCE_H

#include "bp/activation.h"

#include "core/real.h"

#include <stddef.h>

void REAL(bp_activation_reference)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);
void REAL(bp_local_gradient_reference)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta,
                                       real *g);

#endif
