/* Division of a dataset into two parts: by a fraction, or a fold and the others. */
#include "core/handle.h"
#include "data/dataset.h"

#include "core/memory.h"
#include "core/names.h"
#include "core/status.h"

#include "bp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copies what belongs to each of these samples, and the names; false without memory. */
static bool copy_labels(bp_dataset *part, const bp_dataset *dataset, const size_t *indices)
{
    size_t n = part->n_samples;
    for (size_t i = 0; dataset->classes && i < n; i++) {
        part->classes[i] = dataset->classes[indices[i]];
    }
    part->weights = dataset->weights ? bp_allocate(n, sizeof *part->weights) : NULL;
    for (size_t i = 0; part->weights && i < n; i++) {
        part->weights[i] = dataset->weights[indices[i]];
    }
    if (dataset->class_names) {
        part->class_names = bp_names_copy(dataset->n_classes, (const char *const *)dataset->class_names);
    }
    if (dataset->input_names) {
        part->input_names = bp_names_copy(dataset->n_inputs, (const char *const *)dataset->input_names);
    }
    if (dataset->input_means) {
        part->input_means = bp_allocate(dataset->n_inputs, sizeof *part->input_means);
    }
    if (part->input_means && dataset->input_means) {
        memcpy(part->input_means, dataset->input_means, dataset->n_inputs * sizeof *part->input_means);
    }
    return !(dataset->weights && !part->weights) && !(dataset->class_names && !part->class_names) &&
           !(dataset->input_names && !part->input_names) && !(dataset->input_means && !part->input_means);
}

/* A part of a dataset whose rows are a file's: it shares the file, and has a list of its rows. */
static bp_dataset *share_rows(const bp_dataset *dataset, size_t n, const size_t *indices)
{
    bp_dataset *part = calloc(1, sizeof *part);
    if (!part) {
        return NULL;
    }
    *part = (bp_dataset){
        .handle = BP_HANDLE_DATASET,
        .dtype = dataset->dtype,
        .n_samples = n,
        .n_inputs = dataset->n_inputs,
        .n_outputs = dataset->n_outputs,
        .n_classes = dataset->n_classes,
        .input_rows = dataset->input_rows,
        .target_rows = dataset->target_rows,
    };
    bp_storage_share(part->input_rows.storage);
    bp_storage_share(part->target_rows.storage);
    part->classes = dataset->classes ? bp_allocate(n, sizeof *part->classes) : NULL;
    part->rows = bp_allocate(n, sizeof *part->rows);
    if ((dataset->classes && !part->classes) || !part->rows) {
        bp_dataset_destroy(part);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        part->rows[i] = dataset->rows ? dataset->rows[indices[i]] : indices[i];
    }
    return part;
}

/* These samples as a dataset of its own; NULL without memory. */
static bp_dataset *subset(const char *function, const bp_dataset *dataset, size_t n, const size_t *indices)
{
    bool plain = bp_dataset_is_plain(dataset);
    bp_dataset *part = plain ? bp_dataset_allocate(dataset->dtype, n, dataset->n_inputs, dataset->n_outputs, dataset->n_classes)
                             : share_rows(dataset, n, indices);
    if (part && plain) {
        bp_dataset_copy(function, dataset, 0, n, indices, part->owned_inputs, part->owned_targets);
    }
    if (part && !copy_labels(part, dataset, indices)) {
        bp_dataset_destroy(part);
        part = NULL;
    }
    return part;
}

/* Who goes to the second part: of each class the first n × fraction (rounded); if fraction is 0, every n_folds-th one from fold on. */
typedef struct division {
    double fraction;
    size_t n_folds, fold;
} division;

/* The samples of one class, in places from first on when the whole set is sorted by class. */
typedef struct class_places {
    size_t first, n, taken;
} class_places;

static bool is_second(const division *by, class_places *places)
{
    size_t number = places->taken++;
    if (by->fraction > 0) {
        return number < (size_t)floor((double)places->n * by->fraction + 0.5);
    }
    return (places->first + number) % by->n_folds == by->fold;
}

