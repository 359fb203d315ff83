#include "data/csv_reader.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/names.h"
#include "core/status.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

static const char *const header_names[] = {"none", "names", "skip"};

static const char *const missing_names[] = {"error", "drop", "mean"};

enum { HEADER_COUNT = sizeof header_names / sizeof *header_names, MISSING_COUNT = sizeof missing_names / sizeof *missing_names };

const char *bp_csv_header_name(bp_csv_header header)
{
    return (unsigned)header < HEADER_COUNT ? header_names[header] : NULL;
}

bp_status bp_csv_header_from_name(const char *name, bp_csv_header *header)
{
    int value = bp_name_find(__func__, name, header, HEADER_COUNT, header_names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *header = (bp_csv_header)value;
    return BP_OK;
}

const char *bp_csv_missing_name(bp_csv_missing missing)
{
    return (unsigned)missing < MISSING_COUNT ? missing_names[missing] : NULL;
}

bp_status bp_csv_missing_from_name(const char *name, bp_csv_missing *missing)
{
    int value = bp_name_find(__func__, name, missing, MISSING_COUNT, missing_names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *missing = (bp_csv_missing)value;
    return BP_OK;
}

bp_status bp_csv_reader_create(bp_csv_reader **reader)
{
    if (!reader) {
        return bp_fail_null(__func__, "reader");
    }
    bp_csv_reader *made = malloc(sizeof *made);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    *made = BP_CSV_READER_INITIAL;
    *reader = made;
    return BP_OK;
}

void bp_csv_reader_destroy(bp_csv_reader *reader)
{
    if (bp_is(reader, BP_HANDLE_CSV_READER)) {
        free(reader->target_columns);
        free(reader->class_names);
        free(reader->input_names);
        free(reader->input_means);
        bp_end_handle(reader);
        free(reader);
    }
}

bp_status bp_csv_reader_set_header(bp_csv_reader *reader, bp_csv_header header)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (!bp_csv_header_name(header)) {
        return bp_fail_enum(__func__, "header", (int)header);
    }
    reader->header = header;
    return BP_OK;
}

bp_status bp_csv_reader_set_missing(bp_csv_reader *reader, bp_csv_missing missing)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (!bp_csv_missing_name(missing)) {
        return bp_fail_enum(__func__, "missing", (int)missing);
    }
    reader->missing = missing;
    return BP_OK;
}

bp_status bp_csv_reader_set_delimiter(bp_csv_reader *reader, char delimiter)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (delimiter == '\0' || strchr("\"\r\n+-.0123456789eE", delimiter)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: delimiter is character %d; a quote, a line end or part of a number cannot divide fields",
                       __func__, delimiter);
    }
    reader->delimiter = delimiter;
    return BP_OK;
}

bp_status bp_csv_reader_set_class_column(bp_csv_reader *reader, int column)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    free(reader->target_columns);
    reader->target_columns = NULL;
    reader->n_target_columns = 0;
    reader->has_class_column = true;
    reader->class_column = column;
    return BP_OK;
}

bp_status bp_csv_reader_set_class_names(bp_csv_reader *reader, size_t n, const char *const *names)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (n > 0 && !names) {
        return bp_fail_null(__func__, "names");
    }
    if (n > BP_MAX_DIMENSION) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n is %zu; it can be 0 to %zu", __func__, n, BP_MAX_DIMENSION);
    }
    for (size_t i = 0; i < n; i++) {
        if (!names[i]) {
            return bp_fail(BP_ERROR_ARGUMENT, "%s: names[%zu] is NULL", __func__, i);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                return bp_fail(BP_ERROR_ARGUMENT, "%s: names[%zu] and names[%zu] are both \"%.100s\"", __func__, j, i, names[i]);
            }
        }
    }
    char **copy = n ? bp_names_copy(n, names) : NULL;
    if (n && !copy) {
        return bp_fail_memory(__func__);
    }
    free(reader->class_names);
    reader->class_names = copy;
    reader->n_class_names = n;
    return BP_OK;
}

bp_status bp_csv_reader_set_one_hot(bp_csv_reader *reader, int one_hot)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (one_hot != 0 && one_hot != 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: one_hot is %d; it can be 0 or 1", __func__, one_hot);
    }
    reader->one_hot = one_hot != 0;
    return BP_OK;
}

bp_status bp_csv_reader_set_one_hot_inputs(bp_csv_reader *reader, int one_hot)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (one_hot != 0 && one_hot != 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: one_hot is %d; it can be 0 or 1", __func__, one_hot);
    }
    reader->one_hot_inputs = one_hot != 0;
    return BP_OK;
}

bp_status bp_csv_reader_set_target_columns(bp_csv_reader *reader, size_t n, const int *columns)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (n > 0 && !columns) {
        return bp_fail_null(__func__, "columns");
    }
    if (n > BP_MAX_DIMENSION) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n is %zu; it can be 0 to %zu", __func__, n, BP_MAX_DIMENSION);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (columns[i] == columns[j]) {
                return bp_fail(BP_ERROR_ARGUMENT, "%s: columns[%zu] and columns[%zu] are both %d", __func__, j, i, columns[i]);
            }
        }
    }
    int *copy = NULL;
    if (n > 0) {
        copy = bp_allocate(n, sizeof *copy);
        if (!copy) {
            return bp_fail_memory(__func__);
        }
        memcpy(copy, columns, n * sizeof *copy);
    }
    free(reader->target_columns);
    reader->target_columns = copy;
    reader->n_target_columns = n;
    reader->has_class_column = false;
    return BP_OK;
}
