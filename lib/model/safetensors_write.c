/* Tensors into the bytes of a safetensors file: a header made by Jansson, and the data in pieces, where it lies. */
#include "core/cancel.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/status.h"
#include "model/tensors.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* How every header starts, up to the digits of the checksum. */
#define HEADER_START "{\"" BP_TENSORS_METADATA "\":{\"" BP_TENSORS_CHECKSUM "\":\""
#define NO_CHECKSUM "00000000"

/* A file that is about to be written. */
typedef struct plan {
    const char *function;
    const bp_tensors *tensors;
    size_t *offsets; /* of the tensors in the data */
    size_t data_size;
    bp_piece *pieces; /* the header with its length, then the tensors in the order of their offsets */
    unsigned char *header;
    unsigned char *swapped; /* on a big-endian machine, the data as it goes into the file */
} plan;

static void release(plan *p)
{
    free(p->offsets);
    free(p->pieces);
    free(p->header);
    free(p->swapped);
}

/* Wide elements first: then each tensor is aligned, since what lies before it is a multiple of its own width. */
static bp_status place_data(plan *p)
{
    size_t n = p->tensors->n_tensors, n_pieces = 1;
    p->offsets = calloc(n + 1, sizeof *p->offsets);
    p->pieces = calloc(n + 1, sizeof *p->pieces);
    if (!p->offsets || !p->pieces) {
        return bp_fail_memory(p->function);
    }
    for (unsigned width = 8; width > 0; width /= 2) {
        for (size_t i = 0; i < n; i++) {
            const bp_tensor *tensor = &p->tensors->tensors[i];
            if (bp_tensor_type_find(tensor->type)->width == width) {
                p->offsets[i] = p->data_size;
                p->pieces[n_pieces++] = (bp_piece){tensor->data, tensor->size};
                if (!bp_add(p->data_size, tensor->size, &p->data_size) || p->data_size > PTRDIFF_MAX) {
                    return bp_fail_memory(p->function);
                }
            }
        }
    }
    return BP_OK;
}

static bp_status swap_data(plan *p)
{
    p->swapped = malloc(p->data_size + 1);
    if (!p->swapped) {
        return bp_fail_memory(p->function);
    }
    for (size_t i = 0; i < p->tensors->n_tensors; i++) {
        const bp_tensor *tensor = &p->tensors->tensors[i];
        bp_swap_bytes(p->swapped + p->offsets[i], tensor->data, tensor->size, bp_tensor_type_find(tensor->type)->width);
    }
    const unsigned char *bytes = p->swapped;
    for (size_t i = 1; i <= p->tensors->n_tensors; i++) {
        p->pieces[i].bytes = bytes;
        bytes += p->pieces[i].size;
    }
    return BP_OK;
}

static bp_status check_text(const plan *p, const char *text)
{
    json_error_t error = {0};
    json_t *string = json_pack_ex(&error, 0, "s", text);
    if (!string && json_error_code(&error) == json_error_invalid_utf8) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: \"%.100s\" is not UTF-8", p->function, text);
    }
    json_decref(string);
    return string ? BP_OK : bp_fail_memory(p->function);
}

/* Puts a value, which becomes the object's, under a key that is new. */
static bp_status put(const plan *p, json_t *object, const char *key, json_t *value)
{
    bp_status status = check_text(p, key);
    if (status == BP_OK && json_object_get(object, key)) {
        status = bp_fail(BP_ERROR_ARGUMENT, "%s: there are two of the name \"%.100s\"", p->function, key);
    }
    if (status != BP_OK) {
        json_decref(value);
        return status;
    }
    return json_object_set_new(object, key, value) == 0 ? BP_OK : bp_fail_memory(p->function);
}

static bp_status put_texts(const plan *p, json_t *header)
{
    json_t *metadata = json_object();
    bp_status status = put(p, header, BP_TENSORS_METADATA, metadata);
    if (status == BP_OK) {
        status = put(p, metadata, BP_TENSORS_CHECKSUM, json_string(NO_CHECKSUM));
    }
    for (size_t i = 0; i < p->tensors->n_texts && status == BP_OK; i++) {
        const bp_tensor_text *text = &p->tensors->texts[i];
        status = check_text(p, text->value);
        if (status == BP_OK) {
            status = put(p, metadata, text->key, json_string(text->value));
        }
    }
    return status;
}

