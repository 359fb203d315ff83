/**
 * Writes arrays, predictions for example, to files that other programs read: CSV and NPY.
 *
 *     bp_net_predict_f32(net, ws, n, x, y);
 *     bp_write_npy_f32("y.npy", n, bp_net_output_count(net), y);
 *
 * A file is replaced whole or not at all, as by bp_net_save. Any thread may call these. They return BP_ERROR_ARGUMENT (NULL, rows or
 * columns 0, a product of sizes too large), BP_ERROR_IO, BP_ERROR_MEMORY.
 */
#ifndef BP_WRITE_H
#define BP_WRITE_H

#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Text with commas between numbers and "\n" behind each row. names: of the columns, the first row; NULL: none. A name with a comma, a quote
 * or a line end is quoted. Numbers have as many digits as reading them back needs, and a point in every locale; those that are not finite
 * are nan, inf and -inf, which bp_csv_reader refuses.
 */
BP_API bp_status bp_write_csv_f32(const char *path, size_t rows, size_t columns, const char *const *names, const float *data);
BP_API bp_status bp_write_csv_f64(const char *path, size_t rows, size_t columns, const char *const *names, const double *data);

/** NPY 1.0 in C's order and this machine's byte order, of shape (rows, columns): numpy.load opens it, and so does bp_dataset_read. */
BP_API bp_status bp_write_npy_f32(const char *path, size_t rows, size_t columns, const float *data);
BP_API bp_status bp_write_npy_f64(const char *path, size_t rows, size_t columns, const double *data);

#ifdef __cplusplus
}
#endif

#endif
