/* A file as samples to learn from, with what a net is to know of it. */
#ifndef TABLE_H
#define TABLE_H

#include "layout.h"
#include "options.h"

typedef struct table {
    bp_dataset *samples;
    layout layout;
    char *target;             /* the target's column by name or number; NULL where it has none */
    const char **input_names; /* of each input; NULL where the file has no columns */
    const char **class_names; /* of each class; NULL without classes */
    char *texts;              /* that input_names may point into */
} table;

/*
 * Reads o->data, and settles in *o what the target is if the command line has not. False with a sentence on stderr and *exit_status if that
 * fails; to be destroyed also then.
 */
bool table_read(options *o, table *t, int *exit_status);

void table_destroy(table *t);

/* Tells a net trained on the table the names that make it usable without the table. */
bp_status table_name_net(const options *o, const table *t, bp_net *net);

#endif
