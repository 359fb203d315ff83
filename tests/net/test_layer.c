/* A layer's formulas against plain loops, and every activation against values computed elsewhere. */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = REAL_DTYPE == BP_F64 ? 2e-15 : 1e-6;

enum { POINTS = 5 };

static const double points[POINTS] = {-20, -3, -0.5, 0.75, 4};

/* f and f′ at the points, by Python's math module. */
static const struct {
    double f[POINTS], slope[POINTS];
} known[] = {
    [BP_ACTIVATION_IDENTITY] = {{-20.0, -3.0, -0.5, 0.75, 4.0}, {1.0, 1.0, 1.0, 1.0, 1.0}},
    [BP_ACTIVATION_SIGMOID] = {{2.0611536181902037e-09, 0.04742587317756678, 0.3775406687981454, 0.679178699175393, 0.9820137900379085},
                               {2.0611536139418496e-09, 0.04517665973091213, 0.2350037122015945, 0.21789499376181398,
                                0.017662706213291114}},
    [BP_ACTIVATION_TANH] = {{-1.0, -0.9950547536867305, -0.46211715726000974, 0.6351489523872873, 0.999329299739067},
                            {1.6993417021166355e-17, 0.009866037165440192, 0.7864477329659275, 0.5965858082813313, 0.001340950683025897}},
    [BP_ACTIVATION_RELU] = {{0.0, 0.0, 0.0, 0.75, 4.0}, {0.0, 0.0, 0.0, 1.0, 1.0}},
    [BP_ACTIVATION_LEAKY_RELU] = {{-0.2, -0.03, -0.005, 0.75, 4.0}, {0.01, 0.01, 0.01, 1.0, 1.0}},
    [BP_ACTIVATION_ELU] = {{-0.9999999979388464, -0.950212931632136, -0.3934693402873666, 0.75, 4.0},
                           {2.061153622438558e-09, 0.049787068367863944, 0.6065306597126334, 1.0, 1.0}},
    [BP_ACTIVATION_SELU] = {{-1.758099337223664, -1.6705687287671118, -0.6917581878028713, 0.7880257405166103, 4.202803949421922},
                            {3.6237128249944113e-09, 0.08753061208026487, 1.0663411530445053, 1.0507009873554805, 1.0507009873554805}},
    [BP_ACTIVATION_GELU] = {{-5.507248237212663e-88, -0.004049694094890287, -0.15426876936299344, 0.5800294857173488, 3.9998733150326675},
                            {-1.1014360483133464e-86, -0.011945647204183927, 0.13250487534383712, 0.9992257217392351, 1.0005036496612265}},
    [BP_ACTIVATION_SILU] = {{-4.122307236380407e-08, -0.14227761953270035, -0.1887703343990727, 0.5093840243815447, 3.928055160151634},
                            {-3.9161918660646786e-08, -0.08810410601516962, 0.2600388126973482, 0.8425999444967536, 1.0526646148910728}},
    [BP_ACTIVATION_SOFTPLUS] = {{2.061153620314381e-09, 0.04858735157374206, 0.4740769841801067, 1.1368710061148999, 4.0181499279178094},
                                {2.0611536181902037e-09, 0.04742587317756678, 0.3775406687981454, 0.679178699175393, 0.9820137900379085}},
    [BP_ACTIVATION_SOFTSIGN] = {{-0.9523809523809523, -0.75, -0.3333333333333333, 0.42857142857142855, 0.8},
                                {0.0022675736961451248, 0.0625, 0.4444444444444444, 0.32653061224489793, 0.04}},
    [BP_ACTIVATION_GAUSSIAN] = {{1.9151695967140057e-174, 0.00012340980408667956, 0.7788007830714049, 0.569782824730923,
                                 1.1253517471925912e-07},
                                {7.660678386856023e-173, 0.0007404588245200774, 0.7788007830714049, -0.8546742370963845,
                                 -9.002813977540729e-07}},
    [BP_ACTIVATION_SINE] = {{-0.9129452507276277, -0.1411200080598672, -0.479425538604203, 0.6816387600233341, -0.7568024953079282},
                            {0.40808206181339196, -0.9899924966004454, 0.8775825618903728, 0.7316888688738209, -0.6536436208636119}},
};

