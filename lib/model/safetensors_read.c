/* The bytes of a safetensors file into tensors. Nothing in them is believed: each length, offset and shape is checked before it is used. */
#define _GNU_SOURCE /* memmem */

#include "core/file.h"
#include "core/memory.h"
#include "core/status.h"
#include "model/tensors.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct reader {
    const char *function, *path;
    const unsigned char *header; /* the JSON text */
    size_t header_size;
    const unsigned char *data;
    size_t data_size;
    bool checksum_required;
    bp_tensors *tensors; /* what is made */
} reader;

BP_PRINTF(2, 3)
static bp_status fail(const reader *r, const char *format, ...)
{
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return bp_fail(BP_ERROR_FORMAT, "%s: %.150s: %s", r->function, r->path, text);
}

static bp_status fail_memory(const reader *r)
{
    return bp_fail(BP_ERROR_MEMORY, "%s: %.150s: out of memory", r->function, r->path);
}

/* Where the header and the data lie. */
static bp_status split(reader *r, const unsigned char *bytes, size_t size)
{
    if (size < BP_TENSORS_LENGTH_BYTES) {
        return fail(r, "it has %zu bytes; a safetensors file starts with %d for its header's length", size, BP_TENSORS_LENGTH_BYTES);
    }
    uint64_t length = 0;
    for (size_t i = 0; i < BP_TENSORS_LENGTH_BYTES; i++) {
        length |= (uint64_t)bytes[i] << (8 * i);
    }
    size_t rest = size - BP_TENSORS_LENGTH_BYTES;
    if (length > BP_TENSORS_MAX_HEADER) {
        return fail(r, "its header has %ju bytes, as its first bytes say; a safetensors header has at most %d", (uintmax_t)length,
                    BP_TENSORS_MAX_HEADER);
    }
    if (length > rest) {
        return fail(r, "its header has %ju bytes, but only %zu are there", (uintmax_t)length, rest);
    }
    r->header = bytes + BP_TENSORS_LENGTH_BYTES;
    r->header_size = (size_t)length;
    r->data = r->header + r->header_size;
    r->data_size = rest - r->header_size;
    if (length == 0 || r->header[0] != '{') {
        return fail(r, "at byte %d: its header does not start with {", BP_TENSORS_LENGTH_BYTES);
    }
    return BP_OK;
}

static bp_status parse_header(const reader *r, json_t **json)
{
    json_error_t error = {0};
    *json = json_loadb((const char *)r->header, r->header_size, JSON_REJECT_DUPLICATES, &error);
    if (*json) {
        return BP_OK;
    }
    if (error.text[0] == '\0') {
        return fail_memory(r); /* memory, for which Jansson has no words, or those of a mistake in the text */
    }
    return fail(r, "at byte %d: %s", BP_TENSORS_LENGTH_BYTES + error.position, error.text);
}

/* The digits of the checksum in the text of the header; NULL: they are not where they can be. */
static const unsigned char *find_digits(const reader *r, const char *digits)
{
    static const char key[] = "\"" BP_TENSORS_CHECKSUM "\"";
    const unsigned char *end = r->data, *at = r->header;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1)) != NULL) {
        at += sizeof key - 1;
        while (at < end && strchr(" \t\r\n:", *at)) { /* that there is one colon Jansson has seen */
            at++;
        }
        if (end - at > BP_TENSORS_CHECKSUM_DIGITS && *at == '"' && memcmp(at + 1, digits, BP_TENSORS_CHECKSUM_DIGITS) == 0) {
            return at + 1;
        }
    }
    return NULL;
}

/* Compares the checksum with the whole file's. */
static bp_status verify(const reader *r, const json_t *checksum)
{
    if (!checksum) {
        return r->checksum_required ? fail(r, "it has no checksum (\"%s\")", BP_TENSORS_CHECKSUM) : BP_OK;
    }
    const char *expected = json_string_value(checksum);
    bool well_formed = expected && json_string_length(checksum) == BP_TENSORS_CHECKSUM_DIGITS;
    const unsigned char *digits = well_formed ? find_digits(r, expected) : NULL;
    if (!digits) {
        return fail(r, "its checksum (\"%s\") is not %d hexadecimal digits", BP_TENSORS_CHECKSUM, BP_TENSORS_CHECKSUM_DIGITS);
    }
    const unsigned char *start = r->header - BP_TENSORS_LENGTH_BYTES, *behind = digits + BP_TENSORS_CHECKSUM_DIGITS;
    uLong sum = crc32_z(crc32_z(0, NULL, 0), start, (size_t)(digits - start));
    sum = crc32_z(sum, (const unsigned char *)"00000000", BP_TENSORS_CHECKSUM_DIGITS);
    sum = crc32_z(sum, behind, (size_t)(r->data + r->data_size - behind));
    char text[BP_TENSORS_CHECKSUM_DIGITS + 1];
    snprintf(text, sizeof text, "%08lx", sum & 0xffffffff);
    if (strcmp(text, expected) != 0) {
        return fail(r, "its checksum is %s, but its content's is %s: it is damaged, or was changed by a program that does not know \"%s\"",
                    expected, text, BP_TENSORS_CHECKSUM);
    }
    return BP_OK;
}

