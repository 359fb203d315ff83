/* The calls on datasets that touch elements. */
#include "core/handle.h"
#include "data/dataset.h"

#include "bp/data_parallel.h"

#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bp_status check_finite(const char *function, const char *name, size_t rows, size_t columns, const real *numbers)
{
    for (size_t i = 0; i < rows * columns; i++) {
        if (!isfinite(numbers[i])) {
            return bp_fail(BP_ERROR_NONFINITE, "%s: %s has %g in row %zu, column %zu (counted from 0)", function, name, (double)numbers[i],
                           i / columns, i % columns);
        }
    }
    return BP_OK;
}

/* What create and borrow have in common. */
static bp_status check_arrays(const char *function, bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs,
                              const real *inputs, const real *targets)
{
    if (!dataset || !inputs) {
        return bp_fail_null(function, dataset ? "inputs" : "dataset");
    }
    if (!targets != !n_outputs) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: targets is %s, but n_outputs is %zu", function, targets ? "given" : "NULL", n_outputs);
    }
    bp_status status = bp_dataset_check_sizes(function, REAL_DTYPE, n_samples, n_inputs, n_outputs);
    if (status == BP_OK) {
        status = check_finite(function, "inputs", n_samples, n_inputs, inputs);
    }
    if (status == BP_OK && targets) {
        status = check_finite(function, "targets", n_samples, n_outputs, targets);
    }
    return status;
}

bp_status REAL(bp_dataset_create)(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const real *inputs,
                                  const real *targets)
{
    bp_status status = check_arrays(__func__, dataset, n_samples, n_inputs, n_outputs, inputs, targets);
    if (status != BP_OK) {
        return status;
    }
    bp_dataset *made = bp_dataset_allocate(REAL_DTYPE, n_samples, n_inputs, n_outputs, 0);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    memcpy(made->owned_inputs, inputs, n_samples * n_inputs * sizeof *inputs);
    if (targets) {
        memcpy(made->owned_targets, targets, n_samples * n_outputs * sizeof *targets);
    }
    *dataset = made;
    return BP_OK;
}

bp_status REAL(bp_dataset_borrow)(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const real *inputs,
                                  const real *targets)
{
    bp_status status = check_arrays(__func__, dataset, n_samples, n_inputs, n_outputs, inputs, targets);
    if (status != BP_OK) {
        return status;
    }
    bp_dataset *made = calloc(1, sizeof *made);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    *made = (bp_dataset){
        .handle = BP_HANDLE_DATASET,
        .dtype = REAL_DTYPE,
        .n_samples = n_samples,
        .n_inputs = n_inputs,
        .n_outputs = n_outputs,
        .inputs = inputs,
        .targets = targets,
    };
    *dataset = made;
    return BP_OK;
}

static bp_status check_classes(const char *function, size_t n_samples, size_t n_classes, const uint32_t *classes)
{
    for (size_t i = 0; i < n_samples; i++) {
        if (classes[i] >= n_classes) {
            return bp_fail(BP_ERROR_ARGUMENT, "%s: classes[%zu] is %lu; with n_classes %zu it can be 0 to %zu", function, i,
                           (unsigned long)classes[i], n_classes, n_classes - 1);
        }
    }
    return BP_OK;
}

bp_status REAL(bp_dataset_create_classes)(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_classes, const real *inputs,
                                          const uint32_t *classes)
{
    if (!dataset || !inputs || !classes) {
        return bp_fail_null(__func__, !dataset ? "dataset" : !inputs ? "inputs" : "classes");
    }
    if (n_classes < 1 || n_classes > BP_MAX_DIMENSION) {
        return bp_fail_size(__func__, "n_classes", n_classes);
    }
    bp_status status = bp_dataset_check_sizes(__func__, REAL_DTYPE, n_samples, n_inputs, n_classes);
    if (status == BP_OK) {
        status = check_finite(__func__, "inputs", n_samples, n_inputs, inputs);
    }
    if (status != BP_OK) {
        return status;
    }
    status = check_classes(__func__, n_samples, n_classes, classes);
    if (status != BP_OK) {
        return status;
    }
    bp_dataset *made = bp_dataset_allocate(REAL_DTYPE, n_samples, n_inputs, n_classes, n_classes);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    memcpy(made->owned_inputs, inputs, n_samples * n_inputs * sizeof *inputs);
    memcpy(made->classes, classes, n_samples * sizeof *classes);
    bp_dataset_set_class_targets(made, true);
    *dataset = made;
    return BP_OK;
}

/* Whether targets can be made from classes. */
static bool has_one_hot_width(const bp_dataset *dataset)
{
    return dataset->n_classes > 0 && dataset->n_classes == dataset->n_outputs;
}

