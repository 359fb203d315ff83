#define _POSIX_C_SOURCE 200809L

#include "data/stream.h"

#include "core/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Against gzip bombs: what is more than this, and more than so many times the packed bytes, is refused. */
static const uint64_t free_bytes = 256 << 20, largest_ratio = 100;

bp_status bp_stream_fail(bp_stream *stream, bp_status status, const char *format, ...)
{
    if (stream->status == BP_OK) {
        char text[256];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        stream->status = bp_fail(status, "%s: %.200s: %s", stream->function, stream->name, text);
    }
    return stream->status;
}

bp_status bp_stream_fail_memory(bp_stream *stream)
{
    return bp_stream_fail(stream, BP_ERROR_MEMORY, "out of memory");
}

static bp_status fail_system(bp_stream *stream, const char *action)
{
    char text[BP_SYSTEM_WORDS];
    return bp_stream_fail(stream, BP_ERROR_IO, "cannot %s: %s", action, bp_system_words(text));
}

/* Bytes as they lie in the file or in memory; fewer than room at the end only, or after a failure. */
static size_t read_raw(bp_stream *stream, unsigned char *to, size_t room)
{
    if (stream->file < 0) {
        size_t n = room < stream->left ? room : (size_t)stream->left;
        if (n > 0) {
            memcpy(to, stream->memory, n);
            stream->memory += n;
        }
        stream->left -= n;
        return n;
    }
    size_t done = 0;
    int cancel = bp_cancel_hold();
    while (done < room) {
        ssize_t taken = read(stream->file, to + done, room - done);
        if (taken == 0) {
            if (stream->n_read < stream->size) {
                bp_stream_fail(stream, BP_ERROR_IO, "its size changes while it is read: it had %ju bytes", (uintmax_t)stream->size);
            }
            break;
        }
        if (taken < 0 && errno != EINTR) {
            fail_system(stream, "read");
            break;
        }
        size_t n = taken > 0 ? (size_t)taken : 0;
        done += n;
        stream->n_read += n;
    }
    bp_cancel_release(cancel);
    return done;
}

/* One piece of gzip data is unpacked; there may be another behind it, and nothing else. False at the end of all. */
static bool next_member(bp_stream *stream)
{
    z_stream *z = &stream->z;
    if (z->avail_in < 2) {
        if (z->avail_in == 1) {
            stream->packed[0] = *z->next_in;
        }
        z->avail_in += (uInt)read_raw(stream, stream->packed + z->avail_in, BP_STREAM_ROOM - z->avail_in);
        z->next_in = stream->packed;
    }
    if (z->avail_in == 0) {
        return false;
    }
    if (z->avail_in < 2 || z->next_in[0] != 0x1F || z->next_in[1] != 0x8B) {
        bp_stream_fail(stream, BP_ERROR_IO, "bytes that are no gzip data follow the gzip data");
        return false;
    }
    inflateReset(z);
    return true;
}

static size_t unpack(bp_stream *stream, unsigned char *to, size_t room)
{
    z_stream *z = &stream->z;
    z->next_out = to;
    z->avail_out = (uInt)room;
    while (z->avail_out > 0 && stream->status == BP_OK && !stream->ended) {
        if (z->avail_in == 0) {
            z->avail_in = (uInt)read_raw(stream, stream->packed, BP_STREAM_ROOM);
            z->next_in = stream->packed;
        }
        int result = z->avail_in > 0 ? inflate(z, Z_NO_FLUSH) : Z_BUF_ERROR;
        if (result == Z_STREAM_END) {
            stream->ended = !next_member(stream);
        } else if (result == Z_MEM_ERROR) {
            bp_stream_fail_memory(stream);
        } else if (result != Z_OK) {
            bp_stream_fail(stream, BP_ERROR_IO, "the gzip data is %s", result == Z_BUF_ERROR ? "cut short" : "damaged");
        }
    }
    size_t n = room - z->avail_out;
    stream->n_unpacked += n;
    if (stream->n_unpacked > free_bytes && stream->n_unpacked / largest_ratio > stream->size) {
        bp_stream_fail(stream, BP_ERROR_IO,
                       "it unpacks to more than %u MiB, and to more than %u times its %ju bytes; unpack it before, if it is to",
                       (unsigned)(free_bytes >> 20), (unsigned)largest_ratio, (uintmax_t)stream->size);
    }
    return n;
}

