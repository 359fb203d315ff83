/* Time, and what many measurements of it say. */
#ifndef MNIST_STATISTICS_H
#define MNIST_STATISTICS_H

#include <stddef.h>

/* Seconds on a clock that only goes forward. */
double mnist_now(void);

typedef struct mnist_summary {
    double median, spread; /* spread: interquartile range / median */
} mnist_summary;

/* Sorts the n numbers, 1 or more. */
mnist_summary mnist_summarize(size_t n, double *numbers);

#endif
