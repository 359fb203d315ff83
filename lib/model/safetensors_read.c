/*
 * The bytes of a safetensors file into tensors. Nothing in them is believed: each length, offset and shape is checked before it is used. The header is
 * read first; then the data in pieces, so that it need be in memory only where it goes to.
 */
#define _GNU_SOURCE /* memmem */

#include "core/file.h"
#include "core/memory.h"
#include "core/status.h"
#include "model/json_parse.h"
#include "model/tensors.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A piece: it is to stay in a processor's cache until it has been taken. */
enum { PIECE_BYTES = 128 * 1024 };

typedef struct bp_tensors_file {
    bp_source source;
    unsigned char *header; /* the JSON text */
    size_t header_size, data_size;
    bool has_checksum;
    char expected[BP_TENSORS_CHECKSUM_DIGITS + 1]; /* the checksum that it has, */
    uLong sum;                                     /* and that of what has been read */
    size_t *places;                                /* where in the data each tensor begins */
    size_t *order;                                 /* the tensors' indices in the order of their places */
} bp_tensors_file;

void bp_tensors_file_close(bp_tensors_file *file)
{
    if (file) {
        bp_source_close(&file->source);
        free(file->header);
        free(file->places);
        free(file->order);
        free(file);
    }
}

BP_PRINTF(2, 3)
static bp_status fail(const bp_tensors_file *file, const char *format, ...)
{
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return bp_fail(BP_ERROR_FORMAT, "%s: %.150s: %s", file->source.function, file->source.path, text);
}

static bp_status fail_memory(const bp_tensors_file *file)
{
    return bp_fail(BP_ERROR_MEMORY, "%s: %.150s: out of memory", file->source.function, file->source.path);
}

/* ---- the header ---- */

static bp_status take_header(bp_tensors_file *file)
{
    size_t size = file->source.size;
    if (size < BP_TENSORS_LENGTH_BYTES) {
        return fail(file, "it has %zu bytes; a safetensors file starts with %d for its header's length", size, BP_TENSORS_LENGTH_BYTES);
    }
    unsigned char bytes[BP_TENSORS_LENGTH_BYTES];
    bp_status status = bp_source_read(&file->source, bytes, sizeof bytes);
    if (status != BP_OK) {
        return status;
    }
    uint64_t length = 0;
    for (size_t i = 0; i < BP_TENSORS_LENGTH_BYTES; i++) {
        length |= (uint64_t)bytes[i] << (8 * i);
    }
    size_t rest = size - BP_TENSORS_LENGTH_BYTES;
    if (length > BP_TENSORS_MAX_HEADER) {
        return fail(file, "its header has %ju bytes, as its first bytes say; a safetensors header that this library reads has at most %d",
                    (uintmax_t)length, BP_TENSORS_MAX_HEADER);
    }
    if (length > rest) {
        return fail(file, "its header has %ju bytes, but only %zu are there", (uintmax_t)length, rest);
    }
    file->header_size = (size_t)length;
    file->data_size = rest - file->header_size;
    file->header = malloc(file->header_size + 1);
    status = file->header ? bp_source_read(&file->source, file->header, file->header_size) : fail_memory(file);
    if (status == BP_OK && (length == 0 || file->header[0] != '{')) {
        return fail(file, "at byte %d: its header does not start with {", BP_TENSORS_LENGTH_BYTES);
    }
    file->sum = crc32_z(crc32_z(0, NULL, 0), bytes, sizeof bytes);
    return status;
}

static bp_status parse_header(const bp_tensors_file *file, json_t **json)
{
    json_error_t error;
    bp_status status = bp_json_parse((const char *)file->header, file->header_size, JSON_REJECT_DUPLICATES, json, &error);
    if (status != BP_ERROR_FORMAT) {
        return status == BP_OK ? status : fail_memory(file);
    }
    return fail(file, "at byte %d: %s", BP_TENSORS_LENGTH_BYTES + error.position, error.text);
}

