#define _GNU_SOURCE /* memfd_create, mkdtemp */

#include "fuzz/harness.h"

#include "core/utf8.h"
#include "data/stream.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

bool accepted;

void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s is not the case; the library's latest sentence: %s\n", what, bp_last_error());
        abort();
    }
}

bool succeeded(const char *function, bp_status status)
{
    if (status == BP_OK) {
        accepted = true;
        return true;
    }
    size_t n = strlen(function);
    const char *sentence = bp_last_error();
    check(bp_status_name(status), "that what is returned is a status");
    check(strncmp(sentence, function, n) == 0 && strncmp(sentence + n, ": ", 2) == 0 && sentence[n + 2] != '\0',
          "that the sentence starts with the function's name");
    check(bp_is_utf8(sentence), "that the sentence is UTF-8");
    for (const char *at = sentence; *at; at++) {
        check((unsigned char)*at >= ' ' && *at != 0x7F, "that the sentence has no control characters");
    }
    return false;
}

bool made(const char *function, bp_status status, const void *object)
{
    bool done = succeeded(function, status);
    check(done == (object != NULL), "that there is an object if and only if the status is BP_OK");
    return done;
}

memory_file open_file(const void *bytes, size_t size)
{
    memory_file made_file = {.file = memfd_create("input", MFD_CLOEXEC)};
    check(made_file.file >= 0 && write(made_file.file, bytes, size) == (ssize_t)size, "that a file in memory can be written");
    snprintf(made_file.path, sizeof made_file.path, "/proc/self/fd/%d", made_file.file);
    return made_file;
}

void close_file(const memory_file *file)
{
    close(file->file);
}

static char folder[256];

static void remove_folder(void)
{
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));) {
        if (file->d_name[0] != '.') {
            remove(path_of(file->d_name));
        }
    }
    if (files) {
        closedir(files);
    }
    rmdir(folder);
}

const char *path_of(const char *name)
{
    static char path[sizeof folder + NAME_MAX + 2];
    if (!*folder) {
        const char *parent = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/bp-fuzz-XXXXXX", parent ? parent : "/tmp");
        check(mkdtemp(folder), "that a temporary folder can be made");
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

unsigned char *pack(const uint8_t *bytes, size_t size, size_t *packed_size)
{
    enum { GZIP = 16, MEMORY_LEVEL = 8 };
    z_stream z = {0};
    check(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK,
          "that zlib works");
    size_t room = deflateBound(&z, size);
    unsigned char *packed = malloc(room);
    check(packed, "that there is memory");
    z.next_in = (z_const Bytef *)bytes;
    z.avail_in = (uInt)size;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    check(deflate(&z, Z_FINISH) == Z_STREAM_END, "that zlib packs");
    *packed_size = z.total_out;
    deflateEnd(&z);
    return packed;
}

uint8_t *stretch(const uint8_t *bytes, size_t size, size_t *stretched_size)
{
    const uint8_t *line_end = memchr(bytes, '\n', size);
    size_t first = line_end ? (size_t)(line_end - bytes) + 1 : 0, more = BP_STREAM_ROOM - size / 2;
    uint8_t *stretched = malloc(size + more);
    check(stretched, "that there is memory");
    memcpy(stretched, bytes, first);
    memset(stretched + first, '\n', more);
    memcpy(stretched + first + more, bytes + first, size - first);
    *stretched_size = size + more;
    return stretched;
}

uint8_t *copy_with_magic(const uint8_t *bytes, size_t size, const char *magic, size_t magic_size)
{
    uint8_t *copy = malloc(size ? size : 1);
    check(copy, "that there is memory");
    memcpy(copy, bytes, size);
    memcpy(copy, magic, size < magic_size ? size : magic_size);
    return copy;
}
