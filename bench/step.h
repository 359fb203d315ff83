/* The on-line training step: libbp beside plain cblas calls. */
#ifndef BENCH_STEP_H
#define BENCH_STEP_H

#include "shapes.h"
#include "timing.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Measures a row for about this many seconds; true if all went well. Before that both sides train from the same weights and must come to
 * the same weights within rounding. If not, or if a step fails, error (size bytes) says what.
 */
typedef bool bench_row(const bench_shape *shape, double seconds, bench_timing *timing, char *error, size_t size);

bench_row bench_step_f32, bench_step_f64;

#endif
