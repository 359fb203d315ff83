/* Time, and what many measurements of it say. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stddef.h>

/* Seconds on a clock that only goes forward. */
double bench_now(void);

typedef struct bench_summary {
    double median, spread; /* spread: interquartile range / median */
} bench_summary;

/* Sorts the n numbers, 1 or more. */
bench_summary bench_summarize(size_t n, double *numbers);

#endif
