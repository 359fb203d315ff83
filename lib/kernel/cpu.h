#ifndef BP_KERNEL_CPU_H
#define BP_KERNEL_CPU_H

#include <stdbool.h>

/* What the CPU can run and the system lets it run. Always false on other than x86-64. */
bool bp_cpu_has_avx2(void);   /* and FMA */
bool bp_cpu_has_avx512(void); /* F, BW, DQ, VL, and what avx2 has */

/* Has AVX-512, with registers that are as wide inside the processor. */
bool bp_cpu_prefers_avx512(void);

#endif
