#define _DEFAULT_SOURCE /* madvise */

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A huge page of x86-64, and of AArch64 with pages of 4 KiB; elsewhere the hint may come to nothing. Four, and what alignment wastes is little. */
enum { HUGE_PAGE = 2 << 20, LARGE = 4 * HUGE_PAGE };

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
    if (!bp_multiply(count, size, &bytes) || bytes > PTRDIFF_MAX - HUGE_PAGE) {
        return NULL;
    }
    bool is_large = bytes >= LARGE;
    size_t alignment = is_large ? HUGE_PAGE : BP_ALIGNMENT;
    bytes = bytes ? bp_round_up(bytes, alignment) : alignment;
    void *memory = aligned_alloc(alignment, bytes);
#ifdef MADV_HUGEPAGE
    if (memory && is_large) { /* fewer pages to be made at the first touch, and to be looked up at each one after it */
        madvise(memory, bytes, MADV_HUGEPAGE);
    }
#endif
    if (memory) {
        memset(memory, 0, bytes);
    }
    return memory;
}
