/* A gradient hook is told of a large layer in pieces: they are the gradient, the last rows first, each element once, whatever the threads. */
#include "core/real.h"
#include "kernel/kernel.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 500, MOST = 33, PIECES = 32 };

static real x[MOST * INPUTS], target[MOST * 600];

static int make_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < MOST * 600; i++) {
        target[i] = (real)(number(90000 + i) / 2);
    }
    return 0;
}

/* What the hook was told, in order; gradient is a copy of each piece, made when it came. */
typedef struct told {
    size_t n, first[PIECES], size[PIECES], all;
    real *gradient;
} told;

static void ready(void *context, size_t first, size_t n, real *gradient)
{
    told *t = context;
    assert_true(t->n < PIECES && first + n <= t->all);
    t->first[t->n] = first;
    t->size[t->n++] = n;
    memcpy(t->gradient + first, gradient, n * sizeof *gradient);
}

static bp_status complete(void *context, bp_status status, real *mean_loss, size_t n, real *gradient)
{
    (void)mean_loss;
    told *t = context;
    assert_int_equal(n, t->all);
    assert_memory_equal(gradient, t->gradient, n * sizeof *gradient); /* nothing came after it was told of */
    return status;
}

/* Kernels that do not compute parts as they compute the whole differ in the last bits. */
static void expect_same(const char *what, size_t n, const real *a, const real *b)
{
    bool to_the_bit = REAL(bp_kernel)()->divisible;
    double within = REAL_DTYPE == BP_F32 ? 1e-4 : 1e-12;
    for (size_t i = 0; i < n; i++) {
        double apart = fabs((double)a[i] - (double)b[i]);
        if (to_the_bit ? a[i] != b[i] : !(apart <= within * (1 + fabs((double)b[i])))) {
            fail_msg("%s: element %zu is %.17g, not %.17g", what, i, (double)a[i], (double)b[i]);
        }
    }
}

static void check_order(const told *t, size_t n_layers)
{
    assert_true(t->n > n_layers); /* else there were no pieces */
    size_t end = t->all;
    for (size_t i = 0; i < t->n; i++) {
        assert_int_equal(t->first[i] + t->size[i], end);
        end = t->first[i];
    }
    assert_int_equal(end, 0);
}

static void step(bp_net *net, bp_optimizer *opt, size_t batch, size_t threads)
{
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, MOST));
    must(bp_workspace_set_threads(ws, threads));
    must(REAL(bp_net_train_step)(net, ws, opt, BP_LOSS_MSE, batch, x, target, NULL));
    bp_workspace_destroy(ws);
}

static void check(size_t n_layers, const size_t *widths, int bias, bp_rule rule, size_t batch, size_t threads)
{
    bp_net *nets[2];
    bp_optimizer *opts[2];
    real *theta[2], *gradient;
    for (int i = 0; i < 2; i++) {
        nets[i] = make_net(REAL_DTYPE, INPUTS, n_layers, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, bias, 3);
        must(bp_net_set_rule(nets[i], rule));
        must(bp_optimizer_create(&opts[i], BP_METHOD_MOMENTUM, nets[i]));
    }
    told t = {.all = bp_net_parameter_count(nets[0])};
    t.gradient = calloc(t.all, sizeof(real));
    gradient = malloc(t.all * sizeof *gradient);
    bp_workspace *ws;
    must(bp_workspace_create(&ws, nets[0], MOST));
    must(REAL(bp_net_gradient)(nets[0], ws, BP_LOSS_MSE, batch, x, target, gradient, NULL));
    bp_workspace_destroy(ws);
    must(REAL(bp_optimizer_set_gradient_hook)(opts[0], ready, complete, &t));
    for (int i = 0; i < 2; i++) {
        step(nets[i], opts[i], batch, threads);
        theta[i] = malloc(t.all * sizeof(real));
        must(REAL(bp_net_get_parameters)(nets[i], theta[i]));
    }
    check_order(&t, n_layers);
    expect_same("the gradient", t.all, t.gradient, gradient);
    expect_same("the step", t.all, theta[0], theta[1]);
    for (int i = 0; i < 2; i++) {
        bp_optimizer_destroy(opts[i]);
        bp_net_destroy(nets[i]);
        free(theta[i]);
    }
    free(gradient);
    free(t.gradient);
}

static void test_pieces(void **state)
{
    (void)state;
    const size_t one[] = {600}, two[] = {600, 300};
    for (int i = 0; i < 16; i++) {
        bp_rule rule = i & 1 ? BP_RULE_ERROR_SIGNAL : BP_RULE_GRADIENT;
        size_t batch = i & 2 ? 2 : MOST, threads = i & 4 ? 3 : 1;
        check(1, one, i >> 3, rule, batch, threads);
        check(2, two, i >> 3, rule, batch, threads);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces)};
    return cmocka_run_group_tests(tests, make_samples, NULL);
}
