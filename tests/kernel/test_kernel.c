/*
 * Every kernel table that this machine can run, against the reference: odd sizes, rows with and without padding, vectors that are not
 * aligned. Numbers are small integers over 8, so that every sum is exact and a missed or double-counted element shows as a difference;
 * only activations round.
 */
#include "core/memory.h"
#include "kernel/kernel.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"avx512", "avx2", "generic", "blas"};

enum { NAME_COUNT = sizeof names / sizeof *names, GUARD = 16 };

static const size_t sizes[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,  16, 17,
                               18, 23, 24, 25, 31, 32, 33, 34, 47, 48, 63, 64, 65, 67, 127, 129};

enum { SIZE_COUNT = sizeof sizes / sizeof *sizes };

static real exact_number(uint64_t index)
{
    return (real)(int)(number(index) * 32) / 8;
}

/* n numbers, then a guard that must stay as it is. shift moves the start off alignment. */
typedef struct array {
    real *memory, *at;
    size_t n;
} array;

static array new_array(size_t n, size_t shift, uint64_t seed)
{
    array a = {.memory = bp_allocate(shift + n + GUARD, sizeof(real)), .n = n};
    a.at = a.memory + shift;
    for (size_t i = 0; i < n; i++) {
        a.at[i] = exact_number(seed + i);
    }
    for (size_t i = 0; i < GUARD; i++) {
        a.at[n + i] = 77;
    }
    return a;
}

static array copy_of(array a)
{
    size_t shift = (size_t)(a.at - a.memory);
    array copy = new_array(a.n, shift, 0);
    memcpy(copy.memory, a.memory, (shift + a.n + GUARD) * sizeof(real));
    return copy;
}

static void same(const char *table, const char *operation, size_t m, size_t n, size_t k, array got, array expected)
{
    for (size_t i = 0; i < got.n + GUARD; i++) {
        if (got.at[i] != expected.at[i]) {
            fail_msg("%s %s, m %zu, n %zu, k %zu: element %zu of %zu is %.9g, expected %.9g", table, operation, m, n, k, i, got.n,
                     (double)got.at[i], (double)expected.at[i]);
        }
    }
    free(got.memory);
    free(expected.memory);
}

/* A matrix; if padded, its rows are whole cache lines, zero behind n. */
static array new_matrix(size_t m, size_t n, bool padded, size_t shift, uint64_t seed, size_t *lda)
{
    *lda = padded ? bp_round_up(n, 64 / sizeof(real)) : n;
    array a = new_array(m * *lda, padded ? 0 : shift, seed);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = n; j < *lda; j++) {
            a.at[i * *lda + j] = 0;
        }
    }
    return a;
}

static void check_gemv_family(const REAL(bp_kernel_table) * t, size_t m, size_t n, bool padded, size_t shift)
{
    const REAL(bp_kernel_table) *r = &REAL(bp_kernel_reference);
    size_t lda;
    array A = new_matrix(m, n, padded, shift, 1, &lda), x = new_array(m, shift, 20001), z = new_array(n, shift, 30001);
    array b = new_array(m, shift, 50001);
    const real alpha = (real)0.25;
    for (int bias = 0; bias < 2; bias++) {
        array got = new_array(m, shift, 0), expected = copy_of(got);
        t->gemv(m, n, A.at, lda, z.at, bias ? b.at : NULL, got.at);
        r->gemv(m, n, A.at, lda, z.at, bias ? b.at : NULL, expected.at);
        same(t->name, "gemv", m, n, 0, got, expected);
    }
    array got = new_array(n, shift, 0), expected = copy_of(got);
    t->gemv_t(m, n, A.at, lda, x.at, got.at);
    r->gemv_t(m, n, A.at, lda, x.at, expected.at);
    same(t->name, "gemv_t", m, n, 0, got, expected);

    array A_got = copy_of(A), A_expected = copy_of(A);
    t->ger(m, n, alpha, x.at, z.at, A_got.at, lda);
    r->ger(m, n, alpha, x.at, z.at, A_expected.at, lda);
    same(t->name, "ger", m, n, 0, A_got, A_expected);

    got = copy_of(z), expected = copy_of(z);
    array other = new_array(n, (shift + 1) % 4, 80001);
    t->axpy(n, alpha, other.at, got.at);
    r->axpy(n, alpha, other.at, expected.at);
    same(t->name, "axpy", m, n, 0, got, expected);
    free(other.memory);

    array *all[] = {&A, &x, &z, &b};
    for (size_t i = 0; i < 4; i++) {
        free(all[i]->memory);
    }
}

