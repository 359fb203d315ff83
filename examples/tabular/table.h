/* A CSV file as a dataset, with what its first row says. */
#ifndef TABLE_H
#define TABLE_H

#include "options.h"

typedef struct table {
    bp_dataset *samples;
    char *first_row; /* the texts that the next three point into */
    size_t n_fields; /* of the first row */
    const char **fields;
    const char *target_name; /* NULL: none */
    size_t first_class;      /* the field that names class 0; 0: the dataset has the names */
} table;

/* Reads o->data; false with a sentence on stderr and *exit_status if that fails. */
bool table_read(const options *o, table *t, int *exit_status);

/* The name of a class; never NULL. */
const char *table_class_name(const table *t, size_t index);

void table_destroy(table *t);

#endif
