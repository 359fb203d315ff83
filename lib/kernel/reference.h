/*
 * What BLAS has no operation for, one element at a time through libm: entries of the reference table, and of the BLAS table. kernel.h says
 * what they compute.
 */
#ifndef BP_KERNEL_REFERENCE_H
#define BP_KERNEL_REFERENCE_H

#include "kernel/kernel.h"

void REAL(bp_axpy_reference)(size_t n, real alpha, const real *x, real *y);
void REAL(bp_scale_reference)(size_t n, const real *x, const real *offset, const real *scale, real *y);

void REAL(bp_activation_reference)(bp_activation activation, size_t batch, size_t n, const real *e, real *y);
void REAL(bp_local_gradient_reference)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta,
                                       real *g);

double REAL(bp_loss_reference)(bp_loss loss, bool local, size_t batch, size_t n, const real *e, const real *y, const real *target,
                               const real *weights, real *delta);

void REAL(bp_method_reference)(bp_method method, const REAL(bp_method_step) * step, const REAL(bp_method_rows) * rows);
double REAL(bp_clip_reference)(size_t n, real limit, real *x);

#endif
