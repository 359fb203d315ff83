/* Datasets from arrays: copies, classes, gathering, splitting, scaling, and what is refused. */
#include <bp/bp.h>

#include "core/real.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const real inputs[] = {1, 10, 2, 20, 3, 30, 4, 40};
static const real targets[] = {-1, -2, -3, -4};

static void test_create_copies_and_borrow_does_not(void **state)
{
    (void)state;
    bp_dataset *copied, *borrowed;
    const real *x, *t;
    assert_int_equal(REAL(bp_dataset_create)(&copied, 4, 2, 1, inputs, targets), BP_OK);
    assert_int_equal(REAL(bp_dataset_borrow)(&borrowed, 4, 2, 1, inputs, targets), BP_OK);
    assert_int_equal(REAL(bp_dataset_inputs)(borrowed, &x), BP_OK);
    assert_int_equal(REAL(bp_dataset_targets)(borrowed, &t), BP_OK);
    assert_ptr_equal(x, inputs);
    assert_ptr_equal(t, targets);
    assert_int_equal(REAL(bp_dataset_inputs)(copied, &x), BP_OK);
    assert_int_equal(REAL(bp_dataset_targets)(copied, &t), BP_OK);
    assert_ptr_not_equal(x, inputs);
    assert_memory_equal(x, inputs, sizeof inputs);
    assert_memory_equal(t, targets, sizeof targets);
    assert_int_equal(bp_dataset_dtype(copied), REAL_DTYPE);
    assert_int_equal(bp_dataset_sample_count(borrowed), 4);
    assert_int_equal(bp_dataset_input_count(borrowed), 2);
    assert_int_equal(bp_dataset_output_count(borrowed), 1);
    assert_int_equal(bp_dataset_class_count(borrowed), 0);
    assert_null(bp_dataset_classes(borrowed));
    assert_null(bp_dataset_class_name(borrowed, 0));
    assert_null(bp_dataset_input_name(borrowed, 0));
    bp_dataset_destroy(copied);
    bp_dataset_destroy(borrowed);
    bp_dataset_destroy(NULL);
}

static void test_classes_become_one_hot(void **state)
{
    (void)state;
    static const uint32_t classes[] = {2, 0, 1, 2};
    static const real expected[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    bp_dataset *dataset;
    const real *t;
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, 2, 3, inputs, classes), BP_OK);
    assert_int_equal(REAL(bp_dataset_targets)(dataset, &t), BP_OK);
    assert_memory_equal(t, expected, sizeof expected);
    assert_memory_equal(bp_dataset_classes(dataset), classes, sizeof classes);
    bp_dataset_destroy(dataset);
}

static void test_gather(void **state)
{
    (void)state;
    static const size_t indices[] = {3, 0, 3};
    static const real x_expected[] = {4, 40, 1, 10, 4, 40}, t_expected[] = {-4, -1, -4};
    real x[6], t[3];
    bp_dataset *dataset;
    assert_int_equal(REAL(bp_dataset_borrow)(&dataset, 4, 2, 1, inputs, targets), BP_OK);
    assert_int_equal(REAL(bp_dataset_gather)(dataset, 3, indices, x, t), BP_OK);
    assert_memory_equal(x, x_expected, sizeof x);
    assert_memory_equal(t, t_expected, sizeof t);
    assert_int_equal(REAL(bp_dataset_gather)(dataset, 3, indices, NULL, NULL), BP_OK);
    assert_int_equal(REAL(bp_dataset_gather)(dataset, 3, NULL, x, t), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_gather)(NULL, 3, indices, x, t), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_gather)(dataset, 1, (const size_t[]){4}, x, t), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(bp_last_error(), "indices[0] is 4"));
    assert_int_equal(REAL(bp_dataset_gather)(dataset, SIZE_MAX, indices, x, t), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(bp_last_error(), "more bytes than"));
    assert_int_equal(REAL(bp_dataset_gather)(dataset, 0, indices, x, t), BP_OK);
    assert_memory_equal(x, x_expected, sizeof x);
    bp_dataset_destroy(dataset);
    assert_int_equal(REAL(bp_dataset_borrow)(&dataset, 4, 2, 0, inputs, NULL), BP_OK);
    assert_int_equal(REAL(bp_dataset_gather)(dataset, 1, indices, x, t), BP_ERROR_ARGUMENT);
    bp_dataset_destroy(dataset);
}

