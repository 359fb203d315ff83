/*
 * Named tensors and texts, and the file format for them: safetensors (huggingface/safetensors, README.md, "Format").
 *
 * A file is the length N of the header (8 bytes, little-endian), the header, a JSON object of N bytes, and the data. The header's member
 * "__metadata__" maps texts to texts; each other one is a tensor {"dtype", "shape", "data_offsets": [begin, end]}, offsets counted from the
 * start of the data, which the tensors cover without gaps and in little-endian order.
 *
 * What this library writes: texts and tensors in the order in which they were added; the header padded with spaces to a multiple of 8 bytes,
 * and the data of wide elements before that of narrower ones, so that each tensor is aligned; and, as the first text, the checksum "crc32":
 * 8 hexadecimal digits, zlib's crc32 of the whole file with "00000000" in their place. Equal contents are equal files.
 *
 * In the functions below, function and path are what the sentence of a failure starts with.
 */
#ifndef BP_MODEL_SAFETENSORS_H
#define BP_MODEL_SAFETENSORS_H

#include "bp/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Named as in the files. */
typedef enum bp_tensor_type {
    BP_TENSOR_BOOL,
    BP_TENSOR_F4,
    BP_TENSOR_F6_E2M3,
    BP_TENSOR_F6_E3M2,
    BP_TENSOR_U8,
    BP_TENSOR_I8,
    BP_TENSOR_F8_E5M2,
    BP_TENSOR_F8_E4M3,
    BP_TENSOR_F8_E8M0,
    BP_TENSOR_I16,
    BP_TENSOR_U16,
    BP_TENSOR_F16,
    BP_TENSOR_BF16,
    BP_TENSOR_I32,
    BP_TENSOR_U32,
    BP_TENSOR_F32,
    BP_TENSOR_C64,
    BP_TENSOR_F64,
    BP_TENSOR_I64,
    BP_TENSOR_U64
} bp_tensor_type;

enum { BP_TENSOR_MAX_DIMENSIONS = 8 };

typedef struct bp_tensor {
    char *name;
    bp_tensor_type type;
    size_t n_dimensions, shape[BP_TENSOR_MAX_DIMENSIONS]; /* no dimensions: one element; a dimension of 0: none */
    const void *data;                                     /* in the byte order of this machine */
    size_t size;                                          /* of the data, in bytes */
    void *copy;                                           /* what data points to, where it could not stay in the file's own bytes */
    size_t place;                                         /* of its name, in the header that it was read from */
} bp_tensor;

typedef struct bp_tensors bp_tensors;

bp_tensors *bp_tensors_create(void); /* NULL: out of memory */
void bp_tensors_destroy(bp_tensors *tensors);

/* Copies both; false: out of memory. The key "crc32" is not the caller's. */
bool bp_tensors_add_text(bp_tensors *tensors, const char *key, const char *value);

/* Copies all but the data, which must stay until it is saved; false: out of memory. At most BP_TENSOR_MAX_DIMENSIONS. */
bool bp_tensors_add(bp_tensors *tensors, const char *name, bp_tensor_type type, size_t n_dimensions, const size_t *shape, const void *data);

/* Replaces the file (bp_file_replace). Two of one name, and texts that are not UTF-8, are BP_ERROR_ARGUMENT. */
bp_status bp_tensors_save(const char *function, const bp_tensors *tensors, const char *path);

/* The same bytes as a new block, freed by free. */
bp_status bp_tensors_save_memory(const char *function, const bp_tensors *tensors, unsigned char **bytes, size_t *size);

/*
 * Reads any file, and returns tensors that are whole, or a status. A checksum is verified where there is one, and asked for if
 * checksum_required, without which a damaged file may pass in one case: that the damage is in the key "crc32" itself.
 */
bp_status bp_tensors_load(const char *function, const char *path, bool checksum_required, bp_tensors **tensors);

/* The same from a block, which must stay as long as the tensors; path is what it is called in sentences. */
bp_status bp_tensors_load_memory(const char *function, const char *path, const unsigned char *bytes, size_t size, bool checksum_required,
                                 bp_tensors **tensors);

/* The text of this key; NULL: there is none. The checksum is not among them. */
const char *bp_tensors_text(const bp_tensors *tensors, const char *key);

/* The texts one after the other, in the file's order; false: there are no more. */
bool bp_tensors_text_at(const bp_tensors *tensors, size_t index, const char **key, const char **value);

/* The tensor of this name; NULL: there is none. */
const bp_tensor *bp_tensors_get(const bp_tensors *tensors, const char *name);

/* The data, aligned for its type, of the tensor of this name, type and shape; NULL: there is none. */
const void *bp_tensors_find(const bp_tensors *tensors, const char *name, bp_tensor_type type, size_t n_dimensions, const size_t *shape);

#endif
