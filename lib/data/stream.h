/*
 * The bytes of a regular file, or of a block of memory, as they pass through a buffer; unpacked, if they are gzip data. Nothing is mapped:
 * a file that shrinks meanwhile is refused.
 */
#ifndef BP_DATA_STREAM_H
#define BP_DATA_STREAM_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

/* What can be looked at together. */
enum { BP_STREAM_ROOM = 256 * 1024 };

typedef struct bp_stream {
    const char *function, *name; /* what a sentence starts with: the function, and the path or "memory" */
    bp_status status;            /* of the first failure, whose sentence is written */
    unsigned char *buffer;       /* one byte more than its room, so that what is in it can be ended with a NUL */
    size_t at, end;              /* bytes at … end − 1 of the buffer are still to be taken */
    bool ended;                  /* none come behind them */
    bool is_packed;              /* as gzip data */

    int file; /* −1: memory */
    const unsigned char *memory;
    uint64_t size, left;   /* of what is read from, as it lies there; left is memory's */
    uint64_t n_read;       /* from the file */
    unsigned char *packed; /* a buffer for the gzip data */
    z_stream z;
    uint64_t n_unpacked;
} bp_stream;

/*
 * Opens, and fills the buffer; the stream is released also after a failure. A path to what is not a regular file is refused, without
 * waiting for a FIFO's writer. The memory is the caller's.
 */
bp_status bp_stream_open(bp_stream *stream, const char *function, const char *path);
bp_status bp_stream_open_memory(bp_stream *stream, const char *function, const void *bytes, size_t size);
void bp_stream_release(bp_stream *stream);

/* Brings more bytes behind those that are still to be taken; false if none come, if there is no room, or after a failure. */
bool bp_stream_more(bp_stream *stream);

/* Drops what can be read. Of gzip data whose end has no right checksum, damage is the reason of a failure before. */
void bp_stream_drain(bp_stream *stream);

/* Writes the sentence "FUNCTION: NAME: …" and keeps the status, unless there was a failure before; returns the status. */
bp_status bp_stream_fail(bp_stream *stream, bp_status status, const char *format, ...) BP_PRINTF(3, 4);

bp_status bp_stream_fail_memory(bp_stream *stream);

#endif
