#include "statistics.h"

#include <stdlib.h>
#include <time.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which this fraction of n sorted numbers lies, interpolated. */
static double quantile(size_t n, const double *sorted, double fraction)
{
    double at = fraction * (double)(n - 1);
    size_t i = (size_t)at;
    double next = i + 1 < n ? sorted[i + 1] : sorted[i];
    return sorted[i] + (at - (double)i) * (next - sorted[i]);
}

bench_summary bench_summarize(size_t n, double *numbers)
{
    qsort(numbers, n, sizeof *numbers, compare);
    double median = quantile(n, numbers, 0.5);
    return (bench_summary){median, (quantile(n, numbers, 0.75) - quantile(n, numbers, 0.25)) / median};
}
