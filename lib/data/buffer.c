#include "data/buffer.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_CAPACITY = 4096 };

bool bp_buffer_reserve(bp_buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->size) {
        return true;
    }
    size_t needed;
    if (!bp_add(buffer->size, more, &needed) || needed > PTRDIFF_MAX / 2) {
        return false;
    }
    size_t capacity = needed < LEAST_CAPACITY ? LEAST_CAPACITY : needed + needed / 2;
    char *grown = realloc(buffer->bytes, capacity);
    if (!grown) {
        return false;
    }
    buffer->bytes = grown;
    buffer->capacity = capacity;
    return true;
}

bool bp_buffer_append(bp_buffer *buffer, const void *bytes, size_t n)
{
    if (!bp_buffer_reserve(buffer, n)) {
        return false;
    }
    if (n > 0) {
        memcpy(buffer->bytes + buffer->size, bytes, n);
    }
    buffer->size += n;
    return true;
}

void *bp_buffer_take(bp_buffer *buffer)
{
    bp_buffer taken = *buffer;
    *buffer = (bp_buffer){0};
    if (taken.size == 0) {
        free(taken.bytes);
        return NULL;
    }
    void *shrunk = realloc(taken.bytes, taken.size);
    return shrunk ? shrunk : taken.bytes;
}