static void test_known_values(void **state)
{
    (void)state;
    for (int a = BP_ACTIVATION_IDENTITY; a < BP_ACTIVATION_SOFTMAX; a++) {
        bp_layer *layer;
        real x = 1, e[POINTS], y[POINTS], slope[POINTS], W[POINTS];
        const real ones[POINTS] = {1, 1, 1, 1, 1};
        for (size_t i = 0; i < POINTS; i++) {
            W[i] = (real)points[i];
        }
        must(bp_layer_create(&layer, REAL_DTYPE, 1, POINTS, (bp_activation)a, 0));
        must(REAL(bp_layer_set_weights)(layer, W, NULL));
        must(REAL(bp_layer_forward)(layer, &x, e, y));
        must(REAL(bp_layer_local_gradient)(layer, ones, e, slope));
        for (size_t i = 0; i < POINTS; i++) {
            double f_error = fabs((double)y[i] - known[a].f[i]), slope_error = fabs((double)slope[i] - known[a].slope[i]);
            if (!(f_error <= tolerance * (1 + fabs(known[a].f[i])) && slope_error <= tolerance * 2)) {
                fail_msg("%s at %g: f %.17g, f' %.17g; expected %.17g, %.17g", bp_activation_name((bp_activation)a), points[i],
                         (double)y[i], (double)slope[i], known[a].f[i], known[a].slope[i]);
            }
        }
        bp_layer_destroy(layer);
    }
}

/* exp(1) … exp(4) over their sum, by Python; and far from 0 the same, by the shift that softmax does not see. */
static void test_softmax(void **state)
{
    (void)state;
    static const double expected[] = {0.03205860328008499, 0.08714431874203257, 0.23688281808991013, 0.6439142598879724};
    static const real shifts[] = {0, 900, -900};
    for (size_t c = 0; c < 3; c++) {
        bp_layer *layer;
        real x = 1, e[4], y[4], W[4], g[4], in_place[4] = {1, -1, 2, (real)0.5};
        const real delta[] = {1, -1, 2, (real)0.5};
        for (size_t i = 0; i < 4; i++) {
            W[i] = (real)(i + 1) + shifts[c];
        }
        must(bp_layer_create(&layer, REAL_DTYPE, 1, 4, BP_ACTIVATION_SOFTMAX, 0));
        must(REAL(bp_layer_set_weights)(layer, W, NULL));
        must(REAL(bp_layer_forward)(layer, &x, e, y));
        must(REAL(bp_layer_local_gradient)(layer, delta, e, g));
        must(REAL(bp_layer_local_gradient)(layer, in_place, e, in_place));
        double product = 0;
        for (size_t i = 0; i < 4; i++) {
            assert_true(fabs((double)y[i] - expected[i]) <= 2 * tolerance);
            product += expected[i] * (double)delta[i];
        }
        for (size_t i = 0; i < 4; i++) {
            assert_true(fabs((double)g[i] - expected[i] * ((double)delta[i] - product)) <= 4 * tolerance);
        }
        assert_memory_equal(g, in_place, sizeof g);
        bp_layer_destroy(layer);
    }
}

static void test_extreme_values(void **state)
{
    (void)state;
    static const real extremes[] = {-1000, 1000, -100, 100, 0, -(real)0.0, REAL_MAX / 2, -REAL_MAX / 2};
    enum { N = sizeof extremes / sizeof *extremes };
    for (int a = BP_ACTIVATION_IDENTITY; a <= BP_ACTIVATION_SOFTMAX; a++) {
        bp_layer *layer;
        real x = 1, e[N], y[N], slope[N], ones[N];
        for (size_t i = 0; i < N; i++) {
            ones[i] = 1;
        }
        must(bp_layer_create(&layer, REAL_DTYPE, 1, N, (bp_activation)a, 0));
        must(REAL(bp_layer_set_weights)(layer, extremes, NULL));
        must(REAL(bp_layer_forward)(layer, &x, e, y));
        must(REAL(bp_layer_local_gradient)(layer, ones, e, slope));
        for (size_t i = 0; i < N; i++) {
            if (!isfinite(y[i]) || !isfinite(slope[i])) {
                fail_msg("%s at %g: f %g, f' %g", bp_activation_name((bp_activation)a), (double)e[i], (double)y[i], (double)slope[i]);
            }
        }
        real nan_input = (real)NAN;
        must(REAL(bp_layer_forward)(layer, &nan_input, e, y));
        for (size_t i = 0; i < N; i++) {
            if (!isnan(y[i])) {
                fail_msg("%s of NaN is %g", bp_activation_name((bp_activation)a), (double)y[i]);
            }
        }
        bp_layer_destroy(layer);
    }
}

