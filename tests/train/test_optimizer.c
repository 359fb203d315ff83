/*
 * Methods, in both element types: a training step, on one sample and on a batch, and bp_optimizer_step with the gradient from
 * bp_net_gradient, against the formulas in double precision; methods of the caller's own; clipping by threads; settings.
 */
#include "core/real.h"
#include "net/workspace.h"
#include "support/check.h"
#include "train/plain_method.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 21, HIDDEN = 18, OUTPUTS = 5, STEPS = 12, BATCH = 7 };

#if BP_REAL_BITS == 32
static const double tolerance = 2e-4;
#else
static const double tolerance = 1e-11;
#endif

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    size_t n;
    real x[STEPS * BATCH * INPUTS], target[STEPS * BATCH * OUTPUTS];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    must(bp_net_create(&f->net, REAL_DTYPE, INPUTS));
    must(bp_net_add_dense(f->net, HIDDEN, BP_ACTIVATION_TANH, 1));
    must(bp_net_add_dense(f->net, HIDDEN, BP_ACTIVATION_SIGMOID, 0));
    must(bp_net_add_dense(f->net, OUTPUTS, BP_ACTIVATION_IDENTITY, 1));
    must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 3));
    must(bp_workspace_create(&f->ws, f->net, BATCH));
    f->n = bp_net_parameter_count(f->net);
    for (size_t i = 0; i < STEPS * BATCH * INPUTS; i++) {
        f->x[i] = (real)number(i);
    }
    for (size_t i = 0; i < STEPS * BATCH * OUTPUTS; i++) {
        f->target[i] = (real)number(5000 + i);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->net);
    free(f);
    return 0;
}

typedef enum { BY_STEP, BY_GRADIENT, BY_ONLINE } way;

/* The net moves as the plain formulas do, each with the gradient at the net's own place. */
static void check_method(fixture *f, bp_method method, bool clipped, size_t batch, way how)
{
    real theta[PLAIN_MAX], gradient[PLAIN_MAX];
    double wide[PLAIN_MAX];
    must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 4));
    plain_method p = plain_method_of(method, f->net);
    p.decay = 0.1;
    p.l1 = REAL_DTYPE == BP_F32 ? 0 : 0.01; /* in f32 a parameter that rounds to the other side of 0 has the other sign */
    p.bias_decay = false;
    p.clip_value = clipped ? 0.1 : 0;
    p.clip_norm = clipped ? 0.5 : 0;
    bp_optimizer *opt = make_optimizer(&p, f->net);
    for (size_t s = 0; s < STEPS; s++) {
        const real *x = f->x + s * batch * INPUTS, *target = f->target + s * batch * OUTPUTS;
        must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, batch, x, target, gradient, NULL));
        for (size_t i = 0; i < f->n; i++) {
            wide[i] = (double)gradient[i];
        }
        plain_step(&p, wide);
        if (how == BY_STEP) {
            must(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, batch, x, target, NULL));
        } else if (how == BY_GRADIENT) {
            must(REAL(bp_optimizer_step)(opt, f->net, gradient));
        } else {
            must(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, 1, x, target, NULL));
        }
        must(REAL(bp_net_get_parameters)(f->net, theta));
        for (size_t i = 0; i < f->n; i++) {
            if (!(fabs((double)theta[i] - p.theta[i]) <= tolerance)) {
                fail_msg("%s, batch %zu, way %d, step %zu: theta[%zu] is %.17g, expected %.17g", bp_method_name(method), batch, (int)how, s,
                         i, (double)theta[i], p.theta[i]);
            }
        }
    }
    bp_optimizer_destroy(opt);
}

