/* Samples as numbers of the dtype, whatever they are stored as. */
#include "data/dataset.h"

#include "core/nonfinite.h"
#include "core/real.h"
#include "core/status.h"

#include <string.h>

/* n numbers of rows in a file; row is where in the file they begin, for the sentence. */
static bp_status convert(const char *function, const char *what, const bp_file_rows *from, size_t row, size_t rows, size_t columns,
                         real *to)
{
    size_t n = rows * columns;
    REAL(bp_convert)(from->element, from->swapped, n, from->first + row * columns * bp_element_size(from->element), to);
    size_t bad = bp_element_is_float(from->element) ? REAL(bp_first_nonfinite)(n, to) : n;
    if (bad < n) {
        return bp_fail(BP_ERROR_FORMAT, "%s: %.200s: the %s of row %zu have %g, as %s, in column %zu (counted from 0)", function,
                       bp_storage_name(from->storage), what, row + bad / columns, (double)to[bad], bp_dtype_name(REAL_DTYPE),
                       bad % columns);
    }
    return BP_OK;
}

static void one_hot(const bp_dataset *dataset, size_t sample, real *target)
{
    memset(target, 0, dataset->n_outputs * sizeof *target);
    target[dataset->classes[sample]] = 1;
}

static bp_status copy_sample(const char *function, const bp_dataset *dataset, size_t sample, real *input, real *target)
{
    size_t row = dataset->rows ? dataset->rows[sample] : sample;
    bp_status status = input ? convert(function, "inputs", &dataset->input_rows, row, 1, dataset->n_inputs, input) : BP_OK;
    if (status != BP_OK || !target) {
        return status;
    }
    if (dataset->target_rows.storage) {
        return convert(function, "targets", &dataset->target_rows, row, 1, dataset->n_outputs, target);
    }
    one_hot(dataset, sample, target);
    return BP_OK;
}

static void copy_plain(const bp_dataset *dataset, size_t first, size_t n, const size_t *order, real *inputs, real *targets)
{
    size_t n_inputs = dataset->n_inputs, n_outputs = dataset->n_outputs;
    for (size_t i = 0; i < n; i++) {
        size_t sample = order ? order[first + i] : first + i;
        if (inputs) {
            memcpy(inputs + i * n_inputs, (const real *)dataset->inputs + sample * n_inputs, n_inputs * sizeof *inputs);
        }
        if (targets) {
            memcpy(targets + i * n_outputs, (const real *)dataset->targets + sample * n_outputs, n_outputs * sizeof *targets);
        }
    }
}

bp_status REAL(bp_dataset_copy)(const char *function, const bp_dataset *dataset, size_t first, size_t n, const size_t *order, real *inputs,
                                real *targets)
{
    targets = dataset->n_outputs > 0 ? targets : NULL;
    if (bp_dataset_is_plain(dataset)) {
        copy_plain(dataset, first, n, order, inputs, targets);
        return BP_OK;
    }
    bp_status status = BP_OK;
    if (!order && !dataset->rows && inputs) { /* all inputs at once */
        status = convert(function, "inputs", &dataset->input_rows, first, n, dataset->n_inputs, inputs);
        inputs = NULL;
    }
    for (size_t i = 0; i < n && (inputs || targets) && status == BP_OK; i++) {
        size_t sample = order ? order[first + i] : first + i;
        status = copy_sample(function, dataset, sample, inputs ? inputs + i * dataset->n_inputs : NULL,
                             targets ? targets + i * dataset->n_outputs : NULL);
    }
    return status;
}
