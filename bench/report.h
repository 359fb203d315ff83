/* The results: tables on standard output, and how far the run is on a terminal. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "floors.h"
#include "machine.h"
#include "suites.h"

/* Everything that was measured. */
typedef struct bench_report {
    bench_machine machine;
    bench_floors *floors;
    size_t n_rows; /* so far, of cases.n */
    bench_cases cases;
    bench_result *results;
} bench_report;

/* A geometric mean of ratios. */
typedef struct bench_mean {
    const char *suite, *peer;
    bp_dtype dtype;
    double ratio;
    size_t rows;
} bench_mean;

/* Over the rows of this suite, dtype and group (bench_case_group; NULL: any) that have this peer. False if there are none. */
bool bench_report_mean(const bench_report *report, const char *suite, bp_dtype dtype, const char *group, const char *peer,
                       bench_mean *mean);

/* A line on standard error while the next row is measured, if that is a terminal. */
void bench_report_progress(const bench_report *report);

/* Adds a row and prints it, with the heading of its suite's table before the first. */
void bench_report_add(bench_report *report, const bench_result *result);

/* Prints the means, and a warning where the machine was too noisy for them. */
void bench_report_end(const bench_report *report);

#endif
