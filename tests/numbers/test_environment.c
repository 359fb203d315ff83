/*
 * The caller's floating-point environment: every call leaves its control (rounding, denormals, which exceptions trap) as it was, works under each, and
 * gives the same bits on any number of threads also when it has changed since these were made. Numbers that are finite trap nothing.
 */
#define _GNU_SOURCE /* feenableexcept */

#include "core/fpu.h"
#include "core/real.h"
#include "net/workspace.h"
#include "support/check.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 7, WIDE = 96, OUTPUTS = 3, BATCH = 9, PARAMETERS = (INPUTS + 1) * WIDE + (WIDE + 1) * WIDE + (WIDE + 1) * OUTPUTS };

static real x[BATCH * INPUTS], target[BATCH * OUTPUTS], distribution[BATCH * OUTPUTS];

static int make_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        target[i] = (real)(0.5 + 0.49 * number(500 + i));
        distribution[i] = i % OUTPUTS == i / OUTPUTS % OUTPUTS;
    }
    return 0;
}

static const struct {
    bp_activation output;
    bp_loss loss;
} pairs[] = {
    {BP_ACTIVATION_IDENTITY, BP_LOSS_MSE},          {BP_ACTIVATION_TANH, BP_LOSS_MAE},
    {BP_ACTIVATION_SOFTPLUS, BP_LOSS_HUBER},        {BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY},
    {BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY},
};

enum { PAIRS = sizeof pairs / sizeof *pairs };

/* All that is computed in some calls. */
typedef struct results {
    real theta[PARAMETERS], gradient[PARAMETERS], y[BATCH * OUTPUTS], delta_input[BATCH * INPUTS], loss[3];
    double metrics[BP_METRIC_R2 + 1];
} results;

static bp_net *make_wide(bp_activation hidden, size_t pair)
{
    return make_net(REAL_DTYPE, INPUTS, 3, (const size_t[]){WIDE, WIDE, OUTPUTS}, hidden, pairs[pair].output, 1, 4);
}

/* Every kind of call that computes, with a workspace that is there already; NULL, or the sentence of a failure. */
static const char *compute(bp_net *net, bp_workspace *ws, bp_method method, size_t pair, results *r)
{
    const real *z = pairs[pair].loss == BP_LOSS_CROSS_ENTROPY ? distribution : target;
    bp_loss loss = pairs[pair].loss;
    bp_optimizer *opt = NULL;
    bp_dataset *data = NULL;
    bool right = bp_optimizer_create(&opt, method, net) == BP_OK && REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, x, z) == BP_OK &&
                 REAL(bp_net_gradient)(net, ws, loss, BATCH, x, z, r->gradient, &r->loss[0]) == BP_OK &&
                 REAL(bp_net_train_step)(net, ws, opt, loss, BATCH, x, z, &r->loss[1]) == BP_OK &&
                 (method == BP_METHOD_LBFGS || REAL(bp_net_train_online)(net, ws, opt, loss, BATCH, x, z, &r->loss[2]) == BP_OK) &&
                 REAL(bp_net_forward)(net, ws, 1, x, r->y) == BP_OK && REAL(bp_net_forward)(net, ws, BATCH, x, r->y) == BP_OK &&
                 REAL(bp_net_backward)(net, ws, z, r->gradient, r->delta_input) == BP_OK &&
                 REAL(bp_net_predict)(net, ws, BATCH, x, r->y) == BP_OK && REAL(bp_net_get_parameters)(net, r->theta) == BP_OK &&
                 bp_net_evaluate(net, ws, loss, data, 1, BP_METRIC_R2 + 1, r->metrics, NULL) == BP_OK;
    bp_dataset_destroy(data);
    bp_optimizer_destroy(opt);
    return right ? NULL : bp_last_error();
}

static bp_workspace *make_workspace(const bp_net *net, size_t n_threads)
{
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, BATCH));
    must(bp_workspace_set_threads(ws, n_threads));
    ws->hand_over = 0; /* threads are always worth it */
    return ws;
}

/* The environments: each rounding, and on x86 denormals as zeros. */
static const int roundings[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};

enum { ROUNDINGS = 4, ENVIRONMENTS = 8 };

static bool enter(int environment)
{
    fesetround(roundings[environment % ROUNDINGS]);
#ifdef __x86_64__
    if (environment / ROUNDINGS) {
        bp_fpu_set_control(bp_fpu_get_control() | 0x8040); /* flush to zero, denormals are zeros */
    }
    return true;
#else
    return environment < ROUNDINGS;
#endif
}

/* Files and data, under the rounding that is set; the control word is looked at by the caller. */
static const char *read_and_write(bp_net *net)
{
    real offset[INPUTS], scale[INPUTS];
    bp_dataset *data = NULL, *first = NULL, *second = NULL;
    bp_net *copy = NULL;
    bool right = REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, x, target) == BP_OK &&
                 REAL(bp_dataset_fit_scaling)(data, BP_SCALING_STANDARD, offset, scale) == BP_OK &&
                 REAL(bp_net_set_input_scaling)(net, offset, scale) == BP_OK && bp_dataset_split(data, 0.3, 1, &first, &second) == BP_OK &&
                 bp_net_clone(&copy, net) == BP_OK && bp_net_initialize(copy, BP_INITIALIZER_GLOROT_NORMAL, 3) == BP_OK;
    bp_net_destroy(copy);
    bp_dataset_destroy(second);
    bp_dataset_destroy(first);
    bp_dataset_destroy(data);
    return right ? NULL : bp_last_error();
}

static const bp_method methods[] = {BP_METHOD_SGD,     BP_METHOD_MOMENTUM,     BP_METHOD_ADAM,
                                    BP_METHOD_ADAGRAD, BP_METHOD_IRPROP_MINUS, BP_METHOD_LBFGS};