/* Deals the shuffled samples out. Both parts keep the order of the shuffle. places: one for each class, zeros. */
static void deal(const bp_dataset *dataset, const division *by, const size_t *order, class_places *places, size_t *indices[2], size_t n[2])
{
    size_t n_classes = dataset->classes ? dataset->n_classes : 1;
    for (size_t i = 0; i < dataset->n_samples; i++) {
        places[dataset->classes ? dataset->classes[i] : 0].n++;
    }
    for (size_t k = 1; k < n_classes; k++) {
        places[k].first = places[k - 1].first + places[k - 1].n;
    }
    for (size_t i = 0; i < dataset->n_samples; i++) {
        bool second = is_second(by, &places[dataset->classes ? dataset->classes[order[i]] : 0]);
        indices[second][n[second]++] = order[i];
    }
}

/* That there is a sample that counts. */
static bool has_weight(const bp_dataset *dataset, size_t n, const size_t *indices)
{
    bool found = !dataset->weights && n > 0;
    for (size_t i = 0; !found && i < n; i++) {
        found = dataset->weights[indices[i]] > 0;
    }
    return found;
}

/* The parts, named as the caller calls them; written only if all is well. */
static bp_status divide(const char *function, const bp_dataset *dataset, const division *by, const char *const names[2], uint64_t seed,
                        bp_dataset *parts[2])
{
    size_t samples = dataset->n_samples, n[2] = {0};
    size_t *order = bp_allocate(samples, sizeof *order);
    size_t *indices[2] = {bp_allocate(samples, sizeof *order), bp_allocate(samples, sizeof *order)};
    class_places *places = bp_allocate(dataset->n_classes ? dataset->n_classes : 1, sizeof *places);
    bp_status status = BP_OK;
    if (!order || !indices[0] || !indices[1] || !places) {
        status = bp_fail_memory(function);
        goto release;
    }
    bp_random_permutation(seed, 0, samples, order);
    deal(dataset, by, order, places, indices, n);
    for (int p = 0; p < 2 && status == BP_OK; p++) {
        if (n[p] == 0) {
            status = bp_fail(BP_ERROR_ARGUMENT, "%s: test_fraction is %g; of %zu samples that leaves none for the %s part", function,
                             by->fraction, samples, names[p]);
        } else if (!has_weight(dataset, n[p], indices[p])) {
            status = bp_fail(BP_ERROR_ARGUMENT, "%s: all %zu samples of the %s part have the weight 0", function, n[p], names[p]);
        }
    }
    if (status == BP_OK) {
        parts[0] = subset(function, dataset, n[0], indices[0]);
        parts[1] = subset(function, dataset, n[1], indices[1]);
        if (!parts[0] || !parts[1]) {
            bp_dataset_destroy(parts[0]);
            bp_dataset_destroy(parts[1]);
            status = bp_fail_memory(function);
        }
    }
release:
    free(order);
    free(indices[0]);
    free(indices[1]);
    free(places);
    return status;
}

bp_status bp_dataset_split(const bp_dataset *dataset, double test_fraction, uint64_t seed, bp_dataset **train, bp_dataset **test)
{
    static const char *const names[] = {"training", "test"};
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(__func__, "dataset", dataset, BP_HANDLE_DATASET);
    }
    if (!train || !test) {
        return bp_fail_null(__func__, train ? "test" : "train");
    }
    if (!(test_fraction > 0 && test_fraction < 1)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: test_fraction is %g; it is to be between 0 and 1", __func__, test_fraction);
    }
    bp_dataset *parts[2];
    bp_status status = divide(__func__, dataset, &(division){.fraction = test_fraction}, names, seed, parts);
    if (status == BP_OK) {
        *train = parts[0];
        *test = parts[1];
    }
    return status;
}

bp_status bp_dataset_fold(const bp_dataset *dataset, size_t n_folds, size_t fold, uint64_t seed, bp_dataset **train,
                          bp_dataset **validation)
{
    static const char *const names[] = {"training", "validation"};
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(__func__, "dataset", dataset, BP_HANDLE_DATASET);
    }
    if (!train || !validation) {
        return bp_fail_null(__func__, train ? "validation" : "train");
    }
    if (n_folds < 2 || n_folds > dataset->n_samples) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_folds is %zu; of %zu samples it can be 2 to %zu", __func__, n_folds, dataset->n_samples,
                       dataset->n_samples);
    }
    if (fold >= n_folds) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: fold is %zu; of %zu folds it can be 0 to %zu", __func__, fold, n_folds, n_folds - 1);
    }
    bp_dataset *parts[2];
    bp_status status = divide(__func__, dataset, &(division){.n_folds = n_folds, .fold = fold}, names, seed, parts);
    if (status == BP_OK) {
        *train = parts[0];
        *validation = parts[1];
    }
    return status;
}
