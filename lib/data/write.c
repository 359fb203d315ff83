#include "bp/write.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"
#include "data/buffer.h"
#include "data/elements.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bp_status check(const char *function, const char *path, size_t rows, size_t columns, const real *data)
{
    size_t bytes;
    if (!path || !data) {
        return bp_fail_null(function, path ? "data" : "path");
    }
    if (rows < 1 || columns < 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is 0; it can be 1 or more", function, rows ? "columns" : "rows");
    }
    if (!bp_multiply(rows, columns, &bytes) || !bp_multiply(bytes, sizeof *data, &bytes) || bytes > PTRDIFF_MAX) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: rows is %zu and columns %zu; that is more bytes than an address can count", function, rows,
                       columns);
    }
    return BP_OK;
}

/* ---- CSV ---- */

/* The fewest digits that are read back as the number, and a point where the locale has something else. */
static int print_number(char text[64], real number)
{
#if BP_REAL_BITS == 32
    enum { LEAST = 6, MOST = 9 };
#else
    enum { LEAST = 15, MOST = 17 };
#endif
    if (!isfinite(number)) {
        return snprintf(text, 64, "%s", isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
    }
    int n = 0;
    for (int digits = LEAST; digits <= MOST; digits++) {
        n = snprintf(text, 64, "%.*g", digits, (double)number);
        if ((real)strtod(text, NULL) == number) {
            break;
        }
    }
    int point = (int)strspn(text, "-0123456789"), after = point;
    while (after < n && !strchr("0123456789e", text[after])) {
        after++;
    }
    if (after > point) {
        text[point] = '.';
        memmove(text + point + 1, text + after, (size_t)(n - after) + 1);
        n -= after - point - 1;
    }
    return n;
}

static bool append_name(bp_buffer *text, const char *name)
{
    size_t length = strlen(name);
    bool spaces = length > 0 && (strchr(" \t", name[0]) || strchr(" \t", name[length - 1]));
    if (!spaces && length > 0 && !strpbrk(name, ",\"\r\n")) {
        return bp_buffer_append(text, name, length);
    }
    bool done = bp_buffer_append(text, "\"", 1);
    for (; done && *name; name++) {
        done = bp_buffer_append(text, name, 1) && (*name != '"' || bp_buffer_append(text, name, 1));
    }
    return done && bp_buffer_append(text, "\"", 1);
}

static bool append_row(bp_buffer *text, size_t columns, const real *data)
{
    bool done = true;
    for (size_t j = 0; j < columns && done; j++) {
        char number[64];
        int n = print_number(number, data[j]);
        number[n] = j + 1 < columns ? ',' : '\n';
        done = bp_buffer_append(text, number, (size_t)n + 1);
    }
    return done;
}

bp_status REAL(bp_write_csv)(const char *path, size_t rows, size_t columns, const char *const *names, const real *data)
{
    bp_status status = check(__func__, path, rows, columns, data);
    for (size_t j = 0; status == BP_OK && names && j < columns; j++) {
        status = names[j] ? BP_OK : bp_fail(BP_ERROR_ARGUMENT, "%s: names[%zu] is NULL", __func__, j);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_buffer text = {0};
    bool done = true;
    for (size_t j = 0; names && j < columns && done; j++) {
        done = append_name(&text, names[j]) && bp_buffer_append(&text, j + 1 < columns ? "," : "\n", 1);
    }
    for (size_t i = 0; i < rows && done; i++) {
        done = append_row(&text, columns, data + i * columns);
    }
    const bp_piece piece = {text.bytes, text.size};
    status = done ? bp_file_replace(__func__, path, 1, &piece) : bp_fail_memory(__func__);
    free(text.bytes);
    return status;
}

/* ---- NPY ---- */

bp_status REAL(bp_write_npy)(const char *path, size_t rows, size_t columns, const real *data)
{
    bp_status status = check(__func__, path, rows, columns, data);
    if (status != BP_OK) {
        return status;
    }
    enum { PREFIX = 10, HEADER = 192 }; /* a multiple of 64, so that the numbers are aligned where the file is mapped */
    char header[HEADER + 1] = "\x93NUMPY\x01";
    header[8] = (char)(unsigned char)(HEADER - PREFIX);
    int n = snprintf(header + PREFIX, HEADER - PREFIX, "{'descr': '%cf%d', 'fortran_order': False, 'shape': (%zu, %zu), }",
                     bp_is_little_endian() ? '<' : '>', (int)sizeof *data, rows, columns);
    memset(header + PREFIX + n, ' ', (size_t)(HEADER - PREFIX - n));
    header[HEADER - 1] = '\n';
    const bp_piece pieces[] = {{header, HEADER}, {data, rows * columns * sizeof *data}};
    return bp_file_replace(__func__, path, 2, pieces);
}
