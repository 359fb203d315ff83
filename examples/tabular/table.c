#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_ROW_SIZE = 1 << 20 };

/* ---- the first row ---- */

/* The separator that the row has most of. */
static char find_delimiter(const char *row)
{
    static const char candidates[] = ",;\t";
    size_t most = 0;
    char best = ',';
    for (const char *c = candidates; *c; c++) {
        size_t count = 0;
        for (const char *at = row; (at = strchr(at, *c)); at++) {
            count++;
        }
        if (count > most) {
            most = count;
            best = *c;
        }
    }
    return best;
}

/* Cuts the row into t->fields, without spaces and quotes around them. */
static bool split_fields(table *t, char delimiter)
{
    char *at = t->first_row;
    t->fields = calloc(strlen(at) + 1, sizeof *t->fields);
    if (!t->fields) {
        return false;
    }
    for (bool more = true; more;) {
        at += strspn(at, " ");
        bool quoted = *at == '"';
        char *field = at + quoted, *end = field;
        while (*end && (quoted ? *end != '"' : *end != delimiter)) {
            end++;
        }
        at = end + strcspn(end, (char[]){delimiter, '\0'});
        more = *at == delimiter;
        *at++ = '\0';
        while (!quoted && end > field && end[-1] == ' ') {
            end--;
        }
        *end = '\0';
        t->fields[t->n_fields++] = field;
    }
    return true;
}

/* Reads the row and cuts it; a file that cannot be read has no field, and the reader will say why. */
static bool read_first_row(const char *path, table *t, char *delimiter)
{
    gzFile file = gzopen(path, "rb");
    t->first_row = malloc(FIRST_ROW_SIZE);
    bool is_there = t->first_row && file && gzgets(file, t->first_row, FIRST_ROW_SIZE);
    if (file) {
        gzclose(file);
    }
    *delimiter = ',';
    if (!is_there) {
        return t->first_row;
    }
    t->first_row[strcspn(t->first_row, "\r\n")] = '\0';
    *delimiter = find_delimiter(t->first_row);
    return split_fields(t, *delimiter);
}

static bool is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end != text && *end == '\0';
}

/* "150,4,setosa,versicolor,virginica": samples, inputs and the names of the classes, as scikit-learn writes its sets. */
static bool names_classes(const table *t)
{
    bool done = t->n_fields >= 4 && is_number(t->fields[0]) && is_number(t->fields[1]);
    for (size_t i = 2; done && i < t->n_fields; i++) {
        done = !is_number(t->fields[i]);
    }
    return done;
}

/* ---- the target ---- */

/* The target's column, by name if there is a header, else by number; false if it is neither. */
static bool find_target(const options *o, const table *t, bp_csv_header header, int *column)
{
    char *end;
    for (size_t i = 0; header == BP_CSV_HEADER_NAMES && i < t->n_fields; i++) {
        if (strcmp(t->fields[i], o->target) == 0) {
            *column = (int)i;
            return true;
        }
    }
    long number = strtol(o->target, &end, 10);
    *column = (int)(number > 0 ? number - 1 : number);
    return end != o->target && *end == '\0' && number != 0 && number <= 1 << 30 && number >= -(1 << 30);
}

/* Text where no target is makes a header. */
static bp_csv_header find_header(const options *o, const table *t)
{
    long target = strtol(o->target, NULL, 10);
    size_t column = target > 0 ? (size_t)target - 1 : t->n_fields - (size_t)-target;
    for (size_t i = 0; i < t->n_fields; i++) {
        if (!is_number(t->fields[i]) && (o->regress || target == 0 || i != column)) {
            return BP_CSV_HEADER_NAMES;
        }
    }
    return BP_CSV_HEADER_NONE;
}

/* ---- the file ---- */

