#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool bp_multiply(size_t a, size_t b, size_t *product)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *product = a * b;
    return true;
}

bool bp_add(size_t a, size_t b, size_t *sum)
{
    if (a > SIZE_MAX - b) {
        return false;
    }
    *sum = a + b;
    return true;
}

size_t bp_round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) & ~(multiple - 1);
}

void *bp_allocate(size_t count, size_t size)
{
    size_t bytes;
    if (!bp_multiply(count, size, &bytes) || bytes > PTRDIFF_MAX - BP_ALIGNMENT) {
        return NULL;
    }
    bytes = bytes ? bp_round_up(bytes, BP_ALIGNMENT) : BP_ALIGNMENT;
    void *memory = aligned_alloc(BP_ALIGNMENT, bytes);
    if (memory) {
        memset(memory, 0, bytes);
    }
    return memory;
}
