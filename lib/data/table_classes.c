/* Which classes a file has. */
#define _GNU_SOURCE /* locale_t */

#include "data/table_classes.h"

#include "core/memory.h"
#include "core/names.h"
#include "data/number.h"

#include <stdlib.h>
#include <string.h>

/* A class as text, and as a number where all classes are integers. */
typedef struct label {
    const char *text;
    long long value;
    size_t number; /* in the dictionary: in the order of the file */
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
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const label *)a)->text, ((const label *)b)->text);
}

static uint32_t number_at(const bp_table *table, size_t row)
{
    uint32_t number;
    memcpy(&number, table->classes.bytes + row * sizeof number, sizeof number);
    return number;
}

/*
 * The classes in order: class_of[number in the dictionary], and names. Returns how many. Integers are those that a long long holds; 1, 01
 * and +1 are one class, named as it is first written.
 */
static size_t order_classes(size_t n, label *labels, uint32_t *class_of, const char **names)
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
            names[count++] = labels[i].text;
        }
        class_of[labels[i].number] = (uint32_t)(count - 1);
    }
    return count;
}

/* The texts of rows that were kept. */
static size_t list_labels(const bp_table *table, const bp_dictionary *texts, label *labels, uint32_t *class_of)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        class_of[number_at(table, i)] = 1;
    }
    size_t n = 0;
    for (size_t k = 0; k < texts->n; k++) {
        if (class_of[k]) {
            labels[n++] = (label){.text = bp_dictionary_text(texts, k), .number = k};
        }
    }
    return n;
}

bool bp_table_classify(const bp_table *table, bp_classes *classes)
{
    size_t j = 0;
    while (table->columns[j].kind != BP_COLUMN_CLASS) {
        j++;
    }
    const bp_column *column = &table->columns[j];
    size_t n = column->texts->n;
    label *labels = bp_allocate(n, sizeof *labels);
    uint32_t *class_of = bp_allocate(n, sizeof *class_of);
    const char **names = bp_allocate(n, sizeof *names);
    *classes = (bp_classes){.of_rows = bp_allocate(table->n_rows, sizeof *classes->of_rows)};
    bool done = labels && class_of && names && classes->of_rows;
    if (done && column->knows_all) {
        for (size_t k = 0; k < n; k++) {
            class_of[k] = (uint32_t)k;
            names[k] = bp_dictionary_text(column->texts, k);
        }
        classes->n = n;
    } else if (done) {
        classes->n = order_classes(list_labels(table, column->texts, labels, class_of), labels, class_of, names);
    }
    for (size_t i = 0; done && i < table->n_rows; i++) {
        classes->of_rows[i] = class_of[number_at(table, i)];
    }
    classes->names = done ? bp_names_copy(classes->n, names) : NULL;
    if (!classes->names) {
        free(classes->of_rows);
        *classes = (bp_classes){0};
    }
    free(labels);
    free(class_of);
    free(names);
    return classes->names;
}
