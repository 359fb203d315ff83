/*
 * Steps of a method. A sink gives an optimizer the rows of a gradient. It moves the parameters at once where it can; where it needs the
 * whole gradient first (bp_optimizer.whole) it only keeps the rows, until all threads have waited for each other, one has settled what the
 * step is to be, and all have waited again; then each moves its part.
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
} bp_training;

/* The numbers of the step that has begun: for weights, or for biases, which may be without what pulls parameters to 0. */
static inline const REAL(bp_method_step) * REAL(bp_optimizer_numbers)(const bp_optimizer *opt, bool for_biases)
{
    const REAL(bp_method_step) *numbers = opt->numbers;
    return for_biases && opt->settings[BP_OPTIMIZER_BIAS_DECAY] == 0 ? numbers + 1 : numbers;
}

/* Counts a step, and computes its numbers; by one thread. A step that fails after this is to be counted out. */
void REAL(bp_optimizer_begin)(bp_optimizer *opt);

/* A sink's take: these rows of a layer's gradient. */
void REAL(bp_optimizer_take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows, bp_pass_what what);

/* Clips the whole gradient, or has a custom method use it; by one thread, in the name of function. A step that fails is not counted. */
bp_status REAL(bp_optimizer_settle)(const bp_training *training, const char *function);

/* Moves all parameters by the whole gradient, each thread of a team its part. */
void REAL(bp_optimizer_move)(const bp_training *training, const bp_team *team);

/* A parameter's place in an optimizer's gradient or state. */
static inline real *REAL(bp_optimizer_place)(const bp_training *training, void *vector, const void *parameter)
{
    return (real *)vector + ((const real *)parameter - (const real *)training->net->parameters);
}

#endif
