#ifndef BP_DATA_NUMBER_H
#define BP_DATA_NUMBER_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

/* A decimal number that is the whole of text, with a point as in the C locale given; infinite if it is beyond a double. */
bool bp_parse_number(const char *text, locale_t c_locale, double *value);

/* A decimal integer that is the whole of text. */
bool bp_parse_integer(const char *text, long long *value);

#endif
