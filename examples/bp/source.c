#include "source.h"

#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* Of what is read: the first piece, and all of a stream, which might never end. */
enum { FIRST_PIECE = 1 << 16, MOST_MIB = 512, MOST = MOST_MIB << 20 };

/* ---- bytes ---- */

/* Reads at least most bytes, unless it ends before, into new memory; false with errno set. */
static bool read_bytes(FILE *file, size_t most, unsigned char **bytes, size_t *size)
{
    size_t capacity = 0;
    *size = 0;
    while (!feof(file) && *size < most) {
        if (*size == capacity) {
            capacity = capacity ? 2 * capacity : FIRST_PIECE;
            unsigned char *more = realloc(*bytes, capacity);
            if (!more) {
                return false;
            }
            *bytes = more;
        }
        *size += fread(*bytes + *size, 1, capacity - *size, file);
        if (ferror(file)) {
            return false;
        }
    }
    return true;
}

/* What can be unpacked of the first bytes of a gzip file; false without memory. */
static bool unpack(unsigned char *bytes, size_t size, char *text, size_t *text_size)
{
    z_stream stream = {.next_in = bytes, .avail_in = (uInt)size, .next_out = (unsigned char *)text};
    stream.avail_out = SOURCE_HEAD;
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        return false;
    }
    bool has_memory = inflate(&stream, Z_SYNC_FLUSH) != Z_MEM_ERROR;
    inflateEnd(&stream);
    *text_size = SOURCE_HEAD - stream.avail_out;
    return has_memory;
}

static bool make_head(source *s, unsigned char *bytes, size_t size)
{
    bool has_memory = true;
    size = size < SOURCE_HEAD ? size : SOURCE_HEAD;
    if (size > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
        has_memory = unpack(bytes, size, s->head, &s->head_size);
    } else if (size > 0) {
        memcpy(s->head, bytes, size);
        s->head_size = size;
    }
    s->head[s->head_size] = '\0';
    if (!has_memory) {
        complain("%s: out of memory", s->path);
    }
    return has_memory;
}

/* ---- open ---- */

static bool read_stream(source *s, FILE *stream)
{
    if (!stream || !read_bytes(stream, MOST + 1, &s->bytes, &s->size)) {
        complain("%s: %s", s->path, strerror(errno));
        return false;
    }
    if (s->size > MOST) {
        complain("%s: it has more than %d MiB, which only a file can have", s->path, MOST_MIB);
        return false;
    }
    return make_head(s, s->bytes, s->size);
}

/* Not without it: what the columns are is told by the head, and guessed otherwise the net would be another one. */
static bool read_head(source *s)
{
    FILE *file = fopen(s->path, "rb");
    unsigned char *bytes = NULL;
    size_t size = 0;
    bool done = file && read_bytes(file, SOURCE_HEAD, &bytes, &size);
    if (!done) {
        complain("%s: %s", s->path, strerror(errno));
    }
    done = done && make_head(s, bytes, size);
    if (file) {
        fclose(file);
    }
    free(bytes);
    return done;
}

bool source_open(source *s, const char *path)
{
    struct stat about;
    bool is_standard_input = strcmp(path, "-") == 0, done = true;
    *s = (source){.path = is_standard_input ? "standard input" : path, .head = calloc(1, SOURCE_HEAD + 1)};
    if (!s->head) {
        complain("out of memory");
        return false;
    }
    if (is_standard_input) {
        return read_stream(s, stdin);
    }
    if (stat(path, &about) != 0) { /* one that is not there reading will call so */
        done = errno == ENOENT || errno == ENOTDIR;
        if (!done) {
            complain("%s: %s", path, strerror(errno));
        }
    } else if (S_ISFIFO(about.st_mode)) { /* a shell's <(COMMAND), say */
        FILE *stream = fopen(path, "rb");
        done = read_stream(s, stream);
        if (stream) {
            fclose(stream);
        }
    } else if (S_ISREG(about.st_mode)) {
        done = read_head(s);
    }
    return done;
}

void source_close(source *s)
{
    free(s->bytes);
    free(s->head);
}

/* ---- read ---- */

/* FANN's data begins with three whole numbers and no comma. */
static bool is_fann_data(const char *head)
{
    size_t words = 0;
    const char *at = head;
    for (bool in_word = false; *at && *at != '\n'; at++) {
        if (!isdigit((unsigned char)*at) && !isspace((unsigned char)*at)) {
            return false;
        }
        words += isdigit((unsigned char)*at) && !in_word;
        in_word = isdigit((unsigned char)*at);
    }
    return words == 3 && *at == '\n';
}

bool source_is_csv(const source *s)
{
    bool is_npy = s->head_size >= 6 && memcmp(s->head, "\x93NUMPY", 6) == 0;
    bool is_idx = s->head_size >= 4 && s->head[0] == 0 && s->head[1] == 0;
    return !is_npy && !is_idx && !is_fann_data(s->head);
}

bp_status source_read_csv(const source *s, const bp_csv_reader *reader, bp_dtype dtype, bp_dataset **dataset)
{
    return s->bytes ? bp_csv_reader_read_memory(reader, dtype, s->bytes, s->size, dataset)
                    : bp_csv_reader_read(reader, dtype, s->path, dataset);
}

bp_status source_read(const source *s, bp_dtype dtype, bp_dataset **dataset)
{
    return s->bytes ? bp_dataset_read_memory(dataset, s->bytes, s->size, dtype) : bp_dataset_read(dataset, s->path, dtype);
}
