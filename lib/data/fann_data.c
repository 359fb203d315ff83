#define _GNU_SOURCE /* newlocale */

#include "data/fann_data.h"

#include "core/handle.h"
#include "data/buffer.h"
#include "data/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(unsigned char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static bool is_digit(unsigned char character)
{
    return character >= '0' && character <= '9';
}

bool bp_is_fann_data(const unsigned char *text, size_t n)
{
    size_t numbers = 0, i = 0;
    for (bool in_number = false; i < n && text[i] != '\n'; i++) {
        if (!is_digit(text[i]) && !is_space(text[i])) {
            return false;
        }
        numbers += is_digit(text[i]) && !in_number;
        in_number = is_digit(text[i]);
    }
    return numbers == 3 && i < n;
}

typedef struct reading {
    bp_stream *stream;
    bp_dtype dtype;
    locale_t c_locale;
    size_t line;      /* of what comes next */
    size_t word_line; /* of the latest word */
    size_t n_samples, n_inputs, n_outputs;
    bp_buffer inputs, targets;
} reading;

/* The next word, ended with a NUL in the buffer; NULL at the end of the file, or after a failure. */
static const char *next_word(reading *r)
{
    bp_stream *s = r->stream;
    do {
        while (s->at < s->end && is_space(s->buffer[s->at])) {
            r->line += s->buffer[s->at++] == '\n';
        }
    } while (s->at == s->end && bp_stream_more(s));
    size_t length = 0;
    while (s->at + length < s->end || bp_stream_more(s)) {
        if (is_space(s->buffer[s->at + length])) {
            break;
        }
        length++;
    }
    if (s->status != BP_OK || length == 0) {
        return NULL;
    }
    if (length == BP_STREAM_ROOM) {
        bp_stream_fail(s, BP_ERROR_FORMAT, "line %zu: a word has more than %d characters", r->line, BP_STREAM_ROOM);
        return NULL;
    }
    char *word = (char *)s->buffer + s->at;
    if (memchr(word, '\0', length)) {
        bp_stream_fail(s, BP_ERROR_FORMAT, "line %zu: a NUL character", r->line);
        return NULL;
    }
    r->word_line = r->line;
    s->at += length;
    if (s->at < s->end) { /* the white space behind it is not looked at again */
        r->line += s->buffer[s->at] == '\n';
        s->at++;
    }
    word[length] = '\0';
    return word;
}

static bool take_count(reading *r, const char *what, size_t *count)
{
    const char *word = next_word(r);
    long long value;
    if (!word || !bp_parse_integer(word, &value) || value < 0) {
        bp_stream_fail(r->stream, BP_ERROR_FORMAT, "line %zu: \"%.40s\" is no number of %s", r->word_line, word ? word : "", what);
        return false;
    }
    *count = (size_t)value;
    return true;
}

static void take_number(reading *r, size_t sample, const char *what, size_t index, bp_buffer *to)
{
    const char *word = next_word(r);
    double value;
    float single;
    if (!word) {
        bp_stream_fail(r->stream, BP_ERROR_FORMAT, "it ends at %s %zu of sample %zu of %zu", what, index + 1, sample + 1, r->n_samples);
        return;
    }
    if (!bp_parse_number(word, r->c_locale, &value)) {
        bp_stream_fail(r->stream, BP_ERROR_FORMAT, "line %zu, %s %zu of sample %zu: \"%.40s\" is not a number", r->word_line, what,
                       index + 1, sample + 1, word);
        return;
    }
    single = (float)value;
    if (!isfinite(r->dtype == BP_F32 ? (double)single : value)) {
        bp_stream_fail(r->stream, BP_ERROR_FORMAT, "line %zu, %s %zu of sample %zu: \"%.40s\" is beyond the range of %s", r->word_line,
                       what, index + 1, sample + 1, word, bp_dtype_name(r->dtype));
    } else if (!bp_buffer_append(to, r->dtype == BP_F32 ? (void *)&single : (void *)&value, bp_dtype_size(r->dtype))) {
        bp_stream_fail_memory(r->stream);
    }
}

static void read_all(reading *r)
{
    bp_stream *s = r->stream;
    if (!take_count(r, "samples", &r->n_samples) || !take_count(r, "inputs", &r->n_inputs) || !take_count(r, "targets", &r->n_outputs)) {
        return;
    }
    if (bp_dataset_check_sizes(s->function, r->dtype, r->n_samples, r->n_inputs, r->n_outputs) != BP_OK) {
        bp_stream_fail(s, BP_ERROR_FORMAT, "line 1 counts %zu samples, %zu inputs and %zu targets, which no dataset can have", r->n_samples,
                       r->n_inputs, r->n_outputs);
        return;
    }
    for (size_t i = 0; i < r->n_samples && s->status == BP_OK; i++) {
        for (size_t j = 0; j < r->n_inputs && s->status == BP_OK; j++) {
            take_number(r, i, "input", j, &r->inputs);
        }
        for (size_t j = 0; j < r->n_outputs && s->status == BP_OK; j++) {
            take_number(r, i, "target", j, &r->targets);
        }
    }
    if (s->status == BP_OK && next_word(r)) {
        bp_stream_fail(s, BP_ERROR_FORMAT, "line %zu: there are more numbers than those of %zu samples", r->word_line, r->n_samples);
    }
}

bp_status bp_fann_data_read(bp_stream *stream, bp_dtype dtype, bp_dataset **dataset)
{
    reading r = {.stream = stream, .dtype = dtype, .line = 1, .c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    bp_dataset *made = NULL;
    if (r.c_locale == (locale_t)0) {
        return bp_stream_fail_memory(stream);
    }
    read_all(&r);
    bp_stream_drain(stream);
    freelocale(r.c_locale);
    if (stream->status == BP_OK && !(made = calloc(1, sizeof *made))) {
        bp_stream_fail_memory(stream);
    }
    if (made) {
        *made = (bp_dataset){
            .handle = BP_HANDLE_DATASET, .dtype = dtype, .n_samples = r.n_samples, .n_inputs = r.n_inputs, .n_outputs = r.n_outputs};
        made->inputs = made->owned_inputs = bp_buffer_take(&r.inputs);
        made->targets = made->owned_targets = bp_buffer_take(&r.targets);
        *dataset = made;
    }
    free(r.inputs.bytes);
    free(r.targets.bytes);
    return stream->status;
}