static bp_status read_texts(const reader *r, json_t *metadata)
{
    if (metadata && !json_is_object(metadata)) {
        return fail(r, "\"%s\" is not an object", BP_TENSORS_METADATA);
    }
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) {
            return fail(r, "in \"%s\", the value of \"%.60s\" is not a text", BP_TENSORS_METADATA, key);
        }
        if (strcmp(key, BP_TENSORS_CHECKSUM) != 0 && !bp_tensors_add_text(r->tensors, key, json_string_value(value))) {
            return fail_memory(r);
        }
    }
    return verify(r, json_object_get(metadata, BP_TENSORS_CHECKSUM));
}

/* An array of up to max whole numbers that are sizes. */
static bp_status read_sizes(const reader *r, const char *name, const char *what, const json_t *array, size_t max, size_t *n, size_t *sizes)
{
    if (!json_is_array(array)) {
        return fail(r, "tensor \"%.60s\": %s is not an array", name, what);
    }
    *n = json_array_size(array);
    if (*n > max) {
        return fail(r, "tensor \"%.60s\": %s has %zu numbers; it can have up to %zu", name, what, *n, max);
    }
    for (size_t i = 0; i < *n; i++) {
        const json_t *number = json_array_get(array, i);
        json_int_t value = json_is_integer(number) ? json_integer_value(number) : -1;
        sizes[i] = (size_t)value;
        if (value < 0 || (json_int_t)sizes[i] != value) {
            return fail(r, "tensor \"%.60s\": %s[%zu] is not a whole number from 0 to %zu", name, what, i, (size_t)PTRDIFF_MAX);
        }
    }
    return BP_OK;
}

static bp_status read_type(const reader *r, const char *name, const json_t *dtype, bp_tensor_type *type)
{
    const char *text = json_string_value(dtype);
    if (!text) {
        return fail(r, "tensor \"%.60s\": dtype is not a text", name);
    }
    const bp_tensor_type_info *info;
    for (int i = 0; (info = bp_tensor_type_find((bp_tensor_type)i)) != NULL; i++) {
        if (strcmp(info->name, text) == 0) {
            *type = (bp_tensor_type)i;
            return BP_OK;
        }
    }
    return fail(r, "tensor \"%.60s\": there is no dtype \"%.40s\"", name, text);
}

static bp_status read_tensor(const reader *r, const char *name, const json_t *json)
{
    const json_t *dtype = json_object_get(json, "dtype"), *dimensions = json_object_get(json, "shape");
    const json_t *data_offsets = json_object_get(json, "data_offsets");
    if (!dtype || !dimensions || !data_offsets || json_object_size(json) != 3) {
        return fail(r, "tensor \"%.60s\" is not an object of dtype, shape and data_offsets", name);
    }
    bp_tensor_type type = BP_TENSOR_BOOL;
    size_t shape[BP_TENSOR_MAX_DIMENSIONS], n_dimensions, offsets[2] = {0}, n_offsets, size;
    bp_status status = read_type(r, name, dtype, &type);
    if (status == BP_OK) {
        status = read_sizes(r, name, "shape", dimensions, BP_TENSOR_MAX_DIMENSIONS, &n_dimensions, shape);
    }
    if (status == BP_OK) {
        status = read_sizes(r, name, "data_offsets", data_offsets, 2, &n_offsets, offsets);
    }
    if (status != BP_OK) {
        return status;
    }
    if (n_offsets != 2 || offsets[0] > offsets[1] || offsets[1] > r->data_size) {
        return fail(r, "tensor \"%.60s\": data_offsets are not the begin and end of a part of the %zu bytes of data", name, r->data_size);
    }
    if (!bp_tensor_size(type, n_dimensions, shape, &size) || size != offsets[1] - offsets[0]) {
        return fail(r, "tensor \"%.60s\": dtype and shape do not make the %zu bytes that data_offsets say", name, offsets[1] - offsets[0]);
    }
    return bp_tensors_add(r->tensors, name, type, n_dimensions, shape, r->data + offsets[0]) ? BP_OK : fail_memory(r);
}

