/* The command line. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "case.h"

#include <stdbool.h>

typedef struct bench_options {
    const char *suites; /* names with commas between */
    const char *filter; /* part of the rows' names; "" is part of all */
    bool f32, f64;
    double min_time;  /* seconds for a row */
    size_t threads;   /* of libbp and of OpenBLAS */
    const char *json; /* file name, or NULL */
    bool list;
} bench_options;

/* The program ends here after --help, and with 2 and a message after a mistake. */
bench_options bench_options_parse(int argc, char **argv);

/* Is this suite, is this row of it asked for? */
bool bench_options_select_suite(const bench_options *options, const char *suite);
bool bench_options_select(const bench_options *options, const bench_case *c);

#endif
