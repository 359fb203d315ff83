/*
 * Steps of a method. A sink gives an optimizer the rows of a gradient. It moves the parameters at once where it can; where it needs the whole
 * gradient first (bp_training.whole) it only keeps the rows, until all threads have waited for each other, one has settled what the step is to
 * be, and all have waited again; then each moves its part.
 */
#ifndef BP_TRAIN_OPTIMIZER_STEP_H
#define BP_TRAIN_OPTIMIZER_STEP_H

#include "kernel/kernel.h"
#include "net/pass.h"
#include "train/optimizer.h"

/* The context of REAL(bp_optimizer_take). */
typedef struct bp_training {
    bp_optimizer *opt;
    bp_net *net;
    bool whole;
    /* of the step that has begun */
    REAL(bp_method_step) weights, biases; /* its numbers, which are not the same where decay is not for biases */
    real clip;                            /* what clipping leaves of the gradient, as a factor */
} bp_training;

/* Counts a step, and computes its numbers; by one thread. */
void REAL(bp_optimizer_begin)(bp_training *training);

/* A sink's take: these rows of a layer's gradient. */
void REAL(bp_optimizer_take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows);

/* Clips the whole gradient, or has a custom method use it; by one thread, in the name of function. A step that fails is not counted. */
bp_status REAL(bp_optimizer_settle)(bp_training *training, const char *function);

/* Moves all parameters by the whole gradient, each thread of a team its part. */
void REAL(bp_optimizer_move)(const bp_training *training, const bp_team *team);

/* A parameter's place in an optimizer's gradient or state. */
static inline real *REAL(bp_optimizer_place)(const bp_training *training, void *vector, const void *parameter)
{
    return (real *)vector + ((const real *)parameter - (const real *)training->net->parameters);
}

#endif
