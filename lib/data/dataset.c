#include "data/dataset.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bp_status bp_dataset_check_sizes(const char *function, bp_dtype dtype, size_t n_samples, size_t n_inputs, size_t n_outputs)
{
    if (n_samples < 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_samples is 0; a dataset has at least 1", function);
    }
    if (n_inputs < 1 || n_inputs > BP_MAX_DIMENSION) {
        return bp_fail_size(function, "n_inputs", n_inputs);
    }
    if (n_outputs > BP_MAX_DIMENSION) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_outputs is %zu; it can be 0 to %zu", function, n_outputs, BP_MAX_DIMENSION);
    }
    size_t bytes;
    size_t widest = n_inputs > n_outputs ? n_inputs : n_outputs;
    if (!bp_multiply(n_samples, widest, &bytes) || !bp_multiply(bytes, bp_dtype_size(dtype), &bytes) || bytes > PTRDIFF_MAX) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_samples is %zu; with %zu numbers each that is more bytes than an address can count",
                       function, n_samples, widest);
    }
    return BP_OK;
}

bp_dataset *bp_dataset_allocate(bp_dtype dtype, size_t n_samples, size_t n_inputs, size_t n_outputs, size_t n_classes)
{
    bp_dataset *made = calloc(1, sizeof *made);
    if (!made) {
        return NULL;
    }
    *made = (bp_dataset){.handle = BP_HANDLE_DATASET,
                         .dtype = dtype,
                         .n_samples = n_samples,
                         .n_inputs = n_inputs,
                         .n_outputs = n_outputs,
                         .n_classes = n_classes};
    made->owned_inputs = bp_allocate(n_samples * n_inputs, bp_dtype_size(dtype));
    made->owned_targets = n_outputs ? bp_allocate(n_samples * n_outputs, bp_dtype_size(dtype)) : NULL;
    made->classes = n_classes ? bp_allocate(n_samples, sizeof *made->classes) : NULL;
    made->inputs = made->owned_inputs;
    made->targets = made->owned_targets;
    if (!made->inputs || (n_outputs && !made->targets) || (n_classes && !made->classes)) {
        bp_dataset_destroy(made);
        return NULL;
    }
    return made;
}

void bp_dataset_destroy(bp_dataset *dataset)
{
    if (bp_is(dataset, BP_HANDLE_DATASET)) {
        free(dataset->owned_inputs);
        free(dataset->owned_targets);
        bp_storage_release(dataset->input_rows.storage);
        bp_storage_release(dataset->target_rows.storage);
        free(dataset->rows);
        free(dataset->classes);
        free(dataset->weights);
        free(dataset->class_names);
        free(dataset->input_names);
        free(dataset->input_means);
        bp_end_handle(dataset);
        free(dataset);
    }
}

bool bp_dataset_is_plain(const bp_dataset *dataset)
{
    return !dataset->input_rows.storage;
}

bp_status bp_dataset_copy(const char *function, const bp_dataset *dataset, size_t first, size_t n, const size_t *order, void *inputs,
                          void *targets)
{
    return dataset->dtype == BP_F32 ? bp_dataset_copy_f32(function, dataset, first, n, order, inputs, targets)
                                    : bp_dataset_copy_f64(function, dataset, first, n, order, inputs, targets);
}

void bp_dataset_set_class_targets(bp_dataset *dataset, bool one_hot)
{
    for (size_t i = 0; i < dataset->n_samples; i++) {
        size_t at = one_hot ? i * dataset->n_outputs + dataset->classes[i] : i;
        double value = one_hot ? 1 : dataset->classes[i];
        if (dataset->dtype == BP_F32) {
            ((float *)dataset->owned_targets)[at] = (float)value;
        } else {
            ((double *)dataset->owned_targets)[at] = value;
        }
    }
}

bp_status bp_dataset_check_weights(const char *function, size_t n, const double *weights)
{
    for (size_t i = 0; i < n; i++) {
        if (!(weights[i] >= 0 && weights[i] <= DBL_MAX)) {
            bool negative = weights[i] < 0 && weights[i] >= -DBL_MAX;
            return bp_fail(negative ? BP_ERROR_ARGUMENT : BP_ERROR_NONFINITE, "%s: weights[%zu] is %g; it can be 0 or more and finite",
                           function, i, weights[i]);
        }
    }
    return BP_OK;
}

bp_status bp_dataset_set_weights(bp_dataset *dataset, const double *weights)
{
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(__func__, "dataset", dataset, BP_HANDLE_DATASET);
    }
    double largest = 0, *copy = NULL;
    bp_status status = weights ? bp_dataset_check_weights(__func__, dataset->n_samples, weights) : BP_OK;
    if (status != BP_OK) {
        return status;
    }
    for (size_t i = 0; weights && i < dataset->n_samples; i++) {
        largest = weights[i] > largest ? weights[i] : largest;
    }
    if (weights) {
        if (largest == 0) {
            return bp_fail(BP_ERROR_ARGUMENT, "%s: all %zu weights are 0; nothing would be learnt", __func__, dataset->n_samples);
        }
        copy = bp_allocate(dataset->n_samples, sizeof *copy);
        if (!copy) {
            return bp_fail_memory(__func__);
        }
        memcpy(copy, weights, dataset->n_samples * sizeof *copy);
    }
    free(dataset->weights);
    dataset->weights = copy;
    return BP_OK;
}

bp_dtype bp_dataset_dtype(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->dtype : (bp_dtype)0;
}

size_t bp_dataset_sample_count(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->n_samples : 0;
}

size_t bp_dataset_input_count(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->n_inputs : 0;
}

size_t bp_dataset_output_count(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->n_outputs : 0;
}

size_t bp_dataset_class_count(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->n_classes : 0;
}

const uint32_t *bp_dataset_classes(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->classes : NULL;
}

const double *bp_dataset_weights(const bp_dataset *dataset)
{
    return bp_is(dataset, BP_HANDLE_DATASET) ? dataset->weights : NULL;
}

const char *bp_dataset_class_name(const bp_dataset *dataset, size_t index)
{
    return bp_is(dataset, BP_HANDLE_DATASET) && dataset->class_names && index < dataset->n_classes ? dataset->class_names[index] : NULL;
}

const char *bp_dataset_input_name(const bp_dataset *dataset, size_t index)
{
    return bp_is(dataset, BP_HANDLE_DATASET) && dataset->input_names && index < dataset->n_inputs ? dataset->input_names[index] : NULL;
}

double bp_dataset_input_mean(const bp_dataset *dataset, size_t index)
{
    return bp_is(dataset, BP_HANDLE_DATASET) && dataset->input_means && index < dataset->n_inputs ? dataset->input_means[index]
                                                                                                  : (double)NAN;
}
