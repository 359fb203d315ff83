/**
 * Samples and their targets: what a net learns from. A dataset has n samples of n_inputs numbers, and for each n_outputs target numbers
 * (0 for unlabelled data). If it was made from classes it also knows each sample's class and, from a file, the classes' names.
 *
 *     bp_csv_reader_read(reader, BP_F32, "digits.csv.gz", &all);
 *     bp_dataset_split(all, 0.2, 42, &train, &test);
 *     bp_dataset_fit_scaling_f32(train, BP_SCALING_STANDARD, offset, scale);
 *     bp_net_set_input_scaling_f32(net, offset, scale);
 *
 * All calls but create, set_weights and destroy are read-only.
 */
#ifndef BP_DATASET_H
#define BP_DATASET_H

#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Samples and their targets. */
typedef struct bp_dataset bp_dataset;

/* ---- make ---- */

/**
 * Copies arrays into a new dataset. inputs: n_samples × n_inputs; targets: n_samples × n_outputs, NULL if and only if n_outputs is 0.
 * Returns BP_ERROR_ARGUMENT (NULL, n_samples or n_inputs 0, a product of sizes too large), BP_ERROR_NONFINITE (row and column named),
 * BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_create_f32(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const float *inputs,
                                       const float *targets);
BP_API bp_status bp_dataset_create_f64(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const double *inputs,
                                       const double *targets);

/** The same without copying: the arrays stay the caller's, and are kept alive and unchanged by the caller as long as the dataset lives. */
BP_API bp_status bp_dataset_borrow_f32(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const float *inputs,
                                       const float *targets);
BP_API bp_status bp_dataset_borrow_f64(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const double *inputs,
                                       const double *targets);

/**
 * Copies inputs (n_samples × n_inputs) and the samples' classes (n_samples, each 0 … n_classes − 1); the targets become one-hot, n_outputs
 * = n_classes. Returns BP_ERROR_ARGUMENT (NULL, a size 0 or too large, a class out of range, named by its row), BP_ERROR_NONFINITE,
 * BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_create_classes_f32(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_classes,
                                               const float *inputs, const uint32_t *classes);
BP_API bp_status bp_dataset_create_classes_f64(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_classes,
                                               const double *inputs, const uint32_t *classes);

/** Ends the dataset; NULL is allowed. */
BP_API void bp_dataset_destroy(bp_dataset *dataset);

/* ---- look (0 or NULL for a NULL dataset) ---- */

/** What the dataset is; 0 for NULL. */
BP_API bp_dtype bp_dataset_dtype(const bp_dataset *dataset);
BP_API size_t bp_dataset_sample_count(const bp_dataset *dataset);
BP_API size_t bp_dataset_input_count(const bp_dataset *dataset);
BP_API size_t bp_dataset_output_count(const bp_dataset *dataset);
BP_API size_t bp_dataset_class_count(const bp_dataset *dataset);      /**< 0 if the dataset has no classes */
BP_API const uint32_t *bp_dataset_classes(const bp_dataset *dataset); /**< sample_count elements, the dataset's; NULL without classes */

/**
 * Gives each sample a weight, sample_count elements, 0 or more, finite and not all 0, copied: how much its loss counts in training. NULL
 * takes the weights away. They go with the samples through split and fold.
 * Returns BP_ERROR_ARGUMENT (NULL dataset, a weight below 0, all 0), BP_ERROR_NONFINITE (a weight named by its row), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_set_weights(bp_dataset *dataset, const double *weights);

BP_API const double *bp_dataset_weights(const bp_dataset *dataset); /**< sample_count elements, the dataset's; NULL without weights */

/** The name of class index, as in the file; NULL if there is none. The dataset's text. */
BP_API const char *bp_dataset_class_name(const bp_dataset *dataset, size_t index);

/** The name of input column index from the file's header; NULL if there is none. The dataset's text. */
BP_API const char *bp_dataset_input_name(const bp_dataset *dataset, size_t index);

/**
 * What took the place of missing values in input column index: the mean of the others (csv_reader.h); NaN if there is none, as for other
 * datasets.
 */
BP_API double bp_dataset_input_mean(const bp_dataset *dataset, size_t index);

/**
 * The inputs, sample_count × input_count, the dataset's. Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE, BP_ERROR_UNSUPPORTED (a dataset
 * of a mapped file, dataset_file.h, whose numbers are converted when wanted; bp_dataset_gather has them).
 */