/* One layer of n_in inputs and n_out outputs against the formulas. */
static void check_formulas(size_t n_in, size_t n_out, int bias)
{
    real *W = malloc(n_out * n_in * sizeof *W), *b = malloc(n_out * sizeof *b), *x = malloc(n_in * sizeof *x);
    real *delta = malloc(n_out * sizeof *delta), *e = malloc(n_out * sizeof *e), *y = malloc(n_out * sizeof *y);
    real *g = malloc(n_out * sizeof *g), *back = malloc(n_in * sizeof *back), *after = malloc(n_out * n_in * sizeof *after);
    for (size_t i = 0; i < n_out * n_in; i++) {
        W[i] = (real)number(i);
    }
    for (size_t i = 0; i < n_out; i++) {
        b[i] = (real)number(5000 + i);
        delta[i] = (real)number(6000 + i);
    }
    for (size_t j = 0; j < n_in; j++) {
        x[j] = (real)number(7000 + j);
    }
    bp_layer *layer;
    must(bp_layer_create(&layer, REAL_DTYPE, n_in, n_out, BP_ACTIVATION_TANH, bias));
    must(REAL(bp_layer_set_weights)(layer, W, bias ? b : NULL));
    must(REAL(bp_layer_forward)(layer, x, e, y));
    must(REAL(bp_layer_backward)(layer, delta, back));
    must(REAL(bp_layer_local_gradient)(layer, delta, e, g));
    const double bound = tolerance * 4 * (double)(n_in + n_out);
    for (size_t i = 0; i < n_out; i++) {
        double sum = bias ? (double)b[i] : 0;
        for (size_t j = 0; j < n_in; j++) {
            sum += (double)W[i * n_in + j] * (double)x[j];
        }
        if (fabs(sum - (double)e[i]) > bound || fabs(tanh((double)e[i]) - (double)y[i]) > 4 * tolerance) {
            fail_msg("forward %zu x %zu, bias %d: e[%zu] is %.15g, expected %.15g", n_out, n_in, bias, i, (double)e[i], sum);
        }
    }
    for (size_t j = 0; j < n_in; j++) {
        double sum = 0;
        for (size_t i = 0; i < n_out; i++) {
            sum += (double)W[i * n_in + j] * (double)delta[i];
        }
        if (fabs(sum - (double)back[j]) > bound) {
            fail_msg("backward %zu x %zu: delta_prev[%zu] is %.15g, expected %.15g", n_out, n_in, j, (double)back[j], sum);
        }
    }
    must(REAL(bp_layer_update)(layer, (real)0.5, delta, e, x));
    must(REAL(bp_layer_get_weights)(layer, after, bias ? y : NULL));
    for (size_t i = 0; i < n_out; i++) {
        for (size_t j = 0; j < n_in; j++) {
            double expected = (double)W[i * n_in + j] + 0.5 * (double)g[i] * (double)x[j];
            if (fabs(expected - (double)after[i * n_in + j]) > 4 * tolerance) {
                fail_msg("update %zu x %zu: W[%zu][%zu]", n_out, n_in, i, j);
            }
        }
        assert_true(!bias || fabs((double)b[i] + 0.5 * (double)g[i] - (double)y[i]) <= 4 * tolerance);
    }
    /* in place */
    must(REAL(bp_layer_set_weights)(layer, W, bias ? b : NULL));
    must(REAL(bp_layer_forward)(layer, x, y, y));
    must(REAL(bp_layer_local_gradient)(layer, delta, e, delta));
    for (size_t i = 0; i < n_out; i++) {
        assert_true(fabs((double)y[i] - tanh((double)e[i])) <= 4 * tolerance);
    }
    assert_memory_equal(delta, g, n_out * sizeof *g);
    bp_layer_destroy(layer);
    real *all[] = {W, b, x, delta, e, y, g, back, after};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}

static void test_formulas_on_odd_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 67, 127, 129};
    enum { N = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            check_formulas(sizes[i], sizes[j], (int)((i + j) % 2));
        }
    }
    check_formulas(1024, 3, 1); /* a stride that is a power of two */
    check_formulas(512, 5, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_extreme_values),
        cmocka_unit_test(test_formulas_on_odd_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