/* A vector as a layer's step has it: memory of whole cache lines, zeros behind n, which must stay. */
static array new_vector(size_t n, uint64_t seed)
{
    array a = new_array(bp_round_up(n, 64 / sizeof(real)), 0, seed);
    for (size_t i = n; i < a.n; i++) {
        a.at[i] = 0;
    }
    return a;
}

/* The steps of a layer with one sample. ReLU's values are exact. with_y: gemv_t_ger also goes backward. */
static void check_layer_steps(const REAL(bp_kernel_table) * t, bp_activation f, size_t m, size_t n, bool bias)
{
    const REAL(bp_kernel_table) *r = &REAL(bp_kernel_reference);
    size_t lda;
    array A = new_matrix(m, n, true, 0, 1, &lda), x = new_vector(m, 20001), z = new_vector(n, 30001), next = new_vector(n, 40001);
    array b = new_vector(m, 50001), e = new_vector(n, 60001);
    const real alpha = (real)0.25;

    array e_got = new_vector(m, 0), e_expected = copy_of(e_got), y_got = new_vector(m, 7), y_expected = copy_of(y_got);
    bp_layer_step got = {f, m, n, lda, A.at, bias ? b.at : NULL, z.at, e_got.at, y_got.at, x.at}, expected = got;
    expected.e = e_expected.at, expected.y = y_expected.at;
    t->gemv_activation(&got);
    r->gemv_activation(&expected);
    same(t->name, "gemv_activation's e", m, n, 0, e_got, e_expected);
    same(t->name, "gemv_activation's y", m, n, 0, y_got, y_expected);

    array A_got = copy_of(A), A_expected = copy_of(A), b_got = copy_of(b), b_expected = copy_of(b);
    e_got = new_vector(m, 0), e_expected = copy_of(e_got), y_got = new_vector(m, 7), y_expected = copy_of(y_got);
    got = (bp_layer_step){f, m, n, lda, A_got.at, bias ? b_got.at : NULL, next.at, e_got.at, y_got.at, x.at};
    expected = (bp_layer_step){f, m, n, lda, A_expected.at, bias ? b_expected.at : NULL, next.at, e_expected.at, y_expected.at, x.at};
    t->ger_gemv_activation(&got, alpha, z.at);
    r->ger_gemv_activation(&expected, alpha, z.at);
    same(t->name, "ger_gemv_activation's e", m, n, 0, e_got, e_expected);
    same(t->name, "ger_gemv_activation's y", m, n, 0, y_got, y_expected);
    same(t->name, "ger_gemv_activation's A", m, n, 0, A_got, A_expected);
    same(t->name, "ger_gemv_activation's b", m, n, 0, b_got, b_expected);

    for (int with_y = 0; with_y < 2; with_y++) {
        A_got = copy_of(A), A_expected = copy_of(A), b_got = copy_of(b), b_expected = copy_of(b);
        y_got = new_vector(n, 7), y_expected = copy_of(y_got);
        bp_layer_step before = {.f = f, .m = n, .e = e.at, .y = z.at};
        got = (bp_layer_step){.m = m, .n = n, .lda = lda, .A = A_got.at, .b = bias ? b_got.at : NULL, .x = z.at, .g = x.at};
        expected = (bp_layer_step){.m = m, .n = n, .lda = lda, .A = A_expected.at, .b = bias ? b_expected.at : NULL, .x = z.at, .g = x.at};
        t->gemv_t_ger(&got, alpha, bias ? &before : NULL, with_y ? y_got.at : NULL);
        r->gemv_t_ger(&expected, alpha, bias ? &before : NULL, with_y ? y_expected.at : NULL);
        same(t->name, "gemv_t_ger's y", m, n, 0, y_got, y_expected);
        same(t->name, "gemv_t_ger's A", m, n, 0, A_got, A_expected);
        same(t->name, "gemv_t_ger's b", m, n, 0, b_got, b_expected);
    }

    y_got = new_vector(n, 7), y_expected = copy_of(y_got);
    t->scale(n, z.at, m % 2 ? e.at : NULL, next.at, y_got.at);
    r->scale(n, z.at, m % 2 ? e.at : NULL, next.at, y_expected.at);
    same(t->name, "scale", m, n, 0, y_got, y_expected);

    array *all[] = {&A, &x, &z, &next, &b, &e};
    for (size_t i = 0; i < 6; i++) {
        free(all[i]->memory);
    }
}

