/* Bytes that several datasets share: a mapped file, or memory. They do not change. */
#ifndef BP_DATA_STORAGE_H
#define BP_DATA_STORAGE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bp_storage bp_storage;

/* Maps a file of this size, open for reading; it can be closed after. NULL, with errno, if that fails. name is copied. */
bp_storage *bp_storage_map(int file, size_t size, const char *name);

/* Takes bytes, which free ends; NULL without memory, and they stay the caller's. */
bp_storage *bp_storage_own(void *bytes, const char *name);

/* One more, one less who uses it; NULL is allowed. From any thread. */
bp_storage *bp_storage_share(bp_storage *storage);
void bp_storage_release(bp_storage *storage);

const unsigned char *bp_storage_bytes(const bp_storage *storage);

/* The path of the file they are from. */
const char *bp_storage_name(const bp_storage *storage);

#endif
