/* From the cells of a table to a dataset. */
#define _GNU_SOURCE /* locale_t */

#include "core/memory.h"
#include "core/names.h"
#include "core/status.h"
#include "data/dataset.h"
#include "data/number.h"
#include "data/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A row's class as text, and as a number where all classes are integers. */
typedef struct label {
    const char *text;
    long long value;
    size_t row;
} label;

static int compare_values(const void *a, const void *b)
{
    const label *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Of equal values the first in the file comes first: qsort alone leaves open which. */
static int order_values(const void *a, const void *b)
{
    const label *x = a, *y = b;
    int order = compare_values(a, b);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const label *)a)->text, ((const label *)b)->text);
}

/*
 * The classes found in the file: distinct[k] is the text of class k. Returns their number. Sorts labels. Integers are those that a long
 * long holds; 1, 01 and +1 are one class, named as it is first written.
 */
static size_t find_classes(size_t n, label *labels, uint32_t *classes, const char **distinct)
{
    bool integers = true;
    for (size_t i = 0; integers && i < n; i++) {
        integers = bp_parse_integer(labels[i].text, &labels[i].value);
    }
    int (*compare)(const void *, const void *) = integers ? compare_values : compare_texts;
    qsort(labels, n, sizeof *labels, integers ? order_values : compare_texts);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || compare(&labels[i - 1], &labels[i]) != 0) {
            distinct[count++] = labels[i].text;
        }
        classes[labels[i].row] = (uint32_t)(count - 1);
    }
    return count;
}

/* Classes by the names that the caller gave. */
static void match_classes(bp_table *table, const label *labels, uint32_t *classes)
{
    const bp_csv_reader *reader = table->reader;
    for (size_t i = 0; i < table->n_rows; i++) {
        size_t k = 0;
        while (k < reader->n_class_names && strcmp(labels[i].text, reader->class_names[k]) != 0) {
            k++;
        }
        if (k == reader->n_class_names) {
            size_t row = i + 1 + (reader->header != BP_CSV_HEADER_NONE);
            bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: \"%.40s\" is none of the %zu class names", row,
                          table->class_column + 1, labels[i].text, reader->n_class_names);
            return;
        }
        classes[i] = (uint32_t)k;
    }
}

/* Finds each row's class and the classes' names, which point into the table or the reader; both arrays have room for all. */
static size_t classify(bp_table *table, uint32_t *classes, const char **names)
{
    label *labels = bp_allocate(table->n_rows, sizeof *labels);
    if (!labels) {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
        return 0;
    }
    const char *text = table->labels.bytes;
    for (size_t i = 0; i < table->n_rows; i++) {
        labels[i] = (label){.text = text, .row = i};
        text += strlen(text) + 1;
    }
    size_t n = table->reader->n_class_names;
    if (n) {
        match_classes(table, labels, classes);
        memcpy(names, table->reader->class_names, n * sizeof *names);
    } else {
        n = find_classes(table->n_rows, labels, classes, names);
    }
    free(labels);
    return n;
}

static void store(bp_dtype dtype, void *array, size_t index, double value)
{
    if (dtype == BP_F32) {
        ((float *)array)[index] = (float)value;
    } else {
        ((double *)array)[index] = value;
    }
}

enum { INPUT = -1, CLASS = -2 };

/* What each column is: INPUT, CLASS, or the index of a target. NULL without memory. */
static int64_t *column_roles(const bp_table *table)
{
    int64_t *roles = bp_allocate(table->n_columns, sizeof *roles);
    if (roles) {
        for (size_t j = 0; j < table->n_columns; j++) {
            roles[j] = j == table->class_column ? CLASS : INPUT;
        }
        for (size_t k = 0; k < table->reader->n_target_columns; k++) {
            roles[table->target_columns[k]] = (int64_t)k;
        }
    }
    return roles;
}

static void fill_numbers(const bp_table *table, const int64_t *roles, bp_dataset *dataset)
{
    const char *next = table->numbers.bytes;
    for (size_t i = 0; i < table->n_rows; i++) {
        size_t input = i * dataset->n_inputs;
        for (size_t j = 0; j < table->n_columns; j++) {
            if (roles[j] == CLASS) {
                continue;
            }
            double value;
            memcpy(&value, next, sizeof value);
            next += sizeof value;
            if (roles[j] == INPUT) {
                store(dataset->dtype, dataset->owned_inputs, input++, value);
            } else {
                store(dataset->dtype, dataset->owned_targets, i * dataset->n_outputs + (size_t)roles[j], value);
            }
        }
    }
}

/* The header's names of the input columns, in one block; NULL without memory. */
static char **input_names(const bp_table *table, const int64_t *roles, size_t n_inputs)
{
    const char **names = bp_allocate(n_inputs, sizeof *names);
    if (!names) {
        return NULL;
    }
    const char *text = table->names.bytes;
    size_t input = 0;
    for (size_t j = 0; j < table->n_columns; j++) {
        if (roles[j] == INPUT) {
            names[input++] = text;
        }
        text += strlen(text) + 1;
    }
    char **copy = bp_names_copy(n_inputs, names);
    free(names);
    return copy;
}

/* Allocates the dataset and fills it; NULL after a failure. */
static bp_dataset *assemble(bp_table *table, size_t n_classes, const uint32_t *classes, const char *const *class_names)
{
    const bp_csv_reader *reader = table->reader;
    size_t n_inputs = table->n_columns - reader->n_target_columns - reader->has_class_column;
    size_t n_outputs = reader->has_class_column ? (reader->one_hot ? n_classes : 1) : reader->n_target_columns;
    table->status = bp_dataset_check_sizes("bp_csv_reader_read", table->dtype, table->n_rows, n_inputs, n_outputs);
    if (table->status != BP_OK) {
        return NULL;
    }
    bp_dataset *made = bp_dataset_allocate(table->dtype, table->n_rows, n_inputs, n_outputs, n_classes);
    int64_t *roles = column_roles(table);
    bool ok = made && roles;
    if (ok) {
        fill_numbers(table, roles, made);
    }
    if (ok && n_classes) {
        memcpy(made->classes, classes, table->n_rows * sizeof *classes);
        bp_dataset_set_class_targets(made, reader->one_hot);
        made->class_names = bp_names_copy(n_classes, class_names);
        ok = made->class_names != NULL;
    }
    if (ok && table->n_header_columns) {
        made->input_names = input_names(table, roles, n_inputs);
        ok = made->input_names != NULL;
    }
    free(roles);
    if (!ok) {
        bp_dataset_destroy(made);
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    return made;
}

bp_status bp_table_to_dataset(bp_table *table, bp_dataset **dataset)
{
    if (table->status == BP_OK && table->n_rows == 0) {
        bp_table_fail(table, BP_ERROR_FORMAT, "there is no row of data");
    }
    if (table->status != BP_OK) {
        return table->status;
    }
    uint32_t *classes = NULL;
    const char **names = NULL;
    size_t n_classes = 0;
    if (table->reader->has_class_column) {
        size_t room = table->n_rows > table->reader->n_class_names ? table->n_rows : table->reader->n_class_names;
        classes = bp_allocate(table->n_rows, sizeof *classes);
        names = bp_allocate(room, sizeof *names);
        if (classes && names) {
            n_classes = classify(table, classes, names);
        } else {
            bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
        }
    }
    bp_dataset *made = table->status == BP_OK ? assemble(table, n_classes, classes, names) : NULL;
    free(classes);
    free(names);
    if (made) {
        *dataset = made;
    }
    return table->status;
}
