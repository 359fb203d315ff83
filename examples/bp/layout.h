/* What the first rows of a CSV file say about it. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "source.h"

typedef struct layout {
    char delimiter;
    bp_csv_header header;
    bool has_counts;  /* the first row is "150,4,setosa,versicolor,virginica", as scikit-learn writes its sets: samples, inputs, classes */
    size_t n_fields;  /* of the first row */
    size_t n_columns; /* of the second row, or else of the first */
    const char **fields;
    const char *const *data; /* the fields of the first row of data; NULL without one */
    char *text;              /* that fields and data point into */
} layout;

/* header: what the caller knows of it, or NULL. False with a sentence on stderr; to be released also then. */
bool layout_find(layout *l, const source *s, const bp_csv_header *header);
void layout_release(layout *l);

/*
 * The column of a name in the header, or of a number from 1, or from −1 backwards, as calls count it: from 0, or from −1. False if there is
 * none, with a sentence on stderr that begins with what.
 */
bool layout_find_column(const layout *l, const source *s, const char *what, const char *name, int *column);

/* Names the column for metadata: by the header, or by its number from 1. buffer has room for a number. */
const char *layout_column_name(const layout *l, int column, char *buffer, size_t size);

/* A number, written as the library reads it; or with a comma for its point, so that the library takes it for text. */
bool is_number(const char *text);
bool has_decimal_comma(const char *text);

#endif
