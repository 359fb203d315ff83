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

static void test_permutations(void **state)
{
    (void)state;
    enum { N = 5, ROUNDS = 60000 };
    size_t counts[N][N] = {{0}}, p[100], again[100];
    for (uint64_t stream = 0; stream < ROUNDS; stream++) {
        must(bp_random_permutation(9, stream, N, p));
        unsigned seen = 0;
        for (size_t i = 0; i < N; i++) {
            seen |= 1u << p[i];
            counts[i][p[i]]++;
        }
        assert_int_equal(seen, (1u << N) - 1);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            assert_true(fabs((double)counts[i][j] - ROUNDS / (double)N) < 5 * sqrt(ROUNDS * 0.2 * 0.8));
        }
    }
    must(bp_random_permutation(9, (uint64_t)1 << 40, 100, p));
    must(bp_random_permutation(9, (uint64_t)1 << 40, 100, again));
    assert_memory_equal(p, again, sizeof p);
    must(bp_random_permutation(9, 0, 100, again));
    assert_memory_not_equal(p, again, sizeof p);
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
        cmocka_unit_test(test_known_answers), cmocka_unit_test(test_distributions), cmocka_unit_test(test_pinned_bits),
        cmocka_unit_test(test_permutations),  cmocka_unit_test(test_checked_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