static void check_gemm(const REAL(bp_kernel_table) * t, bp_transpose ta, bp_transpose tb, size_t m, size_t n, size_t k, real beta)
{
    size_t lda = (ta == BP_TRANSPOSE ? m : k) + 3, ldb = (tb == BP_TRANSPOSE ? k : n) + 1, ldc = n + 2;
    array A = new_array((ta == BP_TRANSPOSE ? k : m) * lda, 1, 1), B = new_array((tb == BP_TRANSPOSE ? n : k) * ldb, 3, 9001);
    array C = new_array(m * ldc, 1, 70001), expected = copy_of(C);
    t->gemm(ta, tb, m, n, k, (real)-0.5, A.at, lda, B.at, ldb, beta, C.at, ldc);
    REAL(bp_kernel_reference).gemm(ta, tb, m, n, k, (real)-0.5, A.at, lda, B.at, ldb, beta, expected.at, ldc);
    char operation[64];
    snprintf(operation, sizeof operation, "gemm %c%c, beta %g", ta == BP_TRANSPOSE ? 'T' : 'N', tb == BP_TRANSPOSE ? 'T' : 'N',
             (double)beta);
    same(t->name, operation, m, n, k, C, expected);
    free(A.memory);
    free(B.memory);
}

static void test_matrix_vector(void **state)
{
    (void)state;
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (size_t i = 0; table && i < SIZE_COUNT; i++) {
            for (size_t j = 0; j < SIZE_COUNT; j++) {
                check_gemv_family(table, sizes[i], sizes[j], true, 0);
                check_gemv_family(table, sizes[i], sizes[j], false, 1 + (i + j) % 3);
                check_layer_steps(table, BP_ACTIVATION_IDENTITY, sizes[i], sizes[j], true);
                check_layer_steps(table, BP_ACTIVATION_RELU, sizes[i], sizes[j], (i + j) % 2 == 0);
            }
        }
        print_message("%-8s %s\n", names[t], table ? "compared" : "not on this machine or in this build");
    }
}

static void test_matrix_matrix(void **state)
{
    (void)state;
    static const size_t batches[] = {2, 3, 5, 8, 33, 65}, widths[] = {1, 3, 4, 7, 8, 17, 31, 67};
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (size_t s = 0; table && s < 6; s++) {
            for (size_t i = 0; i < 8; i++) {
                for (size_t j = 0; j < 8; j++) {
                    size_t batch = batches[s], n_out = widths[i], n_in = widths[j];
                    real beta = (real)((i + j) % 3) / 2; /* 0, ½, 1 */
                    check_gemm(table, BP_NO_TRANSPOSE, BP_TRANSPOSE, batch, n_out, n_in, beta);
                    check_gemm(table, BP_NO_TRANSPOSE, BP_NO_TRANSPOSE, batch, n_in, n_out, beta);
                    check_gemm(table, BP_TRANSPOSE, BP_NO_TRANSPOSE, n_out, n_in, batch, beta);
                    check_gemm(table, BP_TRANSPOSE, BP_TRANSPOSE, n_out, n_in, batch, beta);
                }
            }
        }
    }
}

/* Not read where beta is 0: NaN there must not come out. */
static void test_beta_0_does_not_read(void **state)
{
    (void)state;
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        const real A[] = {1, 2, 3, 4}, B[] = {1, 0, 0, 1};
        real C[] = {(real)NAN, (real)NAN, (real)NAN, (real)NAN};
        if (table) {
            table->gemm(BP_NO_TRANSPOSE, BP_NO_TRANSPOSE, 2, 2, 2, 1, A, 2, B, 2, 0, C, 2);
            assert_memory_equal(A, C, sizeof C);
        }
    }
}

