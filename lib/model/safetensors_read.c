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

/* Of the JSON of one tensor, which needs about 200. */
enum { MAX_DESCRIPTION = 16 * 1024 };

typedef struct reader {
    const char *function, *path;
    const unsigned char *header; /* the JSON text */
    size_t header_size, at;      /* at: what comes next of it */
    const unsigned char *data;
    size_t data_size;
    bool checksum_required, has_metadata;
    json_t *checksum;    /* NULL: none yet */
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

/* ---- the text of the header, a member at a time: a tree of all of it could be many times as large ---- */

static char next_character(const reader *r)
{
    return r->at < r->header_size ? (char)r->header[r->at] : '\0';
}

static void skip_spaces(reader *r)
{
    while (r->at < r->header_size && memchr(" \t\r\n", r->header[r->at], 4)) {
        r->at++;
    }
}

static bp_status fail_at(const reader *r, size_t at, const char *reason)
{
    return fail(r, "at byte %zu: %s", BP_TENSORS_LENGTH_BYTES + at, reason);
}

static bp_status expect(reader *r, char character)
{
    skip_spaces(r);
    if (next_character(r) != character) {
        return fail(r, "at byte %zu: '%c' expected", BP_TENSORS_LENGTH_BYTES + r->at, character);
    }
    r->at++;
    return BP_OK;
}

/* The value that comes next, and has up to most bytes; freed by json_decref. */
static bp_status parse_value(reader *r, size_t most, json_t **value)
{
    size_t left = r->header_size - r->at, size = left < most ? left : most;
    json_error_t error = {0};
    *value = json_loadb((const char *)r->header + r->at, size, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &error);
    if (*value) {
        r->at += (size_t)error.position;
        return BP_OK;
    }
    if (error.text[0] == '\0') {
        return fail_memory(r); /* memory, for which Jansson has no words, or those of a mistake in the text */
    }
    if (size < left && json_error_code(&error) == json_error_premature_end_of_input) {
        return fail(r, "at byte %zu: a description of a tensor of more than %zu bytes", BP_TENSORS_LENGTH_BYTES + r->at, most);
    }
    return fail_at(r, r->at + (size_t)error.position, error.text);
}

/* Goes through the object that comes next. take is called at each value, with its name and the name's place; it goes past the value. */
static bp_status each_member(reader *r, bp_status (*take)(reader *r, const char *name, size_t place))
{
    bp_status status = expect(r, '{');
    skip_spaces(r);
    bool more = status == BP_OK && next_character(r) != '}';
    while (more && status == BP_OK) {
        json_t *name = NULL;
        skip_spaces(r);
        size_t place = r->at;
        status = next_character(r) == '"' ? parse_value(r, SIZE_MAX, &name) : fail_at(r, r->at, "a name in quotes expected");
        if (status == BP_OK) {
            status = expect(r, ':');
        }
        if (status == BP_OK) {
            skip_spaces(r);
            status = take(r, json_string_value(name), place);
        }
        json_decref(name);
        skip_spaces(r);
        more = status == BP_OK && next_character(r) == ',';
        r->at += more;
    }
    return status == BP_OK ? expect(r, '}') : status;
}

/* ---- checksum ---- */

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

/* ---- texts ---- */

static bp_status fail_duplicate(const reader *r, size_t place)
{
    return fail_at(r, place, "duplicate name");
}

static bp_status take_text(reader *r, const char *name, size_t place)
{
    json_t *value;
    if (next_character(r) != '"') {
        return fail(r, "in \"%s\", the value of \"%.60s\" is not a text", BP_TENSORS_METADATA, name);
    }
    bp_status status = parse_value(r, SIZE_MAX, &value);
    if (status != BP_OK) {
        return status;
    }
    if (strcmp(name, BP_TENSORS_CHECKSUM) == 0) {
        status = r->checksum ? fail_duplicate(r, place) : BP_OK;
        json_decref(r->checksum);
        r->checksum = value;
        return status;
    }
    bool done = bp_tensors_add_text(r->tensors, name, json_string_value(value));
    json_decref(value);
    if (!done) {
        return fail_memory(r);
    }
    r->tensors->texts[r->tensors->n_texts - 1].place = place;
    return BP_OK;
}

static int compare_names(const char *left, size_t left_place, const char *right, size_t right_place)
{
    int order = strcmp(left, right);
    return order ? order : (left_place > right_place) - (left_place < right_place);
}

static int compare_texts(const void *left, const void *right)
{
    const bp_tensor_text *a = *(const bp_tensor_text *const *)left, *b = *(const bp_tensor_text *const *)right;
    return compare_names(a->key, a->place, b->key, b->place);
}

static bp_status check_texts(const reader *r)
{
    size_t n = r->tensors->n_texts;
    const bp_tensor_text **sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted) {
        return fail_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &r->tensors->texts[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_texts);
    bp_status status = BP_OK;
    for (size_t i = 1; i < n && status == BP_OK; i++) {
        status = strcmp(sorted[i - 1]->key, sorted[i]->key) == 0 ? fail_duplicate(r, sorted[i]->place) : BP_OK;
    }
    free(sorted);
    return status;
}

static bp_status take_metadata(reader *r, size_t place)
{
    if (r->has_metadata) {
        return fail_duplicate(r, place);
    }
    r->has_metadata = true;
    if (next_character(r) != '{') {
        return fail(r, "\"%s\" is not an object", BP_TENSORS_METADATA);
    }
    bp_status status = each_member(r, take_text);
    if (status == BP_OK) {
        status = check_texts(r);
    }
    return status == BP_OK && r->checksum ? verify(r, r->checksum) : status;
}

/* ---- tensors ---- */

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

static bp_status take_member(reader *r, const char *name, size_t place)
{
    if (strcmp(name, BP_TENSORS_METADATA) == 0) {
        return take_metadata(r, place);
    }
    json_t *json;
    bp_status status = parse_value(r, MAX_DESCRIPTION, &json);
    if (status != BP_OK) {
        return status;
    }
    status = read_tensor(r, name, json);
    json_decref(json);
    if (status == BP_OK) {
        r->tensors->tensors[r->tensors->n_tensors - 1].place = place;
    }
    return status;
}

static int compare_tensors(const void *left, const void *right)
{
    const bp_tensor *a = *(const bp_tensor *const *)left, *b = *(const bp_tensor *const *)right;
    return compare_names(a->name, a->place, b->name, b->place);
}

/* Puts the tensors in the order of their names, of which there are no two. */
static bp_status sort_tensors(const reader *r)
{
    bp_tensors *tensors = r->tensors;
    size_t n = tensors->n_tensors;
    tensors->by_name = calloc(n + 1, sizeof *tensors->by_name);
    if (!tensors->by_name) {
        return fail_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        tensors->by_name[i] = &tensors->tensors[i];
    }
    qsort(tensors->by_name, n, sizeof *tensors->by_name, compare_tensors);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(tensors->by_name[i - 1]->name, tensors->by_name[i]->name) == 0) {
            return fail_duplicate(r, tensors->by_name[i]->place);
        }
    }
    return BP_OK;
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

static bp_status read_header(reader *r)
{
    bp_status status = each_member(r, take_member);
    skip_spaces(r);
    if (status == BP_OK && r->at < r->header_size) {
        status = fail_at(r, r->at, "the header goes on behind its object");
    }
    if (status == BP_OK && !r->checksum && r->checksum_required) {
        status = fail(r, "it has no checksum (\"%s\")", BP_TENSORS_CHECKSUM);
    }
    json_decref(r->checksum);
    return status == BP_OK ? sort_tensors(r) : status;
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
