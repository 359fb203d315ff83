#define _GNU_SOURCE /* strtod_l */

#include "data/number.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Powers of ten that a double has exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Of these; and of those that 64 bits have, as they have any 19 digits. */
enum { LARGEST_POWER = 22, LARGEST_INTEGER_POWER = 19, MOST_DIGITS = 19 };

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

static int highest_bit(uint64_t n)
{
    return 63 - __builtin_clzll(n);
}

/* digits / 10^n as the nearest double, and of two the even one; n is 1 to 19, digits not 0. */
static bool divide(uint64_t digits, int n, double *value)
{
    uint64_t divisor = 1;
    for (int i = 0; i < n; i++) {
        divisor *= 10;
    }
    /* shifted so that the quotient has 62 or 63 bits */
    int shift = 62 - highest_bit(digits) + highest_bit(divisor);
    wide dividend = (wide)digits << shift;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    bool inexact = (wide)quotient * divisor != dividend;
    int surplus = highest_bit(quotient) - 52; /* bits that a double has no room for */
    uint64_t rest = quotient & ((UINT64_C(1) << surplus) - 1), half = UINT64_C(1) << (surplus - 1);
    quotient >>= surplus;
    quotient += rest > half || (rest == half && (inexact || quotient & 1));
    *value = ldexp((double)quotient, surplus - shift);
    return true;
}
#else
static bool divide(uint64_t digits, int n, double *value)
{
    (void)digits, (void)n, (void)value;
    return false;
}
#endif

/*
 * The commonest numbers: up to 19 digits, and a power of ten that makes the result exact before it is rounded once (Clinger 1990, "How to
 * read floating point numbers accurately"). NULL for others.
 */
static const char *scan_short(const char *at, const char *end, double *value)
{
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    uint64_t digits = 0;
    const char *first = at, *point = NULL;
    for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
        digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (at < end && *at == '.') {
        point = ++at;
        for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
            digits = digits * 10 + (uint64_t)(*at - '0');
        }
    }
    ptrdiff_t n_digits = at - first - (point != NULL), power = point ? point - at : 0;
    if (n_digits < 1 || n_digits > MOST_DIGITS) {
        return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        bool down = at + 1 < end && at[1] == '-';
        at += at + 1 < end && (at[1] == '-' || at[1] == '+') ? 2 : 1;
        int exponent = 0;
        for (first = at; at < end && (unsigned char)(*at - '0') < 10 && at - first < 4; at++) {
            exponent = exponent * 10 + (*at - '0');
        }
        if (at == first) {
            return NULL;
        }
        power += down ? -exponent : exponent;
    }
    bool exact = digits <= UINT64_C(1) << 53;
    double number = (double)digits;
    if (power < 0 && exact && power >= -LARGEST_POWER) {
        number /= powers[-power];
    } else if (power > 0 && exact && power <= LARGEST_POWER) {
        number *= powers[power];
    } else if (power != 0 && digits != 0 && !(power < 0 && power >= -LARGEST_INTEGER_POWER && divide(digits, (int)-power, &number))) {
        return NULL;
    }
    *value = negative ? -number : number;
    return at;
}

/* Whether a character can be part of a number; strtod also takes hexadecimal, "inf", "nan" and leading white space. */
static bool is_of_number(char character)
{
    return (unsigned char)(character - '0') < 10 || character == '+' || character == '-' || character == '.' || character == 'e' ||
           character == 'E';
}

const char *bp_scan_number(const char *at, const char *end, locale_t c_locale, double *value)
{
    const char *stop = scan_short(at, end, value);
    if (stop && (stop == end || !is_of_number(*stop))) {
        return stop;
    }
    char text[1024];
    size_t n = 0;
    while (at + n < end && is_of_number(at[n]) && n < sizeof text) {
        n++;
    }
    if (n == 0 || n == sizeof text) {
        return NULL;
    }
    memcpy(text, at, n);
    text[n] = '\0';
    char *end_of_number;
    int saved = errno;
    *value = strtod_l(text, &end_of_number, c_locale);
    errno = saved;
    return *end_of_number == '\0' ? at + n : NULL;
}

bool bp_parse_number(const char *text, locale_t c_locale, double *value)
{
    const char *end = text + strlen(text);
    return bp_scan_number(text, end, c_locale, value) == end && text != end;
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
