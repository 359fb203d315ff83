#define _GNU_SOURCE /* locale_t */

#include "data/table.h"

#include "core/memory.h"
#include "core/status.h"
#include "data/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bp_table_fail(bp_table *table, bp_status status, const char *format, ...)
{
    if (table->status != BP_OK) {
        return;
    }
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table->status = bp_fail(status, "bp_csv_reader_read: %.200s: %s", table->path, text);
}

void bp_table_release(bp_table *table)
{
    free(table->target_columns);
    free(table->names.bytes);
    free(table->held.bytes);
    free(table->numbers.bytes);
    free(table->labels.bytes);
}

/* Appends bytes to a buffer of the table. */
static void append(bp_table *table, bp_buffer *buffer, const void *bytes, size_t size)
{
    size_t needed;
    if (!bp_add(buffer->size, size, &needed) || needed > PTRDIFF_MAX / 2) {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
        return;
    }
    if (needed > buffer->capacity) {
        size_t capacity = 2 * needed < 4096 ? 4096 : 2 * needed;
        char *grown = realloc(buffer->bytes, capacity);
        if (!grown) {
            bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
            return;
        }
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size = needed;
}

/* A number, or a sentence that says what is there instead. */
static void take_number(bp_table *table, size_t column, const char *text)
{
    double value;
    if (*text == '\0') {
        bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: the field is empty", table->row, column + 1);
    } else if (!bp_parse_number(text, table->c_locale, &value)) {
        bool comma = strchr(text, ',') && text[strspn(text, "0123456789+-,.eE")] == '\0';
        bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: \"%.40s\" is not a number%s", table->row, column + 1, text,
                      comma ? " (a decimal comma? numbers are written with a point)" : "");
    } else if (!isfinite(table->dtype == BP_F32 ? (double)(float)value : value)) {
        bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: \"%.40s\" is beyond the range of %s", table->row, column + 1, text,
                      bp_dtype_name(table->dtype));
    } else {
        append(table, &table->numbers, &value, sizeof value);
    }
}

static void take_cell(bp_table *table, size_t column, const char *text)
{
    if (column != table->class_column) {
        take_number(table, column, text);
    } else if (*text == '\0') {
        bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: the class is empty", table->row, column + 1);
    } else {
        append(table, &table->labels, text, strlen(text) + 1);
    }
}

/* The column that a caller's index, counted from the end if negative, stands for. */
static size_t resolve_column(bp_table *table, const char *what, int index)
{
    long long column = index < 0 ? (long long)table->n_columns + index : index;
    if (column < 0 || column >= (long long)table->n_columns) {
        bp_table_fail(table, BP_ERROR_FORMAT, "the %s column is %d, but row %zu has %zu columns", what, index, table->row,
                      table->n_columns);
        return 0;
    }
    return (size_t)column;
}

/* Now that the fields of a row are counted: which columns are what. */
static void resolve_columns(bp_table *table)
{
    const bp_csv_reader *reader = table->reader;
    table->class_column = reader->has_class_column ? resolve_column(table, "class", reader->class_column) : SIZE_MAX;
    table->target_columns = bp_allocate(reader->n_target_columns, sizeof *table->target_columns);
    if (!table->target_columns) {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
        return;
    }
    for (size_t i = 0; i < reader->n_target_columns; i++) {
        table->target_columns[i] = resolve_column(table, "target", reader->target_columns[i]);
        for (size_t j = 0; j < i; j++) {
            if (table->target_columns[i] == table->target_columns[j]) {
                bp_table_fail(table, BP_ERROR_FORMAT, "with %zu columns, the target columns %d and %d are the same", table->n_columns,
                              reader->target_columns[j], reader->target_columns[i]);
            }
        }
    }
    if (table->n_columns <= reader->n_target_columns + reader->has_class_column) {
        bp_table_fail(table, BP_ERROR_FORMAT, "row %zu has %zu columns, which leaves none for the inputs", table->row, table->n_columns);
    }
}

/* The row is the header, which is not data. */
static bool in_header(const bp_table *table)
{
    return table->row == 1 && table->reader->header != BP_CSV_HEADER_NONE;
}

void bp_table_field(void *text, size_t length, void *data)
{
    bp_table *table = data;
    bool skipped = in_header(table) && table->reader->header == BP_CSV_HEADER_SKIP;
    if (table->status == BP_OK && !skipped) {
        if (strlen(text) != length) {
            bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: the field has a NUL character", table->row, table->column + 1);
        } else if (in_header(table)) {
            append(table, &table->names, text, length + 1);
        } else if (table->n_columns == 0) {
            append(table, &table->held, text, length + 1);
        } else if (table->column < table->n_columns) {
            take_cell(table, table->column, text);
        }
    }
    table->column++;
}

/* The first data row has ended: its cells are taken now. */
static void take_held(bp_table *table)
{
    table->n_columns = table->column;
    resolve_columns(table);
    const char *text = table->held.bytes;
    for (size_t i = 0; table->status == BP_OK && i < table->n_columns; i++) {
        take_cell(table, i, text);
        text += strlen(text) + 1;
    }
}

void bp_table_row(int end, void *data)
{
    (void)end;
    bp_table *table = data;
    if (table->status == BP_OK && in_header(table)) {
        table->n_header_columns = table->reader->header == BP_CSV_HEADER_NAMES ? table->column : 0;
        csv_set_opts(table->parser, BP_CSV_OPTIONS | CSV_STRICT);
    } else if (table->status == BP_OK) {
        if (table->n_header_columns && table->column != table->n_header_columns) {
            bp_table_fail(table, BP_ERROR_FORMAT, "row %zu has %zu columns, but the header names %zu", table->row, table->column,
                          table->n_header_columns);
        } else if (table->n_columns == 0) {
            take_held(table);
        } else if (table->column != table->n_columns) {
            bp_table_fail(table, BP_ERROR_FORMAT, "row %zu has %zu columns, but the rows before it have %zu", table->row, table->column,
                          table->n_columns);
        }
        table->n_rows++;
    }
    table->row++;
    table->column = 0;
}
