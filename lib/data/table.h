/*
 * The cells of a CSV file as they come: each goes to its place in growing arrays of inputs, targets and classes. Which column is what is
 * known when the first data row has ended and its fields are counted; until then its cells are held as text.
 */
#ifndef BP_DATA_TABLE_H
#define BP_DATA_TABLE_H

#include "data/buffer.h"
#include "data/csv_reader.h"
#include "data/dictionary.h"
#include "data/stream.h"

#include <csv.h>
#include <locale.h>

/* How libcsv reads every row; CSV_STRICT, which refuses stray quotes, is added for all but a header that is skipped. */
enum { BP_CSV_OPTIONS = CSV_STRICT_FINI | CSV_APPEND_NULL };

/* Bytes of a field, columns, and different texts in a column of inputs. */
enum { BP_CSV_MAX_FIELD = 1 << 20, BP_CSV_MAX_COLUMNS = 1 << 24, BP_CSV_MAX_TEXTS = 1000 };

typedef enum bp_column_kind {
    BP_COLUMN_IGNORED,
    BP_COLUMN_INPUT,  /* numbers, or text: its first value decides */
    BP_COLUMN_NUMBER, /* inputs */
    BP_COLUMN_TEXT,   /* inputs, each text's number in the dictionary */
    BP_COLUMN_TARGET,
    BP_COLUMN_CLASS
} bp_column_kind;

typedef struct bp_column {
    bp_column_kind kind;
    bool knows_all;       /* a text that the dictionary has not is a mistake */
    size_t place;         /* among a row's inputs, or targets */
    bp_dictionary *texts; /* of TEXT and CLASS */
    size_t missing_row;   /* where the first value of TEXT is, if all have been words for a missing one: numbers may follow; else 0 */
} bp_column;

/* An input of the dataset: a column's number; or 1 where the column has this text, else 0. */
typedef struct bp_feature {
    size_t column;
    size_t text; /* BP_NO_TEXT: a number */
} bp_feature;

typedef struct bp_table {
    const bp_csv_reader *reader;
    bp_stream *stream; /* has the status, and the sentence of the first failure */
    struct csv_parser *parser;
    bp_dtype dtype;
    locale_t c_locale; /* in which numbers have a point, whatever the program's locale is */

    size_t row, column;      /* of the coming cell: rows from 1 over the whole file, columns from 0 */
    size_t n_header_columns; /* 0 without a header of names */
    size_t n_columns;        /* 0 before the first data row has ended */
    size_t n_rows;           /* of data, those kept */
    bp_column *columns;
    size_t n_inputs, n_targets; /* of a row here: columns */
    bool has_class;
    bool row_dropped;  /* a value of it is missing */
    bool has_dropped;  /* there was such a row */
    bool has_missing;  /* there are inputs that are missing; they are NaN */
    size_t n_features; /* that a reader with names of inputs wants; else 0 */
    bp_feature *features;

    bp_buffer names;   /* the header's fields, each with its NUL */
    bp_buffer held;    /* the first data row's fields, each with its NUL */
    bp_buffer inputs;  /* of the dtype, n_rows × n_inputs; behind them, the row that comes */
    bp_buffer targets; /* n_rows × n_targets */
    bp_buffer classes; /* uint32_t: the texts' numbers */
} bp_table;

/* Take one field, and the end of a row: the callbacks of csv_parse. table is a bp_table. */
void bp_table_field(void *text, size_t length, void *table);
void bp_table_row(int end, void *table);

/*
 * Takes rows that lie in text as whole lines, are of plain numbers and texts, and right, and returns where the first other one begins. To
 * be called between rows.
 */
const char *bp_table_plain_rows(bp_table *table, const char *text, const char *end);

void bp_table_release(bp_table *table);

/* Makes a column one of texts. */
void bp_table_make_texts(bp_table *table, bp_column *column, bp_column_kind kind);

/* Now that the first data row's fields are counted: which columns are what. */
void bp_table_resolve_columns(bp_table *table);

/* The dataset that a whole file's cells make; returns the stream's status. */
bp_status bp_table_to_dataset(bp_table *table, bp_dataset **dataset);

#endif
