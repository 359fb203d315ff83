/* The sides of a row about epochs of training with libbp, each epoch with the samples in a new order. */
#ifndef BENCH_SIDE_EPOCHS_H
#define BENCH_SIDE_EPOCHS_H

#include "contest.h"

/* A run is an epoch over all samples of a net_problem. */
extern const REAL(bench_side) REAL(trainer_epochs); /* by bp_trainer_run */
extern const REAL(bench_side) REAL(steps_epochs);   /* by hand: a permutation, and each batch gathered and trained with */
extern const REAL(bench_side) REAL(bare_epochs);    /* only the training calls, on samples that lie in their order already */

#endif
