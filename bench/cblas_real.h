/* cblas calls of the element type: CBLAS(gemv) is cblas_sgemv or cblas_dgemv. */
#ifndef BENCH_CBLAS_REAL_H
#define BENCH_CBLAS_REAL_H

#include "core/real.h"

#include <cblas.h>

#if BP_REAL_BITS == 32
#define CBLAS(name) cblas_s##name
#else
#define CBLAS(name) cblas_d##name
#endif

#endif
