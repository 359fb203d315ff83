/*
 * The forward and the backward pass of a batch through a net. Arguments have been checked by the caller. Every thread of a team makes the
 * same calls, and each does its part; what comes out does not depend on their number.
 */
#ifndef BP_NET_PASS_H
#define BP_NET_PASS_H

#include "core/memory.h"
#include "core/real.h"
#include "net/team.h"
#include "net/workspace.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct REAL(bp_pass) {
    const bp_net *net;
    bp_workspace *ws;
    size_t batch;
    size_t step_batch; /* samples of the step that these are of: more than batch if others have the rest. Losses are divided by it */
    size_t preceding;  /* and those of it before these */
    /* of a training step: then there are dropout and noise, whose numbers depend on the seed and the step */
    bool trains;
    uint64_t seed, step;
} REAL(bp_pass);

/* Samples of a call: number s is row s of x and target, or row order[s]. */
typedef struct REAL(bp_samples) {
    const real *x;       /* rows of n_inputs */
    const real *target;  /* rows of n_outputs, or NULL; not yet as the net's output scaling makes them */
    const real *weights; /* of a row's loss; NULL: 1 */
    const size_t *order; /* or NULL */
    /* where others have samples of the step as well (bp_pass); 0 and 0: they have not */
    size_t step_batch, preceding;
    real label_smoothing; /* s: a target z becomes (1 − s) z + s / n_outputs (Szegedy et al. 2016) */
} REAL(bp_samples);

/*
 * Has the x of sample number s come into the cache, while others are worked on: samples in a random order no processor foresees. Always inline,
 * because gcc drops calls of a function that does nothing but this.
 */
__attribute__((always_inline)) static inline void REAL(bp_samples_fetch)(const REAL(bp_samples) * samples, size_t n_inputs, size_t s)
{
    for (size_t i = 0; samples->order && i < n_inputs; i += BP_ALIGNMENT / sizeof(real)) {
        __builtin_prefetch(samples->x + samples->order[s] * n_inputs + i);
    }
}

/*
 * Begins a pass through these samples from number first on, by one thread. Their x as the first layer sees it is put into input, of the workspace,
 * with the net's input scaling applied, and for one sample on whole cache lines; or x stays where it is, if that is the same. −∂L/∂x is not wanted
 * unless it is said so after this.
 */
void REAL(bp_pass_begin)(const REAL(bp_pass) * pass, const REAL(bp_samples) * samples, size_t first, real *input);

/* Fills every layer's e and y. The team has waited for each other when it returns. */
void REAL(bp_pass_forward)(const REAL(bp_pass) * pass, const bp_team *team);

/* What the net answers, batch × n_outputs: the last layer's y, without the output scaling. */
void REAL(bp_pass_output)(const REAL(bp_pass) * pass, real *y);

/* What of a layer's gradient. */
typedef enum bp_pass_what { BP_PASS_WEIGHTS = 1, BP_PASS_BIASES = 2, BP_PASS_BOTH = 3 } bp_pass_what;

/* What becomes of g, a layer's local gradient, batch × n_outputs: the sum over samples of g xᵀ is −1 times the gradient by its weights. */
typedef struct REAL(bp_pass_sink) {
    bp_net *net;     /* W += alpha Σ g xᵀ and b += alpha Σ g in this net, which is the pass's own; NULL: not */
    real alpha;      /* of that */
    bool first_left; /* but not yet in its first layer: REAL(bp_pass_update_first), or …_update_forward, is to follow */
    /* otherwise this is given the rows of every layer, a part of them at a time, by several threads at once; NULL: not wanted */
    void (*take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows, bp_pass_what what);
    /*
     * and this is called by one thread, as soon as that can be, when all that the layer has from this row of its weights on has been, last rows
     * first and 0 at the end; NULL: not wanted
     */
    void (*rows_done)(void *context, size_t layer, size_t row);
    void *context;
} REAL(bp_pass_sink);

/* What a call that differentiates a net, or trains it, has the threads of its workspace do. */
typedef struct REAL(bp_job) {
    const char *function; /* in whose name a loss is refused */
    REAL(bp_pass) pass;
    bp_loss loss;
    const REAL(bp_samples) * samples;
    REAL(bp_pass_sink) sink;
    /* of this pass */
    const real *target;  /* batch × n_outputs */
    const real *weights; /* batch, or NULL */
    /* from the loss on */
    bp_status status; /* whether all is finite */
    real mean_loss;
    bool is_local; /* the last layer's g is there, −∂L/∂e, and not only δ: the loss and the rule let it be computed at once */
} REAL(bp_job);

/* bp_pass_begin for a job, with the samples' targets and weights. */
void REAL(bp_job_begin)(REAL(bp_job) * job, size_t first, real *input);

/* After a forward pass, by one thread: the mean loss, and into the last layer's g the error signal −∂L/∂y, or −∂L/∂e. */
void REAL(bp_job_loss)(REAL(bp_job) * job);

/*
 * From the last layer's δ (is_local: it is g already) to the first layer, whose δ ends as g. If ws->delta_input is set, batch × n_inputs,
 * it receives −∂L/∂x.
 */
void REAL(bp_pass_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink);

/* W = beta W + alpha Σ g xᵀ for these rows of a matrix laid out as the layer's W, and b likewise; either may be NULL. beta is 0 or 1. */
void REAL(bp_pass_sum)(const REAL(bp_pass) * pass, size_t layer, bp_range rows, real alpha, real beta, real *W, size_t ld, real *b);

/* The update of the first layer that a backward pass of one sample left. */
void REAL(bp_pass_update_first)(const REAL(bp_pass) * pass, const bp_team *team, bp_net *net, real alpha);

/* The same for the sample before, and the forward pass of this one, with one sweep over the first layer's weights for both. */
void REAL(bp_pass_update_forward)(const REAL(bp_pass) * pass, const bp_team *team, real alpha, const real *before);

#endif
