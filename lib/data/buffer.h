/* A growing array of bytes. */
#ifndef BP_DATA_BUFFER_H
#define BP_DATA_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bp_buffer {
    char *bytes; /* NULL at first; ended by free */
    size_t size, capacity;
} bp_buffer;

/* Room for so many bytes behind size; false without memory, and the buffer is as it was. */
bool bp_buffer_reserve(bp_buffer *buffer, size_t more);

/* Adds bytes; false without memory. */
bool bp_buffer_append(bp_buffer *buffer, const void *bytes, size_t n);

/* Gives the bytes away, without the room behind them; NULL if there are none. */
void *bp_buffer_take(bp_buffer *buffer);

#endif
