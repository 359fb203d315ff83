#ifndef BP_DATA_DATASET_H
#define BP_DATA_DATASET_H

#include "bp/dataset.h"

#include <stdbool.h>

struct bp_dataset {
    bp_dtype dtype;
    size_t n_samples, n_inputs, n_outputs;
    size_t n_classes;    /* 0: the samples have no classes */
    const void *inputs;  /* n_samples × n_inputs */
    const void *targets; /* n_samples × n_outputs, or NULL */
    void *owned_inputs;  /* what inputs and targets point to, unless it is borrowed */
    void *owned_targets;
    uint32_t *classes;  /* n_samples, or NULL */
    double *weights;    /* n_samples, or NULL; not all 0 */
    char **class_names; /* n_classes, or NULL; one block with the texts */
    char **input_names; /* n_inputs, or NULL; one block with the texts */
};

/* An owned dataset of zeros; the sizes are bp_dataset_check_sizes'. NULL without memory. */
bp_dataset *bp_dataset_allocate(bp_dtype dtype, size_t n_samples, size_t n_inputs, size_t n_outputs, size_t n_classes);

/* That the sizes are in range and their products do not overflow. */
bp_status bp_dataset_check_sizes(const char *function, bp_dtype dtype, size_t n_samples, size_t n_inputs, size_t n_outputs);

/* Copies the rows of these indices; inputs and targets may be NULL. */
void bp_dataset_copy_rows(const bp_dataset *dataset, size_t n, const size_t *indices, void *inputs, void *targets);

/* Targets from classes: one-hot where there are as many outputs as classes and one_hot, else the class's index. */
void bp_dataset_set_class_targets(bp_dataset *dataset, bool one_hot);

#endif
