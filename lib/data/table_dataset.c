/* From the cells of a table to a dataset. */
#define _GNU_SOURCE /* locale_t */

#include "core/handle.h"
#include "core/memory.h"
#include "core/names.h"
#include "core/status.h"
#include "data/dataset.h"
#include "data/table.h"
#include "data/table_classes.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double number_at(bp_dtype dtype, const void *array, size_t index)
{
    return dtype == BP_F32 ? (double)((const float *)array)[index] : ((const double *)array)[index];
}

static void put_number(bp_dtype dtype, void *array, size_t index, double value)
{
    if (dtype == BP_F32) {
        ((float *)array)[index] = (float)value;
    } else {
        ((double *)array)[index] = value;
    }
}

/* ---- which inputs the dataset has ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds a feature for each text that rows of the column have, in the order of their bytes; false without memory. */
static bool add_texts(const bp_table *table, size_t j, bp_buffer *features)
{
    const bp_column *column = &table->columns[j];
    const char **texts = bp_allocate(column->texts->n, sizeof *texts);
    bool *used = bp_allocate(column->texts->n, sizeof *used), done = texts && used;
    size_t n = 0;
    for (size_t i = 0; done && i < table->n_rows; i++) {
        double number = number_at(table->dtype, table->inputs.bytes, i * table->n_inputs + column->place);
        if (!isnan(number)) {
            used[(size_t)number] = true;
        }
    }
    for (size_t k = 0; done && k < column->texts->n; k++) {
        if (used[k]) {
            texts[n++] = bp_dictionary_text(column->texts, k);
        }
    }
    if (done) {
        qsort(texts, n, sizeof *texts, compare_texts);
    }
    for (size_t i = 0; done && i < n; i++) {
        const bp_feature feature = {.column = j, .text = bp_dictionary_find(column->texts, texts[i], strlen(texts[i]))};
        done = bp_buffer_append(features, &feature, sizeof feature);
    }
    free(texts);
    free(used);
    return done;
}

/* The features of a table whose reader has no names of inputs. */
static void find_features(bp_table *table)
{
    bp_buffer features = {0};
    bool done = true;
    for (size_t j = 0; j < table->n_columns && done; j++) {
        const bp_feature number = {.column = j, .text = BP_NO_TEXT};
        bp_column_kind kind = table->columns[j].kind;
        if (kind == BP_COLUMN_INPUT) {
            bp_stream_fail(table->stream, BP_ERROR_FORMAT, "column %zu has no value", j + 1);
        } else if (kind == BP_COLUMN_NUMBER) {
            done = bp_buffer_append(&features, &number, sizeof number);
        } else if (kind == BP_COLUMN_TEXT) {
            done = add_texts(table, j, &features);
        }
    }
    if (!done) {
        bp_stream_fail_memory(table->stream);
    }
    table->n_features = features.size / sizeof(bp_feature);
    table->features = bp_buffer_take(&features);
}

/* Every feature is a column, in the order of the file: the inputs are what the table has. */
static bool are_columns(const bp_table *table)
{
    bool same = table->n_features == table->n_inputs;
    for (size_t k = 0; k < table->n_features && same; k++) {
        same = table->features[k].text == BP_NO_TEXT && table->columns[table->features[k].column].place == k;
    }
    return same;
}

/* ---- its numbers ---- */

static double value_of(const bp_table *table, const bp_feature *feature, size_t row)
{
    double number = number_at(table->dtype, table->inputs.bytes, row * table->n_inputs + table->columns[feature->column].place);
    return feature->text == BP_NO_TEXT || isnan(number) ? number : number == (double)feature->text;
}

static void *make_inputs(bp_table *table)
{
    if (are_columns(table)) {
        return bp_buffer_take(&table->inputs);
    }
    void *inputs = bp_allocate(table->n_rows * table->n_features, bp_dtype_size(table->dtype));
    for (size_t i = 0; inputs && i < table->n_rows; i++) {
        for (size_t k = 0; k < table->n_features; k++) {
            put_number(table->dtype, inputs, i * table->n_features + k, value_of(table, &table->features[k], i));
        }
    }
    return inputs;
}

/* The means of what is not missing; false without memory. */
static bool find_means(const bp_table *table, const void *inputs, double *means)
{
    size_t n = table->n_features, *counts = bp_allocate(n, sizeof *counts);
    for (size_t i = 0; counts && i < table->n_rows; i++) {
        for (size_t k = 0; k < n; k++) {
            double value = number_at(table->dtype, inputs, i * n + k);
            if (!isnan(value)) {
                counts[k]++;
                means[k] += (value - means[k]) / (double)counts[k];
            }
        }
    }
    free(counts);
    return counts;
}

/* Puts means in the place of missing values; NULL without memory. */
static double *fill_missing(const bp_table *table, void *inputs)
{
    size_t n = table->n_features;
    double *means = bp_allocate(n, sizeof *means);
    bool done = means;
    if (means && table->reader->input_means) {
        memcpy(means, table->reader->input_means, n * sizeof *means);
    } else if (means) {
        done = find_means(table, inputs, means);
    }
    for (size_t i = 0; done && table->has_missing && i < table->n_rows * n; i++) {
        if (isnan(number_at(table->dtype, inputs, i))) {
            put_number(table->dtype, inputs, i, means[i % n]);
        }
    }
    if (!done) {
        free(means);
    }
    return done ? means : NULL;
}