enum { SPLIT_SAMPLES = 103 };

/* Samples numbered in their only input, so that they can be found again; classes 0, 1, 2 with 10, 31 and 62 samples. */
static bp_dataset *numbered(void)
{
    real x[SPLIT_SAMPLES];
    uint32_t classes[SPLIT_SAMPLES];
    for (uint32_t i = 0; i < SPLIT_SAMPLES; i++) {
        x[i] = (real)i;
        classes[i] = i < 10 ? 0 : i < 41 ? 1 : 2;
    }
    bp_dataset *dataset;
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, SPLIT_SAMPLES, 1, 3, x, classes), BP_OK);
    return dataset;
}

static void test_split_is_stratified(void **state)
{
    (void)state;
    static const size_t test_counts[] = {3, 8, 16}; /* 10, 31 and 62 × 0.25, rounded half up */
    bp_dataset *all = numbered(), *parts[2], *again[2], *other[2];
    assert_int_equal(bp_dataset_split(all, 0.25, 7, &parts[0], &parts[1]), BP_OK);
    assert_int_equal(bp_dataset_split(all, 0.25, 7, &again[0], &again[1]), BP_OK);
    assert_int_equal(bp_dataset_split(all, 0.25, 8, &other[0], &other[1]), BP_OK);
    int seen[SPLIT_SAMPLES] = {0};
    size_t counts[3] = {0};
    for (int p = 0; p < 2; p++) {
        const real *x, *x_again, *t;
        size_t n = bp_dataset_sample_count(parts[p]);
        assert_int_equal(REAL(bp_dataset_inputs)(parts[p], &x), BP_OK);
        assert_int_equal(REAL(bp_dataset_inputs)(again[p], &x_again), BP_OK);
        assert_int_equal(REAL(bp_dataset_targets)(parts[p], &t), BP_OK);
        assert_memory_equal(x, x_again, n * sizeof *x);
        for (size_t i = 0; i < n; i++) {
            uint32_t k = bp_dataset_classes(parts[p])[i];
            seen[(int)x[i]]++;
            assert_int_equal(k, bp_dataset_classes(all)[(int)x[i]]);
            assert_true(t[3 * i + k] == 1);
            counts[k] += p == 1;
        }
    }
    for (int i = 0; i < SPLIT_SAMPLES; i++) {
        assert_int_equal(seen[i], 1);
    }
    assert_memory_equal(counts, test_counts, sizeof counts);
    const real *x, *x_other;
    assert_int_equal(REAL(bp_dataset_inputs)(parts[1], &x), BP_OK);
    assert_int_equal(REAL(bp_dataset_inputs)(other[1], &x_other), BP_OK);
    assert_memory_not_equal(x, x_other, bp_dataset_sample_count(parts[1]) * sizeof *x);
    bp_dataset_destroy(all);
    for (int p = 0; p < 2; p++) {
        bp_dataset_destroy(parts[p]);
        bp_dataset_destroy(again[p]);
        bp_dataset_destroy(other[p]);
    }
}

static void test_split_refuses(void **state)
{
    (void)state;
    static const double bad[] = {0, 1, -0.1, 1.5, NAN, INFINITY, 0.01, 0.99};
    bp_dataset *all, *train = NULL, *test = NULL;
    assert_int_equal(REAL(bp_dataset_borrow)(&all, 4, 2, 1, inputs, targets), BP_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (bp_dataset_split(all, bad[i], 1, &train, &test) != BP_ERROR_ARGUMENT || train || test) {
            fail_msg("test_fraction %g was not refused", bad[i]);
        }
    }
    assert_int_equal(bp_dataset_split(NULL, 0.5, 1, &train, &test), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_dataset_split(all, 0.5, 1, NULL, &test), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_dataset_split(all, 0.5, 1, &train, NULL), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_dataset_split(all, 0.5, 1, &train, &test), BP_OK);
    assert_int_equal(bp_dataset_sample_count(train), 2);
    assert_int_equal(bp_dataset_sample_count(test), 2);
    bp_dataset_destroy(all);
    bp_dataset_destroy(train);
    bp_dataset_destroy(test);
}

