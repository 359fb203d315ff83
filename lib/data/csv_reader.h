#ifndef BP_DATA_CSV_READER_H
#define BP_DATA_CSV_READER_H

#include "bp/csv_reader.h"

#include <stdbool.h>

/* What the columns of a file are; columns count from 0, negative ones from the end. */
struct bp_csv_reader {
    bp_csv_header header;
    char delimiter;
    bool one_hot;
    bool has_class_column;
    int class_column;
    size_t n_target_columns;
    int *target_columns;
    size_t n_class_names; /* 0: the classes are those found */
    char **class_names;
};

#endif
