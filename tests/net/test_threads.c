/*
 * bp_workspace_set_threads: any number of threads gives the bits of one, for every call, rule and method, on nets wide enough that every thread
 * has its part of each layer; and bad counts, a fork, an idle workspace.
 */
#define _GNU_SOURCE /* sched_setaffinity */

#include "core/real.h"
#include "net/layer.h"
#include "net/workspace.h"
#include "support/check.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INPUTS = 301, WIDTH = 523, OUTPUTS = 333, MAX_BATCH = 130, SAMPLES = 5 };

typedef struct results {
    real *theta, *gradient, *delta_input, *y;
    real loss[3];
} results;

static real *x, *target, *delta;

static int make_samples(void **state)
{
    (void)state;
    x = malloc(MAX_BATCH * INPUTS * sizeof *x);
    target = malloc(MAX_BATCH * OUTPUTS * sizeof *target);
    delta = malloc(MAX_BATCH * OUTPUTS * sizeof *delta);
    for (size_t i = 0; i < MAX_BATCH * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < MAX_BATCH * OUTPUTS; i++) {
        target[i] = (real)(0.5 + number(70000 + i) / 2);
        delta[i] = (real)number(170000 + i);
    }
    return 0;
}

static int free_samples(void **state)
{
    (void)state;
    free(x);
    free(target);
    free(delta);
    return 0;
}

static bp_net *wide_net(bp_rule rule, bp_activation output)
{
    bp_net *net = make_net(REAL_DTYPE, INPUTS, 3, (size_t[]){WIDTH, WIDTH, OUTPUTS}, BP_ACTIVATION_TANH, output, 1, 5);
    must(bp_net_set_rule(net, rule));
    return net;
}

static results new_results(const bp_net *net)
{
    size_t n = bp_net_parameter_count(net);
    return (results){
        .theta = calloc(n, sizeof(real)),
        .gradient = calloc(n, sizeof(real)),
        .delta_input = calloc(MAX_BATCH * INPUTS, sizeof(real)),
        .y = calloc(MAX_BATCH * OUTPUTS, sizeof(real)),
    };
}

static void free_results(results *r)
{
    free(r->theta);
    free(r->gradient);
    free(r->delta_input);
    free(r->y);
}

