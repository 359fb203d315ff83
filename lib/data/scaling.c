/* Offset and scale of each column of inputs or targets: x becomes (x − offset) × scale. Computed in double precision, row by row. */
#include "core/handle.h"
#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"
#include "data/batch.h"

#include <math.h>
#include <stdlib.h>

/* Of each column. */
typedef struct fit {
    double *least, *greatest;
    double *mean, *squares; /* from the least value, in units of the range */
} fit;

typedef void fit_row(fit *f, size_t n_samples, size_t width, const real *x);

static void add_to_range(fit *f, size_t n_samples, size_t width, const real *x)
{
    (void)n_samples;
    for (size_t j = 0; j < width; j++) {
        f->least[j] = fmin(f->least[j], (double)x[j]);
        f->greatest[j] = fmax(f->greatest[j], (double)x[j]);
    }
}

/*
 * Mean 0, deviation 1. Counted from the least value, so that a large mean does not swallow a small deviation, and in units of the range, so
 * that no square overflows or vanishes.
 */
static void add_to_mean(fit *f, size_t n_samples, size_t width, const real *x)
{
    for (size_t j = 0; j < width; j++) {
        f->mean[j] += ((double)x[j] - f->least[j]) / (double)n_samples;
    }
}

static void add_to_squares(fit *f, size_t n_samples, size_t width, const real *x)
{
    for (size_t j = 0; j < width; j++) {
        double d = ((double)x[j] - f->least[j] - f->mean[j]) / (f->greatest[j] - f->least[j]);
        f->squares[j] += d * d / (double)n_samples;
    }
}

/* Goes over all rows of inputs or targets. */
static bp_status for_rows(const char *function, const bp_dataset *dataset, bool of_targets, bp_batch_room *room, fit_row *row, fit *f)
{
    enum { NUMBERS = 32768 };
    size_t n = dataset->n_samples, width = of_targets ? dataset->n_outputs : dataset->n_inputs,
           all = dataset->n_inputs + dataset->n_outputs;
    size_t most = all < NUMBERS ? NUMBERS / all : 1;
    bp_status status = BP_OK;
    for (size_t first = 0; first < n && status == BP_OK; first += most) {
        size_t rows = n - first < most ? n - first : most;
        const void *inputs, *targets;
        status = bp_batch_take(function, dataset, room, first, rows, NULL, &inputs, of_targets ? &targets : NULL);
        for (size_t i = 0; status == BP_OK && i < rows; i++) {
            row(f, n, width, (const real *)(of_targets ? targets : inputs) + i * width);
        }
    }
    return status;
}

static bp_status gather(const char *function, const bp_dataset *dataset, bool of_targets, bp_scaling scaling, fit *f)
{
    bp_batch_room room = {0};
    for (size_t j = 0; j < (of_targets ? dataset->n_outputs : dataset->n_inputs); j++) {
        f->least[j] = INFINITY;
        f->greatest[j] = -INFINITY;
    }
    bp_status status = for_rows(function, dataset, of_targets, &room, add_to_range, f);
    if (status == BP_OK && scaling == BP_SCALING_STANDARD) {
        status = for_rows(function, dataset, of_targets, &room, add_to_mean, f);
    }
    if (status == BP_OK && scaling == BP_SCALING_STANDARD) {
        status = for_rows(function, dataset, of_targets, &room, add_to_squares, f);
    }
    bp_batch_release(&room);
    return status;
}

/* A column's offset and scale as they are stored; a column with one value only gets scale 1. False if they do not fit the type. */
static bool finish(const fit *f, bp_scaling scaling, size_t j, real *offset, real *scale)
{
    double range = f->greatest[j] - f->least[j], middle = f->least[j], width = range;
    if (scaling == BP_SCALING_STANDARD && range > 0) {
        middle = f->least[j] + f->mean[j];
        width = range * sqrt(f->squares[j]);
    }
    *offset = (real)middle;
    *scale = range == 0 ? 1 : (real)(1 / width);
    /* x − offset is computed in the type as well */
    return range <= (double)REAL_MAX && isfinite(*offset) && isfinite(*scale) && *scale != 0;
}

static bp_status fit_columns(const char *function, const bp_dataset *dataset, bool of_targets, bp_scaling scaling, real *offset,
                             real *scale)
{
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(function, "dataset", dataset, BP_HANDLE_DATASET);
    }
    if (!offset || !scale) {
        return bp_fail_null(function, offset ? "scale" : "offset");
    }
    if (dataset->dtype != REAL_DTYPE) {
        return bp_fail_dtype(function, "dataset", dataset->dtype);
    }
    if (!bp_scaling_name(scaling)) {
        return bp_fail_enum(function, "scaling", (int)scaling);
    }
    size_t n = of_targets ? dataset->n_outputs : dataset->n_inputs;
    if (n == 0) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the dataset has no targets", function);
    }
    double *sums = bp_allocate(n, 4 * sizeof *sums);
    if (!sums) {
        return bp_fail_memory(function);
    }
    fit f = {.least = sums, .greatest = sums + n, .mean = sums + 2 * n, .squares = sums + 3 * n};
    bp_status status = gather(function, dataset, of_targets, scaling, &f);
    real column_offset, column_scale;
    for (size_t j = 0; j < n && status == BP_OK; j++) {
        if (!finish(&f, scaling, j, &column_offset, &column_scale)) {
            status = bp_fail(BP_ERROR_NONFINITE, "%s: the spread of %s %zu (counted from 0) is beyond the range of %s", function,
                             of_targets ? "target" : "column", j, bp_dtype_name(REAL_DTYPE));
        }
    }
    for (size_t j = 0; j < n && status == BP_OK; j++) {
        finish(&f, scaling, j, &offset[j], &scale[j]);
    }
    free(sums);
    return status;
}

bp_status REAL(bp_dataset_fit_scaling)(const bp_dataset *dataset, bp_scaling scaling, real *offset, real *scale)
{
    return fit_columns(__func__, dataset, false, scaling, offset, scale);
}

bp_status REAL(bp_dataset_fit_target_scaling)(const bp_dataset *dataset, bp_scaling scaling, real *offset, real *scale)
{
    return fit_columns(__func__, dataset, true, scaling, offset, scale);
}