/* Each sample is validated once, in every fold as many of a class as in any other or one more, and the rest is what is trained on. */
static void test_folds(void **state)
{
    (void)state;
    static const size_t class_sizes[] = {10, 31, 62}, n_folds[] = {2, 3, 5, 10, 102, SPLIT_SAMPLES};
    bp_dataset *all = numbered();
    for (size_t c = 0; c < sizeof n_folds / sizeof *n_folds; c++) {
        size_t k = n_folds[c];
        int validated[SPLIT_SAMPLES] = {0};
        for (size_t fold = 0; fold < k; fold++) {
            bp_dataset *parts[2], *again[2];
            size_t counts[3] = {0}, sizes[2];
            int seen[SPLIT_SAMPLES] = {0};
            assert_int_equal(bp_dataset_fold(all, k, fold, 7, &parts[0], &parts[1]), BP_OK);
            assert_int_equal(bp_dataset_fold(all, k, fold, 7, &again[0], &again[1]), BP_OK);
            for (int p = 0; p < 2; p++) {
                const real *x, *x_again;
                sizes[p] = bp_dataset_sample_count(parts[p]);
                assert_int_equal(REAL(bp_dataset_inputs)(parts[p], &x), BP_OK);
                assert_int_equal(REAL(bp_dataset_inputs)(again[p], &x_again), BP_OK);
                assert_memory_equal(x, x_again, sizes[p] * sizeof *x);
                for (size_t i = 0; i < sizes[p]; i++) {
                    uint32_t class = bp_dataset_classes(parts[p])[i];
                    assert_int_equal(class, bp_dataset_classes(all)[(int)x[i]]);
                    seen[(int)x[i]]++;
                    validated[(int)x[i]] += p == 1;
                    counts[class] += p == 1;
                }
                bp_dataset_destroy(parts[p]);
                bp_dataset_destroy(again[p]);
            }
            assert_int_equal(sizes[0] + sizes[1], SPLIT_SAMPLES);
            assert_in_range(sizes[1], SPLIT_SAMPLES / k, (SPLIT_SAMPLES + k - 1) / k);
            for (int i = 0; i < 3; i++) {
                assert_in_range(counts[i], class_sizes[i] / k, (class_sizes[i] + k - 1) / k);
            }
            for (int i = 0; i < SPLIT_SAMPLES; i++) {
                assert_int_equal(seen[i], 1);
            }
        }
        for (int i = 0; i < SPLIT_SAMPLES; i++) {
            assert_int_equal(validated[i], 1);
        }
    }
    bp_dataset_destroy(all);
}

