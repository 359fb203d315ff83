#include "core/nonfinite.h"

#include "core/real.h"

#include <math.h>
#include <stdbool.h>

enum { BLOCK = 64 };

/* Without a branch in it, so that a compiler can put it into vectors: x − x is 0 for finite numbers, and NaN for others. */
static bool has_nonfinite(const real *numbers)
{
    int bad = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bad |= !(numbers[i] - numbers[i] == 0);
    }
    return bad;
}

size_t REAL(bp_first_nonfinite)(size_t n, const real *numbers)
{
    size_t i = 0;
    while (i + BLOCK <= n && !has_nonfinite(numbers + i)) {
        i += BLOCK;
    }
    while (i < n && isfinite(numbers[i])) {
        i++;
    }
    return i;
}