static bp_status read_samples(const options *o, table *t, char delimiter, bp_csv_header header, int column)
{
    bp_csv_reader *reader = NULL;
    bp_status status = bp_csv_reader_create(&reader);
    if (status == BP_OK) {
        status = bp_csv_reader_set_delimiter(reader, delimiter);
    }
    if (status == BP_OK) {
        status = bp_csv_reader_set_header(reader, header);
    }
    if (status == BP_OK) {
        status = o->regress ? bp_csv_reader_set_target_columns(reader, 1, &column) : bp_csv_reader_set_class_column(reader, column);
    }
    if (status == BP_OK) {
        status = bp_csv_reader_read(reader, BP_F32, o->data, &t->samples);
    }
    bp_csv_reader_destroy(reader);
    return status;
}

/* Whether the counts in the first row are those of the samples. */
static bool counts_are_right(const table *t)
{
    return strtod(t->fields[0], NULL) == (double)bp_dataset_sample_count(t->samples) &&
           strtod(t->fields[1], NULL) == (double)bp_dataset_input_count(t->samples);
}

/* Reads a file whose first row may have counts and class names instead of columns' names; *done if it does. */
static bp_status read_counted(const options *o, table *t, char delimiter, bool *done)
{
    int column;
    bp_status status = BP_OK;
    *done = names_classes(t) && find_target(o, t, BP_CSV_HEADER_SKIP, &column);
    if (*done) {
        status = read_samples(o, t, delimiter, BP_CSV_HEADER_SKIP, column);
    }
    if (*done && status == BP_OK && !counts_are_right(t)) {
        bp_dataset_destroy(t->samples);
        t->samples = NULL;
        *done = false;
    }
    if (*done && status == BP_OK && bp_dataset_class_count(t->samples) == t->n_fields - 2) {
        t->first_class = 2;
    }
    return status;
}

/* That the file has the column, whose number is as the reader takes it. */
static bool check_target(const options *o, const table *t, int column)
{
    size_t n = t->n_fields;
    if (column >= 0 ? (size_t)column < n : (size_t)-column <= n) {
        return true;
    }
    fprintf(stderr, "tabular: --target is %s; %s has %zu columns\n", o->target, o->data, n);
    return false;
}

bool table_read(const options *o, table *t, int *exit_status)
{
    char delimiter;
    int column = -1;
    bool done;
    *exit_status = 1;
    if (!read_first_row(o->data, t, &delimiter)) {
        fputs("tabular: out of memory\n", stderr);
        return false;
    }
    bp_status status = read_counted(o, t, delimiter, &done);
    if (!done) {
        bp_csv_header header = find_header(o, t);
        if (t->n_fields && !find_target(o, t, header, &column)) {
            fprintf(stderr,
                    "tabular: --target is \"%s\"; it can be a column's number, from 1 or from -1, or its name in the header of %s\n",
                    o->target, o->data);
            *exit_status = 2;
            return false;
        }
        if (t->n_fields && !check_target(o, t, column)) {
            *exit_status = 2;
            return false;
        }
        status = read_samples(o, t, delimiter, header, column);
        if (status == BP_OK && header == BP_CSV_HEADER_NAMES) {
            t->target_name = t->fields[column < 0 ? (size_t)((int)t->n_fields + column) : (size_t)column];
        }
    }
    if (status != BP_OK) {
        fprintf(stderr, "tabular: %s\n", bp_last_error());
        return false;
    }
    size_t n_classes = bp_dataset_class_count(t->samples), n = bp_dataset_sample_count(t->samples);
    if (n_classes > n / 4) {
        fprintf(stderr, "tabular: the target has %zu classes in %zu samples; if it is a number, --regress is for it\n", n_classes, n);
    }
    return true;
}

const char *table_class_name(const table *t, size_t index)
{
    const char *name = t->first_class ? t->fields[t->first_class + index] : bp_dataset_class_name(t->samples, index);
    return name ? name : "?";
}

void table_destroy(table *t)
{
    bp_dataset_destroy(t->samples);
    free(t->fields);
    free(t->first_row);
}
