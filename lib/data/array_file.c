#define _POSIX_C_SOURCE 200809L

#include "data/array_file.h"

#include "core/memory.h"
#include "data/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Samples and their width from the dimensions, and how many bytes of numbers these are. */
static bp_status count(bp_stream *stream, bp_array_header *header, size_t *bytes)
{
    header->n = header->dimensions[0];
    header->width = 1;
    bool fits = true;
    for (size_t i = 1; i < header->n_dimensions; i++) {
        fits = fits && bp_multiply(header->width, header->dimensions[i], &header->width);
    }
    if (fits && (header->n == 0 || header->width == 0)) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "one of its dimensions is 0: there are no numbers");
    }
    fits = fits && bp_multiply(header->n, header->width, bytes) && bp_multiply(*bytes, bp_element_size(header->element), bytes);
    if (!fits || *bytes > PTRDIFF_MAX) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "its dimensions are of more bytes than an address can count");
    }
    return BP_OK;
}

static bp_status fail_size(bp_stream *stream, const bp_array_header *header, size_t expected, uint64_t found)
{
    return bp_stream_fail(stream, BP_ERROR_FORMAT, "its header says %zu × %zu numbers (%s), which are %zu bytes; %s%ju follow", header->n,
                          header->width, bp_element_name(header->element), expected, found < expected ? "only " : "", (uintmax_t)found);
}

/* The numbers of gzip data, or of memory: as many as come, for what a header says may be anything. */
static bp_storage *read_numbers(bp_stream *stream, const bp_array_header *header, size_t expected)
{
    bp_buffer numbers = {0};
    stream->at += header->offset;
    do {
        size_t n = stream->end - stream->at;
        if (!bp_buffer_append(&numbers, stream->buffer + stream->at, n)) {
            bp_stream_fail_memory(stream);
        }
        stream->at = stream->end;
    } while (numbers.size <= expected && bp_stream_more(stream));
    if (stream->status == BP_OK && numbers.size != expected) {
        fail_size(stream, header, expected, numbers.size);
    }
    void *bytes = bp_buffer_take(&numbers);
    bp_storage *storage = stream->status == BP_OK ? bp_storage_own(bytes, stream->name) : NULL;
    if (!storage) {
        free(bytes);
        bp_stream_fail_memory(stream);
    }
    return storage;
}

static bp_storage *map(bp_stream *stream, const bp_array_header *header, size_t expected)
{
    uint64_t found = stream->size - header->offset;
    if (found != expected) {
        fail_size(stream, header, expected, found);
        return NULL;
    }
    bp_storage *storage = bp_storage_map(stream->file, (size_t)stream->size, stream->name);
    if (!storage && errno == ENOMEM) {
        bp_stream_fail_memory(stream);
    } else if (!storage) {
        bp_stream_fail(stream, BP_ERROR_IO, "its %ju bytes cannot be mapped", (uintmax_t)stream->size);
    }
    return storage;
}

/* Where, from the first number of a sample on, the one lies that is its number j in C's order, counted in samples. */
static size_t place_of(const bp_array_header *header, size_t j)
{
    size_t place = 0, stride = header->width;
    for (size_t d = 1; d < header->n_dimensions; d++) {
        /* C's order: the last index is the fastest */
        stride /= header->dimensions[d];
        size_t index = j / stride % header->dimensions[d], before = 1;
        for (size_t k = 1; k < d; k++) {
            before *= header->dimensions[k];
        }
        place += index * before;
    }
    return place;
}

/* A copy in C's order, some samples at a time, so that the lines of both stay in the cache. */
static bp_storage *reorder(bp_stream *stream, const bp_array_header *header, const unsigned char *from, size_t bytes)
{
    enum { SAMPLES = 64 };
    size_t size = bp_element_size(header->element), n = header->n, width = header->width;
    unsigned char *to = malloc(bytes); /* NOLINT(clang-analyzer-optin.portability.UnixAPI): there are numbers, says count */
    size_t *places = bp_allocate(width, sizeof *places);
    bp_storage *storage = to && places ? bp_storage_own(to, stream->name) : NULL;
    if (storage) {
        for (size_t j = 0; j < width; j++) {
            places[j] = place_of(header, j);
        }
        for (size_t first = 0; first < n; first += SAMPLES) {
            size_t end = n - first < SAMPLES ? n : first + SAMPLES;
            for (size_t j = 0; j < width; j++) {
                for (size_t i = first; i < end; i++) {
                    memcpy(to + (i * width + j) * size, from + (places[j] * n + i) * size, size);
                }
            }
        }
    } else {
        free(to);
        bp_stream_fail_memory(stream);
    }
    free(places);
    return storage;
}

bp_status bp_array_read(bp_stream *stream, bp_array_header *header, bp_file_rows *rows)
{
    const unsigned char *start = stream->buffer + stream->at;
    size_t bytes = 0;
    (bp_is_npy(start, stream->end - stream->at) ? bp_npy_header : bp_idx_header)(stream, header);
    if (stream->status != BP_OK || count(stream, header, &bytes) != BP_OK) {
        return stream->status;
    }
    bool mapped = stream->file >= 0 && !stream->is_packed;
    bp_storage *storage = mapped ? map(stream, header, bytes) : read_numbers(stream, header, bytes);
    if (!storage) {
        return stream->status;
    }
    const unsigned char *first = bp_storage_bytes(storage) + (mapped ? header->offset : 0);
    if (header->column_major && header->width > 1) {
        bp_storage *reordered = reorder(stream, header, first, bytes);
        bp_storage_release(storage);
        if (!reordered) {
            return stream->status;
        }
        storage = reordered;
        first = bp_storage_bytes(storage);
    }
    *rows = (bp_file_rows){.storage = storage, .first = first, .element = header->element, .swapped = header->swapped};
    return BP_OK;
}