static void test_folds_refused(void **state)
{
    (void)state;
    bp_dataset *all, *train = NULL, *validation = NULL;
    assert_int_equal(REAL(bp_dataset_borrow)(&all, 4, 2, 1, inputs, targets), BP_OK);
    const struct {
        const bp_dataset *dataset;
        size_t n_folds, fold;
        bp_dataset **train, **validation;
        const char *word;
    } cases[] = {
        {NULL, 2, 0, &train, &validation, "dataset is NULL"},
        {all, 2, 0, NULL, &validation, "train is NULL"},
        {all, 2, 0, &train, NULL, "validation is NULL"},
        {all, 0, 0, &train, &validation, "n_folds is 0"},
        {all, 1, 0, &train, &validation, "n_folds is 1"},
        {all, 5, 0, &train, &validation, "n_folds is 5; of 4 samples it can be 2 to 4"},
        {all, SIZE_MAX, 0, &train, &validation, "of 4 samples"},
        {all, 3, 3, &train, &validation, "fold is 3; of 3 folds it can be 0 to 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bp_status status = bp_dataset_fold(cases[i].dataset, cases[i].n_folds, cases[i].fold, 1, cases[i].train, cases[i].validation);
        if (status != BP_ERROR_ARGUMENT || !strstr(bp_last_error(), cases[i].word) || train || validation) {
            fail_msg("%s: got %s, \"%s\"", cases[i].word, bp_status_name(status), bp_last_error());
        }
    }
    bp_dataset_destroy(all);
}

/* They are copied, go with their samples into both parts, and are not all 0. */
static void test_weights(void **state)
{
    (void)state;
    double weights[SPLIT_SAMPLES];
    for (int i = 0; i < SPLIT_SAMPLES; i++) {
        weights[i] = i * 0.5;
    }
    bp_dataset *all = numbered(), *parts[4];
    assert_null(bp_dataset_weights(all));
    assert_int_equal(bp_dataset_set_weights(all, weights), BP_OK);
    weights[3] = -1;
    assert_int_equal(bp_dataset_split(all, 0.25, 7, &parts[0], &parts[1]), BP_OK);
    assert_int_equal(bp_dataset_fold(all, 5, 2, 7, &parts[2], &parts[3]), BP_OK);
    for (int p = 0; p < 4; p++) {
        const real *x;
        assert_int_equal(REAL(bp_dataset_inputs)(parts[p], &x), BP_OK);
        for (size_t i = 0; i < bp_dataset_sample_count(parts[p]); i++) {
            assert_true(bp_dataset_weights(parts[p])[i] == (double)x[i] * 0.5);
        }
        bp_dataset_destroy(parts[p]);
    }
    const struct {
        double value;
        bp_status status;
    } bad[] = {{-0.5, BP_ERROR_ARGUMENT}, {NAN, BP_ERROR_NONFINITE}, {INFINITY, BP_ERROR_NONFINITE}, {-INFINITY, BP_ERROR_NONFINITE}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weights[3] = bad[i].value;
        assert_int_equal(bp_dataset_set_weights(all, weights), bad[i].status);
        assert_non_null(strstr(bp_last_error(), "weights[3]"));
    }
    memset(weights, 0, sizeof weights);
    assert_int_equal(bp_dataset_set_weights(all, weights), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(bp_last_error(), "all 103 weights are 0"));
    assert_int_equal(bp_dataset_set_weights(NULL, weights), BP_ERROR_ARGUMENT);
    assert_true(bp_dataset_weights(all)[102] == 51); /* nothing of that changed them */

    /* one sample that counts is in one part only */
    weights[50] = 1;
    assert_int_equal(bp_dataset_set_weights(all, weights), BP_OK);
    parts[0] = parts[1] = NULL;
    assert_int_equal(bp_dataset_split(all, 0.25, 7, &parts[0], &parts[1]), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(bp_last_error(), "part have the weight 0"));
    assert_int_equal(bp_dataset_fold(all, 5, 2, 7, &parts[0], &parts[1]), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(bp_last_error(), "part have the weight 0"));
    assert_true(!parts[0] && !parts[1]);

    assert_int_equal(bp_dataset_set_weights(all, NULL), BP_OK);
    assert_null(bp_dataset_weights(all));
    assert_null(bp_dataset_weights(NULL));
    bp_dataset_destroy(all);
}

/* Two samples deviate from their mean by half their distance, also where the squares of that would overflow or vanish. */
static void test_scaling_of_extreme_spreads(void **state)
{
    (void)state;
    static const real spreads[] = {REAL_MAX / 4, (real)1e30, (real)1e-30, 64 / REAL_MAX};
    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        const real x[] = {0, spreads[i]};
        real offset, scale;
        bp_dataset *dataset;
        assert_int_equal(REAL(bp_dataset_borrow)(&dataset, 2, 1, 0, x, NULL), BP_OK);
        if (REAL(bp_dataset_fit_scaling)(dataset, BP_SCALING_STANDARD, &offset, &scale) != BP_OK) {
            fail_msg("spread %g: %s", (double)spreads[i], bp_last_error());
        }
        assert_true(offset == spreads[i] / 2);
        if (fabs((double)scale * (double)spreads[i] - 2) > 1e-6) {
            fail_msg("spread %g: expected a scale of %g, got %g", (double)spreads[i], 2 / (double)spreads[i], (double)scale);
        }
        bp_dataset_destroy(dataset);
    }
}

