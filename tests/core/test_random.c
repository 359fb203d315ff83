/* The generator against its published answers, and what is built on it. */
#include "core/memory.h"
#include "core/random.h"
#include "support/check.h"

#include <math.h>
#include <string.h>

/* Philox4x32-10, from the known-answer file of Random123 (Salmon et al. 2011). */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        bp_philox(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].answer, sizeof out);
    }
}

/* Uniform and normal numbers: moments, at 5 deviations of the estimate, and that streams and seeds differ. */
static void test_distributions(void **state)
{
    (void)state;
    enum { N = 200000 };
    double mean = 0, square = 0, uniform = 0, tail = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = bp_random_uniform(3, 1, i), z = bp_random_normal(3, 1, i);
        assert_true(u > 0 && u < 1 && isfinite(z));
        uniform += u / N;
        mean += z / N;
        square += z * z / N;
        tail += (fabs(z) > 2) / (double)N;
    }
    assert_true(fabs(uniform - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(mean) < 5 / sqrt(N));
    assert_true(fabs(square - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(tail - 0.0455003) < 5 * sqrt(0.0455 / N));
    assert_true(bp_random_uniform(3, 1, 0) != bp_random_uniform(3, 2, 0));
    assert_true(bp_random_uniform(3, 1, 0) != bp_random_uniform(4, 1, 0));
}

/* The two numbers of a pair: the second is normal as well, and does not depend on the first. */
static void test_normal_pairs(void **state)
{
    (void)state;
    enum { N = 200000 };
    double mean = 0, square = 0, product = 0;
    for (uint64_t i = 0; i < N; i++) {
        double pair[2];
        bp_random_normal_pair(3, 1, i, pair);
        assert_true(pair[0] == bp_random_normal(3, 1, i) && isfinite(pair[1]));
        mean += pair[1] / N;
        square += pair[1] * pair[1] / N;
        product += pair[0] * pair[1] / N;
    }
    assert_true(fabs(mean) < 5 / sqrt(N));
    assert_true(fabs(square - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(product) < 5 / sqrt(N));
}

/* The bits that one seed gives, so that another machine or compiler can be compared; the numbers are from an independent Python program. */
static void test_pinned_bits(void **state)
{
    (void)state;
    uint64_t bits[2];
    double numbers[] = {bp_random_uniform(42, 0, 0), bp_random_normal(42, 0, 0)};
    memcpy(bits, numbers, sizeof bits);
    if (bits[0] != 0x3fddfd524ee73abe || bits[1] != 0xbfda4cf416d42f52) {
        fail_msg("uniform %a, normal %a", numbers[0], numbers[1]);
    }
}

/* Every bit of seed, stream and index makes another number. */
static void test_every_bit_counts(void **state)
{
    (void)state;
    uint32_t words[4], other[4];
    bp_random_words(5, 6, 7, words);
    const double uniform = bp_random_uniform(5, 6, 7), normal = bp_random_normal(5, 6, 7);
    for (int bit = 0; bit < 160; bit++) {
        uint64_t seed = 5, index = 7;
        uint32_t stream = 6;
        if (bit < 64) {
            seed ^= UINT64_C(1) << bit;
        } else if (bit < 128) {
            index ^= UINT64_C(1) << (bit - 64);
        } else {
            stream ^= UINT32_C(1) << (bit - 128);
        }
        bp_random_words(seed, stream, index, other);
        assert_memory_not_equal(other, words, sizeof words);
        assert_true(bp_random_uniform(seed, stream, index) != uniform);
        assert_true(bp_random_normal(seed, stream, index) != normal);
    }
}

/* n counts that are all expected to be the same: χ² has n − 1 degrees of freedom, and so that mean and twice that variance. */
static void expect_uniform(const char *what, size_t n, const size_t *counts)
{
    double total = 0, chi_square = 0;
    for (size_t i = 0; i < n; i++) {
        total += (double)counts[i];
    }
    for (size_t i = 0; i < n; i++) {
        chi_square += pow((double)counts[i] - total / (double)n, 2) / (total / (double)n);
    }
    double freedom = (double)n - 1;
    if (!(fabs(chi_square - freedom) < 5 * sqrt(2 * freedom))) {
        fail_msg("%s: chi-square %g with %g degrees of freedom", what, chi_square, freedom);
    }
}

/* All 120 orders of 5 elements come as often. */
static void test_permutations(void **state)
{
    (void)state;
    enum { N = 5, ORDERS = 120, ROUNDS = 60000 };
    size_t counts[ORDERS] = {0}, p[N];
    for (uint64_t stream = 0; stream < ROUNDS; stream++) {
        must(bp_random_permutation(9, stream, N, p));
        size_t order = 0;
        unsigned seen = 0;
        for (size_t i = 0; i < N; i++) {
            size_t smaller = 0;
            for (size_t j = i + 1; j < N; j++) {
                smaller += p[j] < p[i];
            }
            order = order * (N - i) + smaller;
            seen |= 1u << p[i];
        }
        assert_int_equal(seen, (1u << N) - 1);
        counts[order]++;
    }
    expect_uniform("orders", ORDERS, counts);
}

/* Of more elements than are drawn at a time, each place gets each as often. */
static void test_longer_permutations(void **state)
{
    (void)state;
    enum { N = 100, ROUNDS = 20000 };
    static const size_t places[] = {0, 1, 35, 36, 67, 68, 69, 99};
    size_t counts[sizeof places / sizeof *places][N] = {{0}}, p[N], again[N];
    for (uint64_t stream = 0; stream < ROUNDS; stream++) {
        bool seen[N] = {false};
        must(bp_random_permutation(9, stream, N, p));
        for (size_t i = 0; i < N; i++) {
            assert_true(p[i] < N && !seen[p[i]]);
            seen[p[i]] = true;
        }
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            counts[i][p[places[i]]]++;
        }
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        expect_uniform("elements in a place", N, counts[i]);
    }
    must(bp_random_permutation(9, (uint64_t)1 << 40, N, p));
    must(bp_random_permutation(9, (uint64_t)1 << 40, N, again));
    assert_memory_equal(p, again, sizeof p);
    must(bp_random_permutation(9, 0, N, again));
    assert_memory_not_equal(p, again, sizeof p);
}

/* From an independent Python program. */
static void test_pinned_permutations(void **state)
{
    (void)state;
    static const size_t ten[] = {0, 5, 9, 3, 7, 2, 6, 8, 1, 4};
    static const size_t forty[] = {2,  16, 12, 9,  35, 19, 3,  32, 31, 29, 0,  20, 38, 23, 33, 28, 5,  22, 37, 8,
                                   13, 6,  4,  17, 7,  30, 15, 14, 39, 21, 36, 26, 10, 25, 34, 1,  24, 11, 18, 27};
    size_t p[40];
    must(bp_random_permutation(42, 3, 10, p));
    assert_memory_equal(p, ten, sizeof ten);
    must(bp_random_permutation(42, (uint64_t)1 << 40, 40, p));
    assert_memory_equal(p, forty, sizeof forty);
}

/*
 * Of 3 × 2³⁰ numbers, every third would be twice as frequent as the others if words were not drawn again; below 5 × 2⁶⁰ a mask
 * alone does not hold them.
 */
static void test_bounded_numbers(void **state)
{
    (void)state;
    enum { ROUNDS = 60000 };
    const uint64_t narrow = (uint64_t)3 << 30, wide = (uint64_t)5 << 60;
    size_t thirds[3] = {0}, remainders[3] = {0}, fifths[5] = {0};
    for (uint64_t key = 0; key < ROUNDS; key++) {
        uint32_t word = (uint32_t)(bp_random_uniform(1, 2, key) * 0x1p32);
        uint64_t n = bp_random_below(key, narrow, word), m = bp_random_below(key, wide, word);
        assert_true(n < narrow && m < wide && bp_random_below(key, 1, word) == 0);
        thirds[n >> 30]++;
        remainders[n % 3]++;
        fifths[m >> 60]++;
    }
    expect_uniform("thirds", 3, thirds);
    expect_uniform("remainders", 3, remainders);
    expect_uniform("fifths", 5, fifths);
    assert_int_equal(bp_random_below(7, 1000, UINT32_MAX), 999);
    assert_int_equal(bp_random_below(7, (uint64_t)1 << 31, UINT32_MAX), ((uint64_t)1 << 31) - 1);
}

static void test_checked_sizes(void **state)
{
    (void)state;
    size_t result = 5;
    assert_false(bp_multiply(SIZE_MAX, 2, &result));
    assert_false(bp_multiply(SIZE_MAX / 2 + 1, 2, &result));
    assert_false(bp_add(SIZE_MAX, 1, &result));
    assert_int_equal(result, 5);
    assert_true(bp_multiply(SIZE_MAX / 2, 2, &result));
    assert_int_equal(result, SIZE_MAX - 1);
    assert_true(bp_multiply(SIZE_MAX, 0, &result) && result == 0);
    assert_true(bp_add(SIZE_MAX - 1, 1, &result) && result == SIZE_MAX);
    assert_null(bp_allocate(SIZE_MAX, 2));
    assert_null(bp_allocate(SIZE_MAX, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),       cmocka_unit_test(test_distributions),       cmocka_unit_test(test_pinned_bits),
        cmocka_unit_test(test_every_bit_counts),    cmocka_unit_test(test_normal_pairs),        cmocka_unit_test(test_permutations),
        cmocka_unit_test(test_longer_permutations), cmocka_unit_test(test_pinned_permutations), cmocka_unit_test(test_bounded_numbers),
        cmocka_unit_test(test_checked_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
