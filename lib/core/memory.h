/* Memory and sizes, checked: a product or sum that does not fit is an error, never a wrap. */
#ifndef BP_CORE_MEMORY_H
#define BP_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* The alignment of every array the library computes on: a cache line, and the widest vector register (AVX-512). */
enum { BP_ALIGNMENT = 64 };

/* The largest width or batch: BLAS takes 32-bit dimensions, and padding must not push one beyond. */
#define BP_MAX_DIMENSION ((size_t)1 << 30)

/* *product = a × b, *sum = a + b; false, and nothing written, if it does not fit. */
bool bp_multiply(size_t a, size_t b, size_t *product);
bool bp_add(size_t a, size_t b, size_t *sum);

/* n rounded up to the next multiple (a power of two); the caller knows that it fits. */
size_t bp_round_up(size_t n, size_t multiple);

/* count zeroed elements of size bytes, aligned; NULL if they cannot be had (or count × size overflows). Freed by free. */
void *bp_allocate(size_t count, size_t size);

#endif
