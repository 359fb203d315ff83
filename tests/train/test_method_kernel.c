/* Steps of methods and clipping in every table beside the reference, also where squares of gradients are 0, denormal or infinite. */
#include "core/memory.h"
#include "core/real.h"
#include "kernel/kernel.h"
#include "support/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { N = 48, METHODS = BP_METHOD_IRPROP_MINUS + 1 };

static const char *const names[] = {"avx512", "avx2", "blas", "generic"};

typedef struct vectors {
    _Alignas(64) real direction[N], first[N], second[N], theta[N];
} vectors;

#if BP_REAL_BITS == 32
#define LEAST FLT_MIN
#else
#define LEAST DBL_MIN
#endif

/* States as they can be: of squares not negative, and of all sizes. */
static vectors start(bp_method method)
{
    static const real sizes[] = {0, LEAST / 8, LEAST, (real)1e-20, (real)1e-3, 1, (real)1e8, REAL_MAX};
    vectors v;
    for (size_t i = 0; i < N; i++) {
        real size = sizes[i % 8];
        v.direction[i] = i % 5 == 4 ? 0 : (real)number(i) * (i / 8 % 2 == 0 ? 1 : size > 1 ? (real)sqrt((double)size) : size);
        v.theta[i] = (real)number(100 + i);
        v.first[i] = method == BP_METHOD_ADAGRAD || method == BP_METHOD_RMSPROP ? size : (real)number(200 + i);
        v.second[i] = size;
        if (method == BP_METHOD_IRPROP_MINUS) {
            v.first[i] = (real)(i % 3) - 1;
            v.second[i] = i % 4 == 0 ? 0 : (real)0.01 * (real)i;
        }
    }
    return v;
}

static void check_near(const char *table, bp_method method, const char *what, const real *got, const real *expected)
{
    for (size_t i = 0; i < N; i++) {
        /* 8 units in the last place, of 1 at least where θ and a step of another sign give a difference */
        double tolerance = 8 * (REAL_DTYPE == BP_F32 ? (double)FLT_EPSILON : DBL_EPSILON) * fmax(fabs((double)expected[i]), 1);
        if (!(got[i] == expected[i] || fabs((double)got[i] - (double)expected[i]) <= tolerance)) {
            fail_msg("%s, %s: %s[%zu] is %.17g, expected %.17g", table, bp_method_name(method), what, i, (double)got[i],
                     (double)expected[i]);
        }
    }
}

/* As 3 rows: the gradient is −1, −2 and −3 times a direction. */
static void step_rows(const REAL(bp_kernel_table) * table, bp_method method, const REAL(bp_method_step) * step, vectors *v)
{
    const real g[] = {1, 2, 3};
    table->method(method, step, &(REAL(bp_method_rows)){3, N / 3, N / 3, -1, g, v->direction, v->theta, v->first, v->second, 0});
}

static void test_methods(void **state)
{
    (void)state;
    const REAL(bp_method_step) steps[] = {
        {.learning_rate = (real)0.1,
         .epsilon = (real)1e-8,
         .momentum = (real)0.9,
         .rest1 = (real)0.1,
         .rest2 = (real)0.01,
         .increase = (real)1.2,
         .decrease = (real)0.5,
         .minimum = (real)1e-6,
         .maximum = (real)0.3},
        {.learning_rate = (real)0.1,
         .epsilon = (real)1e-8,
         .momentum = (real)0.9,
         .rest1 = (real)0.1,
         .rest2 = (real)0.01,
         .decay = (real)0.2,
         .l1 = (real)0.3,
         .shrinkage = (real)0.01,
         .increase = (real)1.2,
         .decrease = (real)0.5,
         .minimum = (real)1e-6,
         .maximum = (real)0.3},
    };
    const REAL(bp_kernel_table) *reference = REAL(bp_kernel_find)("reference");
    for (size_t t = 0; t < sizeof names / sizeof *names; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (int m = 0; table && m < METHODS; m++) {
            bp_method method = (bp_method)m;
            for (size_t s = 0; s < 2; s++) {
                vectors expected = start(method), got = expected;
                step_rows(reference, method, &steps[s], &expected);
                step_rows(table, method, &steps[s], &got);
                check_near(names[t], method, "theta", got.theta, expected.theta);
                check_near(names[t], method, "first", got.first, expected.first);
                check_near(names[t], method, "second", got.second, expected.second);
            }
        }
    }
}

/* Where g² is infinite a parameter stays, and moves again when gradients are small. */
static void test_overflow(void **state)
{
    (void)state;
    const REAL(bp_method_step) step = {.learning_rate = 1, .epsilon = (real)1e-8, .rest1 = (real)0.5, .rest2 = (real)0.5};
    const bp_method methods[] = {BP_METHOD_ADAGRAD, BP_METHOD_RMSPROP, BP_METHOD_ADAM};
    for (size_t t = 0; t < sizeof names / sizeof *names; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        for (size_t m = 0; table && m < 3; m++) {
            vectors v = {.direction = {REAL_MAX / 4}};
            for (int i = 0; i < 3; i++) {
                step_rows(table, methods[m], &step, &v);
                assert_true(v.theta[0] == 0);
            }
            v.direction[0] = 1;
            step_rows(table, methods[m], &step, &v);
            assert_true(isfinite(v.theta[0]));
        }
    }
}

static void test_clip(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof names / sizeof *names; t++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[t]);
        if (!table) {
            continue;
        }
        _Alignas(64) real x[N] = {0};
        double sum = 0;
        for (size_t i = 0; i < 37; i++) {
            x[i] = (real)number(i);
            double held = fmax(-0.25, fmin(0.25, (double)x[i]));
            sum += held * held;
        }
        x[3] = (real)INFINITY;
        sum += 0.0625 - fmin(0.0625, number(3) * number(3));
        assert_true(fabs(table->clip(37, (real)0.25, x) - sum) < 1e-14);
        assert_true(x[3] == (real)0.25);
        for (size_t i = 0; i < 37; i++) {
            assert_true(fabs((double)x[i]) <= 0.25);
        }
        x[20] = (real)NAN;
        assert_true(isnan(table->clip(37, (real)INFINITY, x)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
