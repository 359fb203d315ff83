/* Datasets from files of any kind. */
#include "bp/dataset_file.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/names.h"
#include "core/status.h"
#include "data/array_file.h"
#include "data/csv_reader.h"
#include "data/dataset.h"
#include "data/fann_data.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_CLASSES = 65536 };

static bool is_array(const bp_stream *stream)
{
    const unsigned char *bytes = stream->buffer + stream->at;
    size_t n = stream->end - stream->at;
    return bp_is_npy(bytes, n) || bp_is_idx(bytes, n);
}

/* A dataset whose inputs are the stream's array, without targets. */
static bp_status read_array(bp_stream *stream, bp_dtype dtype, bp_dataset **dataset)
{
    bp_array_header header = {0};
    bp_file_rows rows;
    if (bp_array_read(stream, &header, &rows) != BP_OK) {
        return stream->status;
    }
    if (bp_dataset_check_sizes(stream->function, dtype, header.n, header.width, 0) != BP_OK) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "it has %zu samples of %zu numbers, which no dataset can have", header.n, header.width);
    }
    bp_dataset *made = stream->status == BP_OK ? calloc(1, sizeof *made) : NULL;
    if (!made) {
        bp_storage_release(rows.storage);
        return bp_stream_fail_memory(stream);
    }
    *made = (bp_dataset){.handle = BP_HANDLE_DATASET, .dtype = dtype, .n_samples = header.n, .n_inputs = header.width, .input_rows = rows};
    *dataset = made;
    return BP_OK;
}

static bp_status read_stream(bp_stream *stream, bp_dtype dtype, bp_dataset **dataset)
{
    if (is_array(stream)) {
        return read_array(stream, dtype, dataset);
    }
    if (bp_is_fann_data(stream->buffer + stream->at, stream->end - stream->at)) {
        return bp_fann_data_read(stream, dtype, dataset);
    }
    bp_csv_reader reader = BP_CSV_READER_INITIAL;
    return bp_csv_read_stream(&reader, stream, dtype, dataset);
}

static bp_status check(const char *function, bp_dataset **dataset, const char *what, const void *argument, bp_dtype dtype)
{
    if (!dataset || !argument) {
        return bp_fail_null(function, dataset ? what : "dataset");
    }
    return bp_dtype_name(dtype) ? BP_OK : bp_fail_enum(function, "dtype", (int)dtype);
}

bp_status bp_dataset_read(bp_dataset **dataset, const char *path, bp_dtype dtype)
{
    bp_status status = check(__func__, dataset, "path", path, dtype);
    if (status != BP_OK) {
        return status;
    }
    bp_stream stream;
    status = bp_stream_open(&stream, __func__, path);
    if (status == BP_OK) {
        status = read_stream(&stream, dtype, dataset);
    }
    bp_stream_release(&stream);
    return status;
}

bp_status bp_dataset_read_memory(bp_dataset **dataset, const void *bytes, size_t size, bp_dtype dtype)
{
    bp_status status = check(__func__, dataset, "bytes", bytes, dtype);
    if (status != BP_OK) {
        return status;
    }
    bp_stream stream;
    status = bp_stream_open_memory(&stream, __func__, bytes, size);
    if (status == BP_OK) {
        status = read_stream(&stream, dtype, dataset);
    }
    bp_stream_release(&stream);
    return status;
}

/* The classes' numbers as their names; NULL without memory. */
static char **number_names(size_t n)
{
    enum { LENGTH = 8 };
    char *texts = bp_allocate(n, LENGTH);
    const char **names = bp_allocate(n, sizeof *names);
    char **copy = NULL;
    if (texts && names) {
        for (size_t k = 0; k < n; k++) {
            snprintf(texts + k * LENGTH, LENGTH, "%u", (unsigned)k);
            names[k] = texts + k * LENGTH;
        }
        copy = bp_names_copy(n, names);
    }
    free(texts);
    free(names);
    return copy;
}

