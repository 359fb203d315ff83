#ifndef BP_DATA_TABLE_CLASSES_H
#define BP_DATA_TABLE_CLASSES_H

#include "data/table.h"

/* The classes of a file; both arrays are ended by free. */
typedef struct bp_classes {
    size_t n;
    char **names;
    uint32_t *of_rows;
} bp_classes;

/* Finds them in a table that has a column of classes; false without memory. */
bool bp_table_classify(const bp_table *table, bp_classes *classes);

#endif
