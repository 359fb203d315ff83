#define _POSIX_C_SOURCE 200809L /* locale_t */

#include "model/fann_text.h"

#include "data/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Of a number: its longest text that is read, and what of it is shown where it is wrong. */
enum { LONGEST = 63, SHOWN = 20 };

bp_status bp_fann_fail(const bp_fann_text *text, bp_status status, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return bp_fail(status, "%s: %.200s: byte %zu, %s: %s", text->function, text->path, (size_t)(text->at - text->begin), text->key, reason);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(bp_fann_text *text)
{
    while (text->at < text->end && is_space(*text->at)) {
        text->at++;
    }
}

/* What is next, for a sentence: printable, and not much. */
static bp_status fail_found(const bp_fann_text *text, bp_status status, const char *expected)
{
    char shown[SHOWN + 1];
    size_t n = 0;
    for (const char *c = text->at; c < text->end && !is_space(*c) && n < SHOWN; c++) {
        shown[n++] = (char)(*c > ' ' && *c <= '~' ? *c : '?');
    }
    shown[n] = '\0';
    return n > 0 ? bp_fann_fail(text, status, "%s expected, found \"%s\"", expected, shown)
                 : bp_fann_fail(text, status, "%s expected, but the %s ends", expected, text->at < text->end ? "line" : "file");
}

bool bp_fann_take(bp_fann_text *text, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0) {
        return false;
    }
    text->at += length;
    return true;
}

bp_status bp_fann_expect(bp_fann_text *text, const char *word)
{
    char quoted[SHOWN];
    snprintf(quoted, sizeof quoted, "\"%s\"", word);
    skip_space(text);
    return bp_fann_take(text, word) ? BP_OK : fail_found(text, BP_ERROR_FORMAT, quoted);
}

/* Copies the characters that can be of a number, or of a word in its place; returns how many there are. */
static size_t copy_word(bp_fann_text *text, char word[LONGEST + 1])
{
    skip_space(text);
    const char *c = text->at;
    while (c < text->end && !is_space(*c) && *c != ',' && *c != '(' && *c != ')' && *c != '\0') {
        c++;
    }
    size_t length = (size_t)(c - text->at), kept = length < LONGEST ? length : LONGEST;
    memcpy(word, text->at, kept);
    word[kept] = '\0';
    return length;
}

bp_status bp_fann_count(bp_fann_text *text, size_t limit, size_t *value)
{
    char word[LONGEST + 1];
    long long parsed;
    size_t length = copy_word(text, word);
    if (length > LONGEST || word[strspn(word, "0123456789")] != '\0' || !bp_parse_integer(word, &parsed)) {
        return fail_found(text, BP_ERROR_FORMAT, "a count");
    }
    if ((unsigned long long)parsed > limit) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "%lld is more than there can be in this file, %zu", parsed, limit);
    }
    text->at += length;
    *value = (size_t)parsed;
    return BP_OK;
}

bp_status bp_fann_number(bp_fann_text *text, double *value)
{
    char word[LONGEST + 1];
    double parsed;
    size_t length = copy_word(text, word);
    if (length <= LONGEST && bp_parse_number(word, text->c_locale, &parsed) && isfinite(parsed)) {
        text->at += length;
        *value = parsed;
        return BP_OK;
    }
    const char *unsigned_word = word + strspn(word, "+-");
    bool nonfinite = length <= LONGEST && (bp_parse_number(word, text->c_locale, &parsed) || strncmp(unsigned_word, "nan", 3) == 0 ||
                                           strncmp(unsigned_word, "inf", 3) == 0);
    return fail_found(text, nonfinite ? BP_ERROR_NONFINITE : BP_ERROR_FORMAT, "a finite number");
}

bp_status bp_fann_next_key(bp_fann_text *text)
{
    skip_space(text);
    snprintf(text->key, sizeof text->key, "a key");
    size_t left = (size_t)(text->end - text->at), length = 0;
    while (length < left && length < sizeof text->key && text->at[length] != '=') {
        char c = text->at[length];
        if (c < ' ' || c > '~') {
            break;
        }
        length++;
    }
    if (length == 0 || length == sizeof text->key || length == left || text->at[length] != '=') {
        return fail_found(text, BP_ERROR_FORMAT, "\"key=value\"");
    }
    memcpy(text->key, text->at, length);
    text->key[length] = '\0';
    text->at += length + 1;
    return BP_OK;
}

void bp_fann_skip_line(bp_fann_text *text)
{
    const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
    text->at = newline ? newline + 1 : text->end;
}

bool bp_fann_at_end(bp_fann_text *text)
{
    skip_space(text);
    return text->at == text->end;
}
