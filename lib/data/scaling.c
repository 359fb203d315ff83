/* Offset and scale of each input column: x becomes (x − offset) × scale. Computed in double precision. */
#include "data/dataset.h"

#include "core/real.h"
#include "core/status.h"

#include <math.h>

/* The least value becomes 0, the greatest 1. */
static void min_max(const bp_dataset *dataset, size_t column, double *offset, double *width)
{
    const real *x = (const real *)dataset->inputs + column;
    double least = (double)x[0], greatest = (double)x[0];
    for (size_t i = 1; i < dataset->n_samples; i++) {
        least = fmin(least, (double)x[i * dataset->n_inputs]);
        greatest = fmax(greatest, (double)x[i * dataset->n_inputs]);
    }
    *offset = least;
    *width = greatest - least;
}

/*
 * Mean 0, deviation 1. Counted from the least value, so that a large mean does not swallow a small deviation, and in units of the range, so
 * that no square overflows or vanishes.
 */
static void standard(const bp_dataset *dataset, size_t column, double *offset, double *width)
{
    const real *x = (const real *)dataset->inputs + column;
    double n = (double)dataset->n_samples, mean = 0, squares = 0, least, range;
    min_max(dataset, column, &least, &range);
    for (size_t i = 0; i < dataset->n_samples; i++) {
        mean += ((double)x[i * dataset->n_inputs] - least) / n;
    }
    for (size_t i = 0; i < dataset->n_samples; i++) {
        double d = ((double)x[i * dataset->n_inputs] - least - mean) / range;
        squares += d * d / n;
    }
    *offset = least + mean;
    *width = range * sqrt(squares);
}

static void (*const fits[])(const bp_dataset *dataset, size_t column, double *offset, double *width) = {
    [BP_SCALING_MIN_MAX] = min_max,
    [BP_SCALING_STANDARD] = standard,
};

/* A column's offset and scale as they are stored; a column with one value only gets scale 1. False if they do not fit the type. */
static bool fit(const bp_dataset *dataset, bp_scaling scaling, size_t column, real *offset, real *scale)
{
    double middle, width, least, range;
    min_max(dataset, column, &least, &range);
    fits[scaling](dataset, column, &middle, &width);
    *offset = (real)(range == 0 ? least : middle);
    *scale = range == 0 ? 1 : (real)(1 / width);
    /* x − offset is computed in the type as well */
    return range <= (double)REAL_MAX && isfinite(*offset) && isfinite(*scale) && *scale != 0;
}

bp_status REAL(bp_dataset_fit_scaling)(const bp_dataset *dataset, bp_scaling scaling, real *offset, real *scale)
{
    if (!dataset || !offset || !scale) {
        return bp_fail_null(__func__, !dataset ? "dataset" : !offset ? "offset" : "scale");
    }
    if (dataset->dtype != REAL_DTYPE) {
        return bp_fail_dtype(__func__, "dataset", dataset->dtype);
    }
    if (!bp_scaling_name(scaling)) {
        return bp_fail_enum(__func__, "scaling", (int)scaling);
    }
    for (size_t j = 0; j < dataset->n_inputs; j++) {
        real column_offset, column_scale;
        if (!fit(dataset, scaling, j, &column_offset, &column_scale)) {
            return bp_fail(BP_ERROR_NONFINITE, "%s: the spread of column %zu (counted from 0) is beyond the range of %s", __func__, j,
                           bp_dtype_name(REAL_DTYPE));
        }
    }
    for (size_t j = 0; j < dataset->n_inputs; j++) {
        fit(dataset, scaling, j, &offset[j], &scale[j]);
    }
    return BP_OK;
}