static bp_status put_tensors(const plan *p, json_t *header)
{
    bp_status status = BP_OK;
    for (size_t i = 0; i < p->tensors->n_tensors && status == BP_OK; i++) {
        const bp_tensor *tensor = &p->tensors->tensors[i];
        json_t *shape = json_array();
        for (size_t k = 0; k < tensor->n_dimensions && shape; k++) {
            if (json_array_append_new(shape, json_integer((json_int_t)tensor->shape[k])) != 0) {
                json_decref(shape);
                shape = NULL;
            }
        }
        json_t *value = json_pack("{s:s, s:o, s:[I, I]}", "dtype", bp_tensor_type_find(tensor->type)->name, "shape", shape, "data_offsets",
                                  (json_int_t)p->offsets[i], (json_int_t)p->offsets[i] + (json_int_t)tensor->size);
        status = put(p, header, tensor->name, value);
    }
    return status;
}

/* The header as text, behind its length and padded. */
static bp_status write_header(plan *p, const json_t *json)
{
    size_t length = json_dumpb(json, NULL, 0, JSON_COMPACT);
    if (length > BP_TENSORS_MAX_HEADER - 8) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: names and texts take %zu bytes; a header can have %d", p->function, length,
                       BP_TENSORS_MAX_HEADER);
    }
    size_t padded = bp_round_up(length, 8);
    p->header = malloc(BP_TENSORS_LENGTH_BYTES + padded);
    if (length == 0 || !p->header) {
        return bp_fail_memory(p->function);
    }
    for (size_t i = 0; i < BP_TENSORS_LENGTH_BYTES; i++) {
        p->header[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    }
    char *text = (char *)p->header + BP_TENSORS_LENGTH_BYTES;
    memset(text, ' ', padded);
    if (json_dumpb(json, text, length, JSON_COMPACT) != length) {
        return bp_fail_memory(p->function);
    }
    p->pieces[0] = (bp_piece){p->header, BP_TENSORS_LENGTH_BYTES + padded};
    return BP_OK;
}

static bp_status make_header(plan *p)
{
    int cancel =
        bp_cancel_hold(); /* the first object reads a seed from the system; if that were broken off, all others would wait for it */
    json_t *json = json_object();
    bp_cancel_release(cancel);
    bp_status status = json ? put_texts(p, json) : bp_fail_memory(p->function);
    if (status == BP_OK) {
        status = put_tensors(p, json);
    }
    if (status == BP_OK) {
        status = write_header(p, json);
    }
    json_decref(json);
    return status;
}

static void write_checksum(plan *p)
{
    uLong checksum = crc32_z(0, NULL, 0);
    for (size_t i = 0; i <= p->tensors->n_tensors; i++) {
        if (p->pieces[i].size > 0) { /* without bytes crc32_z starts anew */
            checksum = crc32_z(checksum, p->pieces[i].bytes, p->pieces[i].size);
        }
    }
    char digits[BP_TENSORS_CHECKSUM_DIGITS + 1];
    snprintf(digits, sizeof digits, "%08lx", checksum & 0xffffffff);
    memcpy(p->header + BP_TENSORS_LENGTH_BYTES + strlen(HEADER_START), digits, BP_TENSORS_CHECKSUM_DIGITS);
}

static bp_status make_plan(plan *p)
{
    bp_status status = place_data(p);
    if (status == BP_OK && BP_TENSORS_SWAPPED) {
        status = swap_data(p);
    }
    if (status == BP_OK) {
        status = make_header(p);
    }
    if (status == BP_OK) {
        write_checksum(p);
    }
    return status;
}

bp_status bp_tensors_save(const char *function, const bp_tensors *tensors, const char *path)
{
    plan p = {.function = function, .tensors = tensors};
    bp_status status = make_plan(&p);
    if (status == BP_OK) {
        status = bp_file_replace(function, path, tensors->n_tensors + 1, p.pieces);
    }
    release(&p);
    return status;
}

bp_status bp_tensors_save_memory(const char *function, const bp_tensors *tensors, unsigned char **bytes, size_t *size)
{
    plan p = {.function = function, .tensors = tensors};
    bp_status status = make_plan(&p);
    unsigned char *block = status == BP_OK ? malloc(p.pieces[0].size + p.data_size) : NULL;
    if (status == BP_OK && !block) {
        status = bp_fail_memory(function);
    }
    if (block) {
        size_t written = 0;
        for (size_t i = 0; i <= tensors->n_tensors; i++) {
            if (p.pieces[i].size > 0) {
                memcpy(block + written, p.pieces[i].bytes, p.pieces[i].size);
                written += p.pieces[i].size;
            }
        }
        *bytes = block;
        *size = written;
    }
    release(&p);
    return status;
}
