/*
 * IDX, the format of MNIST (LeCun, Cortes, Burges, "The MNIST database of handwritten digits"): two zero bytes, the type of the numbers,
 * how many dimensions, these as 32 bits each, the numbers; all with the first byte first.
 */
#include "data/array_file.h"

bool bp_is_idx(const unsigned char *bytes, size_t n)
{
    return n >= 4 && bytes[0] == 0 && bytes[1] == 0;
}

static bool element_of(unsigned type, bp_element *element)
{
    switch (type) {
    case 0x08:
        *element = BP_ELEMENT_U8;
        return true;
    case 0x09:
        *element = BP_ELEMENT_I8;
        return true;
    case 0x0B:
        *element = BP_ELEMENT_I16;
        return true;
    case 0x0C:
        *element = BP_ELEMENT_I32;
        return true;
    case 0x0D:
        *element = BP_ELEMENT_F32;
        return true;
    case 0x0E:
        *element = BP_ELEMENT_F64;
        return true;
    default:
        return false;
    }
}

bp_status bp_idx_header(bp_stream *stream, bp_array_header *header)
{
    const unsigned char *bytes = stream->buffer + stream->at;
    if (!element_of(bytes[2], &header->element)) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT,
                              "byte 2 is 0x%02x; in an IDX file it is the type of the numbers: 08, 09, 0b, 0c, 0d or 0e", bytes[2]);
    }
    size_t n = bytes[3];
    if (n < 1 || n > BP_ARRAY_MAX_DIMENSIONS) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "byte 3, the number of dimensions, is %zu; it can be 1 to %d", n,
                              BP_ARRAY_MAX_DIMENSIONS);
    }
    header->offset = 4 + 4 * n;
    if (stream->end - stream->at < header->offset) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "the file ends within its %zu dimensions", n);
    }
    for (size_t i = 0; i < n; i++) {
        const unsigned char *at = bytes + 4 + 4 * i;
        header->dimensions[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    header->n_dimensions = n;
    header->swapped = bp_is_little_endian();
    header->column_major = false;
    return BP_OK;
}
