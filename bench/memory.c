#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *bench_allocate(size_t count, size_t size)
{
    void *memory = NULL;
    if (count <= (SIZE_MAX - 63) / size) {
        size_t bytes = (count * size + 63) / 64 * 64;
        memory = aligned_alloc(64, bytes);
        if (memory) {
            memset(memory, 0, bytes);
        }
    }
    if (!memory) {
        fprintf(stderr, "bp-bench: no memory for %zu elements of %zu bytes\n", count, size);
        exit(1);
    }
    return memory;
}
