/* Numbers as text: what is read is what strtod reads, bit by bit. */
#define _GNU_SOURCE /* newlocale */

#include "core/random.h"
#include "data/number.h"
#include "support/check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;

static void must_be_as_strtod(const char *text)
{
    double value = 0, expected = strtod(text, NULL);
    if (!bp_parse_number(text, c_locale, &value) || memcmp(&value, &expected, sizeof value) != 0) {
        fail_msg("\"%s\": expected %a, got %a", text, expected, value);
    }
}

/* A decimal of up to 20 digits with a point somewhere, and sometimes an exponent. */
static void write_decimal(char *text, uint64_t index)
{
    uint32_t words[4], exponents[4];
    bp_random_words(7, 0, index, words);
    bp_random_words(7, 1, index, exponents);
    size_t n = 0, digits = 1 + words[0] % 20, point = words[1] % (digits + 4);
    if (words[2] % 2) {
        text[n++] = words[2] % 4 == 1 ? '-' : '+';
    }
    uint64_t source = (uint64_t)words[3] << 32 | words[2];
    for (size_t i = 0; i < digits; i++, source = source / 10 + (uint64_t)(i == 9) * exponents[3] * UINT64_C(2654435761)) {
        if (i == point) {
            text[n++] = '.';
        }
        text[n++] = (char)('0' + source % 10);
    }
    text[n] = '\0';
    if (exponents[0] % 3 == 0) {
        int range = exponents[0] % 9 == 0 ? 340 : 25;
        snprintf(text + n, 8, "%c%d", exponents[0] % 2 ? 'e' : 'E', (int)(exponents[1] % (2 * (uint32_t)range)) - range);
    }
}

static void test_random_decimals(void **state)
{
    (void)state;
    char text[64];
    for (uint64_t i = 0; i < 1000000; i++) {
        write_decimal(text, i);
        must_be_as_strtod(text);
    }
}

/* What %.17g makes of doubles of all sizes, and of those halfway between two: the nearest is not to be missed. */
static void test_long_numbers(void **state)
{
    (void)state;
    char text[64];
    for (uint64_t i = 0; i < 200000; i++) {
        double number = ldexp(bp_random_uniform(8, 0, i), (int)(i % 130) - 65);
        for (int digits = 15; digits <= 19; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, number);
            must_be_as_strtod(text);
        }
    }
    /* 2^53 + 1 and its like lie halfway */
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t odd = (UINT64_C(1) << 53) + 2 * i + 1;
        for (int zeros = 0; zeros < 4; zeros++) {
            snprintf(text, sizeof text, "%llu.%.*s", (unsigned long long)odd, zeros, "000");
            must_be_as_strtod(text);
            snprintf(text, sizeof text, "%llu%.*se-%d", (unsigned long long)odd, zeros, "000", zeros + 2);
            must_be_as_strtod(text);
        }
        snprintf(text, sizeof text, "%llu.5", (unsigned long long)(UINT64_C(1) << 52) + i);
        must_be_as_strtod(text);
    }
}

static void test_forms(void **state)
{
    (void)state;
    static const char *const good[] = {"0",           "-0",
                                       "+0.0",        "1.",
                                       ".5",          "-.5e-3",
                                       "00012",       "1e22",
                                       "1e23",        "1e-22",
                                       "1e-400",      "0e999999",
                                       "1e999",       "4.9e-324",
                                       "2.4e-324",    "9007199254740993",
                                       "1e+5",        "1E05",
                                       "1e0005",      "1e00005",
                                       "0.1e0000001", "123456789012345678901234567890"};
    static const char *const bad[] = {"",    "-",  "+",  ".",    "e5",  "1e",  "1e+", "1.2.3", "--1", "+-1", "1e5.0",
                                      "1-2", "1 ", " 1", "0x10", "inf", "nan", "1,5", "1e5e5", "1f",  "\n1", "1d0"};
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        must_be_as_strtod(good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (bp_parse_number(bad[i], c_locale, &value)) {
            fail_msg("\"%s\" is taken for %g", bad[i], value);
        }
    }
    char zeros[2000];
    memset(zeros, '0', sizeof zeros);
    zeros[sizeof zeros - 1] = '\0';
    assert_false(bp_parse_number(zeros, c_locale, &value)); /* the limit is 1023 characters */
    zeros[1023] = '\0';
    assert_true(bp_parse_number(zeros, c_locale, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_decimals),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_forms),
    };
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    freelocale(c_locale);
    return failed;
}
