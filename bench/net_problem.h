/* A net with its first weights, and samples for it. */
#ifndef BENCH_NET_PROBLEM_H
#define BENCH_NET_PROBLEM_H

#include "case.h"

#include "bp/net.h"
#include "bp/optimizer.h"

#include "core/real.h"

typedef struct REAL(net_problem) {
    const bench_case *c;
    size_t n_in, n_out;
    size_t n_samples; /* a multiple of the batch; used in turn */
    real *x, *target;
    real *theta; /* the first weights: for each layer W row-major, then b */
    size_t n_theta;
} REAL(net_problem);

REAL(net_problem) REAL(net_problem_create)(const bench_case *c, size_t n_samples);
void REAL(net_problem_destroy)(REAL(net_problem) * problem);

/* Makes libbp's net of the problem, with its first weights, and the optimizer of the case, SGD if it has none. The caller destroys both. */
bp_status REAL(net_problem_build)(const REAL(net_problem) * problem, bp_net **net, bp_optimizer **opt);

/* n numbers, uniform in [−½, ½), always the same for the same n. Freed by free. */
real *REAL(bench_random)(size_t n);

#endif
