#ifndef BP_DATA_DATASET_H
#define BP_DATA_DATASET_H

#include "bp/dataset.h"

#include "core/handle.h"
#include "data/elements.h"
#include "data/storage.h"

#include <stdbool.h>

/* Rows of numbers as a file has them. */
typedef struct bp_file_rows {
    bp_storage *storage; /* NULL: there are none */
    const unsigned char *first;
    bp_element element;
    bool swapped; /* not in this machine's byte order */
} bp_file_rows;

/*
 * Inputs are a plain array of the dtype, or rows of a file that are converted when they are copied. Targets are that, too; or, with
 * input_rows and classes only, one-hot rows that are made from the classes.
 */
struct bp_dataset {
    bp_handle handle;
    bp_dtype dtype;
    size_t n_samples, n_inputs, n_outputs;
    size_t n_classes;    /* 0: the samples have no classes */
    const void *inputs;  /* n_samples × n_inputs, or NULL */
    const void *targets; /* n_samples × n_outputs, or NULL */
    void *owned_inputs;  /* what inputs and targets point to, unless it is borrowed */
    void *owned_targets;
    bp_file_rows input_rows, target_rows;
    size_t *rows;        /* which rows of these the samples are; NULL: all, in order */
    uint32_t *classes;   /* n_samples, or NULL */
    double *weights;     /* n_samples, or NULL */
    char **class_names;  /* n_classes, or NULL; one block with the texts */
    char **input_names;  /* n_inputs, or NULL; one block with the texts */
    double *input_means; /* n_inputs, or NULL: what took the place of missing values */
};

/* An owned dataset of zeros; the sizes are bp_dataset_check_sizes'. NULL without memory. */
bp_dataset *bp_dataset_allocate(bp_dtype dtype, size_t n_samples, size_t n_inputs, size_t n_outputs, size_t n_classes);

/* That the sizes are in range and their products do not overflow. */
bp_status bp_dataset_check_sizes(const char *function, bp_dtype dtype, size_t n_samples, size_t n_inputs, size_t n_outputs);

/* That n weights are 0 or more and finite. */
bp_status bp_dataset_check_weights(const char *function, size_t n, const double *weights);

/* Plain arrays, n_samples rows of each. */
bool bp_dataset_is_plain(const bp_dataset *dataset);

/*
 * Copies samples first … first + n − 1, or order[first] … order[first + n − 1], which there are, as numbers of the dataset's dtype; inputs
 * and targets may be NULL. A number of a file that is not finite, or beyond the dtype, is BP_ERROR_FORMAT, in the name of function, with
 * its row and column.
 */
bp_status bp_dataset_copy(const char *function, const bp_dataset *dataset, size_t first, size_t n, const size_t *order, void *inputs,
                          void *targets);
bp_status bp_dataset_copy_f32(const char *function, const bp_dataset *dataset, size_t first, size_t n, const size_t *order, float *inputs,
                              float *targets);
bp_status bp_dataset_copy_f64(const char *function, const bp_dataset *dataset, size_t first, size_t n, const size_t *order, double *inputs,
                              double *targets);

/* Targets from classes: one-hot where there are as many outputs as classes and one_hot, else the class's index. */
void bp_dataset_set_class_targets(bp_dataset *dataset, bool one_hot);

#endif