static void take_classes(bp_stream *stream, const bp_file_rows *rows, size_t n_classes, bp_dataset *made)
{
    int64_t limit = n_classes ? (int64_t)n_classes : MAX_CLASSES, largest = 0;
    size_t size = bp_element_size(rows->element);
    made->classes = bp_allocate(made->n_samples, sizeof *made->classes);
    if (!made->classes) {
        bp_stream_fail_memory(stream);
        return;
    }
    for (size_t i = 0; i < made->n_samples; i++) {
        int64_t class = bp_element_integer(rows->element, rows->swapped, rows->first + i * size);
        if (class < 0 || class >= limit) {
            bp_stream_fail(stream, BP_ERROR_FORMAT, "the class in row %zu (counted from 0) is %lld; it can be 0 to %lld", i,
                           (long long)class, (long long)limit - 1);
            return;
        }
        largest = class > largest ? class : largest;
        made->classes[i] = (uint32_t) class;
    }
    made->n_classes = n_classes ? n_classes : (size_t)largest + 1;
    made->n_outputs = made->n_classes;
    made->class_names = number_names(made->n_classes);
    if (!made->class_names) {
        bp_stream_fail_memory(stream);
    }
}

/* Gives a dataset of inputs the targets of this array. */
static void take_targets(bp_stream *stream, const bp_array_header *header, bp_file_rows *rows, size_t n_classes, bp_dataset *made)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the stream of the inputs has not failed */
    if (header->n != made->n_samples) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "it has the targets of %zu samples, but there are the inputs of %zu", header->n,
                       made->n_samples);
    } else if (header->width == 1 && !bp_element_is_float(rows->element)) {
        take_classes(stream, rows, n_classes, made);
    } else {
        made->n_outputs = header->width;
        made->target_rows = *rows;
        rows->storage = NULL;
    }
    if (stream->status == BP_OK &&
        bp_dataset_check_sizes(stream->function, made->dtype, made->n_samples, made->n_inputs, made->n_outputs) != BP_OK) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "it has %zu targets a sample, which no dataset can have", made->n_outputs);
    }
}

static bp_status open_array(bp_stream *stream, const char *function, const char *path)
{
    if (bp_stream_open(stream, function, path) == BP_OK && !is_array(stream)) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "it is neither an IDX nor an NPY file");
    }
    return stream->status;
}

static bp_status read_targets(const char *function, const char *path, size_t n_classes, bp_dataset *made)
{
    bp_stream stream;
    bp_array_header header = {0};
    bp_file_rows rows = {0};
    if (open_array(&stream, function, path) == BP_OK && bp_array_read(&stream, &header, &rows) == BP_OK) {
        take_targets(&stream, &header, &rows, n_classes, made);
    }
    bp_storage_release(rows.storage);
    bp_stream_release(&stream);
    return stream.status;
}

bp_status bp_dataset_read_pair(bp_dataset **dataset, const char *inputs_path, const char *targets_path, bp_dtype dtype, size_t n_classes)
{
    bp_status status = check(__func__, dataset, "inputs_path", inputs_path, dtype);
    if (status == BP_OK && !targets_path) {
        status = bp_fail_null(__func__, "targets_path");
    }
    if (status == BP_OK && n_classes > MAX_CLASSES) {
        status = bp_fail(BP_ERROR_ARGUMENT, "%s: n_classes is %zu; it can be 0 to %d", __func__, n_classes, MAX_CLASSES);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_stream stream;
    bp_dataset *made = NULL;
    status = open_array(&stream, __func__, inputs_path);
    if (status == BP_OK) {
        status = read_array(&stream, dtype, &made);
    }
    bp_stream_release(&stream);
    if (status == BP_OK) {
        status = read_targets(__func__, targets_path, n_classes, made);
    }
    if (status != BP_OK) {
        bp_dataset_destroy(made);
        return status;
    }
    *dataset = made;
    return BP_OK;
}
