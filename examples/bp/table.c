#include "table.h"

#include "command.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES_OF_NUMBERS = 30, NUMBER_LENGTH = 24 };

/* ---- what the target is ---- */

/* Whole numbers, of which there are few: they may be numbers of classes. */
static bool look_like_classes(const bp_dataset *samples)
{
    const float *targets;
    size_t n = bp_dataset_sample_count(samples), n_different = 0;
    float different[MOST_CLASSES_OF_NUMBERS];
    if (bp_dataset_targets_f32(samples, &targets) != BP_OK) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n_different && different[k] != targets[i]) {
            k++;
        }
        if (k == n_different && (targets[i] != floorf(targets[i]) || n_different == MOST_CLASSES_OF_NUMBERS)) {
            return false;
        }
        if (k == n_different) {
            different[n_different++] = targets[i];
        }
    }
    return n_different <= n / 2;
}

static bp_status read_target(const source *s, bp_csv_reader *reader, int column, bool is_class, table *t)
{
    bp_status status = is_class ? bp_csv_reader_set_class_column(reader, column) : bp_csv_reader_set_target_columns(reader, 1, &column);
    return status == BP_OK ? source_read_csv(s, reader, BP_F32, &t->samples) : status;
}

/* Where neither --classes nor --regress says it, the values do. */
static bp_status read_with_target(options *o, const source *s, const layout *l, bp_csv_reader *reader, int column, table *t)
{
    size_t index = column < 0 ? l->n_columns - (size_t)-column : (size_t)column;
    bool is_counted = l->has_counts && index + 1 == l->n_columns;
    bool may_be_number = l->data && index < l->n_columns && is_number(l->data[index]);
    if (!o->regress && !o->classes && may_be_number && !is_counted) {
        bp_status status = read_target(s, reader, column, false, t);
        o->regress = status == BP_OK && !look_like_classes(t->samples);
        if (o->regress) {
            return status;
        }
        bp_dataset_destroy(t->samples);
        t->samples = NULL;
    }
    return read_target(s, reader, column, !o->regress, t);
}

/* ---- names ---- */