/* Every call once, with this many threads. */
static void run(bp_rule rule, bp_activation output, bp_loss loss, bp_method method, size_t batch, size_t n_threads, results *r)
{
    bp_net *net = wide_net(rule, output);
    bp_workspace *ws;
    bp_optimizer *opt;
    must(bp_workspace_create(&ws, net, MAX_BATCH));
    must(bp_workspace_set_threads(ws, n_threads));
    assert_int_equal(bp_workspace_threads(ws), n_threads);
    ws->hand_over = 0; /* so that threads are always worth it */
    must(bp_optimizer_create(&opt, method, net));
    must(REAL(bp_net_gradient)(net, ws, loss, batch, x, target, r->gradient, &r->loss[0]));
    for (int i = 0; i < 3; i++) {
        must(REAL(bp_net_train_step)(net, ws, opt, loss, batch, x, target, &r->loss[1]));
    }
    must(REAL(bp_net_train_online)(net, ws, opt, loss, SAMPLES, x, target, &r->loss[2]));
    must(REAL(bp_net_get_parameters)(net, r->theta));
    must(REAL(bp_net_forward)(net, ws, batch, x, r->y));
    must(REAL(bp_net_backward)(net, ws, delta, r->gradient, r->delta_input));
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

static void compare(bp_rule rule, bp_activation output, bp_loss loss, bp_method method, size_t batch, size_t n_threads)
{
    bp_net *net = wide_net(rule, output);
    results alone = new_results(net), together = new_results(net);
    run(rule, output, loss, method, batch, 1, &alone);
    run(rule, output, loss, method, batch, n_threads, &together);
    size_t n = bp_net_parameter_count(net);
    bool same =
        memcmp(alone.theta, together.theta, n * sizeof(real)) == 0 && memcmp(alone.gradient, together.gradient, n * sizeof(real)) == 0 &&
        memcmp(alone.delta_input, together.delta_input, MAX_BATCH * INPUTS * sizeof(real)) == 0 &&
        memcmp(alone.y, together.y, MAX_BATCH * OUTPUTS * sizeof(real)) == 0 && memcmp(alone.loss, together.loss, sizeof alone.loss) == 0;
    free_results(&alone);
    free_results(&together);
    bp_net_destroy(net);
    if (!same) {
        fail_msg("rule %s, output %s, %s, batch %zu: %zu threads differ from 1", bp_rule_name(rule), bp_activation_name(output),
                 bp_method_name(method), batch, n_threads);
    }
}

static void test_same_bits(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__ /* which takes half a minute for each */
    const size_t batches[] = {1, 5, 64}, threads[] = {2, 3};
    const size_t n_batches = 3, n_threads = 2;
#else
    const size_t batches[] = {1, 2, 5, 31, 64, 130}, threads[] = {2, 3, 8};
    const size_t n_batches = 6, n_threads = 3;
#endif
    for (size_t b = 0; b < n_batches; b++) {
        for (size_t t = 0; t < n_threads; t++) {
            compare(BP_RULE_GRADIENT, BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY, BP_METHOD_SGD, batches[b], threads[t]);
        }
        compare(BP_RULE_GRADIENT, BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY, BP_METHOD_ADAM, batches[b], 2);
        compare(BP_RULE_GRADIENT, BP_ACTIVATION_SOFTMAX, BP_LOSS_MSE, BP_METHOD_SGD, batches[b], 3);
        compare(BP_RULE_ERROR_SIGNAL, BP_ACTIVATION_TANH, BP_LOSS_MSE, BP_METHOD_SGD, batches[b], 3);
        compare(BP_RULE_ERROR_SIGNAL, BP_ACTIVATION_TANH, BP_LOSS_MSE, BP_METHOD_MOMENTUM, batches[b], 8);
    }
}

/* The net above is divided: else the test would be of nothing. */
static void test_layers_are_divided(void **state)
{
    (void)state;
    bp_net *net = wide_net(BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY);
    for (size_t l = 0; l < 3; l++) {
        bp_layer *layer;
        must(bp_net_layer(net, l, &layer));
        size_t panels = (layer->n_outputs + layer->panel_rows - 1) / layer->panel_rows;
        assert_in_range(panels, 4, BP_MAX_PANELS);
    }
    bp_net_destroy(net);
}

/* Layers of one panel beside divided ones, wider than these and narrower: their δ_prev is nobody's part. */
static void test_undivided_layers(void **state)
{
    (void)state;
    const size_t widths[][3] = {{4000, 8, 3}, {40, 30, 20}, {600, 600, 1}, {8, 5000, 1}};
    for (size_t i = 0; i < 4; i++) {
        real *theta[2];
        for (int together = 0; together < 2; together++) {
            bp_net *net = make_net(REAL_DTYPE, 100, 3, widths[i], BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 5);
            bp_workspace *ws;
            bp_optimizer *sgd;
            must(bp_workspace_create(&ws, net, 1));
            must(bp_workspace_set_threads(ws, together ? 3 : 1));
            ws->hand_over = 0;
            must(bp_optimizer_create(&sgd, BP_METHOD_SGD, net));
            for (size_t s = 0; s < SAMPLES; s++) {
                must(REAL(bp_net_train_step)(net, ws, sgd, BP_LOSS_MSE, 1, x + s * 100, target + s * 3, NULL));
            }
            theta[together] = malloc(bp_net_parameter_count(net) * sizeof(real));
            must(REAL(bp_net_get_parameters)(net, theta[together]));
            if (together) {
                assert_memory_equal(theta[0], theta[1], bp_net_parameter_count(net) * sizeof(real));
            }
            bp_optimizer_destroy(sgd);
            bp_workspace_destroy(ws);
            bp_net_destroy(net);
        }
        free(theta[0]);
        free(theta[1]);
    }
}

static void test_counts(void **state)
{
    (void)state;
    bp_net *net = wide_net(BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY);
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, 1));
    assert_int_equal(bp_workspace_threads(ws), 1);
    assert_int_equal(bp_workspace_threads(NULL), 0);
    REFUSED(bp_workspace_set_threads(NULL, 2), BP_ERROR_ARGUMENT, "ws is NULL");
    REFUSED(bp_workspace_set_threads(ws, 0), BP_ERROR_ARGUMENT, "n_threads is 0; it can be 1 to 1024");
    REFUSED(bp_workspace_set_threads(ws, 1025), BP_ERROR_ARGUMENT, "n_threads is 1025");
    REFUSED(bp_workspace_set_threads(ws, SIZE_MAX), BP_ERROR_ARGUMENT, "n_threads is 18446744073709551615");
    must(bp_workspace_set_threads(ws, 4));
    REFUSED(bp_workspace_set_threads(ws, 0), BP_ERROR_ARGUMENT, "n_threads is 0");
    assert_int_equal(bp_workspace_threads(ws), 4);
    must(bp_workspace_set_threads(ws, 2));
    must(bp_workspace_set_threads(ws, 1));
    assert_int_equal(bp_workspace_threads(ws), 1);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* The child has none of the threads: it goes on with its own, comes to the same, and can let go of the workspace. */
