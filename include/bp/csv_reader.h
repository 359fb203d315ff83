/**
 * Reads datasets from CSV files, plain or gzip (told by content). Say once what the columns are, then read any number of files.
 *
 *     bp_csv_reader_create(&reader);
 *     bp_csv_reader_set_class_column(reader, -1);  // the last column is the class
 *     bp_csv_reader_read(reader, BP_F32, "digits.csv.gz", &dataset);
 *     bp_csv_reader_destroy(reader);
 *
 * Fields may be quoted ("a, ""b"""); spaces around unquoted fields and blank lines are skipped. Numbers are written with a decimal point
 * (1, -2.5, 3e-4), in whatever locale the program runs. Rows are counted from 1 over the whole file, a header included; columns from 0 in
 * calls, and from 1 in sentences. A byte order mark, and line ends of any kind, are taken. A decimal comma is refused with a hint. A field
 * has at most 1 MiB, a row 16,777,216 fields; lines may have any length, and files as well, but see dataset_file.h for gzip data and for
 * what is not a regular file. A dataset that one-hot rows make larger than 1 GiB, and than 100 times the file's bytes, is BP_ERROR_FORMAT.
 *
 * A value is missing if its field is empty, "?", "NA", "N/A", "NaN" or "null" in upper or lower case (with BP_CSV_MISSING_ERROR, such a
 * word in a column of text is a text like others).
 *
 * A reader is for one thread at a time. Every call returns BP_ERROR_ARGUMENT for a NULL pointer.
 */
#ifndef BP_CSV_READER_H
#define BP_CSV_READER_H

#include "bp/dataset.h"
#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the columns of a file are. */
typedef struct bp_csv_reader bp_csv_reader;

/** What the first row is. */
typedef enum bp_csv_header {
    BP_CSV_HEADER_NONE = 0,  /**< the first row is data; the default */
    BP_CSV_HEADER_NAMES = 1, /**< the first row names the columns, as many as the data has */
    BP_CSV_HEADER_SKIP = 2   /**< the first row is ignored, whatever it holds */
} bp_csv_header;

/** "none", "names" or "skip"; NULL for a value that is no header. Static text. Thread-safe. */
BP_API const char *bp_csv_header_name(bp_csv_header header);

/** The header whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_csv_header_from_name(const char *name, bp_csv_header *header);

/** What is done where a value is missing. */
typedef enum bp_csv_missing {
    BP_CSV_MISSING_ERROR = 0, /**< it is BP_ERROR_FORMAT, with row and column; the default */
    BP_CSV_MISSING_DROP = 1,  /**< the row is left out */
    /**
     * The mean of its column's other values takes its place, or for a text the share of each text; bp_dataset_input_mean tells them. A
     * class or target that is missing is BP_ERROR_FORMAT.
     */
    BP_CSV_MISSING_MEAN = 2
} bp_csv_missing;

/** "error", "drop" or "mean"; NULL for a value that is none. Static text. Thread-safe. */
BP_API const char *bp_csv_missing_name(bp_csv_missing missing);

/** The value whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_csv_missing_from_name(const char *name, bp_csv_missing *missing);

/** Makes a reader for comma-separated numbers without header: every column an input, no targets. Returns also BP_ERROR_MEMORY. */
BP_API bp_status bp_csv_reader_create(bp_csv_reader **reader);

/** Ends the reader; NULL is allowed. Datasets it has read live on. */
BP_API void bp_csv_reader_destroy(bp_csv_reader *reader);

/** Says what the first row is. Returns also BP_ERROR_ARGUMENT (unknown header). */
BP_API bp_status bp_csv_reader_set_header(bp_csv_reader *reader, bp_csv_header header);

/** Says what is done where a value is missing. Returns also BP_ERROR_ARGUMENT (unknown value). */
BP_API bp_status bp_csv_reader_set_missing(bp_csv_reader *reader, bp_csv_missing missing);

/** The character between fields. Returns also BP_ERROR_ARGUMENT (quote, line end, NUL, or a character that numbers are written with). */
BP_API bp_status bp_csv_reader_set_delimiter(bp_csv_reader *reader, char delimiter);