/* Columns 2, 4, 6, 8 and a constant: mean 5, deviation √5; least 2, greatest 8. */
static void test_scaling(void **state)
{
    (void)state;
    static const real x[] = {2, 7, 4, 7, 6, 7, 8, 7};
    real offset[2], scale[2];
    bp_dataset *dataset;
    assert_int_equal(REAL(bp_dataset_borrow)(&dataset, 4, 2, 0, x, NULL), BP_OK);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(dataset, BP_SCALING_MIN_MAX, offset, scale), BP_OK);
    assert_true(offset[0] == 2 && scale[0] == (real)(1.0 / 6) && offset[1] == 7 && scale[1] == 1);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(dataset, BP_SCALING_STANDARD, offset, scale), BP_OK);
    assert_true(offset[0] == 5 && offset[1] == 7 && scale[1] == 1);
    assert_true(fabs((double)scale[0] - 1 / sqrt(5)) < 1e-7);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(dataset, (bp_scaling)2, offset, scale), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(NULL, BP_SCALING_STANDARD, offset, scale), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(dataset, BP_SCALING_STANDARD, NULL, scale), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(dataset, BP_SCALING_STANDARD, offset, NULL), BP_ERROR_ARGUMENT);
    bp_dataset_destroy(dataset);

    const real wide[] = {-REAL_MAX, REAL_MAX};
    const real kept[] = {offset[0], scale[0]};
    assert_int_equal(REAL(bp_dataset_borrow)(&dataset, 2, 1, 0, wide, NULL), BP_OK);
    assert_int_equal(REAL(bp_dataset_fit_scaling)(dataset, BP_SCALING_MIN_MAX, offset, scale), BP_ERROR_NONFINITE);
    assert_true(offset[0] == kept[0] && scale[0] == kept[1]);
    bp_dataset_destroy(dataset);

    bp_scaling scaling;
    for (int s = 0; s < 2; s++) {
        assert_int_equal(bp_scaling_from_name(bp_scaling_name((bp_scaling)s), &scaling), BP_OK);
        assert_int_equal(scaling, s);
    }
    assert_null(bp_scaling_name((bp_scaling)2));
    assert_int_equal(bp_scaling_from_name("none", &scaling), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_scaling_from_name(NULL, &scaling), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_scaling_from_name("standard", NULL), BP_ERROR_ARGUMENT);
}

static void test_bad_arrays(void **state)
{
    (void)state;
    const real nan_inputs[] = {1, 2, 3, (real)NAN}, inf_targets[] = {1, (real)INFINITY};
    const uint32_t classes[] = {0, 1, 2, 3};
    const struct {
        const char *name;
        size_t n_samples, n_inputs, n_outputs;
        const real *x, *t;
        bp_status status;
        const char *word;
    } cases[] = {
        {"no samples", 0, 2, 1, inputs, targets, BP_ERROR_ARGUMENT, "n_samples"},
        {"no inputs", 4, 0, 1, inputs, targets, BP_ERROR_ARGUMENT, "n_inputs"},
        {"too many inputs", 1, SIZE_MAX, 1, inputs, targets, BP_ERROR_ARGUMENT, "n_inputs"},
        {"too many outputs", 1, 1, SIZE_MAX, inputs, targets, BP_ERROR_ARGUMENT, "n_outputs"},
        {"overflowing product", SIZE_MAX / 2, 2, 1, inputs, targets, BP_ERROR_ARGUMENT, "samples"},
        {"inputs NULL", 4, 2, 1, NULL, targets, BP_ERROR_ARGUMENT, "inputs is NULL"},
        {"targets NULL", 4, 2, 1, inputs, NULL, BP_ERROR_ARGUMENT, "targets is NULL"},
        {"targets without outputs", 4, 2, 0, inputs, targets, BP_ERROR_ARGUMENT, "n_outputs is 0"},
        {"NaN in inputs", 2, 2, 0, nan_inputs, NULL, BP_ERROR_NONFINITE, "row 1, column 1"},
        {"infinity in targets", 2, 1, 1, inputs, inf_targets, BP_ERROR_NONFINITE, "targets"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int borrow = 0; borrow < 2; borrow++) {
            bp_dataset *dataset = NULL;
            bp_status status = (borrow ? REAL(bp_dataset_borrow) : REAL(bp_dataset_create))(&dataset, cases[i].n_samples, cases[i].n_inputs,
                                                                                            cases[i].n_outputs, cases[i].x, cases[i].t);
            if (status != cases[i].status || dataset || !strstr(bp_last_error(), cases[i].word)) {
                fail_msg("%s: got %s, \"%s\"", cases[i].name, bp_status_name(status), bp_last_error());
            }
        }
    }
    bp_dataset *dataset = NULL;
    assert_int_equal(REAL(bp_dataset_create)(NULL, 4, 2, 1, inputs, targets), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_borrow)(NULL, 4, 2, 1, inputs, targets), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(NULL, 4, 2, 4, inputs, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, 2, 4, NULL, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, 2, 4, inputs, NULL), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, 2, 0, inputs, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, 2, 3, inputs, classes), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(bp_last_error(), "classes[3] is 3"));
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 0, 2, 4, inputs, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, SIZE_MAX, 2, 4, inputs, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, SIZE_MAX, 4, inputs, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 4, 2, SIZE_MAX, inputs, classes), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_create_classes)(&dataset, 2, 2, 4, nan_inputs, classes), BP_ERROR_NONFINITE);
    assert_null(dataset);
}

