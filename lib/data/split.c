#include "data/dataset.h"

#include "core/memory.h"
#include "core/status.h"

#include "bp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Independent copy of these samples, with classes and names; NULL without memory. */
static bp_dataset *subset(const bp_dataset *dataset, size_t n, const size_t *indices)
{
    bp_dataset *part = bp_dataset_allocate(dataset->dtype, n, dataset->n_inputs, dataset->n_outputs, dataset->n_classes);
    if (!part) {
        return NULL;
    }
    bp_dataset_copy_rows(dataset, n, indices, part->owned_inputs, part->owned_targets);
    for (size_t i = 0; dataset->classes && i < n; i++) {
        part->classes[i] = dataset->classes[indices[i]];
    }
    if (dataset->class_names) {
        part->class_names = bp_names_copy(dataset->n_classes, (const char *const *)dataset->class_names);
    }
    if (dataset->input_names) {
        part->input_names = bp_names_copy(dataset->n_inputs, (const char *const *)dataset->input_names);
    }
    if ((dataset->class_names && !part->class_names) || (dataset->input_names && !part->input_names)) {
        bp_dataset_destroy(part);
        return NULL;
    }
    return part;
}

/*
 * Deals the shuffled samples out: of each class, the first n × test_fraction (rounded) to the test part, the others to the training part.
 * quota has a number for each class. Both parts keep the order of the shuffle.
 */
static void deal(const bp_dataset *dataset, double test_fraction, const size_t *order, size_t *quota, size_t *train, size_t *n_train,
                 size_t *test, size_t *n_test)
{
    for (size_t i = 0; i < dataset->n_samples; i++) {
        quota[dataset->classes ? dataset->classes[i] : 0]++;
    }
    for (size_t k = 0; k < (dataset->classes ? dataset->n_classes : 1); k++) {
        quota[k] = (size_t)floor((double)quota[k] * test_fraction + 0.5);
    }
    for (size_t i = 0; i < dataset->n_samples; i++) {
        size_t *left = &quota[dataset->classes ? dataset->classes[order[i]] : 0];
        if (*left > 0) {
            --*left;
            test[(*n_test)++] = order[i];
        } else {
            train[(*n_train)++] = order[i];
        }
    }
}

bp_status bp_dataset_split(const bp_dataset *dataset, double test_fraction, uint64_t seed, bp_dataset **train, bp_dataset **test)
{
    if (!dataset || !train || !test) {
        return bp_fail_null(__func__, !dataset ? "dataset" : !train ? "train" : "test");
    }
    if (!(test_fraction > 0 && test_fraction < 1)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: test_fraction is %g; it is to be between 0 and 1", __func__, test_fraction);
    }
    size_t n = dataset->n_samples, n_train = 0, n_test = 0;
    size_t *order = bp_allocate(n, sizeof *order);
    size_t *train_indices = bp_allocate(n, sizeof *train_indices);
    size_t *test_indices = bp_allocate(n, sizeof *test_indices);
    size_t *quota = bp_allocate(dataset->n_classes ? dataset->n_classes : 1, sizeof *quota);
    bp_dataset *train_part = NULL, *test_part = NULL;
    bp_status status = BP_OK;
    if (!order || !train_indices || !test_indices || !quota) {
        status = bp_fail_memory(__func__);
        goto release;
    }
    bp_random_permutation(seed, 0, n, order);
    deal(dataset, test_fraction, order, quota, train_indices, &n_train, test_indices, &n_test);
    if (n_train == 0 || n_test == 0) {
        status = bp_fail(BP_ERROR_ARGUMENT, "%s: test_fraction is %g; of %zu samples that leaves none for the %s part", __func__,
                         test_fraction, n, n_train ? "test" : "training");
        goto release;
    }
    train_part = subset(dataset, n_train, train_indices);
    test_part = subset(dataset, n_test, test_indices);
    if (!train_part || !test_part) {
        bp_dataset_destroy(train_part);
        bp_dataset_destroy(test_part);
        status = bp_fail_memory(__func__);
        goto release;
    }
    *train = train_part;
    *test = test_part;
release:
    free(order);
    free(train_indices);
    free(test_indices);
    free(quota);
    return status;
}
