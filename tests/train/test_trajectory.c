/*
 * 100 steps of every method on a net of several layers, f64, beside an independent computation: the net's gradient and the method's formula
 * written out here and in plain_method.c, which goes its own way from the same start. L-BFGS is held to the minimum.
 */
#include "support/check.h"
#include "train/plain_method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 3, STEPS = 100, BATCH = 7, WIDEST = 6, SAMPLES = STEPS * BATCH };

static const size_t widths[LAYERS + 1] = {5, 6, 4, 3};
static const bool biases[LAYERS] = {true, false, true};
static double x[SAMPLES * 5], target[SAMPLES * 3];

static bp_net *net;
static bp_workspace *ws;

static int set_up(void **state)
{
    (void)state;
    const bp_activation activations[LAYERS] = {BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, BP_ACTIVATION_IDENTITY};
    must(bp_net_create(&net, BP_F64, widths[0]));
    for (size_t l = 0; l < LAYERS; l++) {
        must(bp_net_add_dense(net, widths[l + 1], activations[l], biases[l]));
    }
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 11));
    must(bp_workspace_create(&ws, net, BATCH));
    for (size_t i = 0; i < SAMPLES * 5; i++) {
        x[i] = number(i);
    }
    for (size_t i = 0; i < SAMPLES * 3; i++) {
        target[i] = number(9000 + i);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    return 0;
}

/* gradient += that of ½ ‖z − y‖² of one sample at theta */
static void add_gradient(const double *theta, const double *sample, const double *z, double *gradient)
{
    double y[LAYERS + 1][WIDEST], delta[WIDEST], next[WIDEST];
    size_t start[LAYERS + 1] = {0};
    memcpy(y[0], sample, widths[0] * sizeof *sample);
    for (size_t l = 0; l < LAYERS; l++) {
        size_t n = widths[l], m = widths[l + 1];
        for (size_t i = 0; i < m; i++) {
            double e = biases[l] ? theta[start[l] + m * n + i] : 0;
            for (size_t j = 0; j < n; j++) {
                e += theta[start[l] + i * n + j] * y[l][j];
            }
            y[l + 1][i] = l == 0 ? tanh(e) : l == 1 ? 1 / (1 + exp(-e)) : e;
        }
        start[l + 1] = start[l] + m * n + (biases[l] ? m : 0);
    }
    for (size_t i = 0; i < widths[LAYERS]; i++) {
        delta[i] = y[LAYERS][i] - z[i];
    }
    for (size_t l = LAYERS; l-- > 0;) {
        size_t n = widths[l], m = widths[l + 1];
        memset(next, 0, sizeof next);
        for (size_t i = 0; i < m; i++) {
            double out = y[l + 1][i], g = delta[i] * (l == 0 ? 1 - out * out : l == 1 ? out * (1 - out) : 1);
            for (size_t j = 0; j < n; j++) {
                gradient[start[l] + i * n + j] += g * y[l][j];
                next[j] += g * theta[start[l] + i * n + j];
            }
            if (biases[l]) {
                gradient[start[l] + m * n + i] += g;
            }
        }
        memcpy(delta, next, sizeof delta);
    }
}

static void mean_gradient(const double *theta, size_t n, size_t first, size_t batch, double *gradient)
{
    memset(gradient, 0, n * sizeof *gradient);
    for (size_t s = first; s < first + batch; s++) {
        add_gradient(theta, x + s * 5, target + s * 3, gradient);
    }
    for (size_t i = 0; i < n; i++) {
        gradient[i] /= (double)batch;
    }
}

typedef enum { BY_STEP, BY_BATCH, BY_ONLINE, BY_GRADIENT, WAYS } way;

static const char *const way_names[WAYS] = {"steps of one sample", "steps of 7", "train_online", "optimizer_step"};

/* The library's 100 steps, from where the net is. */
static void run_library(bp_optimizer *opt, way how)
{
    double theta[PLAIN_MAX], gradient[PLAIN_MAX];
    if (how == BY_ONLINE) {
        must(bp_net_train_online_f64(net, ws, opt, BP_LOSS_MSE, STEPS, x, target, NULL));
    }
    for (size_t s = 0; s < STEPS && how != BY_ONLINE; s++) {
        size_t batch = how == BY_BATCH ? BATCH : 1, first = s * batch;
        if (how == BY_GRADIENT) {
            must(bp_net_get_parameters_f64(net, theta));
            mean_gradient(theta, bp_net_parameter_count(net), first, batch, gradient);
            must(bp_optimizer_step_f64(opt, net, gradient));
        } else {
            must(bp_net_train_step_f64(net, ws, opt, BP_LOSS_MSE, batch, x + first * 5, target + first * 3, NULL));
        }
    }
    assert_int_equal(bp_optimizer_step_count(opt), STEPS);
}