static void test_methods(void **state)
{
    fixture *f = *state;
    for (int method = BP_METHOD_SGD; method <= BP_METHOD_IRPROP_MINUS; method++) {
        for (int clipped = 0; clipped < 2; clipped++) {
            check_method(f, (bp_method)method, clipped, 1, BY_STEP);
            check_method(f, (bp_method)method, clipped, BATCH, BY_STEP);
            check_method(f, (bp_method)method, clipped, 1, BY_GRADIENT);
            check_method(f, (bp_method)method, clipped, BATCH, BY_GRADIENT);
            check_method(f, (bp_method)method, clipped, 1, BY_ONLINE);
        }
    }
}

/* Many samples in one call are as many steps, bit for bit. */
static void test_online_is_steps(void **state)
{
    fixture *f = *state;
    const bp_method methods[] = {BP_METHOD_MOMENTUM, BP_METHOD_ADAM, BP_METHOD_SGD};
    for (size_t m = 0; m < 3; m++) {
        real theta[2][PLAIN_MAX];
        for (int online = 0; online < 2; online++) {
            bp_optimizer *opt;
            must(bp_optimizer_create(&opt, methods[m], f->net));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_CLIP_NORM, methods[m] == BP_METHOD_SGD ? 0.1 : 0));
            must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 4));
            for (size_t s = 0; s < STEPS && !online; s++) {
                must(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, 1, f->x + s * INPUTS, f->target + s * OUTPUTS, NULL));
            }
            if (online) {
                must(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, STEPS, f->x, f->target, NULL));
            }
            must(REAL(bp_net_get_parameters)(f->net, theta[online]));
            bp_optimizer_destroy(opt);
        }
        assert_memory_equal(theta[0], theta[1], f->n * sizeof(real));
    }
}

/* A step whose loss is not finite leaves weights, state and the count of steps as they were. */
static void test_nonfinite_step(void **state)
{
    fixture *f = *state;
    real theta[2][PLAIN_MAX], bad[INPUTS] = {(real)NAN};
    for (int disturbed = 0; disturbed < 2; disturbed++) {
        bp_optimizer *opt;
        must(bp_optimizer_create(&opt, BP_METHOD_ADAM, f->net));
        must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 4));
        for (size_t s = 0; s < STEPS; s++) {
            must(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, 1, f->x + s * INPUTS, f->target + s * OUTPUTS, NULL));
            if (disturbed) {
                REFUSED(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, 1, bad, f->target, NULL), BP_ERROR_NONFINITE,
                        "loss is nan");
            }
        }
        must(REAL(bp_net_get_parameters)(f->net, theta[disturbed]));
        bp_optimizer_destroy(opt);
    }
    assert_memory_equal(theta[0], theta[1], f->n * sizeof(real));
}

/* Momentum, as the caller of a library would write it. */
typedef struct own_momentum {
    bool fails, poisons;
    uint64_t steps;
} own_momentum;

static int own_step(void *context, uint64_t step, double learning_rate, size_t n, real *theta, const real *gradient, size_t n_state,
                    real *v)
{
    own_momentum *own = context;
    assert_int_equal(n, n_state);
    own->steps++;
    for (size_t i = 0; i < n; i++) {
        v[i] = own->fails ? v[i] : (real)0.9 * v[i] + gradient[i];
        theta[i] -= (real)learning_rate * v[i];
    }
    if (own->poisons) {
        theta[n - 1] = (real)NAN;
    }
    return own->fails ? (int)step : 0;
}

