/* Steps of a method, row by row of a net's parameters. */
#ifndef BP_TRAIN_OPTIMIZER_STEP_H
#define BP_TRAIN_OPTIMIZER_STEP_H

#include "net/pass.h"
#include "train/optimizer.h"

/* The context of REAL(bp_optimizer_take). */
typedef struct bp_training {
    bp_optimizer *opt;
    bp_net *net;
} bp_training;

/* A sink's take, of methods with state: moves these rows of a layer's parameters, in a step that has been counted in n_steps. */
void REAL(bp_optimizer_take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows);

#endif
