/*
 * The cells of a CSV file as they come: numbers go to one growing array, class labels as text to another. Which is which is known when the
 * first data row has ended and its fields are counted; until then its cells are held as text.
 */
#ifndef BP_DATA_TABLE_H
#define BP_DATA_TABLE_H

#include "data/csv_reader.h"

#include <csv.h>
#include <locale.h>

/* How libcsv reads every row; CSV_STRICT, which refuses stray quotes, is added for all but a header that is skipped. */
enum { BP_CSV_OPTIONS = CSV_STRICT_FINI | CSV_APPEND_NULL };

/* A growing array of bytes. */
typedef struct bp_buffer {
    char *bytes;
    size_t size, capacity;
} bp_buffer;

typedef struct bp_table {
    const bp_csv_reader *reader;
    const char *path;
    struct csv_parser *parser;
    bp_dtype dtype;
    locale_t c_locale; /* in which numbers have a point, whatever the program's locale is */
    bp_status status;  /* of the first failure, whose sentence is written; what comes after it is ignored */

    size_t row, column;      /* of the coming cell: rows from 1 over the whole file, columns from 0 */
    size_t n_header_columns; /* 0 without a header of names */
    size_t n_columns;        /* 0 before the first data row has ended */
    size_t n_rows;           /* of data */
    size_t class_column;     /* SIZE_MAX: none */
    size_t *target_columns;  /* as many as the reader has */

    bp_buffer names;   /* the header's fields, each with its NUL */
    bp_buffer held;    /* the first data row's fields, each with its NUL */
    bp_buffer numbers; /* double, n_rows × n_columns (without the class column) */
    bp_buffer labels;  /* each row's class with its NUL */
} bp_table;

/* Take one field, and the end of a row: the callbacks of csv_parse. table is a bp_table. */
void bp_table_field(void *text, size_t length, void *table);
void bp_table_row(int end, void *table);

/* Writes the sentence "bp_csv_reader_read: PATH: …" and keeps the status, unless there was a failure before. */
void bp_table_fail(bp_table *table, bp_status status, const char *format, ...);

void bp_table_release(bp_table *table);

/* The dataset that a whole file's cells make; returns table->status. */
bp_status bp_table_to_dataset(bp_table *table, bp_dataset **dataset);

#endif