/* A method of one's own moves the net as the built-in one does, on every way and with every setting. */
static void test_custom(void **state)
{
    fixture *f = *state;
    for (int clipped = 0; clipped < 2; clipped++) {
        own_momentum own = {0};
        real theta[2][PLAIN_MAX], gradient[PLAIN_MAX] = {0};
        for (int custom = 0; custom < 2; custom++) {
            bp_optimizer *opt;
            if (custom) {
                must(REAL(bp_optimizer_create_custom)(&opt, f->net, f->n, own_step, &own));
                assert_int_equal(bp_optimizer_method(opt), BP_METHOD_CUSTOM);
            } else {
                must(bp_optimizer_create(&opt, BP_METHOD_MOMENTUM, f->net));
            }
            must(bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, 0.03));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_CLIP_NORM, clipped ? 0.4 : 0));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_WEIGHT_DECAY, clipped ? 0.1 : 0));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_L1_PENALTY, clipped ? 0.01 : 0));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_BIAS_DECAY, 0));
            must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 4));
            must(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, STEPS, f->x, f->target, NULL));
            must(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, BATCH, f->x, f->target, NULL));
            must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, BATCH, f->x, f->target, gradient, NULL));
            must(REAL(bp_optimizer_step)(opt, f->net, gradient));
            must(REAL(bp_net_get_parameters)(f->net, theta[custom]));
            assert_int_equal(bp_optimizer_step_count(opt), STEPS + 2);
            bp_optimizer_destroy(opt);
        }
        assert_int_equal(own.steps, STEPS + 2);
        for (size_t i = 0; i < f->n; i++) {
            if (!(fabs((double)(theta[0][i] - theta[1][i])) <= tolerance / 10)) {
                fail_msg("theta[%zu] is %.17g by the built-in method, %.17g by the custom one", i, (double)theta[0][i],
                         (double)theta[1][i]);
            }
        }
    }
}

/* What fails leaves the net and the count of steps as they were. */
static void test_failing_custom(void **state)
{
    fixture *f = *state;
    own_momentum own = {0};
    bp_optimizer *opt = NULL;
    bp_net *empty, *other;
    real before[PLAIN_MAX], after[PLAIN_MAX], gradient[PLAIN_MAX] = {0}, loss = 7;
    must(bp_net_create(&empty, REAL_DTYPE, 1));
    must(bp_net_create(&other, REAL_DTYPE == BP_F32 ? BP_F64 : BP_F32, 1));
    REFUSED(REAL(bp_optimizer_create_custom)(NULL, f->net, 0, own_step, NULL), BP_ERROR_ARGUMENT, "opt is NULL");
    REFUSED(REAL(bp_optimizer_create_custom)(&opt, NULL, 0, own_step, NULL), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(REAL(bp_optimizer_create_custom)(&opt, f->net, 0, NULL, NULL), BP_ERROR_ARGUMENT, "function is NULL");
    REFUSED(REAL(bp_optimizer_create_custom)(&opt, empty, 0, own_step, NULL), BP_ERROR_STATE, "not initialized");
    REFUSED(REAL(bp_optimizer_create_custom)(&opt, other, 0, own_step, NULL), BP_ERROR_DTYPE, "the net is");
    REFUSED(REAL(bp_optimizer_create_custom)(&opt, f->net, SIZE_MAX, own_step, NULL), BP_ERROR_MEMORY, "out of memory");
    REFUSED(bp_optimizer_create(&opt, BP_METHOD_CUSTOM, f->net), BP_ERROR_UNSUPPORTED, "call bp_optimizer_create_custom_f");
    assert_null(opt);
    bp_net_destroy(empty);
    bp_net_destroy(other);

    must(REAL(bp_optimizer_create_custom)(&opt, f->net, f->n, own_step, &own));
    must(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, 4, f->x, f->target, NULL));
    must(REAL(bp_net_get_parameters)(f->net, before));
    own.fails = true;
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, BATCH, f->x, f->target, &loss), BP_ERROR_STATE, "returned 5");
    REFUSED(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, 3, f->x, f->target, &loss), BP_ERROR_STATE,
            "returned 5; at sample 0 of 3");
    REFUSED(REAL(bp_optimizer_step)(opt, f->net, gradient), BP_ERROR_STATE, "custom method returned 5");
    own = (own_momentum){.poisons = true};
    REFUSED(REAL(bp_optimizer_step)(opt, f->net, gradient), BP_ERROR_NONFINITE, "is nan; parameters are finite");
    assert_true(loss == 7 && bp_optimizer_step_count(opt) == 4);
    must(REAL(bp_net_get_parameters)(f->net, after));
    assert_memory_equal(before, after, f->n * sizeof(real));
    bp_optimizer_destroy(opt);
}