bool bp_stream_more(bp_stream *stream)
{
    if (stream->at > 0) {
        memmove(stream->buffer, stream->buffer + stream->at, stream->end - stream->at);
        stream->end -= stream->at;
        stream->at = 0;
    }
    size_t room = BP_STREAM_ROOM - stream->end, n = 0;
    if (stream->status == BP_OK && !stream->ended && room > 0) {
        n = stream->is_packed ? unpack(stream, stream->buffer + stream->end, room) : read_raw(stream, stream->buffer + stream->end, room);
        stream->ended |= n < room && stream->status == BP_OK;
        stream->end += n;
    }
    return n > 0 && stream->status == BP_OK;
}

void bp_stream_drain(bp_stream *stream)
{
    bp_status status = stream->status;
    if (stream->is_packed && (status == BP_OK || status == BP_ERROR_FORMAT)) {
        stream->status = BP_OK;
        do {
            stream->at = stream->end;
        } while (bp_stream_more(stream));
        stream->status = stream->status == BP_OK ? status : stream->status;
    }
}

/* The buffer's first filling; gzip data is told by its first bytes. */
static bp_status begin(bp_stream *stream)
{
    stream->buffer = malloc(BP_STREAM_ROOM + 1);
    if (!stream->buffer) {
        return bp_stream_fail_memory(stream);
    }
    bp_stream_more(stream);
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): so many bytes have been read */
    if (stream->status == BP_OK && stream->end >= 2 && stream->buffer[0] == 0x1F && stream->buffer[1] == 0x8B) {
        stream->packed = stream->buffer;
        stream->z.next_in = stream->packed;
        stream->z.avail_in = (uInt)stream->end;
        stream->buffer = malloc(BP_STREAM_ROOM + 1);
        if (!stream->buffer || inflateInit2(&stream->z, MAX_WBITS + 16) != Z_OK) {
            return bp_stream_fail_memory(stream);
        }
        stream->is_packed = true;
        stream->ended = false;
        stream->end = 0;
        bp_stream_more(stream);
    }
    return stream->status;
}

static bp_status open_file(bp_stream *stream)
{
    int cancel = bp_cancel_hold();
    do {
        stream->file = open(stream->name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    } while (stream->file < 0 && errno == EINTR);
    bp_cancel_release(cancel);
    struct stat information;
    if (stream->file < 0 || fstat(stream->file, &information) != 0) {
        return fail_system(stream, "open");
    }
    if (!S_ISREG(information.st_mode)) {
        return bp_stream_fail(stream, BP_ERROR_IO, "it is %s", S_ISDIR(information.st_mode) ? "a directory" : "not a regular file");
    }
    stream->size = (uint64_t)information.st_size;
    return BP_OK;
}

bp_status bp_stream_open(bp_stream *stream, const char *function, const char *path)
{
    *stream = (bp_stream){.function = function, .name = path, .file = -1};
    return open_file(stream) == BP_OK ? begin(stream) : stream->status;
}

bp_status bp_stream_open_memory(bp_stream *stream, const char *function, const void *bytes, size_t size)
{
    *stream = (bp_stream){.function = function, .name = "memory", .file = -1, .memory = bytes, .size = size, .left = size};
    return begin(stream);
}

void bp_stream_release(bp_stream *stream)
{
    if (stream->is_packed) {
        inflateEnd(&stream->z);
    }
    if (stream->file >= 0) {
        int cancel = bp_cancel_hold();
        close(stream->file);
        bp_cancel_release(cancel);
    }
    free(stream->buffer);
    free(stream->packed);
}
