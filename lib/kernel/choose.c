/* Which table runs: chosen once, when the library is loaded, by what is built in, what the CPU has, and BP_KERNEL. */
#include "kernel/cpu.h"
#include "kernel/kernel.h"

#ifdef BP_HAVE_BLAS
#include "kernel/blas.h"
#endif

#include <stdlib.h>
#include <string.h>

#ifdef BP_HAVE_X86_KERNELS
extern const REAL(bp_kernel_table) REAL(bp_kernel_avx512);
extern const REAL(bp_kernel_table) REAL(bp_kernel_avx2);
#endif
extern const REAL(bp_kernel_table) REAL(bp_kernel_generic);

const REAL(bp_kernel_table) * REAL(bp_kernel_chosen) = &REAL(bp_kernel_reference);

static bool always(void)
{
    return true;
}

/* Best first. */
static const struct {
    const REAL(bp_kernel_table) * table;
    bool (*runs)(void);   /* the machine can run it */
    bool (*chosen)(void); /* and, if none above it was chosen, does so unasked */
} tables[] = {
#ifdef BP_HAVE_X86_KERNELS
    {&REAL(bp_kernel_avx512), bp_cpu_has_avx512, bp_cpu_prefers_avx512},
    {&REAL(bp_kernel_avx2), bp_cpu_has_avx2, bp_cpu_has_avx2},
#endif
#ifdef BP_HAVE_BLAS
    {&REAL(bp_kernel_blas), always, always},
#endif
    {&REAL(bp_kernel_generic), always, always},
    {&REAL(bp_kernel_reference), always, always},
};

enum { TABLE_COUNT = sizeof tables / sizeof *tables };

const REAL(bp_kernel_table) * REAL(bp_kernel_find)(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(tables[i].table->name, name) == 0 && tables[i].runs()) {
            return tables[i].table;
        }
    }
    return NULL;
}

__attribute__((constructor)) static void choose(void)
{
    const char *name = getenv("BP_KERNEL");
    const REAL(bp_kernel_table) *wanted = name ? REAL(bp_kernel_find)(name) : NULL;
    for (size_t i = 0; !wanted && i < TABLE_COUNT; i++) {
        wanted = tables[i].chosen() ? tables[i].table : NULL;
    }
    REAL(bp_kernel_chosen) = wanted;
}