/* An input that would make the gradient none, and a gradient whose norm is none, are refused before anything has changed. */
static void test_nonfinite_norm(void **state)
{
    fixture *f = *state;
    real before[PLAIN_MAX], after[PLAIN_MAX], gradient[PLAIN_MAX] = {0}, x[INPUTS], loss = 7;
    bp_optimizer *opt;
    must(bp_optimizer_create(&opt, BP_METHOD_ADAM, f->net));
    must(bp_optimizer_set(opt, BP_OPTIMIZER_CLIP_NORM, 1));
    memcpy(x, f->x, sizeof x);
    x[3] = (real)INFINITY; /* tanh is 1 there, and the loss finite, but not the gradient by the first weights */
    must(REAL(bp_net_get_parameters)(f->net, before));
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, 1, x, f->target, &loss), BP_ERROR_NONFINITE, "x: input");
    REFUSED(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, 1, x, f->target, &loss), BP_ERROR_NONFINITE, "at sample 0 of 1");
    gradient[5] = REAL_MAX;
    if (REAL_DTYPE == BP_F64) {
        REFUSED(REAL(bp_optimizer_step)(opt, f->net, gradient), BP_ERROR_NONFINITE, "2-norm is inf");
    }
    assert_true(loss == 7 && bp_optimizer_step_count(opt) == 0);
    must(REAL(bp_net_get_parameters)(f->net, after));
    assert_memory_equal(before, after, f->n * sizeof(real));
    must(REAL(bp_net_train_online)(f->net, f->ws, opt, BP_LOSS_MSE, STEPS, f->x, f->target, &loss));
    must(REAL(bp_net_get_parameters)(f->net, after));
    for (size_t i = 0; i < f->n; i++) {
        assert_true(isfinite(after[i]));
    }
    bp_optimizer_destroy(opt);
}

/* Clipping has the bits of one thread with any number of them, and so has a custom method. */
static void test_threads(void **state)
{
    (void)state;
    enum { WIDTH = 300, SAMPLES = 5 };
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_ADAMW, BP_METHOD_IRPROP_MINUS, BP_METHOD_CUSTOM};
    static real x[SAMPLES * WIDTH], target[SAMPLES * WIDTH];
    for (size_t i = 0; i < SAMPLES * WIDTH; i++) {
        x[i] = (real)number(i);
        target[i] = (real)number(3000 + i);
    }
    for (size_t m = 0; m < 4; m++) {
        real *theta[3];
        own_momentum own = {0};
        for (size_t t = 0; t < 3; t++) {
            bp_net *net = make_net(REAL_DTYPE, WIDTH, 2, (const size_t[]){WIDTH, WIDTH}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 5);
            bp_workspace *ws;
            bp_optimizer *opt;
            size_t n = bp_net_parameter_count(net);
            must(bp_workspace_create(&ws, net, SAMPLES));
            must(bp_workspace_set_threads(ws, t + 1));
            ws->hand_over = 0; /* so that threads are always worth it */
            if (methods[m] == BP_METHOD_CUSTOM) {
                must(REAL(bp_optimizer_create_custom)(&opt, net, n, own_step, &own));
            } else {
                must(bp_optimizer_create(&opt, methods[m], net));
            }
            must(bp_optimizer_set(opt, BP_OPTIMIZER_CLIP_VALUE, 0.01));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_CLIP_NORM, 0.1));
            must(bp_optimizer_set(opt, BP_OPTIMIZER_WEIGHT_DECAY, 0.01));
            must(REAL(bp_net_train_step)(net, ws, opt, BP_LOSS_MSE, SAMPLES, x, target, NULL));
            must(REAL(bp_net_train_online)(net, ws, opt, BP_LOSS_MSE, SAMPLES, x, target, NULL));
            theta[t] = malloc(n * sizeof(real));
            must(REAL(bp_net_get_parameters)(net, theta[t]));
            assert_memory_equal(theta[0], theta[t], n * sizeof(real));
            bp_optimizer_destroy(opt);
            bp_workspace_destroy(ws);
            bp_net_destroy(net);
        }
        for (size_t t = 0; t < 3; t++) {
            free(theta[t]);
        }
    }
}

