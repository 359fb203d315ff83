/* L-BFGS on a batch. */
#ifndef BP_TRAIN_LBFGS_H
#define BP_TRAIN_LBFGS_H

#include "train/optimizer_step.h"

/* The mean loss at the net's parameters, and its gradient into the optimizer's; BP_ERROR_NONFINITE where the loss is not finite. */
typedef bp_status REAL(bp_evaluate)(void *context, real *mean_loss);

/*
 * Minimizes the loss that evaluate computes, with the optimizer's weight decay. mean_loss receives the loss before; NULL: it is not wanted.
 * In the name of function.
 */
bp_status REAL(bp_lbfgs_minimize)(const char *function, const bp_training *training, REAL(bp_evaluate) * evaluate, void *context,
                                  real *mean_loss);

#endif
