/* What a measurement was made on. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stddef.h>

enum { BENCH_MAX_VARIABLES = 64 };

typedef struct bench_machine {
    char cpu[128];
    long cpus;
    size_t l1d, l2, l3; /* bytes; 0 where the system does not tell */
    double load;        /* average over the last minute, before anything was measured; −1 if unknown */
    const char *libbp, *kernel;
    const char *openblas, *openblas_core;
    int openblas_threads;
    size_t n_variables;
    const char *environment[BENCH_MAX_VARIABLES]; /* NAME=value of those that change what OpenBLAS, OpenMP or libbp do */
    const char *compiler, *flags;
    char date[32]; /* ISO 8601, UTC */
} bench_machine;

/* Gives OpenBLAS as many threads as libbp gets, and looks around. */
bench_machine bench_machine_prepare(size_t threads);

void bench_machine_print(const bench_machine *machine);

/* The load average over the last minute; −1 if unknown. */
double bench_machine_load(void);

#endif