/* The digits of the checksum in the text of the header; NULL: they are not where they can be. */
static unsigned char *find_digits(const bp_tensors_file *file, const char *digits)
{
    static const char key[] = "\"" BP_TENSORS_CHECKSUM "\"";
    unsigned char *at = file->header, *end = at + file->header_size;
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

/* The checksum that there should be, and that of the header, which has zeros in its place. */
static bp_status begin_checksum(bp_tensors_file *file, const json_t *checksum, bool required)
{
    file->has_checksum = checksum;
    if (!checksum) {
        return required ? fail(file, "it has no checksum (\"%s\")", BP_TENSORS_CHECKSUM) : BP_OK;
    }
    const char *expected = json_string_value(checksum);
    bool well_formed = expected && json_string_length(checksum) == BP_TENSORS_CHECKSUM_DIGITS;
    unsigned char *digits = well_formed ? find_digits(file, expected) : NULL;
    if (!digits) {
        return fail(file, "its checksum (\"%s\") is not %d hexadecimal digits", BP_TENSORS_CHECKSUM, BP_TENSORS_CHECKSUM_DIGITS);
    }
    memcpy(file->expected, expected, sizeof file->expected);
    memset(digits, '0', BP_TENSORS_CHECKSUM_DIGITS);
    file->sum = crc32_z(file->sum, file->header, file->header_size);
    return BP_OK;
}

static bp_status read_texts(bp_tensors_file *file, bp_tensors *tensors, json_t *metadata, bool checksum_required)
{
    if (metadata && !json_is_object(metadata)) {
        return fail(file, "\"%s\" is not an object", BP_TENSORS_METADATA);
    }
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value)) {
            return fail(file, "in \"%s\", the value of \"%.60s\" is not a text", BP_TENSORS_METADATA, key);
        }
        if (strcmp(key, BP_TENSORS_CHECKSUM) != 0 && !bp_tensors_add_text(tensors, key, json_string_value(value))) {
            return fail_memory(file);
        }
    }
    return begin_checksum(file, json_object_get(metadata, BP_TENSORS_CHECKSUM), checksum_required);
}

/* An array of up to max whole numbers that are sizes. */
static bp_status read_sizes(const bp_tensors_file *file, const char *name, const char *what, const json_t *array, size_t max, size_t *n,
                            size_t *sizes)
{
    if (!json_is_array(array)) {
        return fail(file, "tensor \"%.60s\": %s is not an array", name, what);
    }
    *n = json_array_size(array);
    if (*n > max) {
        return fail(file, "tensor \"%.60s\": %s has %zu numbers; it can have up to %zu", name, what, *n, max);
    }
    for (size_t i = 0; i < *n; i++) {
        const json_t *number = json_array_get(array, i);
        json_int_t value = json_is_integer(number) ? json_integer_value(number) : -1;
        sizes[i] = (size_t)value;
        if (value < 0 || (json_int_t)sizes[i] != value) {
            return fail(file, "tensor \"%.60s\": %s[%zu] is not a whole number from 0 to %zu", name, what, i, (size_t)PTRDIFF_MAX);
        }
    }
    return BP_OK;
}

static bp_status read_type(const bp_tensors_file *file, const char *name, const json_t *dtype, bp_tensor_type *type)
{
    const char *text = json_string_value(dtype);
    if (!text) {
        return fail(file, "tensor \"%.60s\": dtype is not a text", name);
    }
    const bp_tensor_type_info *info;
    for (int i = 0; (info = bp_tensor_type_find((bp_tensor_type)i)) != NULL; i++) {
        if (strcmp(info->name, text) == 0) {
            *type = (bp_tensor_type)i;
            return BP_OK;
        }
    }
    return fail(file, "tensor \"%.60s\": there is no dtype \"%.40s\"", name, text);
}

static bp_status read_tensor(bp_tensors_file *file, bp_tensors *tensors, const char *name, const json_t *json)
{
    const json_t *dtype = json_object_get(json, "dtype"), *dimensions = json_object_get(json, "shape");
    const json_t *data_offsets = json_object_get(json, "data_offsets");
    if (!dtype || !dimensions || !data_offsets || json_object_size(json) != 3) {
        return fail(file, "tensor \"%.60s\" is not an object of dtype, shape and data_offsets", name);
    }
    bp_tensor_type type = BP_TENSOR_BOOL;
    size_t shape[BP_TENSOR_MAX_DIMENSIONS], n_dimensions = 0, offsets[2] = {0}, n_offsets = 0, size;
    bp_status status = read_type(file, name, dtype, &type);
    if (status == BP_OK) {
        status = read_sizes(file, name, "shape", dimensions, BP_TENSOR_MAX_DIMENSIONS, &n_dimensions, shape);
    }
    if (status == BP_OK) {
        status = read_sizes(file, name, "data_offsets", data_offsets, 2, &n_offsets, offsets);
    }
    if (status != BP_OK) {
        return status;
    }
    if (n_offsets != 2 || offsets[0] > offsets[1] || offsets[1] > file->data_size) {
        return fail(file, "tensor \"%.60s\": data_offsets are not the begin and end of a part of the %zu bytes of data", name,
                    file->data_size);
    }
    if (!bp_tensor_size(type, n_dimensions, shape, &size) || size != offsets[1] - offsets[0]) {
        return fail(file, "tensor \"%.60s\": dtype and shape do not make the %zu bytes that data_offsets say", name,
                    offsets[1] - offsets[0]);
    }
    file->places[tensors->n_tensors] = offsets[0];
    return bp_tensors_add(tensors, name, type, n_dimensions, shape, NULL) ? BP_OK : fail_memory(file);
}