static bp_status check_like(const char *function, const bp_dataset *like, size_t n_samples, const real *inputs, const real *targets,
                            const uint32_t *classes, const double *weights)
{
    if (!bp_is(like, BP_HANDLE_DATASET)) {
        return bp_fail_handle(function, "like", like, BP_HANDLE_DATASET);
    }
    if (like->dtype != REAL_DTYPE) {
        return bp_fail_dtype(function, "dataset like", like->dtype);
    }
    if (!inputs) {
        return bp_fail_null(function, "inputs");
    }
    if (!classes != !like->n_classes) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: classes is %s, but n_classes is %zu", function, classes ? "given" : "NULL", like->n_classes);
    }
    if (!targets != !like->n_outputs && (targets || !has_one_hot_width(like))) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: targets is %s, but n_outputs is %zu", function, targets ? "given" : "NULL", like->n_outputs);
    }
    bp_status status = bp_dataset_check_sizes(function, REAL_DTYPE, n_samples, like->n_inputs, like->n_outputs);
    if (status == BP_OK) {
        status = check_finite(function, "inputs", n_samples, like->n_inputs, inputs);
    }
    if (status == BP_OK && targets) {
        status = check_finite(function, "targets", n_samples, like->n_outputs, targets);
    }
    if (status == BP_OK && classes) {
        status = check_classes(function, n_samples, like->n_classes, classes);
    }
    return status == BP_OK && weights ? bp_dataset_check_weights(function, n_samples, weights) : status;
}

bp_status REAL(bp_dataset_create_like)(bp_dataset **dataset, const bp_dataset *like, size_t n_samples, const real *inputs,
                                       const real *targets, const uint32_t *classes, const double *weights)
{
    if (!dataset) {
        return bp_fail_null(__func__, "dataset");
    }
    bp_status status = check_like(__func__, like, n_samples, inputs, targets, classes, weights);
    if (status != BP_OK) {
        return status;
    }
    bp_dataset *made = bp_dataset_allocate(REAL_DTYPE, n_samples, like->n_inputs, like->n_outputs, like->n_classes);
    if (made && weights) {
        made->weights = bp_allocate(n_samples, sizeof *weights);
    }
    if (!made || (weights && !made->weights)) {
        bp_dataset_destroy(made);
        return bp_fail_memory(__func__);
    }
    memcpy(made->owned_inputs, inputs, n_samples * like->n_inputs * sizeof *inputs);
    if (classes) {
        memcpy(made->classes, classes, n_samples * sizeof *classes);
    }
    if (targets) {
        memcpy(made->owned_targets, targets, n_samples * like->n_outputs * sizeof *targets);
    } else if (classes) {
        bp_dataset_set_class_targets(made, true);
    }
    if (weights) {
        memcpy(made->weights, weights, n_samples * sizeof *weights);
    }
    *dataset = made;
    return BP_OK;
}

static bp_status check(const char *function, const bp_dataset *dataset)
{
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(function, "dataset", dataset, BP_HANDLE_DATASET);
    }
    if (dataset->dtype != REAL_DTYPE) {
        return bp_fail_dtype(function, "dataset", dataset->dtype);
    }
    return BP_OK;
}

/* The numbers of rows in a file, if they lie there as an array of this type would. */
static const real *array_of(const bp_dataset *dataset, const bp_file_rows *rows)
{
    bool same = rows->storage && !dataset->rows && !rows->swapped && rows->element == bp_element_of(REAL_DTYPE);
    return same && (uintptr_t)rows->first % sizeof(real) == 0 ? (const real *)(const void *)rows->first : NULL;
}

static bp_status fail_array(const char *function, const char *what, const char *elements)
{
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: the %s are no array of %s: they are made when wanted, from %s; bp_dataset_gather copies them",
                   function, what, bp_dtype_name(REAL_DTYPE), elements);
}

bp_status REAL(bp_dataset_inputs)(const bp_dataset *dataset, const real **inputs)
{
    bp_status status = check(__func__, dataset);
    if (status == BP_OK && !inputs) {
        status = bp_fail_null(__func__, "inputs");
    }
    if (status != BP_OK) {
        return status;
    }
    const real *found = bp_dataset_is_plain(dataset) ? dataset->inputs : array_of(dataset, &dataset->input_rows);
    if (!found) {
        return fail_array(__func__, "inputs", bp_element_name(dataset->input_rows.element));
    }
    *inputs = found;
    return BP_OK;
}

bp_status REAL(bp_dataset_targets)(const bp_dataset *dataset, const real **targets)
{
    bp_status status = check(__func__, dataset);
    if (status == BP_OK && !targets) {
        status = bp_fail_null(__func__, "targets");
    }
    if (status != BP_OK) {
        return status;
    }
    bool plain = bp_dataset_is_plain(dataset) || dataset->n_outputs == 0;
    const real *found = plain ? dataset->targets : array_of(dataset, &dataset->target_rows);
    if (!plain && !found) {
        bool of_file = dataset->target_rows.storage;
        return fail_array(__func__, "targets", of_file ? bp_element_name(dataset->target_rows.element) : "the classes");
    }
    *targets = found;
    return BP_OK;
}

bp_status REAL(bp_dataset_gather)(const bp_dataset *dataset, size_t n, const size_t *indices, real *inputs, real *targets)
{
    bp_status status = check(__func__, dataset);
    if (status != BP_OK) {
        return status;
    }
    if (!indices) {
        return bp_fail_null(__func__, "indices");
    }
    if (targets && dataset->n_outputs == 0) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: targets is given, but the dataset has none", __func__);
    }
    if (n && bp_dataset_check_sizes(__func__, REAL_DTYPE, n, dataset->n_inputs, dataset->n_outputs) != BP_OK) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n is %zu; that is more bytes than an address can count", __func__, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (indices[i] >= dataset->n_samples) {
            return bp_fail(BP_ERROR_ARGUMENT, "%s: indices[%zu] is %zu; the dataset has %zu samples", __func__, i, indices[i],
                           dataset->n_samples);
        }
    }
    return REAL(bp_dataset_copy)(__func__, dataset, 0, n, indices, inputs, targets);
}