/* Each method has these settings, at these values unless set, and no others. */
static void test_defaults(void **state)
{
    fixture *f = *state;
    const double none = -1;
    const struct {
        bp_method method;
        double values[16];
    } expected[] = {
        {BP_METHOD_SGD, {0.01, none, none, none, none, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_MOMENTUM, {0.01, 0.9, none, none, none, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_NESTEROV, {0.01, 0.9, none, none, none, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_ADAGRAD, {0.01, none, none, none, 1e-10, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_RMSPROP, {0.01, none, none, 0.99, 1e-8, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_ADAM, {0.001, none, 0.9, 0.999, 1e-8, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_ADAMW, {0.001, none, 0.9, 0.999, 1e-8, 0.01, 0, 1, 0, 0, none, none, none, none, none, none}},
        {BP_METHOD_IRPROP_MINUS, {0.01, none, none, none, none, 0, 0, 1, 0, 0, 1.2, 0.5, 1e-6, 50, none, none}},
        {BP_METHOD_LBFGS, {none, none, none, none, none, 0, none, 1, none, none, none, none, none, none, 20, 100}},
        {BP_METHOD_CUSTOM, {0.01, none, none, none, none, 0, 0, 1, 0, 0, none, none, none, none, none, none}},
    };
    for (size_t m = 0; m < sizeof expected / sizeof *expected; m++) {
        bp_optimizer *opt = NULL;
        if (expected[m].method == BP_METHOD_CUSTOM) {
            must(REAL(bp_optimizer_create_custom)(&opt, f->net, 0, own_step, NULL));
        } else if (bp_optimizer_create(&opt, expected[m].method, f->net) != BP_OK) {
            assert_int_equal(expected[m].method, BP_METHOD_LBFGS);
            continue;
        }
        for (int s = 0; s < 16; s++) {
            double value = none;
            bp_optimizer_setting setting = (bp_optimizer_setting)s;
            bp_status status = bp_optimizer_get(opt, setting, &value);
            assert_int_equal(status, expected[m].values[s] == none ? BP_ERROR_UNSUPPORTED : BP_OK);
            if (!(value == expected[m].values[s])) {
                fail_msg("%s of %s is %g", bp_optimizer_setting_name(setting), bp_method_name(expected[m].method), value);
            }
            if (status == BP_ERROR_UNSUPPORTED) {
                char sentence[100];
                snprintf(sentence, sizeof sentence, "%s has no %s", bp_method_name(expected[m].method), bp_optimizer_setting_name(setting));
                REFUSED(bp_optimizer_set(opt, setting, 0.5), BP_ERROR_UNSUPPORTED, sentence);
            } else {
                must(bp_optimizer_set(opt, setting, value));
            }
        }
        bp_optimizer_destroy(opt);
    }
}

/* A value out of range is refused, with the range in the sentence, and the one before stays. */
static void test_ranges(void **state)
{
    fixture *f = *state;
    const struct {
        bp_method method;
        bp_optimizer_setting setting;
        double value;
        const char *sentence;
    } bad[] = {
        {BP_METHOD_MOMENTUM, BP_OPTIMIZER_MOMENTUM, 1, "momentum is 1; it can be 0 to below 1"},
        {BP_METHOD_MOMENTUM, BP_OPTIMIZER_MOMENTUM, -0.1, "momentum is -0.1"},
        {BP_METHOD_NESTEROV, BP_OPTIMIZER_LEARNING_RATE, -1, "learning_rate is -1; it can be 0 to "},
        {BP_METHOD_ADAM, BP_OPTIMIZER_BETA2, (double)NAN, "beta2 is nan"},
        {BP_METHOD_ADAM, BP_OPTIMIZER_BETA2, REAL_DTYPE == BP_F32 ? 0.99999999 : 1, "beta2 is 1"}, /* what is 1 in float */
        {BP_METHOD_ADAM, BP_OPTIMIZER_EPSILON, 0, "epsilon is 0; it can be 1e-30 to 1"},
        {BP_METHOD_SGD, BP_OPTIMIZER_WEIGHT_DECAY, -1, "weight_decay is -1; it can be 0 to "},
        {BP_METHOD_SGD, BP_OPTIMIZER_L1_PENALTY, (double)INFINITY, "l1_penalty is inf; it can be 0 to "},
        {BP_METHOD_SGD, BP_OPTIMIZER_BIAS_DECAY, 0.5, "bias_decay is 0.5; it can be 0 to 1, whole"},
        {BP_METHOD_SGD, BP_OPTIMIZER_BIAS_DECAY, 2, "bias_decay is 2"},
        {BP_METHOD_SGD, BP_OPTIMIZER_CLIP_VALUE, -1, "clip_value is -1"},
        {BP_METHOD_SGD, BP_OPTIMIZER_CLIP_NORM, (double)NAN, "clip_norm is nan"},
        {BP_METHOD_IRPROP_MINUS, BP_OPTIMIZER_INCREASE_FACTOR, 0.9, "increase_factor is 0.9; it can be 1 to 100"},
        {BP_METHOD_IRPROP_MINUS, BP_OPTIMIZER_DECREASE_FACTOR, 1, "decrease_factor is 1; it can be 0 to below 1"},
        {BP_METHOD_IRPROP_MINUS, BP_OPTIMIZER_MINIMUM_STEP, 51, "minimum_step is 51; it can be 1e-30 to 50"},
        {BP_METHOD_IRPROP_MINUS, BP_OPTIMIZER_MAXIMUM_STEP, 1e-7, "maximum_step is 1e-07; it can be 1e-06 to "},
        {BP_METHOD_LBFGS, BP_OPTIMIZER_ITERATIONS, 0, "iterations is 0; it can be 1 to 1e+06, whole"},
        {BP_METHOD_LBFGS, BP_OPTIMIZER_ITERATIONS, 1.5, "iterations is 1.5"},
        {BP_METHOD_LBFGS, BP_OPTIMIZER_HISTORY, 1001, "history is 1001; it can be 1 to 1000, whole"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bp_optimizer *opt;
        double before, after;
        if (bp_optimizer_create(&opt, bad[i].method, f->net) != BP_OK) {
            assert_int_equal(bad[i].method, BP_METHOD_LBFGS);
            continue;
        }
        must(bp_optimizer_get(opt, bad[i].setting, &before));
        REFUSED(bp_optimizer_set(opt, bad[i].setting, bad[i].value), BP_ERROR_ARGUMENT, bad[i].sentence);
        must(bp_optimizer_get(opt, bad[i].setting, &after));
        assert_true(before == after);
        bp_optimizer_destroy(opt);
    }
}

static void test_seed(void **state)
{
    fixture *f = *state;
    bp_optimizer *opt;
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, f->net));
    assert_int_equal(bp_optimizer_seed(opt), 0);
    must(bp_optimizer_set_seed(opt, UINT64_MAX));
    assert_true(bp_optimizer_seed(opt) == UINT64_MAX);
    REFUSED(bp_optimizer_set_seed(NULL, 1), BP_ERROR_ARGUMENT, "opt is NULL");
    assert_int_equal(bp_optimizer_seed(NULL), 0);
    assert_int_equal(bp_optimizer_step_count(NULL), 0);
    bp_optimizer_destroy(opt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(test_online_is_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonfinite_step, setup, teardown),
        cmocka_unit_test_setup_teardown(test_custom, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_custom, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonfinite_norm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
