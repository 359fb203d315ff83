/*
 * Batches by plain cblas calls: what is left of training if nothing but its GEMMs is done, and inference with libm's tanh. Nets as those of
 * peer_cblas.
 */
#ifndef BENCH_PEER_GEMM_H
#define BENCH_PEER_GEMM_H

#include "contest.h"

extern const REAL(bench_side) REAL(gemm_step);    /* a run is the GEMMs of one step with a batch; run_whole is the step */
extern const REAL(bench_side) REAL(gemm_predict); /* a run is inference of one batch; of one sample by GEMV */

#endif
