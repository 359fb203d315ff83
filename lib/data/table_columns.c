/* Which columns of a file are what. */
#define _GNU_SOURCE /* locale_t */

#include "core/memory.h"
#include "core/status.h"
#include "data/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The column that a caller's index, counted from the end if negative, stands for. */
static size_t resolve_column(bp_table *table, const char *what, int index)
{
    long long column = index < 0 ? (long long)table->n_columns + index : index;
    if (column < 0 || column >= (long long)table->n_columns) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "the %s column is %d, but row %zu has %zu columns", what, index, table->row,
                       table->n_columns);
        return 0;
    }
    return (size_t)column;
}

static void resolve_class(bp_table *table)
{
    const bp_csv_reader *reader = table->reader;
    bp_column *column = &table->columns[resolve_column(table, "class", reader->class_column)];
    bp_table_make_texts(table, column, BP_COLUMN_CLASS);
    column->knows_all = reader->n_class_names > 0;
    for (size_t k = 0; k < reader->n_class_names && column->texts; k++) {
        if (bp_dictionary_add(column->texts, reader->class_names[k], strlen(reader->class_names[k])) == BP_NO_TEXT) {
            bp_stream_fail_memory(table->stream);
        }
    }
    table->has_class = true;
}

static void resolve_targets(bp_table *table)
{
    const bp_csv_reader *reader = table->reader;
    for (size_t i = 0; i < reader->n_target_columns && table->stream->status == BP_OK; i++) {
        bp_column *column = &table->columns[resolve_column(table, "target", reader->target_columns[i])];
        if (column->kind == BP_COLUMN_TARGET) {
            bp_stream_fail(table->stream, BP_ERROR_FORMAT, "with %zu columns, the target columns %d and %d are the same", table->n_columns,
                           reader->target_columns[column->place], reader->target_columns[i]);
        }
        column->kind = BP_COLUMN_TARGET;
        column->place = i;
    }
    table->n_targets = reader->n_target_columns;
}

/* The columns by name, or without a header by number from 1; of a name that is there twice, columns has SIZE_MAX. */
typedef struct column_names {
    bp_dictionary names;
    size_t *columns;
} column_names;

static void list_names(bp_table *table, column_names *by_name)
{
    by_name->columns = bp_allocate(table->n_columns, sizeof *by_name->columns);
    const char *name = table->names.bytes;
    char number[24];
    for (size_t j = 0; by_name->columns && j < table->n_columns; j++) {
        if (!table->n_header_columns) {
            snprintf(number, sizeof number, "%zu", j + 1);
            name = number;
        }
        size_t before = by_name->names.n, found = bp_dictionary_add(&by_name->names, name, strlen(name));
        if (found == BP_NO_TEXT) {
            bp_stream_fail_memory(table->stream);
            return;
        }
        by_name->columns[found] = found == before ? j : SIZE_MAX;
        name += table->n_header_columns ? strlen(name) + 1 : 0;
    }
    if (!by_name->columns) {
        bp_stream_fail_memory(table->stream);
    }
}

/* The column that has the first characters of an input's name as its own; NULL if there is none. */
static bp_column *find_column(bp_table *table, const column_names *by_name, const char *name, size_t length)
{
    size_t found = bp_dictionary_find(&by_name->names, name, length);
    if (found == BP_NO_TEXT) {
        return NULL;
    }
    if (by_name->columns[found] == SIZE_MAX) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "two columns have the name \"%.60s\", which is an input",
                       bp_dictionary_text(&by_name->names, found));
        return NULL;
    }
    bp_column *column = &table->columns[by_name->columns[found]];
    return column->kind == BP_COLUMN_CLASS || column->kind == BP_COLUMN_TARGET ? NULL : column;
}

/* The input of this name: a column's, or "COLUMN=TEXT". */
static bool resolve_input(bp_table *table, const column_names *by_name, const char *name, bp_feature *feature)
{
    bp_column *column = find_column(table, by_name, name, strlen(name));
    const char *text = NULL;
    for (const char *sign = strchr(name, '='); !column && sign; sign = strchr(sign + 1, '=')) {
        column = find_column(table, by_name, name, (size_t)(sign - name));
        text = sign + 1;
    }
    bp_column_kind kind = text ? BP_COLUMN_TEXT : BP_COLUMN_NUMBER;
    if (!column || (column->kind != BP_COLUMN_IGNORED && column->kind != kind)) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "%s column for the input \"%.100s\"",
                       column ? "both numbers and texts are wanted of the" : "there is no", name);
        return false;
    }
    column->kind = kind;
    column->knows_all = true;
    if (text) {
        bp_table_make_texts(table, column, kind);
    }
    *feature = (bp_feature){.column = (size_t)(column - table->columns), .text = BP_NO_TEXT};
    if (text && column->texts) {
        feature->text = bp_dictionary_add(column->texts, text, strlen(text));
        return feature->text != BP_NO_TEXT;
    }
    return true;
}

static void resolve_inputs(bp_table *table)
{
    const bp_csv_reader *reader = table->reader;
    column_names by_name = {0};
    list_names(table, &by_name);
    table->features = bp_allocate(reader->n_input_names, sizeof *table->features);
    table->n_features = reader->n_input_names;
    for (size_t k = 0; table->features && table->stream->status == BP_OK && k < reader->n_input_names; k++) {
        if (!resolve_input(table, &by_name, reader->input_names[k], &table->features[k])) {
            bp_stream_fail_memory(table->stream);
        }
    }
    if (!table->features) {
        bp_stream_fail_memory(table->stream);
    }
    bp_dictionary_release(&by_name.names);
    free(by_name.columns);
}

void bp_table_resolve_columns(bp_table *table)
{
    const bp_csv_reader *reader = table->reader;
    table->columns = bp_allocate(table->n_columns, sizeof *table->columns);
    if (!table->columns) {
        bp_stream_fail_memory(table->stream);
        return;
    }
    for (size_t j = 0; j < table->n_columns; j++) {
        table->columns[j].kind = reader->n_input_names ? BP_COLUMN_IGNORED : BP_COLUMN_INPUT;
    }
    if (reader->has_class_column) {
        resolve_class(table);
    }
    resolve_targets(table);
    if (reader->n_input_names && table->stream->status == BP_OK) {
        resolve_inputs(table);
    }
    for (size_t j = 0; j < table->n_columns; j++) {
        bp_column *column = &table->columns[j];
        if (column->kind == BP_COLUMN_INPUT || column->kind == BP_COLUMN_NUMBER || column->kind == BP_COLUMN_TEXT) {
            column->place = table->n_inputs++;
        }
    }
    if (table->n_inputs == 0) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu has %zu columns, which leaves none for the inputs", table->row,
                       table->n_columns);
    }
}
