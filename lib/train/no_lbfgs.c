/* In the place of lbfgs.c where liblbfgs is not: bp_optimizer_create has made no optimizer that would come here. */
#include "core/status.h"
#include "train/lbfgs.h"

bp_status REAL(bp_lbfgs_minimize)(const char *function, const bp_training *training, REAL(bp_evaluate) * evaluate, void *context,
                                  real *mean_loss)
{
    (void)training;
    (void)evaluate;
    (void)context;
    (void)mean_loss;
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: this build has no L-BFGS (liblbfgs)", function);
}
