/* The sides of a row about Adam's update with one sample: W, m and v gone over once, with the gradient −g xᵀ computed on the way. */
#ifndef BENCH_SIDE_SWEEP_H
#define BENCH_SIDE_SWEEP_H

#include "contest.h"

/* A run is an update of all layers of a net_problem, with vectors x and g that are not computed from anything. */
extern const REAL(bench_side) REAL(adam_sweep); /* by what a training step calls for it behind its backward pass */
extern const REAL(bench_side)
    REAL(copy_sweep); /* only reads and writes as many bytes as W, m and v, and b's, have; checked: a plain loop of Adam */

#endif
