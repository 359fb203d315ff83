#ifndef BP_DATA_NUMBER_H
#define BP_DATA_NUMBER_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Reads the decimal number at the start of a text, with a point as in the C locale given; it is what strtod makes of it, infinite if it is
 * beyond a double. Returns where it ends, which is before a character that no number has, or at end; NULL if there is no number.
 */
const char *bp_scan_number(const char *at, const char *end, locale_t c_locale, double *value);

/* A decimal number that is the whole of text. */
bool bp_parse_number(const char *text, locale_t c_locale, double *value);

/* A decimal integer that is the whole of text. */
bool bp_parse_integer(const char *text, long long *value);

#endif
