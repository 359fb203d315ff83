/*
 * Reading a FANN file's text bit by bit. Every function but the last three fails with a sentence that names the file, the byte and the key;
 * after that, the place is undefined.
 */
#ifndef BP_MODEL_FANN_TEXT_H
#define BP_MODEL_FANN_TEXT_H

#include "core/status.h"

#include <locale.h>
#include <stdbool.h>

typedef struct bp_fann_text {
    const char *function, *path;
    const char *begin, *at, *end; /* the text need not end with a NUL */
    char key[64];                 /* what is being read, for people */
    locale_t c_locale;
} bp_fann_text;

/* A failure at the place that is reached. */
bp_status bp_fann_fail(const bp_fann_text *text, bp_status status, const char *format, ...) BP_PRINTF(3, 4);

/* This punctuation is next, after any white space. */
bp_status bp_fann_expect(bp_fann_text *text, const char *word);

/* A decimal number of digits alone, up to limit. */
bp_status bp_fann_count(bp_fann_text *text, size_t limit, size_t *value);

/* A finite decimal number. */
bp_status bp_fann_number(bp_fann_text *text, double *value);

/* The key before the next "=", into text->key. */
bp_status bp_fann_next_key(bp_fann_text *text);

/* Whether this word is next; it is taken. */
bool bp_fann_take(bp_fann_text *text, const char *word);

/* To the beginning of the next line. */
void bp_fann_skip_line(bp_fann_text *text);

/* Only white space is left. */
bool bp_fann_at_end(bp_fann_text *text);

#endif
