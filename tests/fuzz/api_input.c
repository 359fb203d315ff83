#include "fuzz/api.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *at, *end;
static bool with_threads;

void begin_input(const uint8_t *bytes, size_t size)
{
    at = bytes;
    end = bytes + size;
}

void allow_threads(const uint8_t *bytes, size_t size)
{
    enum { ONE_IN = 256 };
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += bytes[i];
    }
    with_threads = sum % ONE_IN == 0;
}

size_t take_threads(void)
{
    enum { MOST_THREADS = 3 };
    size_t threads = take_size(MOST_THREADS);
    return with_threads || threads < 1 || threads > MOST_THREADS ? threads : 1;
}

size_t rest_of_input(const uint8_t **rest)
{
    *rest = at;
    return (size_t)(end - at);
}

bool has_input(void)
{
    return at < end;
}

unsigned take(void)
{
    return at < end ? *at++ : 0;
}

unsigned take_odd(void)
{
    enum { FIRST_ODD = 0xE0 };
    unsigned byte = take();
    return byte < FIRST_ODD ? 0 : byte % ODDITIES;
}

size_t take_size(size_t most)
{
    static const size_t odd[] = {0, ((size_t)1 << 30) + 1, SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 31, (size_t)1 << 62};
    enum { FIRST_ODD = 0xF4, ODD_SIZES = sizeof odd / sizeof *odd };
    unsigned byte = take();
    return byte < FIRST_ODD ? 1 + byte % most : odd[(byte - FIRST_ODD) % ODD_SIZES];
}

int take_enum(int first, int n)
{
    static const int odd[] = {-1, 1000, INT_MIN, INT_MAX};
    enum { FIRST_ODD = 0xF4, ODD_ENUMS = sizeof odd / sizeof *odd };
    unsigned byte = take();
    if (byte < FIRST_ODD) {
        return first + (int)(byte % (unsigned)n);
    }
    return byte % 5 == 4 ? first + n : odd[byte % 5];
}

static const double special[] = {
    0,     -0.0,   1,        -1,     0.5,   2,     -2,       0.1,      0.01,     1e-3,      1e-8,  1e-20,  1e-30,   1e-38,
    1e-45, 5e-324, 2.2e-308, 0.25,   0.99,  0.999, 1 - 1e-8, 3,        20,       88,        -88,   104,    710,     -745,
    1e3,   1e6,    1e9,      1e10,   1e12,  1e15,  0x1p53,   1e19,     1.9e19,   1e25,      -1e30, 3.4e38, FLT_MAX, -FLT_MAX,
    1e39,  1e100,  1.4e154,  -1e200, 1e300, 1e308, DBL_MAX,  -DBL_MAX, INFINITY, -INFINITY, NAN,   -0.5,   -1e-3,   1024,
    100,   1.5,    0.9,      7,      4,     5,     6,        8,        11,       16,
};

enum { SPECIALS = sizeof special / sizeof *special };

double take_number(void)
{
    enum { SMALL = 0x60 };
    unsigned byte = take();
    return byte < SMALL ? ((double)byte - SMALL / 2) / 16 : special[(byte - SMALL) % SPECIALS];
}

uint64_t take_seed(void)
{
    unsigned byte = take();
    return byte == 0xFF ? UINT64_MAX : byte;
}

static const char *const texts[] = {
    "a",
    "petal length",
    "",
    "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x99\x82",
    "quote \" and \\ and, comma",
    "line\nend\ttab",
    "activations",
    "crc32",
    "rule",
    "format",
    "library",
    "checkpoint",
    "input_names",
    "class_names",
    "layers.0.weight",
    "libbp.rule",
    "model",
    "__metadata__",
    "\xFF not UTF-8",
    "\xC0\x80",
    "\xED\xA0\x80",
    NULL,
    "0123456789012345678901234567890123456789012345678901234567890123456789",
    "key",
};

enum { TEXTS = sizeof texts / sizeof *texts, FIRST_BAD = 18, LAST_BAD = 21 };

_Static_assert((int)TEXTS <= (int)MOST_METADATA, "a net can have each text as a key");

const char *text_at(unsigned index)
{
    return texts[index % TEXTS];
}

bool is_text(unsigned index)
{
    return index % TEXTS < FIRST_BAD || index % TEXTS > LAST_BAD;
}

/* ---- numbers ---- */

enum { MOST_BLOCKS = 512 };
static void *blocks[MOST_BLOCKS];
static size_t n_blocks;

void *scratch(size_t bytes)
{
    check(n_blocks < MOST_BLOCKS, "that a call has few blocks");
    void *block = malloc(bytes ? bytes : 1);
    check(block, "that there is memory");
    blocks[n_blocks++] = block;
    return block;
}

void free_scratch(void)
{
    while (n_blocks > 0) {
        free(blocks[--n_blocks]);
    }
}

size_t element(bool f64)
{
    return f64 ? sizeof(double) : sizeof(float);
}

double number_at(bool f64, const void *numbers, size_t i)
{
    return f64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}

void put_number(bool f64, void *numbers, size_t i, double value)
{
    if (f64) {
        ((double *)numbers)[i] = value;
    } else {
        ((float *)numbers)[i] = (float)value;
    }
}

bool all_finite(bool f64, const void *numbers, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(number_at(f64, numbers, i))) {
        i++;
    }
    return i == n;
}

/* In (−1, 1), by seed and index (splitmix64). */
static double random_at(unsigned seed, size_t i)
{
    uint64_t z = (seed + 1) * 0x9E3779B97F4A7C15u + i * 0xD1B54A32D192ED03u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)(z >> 11) * 0x1p-52 - 1;
}

void *take_numbers(bool f64, size_t n, bool *tame)
{
    unsigned style = take(), seed = take();
    void *numbers = scratch(n * element(f64));
    bool is_tame = true;
    for (size_t i = 0; i < n; i++) {
        double value = random_at(seed, i), magnitude = special[seed % SPECIALS];
        switch (style % 16) {
        case 8: /* one that is not like the others */
            value = i == style / 16 % n ? magnitude : value;
            break;
        case 9:
            value *= magnitude;
            break;
        case 10: /* few different ones */
            value = value > 0;
            break;
        case 11:
            value = magnitude;
            break;
        case 12:
            value = special[(seed + i * (style / 16 + 1)) % SPECIALS];
            break;
        case 13:
            value = 0;
            break;
        case 14:
            value *= 4;
            break;
        default:
            break;
        }
        is_tame = is_tame && fabs(value) <= 1;
        put_number(f64, numbers, i, value);
    }
    if (tame) {
        *tame = is_tame;
    }
    return numbers;
}

enum { UNTOUCHED = 0xA5 };

void *room(bool f64, size_t n)
{
    return memset(scratch(n * element(f64)), UNTOUCHED, n * element(f64));
}

bool is_untouched(bool f64, const void *numbers, size_t n)
{
    const unsigned char *bytes = numbers;
    size_t i = 0;
    while (i < n * element(f64) && bytes[i] == UNTOUCHED) {
        i++;
    }
    return i == n * element(f64);
}

bool same_numbers(bool f64, const void *a, const void *b, size_t n)
{
    if (memcmp(a, b, n * element(f64)) == 0) {
        return true;
    }
    size_t i = 0;
    for (; i < n; i++) {
        const char *of_a = (const char *)a + i * element(f64), *of_b = (const char *)b + i * element(f64);
        if (memcmp(of_a, of_b, element(f64)) != 0 && !(isnan(number_at(f64, a, i)) && isnan(number_at(f64, b, i)))) {
            break;
        }
    }
    return i == n;
}