/* Activations and their slopes against the reference's, at most 4 ULP of the size of the terms, from one lane to many. */
static void test_activations(void **state)
{
    (void)state;
    enum { N = 203 };
    real e[N], delta[N], y[N], g[N], y_expected[N], g_expected[N];
    const double epsilon = REAL_DTYPE == BP_F32 ? 0x1p-23 : 0x1p-52;
    for (size_t i = 0; i < N; i++) {
        e[i] = (real)(number(i) * (i % 3 ? 3 : 40));
        delta[i] = (real)number(1000 + i);
    }
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (int a = 0; table && a <= BP_ACTIVATION_SOFTMAX; a++) {
            for (size_t n = 1; n <= N; n += n < 40 ? 1 : 54) {
                table->activation((bp_activation)a, 1, n, e, y);
                REAL(bp_kernel_reference).activation((bp_activation)a, 1, n, e, y_expected);
                table->local_gradient((bp_activation)a, 1, n, e, y_expected, delta, g);
                REAL(bp_kernel_reference).local_gradient((bp_activation)a, 1, n, e, y_expected, delta, g_expected);
                for (size_t i = 0; i < n; i++) {
                    double y_error = fabs((double)y[i] - (double)y_expected[i]), g_error = fabs((double)g[i] - (double)g_expected[i]);
                    if (!(y_error <= 6 * epsilon * (0.01 + fabs((double)y_expected[i])) && g_error <= 16 * epsilon)) {
                        fail_msg("%s %s of %.9g, element %zu of %zu: y %.17g, expected %.17g; g %.17g, expected %.17g", names[t],
                                 bp_activation_name((bp_activation)a), (double)e[i], i, n, (double)y[i], (double)y_expected[i],
                                 (double)g[i], (double)g_expected[i]);
                    }
                }
            }
        }
    }
}

/* The distance of a number from an exact one, in units of the last place of the exact one; those below the normal numbers count as these do. */
static double ulps(real got, long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    int least = REAL_DTYPE == BP_F32 ? -125 : -1021, digits = REAL_DTYPE == BP_F32 ? 24 : 53;
    return (double)fabsl(((long double)got - exact) / ldexpl(1, (exponent < least ? least : exponent) - digits));
}

/* f in a wider type than is tested, by libm. */
static long double exact_activation(bp_activation f, long double e)
{
    switch (f) {
    case BP_ACTIVATION_TANH:
        return tanhl(e);
    case BP_ACTIVATION_SINE:
        return sinl(e);
    case BP_ACTIVATION_ELU:
        return e < 0 ? expm1l(e) : e;
    case BP_ACTIVATION_SIGMOID:
        return 1 / (1 + expl(-e));
    case BP_ACTIVATION_SOFTPLUS:
        return (e > 0 ? e : 0) + log1pl(expl(-fabsl(e)));
    default:
        return e / (1 + fabsl(e));
    }
}

/*
 * Over the whole range of the type, from the least to the greatest exponent: what is one elementary function is at most 4 ULP from exact, as
 * glibc says of libmvec; what goes on from one, at most 6.
 */
static void test_activation_accuracy(void **state)
{
    (void)state;
    static const struct {
        bp_activation f;
        double limit;
        int max_exponent; /* sine: of arguments whose reduction long double can follow */
    } cases[] = {{BP_ACTIVATION_TANH, 4, 2000},    {BP_ACTIVATION_SINE, 4, 10},       {BP_ACTIVATION_ELU, 4, 2000},
                 {BP_ACTIVATION_SIGMOID, 6, 2000}, {BP_ACTIVATION_SOFTPLUS, 6, 2000}, {BP_ACTIVATION_SOFTSIGN, 2, 2000}};
    enum { N = 512 };
    const int least = REAL_DTYPE == BP_F32 ? -126 : -1022, greatest = REAL_DTYPE == BP_F32 ? 127 : 1023;
    real e[N], y[N];
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (size_t c = 0; table && c < sizeof cases / sizeof *cases; c++) {
            for (int exponent = least; exponent <= greatest && exponent <= cases[c].max_exponent; exponent++) {
                for (size_t i = 0; i < N; i++) {
                    double sign = i % 2 ? -1 : 1, fraction = 1 + fabs(number((uint64_t)(exponent + 2000) * N + i));
                    e[i] = (real)(sign * ldexp(fraction < 2 ? fraction : 1, exponent));
                }
                table->activation(cases[c].f, 1, N, e, y);
                for (size_t i = 0; i < N; i++) {
                    double error = ulps(y[i], exact_activation(cases[c].f, (long double)e[i]));
                    if (!(error <= cases[c].limit)) {
                        fail_msg("%s %s of %.17g is %.17g, %.3g ULP from exact; the limit is %g", names[t], bp_activation_name(cases[c].f),
                                 (double)e[i], (double)y[i], error, cases[c].limit);
                    }
                }
            }
        }
    }
}

