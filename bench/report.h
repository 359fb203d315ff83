/* The table of results, and how far the run is. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "timing.h"

#include "bp/dtype.h"

#include <stddef.h>

typedef struct bench_report {
    size_t n_rows, row; /* all of them, and those begun */
    struct {
        size_t count;
        double log_ratio;
    } sums[3]; /* by dtype */
} bench_report;

/* Says what the columns are. */
bench_report bench_report_begin(size_t n_rows, double min_time);

/* A line on standard error while a row is measured, if that is a terminal. */
void bench_report_progress(bench_report *report, const char *shape, bp_dtype dtype);

void bench_report_row(bench_report *report, const char *shape, bp_dtype dtype, const bench_timing *timing);
void bench_report_error(const char *shape, bp_dtype dtype, const char *error);

/* The geometric mean of the ratios for each dtype. */
void bench_report_end(const bench_report *report);

#endif