static int compare_places(const void *left, const void *right)
{
    const bp_tensor *a = *(const bp_tensor *const *)left, *b = *(const bp_tensor *const *)right;
    const char *begin_a = a->data, *begin_b = b->data;
    return begin_a != begin_b ? (begin_a > begin_b) - (begin_a < begin_b) : (a->size > b->size) - (a->size < b->size);
}

/* Each byte of the data belongs to one tensor. */
static bp_status check_cover(const reader *r)
{
    size_t n = r->tensors->n_tensors;
    const bp_tensor **sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted) {
        return fail_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &r->tensors->tensors[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_places);
    bp_status status = BP_OK;
    size_t covered = 0;
    for (size_t i = 0; i < n && status == BP_OK; i++) {
        size_t begin = (size_t)((const unsigned char *)sorted[i]->data - r->data);
        if (begin != covered) {
            status = fail(r, "tensor \"%.60s\" starts at byte %zu of the data, where those before it end at %zu", sorted[i]->name, begin,
                          covered);
        }
        covered = begin + sorted[i]->size;
    }
    if (status == BP_OK && covered != r->data_size) {
        status = fail(r, "its tensors end at byte %zu of the data, which has %zu", covered, r->data_size);
    }
    free(sorted);
    return status;
}

/* Data that cannot be used where it lies is copied; files of other programs may need that, and all files on a big-endian machine. */
static bp_status make_usable(const reader *r)
{
    for (size_t i = 0; i < r->tensors->n_tensors; i++) {
        bp_tensor *tensor = &r->tensors->tensors[i];
        unsigned width = bp_tensor_type_find(tensor->type)->width;
        bool swapped = BP_TENSORS_SWAPPED && width > 1;
        if (!swapped && (uintptr_t)tensor->data % width == 0) {
            continue;
        }
        tensor->copy = malloc(tensor->size + 1);
        if (!tensor->copy) {
            return fail_memory(r);
        }
        if (swapped) {
            bp_swap_bytes(tensor->copy, tensor->data, tensor->size, width);
        } else {
            memcpy(tensor->copy, tensor->data, tensor->size);
        }
        tensor->data = tensor->copy;
    }
    return BP_OK;
}

static bp_status read_header(const reader *r)
{
    json_t *json, *value;
    bp_status status = parse_header(r, &json);
    if (status != BP_OK) {
        return status;
    }
    status = read_texts(r, json_object_get(json, BP_TENSORS_METADATA));
    const char *name;
    json_object_foreach(json, name, value)
    {
        if (status == BP_OK && strcmp(name, BP_TENSORS_METADATA) != 0) {
            status = read_tensor(r, name, value);
        }
    }
    json_decref(json);
    return status;
}

bp_status bp_tensors_load_memory(const char *function, const char *path, const unsigned char *bytes, size_t size, bool checksum_required,
                                 bp_tensors **tensors)
{
    reader r = {.function = function, .path = path, .checksum_required = checksum_required, .tensors = bp_tensors_create()};
    bp_status status = r.tensors ? split(&r, bytes, size) : fail_memory(&r);
    if (status == BP_OK) {
        status = read_header(&r);
    }
    if (status == BP_OK) {
        status = check_cover(&r);
    }
    if (status == BP_OK) {
        status = make_usable(&r);
    }
    if (status != BP_OK) {
        bp_tensors_destroy(r.tensors);
        return status;
    }
    *tensors = r.tensors;
    return BP_OK;
}

bp_status bp_tensors_load(const char *function, const char *path, bool checksum_required, bp_tensors **tensors)
{
    unsigned char *bytes;
    size_t size;
    bp_status status = bp_file_read(function, path, &bytes, &size);
    if (status != BP_OK) {
        return status;
    }
    status = bp_tensors_load_memory(function, path, bytes, size, checksum_required, tensors);
    if (status != BP_OK) {
        free(bytes);
        return status;
    }
    (*tensors)->file = bytes;
    return BP_OK;
}
