/*
 * FANN's training data: three integers, how many samples, inputs and targets; then each sample's inputs and its targets; all divided by
 * white space.
 */
#ifndef BP_DATA_FANN_DATA_H
#define BP_DATA_FANN_DATA_H

#include "data/dataset.h"
#include "data/stream.h"

/* Whether a text that starts with these characters is such a file: its first line has three integers and nothing else. */
bool bp_is_fann_data(const unsigned char *text, size_t n);

/* Reads all of an opened stream. Returns the stream's status. */
bp_status bp_fann_data_read(bp_stream *stream, bp_dtype dtype, bp_dataset **dataset);

#endif
