/* The range test beside the same steps worked out here, what it leaves alone, and what is refused. */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 7, STEPS = 60 };

static const real x[SAMPLES] = {1, 2, -1, (real)0.5, (real)-1.5, 3, -2}, z[SAMPLES] = {2, 5, -1, 1, -4, 7, -3};

/* y = w x, and its parameter w = 0.25 */
static bp_net *make_line(bp_workspace **ws, bp_optimizer **opt, bp_method method)
{
    bp_net *net;
    must(bp_net_create(&net, REAL_DTYPE, 1));
    must(bp_net_add_dense(net, 1, BP_ACTIVATION_IDENTITY, 0));
    must(bp_net_initialize(net, BP_INITIALIZER_ZEROS, 1));
    must(REAL(bp_net_set_parameters)(net, (const real[]){(real)0.25}));
    must(bp_workspace_create(ws, net, SAMPLES));
    must(bp_optimizer_create(opt, method, net));
    return net;
}

static bp_dataset *make_dataset(void)
{
    bp_dataset *dataset;
    must(REAL(bp_dataset_borrow)(&dataset, SAMPLES, 1, 1, x, z));
    return dataset;
}

/* Momentum on the line, batches of 3 of 7 samples: a round has two, the seventh sample is left out. Returns how many steps were made. */
static size_t compute(double momentum, uint64_t seed, const double *rates, double *losses, double *suggested)
{
    double w = 0.25, v = 0, average = 0, least = (double)INFINITY;
    size_t order[SAMPLES];
    for (size_t i = 0; i < STEPS; i++) {
        if (i % 2 == 0) {
            must(bp_random_permutation(seed, i / 2, SAMPLES, order));
        }
        double loss = 0, gradient = 0;
        for (size_t s = i % 2 * 3; s < i % 2 * 3 + 3; s++) {
            double error = (double)z[order[s]] - w * (double)x[order[s]];
            loss += error * error / 6;
            gradient -= error * (double)x[order[s]] / 3;
        }
        v = momentum * v + gradient;
        w -= rates[i] * v;
        average = 0.9 * average + 0.1 * loss;
        losses[i] = average / (1 - pow(0.9, (double)i + 1));
        if (losses[i] < least) {
            least = losses[i];
            *suggested = rates[i] / 10;
        }
        if (losses[i] > 4 * least) {
            return i + 1;
        }
    }
    return STEPS;
}

static void expect(const char *what, size_t step, double expected, double got)
{
    if (!(fabs(got - expected) <= (REAL_DTYPE == BP_F32 ? 1e-4 : 1e-10) * fabs(expected))) {
        fail_msg("%s of step %zu: expected %.17g, got %.17g", what, step, expected, got);
    }
}

static void test_beside_another_computation(void **state)
{
    (void)state;
    static const struct {
        double momentum, maximum;
        uint64_t seed;
        bool ends_early;
    } cases[] = {{0, 0.1, 1, false}, {0, 100, 1, true}, {0.5, 100, 1, true}, {0.5, 100, 2, true}};
    bp_dataset *dataset = make_dataset();
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bp_workspace *ws;
        bp_optimizer *opt;
        bp_net *net = make_line(&ws, &opt, cases[c].momentum > 0 ? BP_METHOD_MOMENTUM : BP_METHOD_SGD);
        if (cases[c].momentum > 0) {
            must(bp_optimizer_set(opt, BP_OPTIMIZER_MOMENTUM, cases[c].momentum));
        }
        double rates[STEPS], losses[STEPS], suggested, expected[STEPS], expected_suggestion = 0;
        must(bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 3, 1e-3, cases[c].maximum, STEPS, cases[c].seed, rates, losses,
                                         &suggested));
        for (size_t i = 0; i < STEPS; i++) {
            double exponent = (double)i / (STEPS - 1);
            if (!(fabs(rates[i] / (1e-3 * pow(cases[c].maximum / 1e-3, exponent)) - 1) < 1e-12)) {
                fail_msg("rate of step %zu: %g", i, rates[i]);
            }
        }
        assert_true(rates[0] == 1e-3 && rates[STEPS - 1] == cases[c].maximum);
        size_t n = compute(cases[c].momentum, cases[c].seed, rates, expected, &expected_suggestion);
        assert_true((n < STEPS) == cases[c].ends_early);
        for (size_t i = 0; i < n; i++) {
            expect("loss", i, expected[i], losses[i]);
        }
        for (size_t i = n; i < STEPS; i++) {
            assert_true(isnan(losses[i]));
        }
        assert_true(suggested == expected_suggestion);
        must(bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 3, 1e-3, 1, STEPS, 1, NULL, NULL, NULL));
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
    bp_dataset_destroy(dataset);
}