static void test_fork(void **state)
{
    (void)state;
    bp_net *net = wide_net(BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY);
    bp_workspace *ws;
    results parent = new_results(net), child = new_results(net);
    must(bp_workspace_create(&ws, net, 1));
    must(bp_workspace_set_threads(ws, 2));
    ws->hand_over = 0;
    must(REAL(bp_net_gradient)(net, ws, BP_LOSS_MSE, 1, x, target, parent.gradient, NULL));
    pid_t id = fork();
    assert_true(id >= 0);
    if (id == 0) {
        alarm(20);
        bool good = REAL(bp_net_gradient)(net, ws, BP_LOSS_MSE, 1, x, target, child.gradient, NULL) == BP_OK &&
                    memcmp(parent.gradient, child.gradient, bp_net_parameter_count(net) * sizeof(real)) == 0;
        bp_workspace_destroy(ws);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(id, &status, 0), id);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    must(REAL(bp_net_gradient)(net, ws, BP_LOSS_MSE, 1, x, target, child.gradient, NULL));
    assert_memory_equal(parent.gradient, child.gradient, bp_net_parameter_count(net) * sizeof(real));
    free_results(&parent);
    free_results(&child);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_idle_workspace_sleeps(void **state)
{
    (void)state;
    bp_net *net = wide_net(BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY);
    bp_workspace *ws;
    real *y = malloc(OUTPUTS * sizeof *y);
    must(bp_workspace_create(&ws, net, 1));
    must(bp_workspace_set_threads(ws, 3));
    ws->hand_over = 0;
    must(REAL(bp_net_forward)(net, ws, 1, x, y));
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    double before = processor_seconds();
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    assert_true(processor_seconds() - before < 0.02);
    free(y);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* More threads than processors: slower, but not for ever. */
static void test_one_processor(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &before)) {
            CPU_SET(cpu, &one);
            break;
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    compare(BP_RULE_GRADIENT, BP_ACTIVATION_SIGMOID, BP_LOSS_MSE, BP_METHOD_SGD, 1, 4);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_layers_are_divided),
        cmocka_unit_test(test_undivided_layers),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_idle_workspace_sleeps),
        cmocka_unit_test(test_one_processor),
    };
    return cmocka_run_group_tests(tests, make_samples, free_samples);
}
