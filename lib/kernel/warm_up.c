#include "kernel/warm_up.h"

#ifdef BP_HAVE_BLAS
#include "bp/kernel.h"

#include "kernel/blas_lock.h"

#include <cblas.h>
#include <string.h>
#endif

void bp_kernel_warm_up(void)
{
#ifdef BP_HAVE_BLAS
    if (strcmp(bp_kernel_name(), "blas") != 0) {
        return;
    }
    /* OpenBLAS maps its working memory in its first level-3 call and keeps it; syrk has no path that goes without */
    const double a = 0;
    double c = 0;
    bp_blas_lock();
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, 1, 1, 1, &a, 1, 0, &c, 1);
    bp_blas_unlock();
#endif
}