/* A rate so large that the next loss is no number: the step before it counts. */
static void test_overflow(void **state)
{
    (void)state;
    bp_dataset *dataset = make_dataset();
    bp_workspace *ws;
    bp_optimizer *opt;
    bp_net *net = make_line(&ws, &opt, BP_METHOD_SGD);
    double losses[3], suggested, maximum = sqrt((double)REAL_MAX) * 1e3;
    must(bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 7, maximum / 4, maximum, 3, 1, NULL, losses, &suggested));
    assert_true(isfinite(losses[0]) && isnan(losses[1]) && isnan(losses[2]));
    assert_true(suggested == maximum / 4 / 10);
    must(REAL(bp_net_set_parameters)(net, (const real[]){REAL_MAX}));
    suggested = 7;
    REFUSED(bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 7, 1, 2, 3, 1, NULL, losses, &suggested), BP_ERROR_NONFINITE,
            "before the first step");
    assert_true(suggested == 7 && isfinite(losses[0]));
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    bp_dataset_destroy(dataset);
}

/* Training goes on as if there had been no range test in between: Adam's moments and step count are in the next bits. */
static void test_nothing_changes(void **state)
{
    (void)state;
    bp_dataset *dataset = make_dataset();
    real theta[2];
    for (int tested = 0; tested < 2; tested++) {
        bp_workspace *ws;
        bp_optimizer *opt;
        double rate;
        bp_net *net = make_line(&ws, &opt, BP_METHOD_ADAM);
        must(REAL(bp_net_train_step)(net, ws, opt, BP_LOSS_MSE, SAMPLES, x, z, NULL));
        if (tested) {
            must(bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 3, 1e-3, 1, STEPS, 1, NULL, NULL, NULL));
        }
        must(REAL(bp_net_train_step)(net, ws, opt, BP_LOSS_MSE, SAMPLES, x, z, NULL));
        must(REAL(bp_net_get_parameters)(net, &theta[tested]));
        must(bp_optimizer_get(opt, BP_OPTIMIZER_LEARNING_RATE, &rate));
        assert_true(rate == 0.001);
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
    assert_true(theta[0] == theta[1] && theta[0] != (real)0.25);
    bp_dataset_destroy(dataset);
}

/* Settings that need room of their own, and methods whose steps are not in proportion to a rate. */
static void test_methods(void **state)
{
    (void)state;
    bp_dataset *dataset = make_dataset();
    double rates[4], losses[4], suggested;
    for (bp_method method = BP_METHOD_SGD; method <= BP_METHOD_IRPROP_MINUS; method++) {
        bp_workspace *ws;
        bp_optimizer *opt;
        bp_net *net = make_line(&ws, &opt, method);
        must(bp_optimizer_set(opt, BP_OPTIMIZER_WEIGHT_DECAY, 0.1));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_CLIP_NORM, 1));
        bp_status status = bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 2, 1e-3, 1e-2, 4, 1, rates, losses, &suggested);
        if (method == BP_METHOD_IRPROP_MINUS) {
            must_refuse("irprop_minus", status, BP_ERROR_UNSUPPORTED, "irprop_minus has no learning rate");
        } else {
            must(status);
        }
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
    bp_dataset_destroy(dataset);
}