/* What is sorted: a tensor's index, and its place. */
typedef struct place {
    size_t index, begin, size;
} place;

static int compare_places(const void *left, const void *right)
{
    const place *a = left, *b = right;
    return a->begin != b->begin ? (a->begin > b->begin) - (a->begin < b->begin) : (a->size > b->size) - (a->size < b->size);
}

/* Puts the tensors into the order of their places. Each byte of the data belongs to one of them. */
static bp_status sort_tensors(bp_tensors_file *file, const bp_tensors *tensors)
{
    size_t n = tensors->n_tensors, covered = 0;
    place *places = calloc(n + 1, sizeof *places);
    file->order = calloc(n + 1, sizeof *file->order);
    bp_status status = places && file->order ? BP_OK : fail_memory(file);
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        places[i] = (place){i, file->places[i], tensors->tensors[i].size};
    }
    if (status == BP_OK) {
        qsort(places, n, sizeof *places, compare_places);
    }
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        if (places[i].begin != covered) {
            status = fail(file, "tensor \"%.60s\" starts at byte %zu of the data, where those before it end at %zu",
                          tensors->tensors[places[i].index].name, places[i].begin, covered);
        }
        covered = places[i].begin + places[i].size;
        file->order[i] = places[i].index;
    }
    free(places);
    return status == BP_OK && covered != file->data_size
               ? fail(file, "its tensors end at byte %zu of the data, which has %zu", covered, file->data_size)
               : status;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(const bp_tensor *const *)left)->name, (*(const bp_tensor *const *)right)->name);
}

static bp_status index_names(const bp_tensors_file *file, bp_tensors *tensors)
{
    size_t n = tensors->n_tensors;
    tensors->by_name = calloc(n + 1, sizeof *tensors->by_name);
    if (!tensors->by_name) {
        return fail_memory(file);
    }
    for (size_t i = 0; i < n; i++) {
        tensors->by_name[i] = &tensors->tensors[i];
    }
    qsort(tensors->by_name, n, sizeof *tensors->by_name, compare_names);
    return BP_OK;
}

static bp_status read_header(bp_tensors_file *file, bp_tensors *tensors, bool checksum_required)
{
    json_t *json = NULL, *value;
    bp_status status = take_header(file);
    if (status == BP_OK) {
        status = parse_header(file, &json);
    }
    if (status != BP_OK) {
        return status;
    }
    file->places = calloc(json_object_size(json) + 1, sizeof *file->places);
    status = file->places ? read_texts(file, tensors, json_object_get(json, BP_TENSORS_METADATA), checksum_required) : fail_memory(file);
    const char *name;
    json_object_foreach(json, name, value)
    {
        if (status == BP_OK && strcmp(name, BP_TENSORS_METADATA) != 0) {
            status = read_tensor(file, tensors, name, value);
        }
    }
    json_decref(json);
    if (status == BP_OK) {
        status = sort_tensors(file, tensors);
    }
    return status == BP_OK ? index_names(file, tensors) : status;
}

/* Takes the source over, whatever comes of it. */
static bp_status open_source(bp_source source, bool checksum_required, bp_tensors **tensors)
{
    bp_tensors *made = bp_tensors_create();
    bp_tensors_file *file = calloc(1, sizeof *file);
    if (!made || !file) {
        bp_source_close(&source);
        bp_tensors_destroy(made);
        free(file);
        return bp_fail_memory(source.function);
    }
    file->source = source;
    made->file = file;
    bp_status status = read_header(file, made, checksum_required);
    if (status != BP_OK) {
        bp_tensors_destroy(made);
        return status;
    }
    *tensors = made;
    return BP_OK;
}

bp_status bp_tensors_open(const char *function, const char *path, bool checksum_required, bp_tensors **tensors)
{
    bp_source source;
    bp_status status = bp_source_open(&source, function, path);
    return status == BP_OK ? open_source(source, checksum_required, tensors) : status;
}

bp_status bp_tensors_open_memory(const char *function, const char *path, const void *bytes, size_t size, bool checksum_required,
                                 bp_tensors **tensors)
{
    return open_source(bp_source_of_memory(function, path, bytes, size), checksum_required, tensors);
}

