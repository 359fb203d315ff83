#define _GNU_SOURCE /* locale_t */

#include "data/table.h"

#include "core/status.h"
#include "data/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void bp_table_release(bp_table *table)
{
    for (size_t j = 0; table->columns && j < table->n_columns; j++) {
        bp_dictionary_destroy(table->columns[j].texts);
    }
    free(table->columns);
    free(table->features);
    free(table->names.bytes);
    free(table->held.bytes);
    free(table->inputs.bytes);
    free(table->targets.bytes);
    free(table->classes.bytes);
}

void bp_table_make_texts(bp_table *table, bp_column *column, bp_column_kind kind)
{
    column->kind = kind;
    column->texts = column->texts ? column->texts : calloc(1, sizeof *column->texts);
    if (!column->texts) {
        bp_stream_fail_memory(table->stream);
    }
}

/* Whether a field says that there is no value. */
static bool is_missing(const char *text, size_t length)
{
    static const char *const words[] = {"", "?", "na", "n/a", "nan", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (length == strlen(words[i]) && strncasecmp(text, words[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* Room for the row that comes. */
static bool reserve_row(bp_table *table)
{
    size_t element = bp_dtype_size(table->dtype);
    bool done = bp_buffer_reserve(&table->inputs, table->n_inputs * element) &&
                bp_buffer_reserve(&table->targets, table->n_targets * element) &&
                bp_buffer_reserve(&table->classes, table->has_class ? sizeof(uint32_t) : 0);
    if (!done) {
        bp_stream_fail_memory(table->stream);
    }
    return done;
}

/* The row that came is data. */
static void keep_row(bp_table *table)
{
    size_t element = bp_dtype_size(table->dtype);
    table->inputs.size += table->n_inputs * element;
    table->targets.size += table->n_targets * element;
    table->classes.size += table->has_class ? sizeof(uint32_t) : 0;
    table->n_rows++;
}

/* Puts a number into its place of the row that comes; false if it is beyond the dtype. */
static inline bool put_number(bp_table *table, bp_buffer *to, size_t place, double value)
{
    char *row = to->bytes + to->size;
    if (table->dtype == BP_F32) {
        float single = (float)value;
        memcpy(row + place * sizeof single, &single, sizeof single);
        return isfinite(single);
    }
    memcpy(row + place * sizeof value, &value, sizeof value);
    return isfinite(value);
}

/* The number of a text of the column; BP_NO_TEXT if the column cannot have it, or without memory. */
static inline size_t number_of_text(bp_column *column, const char *text, size_t length)
{
    return column->knows_all ? bp_dictionary_find(column->texts, text, length) : bp_dictionary_add(column->texts, text, length);
}

static inline void put_text(bp_table *table, const bp_column *column, size_t number)
{
    if (column->kind == BP_COLUMN_CLASS) {
        uint32_t class = (uint32_t)number;
        memcpy(table->classes.bytes + table->classes.size, &class, sizeof class);
    } else {
        put_number(table, &table->inputs, column->place, (double)number);
    }
}

/* ---- cells of any kind, with sentences for those that are wrong ---- */

static void fail_cell(bp_table *table, size_t column, const char *text, const char *what)
{
    bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu, column %zu: \"%.40s\" %s", table->row, column + 1, text, what);
}

static void take_missing(bp_table *table, size_t j, const char *text)
{
    const bp_csv_reader *reader = table->reader;
    const bp_column *column = &table->columns[j];
    bool is_class = column->kind == BP_COLUMN_CLASS, is_input = !is_class && column->kind != BP_COLUMN_TARGET;
    if (reader->missing == BP_CSV_MISSING_DROP) {
        table->row_dropped = true;
    } else if (reader->missing == BP_CSV_MISSING_MEAN && is_input && reader->n_input_names && !reader->input_means) {
        fail_cell(table, j, text, "is a missing value, and the net has no mean to put there");
    } else if (reader->missing == BP_CSV_MISSING_MEAN && is_input) {
        double nothing = (double)NAN;
        put_number(table, &table->inputs, column->place, nothing);
        table->has_missing = true;
    } else if (*text == '\0') {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu, column %zu: the %s is empty", table->row, j + 1,
                       is_class   ? "class"
                       : is_input ? "field"
                                  : "target");
    } else {
        fail_cell(table, j, text, is_class ? "is no class: it is missing" : "is not a number: it is missing");
    }
}

/* A number, or a sentence that says what is there instead. */
static void take_number(bp_table *table, size_t j, const char *text)
{
    const bp_column *column = &table->columns[j];
    double value;
    if (!bp_parse_number(text, table->c_locale, &value)) {
        bool comma = strchr(text, ',') && text[strspn(text, "0123456789+-,.eE")] == '\0';
        fail_cell(table, j, text,
                  comma                     ? "is not a number (a decimal comma? numbers are written with a point)"
                  : strpbrk(text, ",;\t |") ? "is not a number (is another character between the fields?)"
                                            : "is not a number");
    } else if (!put_number(table, column->kind == BP_COLUMN_TARGET ? &table->targets : &table->inputs, column->place, value)) {
        fail_cell(table, j, text, table->dtype == BP_F32 ? "is beyond the range of f32" : "is beyond the range of f64");
    }
}

static void take_text(bp_table *table, size_t j, const char *text)
{
    bp_column *column = &table->columns[j];
    size_t number = number_of_text(column, text, strlen(text));
    if (number != BP_NO_TEXT) {
        put_text(table, column, number);
    } else if (!column->knows_all) {
        bp_stream_fail_memory(table->stream);
    } else {
        char what[80];
        snprintf(what, sizeof what, "is none of the %zu %s", column->texts->n,
                 column->kind == BP_COLUMN_CLASS ? "class names" : "values that the net knows");
        fail_cell(table, j, text, what);
    }
    if (column->kind == BP_COLUMN_TEXT && column->texts->n > BP_CSV_MAX_TEXTS) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu, column %zu: more than %d different texts, each of which would be an input",
                       table->row, j + 1, BP_CSV_MAX_TEXTS);
    }
}

/* The first value of a column says whether it is of numbers or of texts; a word for a missing one leaves it to the next. */
static void decide_kind(bp_table *table, size_t j, const char *text)
{
    bp_column *column = &table->columns[j];
    if (column->kind != BP_COLUMN_INPUT && column->missing_row == 0) {
        return;
    }
    double value;
    bool is_number = bp_parse_number(text, table->c_locale, &value), is_word = is_missing(text, strlen(text));
    if (column->kind == BP_COLUMN_INPUT && table->reader->one_hot_inputs && !is_number) {
        bp_table_make_texts(table, column, BP_COLUMN_TEXT);
        column->missing_row = is_word ? table->row : 0;
    } else if (column->kind == BP_COLUMN_INPUT) {
        column->kind = BP_COLUMN_NUMBER;
    } else if (is_number) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu, column %zu: the value is missing, and others are numbers",
                       column->missing_row, j + 1);
    } else if (!is_word) {
        column->missing_row = 0;
    }
}

