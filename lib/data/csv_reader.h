#ifndef BP_DATA_CSV_READER_H
#define BP_DATA_CSV_READER_H

#include "bp/csv_reader.h"

#include "core/handle.h"

#include <stdbool.h>

/* What the columns of a file are; columns count from 0, negative ones from the end. */
struct bp_csv_reader {
    bp_handle handle;
    bp_csv_header header;
    bp_csv_missing missing;
    char delimiter;
    bool one_hot;
    bool one_hot_inputs;
    bool has_class_column;
    int class_column;
    size_t n_target_columns;
    int *target_columns;
    size_t n_class_names; /* 0: the classes are those found */
    char **class_names;
    size_t n_input_names; /* 0: the inputs are the columns that are nothing else */
    char **input_names;
    double *input_means; /* n_input_names, or NULL: what takes the place of missing values */
};

/* As bp_csv_reader_create makes it. */
#define BP_CSV_READER_INITIAL ((bp_csv_reader){.handle = BP_HANDLE_CSV_READER, .delimiter = ',', .one_hot = true})

/* Reads all of an opened stream; returns its status. */
struct bp_stream;
bp_status bp_csv_read_stream(const bp_csv_reader *reader, struct bp_stream *stream, bp_dtype dtype, bp_dataset **dataset);

#endif
