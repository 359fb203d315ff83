#ifndef BP_KERNEL_CPU_H
#define BP_KERNEL_CPU_H

#include <stdbool.h>

/* What the CPU can run and the system lets it run. Always false on other than x86-64. */
bool bp_cpu_has_avx2(void);   /* and FMA */
bool bp_cpu_has_avx512(void); /* F, BW, DQ, VL, and what avx2 has */

/* Where 512-bit registers are not slower than 256-bit ones on these kernels (docs/performance.md). */
bool bp_cpu_prefers_avx512(void);

#endif
