/* A file, plain or gzip, through libcsv into a table. */
#define _GNU_SOURCE /* newlocale */

#include "core/status.h"
#include "data/table.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 64 * 1024 };

/* Why the last system call failed, in words; not strerror, which may write to memory that all threads share. */
static void fail_system(bp_table *table, const char *action)
{
    char text[128] = "";
    const char *words = strerror_r(errno, text, sizeof text);
    bp_table_fail(table, BP_ERROR_IO, "cannot %s: %s", action, words);
}

/* Opens a file that is not a directory; NULL after a failure. */
static gzFile open_file(bp_table *table)
{
    int descriptor = open(table->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        fail_system(table, "open");
        return NULL;
    }
    struct stat information;
    if (fstat(descriptor, &information) == 0 && S_ISDIR(information.st_mode)) {
        close(descriptor);
        bp_table_fail(table, BP_ERROR_IO, "is a directory");
        return NULL;
    }
    gzFile file = gzdopen(descriptor, "rb");
    if (!file) {
        close(descriptor);
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
    }
    return file;
}

static void fail_parser(bp_table *table, struct csv_parser *parser)
{
    if (csv_error(parser) == CSV_EPARSE) {
        bp_table_fail(table, BP_ERROR_FORMAT, "row %zu, column %zu: a quote stands where none can, or is not closed", table->row,
                      table->column + 1);
    } else {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
    }
}

/*
 * Feeds the file to the parser, without a byte order mark at its start. A plain file is read up to the first mistake; a gzip file to its
 * end, where its checksum tells whether the mistake is the author's or comes from damage.
 */
static void parse_file(bp_table *table, gzFile file, struct csv_parser *parser, char *piece)
{
    int size;
    for (bool first = true; (table->status == BP_OK || !gzdirect(file)) && (size = gzread(file, piece, PIECE)) > 0; first = false) {
        if (table->status != BP_OK) {
            continue;
        }
        size_t skipped = first && size >= 3 && memcmp(piece, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        size_t length = (size_t)size - skipped;
        if (csv_parse(parser, piece + skipped, length, bp_table_field, bp_table_row, table) != length) {
            fail_parser(table, parser);
        }
    }
    int error;
    gzerror(file, &error);
    bool damaged = error != Z_OK && error != Z_STREAM_END;
    if (damaged && table->status == BP_ERROR_FORMAT) {
        table->status = BP_OK; /* the damage is the reason, and is what the sentence below says */
    }
    if (error == Z_ERRNO) {
        fail_system(table, "read");
    } else if (error == Z_MEM_ERROR) {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
    } else if (damaged) {
        bp_table_fail(table, BP_ERROR_IO, "the gzip data is %s", error == Z_BUF_ERROR ? "cut short" : "damaged");
    }
    if (table->status == BP_OK && csv_fini(parser, bp_table_field, bp_table_row, table) != 0) {
        fail_parser(table, parser);
    }
}

static void read_file(bp_table *table)
{
    struct csv_parser parser;
    bool lenient = table->reader->header == BP_CSV_HEADER_SKIP;
    if (csv_init(&parser, lenient ? BP_CSV_OPTIONS : BP_CSV_OPTIONS | CSV_STRICT) != 0) {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
        return;
    }
    table->parser = &parser;
    csv_set_delim(&parser, (unsigned char)table->reader->delimiter);
    char *piece = malloc(PIECE);
    gzFile file = piece ? open_file(table) : NULL;
    if (!piece) {
        bp_table_fail(table, BP_ERROR_MEMORY, "out of memory");
    }
    if (file) {
        parse_file(table, file, &parser, piece);
        gzclose_r(file);
    }
    free(piece);
    csv_free(&parser);
}

bp_status bp_csv_reader_read(const bp_csv_reader *reader, bp_dtype dtype, const char *path, bp_dataset **dataset)
{
    if (!reader || !path || !dataset) {
        return bp_fail_null(__func__, !reader ? "reader" : !path ? "path" : "dataset");
    }
    if (!bp_dtype_name(dtype)) {
        return bp_fail_enum(__func__, "dtype", (int)dtype);
    }
    bp_table table = {.reader = reader, .path = path, .dtype = dtype, .row = 1};
    table.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (table.c_locale == (locale_t)0) {
        return bp_fail_memory(__func__);
    }
    read_file(&table);
    bp_status status = bp_table_to_dataset(&table, dataset);
    bp_table_release(&table);
    freelocale(table.c_locale);
    return status;
}
