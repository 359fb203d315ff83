/*
 * Steps of a method. A sink gives an optimizer the rows of a gradient. It moves the parameters at once where it can; where it needs the
 * whole gradient first (bp_training.whole) it only keeps the rows, until all threads have waited for each other, one has settled what the
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
    bool plain, whole; /* what the optimizer is and needs (optimizer.h) */
    /* of the step that has begun, unless it is plain */
    real clip; /* what clipping leaves of the gradient, as a factor */
    REAL(bp_method_step) numbers;
} bp_training;

/* Of steps with the optimizer's present settings. */
static inline bp_training REAL(bp_training_of)(bp_optimizer *opt, bp_net *net)
{
    return (bp_training){.opt = opt, .net = net, .plain = bp_optimizer_is_plain(opt), .whole = bp_optimizer_needs_whole_gradient(opt)};
}

/* The numbers for biases: those of weights, or with BP_OPTIMIZER_BIAS_DECAY 0 without what pulls parameters to 0. */
static inline REAL(bp_method_step) REAL(bp_numbers_of_biases)(const bp_training *training)
{
    REAL(bp_method_step) numbers = training->numbers;
    if (training->opt->settings[BP_OPTIMIZER_BIAS_DECAY] == 0) {
        numbers.decay = numbers.l1 = numbers.shrinkage = 0;
    }
    return numbers;
}

/* Counts a step, and computes its numbers; by one thread. A step that fails after this is to be counted out. */
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
