/* The hook between backward pass and optimizer: rows of the gradient are summed in a vector laid out as θ, and come back from there. */
#ifndef BP_TRAIN_GRADIENT_HOOK_H
#define BP_TRAIN_GRADIENT_HOOK_H

#include "bp/gradient_hook.h"

#include "core/real.h"
#include "train/optimizer_step.h"

/* Where the gradient of a layer is summed: its W packed, then b. */
real *REAL(bp_hook_gradient)(const bp_training *training, size_t layer);

/*
 * Where the optimizer finds the gradient of a layer's weights, and the elements from row to row of it: where a hook left it, if its rows are whole
 * cache lines, as the optimizer's own are.
 */
real *REAL(bp_weight_gradient)(const bp_training *training, size_t layer, size_t *ld);

/* A sink's rows_done. */
void REAL(bp_hook_rows_ready)(void *context, size_t layer, size_t row);

/* Behind the backward pass, by one thread, in the name of function: the optimizer's gradient becomes what the hook made of it. */
bp_status REAL(bp_hook_complete)(const bp_training *training, const char *function, bp_status status, real *mean_loss);

#endif
