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
    double t2 = t * t;
    double sum = 0;
    for (int n = 21; n >= 1; n -= 2) {
        sum = sum * t2 + 1.0 / n;
    }
    return 2 * t * sum + exponent * 0.69314718055994531;
}

double bp_random_normal(uint64_t seed, uint32_t stream, uint64_t index)
{
    for (uint32_t attempt = 0;; attempt++) {
        uint64_t bits[2];
        draw(seed, stream, index, attempt, bits);
        double u = 2 * unit(bits[0]) - 1;
        double v = 2 * unit(bits[1]) - 1;
        double s = u * u + v * v;
        if (s < 1 && s > 0) {
            return u * sqrt(-2 * logarithm(s) / s);
        }
    }
}

/* Uniform in 0 … n − 1; numbers of the last, incomplete round of n are drawn again so that none is favoured. */
static uint64_t below(uint64_t n, uint64_t seed, uint32_t stream, uint64_t index)
{
    uint64_t incomplete = (UINT64_MAX - n + 1) % n;
    for (uint32_t attempt = 0;; attempt++) {
        uint64_t bits[2];
        draw(seed, stream, index, attempt, bits);
        if (bits[0] <= UINT64_MAX - incomplete) {
            return bits[0] % n;
        }
    }
}

bp_status bp_random_permutation(uint64_t seed, uint64_t stream, size_t n, size_t *permutation)
{
    if (!permutation) {
        return bp_fail_null(__func__, "permutation");
    }
    /* a key of its own for every stream, so that streams beyond 2³² and the streams of weights stay apart */
    uint64_t key[2];
    draw(seed, UINT32_MAX, stream, 0, key);
    for (size_t i = 0; i < n; i++) {
        permutation[i] = i;
    }
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)below(i, key[0], 0, i);
        size_t last = permutation[i - 1];
        permutation[i - 1] = permutation[j];
        permutation[j] = last;
    }
    return BP_OK;
}
