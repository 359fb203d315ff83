#define _GNU_SOURCE /* strtod_l */

#include "data/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool bp_parse_number(const char *text, locale_t c_locale, double *value)
{
    /* strtod also takes hexadecimal, "inf", "nan" and leading white space */
    if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') {
        return false;
    }
    char *end;
    int saved = errno;
    *value = strtod_l(text, &end, c_locale);
    errno = saved;
    return *end == '\0';
}

bool bp_parse_integer(const char *text, long long *value)
{
    if (*text == '\0' || text[strspn(text, "0123456789+-")] != '\0') {
        return false;
    }
    char *end;
    int saved = errno;
    errno = 0;
    *value = strtoll(text, &end, 10);
    bool whole = errno == 0 && *end == '\0';
    errno = saved;
    return whole;
}
