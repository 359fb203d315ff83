#define _POSIX_C_SOURCE 200809L /* mmap */

#include "data/storage.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct bp_storage {
    atomic_size_t users;
    void *bytes;
    size_t mapped; /* size of the mapping; 0: memory */
    char name[];
};

static bp_storage *make(void *bytes, size_t mapped, const char *name)
{
    bp_storage *made = malloc(sizeof *made + strlen(name) + 1);
    if (made) {
        atomic_init(&made->users, 1);
        made->bytes = bytes;
        made->mapped = mapped;
        strcpy(made->name, name);
    }
    return made;
}

bp_storage *bp_storage_map(int file, size_t size, const char *name)
{
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        return NULL;
    }
    bp_storage *made = make(bytes, size, name);
    if (!made) {
        munmap(bytes, size);
        errno = ENOMEM;
    }
    return made;
}

bp_storage *bp_storage_own(void *bytes, const char *name)
{
    return make(bytes, 0, name);
}

bp_storage *bp_storage_share(bp_storage *storage)
{
    if (storage) {
        atomic_fetch_add(&storage->users, 1);
    }
    return storage;
}

void bp_storage_release(bp_storage *storage)
{
    if (storage && atomic_fetch_sub(&storage->users, 1) == 1) {
        if (storage->mapped) {
            munmap(storage->bytes, storage->mapped);
        } else {
            free(storage->bytes);
        }
        free(storage);
    }
}

const unsigned char *bp_storage_bytes(const bp_storage *storage)
{
    return storage->bytes;
}

const char *bp_storage_name(const bp_storage *storage)
{
    return storage->name;
}
