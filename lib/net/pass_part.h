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
void REAL(bp_pass_deliver)(const REAL(bp_pass) * pass, const REAL(bp_pass_sink) * sink, size_t layer, bp_range rows);

/* What layer l reads, and what it leaves. */
static inline const bp_layer_pass *REAL(bp_pass_in)(const REAL(bp_pass) * pass, size_t l)
{
    return &pass->ws->passes[l];
}

static inline const bp_layer_pass *REAL(bp_pass_out)(const REAL(bp_pass) * pass, size_t l)
{
    return &pass->ws->passes[l + 1];
}

#endif
