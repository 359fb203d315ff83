/* Files that are read from their begin to their end, and replaced whole or not at all. function and path are what the sentence of a failure starts with. */
#ifndef BP_CORE_FILE_H
#define BP_CORE_FILE_H

#include "bp/status.h"

#include <stdbool.h>
#include <stddef.h>

/* A part of what is written. */
typedef struct bp_piece {
    const void *bytes;
    size_t size;
} bp_piece;

/*
 * Puts a file with these pieces in the place of path, so that at any time, whatever ends the program or the machine, path is the old file or
 * the new one whole. Where path is a symbolic link, the file behind it is replaced, and the link stays. A new file has the permissions that
 * open gives, another one keeps those it has. What is neither a regular file nor a link to one is refused.
 *
 * The new file is written beside the old one as NAME.saving-N, N from 0, and locked (flock) meanwhile: two savers take different N, and what a
 * killed one has left is found unlocked and removed by the next. A failure leaves the old file and no other; there is one exception: when only
 * the folder cannot be flushed to the disk, the new file is already in its place.
 */
bp_status bp_file_replace(const char *function, const char *path, size_t n_pieces, const bp_piece *pieces);

/* The same for content that is made while it is written: produce gives it to bp_file_write bit by bit, and returns false when that does. */
typedef struct bp_file_sink bp_file_sink;
bp_status bp_file_replace_by(const char *function, const char *path, bool (*produce)(const void *content, bp_file_sink *sink),
                             const void *content);
bool bp_file_write(bp_file_sink *sink, const void *bytes, size_t size); /* false with errno */

/* Bytes that are read one after the other: of a file, or of memory. */
typedef struct bp_source {
    const char *function, *path;
    int file; /* −1: it is memory */
    const unsigned char *bytes;
    size_t size, at;
} bp_source;

/* A regular file, and nothing else. A source of memory needs no closing. */
bp_status bp_source_open(bp_source *source, const char *function, const char *path);
bp_source bp_source_of_memory(const char *function, const char *path, const void *bytes, size_t size);
void bp_source_close(bp_source *source);

/*
 * The next size bytes, of which the caller knows that source->size has them, and whether that was all. A file whose size changes meanwhile is
 * refused by either.
 */
bp_status bp_source_read(bp_source *source, void *bytes, size_t size);
bp_status bp_source_end(bp_source *source);

/* A file whole; *bytes is freed by free, and not NULL if the file is empty. */
bp_status bp_file_read(const char *function, const char *path, unsigned char **bytes, size_t *size);

#endif
