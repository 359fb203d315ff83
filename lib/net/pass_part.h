/* What the passes of one sample and of a batch have in common. */
#ifndef BP_NET_PASS_PART_H
#define BP_NET_PASS_PART_H

#include "kernel/kernel.h"
#include "net/pass.h"

/* The two kinds of pass. */
void REAL(bp_sample_forward)(const REAL(bp_pass) * pass, const bp_team *team, size_t first_layer);
void REAL(bp_sample_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink);
void REAL(bp_batch_forward)(const REAL(bp_pass) * pass, const bp_team *team);
void REAL(bp_batch_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink);

/* Hands rows of a layer's local gradient to where they are to go. */
void REAL(bp_pass_deliver)(const REAL(bp_pass) * pass, const REAL(bp_pass_sink) * sink, size_t layer, bp_range rows, bp_pass_what what);

/* Says that this thread's part of a layer's rows, and what is behind them, has been handed over, where that is wanted. */
void REAL(bp_pass_rows_done)(const REAL(bp_pass_sink) * sink, const bp_team *team, size_t layer, size_t row);

/* The lowest layer that a backward pass comes to. */
static inline size_t REAL(bp_pass_lowest)(const REAL(bp_pass) * pass)
{
    return pass->ws->delta_input ? 0 : pass->net->lowest_trained;
}

/* Where δ of the layer before l goes, or of the input; NULL: it is not wanted. */
static inline real *REAL(bp_pass_delta_prev)(const REAL(bp_pass) * pass, size_t l)
{
    return l == 0 ? pass->ws->delta_input : l > REAL(bp_pass_lowest)(pass) ? pass->ws->layers[l - 1].g : NULL;
}

#endif