enum { METHODS = sizeof methods / sizeof *methods };

/* The greatest difference, as a part of the greatest number. */
static double distance(const real *a, const real *b, size_t n)
{
    double most = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
        size = fmax(size, fabs((double)a[i]));
    }
    return most / size;
}

/* One environment's results, beside those of the usual one. */
static void check_environment(int environment, size_t pair, const results *usual)
{
    results r, together;
    memset(&r, 0, sizeof r);
    memset(&together, 0, sizeof together);
    bp_net *net = make_wide(BP_ACTIVATION_TANH, pair), *same = make_wide(BP_ACTIVATION_TANH, pair);
    bp_workspace *ws = make_workspace(net, 1), *threads = make_workspace(same, 3); /* made in the usual environment */
    fenv_t before;
    fegetenv(&before);
    enter(environment);
    bp_fpu_control control = bp_fpu_get_control();
    int rounding = fegetround();
    const char *failure = compute(net, ws, BP_METHOD_SGD, pair, &r);
    failure = failure ? failure : compute(same, threads, BP_METHOD_SGD, pair, &together);
    failure = failure ? failure : read_and_write(net);
    bool kept = control == bp_fpu_get_control() && rounding == fegetround();
    fesetenv(&before);
    if (failure) {
        fail_msg("environment %d, pair %zu: %s", environment, pair, failure);
    }
    if (!kept) {
        fail_msg("environment %d, pair %zu: it is another one after the calls", environment, pair);
    }
    if (memcmp(&r, &together, sizeof r) != 0) {
        fail_msg("environment %d, pair %zu: three threads differ from one", environment, pair);
    }
    double off = fmax(distance(usual->gradient, r.gradient, PARAMETERS), distance(usual->y, r.y, BATCH * OUTPUTS));
    if (!(off < 2e-3)) { /* glibc promises the digits of its vector functions for rounding to the nearest alone */
        fail_msg("environment %d, pair %zu: off by %g", environment, pair, off);
    }
    bp_workspace_destroy(ws);
    bp_workspace_destroy(threads);
    bp_net_destroy(net);
    bp_net_destroy(same);
}

static void test_environments(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        results usual;
        bp_net *net = make_wide(BP_ACTIVATION_TANH, pair);
        bp_workspace *ws = make_workspace(net, 1);
        assert_null(compute(net, ws, BP_METHOD_SGD, pair, &usual));
        for (int e = 0; e < ENVIRONMENTS; e++) {
            check_environment(e, pair, &usual);
        }
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
}

/* ---- exceptions that trap ---- */

static sigjmp_buf trapped;

static void jump(int signal)
{
    (void)signal;
    siglongjmp(trapped, 1);
}

/* Whether ordinary numbers trap; the sentence of a failure through *failure. */
static bool traps(bp_net *net, bp_workspace *ws, bp_method method, size_t pair, const char **failure)
{
    static results r; /* not the stack's: it is left by a jump */
    struct sigaction action = {.sa_handler = jump}, before;
    fenv_t environment;
    sigaction(SIGFPE, &action, &before);
    fegetenv(&environment);
    bool has_trapped = true;
    if (sigsetjmp(trapped, 1) == 0) {
        feclearexcept(FE_ALL_EXCEPT);
        feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
        *failure = compute(net, ws, method, pair, &r);
        has_trapped = false;
    }
    fesetenv(&environment);
    sigaction(SIGFPE, &before, NULL);
    return has_trapped;
}

/* Far from 0: sums where exp of an output, or of a lane that stands for none, is beyond the type. */
static void move_away(bp_net *net, int where)
{
    static const real biases[] = {0, -200, 200};
    real *theta = malloc(PARAMETERS * sizeof *theta);
    must(REAL(bp_net_get_parameters)(net, theta));
    for (size_t i = 0; i < OUTPUTS; i++) {
        theta[PARAMETERS - OUTPUTS + i] += biases[where] * (REAL_DTYPE == BP_F32 ? 1 : 8);
    }
    must(REAL(bp_net_set_parameters)(net, theta));
    free(theta);
}

static void test_traps(void **state)
{
    (void)state;
    int n_trapped = 0;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        for (int hidden = 0; hidden < BP_ACTIVATION_SOFTMAX; hidden++) {
            for (size_t m = 0; m < (pair < PAIRS - 2 ? METHODS : METHODS + 2); m++) { /* the last two: probabilities by sums far from 0 */
                bp_method method = methods[m < METHODS ? m : 0];
                bp_optimizer *opt = NULL;
                bp_net *net = make_wide((bp_activation)hidden, pair);
                bp_workspace *ws = make_workspace(net, 1);
                const char *failure = NULL;
                bool is_there = bp_optimizer_create(&opt, method, net) == BP_OK;
                move_away(net, m < METHODS ? 0 : (int)(m - METHODS) + 1);
                bp_optimizer_destroy(opt);
                if (is_there && traps(net, ws, method, pair, &failure)) {
                    n_trapped++;
                    print_error("hidden %s, output %s, %s: trapped\n", bp_activation_name((bp_activation)hidden),
                                bp_activation_name(pairs[pair].output), m < METHODS ? bp_method_name(method) : "far from 0");
                } else if (failure) {
                    fail_msg("%s", failure);
                } else { /* what a trap left half done is left alone */
                    bp_workspace_destroy(ws);
                    bp_net_destroy(net);
                }
            }
        }
    }
    assert_int_equal(n_trapped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_environments), cmocka_unit_test(test_traps)};
    return cmocka_run_group_tests(tests, make_samples, NULL);
}
