/**
 * Datasets from files, told by their content, not by their names: IDX (MNIST's format), NPY 1.0 to 3.0 (numpy's), FANN's training data,
 * CSV; each of them also packed by gzip.
 *
 *     bp_dataset_read_pair(&dataset, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", BP_F32, 10);
 *
 * IDX and NPY files are mapped, and their numbers stay what they are in the file: a dataset of 60,000 × 784 pixels takes 47 MB of the page
 * cache and next to none of its own, however large the file is. Opening looks only at the header. Samples are converted to the dataset's
 * type, and rounded to it, when they are wanted: by bp_dataset_gather, fit_scaling, bp_net_evaluate, bp_trainer and the range test, a batch
 * at a time. NaN, infinity and numbers beyond the type are found then: BP_ERROR_FORMAT, with file, row and column. bp_dataset_inputs and
 * bp_dataset_targets lend an array only where the file has one of just this type and byte order, unchecked; else they return
 * BP_ERROR_UNSUPPORTED. The parts that split and fold make share the file, and have a list of their rows.
 *
 * A mapped file is to stay as it is while a dataset lives: if it shrinks, using its samples ends the program (SIGBUS); where others may
 * write to it, pack it by gzip, or read it yourself for bp_dataset_read_memory. All other files are copied while they are read, and
 * refused if they shrink meanwhile.
 *
 * Refused are files that are not regular (directories, FIFOs, devices), files that are longer or shorter than their header says, and gzip
 * data that unpacks to more than 256 MiB and more than 100 times its size.
 */
#ifndef BP_DATASET_FILE_H
#define BP_DATASET_FILE_H

#include "bp/dataset.h"
#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reads the file into a new dataset that the caller destroys. FANN's data has targets; the others give inputs only. IDX of any type and
 * dimensions, NPY of b1, i1 to i8, u1 to u8, f4 and f8 in both byte orders: the first dimension counts the samples, all others together are
 * a sample's inputs; NPY in Fortran's order is copied into C's. CSV is read as by a new bp_csv_reader: numbers divided by commas, no
 * header.
 * Returns BP_ERROR_ARGUMENT (NULL, unknown dtype), BP_ERROR_IO, BP_ERROR_FORMAT (with what is wrong, and where), BP_ERROR_UNSUPPORTED (a
 * type of numbers that a dataset cannot have), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_dataset_read(bp_dataset **dataset, const char *path, bp_dtype dtype);

/** The same from the bytes of such a file in memory, which are copied. */
BP_API bp_status bp_dataset_read_memory(bp_dataset **dataset, const void *bytes, size_t size, bp_dtype dtype);

/**
 * Reads two files, IDX or NPY, into one dataset: the inputs as bp_dataset_read does, and for each sample a row of targets. Targets of
 * integers, one for each sample, are classes: 0 … n_classes − 1, or with n_classes 0 up to the largest that is there, at most 65,535. They
 * are read at once, 4 bytes a sample; their one-hot rows are made when wanted, and their names are their numbers. Others are numbers that
 * the net is to give.
 * Returns as bp_dataset_read, and BP_ERROR_ARGUMENT (n_classes above 65,536), BP_ERROR_FORMAT (as many targets as there are inputs is not
 * the case; a class out of range, named by its row).
 */
BP_API bp_status bp_dataset_read_pair(bp_dataset **dataset, const char *inputs_path, const char *targets_path, bp_dtype dtype,
                                      size_t n_classes);

#ifdef __cplusplus
}
#endif

#endif