/* The names of the features, in one block; NULL without memory. */
static char **feature_names(const bp_table *table)
{
    bp_buffer texts = {0};
    const char **names = bp_allocate(table->n_features, sizeof *names);
    bool done = names;
    char number[24];
    const char *name = table->names.bytes;
    size_t of = 0; /* the column whose name this is */
    for (size_t k = 0; k < table->n_features && done; k++) {
        const bp_feature *feature = &table->features[k];
        for (; table->n_header_columns && of < feature->column; of++) {
            name += strlen(name) + 1;
        }
        if (!table->n_header_columns) {
            snprintf(number, sizeof number, "%zu", feature->column + 1);
            name = number;
        }
        done = bp_buffer_append(&texts, name, strlen(name));
        if (feature->text != BP_NO_TEXT) {
            const char *text = bp_dictionary_text(table->columns[feature->column].texts, feature->text);
            done = done && bp_buffer_append(&texts, "=", 1) && bp_buffer_append(&texts, text, strlen(text));
        }
        done = done && bp_buffer_append(&texts, "", 1);
    }
    const char *at = texts.bytes;
    for (size_t k = 0; k < table->n_features && done; k++) {
        names[k] = at;
        at += strlen(at) + 1;
    }
    char **copy = done ? bp_names_copy(table->n_features, names) : NULL;
    free(texts.bytes);
    free(names);
    return copy;
}

/* ---- all of it ---- */

/* Fills what is not of classes; false without memory. */
static bool fill(bp_table *table, bp_dataset *made)
{
    const bp_csv_reader *reader = table->reader;
    bool named = reader->n_input_names > 0, columns = are_columns(table);
    if (named) {
        made->input_names = bp_names_copy(reader->n_input_names, (const char *const *)reader->input_names);
    } else if (table->n_header_columns || !columns) {
        made->input_names = feature_names(table);
    }
    if (!made->input_names && (named || table->n_header_columns || !columns)) {
        return false;
    }
    made->inputs = made->owned_inputs = make_inputs(table);
    if (made->inputs && reader->missing == BP_CSV_MISSING_MEAN && (!named || reader->input_means)) {
        made->input_means = fill_missing(table, made->owned_inputs);
        return made->input_means;
    }
    return made->inputs;
}

/* Gives the dataset its targets; false without memory. */
static bool fill_targets(bp_table *table, bp_classes *classes, bp_dataset *made)
{
    if (!table->has_class) {
        made->targets = made->owned_targets = bp_buffer_take(&table->targets);
        return true;
    }
    made->class_names = classes->names;
    made->classes = classes->of_rows;
    *classes = (bp_classes){0};
    made->targets = made->owned_targets = bp_allocate(made->n_samples * made->n_outputs, bp_dtype_size(made->dtype));
    if (made->targets) {
        bp_dataset_set_class_targets(made, table->reader->one_hot);
    }
    return made->targets;
}

/* Each class or text of a small file can make a number of each of its rows: the square of their count. */
static bool check_one_hot(bp_table *table, size_t n_outputs)
{
    static const uint64_t free_bytes = UINT64_C(1) << 30, largest_ratio = 100;
    bp_stream *stream = table->stream;
    uint64_t of_file = stream->is_packed ? stream->n_unpacked : stream->size;
    uint64_t bytes = (uint64_t)table->n_rows * (table->n_features + n_outputs) * bp_dtype_size(table->dtype);
    if (bytes <= free_bytes || bytes / largest_ratio <= of_file) {
        return true;
    }
    bp_stream_fail(
        stream, BP_ERROR_FORMAT,
        "with a number for each class or text, %zu rows of %zu inputs and %zu targets are %ju MiB, which is more than %u MiB, and "
        "more than %u times the file's bytes",
        table->n_rows, table->n_features, n_outputs, (uintmax_t)(bytes >> 20), (unsigned)(free_bytes >> 20), (unsigned)largest_ratio);
    return false;
}

static void assemble(bp_table *table, bp_classes *classes, bp_dataset **dataset)
{
    bp_stream *stream = table->stream;
    size_t n_outputs = !table->has_class ? table->n_targets : table->reader->one_hot ? classes->n : 1;
    if (bp_dataset_check_sizes(stream->function, table->dtype, table->n_rows, table->n_features, n_outputs) != BP_OK) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "%zu rows with %zu inputs and %zu targets are more than a dataset can have", table->n_rows,
                       table->n_features, n_outputs);
        return;
    }
    if (!check_one_hot(table, n_outputs)) {
        return;
    }
    bp_dataset *made = calloc(1, sizeof *made);
    if (made) {
        *made = (bp_dataset){.handle = BP_HANDLE_DATASET,
                             .dtype = table->dtype,
                             .n_samples = table->n_rows,
                             .n_inputs = table->n_features,
                             .n_outputs = n_outputs,
                             .n_classes = classes->n};
    }
    if (!made || !fill(table, made) || !fill_targets(table, classes, made)) {
        bp_dataset_destroy(made);
        bp_stream_fail_memory(stream);
        return;
    }
    *dataset = made;
}

bp_status bp_table_to_dataset(bp_table *table, bp_dataset **dataset)
{
    bp_stream *stream = table->stream;
    if (table->n_rows == 0) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "there is no row of data%s", table->has_dropped ? " without missing values" : "");
    }
    if (stream->status == BP_OK && !table->features) {
        find_features(table);
    }
    bp_classes classes = {0};
    if (stream->status == BP_OK && table->has_class && !bp_table_classify(table, &classes)) {
        bp_stream_fail_memory(stream);
    }
    if (stream->status == BP_OK) {
        assemble(table, &classes, dataset);
    }
    free(classes.names);
    free(classes.of_rows);
    return stream->status;
}
