/* libbp's side of the rows about whole nets: tanh hidden layers, identity output, bias, MSE. */
#ifndef BENCH_SIDE_LIBBP_H
#define BENCH_SIDE_LIBBP_H

#include "contest.h"

extern const REAL(bench_side) REAL(libbp_step);       /* a run is one bp_net_train_step */
extern const REAL(bench_side) REAL(libbp_step_alone); /* the same with one thread, however many the case has */
extern const REAL(bench_side) REAL(libbp_online);     /* a run is one bp_net_train_online over all samples */
extern const REAL(bench_side) REAL(libbp_predict);    /* a run is one bp_net_predict of a batch */

#endif
