/* What reader and writer of safetensors share: the tensors in memory, their types, and the order of bytes. */
#ifndef BP_MODEL_TENSORS_H
#define BP_MODEL_TENSORS_H

#include "model/safetensors.h"

/* The limit for the header: JSON can need 50 times its text's size of memory, and the specification's own, 100 MB, would be 5 GB. */
enum { BP_TENSORS_MAX_HEADER = 16000000, BP_TENSORS_LENGTH_BYTES = 8 };

#define BP_TENSORS_METADATA "__metadata__"
#define BP_TENSORS_CHECKSUM "crc32"

/* Files are little-endian. */
enum { BP_TENSORS_SWAPPED = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, BP_TENSORS_CHECKSUM_DIGITS = 8 };

typedef struct bp_tensor_text {
    char *key, *value;
} bp_tensor_text;

struct bp_tensors {
    bp_tensor_text *texts;
    size_t n_texts;
    bp_tensor *tensors;
    size_t n_tensors;
    const bp_tensor **by_name;    /* in the order of their names, if they were read; NULL: they are still added to */
    struct bp_tensors_file *file; /* of which they are, until their data has been read; or NULL */
};

void bp_tensors_file_close(struct bp_tensors_file *file); /* NULL is allowed */

typedef struct bp_tensor_type_info {
    const char *name;
    unsigned bits;  /* of an element */
    unsigned width; /* bytes of the number or numbers that it is made of: what is aligned, and swapped on big-endian machines */
} bp_tensor_type_info;

/* NULL: there is no such type. */
const bp_tensor_type_info *bp_tensor_type_find(bp_tensor_type type);

/* The bytes of a tensor of this type and shape; false: they do not fit into memory, or do not end with a byte. */
bool bp_tensor_size(bp_tensor_type type, size_t n_dimensions, const size_t *shape, size_t *size);

/* Copies numbers of width bytes, at most 8, each with its bytes in reverse order; out may be in. */
void bp_swap_bytes(void *out, const void *in, size_t size, unsigned width);

#endif