static void compare(const plain_method *settings, const char *name, way how)
{
    plain_method p = *settings;
    bp_optimizer *opt = make_optimizer(&p, net);
    double theta[PLAIN_MAX], gradient[PLAIN_MAX];
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 11));
    run_library(opt, how);
    bp_optimizer_destroy(opt);
    must(bp_net_get_parameters_f64(net, theta));
    for (size_t s = 0; s < STEPS; s++) {
        size_t batch = how == BY_BATCH ? BATCH : 1;
        mean_gradient(p.theta, p.n, s * batch, batch, gradient);
        plain_step(&p, gradient);
    }
    for (size_t i = 0; i < p.n; i++) {
        if (!(fabs(theta[i] - p.theta[i]) <= 1e-12 * fmax(fabs(p.theta[i]), 0.1))) {
            fail_msg("%s, %s, %s: theta[%zu] is %.17g, expected %.17g", bp_method_name(p.method), name, way_names[how], i, theta[i],
                     p.theta[i]);
        }
    }
}

static void test_trajectories(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double decay, l1;
        bool bias_decay;
        double clip_value, clip_norm;
    } cases[] = {
        {"plain", 0, 0, true, 0, 0},
        {"weight decay", 0.05, 0, true, 0, 0},
        {"L1 penalty", 0, 0.02, true, 0, 0},
        {"both, not of biases", 0.05, 0.02, false, 0, 0},
        {"clipped by value", 0, 0, true, 0.03, 0},
        {"clipped by norm", 0, 0, true, 0, 0.2},
        {"a norm that is not reached", 0, 0, true, 0, 1e6},
        {"all", 0.05, 0.02, false, 0.1, 0.2},
    };
    for (int method = BP_METHOD_SGD; method <= BP_METHOD_IRPROP_MINUS; method++) {
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 11));
            plain_method p = plain_method_of((bp_method)method, net);
            p.decay = cases[c].decay;
            p.l1 = cases[c].l1;
            p.bias_decay = cases[c].bias_decay;
            p.clip_value = cases[c].clip_value;
            p.clip_norm = cases[c].clip_norm;
            for (int how = 0; how < WAYS; how++) {
                compare(&p, cases[c].name, (way)how);
            }
        }
    }
}

enum { FEATURES = 4, ROWS = 30, UNKNOWNS = FEATURES + 1 };

/* The minimum over w and b of ½/n Σ (wᵀx + b − z)² + ½ λ ‖w‖², and ½ λ b² if so said, by its normal equations. */
static void solve_normal_equations(const double *a, const double *z, double decay, bool bias_decay, double *solution)
{
    double M[UNKNOWNS][UNKNOWNS + 1] = {{0}};
    for (size_t s = 0; s < ROWS; s++) {
        double row[UNKNOWNS] = {[FEATURES] = 1};
        memcpy(row, a + s * FEATURES, FEATURES * sizeof *row);
        for (size_t i = 0; i < UNKNOWNS; i++) {
            for (size_t j = 0; j < UNKNOWNS; j++) {
                M[i][j] += row[i] * row[j] / ROWS;
            }
            M[i][UNKNOWNS] += row[i] * z[s] / ROWS;
        }
    }
    for (size_t i = 0; i < UNKNOWNS; i++) {
        M[i][i] += i < FEATURES || bias_decay ? decay : 0;
    }
    for (size_t k = 0; k < UNKNOWNS; k++) { /* Gauss, Jordan; the matrix is positive definite */
        for (size_t i = 0; i < UNKNOWNS; i++) {
            double factor = M[i][k] / M[k][k];
            for (size_t j = k; i != k && j <= UNKNOWNS; j++) {
                M[i][j] -= factor * M[k][j];
            }
        }
    }
    for (size_t i = 0; i < UNKNOWNS; i++) {
        solution[i] = M[i][UNKNOWNS] / M[i][i];
    }
}

/* NULL, with the reason said, in a build without liblbfgs. */
static bp_optimizer *make_lbfgs(const bp_net *of)
{
    bp_optimizer *opt = NULL;
    bp_status status = bp_optimizer_create(&opt, BP_METHOD_LBFGS, of);
    if (status == BP_ERROR_UNSUPPORTED) {
        assert_non_null(strstr(bp_last_error(), "no L-BFGS (liblbfgs)"));
        print_message("skipped: %s\n", bp_last_error());
        return NULL;
    }
    must(status);
    return opt;
}

