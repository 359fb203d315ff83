/* What a measurement was made on. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

/* Gives OpenBLAS one thread, as libbp has one, and says on standard output what runs: CPU, libraries, environment, compiler. */
void bench_machine_prepare(void);

#endif