/* Losses and their error signals against the reference's, from one output to many, in batches of 1 and 3. */
static void test_losses(void **state)
{
    (void)state;
    enum { N = 70 };
    real e[3 * N], y[3 * N], z[3 * N];
    const double tolerance = REAL_DTYPE == BP_F32 ? 1e-6 : 1e-14;
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (int l = 0; table && l <= BP_LOSS_CROSS_ENTROPY; l++) {
            bool softmax = l == BP_LOSS_CROSS_ENTROPY, pair = softmax || l == BP_LOSS_BINARY_CROSS_ENTROPY;
            for (size_t n = 1; n <= N; n += n < 40 ? 1 : 15) {
                for (size_t batch = 1; batch <= 3; batch += 2) {
                    for (size_t i = 0; i < batch * n; i++) {
                        e[i] = (real)(5 * number(i + n));
                        z[i] = (real)(pair ? 0.5 + 0.5 * number(900 + i) : 3 * number(900 + i));
                    }
                    bp_activation output = softmax ? BP_ACTIVATION_SOFTMAX : pair ? BP_ACTIVATION_SIGMOID : BP_ACTIVATION_TANH;
                    REAL(bp_kernel_reference).activation(output, batch, n, e, y);
                    const real some[3] = {(real)0.5, 2, 0}, *weights = n % 2 ? some : NULL;
                    for (int local = softmax ? 1 : 0; local <= (pair ? 1 : 0); local++) {
                        array got = new_vector(batch * n, 1), expected = copy_of(got);
                        double a = table->loss((bp_loss)l, local, batch, n, e, y, z, weights, got.at);
                        double b = REAL(bp_kernel_reference).loss((bp_loss)l, local, batch, n, e, y, z, weights, expected.at);
                        assert_true(fabs(a - b) <= 10 * tolerance * (1 + fabs(b)));
                        for (size_t i = 0; i < got.n + GUARD; i++) {
                            if (!(fabs((double)got.at[i] - (double)expected.at[i]) <= tolerance * (4 + fabs((double)expected.at[i])))) {
                                fail_msg("%s %s, local %d, batch %zu, n %zu: delta[%zu] is %.9g, expected %.9g", names[t],
                                         bp_loss_name((bp_loss)l), local, batch, n, i, (double)got.at[i], (double)expected.at[i]);
                            }
                        }
                        free(got.memory);
                        free(expected.memory);
                    }
                }
            }
        }
    }
}

/* An infinite delta is told by NaN as the loss, in whatever lane it is. */
static void test_infinite_delta(void **state)
{
    (void)state;
    enum { N = 37 };
    real e[N] = {0}, y[N] = {0}, delta[64];
    assert_true(bp_round_up(N, 64 / sizeof(real)) <= 64);
    for (size_t t = 0; t < NAME_COUNT; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (size_t i = 0; table && i < N; i++) {
            real z[N] = {0};
            assert_true(table->loss(BP_LOSS_HUBER, false, 1, N, e, y, z, NULL, delta) == 0);
            z[i] = (real)NAN;
            assert_true(isnan(table->loss(BP_LOSS_HUBER, false, 1, N, e, y, z, NULL, delta)));
            z[i] = 2; /* finite, but not times the weight */
            assert_true(isnan(table->loss(BP_LOSS_MSE, false, 1, N, e, y, z, (const real[]){REAL_MAX}, delta)));
        }
    }
}

static void test_choice(void **state)
{
    (void)state;
    assert_null(REAL(bp_kernel_find)("none"));
    assert_ptr_equal(REAL(bp_kernel_find)("reference"), &REAL(bp_kernel_reference));
    assert_ptr_equal(REAL(bp_kernel_find)(bp_kernel_name()), REAL(bp_kernel)());
    const char *wanted = getenv("BP_KERNEL");
    if (wanted && !REAL(bp_kernel_find)(wanted)) {
        print_message("BP_KERNEL is %s: %s runs\n", wanted, bp_kernel_name());
        assert_string_not_equal(bp_kernel_name(), wanted);
        assert_string_not_equal(bp_kernel_name(), "reference");
    }
    if (wanted && REAL(bp_kernel_find)(wanted)) {
        assert_string_equal(bp_kernel_name(), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix_vector),        cmocka_unit_test(test_matrix_matrix),
        cmocka_unit_test(test_beta_0_does_not_read), cmocka_unit_test(test_activations),
        cmocka_unit_test(test_activation_accuracy),  cmocka_unit_test(test_losses),
        cmocka_unit_test(test_infinite_delta),       cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
