/*
 * Methods with state: a training step, on one sample and on a batch, and bp_optimizer_step with the gradient from bp_net_gradient, against the
 * formulas written out over one flat vector in double precision.
 */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>

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

/* Kingma, Ba 2015, algorithm 1, and Polyak's momentum, as they are written. */
typedef struct plain {
    bp_method method;
    double rate, momentum, beta1, beta2, epsilon, m[1000], v[1000], theta[1000];
    int t;
} plain;

static void plain_step(plain *p, size_t n, const real *gradient)
{
    p->t++;
    for (size_t i = 0; i < n; i++) {
        double g = (double)gradient[i];
        if (p->method == BP_METHOD_MOMENTUM) {
            p->v[i] = p->momentum * p->v[i] + g;
            p->theta[i] -= p->rate * p->v[i];
        } else if (p->method == BP_METHOD_ADAM) {
            p->m[i] = p->beta1 * p->m[i] + (1 - p->beta1) * g;
            p->v[i] = p->beta2 * p->v[i] + (1 - p->beta2) * g * g;
            double m_hat = p->m[i] / (1 - pow(p->beta1, p->t)), v_hat = p->v[i] / (1 - pow(p->beta2, p->t));
            p->theta[i] -= p->rate * m_hat / (sqrt(v_hat) + p->epsilon);
        } else {
            p->theta[i] -= p->rate * g;
        }
    }
}

typedef enum { BY_STEP, BY_GRADIENT, BY_ONLINE } way;

/* The net moves as the plain formulas do, each with the gradient at the net's own place. */
static void check_method(fixture *f, bp_method method, size_t batch, way how)
{
    real theta[1000], gradient[1000];
    plain p = {.method = method, .rate = 0.02, .momentum = 0.8, .beta1 = 0.85, .beta2 = 0.95, .epsilon = 1e-3};
    bp_optimizer *opt;
    must(bp_optimizer_create(&opt, method, f->net));
    must(bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, p.rate));
    if (method == BP_METHOD_MOMENTUM) {
        must(bp_optimizer_set(opt, BP_OPTIMIZER_MOMENTUM, p.momentum));
    } else if (method == BP_METHOD_ADAM) {
        must(bp_optimizer_set(opt, BP_OPTIMIZER_BETA1, p.beta1));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_BETA2, p.beta2));
        must(bp_optimizer_set(opt, BP_OPTIMIZER_EPSILON, p.epsilon));
    }
    must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 4));
    must(REAL(bp_net_get_parameters)(f->net, theta));
    for (size_t i = 0; i < f->n; i++) {
        p.theta[i] = (double)theta[i];
    }
    for (size_t s = 0; s < STEPS; s++) {
        const real *x = f->x + s * batch * INPUTS, *target = f->target + s * batch * OUTPUTS;
        must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, batch, x, target, gradient, NULL));
        plain_step(&p, f->n, gradient);
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
    assert_true(f->n <= 1000);
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_MOMENTUM, BP_METHOD_ADAM};
    for (size_t m = 0; m < 3; m++) {
        check_method(f, methods[m], 1, BY_STEP);
        check_method(f, methods[m], BATCH, BY_STEP);
        check_method(f, methods[m], 1, BY_GRADIENT);
        check_method(f, methods[m], BATCH, BY_GRADIENT);
        check_method(f, methods[m], 1, BY_ONLINE);
    }
}

/* Many samples in one call are as many steps, bit for bit. */
static void test_online_is_steps(void **state)
{
    fixture *f = *state;
    const bp_method methods[] = {BP_METHOD_MOMENTUM, BP_METHOD_ADAM};
    for (size_t m = 0; m < 2; m++) {
        real theta[2][1000];
        for (int online = 0; online < 2; online++) {
            bp_optimizer *opt;
            must(bp_optimizer_create(&opt, methods[m], f->net));
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
    real theta[2][1000], bad[INPUTS] = {(real)NAN};
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

static void test_settings(void **state)
{
    fixture *f = *state;
    bp_optimizer *sgd, *adam, *momentum;
    must(bp_optimizer_create(&sgd, BP_METHOD_SGD, f->net));
    must(bp_optimizer_create(&adam, BP_METHOD_ADAM, f->net));
    must(bp_optimizer_create(&momentum, BP_METHOD_MOMENTUM, f->net));
    double value;
    REFUSED(bp_optimizer_set(sgd, BP_OPTIMIZER_MOMENTUM, 0.5), BP_ERROR_UNSUPPORTED, "sgd has no momentum");
    REFUSED(bp_optimizer_get(sgd, BP_OPTIMIZER_BETA1, &value), BP_ERROR_UNSUPPORTED, "sgd has no beta1");
    REFUSED(bp_optimizer_set(adam, BP_OPTIMIZER_MOMENTUM, 0.5), BP_ERROR_UNSUPPORTED, "adam has no momentum");
    REFUSED(bp_optimizer_set(momentum, BP_OPTIMIZER_EPSILON, 0.5), BP_ERROR_UNSUPPORTED, "momentum has no epsilon");
    REFUSED(bp_optimizer_set(momentum, BP_OPTIMIZER_MOMENTUM, 1), BP_ERROR_ARGUMENT, "momentum is 1; it can be 0 to below 1");
    REFUSED(bp_optimizer_set(momentum, BP_OPTIMIZER_MOMENTUM, -0.1), BP_ERROR_ARGUMENT, "momentum is -0.1");
    REFUSED(bp_optimizer_set(adam, BP_OPTIMIZER_BETA2, NAN), BP_ERROR_ARGUMENT, "beta2 is nan");
    REFUSED(bp_optimizer_set(adam, BP_OPTIMIZER_EPSILON, 0), BP_ERROR_ARGUMENT, "epsilon is 0");
    if (REAL_DTYPE == BP_F32) { /* what is 1 in float */
        REFUSED(bp_optimizer_set(adam, BP_OPTIMIZER_BETA2, 0.99999999), BP_ERROR_ARGUMENT, "beta2 is 1");
    }
    must(bp_optimizer_get(adam, BP_OPTIMIZER_LEARNING_RATE, &value));
    assert_true(value == 0.001);
    must(bp_optimizer_get(adam, BP_OPTIMIZER_BETA2, &value));
    assert_true(value == 0.999);
    must(bp_optimizer_get(momentum, BP_OPTIMIZER_MOMENTUM, &value));
    assert_true(value == 0.9);
    assert_int_equal(bp_optimizer_method(adam), BP_METHOD_ADAM);
    bp_optimizer_destroy(sgd);
    bp_optimizer_destroy(adam);
    bp_optimizer_destroy(momentum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(test_online_is_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonfinite_step, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
