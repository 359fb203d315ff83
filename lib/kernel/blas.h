#ifndef BP_KERNEL_BLAS_H
#define BP_KERNEL_BLAS_H

#include "kernel/kernel.h"

/* OpenBLAS; there only if the build has it (BP_HAVE_BLAS). */
extern const REAL(bp_kernel_table) REAL(bp_kernel_blas);

#endif