/**
 * This column holds the class; a negative one counts from the end, −1 is the last. Takes the place of target columns set before.
 * Each distinct value is a class: in numeric order if all are integers, else in the order of their bytes (as strcmp). The targets are
 * one-hot unless bp_csv_reader_set_one_hot says otherwise.
 */
BP_API bp_status bp_csv_reader_set_class_column(bp_csv_reader *reader, int column);

/**
 * The classes by name, copied, instead of those found in the file: for a second file, or to fix their order. A value that is none of them
 * is BP_ERROR_FORMAT when read. n is 1 or more; n 0 goes back to those found. Returns also BP_ERROR_ARGUMENT (a name twice),
 * BP_ERROR_MEMORY.
 */
BP_API bp_status bp_csv_reader_set_class_names(bp_csv_reader *reader, size_t n, const char *const *names);

/** 1 (default): a class is a one-hot row of class_count targets; 0: one target, the class's index. Returns also BP_ERROR_ARGUMENT. */
BP_API bp_status bp_csv_reader_set_one_hot(bp_csv_reader *reader, int one_hot);

/**
 * These n columns hold the targets, as numbers, in this order; negative ones count from the end. Takes the place of a class column set
 * before; n 0: no targets. Returns also BP_ERROR_ARGUMENT (a column twice), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_csv_reader_set_target_columns(bp_csv_reader *reader, size_t n, const int *columns);

/**
 * 1: a column of inputs whose first value is not a number is of text, and becomes an input for each of its texts, in the order of their
 * bytes: 1 in the rows that have it, else 0. The input's name is "COLUMN=TEXT"; without a header the columns' names are their numbers, the
 * first 1. A column can have 1,000 texts. With BP_CSV_MISSING_ERROR, words for missing values at a column's beginning leave open what it is: followed by
 * a number they are BP_ERROR_FORMAT. 0 (default): text is BP_ERROR_FORMAT. Returns also BP_ERROR_ARGUMENT.
 */
BP_API bp_status bp_csv_reader_set_one_hot_inputs(bp_csv_reader *reader, int one_hot);

/**
 * From now on files are read as this net needs them; what it needs is copied. The inputs are the columns that its input names say, in the
 * net's order, wherever they stand in the file; a name "COLUMN=TEXT" is 1 where that column has this text. Other columns that are neither
 * class nor target are ignored. The net's class names, if it has any, are set as by bp_csv_reader_set_class_names. With BP_CSV_MISSING_MEAN
 * a missing value becomes the offset of the net's input scaling, if the net's metadata "input_scaling" is "standard": then that is the mean
 * of the training data. A net that was given bp_dataset_input_name's names, the class names, that scaling and that metadata cannot be fed
 * with columns in another order, or another code.
 *
 *     bp_net_set_input_names(net, names);
 *     bp_dataset_fit_scaling_f32(train, BP_SCALING_STANDARD, offset, scale);
 *     bp_net_set_input_scaling_f32(net, offset, scale);
 *     bp_net_set_metadata(net, "input_scaling", bp_scaling_name(BP_SCALING_STANDARD));
 *
 * When read, BP_ERROR_FORMAT also stands for a column that the file has not or has twice, a text that the net does not know, and a missing
 * value without a mean. NULL: back to all columns; the class names stay.
 * Returns also BP_ERROR_ARGUMENT (a net without names of its inputs), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_csv_reader_set_net(bp_csv_reader *reader, const bp_net *net);

/**
 * Reads the file into a new dataset that the caller destroys. The columns that are neither class nor target are the inputs, in order.
 * Returns BP_ERROR_ARGUMENT (NULL, unknown dtype), BP_ERROR_IO (the file is missing, not a regular file, cannot be read, or is a gzip file
 * that is damaged, cut short or a bomb), BP_ERROR_FORMAT (no data row; a row of another length; a missing value, text or a decimal comma
 * where a number belongs, a number that the dtype cannot hold; an unknown class; a class or target column that the file does not have; no
 * column left for the inputs; row and column are named), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_csv_reader_read(const bp_csv_reader *reader, bp_dtype dtype, const char *path, bp_dataset **dataset);

/** The same from the bytes of such a file in memory. */
BP_API bp_status bp_csv_reader_read_memory(const bp_csv_reader *reader, bp_dtype dtype, const void *bytes, size_t size,
                                           bp_dataset **dataset);

#ifdef __cplusplus
}
#endif

#endif
