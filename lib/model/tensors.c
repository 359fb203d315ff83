#define _POSIX_C_SOURCE 200809L /* strdup */

#include "model/tensors.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

static const bp_tensor_type_info types[] = {
    [BP_TENSOR_BOOL] = {"BOOL", 8, 1},       [BP_TENSOR_F4] = {"F4", 4, 1},           [BP_TENSOR_F6_E2M3] = {"F6_E2M3", 6, 1},
    [BP_TENSOR_F6_E3M2] = {"F6_E3M2", 6, 1}, [BP_TENSOR_U8] = {"U8", 8, 1},           [BP_TENSOR_I8] = {"I8", 8, 1},
    [BP_TENSOR_F8_E5M2] = {"F8_E5M2", 8, 1}, [BP_TENSOR_F8_E4M3] = {"F8_E4M3", 8, 1}, [BP_TENSOR_F8_E8M0] = {"F8_E8M0", 8, 1},
    [BP_TENSOR_I16] = {"I16", 16, 2},        [BP_TENSOR_U16] = {"U16", 16, 2},        [BP_TENSOR_F16] = {"F16", 16, 2},
    [BP_TENSOR_BF16] = {"BF16", 16, 2},      [BP_TENSOR_I32] = {"I32", 32, 4},        [BP_TENSOR_U32] = {"U32", 32, 4},
    [BP_TENSOR_F32] = {"F32", 32, 4},        [BP_TENSOR_C64] = {"C64", 64, 4},        [BP_TENSOR_F64] = {"F64", 64, 8},
    [BP_TENSOR_I64] = {"I64", 64, 8},        [BP_TENSOR_U64] = {"U64", 64, 8},
};

const bp_tensor_type_info *bp_tensor_type_find(bp_tensor_type type)
{
    return (unsigned)type < sizeof types / sizeof *types ? &types[type] : NULL;
}

/* A dimension of 0 makes the others' product 0, however large it is. */
static bool count_elements(size_t n_dimensions, const size_t *shape, size_t *count)
{
    *count = 1;
    for (size_t i = 0; i < n_dimensions; i++) {
        if (shape[i] == 0) {
            *count = 0;
            return true;
        }
    }
    for (size_t i = 0; i < n_dimensions; i++) {
        if (!bp_multiply(*count, shape[i], count)) {
            return false;
        }
    }
    return true;
}

bool bp_tensor_size(bp_tensor_type type, size_t n_dimensions, const size_t *shape, size_t *size)
{
    unsigned bits = types[type].bits;
    bool whole_bytes = bits % 8 == 0;
    size_t count, total;
    if (!count_elements(n_dimensions, shape, &count) || !bp_multiply(count, whole_bytes ? bits / 8 : bits, &total)) {
        return false;
    }
    *size = whole_bytes ? total : total / 8;
    return whole_bytes || total % 8 == 0;
}

void bp_swap_bytes(void *out, const void *in, size_t size, unsigned width)
{
    unsigned char *to = out;
    const unsigned char *from = in;
    for (size_t i = 0; i + width <= size; i += width) {
        unsigned char number[8];
        memcpy(number, from + i, width);
        for (size_t k = 0; k < width; k++) {
            to[i + k] = number[width - 1 - k];
        }
    }
}

bp_tensors *bp_tensors_create(void)
{
    return calloc(1, sizeof(bp_tensors));
}

void bp_tensors_destroy(bp_tensors *tensors)
{
    if (!tensors) {
        return;
    }
    for (size_t i = 0; i < tensors->n_texts; i++) {
        free(tensors->texts[i].key);
        free(tensors->texts[i].value);
    }
    for (size_t i = 0; i < tensors->n_tensors; i++) {
        free(tensors->tensors[i].name);
        free(tensors->tensors[i].copy);
    }
    free(tensors->texts);
    free(tensors->tensors);
    free(tensors->by_name);
    bp_tensors_file_close(tensors->file);
    free(tensors);
}

/* An array of n elements with room for one more: its room is always a power of two. NULL, and the array as it was: out of memory. */
static void *grow(void *array, size_t n, size_t size)
{
    bool full = (n & (n - 1)) == 0;
    size_t bytes;
    return !full ? array : bp_multiply(n ? 2 * n : 1, size, &bytes) ? realloc(array, bytes) : NULL;
}

bool bp_tensors_add_text(bp_tensors *tensors, const char *key, const char *value)
{
    bp_tensor_text *texts = grow(tensors->texts, tensors->n_texts, sizeof *texts);
    if (!texts) {
        return false;
    }
    tensors->texts = texts;
    bp_tensor_text text = {strdup(key), strdup(value)};
    if (!text.key || !text.value) {
        free(text.key);
        free(text.value);
        return false;
    }
    texts[tensors->n_texts++] = text;
    return true;
}

bool bp_tensors_add(bp_tensors *tensors, const char *name, bp_tensor_type type, size_t n_dimensions, const size_t *shape, const void *data)
{
    bp_tensor tensor = {.type = type, .n_dimensions = n_dimensions, .data = data};
    if (n_dimensions > BP_TENSOR_MAX_DIMENSIONS || !bp_tensor_size(type, n_dimensions, shape, &tensor.size)) {
        return false;
    }
    bp_tensor *grown = grow(tensors->tensors, tensors->n_tensors, sizeof *grown);
    if (!grown) {
        return false;
    }
    tensors->tensors = grown;
    tensor.name = strdup(name);
    if (!tensor.name) {
        return false;
    }
    for (size_t i = 0; i < n_dimensions; i++) {
        tensor.shape[i] = shape[i];
    }
    grown[tensors->n_tensors++] = tensor;
    return true;
}

const char *bp_tensors_text(const bp_tensors *tensors, const char *key)
{
    for (size_t i = 0; i < tensors->n_texts; i++) {
        if (strcmp(tensors->texts[i].key, key) == 0) {
            return tensors->texts[i].value;
        }
    }
    return NULL;
}

bool bp_tensors_text_at(const bp_tensors *tensors, size_t index, const char **key, const char **value)
{
    if (index >= tensors->n_texts) {
        return false;
    }
    *key = tensors->texts[index].key;
    *value = tensors->texts[index].value;
    return true;
}

static const bp_tensor *find_sorted(const bp_tensors *tensors, const char *name)
{
    size_t low = 0, high = tensors->n_tensors;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, tensors->by_name[middle]->name);
        if (order == 0) {
            return tensors->by_name[middle];
        }
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return NULL;
}

const bp_tensor *bp_tensors_get(const bp_tensors *tensors, const char *name)
{
    if (tensors->by_name) {
        return find_sorted(tensors, name);
    }
    for (size_t i = 0; i < tensors->n_tensors; i++) {
        if (strcmp(tensors->tensors[i].name, name) == 0) {
            return &tensors->tensors[i];
        }
    }
    return NULL;
}

const void *bp_tensors_find(const bp_tensors *tensors, const char *name, bp_tensor_type type, size_t n_dimensions, const size_t *shape)
{
    const bp_tensor *tensor = bp_tensors_get(tensors, name);
    if (!tensor || tensor->type != type || tensor->n_dimensions != n_dimensions) {
        return NULL;
    }
    for (size_t i = 0; i < n_dimensions; i++) {
        if (tensor->shape[i] != shape[i]) {
            return NULL;
        }
    }
    return tensor->data;
}
