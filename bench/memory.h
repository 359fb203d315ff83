/* Memory for arrays that are computed on. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stddef.h>

/* count zeroed elements of size bytes, 64-byte aligned; the program ends with a message if they cannot be had. Freed by free. */
void *bench_allocate(size_t count, size_t size);

#endif