static void take_cell(bp_table *table, size_t j, const char *text)
{
    bp_column *column = &table->columns[j];
    bool any_word = table->reader->missing != BP_CSV_MISSING_ERROR;
    if (column->kind == BP_COLUMN_IGNORED) {
        return;
    }
    if (*text == '\0' || (any_word && is_missing(text, strlen(text)))) {
        take_missing(table, j, text);
        return;
    }
    decide_kind(table, j, text);
    if (table->stream->status != BP_OK) {
        return;
    }
    if (column->kind == BP_COLUMN_TEXT || column->kind == BP_COLUMN_CLASS) {
        take_text(table, j, text);
    } else {
        take_number(table, j, text);
    }
}

/* ---- fields and rows, as libcsv finds them ---- */

/* The row is the header, which is not data. */
static bool in_header(const bp_table *table)
{
    return table->row == 1 && table->reader->header != BP_CSV_HEADER_NONE;
}

static void append_text(bp_table *table, bp_buffer *buffer, const char *text, size_t length)
{
    if (!bp_buffer_append(buffer, text, length + 1)) {
        bp_stream_fail_memory(table->stream);
    }
}

void bp_table_field(void *text, size_t length, void *data)
{
    bp_table *table = data;
    bool skipped = in_header(table) && table->reader->header == BP_CSV_HEADER_SKIP;
    if (table->stream->status == BP_OK && !skipped) {
        if (strlen(text) != length) {
            bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu, column %zu: the field has a NUL character", table->row,
                           table->column + 1);
        } else if (table->column >= BP_CSV_MAX_COLUMNS) {
            bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu has more than %d columns", table->row, BP_CSV_MAX_COLUMNS);
        } else if (in_header(table)) {
            append_text(table, &table->names, text, length);
        } else if (table->n_columns == 0) {
            append_text(table, &table->held, text, length);
        } else if (table->column < table->n_columns && (table->column > 0 || reserve_row(table))) {
            take_cell(table, table->column, text);
        }
    }
    table->column++;
}

