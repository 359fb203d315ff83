#ifndef BP_CORE_NONFINITE_H
#define BP_CORE_NONFINITE_H

#include "bp/dtype.h"

#include <stddef.h>

/* The index of the first NaN or infinity among n numbers; n if all are finite. */
size_t bp_first_nonfinite_f32(size_t n, const float *numbers);
size_t bp_first_nonfinite_f64(size_t n, const double *numbers);

static inline size_t bp_first_nonfinite(bp_dtype dtype, size_t n, const void *numbers)
{
    return dtype == BP_F32 ? bp_first_nonfinite_f32(n, numbers) : bp_first_nonfinite_f64(n, numbers);
}

#endif