/* ---- the data ---- */

/* Who takes, and the first failure: the bytes behind it are read all the same, for a damaged file is to be called so. */
typedef struct taker {
    bp_tensors_take *take;
    void *context;
    bp_status status;
} taker;

/* The next size bytes, of one tensor from byte at on, by way of a piece. */
static bp_status read_piece(bp_tensors_file *file, const bp_tensor *tensor, taker *t, size_t index, size_t at, size_t size, void *piece)
{
    bp_status status = bp_source_read(&file->source, piece, size);
    if (status != BP_OK) {
        return status;
    }
    if (file->has_checksum) {
        file->sum = crc32_z(file->sum, piece, size);
    }
    /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): it is read where bytes are swapped */
    unsigned width = bp_tensor_type_find(tensor->type)->width;
    if (BP_TENSORS_SWAPPED && width > 1) {
        bp_swap_bytes(piece, piece, size, width);
    }
    if (t->status == BP_OK) {
        t->status = t->take(t->context, index, at, size, piece);
    }
    return BP_OK;
}

/* The file has ended, and is what it was when it was written. */
static bp_status verify(bp_tensors_file *file)
{
    char sum[BP_TENSORS_CHECKSUM_DIGITS + 1];
    snprintf(sum, sizeof sum, "%08lx", file->sum & 0xffffffff);
    if (file->has_checksum && strcmp(sum, file->expected) != 0) {
        return fail(file,
                    "its checksum is %s, but its content's is %s: it is damaged, or was changed by a program that does not know \"%s\"",
                    file->expected, sum, BP_TENSORS_CHECKSUM);
    }
    return bp_source_end(&file->source);
}

static bp_status read_file(bp_tensors_file *file, const bp_tensors *tensors, bp_tensors_take *take, void *context)
{
    taker t = {take, context, BP_OK};
    void *piece = malloc(PIECE_BYTES);
    bp_status status = piece ? BP_OK : fail_memory(file);
    for (size_t i = 0; i < tensors->n_tensors; i++) {
        const bp_tensor *tensor = &tensors->tensors[file->order[i]];
        for (size_t at = 0; status == BP_OK && at < tensor->size; at += PIECE_BYTES) {
            size_t left = tensor->size - at;
            status = read_piece(file, tensor, &t, file->order[i], at, left < PIECE_BYTES ? left : PIECE_BYTES, piece);
        }
    }
    free(piece);
    if (status == BP_OK) {
        status = verify(file);
    }
    return status == BP_OK ? t.status : status;
}

bp_status bp_tensors_read(bp_tensors *tensors, bp_tensors_take *take, void *context)
{
    bp_status status = BP_OK;
    if (tensors->file) {
        status = read_file(tensors->file, tensors, take, context);
        bp_tensors_file_close(tensors->file);
        tensors->file = NULL;
        return status;
    }
    for (size_t i = 0; status == BP_OK && i < tensors->n_tensors; i++) {
        status = take(context, i, 0, tensors->tensors[i].size, tensors->tensors[i].data);
    }
    return status;
}

static bp_status keep(void *context, size_t index, size_t at, size_t size, const void *bytes)
{
    const bp_tensors *tensors = context;
    memcpy((char *)tensors->tensors[index].copy + at, bytes, size);
    return BP_OK;
}

/* Reads the data of opened tensors into memory of theirs; status: of opening them. */
static bp_status load(bp_status status, bp_tensors *opened, bp_tensors **tensors)
{
    for (size_t i = 0; status == BP_OK && i < opened->n_tensors; i++) {
        bp_tensor *tensor = &opened->tensors[i];
        tensor->data = tensor->copy = malloc(tensor->size + 1);
        status = tensor->copy ? BP_OK : fail_memory(opened->file);
    }
    if (status == BP_OK) {
        status = bp_tensors_read(opened, keep, opened);
    }
    if (status != BP_OK) {
        bp_tensors_destroy(opened);
        return status;
    }
    *tensors = opened;
    return BP_OK;
}

bp_status bp_tensors_load(const char *function, const char *path, bool checksum_required, bp_tensors **tensors)
{
    bp_tensors *opened = NULL;
    bp_status status = bp_tensors_open(function, path, checksum_required, &opened);
    return load(status, opened, tensors);
}

bp_status bp_tensors_load_memory(const char *function, const char *path, const void *bytes, size_t size, bool checksum_required,
                                 bp_tensors **tensors)
{
    bp_tensors *opened = NULL;
    bp_status status = bp_tensors_open_memory(function, path, bytes, size, checksum_required, &opened);
    return load(status, opened, tensors);
}