BP_API bp_status bp_dataset_inputs_f32(const bp_dataset *dataset, const float **inputs);
BP_API bp_status bp_dataset_inputs_f64(const bp_dataset *dataset, const double **inputs);

/** The targets, sample_count × output_count, the dataset's; NULL is written if there are none. Returns as bp_dataset_inputs. */
BP_API bp_status bp_dataset_targets_f32(const bp_dataset *dataset, const float **targets);
BP_API bp_status bp_dataset_targets_f64(const bp_dataset *dataset, const double **targets);

/**
 * Copies the n samples of these indices, in this order, into inputs (n × input_count) and targets (n × output_count); either may be NULL.
 * Returns BP_ERROR_ARGUMENT (NULL dataset or indices, an index out of range, targets of a dataset without), BP_ERROR_DTYPE,
 * BP_ERROR_FORMAT (a number in a mapped file that is not finite, or beyond the dtype; what was written is undefined).
 */
BP_API bp_status bp_dataset_gather_f32(const bp_dataset *dataset, size_t n, const size_t *indices, float *inputs, float *targets);
BP_API bp_status bp_dataset_gather_f64(const bp_dataset *dataset, size_t n, const size_t *indices, double *inputs, double *targets);

/* ---- divide and scale ---- */

/**
 * Divides into a training and a test part, both independent copies (of a mapped file: sharing it), after a seeded shuffle
 * (bp_random_permutation). test_fraction is in (0, 1). With classes the division is stratified: from a class with n samples, ⌊n ×
 * test_fraction + ½⌋ go to the test part. Without, the whole set counts as one class.
 * Returns BP_ERROR_ARGUMENT (NULL, test_fraction out of range, a part that would be empty or have only weights of 0), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_split(const bp_dataset *dataset, double test_fraction, uint64_t seed, bp_dataset **train, bp_dataset **test);

/**
 * Deals the samples, shuffled by seed, over n_folds folds and makes independent copies: fold (0 … n_folds − 1) is the validation part, the
 * others are the training part. Folds are disjoint and together the whole set; their sizes differ by 1 at most, and so do the numbers of a
 * class's samples in them. n_folds is 2 … sample_count.
 * Returns BP_ERROR_ARGUMENT (NULL, n_folds or fold out of range, a part with only weights of 0), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_fold(const bp_dataset *dataset, size_t n_folds, size_t fold, uint64_t seed, bp_dataset **train,
                                 bp_dataset **validation);

/** How columns of numbers are made comparable. */
typedef enum bp_scaling {
    BP_SCALING_MIN_MAX = 0, /**< the least value of a column becomes 0, the greatest 1 */
    BP_SCALING_STANDARD = 1 /**< the mean of a column becomes 0, its deviation (over n, not n − 1) 1 */
} bp_scaling;

/** "min_max" or "standard"; NULL for a value that is no scaling. Static text. Thread-safe. */
BP_API const char *bp_scaling_name(bp_scaling scaling);

/** The scaling whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_scaling_from_name(const char *name, bp_scaling *scaling);

/**
 * Computes offset and scale (input_count elements each) for bp_net_set_input_scaling from this dataset, which is the training part:
 * x becomes (x − offset) × scale. A column with one value only gets scale 1.
 * Returns BP_ERROR_ARGUMENT (NULL, unknown scaling), BP_ERROR_DTYPE, BP_ERROR_NONFINITE (a column's range overflows),
 * BP_ERROR_FORMAT (as bp_dataset_gather), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_fit_scaling_f32(const bp_dataset *dataset, bp_scaling scaling, float *offset, float *scale);
BP_API bp_status bp_dataset_fit_scaling_f64(const bp_dataset *dataset, bp_scaling scaling, double *offset, double *scale);

/**
 * The same of the targets (output_count elements each), for bp_net_set_output_scaling. Returns as bp_dataset_fit_scaling, and BP_ERROR_ARGUMENT for
 * a dataset without targets.
 */
BP_API bp_status bp_dataset_fit_target_scaling_f32(const bp_dataset *dataset, bp_scaling scaling, float *offset, float *scale);
BP_API bp_status bp_dataset_fit_target_scaling_f64(const bp_dataset *dataset, bp_scaling scaling, double *offset, double *scale);

#ifdef __cplusplus
}
#endif

#endif