static void test_wrong_type_and_null(void **state)
{
    (void)state;
    bp_dataset *dataset;
    const float *f = NULL;
    const double *d = NULL;
    assert_int_equal(REAL(bp_dataset_borrow)(&dataset, 4, 2, 1, inputs, targets), BP_OK);
    bool f32 = REAL_DTYPE == BP_F32;
    assert_int_equal(bp_dataset_inputs_f32(dataset, &f), f32 ? BP_OK : BP_ERROR_DTYPE);
    assert_int_equal(bp_dataset_inputs_f64(dataset, &d), f32 ? BP_ERROR_DTYPE : BP_OK);
    assert_int_equal(bp_dataset_targets_f32(dataset, &f), f32 ? BP_OK : BP_ERROR_DTYPE);
    assert_int_equal(bp_dataset_targets_f64(dataset, &d), f32 ? BP_ERROR_DTYPE : BP_OK);
    float f_out[4];
    double d_out[4];
    const size_t first[] = {0};
    assert_int_equal(bp_dataset_gather_f32(dataset, 1, first, f_out, NULL), f32 ? BP_OK : BP_ERROR_DTYPE);
    assert_int_equal(bp_dataset_gather_f64(dataset, 1, first, d_out, NULL), f32 ? BP_ERROR_DTYPE : BP_OK);
    assert_int_equal(bp_dataset_fit_scaling_f32(dataset, BP_SCALING_MIN_MAX, f_out, f_out + 2), f32 ? BP_OK : BP_ERROR_DTYPE);
    assert_int_equal(bp_dataset_fit_scaling_f64(dataset, BP_SCALING_MIN_MAX, d_out, d_out + 2), f32 ? BP_ERROR_DTYPE : BP_OK);
    assert_int_equal(REAL(bp_dataset_inputs)(dataset, NULL), BP_ERROR_ARGUMENT);
    assert_int_equal(REAL(bp_dataset_targets)(dataset, NULL), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_dataset_inputs_f32(NULL, &f), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_dataset_targets_f64(NULL, &d), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_dataset_sample_count(NULL), 0);
    assert_int_equal(bp_dataset_input_count(NULL), 0);
    assert_int_equal(bp_dataset_output_count(NULL), 0);
    assert_int_equal(bp_dataset_class_count(NULL), 0);
    assert_int_equal(bp_dataset_dtype(NULL), 0);
    assert_null(bp_dataset_classes(NULL));
    assert_null(bp_dataset_class_name(NULL, 0));
    assert_null(bp_dataset_input_name(NULL, 0));
    bp_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_copies_and_borrow_does_not),
        cmocka_unit_test(test_classes_become_one_hot),
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_split_is_stratified),
        cmocka_unit_test(test_split_refuses),
        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_folds_refused),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_scaling_of_extreme_spreads),
        cmocka_unit_test(test_bad_arrays),
        cmocka_unit_test(test_wrong_type_and_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
