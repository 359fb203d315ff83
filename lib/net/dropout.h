/*
 * Dropout (Srivastava et al. 2014), inverted: in a training step each output of a layer is 0 with the layer's probability p, and else divided by
 * 1 − p. Which are 0 depends on the seed, the step, the layer and the output's place in the batch, and not on threads.
 */
#ifndef BP_NET_DROPOUT_H
#define BP_NET_DROPOUT_H

#include "net/pass.h"

/* Whether a layer may have dropout in this pass; the functions below are for when one has. */
static inline bool REAL(bp_dropout_is_on)(const REAL(bp_pass) * pass)
{
    return pass->ws->dropouts && pass->trains;
}

/* What each layer reads from now on: with dropout its own copy of the outputs of the layer before, which themselves are needed for f′. */
void REAL(bp_dropout_begin)(const REAL(bp_pass) * pass);

/* Draws for these outputs of layer l, batch × m packed, and writes what the next layer reads. Nothing for a layer without dropout. */
void REAL(bp_dropout_forward)(const REAL(bp_pass) * pass, size_t l, bp_range outputs);

/* The error signal of these outputs, through what was drawn for them. */
void REAL(bp_dropout_backward)(const REAL(bp_pass) * pass, size_t l, bp_range outputs);

#endif
