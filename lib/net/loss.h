/* Losses of a batch at the output layer. e, y, target, delta: batch × n, packed. */
#ifndef BP_NET_LOSS_H
#define BP_NET_LOSS_H

#include "bp/loss.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the loss comes with one activation only, for which −∂L/∂e is simpler and stabler than −∂L/∂y and f′. */
bool bp_loss_is_fused(bp_loss loss);

/* The mean over the samples of each one's loss. */
double bp_loss_mean_f32(bp_loss loss, size_t batch, size_t n, const float *e, const float *y, const float *target);
double bp_loss_mean_f64(bp_loss loss, size_t batch, size_t n, const double *e, const double *y, const double *target);

/* delta = −∂L/∂y, or −∂L/∂e where fused. */
void bp_loss_error_signal_f32(bp_loss loss, bool fused, size_t batch, size_t n, const float *e, const float *y, const float *target,
                              float *delta);
void bp_loss_error_signal_f64(bp_loss loss, bool fused, size_t batch, size_t n, const double *e, const double *y, const double *target,
                              double *delta);

#endif
