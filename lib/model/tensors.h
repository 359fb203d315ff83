/* What reader and writer of safetensors share: the tensors in memory, their types, and the order of bytes. */
#ifndef BP_MODEL_TENSORS_H
#define BP_MODEL_TENSORS_H

#include "model/safetensors.h"

/* The specification's limit for the header. */
enum { BP_TENSORS_MAX_HEADER = 100000000, BP_TENSORS_LENGTH_BYTES = 8 };

#define BP_TENSORS_METADATA "__metadata__"
#define BP_TENSORS_CHECKSUM "crc32"

/* Files are little-endian. */
enum { BP_TENSORS_SWAPPED = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, BP_TENSORS_CHECKSUM_DIGITS = 8 };

typedef struct bp_tensor_text {
    char *key, *value;
    size_t place; /* of the key, in the header that it was read from */
} bp_tensor_text;

struct bp_tensors {
    bp_tensor_text *texts;
    size_t n_texts;
    bp_tensor *tensors;
    size_t n_tensors;
    const bp_tensor **by_name; /* in the order of their names, if they were read; NULL: they are still added to */
    unsigned char *file;       /* the bytes read, which the tensors' data points into; NULL: they are somebody else's */
};

typedef struct bp_tensor_type_info {
    const char *name;
    unsigned bits;  /* of an element */
    unsigned width; /* bytes of the number or numbers that it is made of: what is aligned, and swapped on big-endian machines */
} bp_tensor_type_info;

/* NULL: there is no such type. */
const bp_tensor_type_info *bp_tensor_type_find(bp_tensor_type type);

/* The bytes of a tensor of this type and shape; false: they do not fit into memory, or do not end with a byte. */
bool bp_tensor_size(bp_tensor_type type, size_t n_dimensions, const size_t *shape, size_t *size);

/* Copies numbers of width bytes, each with its bytes in reverse order. */
void bp_swap_bytes(void *out, const void *in, size_t size, unsigned width);

#endif
