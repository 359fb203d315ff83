/*
 * FANN (Nissen 2003), the library that C programmers take for small nets: incremental training, one sample a step. Built where pkg-config
 * finds fann (BENCH_HAVE_FANN), for f32 only: its float and double libraries have the same symbols.
 */
#ifndef BENCH_PEER_FANN_H
#define BENCH_PEER_FANN_H

#include "contest.h"

extern const REAL(bench_side) REAL(fann_step); /* a run is one fann_train */

#endif
