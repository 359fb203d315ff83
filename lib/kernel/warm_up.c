#include "kernel/warm_up.h"

#ifdef BP_HAVE_BLAS
#include <cblas.h>
#endif

void bp_kernel_warm_up(void)
{
#ifdef BP_HAVE_BLAS
    /* OpenBLAS maps its working memory in its first level-3 call and keeps it; syrk has no path that goes without */
    const double a = 0;
    double c = 0;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, 1, 1, 1, &a, 1, 0, &c, 1);
#endif
}
