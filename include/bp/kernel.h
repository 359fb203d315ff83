/**
 * Which kernels do the linear algebra. The library chooses when it is loaded: by the CPU, or by the environment variable BP_KERNEL, which
 * can name one of avx512, avx2, generic (vector registers of the CPU, portable), blas (OpenBLAS for everything) and reference (plain
 * loops). A name that is unknown, or that this machine or build cannot run, is passed over. Results differ between kernels in rounding.
 */
#ifndef BP_KERNEL_H
#define BP_KERNEL_H

#include "bp/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The kernels in use: "avx512", "avx2", "generic", "blas" or "reference". Static text. Thread-safe. */
BP_API const char *bp_kernel_name(void);

#ifdef __cplusplus
}
#endif

#endif
