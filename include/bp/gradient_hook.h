/**
 * A place between backward pass and optimizer: the caller's own functions see each step's gradient, may send it elsewhere while the rest is still
 * being computed, and change it before the optimizer uses it. Averaging over machines, a parameter server, noise on gradients are made with it.
 *
 *     bp_optimizer_set_gradient_hook_f32(opt, send, receive, &connection);
 *     bp_net_train_step_f32(net, ws, opt, …);    // calls send for each layer from the last to the first, then receive
 *
 * mpi.h has such a hook; data_parallel.h is what a trainer needs besides.
 */
#ifndef BP_GRADIENT_HOOK_H
#define BP_GRADIENT_HOOK_H

#include "bp/export.h"
#include "bp/optimizer.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Elements first … first + n − 1 of the gradient (n elements, in the order of θ, net.h) are there: a layer's, or some rows of a large one. The last
 * layer and its last rows come first, so that what is behind these elements has come before. The backward pass goes on when it returns. From then
 * to the end of bp_gradient_complete these elements are the hook's, to read and to write, as are those behind them. It is not called for frozen
 * layers, whose gradient is 0.
 */
typedef void bp_gradient_ready_f32(void *context, size_t first, size_t n, float *gradient);
typedef void bp_gradient_ready_f64(void *context, size_t first, size_t n, double *gradient);

/**
 * All of a step's gradient is there, n elements; what it is when this returns BP_OK, finite, is what the optimizer uses, before decay and clipping.
 * status is BP_OK, or what has gone wrong before, as a loss that is not finite (BP_ERROR_NONFINITE): bp_gradient_ready was then not called in this
 * step, and gradient is NULL; this call is there so that others can be told. mean_loss, one element, is the step's, and may be changed to
 * another finite number. Any status but BP_OK is what the step returns, with the sentence of bp_set_last_error; net and optimizer are then as before
 * the step.
 */
typedef bp_status bp_gradient_complete_f32(void *context, bp_status status, float *mean_loss, size_t n, float *gradient);
typedef bp_status bp_gradient_complete_f64(void *context, bp_status status, double *mean_loss, size_t n, double *gradient);

/**
 * From now on every training step with this optimizer calls these, on the thread that called the library; they are not
 * to use the net, its workspaces or the optimizer but for reading. ready may be NULL; complete NULL removes the hook. Takes memory for as many
 * elements as the net has parameters, twice for SGD. bp_optimizer_step, whose gradient is the caller's, calls nothing.
 * Returns BP_ERROR_ARGUMENT (NULL opt, ready without complete), BP_ERROR_DTYPE, BP_ERROR_UNSUPPORTED (L-BFGS, a step of which has many gradients),
 * BP_ERROR_MEMORY.
 */
BP_API bp_status bp_optimizer_set_gradient_hook_f32(bp_optimizer *opt, bp_gradient_ready_f32 *ready, bp_gradient_complete_f32 *complete,
                                                    void *context);
BP_API bp_status bp_optimizer_set_gradient_hook_f64(bp_optimizer *opt, bp_gradient_ready_f64 *ready, bp_gradient_complete_f64 *complete,
                                                    void *context);

#ifdef __cplusplus
}
#endif

#endif
