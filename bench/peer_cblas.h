/*
 * What a careful C programmer writes without libbp: a net trained on line by plain cblas calls, with tanh hidden layers, identity output
 * and bias.
 */
#ifndef BENCH_PEER_CBLAS_H
#define BENCH_PEER_CBLAS_H

#include "contest.h"

extern const REAL(bench_side) REAL(cblas_step);   /* a run is one step with one sample */
extern const REAL(bench_side) REAL(panel_step);   /* the same by row panels of half a level-2 cache, for gemv_t and then ger */
extern const REAL(bench_side) REAL(cblas_online); /* a run is a step with every sample in turn */

#endif
