/**
 * Learning: forward, backward and the optimizer's step in one call.
 *
 * Both calls return the common errors of net.h, BP_ERROR_STATE (an optimizer of another net, a workspace made before a layer was given
 * dropout), BP_ERROR_UNSUPPORTED (a loss that does not fit the output activation; softmax under BP_RULE_ERROR_SIGNAL), and
 * BP_ERROR_NONFINITE when an input, the loss, the error signal, the norm of a gradient that is clipped or a parameter that a custom method computes is
 * NaN or infinite; BP_ERROR_STATE also when a custom method's function fails. Then the weights are as they were before that step.
 *
 * New weights are not looked at, for that would cost as much as a small net's step: where all of the above are finite, but a gradient or a new weight is
 * beyond the element type (weights near its limit, a huge learning rate), the step is BP_OK, and the weights are not finite. bp_trainer_run looks
 * at them and returns to where the epoch began.
 */
#ifndef BP_TRAIN_H
#define BP_TRAIN_H

#include "bp/export.h"
#include "bp/loss.h"
#include "bp/net.h"
#include "bp/optimizer.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One step on a batch: the parameters move once, by the gradient of the mean loss. x: batch × n_inputs, target: batch × n_outputs.
 * mean_loss receives the loss before the step; it may be NULL. With L-BFGS the step is some iterations on this batch, which take memory: returns
 * also BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_train_step_f32(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t batch, const float *x,
                                       const float *target, float *mean_loss);
BP_API bp_status bp_net_train_step_f64(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t batch, const double *x,
                                       const double *target, double *mean_loss);

/**
 * On-line learning: n samples one after the other, the parameters move after each; the same as n train steps of batch 1. n is 1 or more.
 * x: n × n_inputs, target: n × n_outputs. mean_loss receives the mean of each sample's loss before its own step; it may be NULL.
 * When a step fails, those before the sample named in the sentence have been made. L-BFGS is BP_ERROR_UNSUPPORTED here.
 */
BP_API bp_status bp_net_train_online_f32(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t n, const float *x,
                                         const float *target, float *mean_loss);
BP_API bp_status bp_net_train_online_f64(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t n, const double *x,
                                         const double *target, double *mean_loss);

#ifdef __cplusplus
}
#endif

#endif
