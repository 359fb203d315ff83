#include "core/random.h"

#include "core/status.h"

#include <math.h>

void bp_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * c0;
        uint64_t product1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void bp_random_words(uint64_t seed, uint32_t stream, uint64_t index, uint32_t words[4])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream, 0};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    bp_philox(counter, key, words);
}

uint64_t bp_random_key(uint64_t seed, uint32_t stream, uint64_t index)
{
    uint32_t words[4];
    bp_random_words(seed, stream, index, words);
    return (uint64_t)words[1] << 32 | words[0];
}

/* Two 64-bit numbers for the counter (index, stream, attempt). */
static void draw(uint64_t seed, uint32_t stream, uint64_t index, uint32_t attempt, uint64_t out[2])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream, attempt};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4];
    bp_philox(counter, key, words);
    out[0] = (uint64_t)words[1] << 32 | words[0];
    out[1] = (uint64_t)words[3] << 32 | words[2];
}

/* The upper 52 bits as a number in (0, 1): with the half added 53 bits, so exact. */
static double unit(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

double bp_random_uniform(uint64_t seed, uint32_t stream, uint64_t index)
{
    uint64_t bits[2];
    draw(seed, stream, index, 0, bits);
    return unit(bits[0]);
}

/* ln s for s in (0, 1): s = m 2^k with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)) by its series, below 1e-15 in error. */
static double logarithm(double s)
{
    int exponent;
    double m = frexp(s, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    double t = (m - 1) / (m + 1);
    static const double series[] = {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1};
    double t2 = t * t;
    double sum = 0;
    for (size_t i = 0; i < sizeof series / sizeof *series; i++) {
        sum = sum * t2 + series[i];
    }
    return 2 * t * sum + exponent * 0.69314718055994531;
}

void bp_random_normal_pair(uint64_t seed, uint32_t stream, uint64_t index, double pair[2])
{
    for (uint32_t attempt = 0;; attempt++) {
        uint64_t bits[2];
        draw(seed, stream, index, attempt, bits);
        double u = 2 * unit(bits[0]) - 1;
        double v = 2 * unit(bits[1]) - 1;
        double s = u * u + v * v;
        if (s < 1 && s > 0) {
            double length = sqrt(-2 * logarithm(s) / s);
            pair[0] = u * length;
            pair[1] = v * length;
            return;
        }
    }
}

double bp_random_normal(uint64_t seed, uint32_t stream, uint64_t index)
{
    double pair[2];
    bp_random_normal_pair(seed, stream, index, pair);
    return pair[0];
}

/*
 * Up to 2³² − 1 the upper half of word × n (Lemire 2019): drawn again if the lower half is one of the first 2³² mod n, for of these there
 * is one too many. Beyond, as many bits as n − 1 has, drawn until they are below n.
 */
uint64_t bp_random_below(uint64_t key, uint64_t n, uint32_t word)
{
    uint64_t bits[2];
    if (n <= UINT32_MAX) {
        uint32_t n32 = (uint32_t)n;
        uint64_t product = (uint64_t)word * n32;
        if ((uint32_t)product < n32) {
            uint32_t surplus = (UINT32_MAX - n32 + 1) % n32;
            for (uint32_t attempt = 0; (uint32_t)product < surplus; attempt++) {
                draw(key, 1, n, attempt, bits);
                product = (bits[0] >> 32) * n32;
            }
        }
        return product >> 32;
    }
    uint64_t mask = n - 1;
    for (int shift = 1; shift < 64; shift *= 2) {
        mask |= mask >> shift;
    }
    uint32_t attempt = 0;
    do {
        draw(key, 1, n, attempt++, bits);
    } while ((bits[0] & mask) >= n);
    return bits[0] & mask;
}

enum { AHEAD = 32 }; /* places drawn before the first of them is needed: memory gets them in the meantime, many at once */

static void fetch(const size_t *place)
{
#if defined(__GNUC__)
    __builtin_prefetch(place, 1);
#endif
}

bp_status bp_random_permutation(uint64_t seed, uint64_t stream, size_t n, size_t *permutation)
{
    if (!permutation) {
        return bp_fail_null(__func__, "permutation");
    }
    /* a key of its own for every stream, so that streams beyond 2³² and the streams of weights stay apart */
    uint64_t key[2];
    draw(seed, UINT32_MAX, stream, 0, key);
    const uint32_t key_words[2] = {(uint32_t)key[0], (uint32_t)(key[0] >> 32)};
    for (size_t i = 0; i < n; i++) {
        permutation[i] = i;
    }
    for (uint64_t n_blocks = 0; n > 1;) {
        uint32_t words[AHEAD];
        size_t places[AHEAD], count = n - 1 < AHEAD ? n - 1 : AHEAD;
        for (size_t i = 0; i < count; i += 4) {
            const uint32_t counter[4] = {(uint32_t)n_blocks, (uint32_t)(n_blocks >> 32), 0, 0};
            bp_philox(counter, key_words, words + i);
            n_blocks++;
        }
        for (size_t i = 0; i < count; i++) {
            places[i] = (size_t)bp_random_below(key[0], n - i, words[i]);
            fetch(permutation + places[i]);
        }
        for (size_t i = 0; i < count; i++) {
            size_t last = permutation[--n];
            permutation[n] = permutation[places[i]];
            permutation[places[i]] = last;
        }
    }
    return BP_OK;
}