static void test_bad_input(void **state)
{
    (void)state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    const double nan = (double)NAN, infinity = (double)INFINITY;
    bp_dataset *dataset = make_dataset(), *wide;
    bp_workspace *ws, *other_ws;
    bp_optimizer *opt, *other_opt;
    bp_net *net = make_line(&ws, &opt, BP_METHOD_SGD), *other = make_line(&other_ws, &other_opt, BP_METHOD_SGD), *empty;
    const bp_net *none = NULL;
    must(bp_net_create(&empty, REAL_DTYPE, 1));
    must(REAL(bp_dataset_borrow)(&wide, 3, 2, 1, x, z));
    double rates[2] = {7, 7}, losses[2] = {7, 7}, suggested = 7;
    const struct {
        const bp_net *net;
        const bp_optimizer *opt;
        const bp_dataset *dataset;
        bp_loss loss;
        size_t batch, n_steps;
        double minimum, maximum;
        bp_status status;
        const char *word;
    } cases[] = {
        {none, opt, dataset, BP_LOSS_MSE, 2, 2, 1, 2, argument, "net is NULL"},
        {net, NULL, dataset, BP_LOSS_MSE, 2, 2, 1, 2, argument, "opt is NULL"},
        {net, opt, NULL, BP_LOSS_MSE, 2, 2, 1, 2, argument, "dataset is NULL"},
        {empty, opt, dataset, BP_LOSS_MSE, 2, 2, 1, 2, BP_ERROR_STATE, "not initialized"},
        {net, other_opt, dataset, BP_LOSS_MSE, 2, 2, 1, 2, BP_ERROR_STATE, "another net"},
        {net, opt, wide, BP_LOSS_MSE, 2, 2, 1, 2, argument, "2 inputs, the net 1"},
        {net, opt, dataset, BP_LOSS_CROSS_ENTROPY, 2, 2, 1, 2, BP_ERROR_UNSUPPORTED, "softmax"},
        {net, opt, dataset, (bp_loss)9, 2, 2, 1, 2, argument, "loss is 9"},
        {net, opt, dataset, BP_LOSS_MSE, 0, 2, 1, 2, argument, "batch is 0"},
        {net, opt, dataset, BP_LOSS_MSE, 8, 2, 1, 2, argument, "batch is 8; the dataset has 7 samples"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 1, 1, 2, argument, "n_steps is 1"},
        {net, opt, dataset, BP_LOSS_MSE, 2, SIZE_MAX, 1, 2, argument, "n_steps is"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, 0, 2, argument, "minimum is 0"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, -1, 2, argument, "minimum is -1"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, nan, 2, argument, "minimum is nan"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, infinity, 2, argument, "minimum is inf"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, 1, 1, argument, "maximum is 1; it is to be above the minimum"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, 1, nan, argument, "maximum is nan"},
        {net, opt, dataset, BP_LOSS_MSE, 2, 2, 1, infinity, argument, "maximum is inf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bp_status status = bp_learning_rate_range_test(cases[i].net, cases[i].opt, cases[i].loss, cases[i].dataset, cases[i].batch,
                                                       cases[i].minimum, cases[i].maximum, cases[i].n_steps, 1, rates, losses, &suggested);
        must_refuse(cases[i].word, status, cases[i].status, cases[i].word);
        assert_true(rates[0] == 7 && rates[1] == 7 && losses[0] == 7 && losses[1] == 7 && suggested == 7);
    }
    bp_dataset_destroy(dataset);
    bp_dataset_destroy(wide);
    bp_optimizer_destroy(opt);
    bp_optimizer_destroy(other_opt);
    bp_workspace_destroy(ws);
    bp_workspace_destroy(other_ws);
    bp_net_destroy(net);
    bp_net_destroy(other);
    bp_net_destroy(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_another_computation),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_nothing_changes),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