static void test_lbfgs_least_squares(void **state)
{
    (void)state;
    double a[ROWS * FEATURES], z[ROWS], theta[UNKNOWNS], expected[UNKNOWNS], loss, before;
    for (size_t i = 0; i < ROWS * FEATURES; i++) {
        a[i] = number(i) * (1 + 3 * (double)(i % FEATURES));
    }
    for (size_t i = 0; i < ROWS; i++) {
        z[i] = number(700 + i);
    }
    for (int c = 0; c < 3; c++) {
        double decay = c > 0 ? 0.1 : 0;
        bp_net *line = make_net(BP_F64, FEATURES, 1, (const size_t[]){1}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_IDENTITY, 1, 3);
        bp_optimizer *opt = make_lbfgs(line);
        if (!opt) {
            bp_net_destroy(line);
            skip();
        }
        bp_workspace *batch;
        must(bp_workspace_create(&batch, line, ROWS));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_WEIGHT_DECAY, decay));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_BIAS_DECAY, c == 1));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_HISTORY, c == 2 ? 3 : 100));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_ITERATIONS, 200));
        must(bp_net_gradient_f64(line, batch, BP_LOSS_MSE, ROWS, a, z, NULL, &before));
        must(bp_net_train_step_f64(line, batch, opt, BP_LOSS_MSE, ROWS, a, z, &loss));
        assert_true(loss == before);
        assert_int_equal(bp_optimizer_step_count(opt), 1);
        must(bp_net_get_parameters_f64(line, theta));
        solve_normal_equations(a, z, decay, c == 1, expected);
        for (size_t i = 0; i < UNKNOWNS; i++) {
            if (!(fabs(theta[i] - expected[i]) < 1e-8)) {
                fail_msg("case %d: theta[%zu] is %.17g, expected %.17g", c, i, theta[i], expected[i]);
            }
        }
        /* from the minimum there is nowhere to go, and that is no error */
        must(bp_net_train_step_f64(line, batch, opt, BP_LOSS_MSE, ROWS, a, z, &loss));
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(batch);
        bp_net_destroy(line);
    }
}

/* On the net of several layers each step leaves less loss, and more iterations less than fewer. */
static void test_lbfgs_net(void **state)
{
    (void)state;
    double loss[2], before = INFINITY;
    for (int more = 0; more < 2; more++) {
        bp_optimizer *opt = make_lbfgs(net);
        if (!opt) {
            skip();
        }
        must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 11));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_ITERATIONS, more ? 50 : 1));
        before = INFINITY;
        for (int i = 0; i < 10; i++) {
            must(bp_net_train_step_f64(net, ws, opt, BP_LOSS_MSE, BATCH, x, target, &loss[more]));
            assert_true(loss[more] <= before);
            before = loss[more];
        }
        bp_optimizer_destroy(opt);
    }
    assert_true(loss[1] < 1e-10 && loss[1] < loss[0]);
}

/* What L-BFGS refuses; and a loss that is not finite at the start, or on the way. */
static void test_lbfgs_bad_input(void **state)
{
    (void)state;
    bp_net *line = make_net(BP_F32, 1, 1, (const size_t[]){1}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_IDENTITY, 0, 3);
    bp_optimizer *opt = make_lbfgs(line);
    if (!opt) {
        bp_net_destroy(line);
        skip();
    }
    bp_workspace *one;
    float theta = 0, loss = 7, bad = (float)NAN, far = 3e19f, z = 3e18f;
    must(bp_workspace_create(&one, line, 1));
    must(bp_net_set_parameters_f32(line, &theta));
    REFUSED(bp_net_train_online_f32(line, one, opt, BP_LOSS_MSE, 1, &far, &z, &loss), BP_ERROR_UNSUPPORTED, "call bp_net_train_step");
    REFUSED(bp_optimizer_step_f32(opt, line, &theta), BP_ERROR_UNSUPPORTED, "call bp_net_train_step");
    REFUSED(bp_net_train_step_f32(line, one, opt, BP_LOSS_MSE, 1, &bad, &z, &loss), BP_ERROR_NONFINITE,
            "bp_net_train_step_f32: the loss is nan");
    must(bp_net_get_parameters_f32(line, &theta));
    assert_true(theta == 0 && loss == 7 && bp_optimizer_step_count(opt) == 0);
    /* the first step that is tried has length 1, and a loss beyond float */
    must(bp_net_train_step_f32(line, one, opt, BP_LOSS_MSE, 1, &far, &z, &loss));
    must(bp_net_get_parameters_f32(line, &theta));
    assert_true(fabsf(theta - 0.1f) < 0.05f && bp_optimizer_step_count(opt) == 1);
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(one);
    bp_net_destroy(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trajectories),
        cmocka_unit_test(test_lbfgs_least_squares),
        cmocka_unit_test(test_lbfgs_net),
        cmocka_unit_test(test_lbfgs_bad_input),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
