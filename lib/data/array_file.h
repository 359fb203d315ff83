/*
 * Files that are one array of numbers behind a header: IDX and NPY. The first dimension counts the samples, the product of the others their
 * numbers.
 */
#ifndef BP_DATA_ARRAY_FILE_H
#define BP_DATA_ARRAY_FILE_H

#include "data/dataset.h"
#include "data/elements.h"
#include "data/stream.h"

enum { BP_ARRAY_MAX_DIMENSIONS = 32 };

typedef struct bp_array_header {
    bp_element element;
    bool swapped;        /* not in this machine's byte order */
    bool column_major;   /* Fortran's order: the first index is the fastest */
    size_t n_dimensions; /* 1 or more */
    size_t dimensions[BP_ARRAY_MAX_DIMENSIONS];
    size_t offset;   /* of the first number in the file */
    size_t n, width; /* samples, and numbers of each */
} bp_array_header;

/* Whether a file that starts with these bytes is one. */
bool bp_is_idx(const unsigned char *bytes, size_t n);
bool bp_is_npy(const unsigned char *bytes, size_t n);

/*
 * Reads the header at the start of the stream's buffer, and nothing more: element, swapped, column_major, dimensions and offset. Returns
 * the stream's status: BP_ERROR_FORMAT, BP_ERROR_UNSUPPORTED.
 */
bp_status bp_idx_header(bp_stream *stream, bp_array_header *header);
bp_status bp_npy_header(bp_stream *stream, bp_array_header *header);

/*
 * The array of an opened stream with such a file, mapped where it can be; the rows' storage is the caller's. Returns the stream's status.
 */
bp_status bp_array_read(bp_stream *stream, bp_array_header *header, bp_file_rows *rows);

#endif