/* The first data row has ended: its cells are taken now. */
static void take_held(bp_table *table)
{
    table->n_columns = table->column;
    bp_table_resolve_columns(table);
    if (table->stream->status != BP_OK || !reserve_row(table)) {
        return;
    }
    const char *text = table->held.bytes;
    for (size_t j = 0; table->stream->status == BP_OK && j < table->n_columns; j++) {
        take_cell(table, j, text);
        text += strlen(text) + 1;
    }
}

static void end_data_row(bp_table *table)
{
    if (table->n_header_columns && table->column != table->n_header_columns) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu has %zu columns, but the header names %zu", table->row, table->column,
                       table->n_header_columns);
    } else if (table->n_columns == 0) {
        take_held(table);
    } else if (table->column != table->n_columns) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu has %zu columns, but the rows before it have %zu", table->row,
                       table->column, table->n_columns);
    }
    if (table->stream->status == BP_OK && !table->row_dropped) {
        keep_row(table);
    }
    table->has_dropped |= table->row_dropped;
    table->row_dropped = false;
}

void bp_table_row(int end, void *data)
{
    (void)end;
    bp_table *table = data;
    if (table->stream->status == BP_OK && in_header(table)) {
        table->n_header_columns = table->reader->header == BP_CSV_HEADER_NAMES ? table->column : 0;
        csv_set_opts(table->parser, BP_CSV_OPTIONS | CSV_STRICT);
    } else if (table->stream->status == BP_OK) {
        end_data_row(table);
    }
    table->row++;
    table->column = 0;
}

/* ---- rows that need no parser ---- */

/* Where an unquoted field ends, at the delimiter or at the line's end; NULL if a parser should see it. */
static const char *plain_text_end(const char *at, const char *line_end, char delimiter)
{
    const char *first = at;
    while (at < line_end && *at != delimiter) {
        if (*at == '"' || *at == '\0' || *at == '\r') {
            return NULL;
        }
        at++;
    }
    bool spaces = at > first && (*first == ' ' || *first == '\t' || at[-1] == ' ' || at[-1] == '\t');
    return spaces ? NULL : at;
}

/* One cell of a plain row; returns where it ends, or NULL. */
static const char *plain_cell(bp_table *table, bp_column *column, const char *at, const char *line_end)
{
    if (column->kind == BP_COLUMN_NUMBER || column->kind == BP_COLUMN_TARGET) {
        double value;
        const char *stop = bp_scan_number(at, line_end, table->c_locale, &value);
        bp_buffer *to = column->kind == BP_COLUMN_TARGET ? &table->targets : &table->inputs;
        return stop && put_number(table, to, column->place, value) ? stop : NULL;
    }
    const char *stop =
        column->kind == BP_COLUMN_INPUT || column->missing_row ? NULL : plain_text_end(at, line_end, table->reader->delimiter);
    if (!stop || column->kind == BP_COLUMN_IGNORED) {
        return stop;
    }
    size_t length = (size_t)(stop - at);
    bool missing = length == 0 || (table->reader->missing != BP_CSV_MISSING_ERROR && is_missing(at, length));
    size_t number = missing ? BP_NO_TEXT : number_of_text(column, at, length);
    if (number == BP_NO_TEXT || (column->kind == BP_COLUMN_TEXT && number >= BP_CSV_MAX_TEXTS)) {
        return NULL;
    }
    put_text(table, column, number);
    return stop;
}

static bool plain_row(bp_table *table, const char *at, const char *line_end)
{
    for (size_t j = 0; j < table->n_columns; j++) {
        if (j > 0 && (at == line_end || *at++ != table->reader->delimiter)) {
            return false;
        }
        at = plain_cell(table, &table->columns[j], at, line_end);
        if (!at) {
            return false;
        }
    }
    return at == line_end;
}

const char *bp_table_plain_rows(bp_table *table, const char *text, const char *end)
{
    const char *newline;
    while (text < end && (newline = memchr(text, '\n', (size_t)(end - text)))) {
        const char *line_end = newline > text && newline[-1] == '\r' ? newline - 1 : newline;
        if (line_end > text) {
            if (!reserve_row(table) || !plain_row(table, text, line_end)) {
                return text;
            }
            keep_row(table);
            table->row++;
        }
        text = newline + 1;
    }
    return text;
}
