/* The forward and the backward pass of a batch through a net. Arguments have been checked by the caller. */
#ifndef BP_NET_PASS_H
#define BP_NET_PASS_H

#include "core/real.h"
#include "net/workspace.h"

#include <stdbool.h>

/* x as the first layer sees it: x itself, or with the net's input scaling applied in input, batch × n_inputs of the workspace. */
const real *REAL(bp_pass_input)(const bp_net *net, size_t batch, const real *x, real *input);

/* Fills every layer's e and y; returns the last y. x is what bp_pass_input gave. */
const real *REAL(bp_pass_forward)(const bp_net *net, bp_workspace *ws, size_t batch, const real *x);

/*
 * After a forward pass: the mean loss, and into the last layer's delta the error signal −∂L/∂y, or the local gradient −∂L/∂e where the
 * loss and the rule let it be computed at once (*is_local). The status says whether all is finite.
 */
bp_status REAL(bp_pass_loss)(const char *function, const bp_net *net, bp_workspace *ws, bp_loss loss, size_t batch, const real *target,
                             real *mean_loss, bool *is_local);

/* Where a backward pass leaves the sums over samples of g xᵀ and g, times alpha. */
typedef struct REAL(bp_pass_sink) {
    real alpha;
    real *gradient;  /* written in θ's order; NULL: none */
    bp_net *net;     /* added to its parameters; NULL: not */
    bool first_left; /* but not yet to the first layer's: bp_pass_update_first, or bp_pass_update_forward, is to follow */
} REAL(bp_pass_sink);

/*
 * From the last layer's delta (is_local: it is g already) to the first layer; x as in the forward pass. delta_input: batch × n_inputs,
 * −∂L/∂x, or NULL.
 */
void REAL(bp_pass_backward)(const bp_net *net, bp_workspace *ws, size_t batch, const real *x, bool is_local, REAL(bp_pass_sink) sink,
                            real *delta_input);

/* The update of the first layer that a backward pass of one sample x left. */
void REAL(bp_pass_update_first)(bp_net *net, bp_workspace *ws, real alpha, const real *x);

/* The same, and the forward pass of the next sample, with one sweep over the first layer's weights for both. */
void REAL(bp_pass_update_forward)(bp_net *net, bp_workspace *ws, real alpha, const real *x, const real *next);

#endif
