/*
 * NPY 1.0 to 3.0 (numpy.lib.format): "\x93NUMPY", the version, the length of a text, the text, the numbers. The text is a Python dictionary
 * with the keys descr, fortran_order and shape, and only such a one is taken.
 */
#include "data/array_file.h"

#include "core/memory.h"

#include <string.h>

/* numpy itself reads at most 10,000 without being told to */
enum { MAX_TEXT = 64 * 1024 };

bool bp_is_npy(const unsigned char *bytes, size_t n)
{
    return n >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

/* The text as it is gone through. */
typedef struct text {
    bp_stream *stream;
    bp_array_header *header;
    const char *start, *at, *end;
} text;

static bool fail(const text *t, const char *expected)
{
    bp_stream_fail(t->stream, BP_ERROR_FORMAT, "the NPY header has not %s at character %zu: \"%.*s\"", expected, (size_t)(t->at - t->start),
                   (int)(t->end - t->at < 20 ? t->end - t->at : 20), t->at);
    return false;
}

static void skip_spaces(text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n')) {
        t->at++;
    }
}

/* Takes this character, with spaces before it, if it is there. */
static bool take(text *t, char character)
{
    skip_spaces(t);
    bool there = t->at < t->end && *t->at == character;
    t->at += there;
    return there;
}

/* Takes this word, if it is there. */
static bool take_word(text *t, const char *word)
{
    skip_spaces(t);
    size_t n = strlen(word);
    bool there = (size_t)(t->end - t->at) >= n && memcmp(t->at, word, n) == 0;
    t->at += there ? n : 0;
    return there;
}

/* A string without escapes; its characters lie between the quotes. */
static bool take_string(text *t, const char **string, size_t *n)
{
    skip_spaces(t);
    char quote = (char)(t->at < t->end ? *t->at : '\0');
    const char *close = quote == '\'' || quote == '"' ? memchr(t->at + 1, quote, (size_t)(t->end - t->at) - 1) : NULL;
    if (!close || memchr(t->at, '\\', (size_t)(close - t->at))) {
        return fail(t, "a string");
    }
    *string = t->at + 1;
    *n = (size_t)(close - *string);
    t->at = close + 1;
    return true;
}

/* "<f4": byte order, kind and bytes */
static bool take_descr(text *t)
{
    static const struct {
        char kind[3];
        bp_element element;
    } kinds[] = {
        {"b1", BP_ELEMENT_U8},  {"u1", BP_ELEMENT_U8},  {"i1", BP_ELEMENT_I8},  {"u2", BP_ELEMENT_U16},
        {"i2", BP_ELEMENT_I16}, {"u4", BP_ELEMENT_U32}, {"i4", BP_ELEMENT_I32}, {"u8", BP_ELEMENT_U64},
        {"i8", BP_ELEMENT_I64}, {"f4", BP_ELEMENT_F32}, {"f8", BP_ELEMENT_F64},
    };
    skip_spaces(t);
    if (t->at < t->end && *t->at == '[') {
        bp_stream_fail(t->stream, BP_ERROR_UNSUPPORTED, "it is an array of structures; the numbers of a dataset are of one type");
        return false;
    }
    const char *descr;
    size_t n;
    if (!take_string(t, &descr, &n)) {
        return false;
    }
    char order = (char)(n == 3 ? descr[0] : '\0');
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && order && strchr("<>|=", order); i++) {
        if (memcmp(descr + 1, kinds[i].kind, 2) == 0) {
            t->header->element = kinds[i].element;
            bool one_byte = bp_element_size(kinds[i].element) == 1;
            t->header->swapped = !one_byte && order == (bp_is_little_endian() ? '>' : '<');
            return order != '|' || one_byte || fail(t, "a byte order");
        }
    }
    bp_stream_fail(t->stream, BP_ERROR_UNSUPPORTED, "its numbers are \"%.*s\"; they can be b1, i1 to i8, u1 to u8, f4 and f8",
                   (int)(n < 20 ? n : 20), descr);
    return false;
}