/* Names of the inputs, and where a header has none the numbers of their columns; false without memory. */
static bool name_inputs(table *t, int column, size_t n_columns)
{
    size_t n = bp_dataset_input_count(t->samples), target = column < 0 ? n_columns - (size_t)-column : (size_t)column;
    t->input_names = calloc(n, sizeof *t->input_names);
    t->texts = calloc(n, NUMBER_LENGTH);
    for (size_t i = 0; t->input_names && t->texts && i < n; i++) {
        char *number = t->texts + i * NUMBER_LENGTH;
        snprintf(number, NUMBER_LENGTH, "%zu", i + 1 + (i >= target));
        t->input_names[i] = bp_dataset_input_name(t->samples, i) ? bp_dataset_input_name(t->samples, i) : number;
    }
    return t->input_names && t->texts;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A net is not to be fed by names that two columns have. */
static bool check_names(const source *s, const table *t)
{
    size_t n = bp_dataset_input_count(t->samples);
    const char **sorted = malloc(n * sizeof *sorted);
    const char *twice = NULL;
    if (!sorted) {
        complain_of(BP_ERROR_MEMORY);
        return false;
    }
    memcpy(sorted, t->input_names, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_names);
    for (size_t i = 1; i < n && !twice; i++) {
        twice = strcmp(sorted[i - 1], sorted[i]) == 0 ? sorted[i] : NULL;
    }
    free(sorted);
    if (twice) {
        complain("%s: two inputs have the name \"%s\"; with --header skip columns have their numbers as names", s->path, twice);
    }
    return !twice;
}

/* The layout is kept as long as the names that it has. */
static bool name_classes(table *t, int column)
{
    const layout *l = &t->layout;
    size_t n = bp_dataset_class_count(t->samples);
    bool is_last = column == -1 || (size_t)column + 1 == l->n_columns;
    t->class_names = n ? calloc(n, sizeof *t->class_names) : NULL;
    for (size_t k = 0; t->class_names && k < n; k++) {
        bool is_counted = l->has_counts && is_last && n == l->n_fields - 2;
        t->class_names[k] = is_counted ? l->fields[2 + k] : bp_dataset_class_name(t->samples, k);
    }
    return n == 0 || t->class_names;
}

/* ---- the file ---- */

static bp_status configure(const options *o, const layout *l, bp_csv_reader *reader)
{
    bp_status status = bp_csv_reader_set_delimiter(reader, l->delimiter);
    if (status == BP_OK) {
        status = bp_csv_reader_set_header(reader, l->header);
    }
    if (status == BP_OK) {
        status = bp_csv_reader_set_missing(reader, o->missing);
    }
    return status == BP_OK ? bp_csv_reader_set_one_hot_inputs(reader, 1) : status;
}

/* Text is welcome in a column of inputs, but this is none. */
static bool check_numbers(const source *s, const layout *l)
{
    for (size_t i = 0; l->data && i < l->n_columns; i++) {
        if (has_decimal_comma(l->data[i])) {
            complain("%s: column %zu has \"%s\"; numbers are to have a decimal point", s->path, i + 1, l->data[i]);
            return false;
        }
    }
    return true;
}

static bool read_csv(options *o, const source *s, table *t, int *exit_status)
{
    int column = -1;
    char number[NUMBER_LENGTH];
    if (!layout_find(&t->layout, s, o->has_header ? &o->header : NULL) || !check_numbers(s, &t->layout)) {
        return false;
    }
    const layout *l = &t->layout;
    if (l->n_fields && !layout_find_column(l, s, "--target", o->target, &column)) {
        *exit_status = STATUS_USAGE;
        return false;
    }
    bp_csv_reader *reader = NULL;
    bp_status status = bp_csv_reader_create(&reader);
    if (status == BP_OK) {
        status = configure(o, l, reader);
    }
    if (status == BP_OK) {
        status = read_with_target(o, s, l, reader, column, t);
    }
    bp_csv_reader_destroy(reader);
    if (status == BP_OK) {
        t->target = strdup(layout_column_name(l, column, number, sizeof number));
        status = t->target && name_inputs(t, column, l->n_columns) && name_classes(t, column) ? BP_OK : BP_ERROR_MEMORY;
    }
    if (status != BP_OK) {
        complain_of(status);
    }
    return status == BP_OK && check_names(s, t);
}

/* Samples whose targets are in the file, or in another one, and are what they are. */
static bool read_arrays(options *o, const source *s, table *t, int *exit_status)
{
    if (o->targets && s->bytes) {
        complain("--targets goes with a file, not with a stream");
        *exit_status = STATUS_USAGE;
        return false;
    }
    bp_status status = o->targets ? bp_dataset_read_pair(&t->samples, s->path, o->targets, BP_F32, 0) : source_read(s, BP_F32, &t->samples);
    if (status != BP_OK) {
        complain_of(status);
        return false;
    }
    bool has_classes = bp_dataset_class_count(t->samples) > 0;
    if (bp_dataset_output_count(t->samples) == 0) {
        complain("%s has inputs only; --targets FILE has what belongs to them", s->path);
    } else if (has_classes ? o->regress : o->classes) {
        complain("the targets are %s", has_classes ? "whole numbers, which are classes" : "numbers, and no classes");
    } else if (!name_classes(t, -1)) {
        complain_of(BP_ERROR_MEMORY);
    } else {
        o->regress = !has_classes;
        return true;
    }
    return false;
}

/* Classes of which there is one, or nearly as many as samples, and metrics that the target has not. */
static bool check(const options *o, const table *t, int *exit_status)
{
    size_t n_classes = bp_dataset_class_count(t->samples), n = bp_dataset_sample_count(t->samples);
    bool wants_classes = !isnan(o->required[BP_METRIC_ACCURACY]) || !isnan(o->required[BP_METRIC_TOP_K]);
    if (n_classes == 1) {
        complain("the target has the same class in all samples; there is nothing to learn");
        return false;
    }
    if (n_classes > n / 4 && n_classes > 2) {
        complain("the target has %zu classes in %zu samples; if it is a number, --regress is for it", n_classes, n);
    }
    if (wants_classes && o->regress) {
        complain("--require has a metric of classes, and the target is a number");
        *exit_status = STATUS_USAGE;
        return false;
    }
    return true;
}

bool table_read(options *o, table *t, int *exit_status)
{
    source s;
    *exit_status = STATUS_FAILURE;
    bool done = source_open(&s, o->data);
    bool is_csv = done && source_is_csv(&s) && !o->targets;
    done = done && (is_csv ? read_csv(o, &s, t, exit_status) : read_arrays(o, &s, t, exit_status)) && check(o, t, exit_status);
    source_close(&s);
    return done;
}

void table_destroy(table *t)
{
    bp_dataset_destroy(t->samples);
    layout_release(&t->layout);
    free(t->class_names);
    free(t->input_names);
    free(t->texts);
    free(t->target);
}

bp_status table_name_net(const options *o, const table *t, bp_net *net)
{
    bp_status status = t->input_names ? bp_net_set_input_names(net, t->input_names) : BP_OK;
    if (status == BP_OK && t->class_names) {
        status = bp_net_set_class_names(net, bp_dataset_class_count(t->samples), t->class_names);
    }
    if (status == BP_OK && t->target) {
        status = bp_net_set_metadata(net, "target", t->target);
    }
    if (status == BP_OK) {
        status = bp_net_set_metadata(net, "input_scaling", bp_scaling_name(o->scaling));
    }
    return status == BP_OK ? bp_net_set_metadata(net, "missing", bp_csv_missing_name(o->missing)) : status;
}
