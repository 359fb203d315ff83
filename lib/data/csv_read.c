/* A file, or memory, plain or gzip, through libcsv into a table; lines of plain numbers go there directly. */
#define _GNU_SOURCE /* newlocale */

#include "core/handle.h"
#include "core/status.h"
#include "data/table.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

static void fail_parser(bp_table *table, struct csv_parser *parser)
{
    if (csv_error(parser) == CSV_EPARSE) {
        bp_stream_fail(table->stream, BP_ERROR_FORMAT, "row %zu, column %zu: a quote stands where none can, or is not closed", table->row,
                       table->column + 1);
    } else {
        bp_stream_fail_memory(table->stream);
    }
}

/* Gives n bytes of the buffer to the parser. */
static void parse(bp_table *table, struct csv_parser *parser, size_t n)
{
    bp_stream *stream = table->stream;
    if (csv_parse(parser, stream->buffer + stream->at, n, bp_table_field, bp_table_row, table) != n) {
        fail_parser(table, parser);
    } else if (parser->entry_pos > BP_CSV_MAX_FIELD) {
        bp_stream_fail(stream, BP_ERROR_FORMAT, "row %zu, column %zu: the field has more than %d bytes", table->row, table->column + 1,
                       BP_CSV_MAX_FIELD);
    }
    stream->at += n;
}

static void parse_stream(bp_table *table, struct csv_parser *parser)
{
    bp_stream *stream = table->stream;
    if (stream->end >= 3 && memcmp(stream->buffer, "\xEF\xBB\xBF", 3) == 0) { /* a byte order mark */
        stream->at = 3;
    }
    const int between_rows = parser->pstate;
    while (stream->status == BP_OK) {
        while (parser->pstate == between_rows && stream->at < stream->end && stream->buffer[stream->at] == '\n') {
            stream->at++;
        }
        if (parser->pstate == between_rows && table->n_columns > 0) {
            const char *text = (const char *)stream->buffer + stream->at, *end = (const char *)stream->buffer + stream->end;
            stream->at += (size_t)(bp_table_plain_rows(table, text, end) - text);
        }
        const unsigned char *at = stream->buffer + stream->at;
        const unsigned char *newline = memchr(at, '\n', stream->end - stream->at);
        if (newline && stream->status == BP_OK) {
            parse(table, parser, (size_t)(newline + 1 - at));
        } else if (stream->status == BP_OK && !bp_stream_more(stream)) { /* a line longer than the buffer, or the last one */
            if (stream->at == stream->end || stream->status != BP_OK) {
                break;
            }
            parse(table, parser, stream->end - stream->at);
        }
    }
    bp_stream_drain(stream);
    if (stream->status == BP_OK && csv_fini(parser, bp_table_field, bp_table_row, table) != 0) {
        fail_parser(table, parser);
    }
}

bp_status bp_csv_read_stream(const bp_csv_reader *reader, bp_stream *stream, bp_dtype dtype, bp_dataset **dataset)
{
    bp_table table = {.reader = reader, .stream = stream, .dtype = dtype, .row = 1};
    struct csv_parser parser;
    bool lenient = reader->header == BP_CSV_HEADER_SKIP;
    table.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (table.c_locale == (locale_t)0) {
        return bp_stream_fail_memory(stream);
    }
    if (csv_init(&parser, lenient ? BP_CSV_OPTIONS : BP_CSV_OPTIONS | CSV_STRICT) != 0) {
        freelocale(table.c_locale);
        return bp_stream_fail_memory(stream);
    }
    table.parser = &parser;
    csv_set_delim(&parser, (unsigned char)reader->delimiter);
    csv_set_blk_size(&parser, 4096);
    parse_stream(&table, &parser);
    csv_free(&parser);
    bp_table_to_dataset(&table, dataset);
    bp_table_release(&table);
    freelocale(table.c_locale);
    return stream->status;
}

static bp_status check(const char *function, const bp_csv_reader *reader, bp_dtype dtype, const char *what, const void *argument,
                       bp_dataset **dataset)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(function, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (!argument || !dataset) {
        return bp_fail_null(function, argument ? "dataset" : what);
    }
    return bp_dtype_name(dtype) ? BP_OK : bp_fail_enum(function, "dtype", (int)dtype);
}

bp_status bp_csv_reader_read(const bp_csv_reader *reader, bp_dtype dtype, const char *path, bp_dataset **dataset)
{
    bp_status status = check(__func__, reader, dtype, "path", path, dataset);
    if (status != BP_OK) {
        return status;
    }
    bp_stream stream;
    status = bp_stream_open(&stream, __func__, path);
    if (status == BP_OK) {
        status = bp_csv_read_stream(reader, &stream, dtype, dataset);
    }
    bp_stream_release(&stream);
    return status;
}

bp_status bp_csv_reader_read_memory(const bp_csv_reader *reader, bp_dtype dtype, const void *bytes, size_t size, bp_dataset **dataset)
{
    bp_status status = check(__func__, reader, dtype, "bytes", bytes, dataset);
    if (status != BP_OK) {
        return status;
    }
    bp_stream stream;
    status = bp_stream_open_memory(&stream, __func__, bytes, size);
    if (status == BP_OK) {
        status = bp_csv_read_stream(reader, &stream, dtype, dataset);
    }
    bp_stream_release(&stream);
    return status;
}