static bool take_order(text *t)
{
    t->header->column_major = take_word(t, "True");
    return t->header->column_major || take_word(t, "False") || fail(t, "True or False");
}

/* A dimension; Python 2 wrote an L behind it. */
static bool take_dimension(text *t, size_t *dimension)
{
    const char *first = (skip_spaces(t), t->at);
    size_t n = 0;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
        if (!bp_multiply(n, 10, &n) || !bp_add(n, (size_t)(*t->at - '0'), &n)) {
            return fail(t, "a number that can be");
        }
        t->at++;
    }
    *dimension = n;
    return t->at > first ? (take(t, 'L'), true) : fail(t, "a number");
}

/* (60000, 28, 28), with a comma behind a single one */
static bool take_shape(text *t)
{
    bp_array_header *header = t->header;
    header->n_dimensions = 0;
    if (!take(t, '(')) {
        return fail(t, "(");
    }
    bool comma = false;
    while (!take(t, ')')) {
        if (header->n_dimensions > 0 && !comma) {
            return fail(t, ", or )");
        }
        if (header->n_dimensions == BP_ARRAY_MAX_DIMENSIONS) {
            return fail(t, "at most 32 dimensions");
        }
        if (!take_dimension(t, &header->dimensions[header->n_dimensions])) {
            return false;
        }
        header->n_dimensions++;
        comma = take(t, ',');
    }
    if (header->n_dimensions == 0) {
        bp_stream_fail(t->stream, BP_ERROR_UNSUPPORTED, "it is a single number; a dataset has at least one dimension, that of the samples");
        return false;
    }
    return header->n_dimensions > 1 || comma || fail(t, "a comma in a shape of one dimension");
}

/* The dictionary; each key once, and nothing behind it. */
static bool take_dictionary(text *t)
{
    static const struct {
        const char *key;
        bool (*take_value)(text *t);
    } entries[] = {{"descr", take_descr}, {"fortran_order", take_order}, {"shape", take_shape}};
    enum { N = sizeof entries / sizeof *entries };
    bool taken[N] = {false}, comma = true;
    if (!take(t, '{')) {
        return fail(t, "{");
    }
    while (!take(t, '}')) {
        const char *key;
        size_t n, i = 0;
        if (!comma) {
            return fail(t, ", or }");
        }
        if (!take_string(t, &key, &n)) {
            return false;
        }
        while (i < N && (strlen(entries[i].key) != n || memcmp(key, entries[i].key, n) != 0 || taken[i])) {
            i++;
        }
        if (i == N) {
            return fail(t, "one of the keys descr, fortran_order and shape, each once,");
        }
        if (!take(t, ':')) {
            return fail(t, ":");
        }
        if (!entries[i].take_value(t)) {
            return false;
        }
        taken[i] = true;
        comma = take(t, ',');
    }
    skip_spaces(t);
    if (t->at < t->end) {
        return fail(t, "its end");
    }
    return (taken[0] && taken[1] && taken[2]) || fail(t, "all of descr, fortran_order and shape");
}

bp_status bp_npy_header(bp_stream *stream, bp_array_header *header)
{
    const unsigned char *bytes = stream->buffer + stream->at;
    size_t n = stream->end - stream->at, prefix = n >= 8 && bytes[6] == 1 ? 10 : 12;
    if (n < prefix) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "the file ends within the NPY header");
    }
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0) {
        return bp_stream_fail(stream, BP_ERROR_UNSUPPORTED, "it is NPY %u.%u; it can be 1.0, 2.0 and 3.0", bytes[6], bytes[7]);
    }
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (prefix == 12) {
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (length > MAX_TEXT) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "the NPY header has %zu characters; it can have %d", length, MAX_TEXT);
    }
    if (n - prefix < length) {
        return bp_stream_fail(stream, BP_ERROR_FORMAT, "the file ends within the NPY header");
    }
    const char *start = (const char *)bytes + prefix;
    text t = {.stream = stream, .header = header, .start = start, .at = start, .end = start + length};
    header->offset = prefix + length;
    take_dictionary(&t);
    return stream->status;
}
