#include "fuzz/harness.h"

#include <math.h>
#include <stdlib.h>

/* The numbers of one sample, in the dataset's type. */
typedef union numbers {
    void *any;
    float *f32;
    double *f64;
} numbers;

static bool is_f64(const bp_dataset *d)
{
    return bp_dataset_dtype(d) == BP_F64;
}

static numbers allocate(const bp_dataset *d, size_t n)
{
    numbers x = {.any = calloc(n ? n : 1, is_f64(d) ? sizeof(double) : sizeof(float))};
    check(x.any, "that there is memory");
    return x;
}

static double number_at(const bp_dataset *d, numbers x, size_t i)
{
    return is_f64(d) ? x.f64[i] : (double)x.f32[i];
}

static void check_finite(const bp_dataset *d, numbers x, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        check(isfinite(number_at(d, x, i)), what);
    }
}

static void check_names(const bp_dataset *d)
{
    size_t n = bp_dataset_sample_count(d), n_classes = bp_dataset_class_count(d);
    const uint32_t *classes = bp_dataset_classes(d);
    check((classes != NULL) == (n_classes > 0), "that a dataset of classes has each sample's");
    for (size_t i = 0; classes && i < n; i++) {
        check(classes[i] < n_classes, "that a class is one of those that there are");
    }
    for (size_t k = 0; k < n_classes; k++) {
        check(bp_dataset_class_name(d, k), "that each class has a name");
    }
    for (size_t k = 0; k < bp_dataset_input_count(d); k++) {
        check(!bp_dataset_input_name(d, k) == !bp_dataset_input_name(d, 0), "that all inputs have names, or none");
        check(!isinf(bp_dataset_input_mean(d, k)), "that a mean is finite, or NaN where there is none");
    }
}

/* One row: outputs may be many where each class is a column. */
static void check_sample(const bp_dataset *d, size_t i, numbers x, numbers z)
{
    size_t n_outputs = bp_dataset_output_count(d);
    bp_status status = is_f64(d) ? bp_dataset_gather_f64(d, 1, &i, x.f64, n_outputs ? z.f64 : NULL)
                                 : bp_dataset_gather_f32(d, 1, &i, x.f32, n_outputs ? z.f32 : NULL);
    if (!succeeded(is_f64(d) ? "bp_dataset_gather_f64" : "bp_dataset_gather_f32", status)) {
        check(status == BP_ERROR_FORMAT, "that only numbers of a mapped file can be wrong");
        return;
    }
    check_finite(d, x, bp_dataset_input_count(d), "that a sample's inputs are finite");
    check_finite(d, z, n_outputs, "that a sample's targets are finite");
    if (bp_dataset_class_count(d) > 1 && n_outputs == bp_dataset_class_count(d)) {
        check(number_at(d, z, bp_dataset_classes(d)[i]) == 1, "that a sample's class has the target 1");
    }
}

static void check_samples(const bp_dataset *d)
{
    enum { MOST = 48 };
    size_t n = bp_dataset_sample_count(d);
    numbers x = allocate(d, bp_dataset_input_count(d)), z = allocate(d, bp_dataset_output_count(d));
    for (size_t i = 0; i < n && i < MOST; i++) {
        check_sample(d, i, x, z);
    }
    check_sample(d, n - 1, x, z);
    free(x.any);
    free(z.any);
}

static void check_scaling(const bp_dataset *d, bp_scaling scaling)
{
    size_t n = bp_dataset_input_count(d);
    numbers offset = allocate(d, n), scale = allocate(d, n);
    bp_status status = is_f64(d) ? bp_dataset_fit_scaling_f64(d, scaling, offset.f64, scale.f64)
                                 : bp_dataset_fit_scaling_f32(d, scaling, offset.f32, scale.f32);
    if (succeeded(is_f64(d) ? "bp_dataset_fit_scaling_f64" : "bp_dataset_fit_scaling_f32", status)) {
        check_finite(d, offset, n, "that an offset is finite");
        check_finite(d, scale, n, "that a scale is finite");
    }
    free(offset.any);
    free(scale.any);
}

static void check_parts(const bp_dataset *d, bp_dataset *const parts[2])
{
    check(bp_dataset_sample_count(parts[0]) + bp_dataset_sample_count(parts[1]) == bp_dataset_sample_count(d), "that parts make the whole");
    for (size_t i = 0; i < 2; i++) {
        check_names(parts[i]);
        check_samples(parts[i]);
    }
}

void use_dataset(const bp_dataset *d)
{
    check(bp_dataset_sample_count(d) > 0 && bp_dataset_input_count(d) > 0, "that a dataset has samples and inputs");
    check_names(d);
    check_samples(d);
    check_scaling(d, BP_SCALING_MIN_MAX);
    check_scaling(d, BP_SCALING_STANDARD);
    bp_dataset *parts[2] = {NULL, NULL};
    if (succeeded("bp_dataset_split", bp_dataset_split(d, 0.4, 1, &parts[0], &parts[1]))) {
        check_parts(d, parts);
    }
    bp_dataset_destroy(parts[0]);
    bp_dataset_destroy(parts[1]);
    parts[0] = parts[1] = NULL;
    if (succeeded("bp_dataset_fold", bp_dataset_fold(d, 2, 1, 1, &parts[0], &parts[1]))) {
        check_parts(d, parts);
    }
    bp_dataset_destroy(parts[0]);
    bp_dataset_destroy(parts[1]);
}
