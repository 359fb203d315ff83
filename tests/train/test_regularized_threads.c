/*
 * Training with dropout, noise, frozen layers, weights and an order: any number of threads gives the bits of one, and on-line training those of single
 * steps, with every kernel table that promises to be divisible.
 */
#include "core/real.h"
#include "kernel/kernel.h"
#include "net/net.h"
#include "net/workspace.h"
#include "support/check.h"
#include "train/train.h"

#include <stdlib.h>
#include <string.h>

enum { INPUTS = 150, OUTPUTS = 60, ROWS = 25, BATCH = 19, SAMPLES = 3, LAYERS = 4 };

static const size_t widths[LAYERS] = {263, 130, 7, OUTPUTS};

static real x[ROWS * INPUTS], target[ROWS * OUTPUTS], weights[ROWS];
static size_t order[ROWS];
static bp_net *beginning; /* whose parameters each training starts with */

static int make_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < ROWS * OUTPUTS; i++) {
        target[i] = (real)(0.5 + number(70000 + i) / 2);
    }
    for (size_t i = 0; i < ROWS; i++) {
        weights[i] = (real)(1 + number(170000 + i));
        order[i] = i * 13 % 23;
    }
    beginning = make_net(REAL_DTYPE, INPUTS, LAYERS, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 5);
    return 0;
}

static int end_samples(void **state)
{
    (void)state;
    bp_net_destroy(beginning);
    return 0;
}

/* What a net is trained by. */
typedef struct training {
    bp_rule rule;
    bp_activation output;
    bp_loss loss;
    bp_method method;
    double dropout, noise;
    unsigned frozen; /* bit l for layer l */
    bool has_order, has_weights;
} training;

typedef enum { STEPS, SINGLE_STEPS, ONLINE } call;

/* The parameters after a few steps, and the mean of the losses. */
static real *train(const training *t, call which, size_t n_threads, double *mean)
{
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    must(bp_net_create(&net, REAL_DTYPE, INPUTS));
    for (size_t l = 0; l < LAYERS; l++) {
        must(bp_net_add_dense(net, widths[l], l + 1 < LAYERS ? BP_ACTIVATION_TANH : t->output, 1));
    }
    must(bp_net_initialize(net, BP_INITIALIZER_ZEROS, 0));
    must(bp_net_copy_parameters(net, beginning));
    must(bp_net_set_rule(net, t->rule));
    must(bp_net_set_input_noise(net, t->noise));
    for (size_t l = 0; l < LAYERS; l++) {
        must(bp_net_set_frozen(net, l, t->frozen >> l & 1));
        must(bp_net_set_dropout(net, l, l < 2 ? t->dropout : 0));
    }
    must(bp_workspace_create(&ws, net, BATCH));
    must(bp_workspace_set_threads(ws, n_threads));
    ws->hand_over = 0; /* so that threads are always worth it */
    must(bp_optimizer_create(&opt, t->method, net));
    opt->seed = 77;
    const REAL(bp_samples)
        samples = {.x = x, .target = target, .weights = t->has_weights ? weights : NULL, .order = t->has_order ? order : NULL};
    *mean = 0;
    if (which == ONLINE) {
        must(REAL(bp_train_online)("online", net, ws, opt, t->loss, &samples, 1, SAMPLES, mean));
    }
    for (size_t s = 1; which != ONLINE && s <= SAMPLES; s++) {
        real loss;
        must(REAL(bp_train_step)("step", net, ws, opt, t->loss, &samples, s, which == STEPS ? BATCH : 1, &loss));
        *mean += (double)loss * (1 / (double)SAMPLES);
    }
    real *theta = malloc(bp_net_parameter_count(net) * sizeof *theta);
    must(REAL(bp_net_get_parameters)(net, theta));
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    return theta;
}

/* The call with this many threads comes to these parameters and losses. */
static void compare(const training *t, call which, size_t n_threads, const real *expected, double expected_mean)
{
    double mean;
    real *theta = train(t, which, n_threads, &mean);
    bool same = mean == expected_mean && memcmp(theta, expected, bp_net_parameter_count(beginning) * sizeof(real)) == 0;
    free(theta);
    if (!same) {
        fail_msg("kernel %s, %s, output %s, %s, dropout %g, noise %g, frozen %x: call %d with %zu threads has other bits",
                 REAL(bp_kernel)()->name, bp_rule_name(t->rule), bp_activation_name(t->output), bp_method_name(t->method), t->dropout,
                 t->noise, t->frozen, which, n_threads);
    }
}

static void check(const training *t)
{
    double mean, mean_of_singles;
    real *steps = train(t, STEPS, 1, &mean), *singles = train(t, SINGLE_STEPS, 1, &mean_of_singles);
    compare(t, STEPS, 2, steps, mean);
    compare(t, STEPS, 3, steps, mean);
    compare(t, SINGLE_STEPS, 3, singles, mean_of_singles);
    compare(t, ONLINE, 1, singles, mean_of_singles);
    compare(t, ONLINE, 2, singles, mean_of_singles);
    free(steps);
    free(singles);
}

static void check_kinds(training t)
{
    t.rule = BP_RULE_GRADIENT;
    t.output = BP_ACTIVATION_SOFTMAX;
    t.loss = BP_LOSS_CROSS_ENTROPY;
    t.method = BP_METHOD_SGD;
    check(&t);
    t.method = BP_METHOD_ADAM;
    check(&t);
    t.rule = BP_RULE_ERROR_SIGNAL;
    t.output = BP_ACTIVATION_TANH;
    t.loss = BP_LOSS_MSE;
    t.method = BP_METHOD_SGD;
    check(&t);
}

static void test_same_bits(void **state)
{
    (void)state;
    const char *names[] = {"avx512", "avx2", "generic", "reference"};
    const REAL(bp_kernel_table) *chosen = REAL(bp_kernel_chosen);
    for (size_t i = 0; i < 4; i++) {
        const REAL(bp_kernel_table) *table = REAL(bp_kernel_find)(names[i]);
        if (!table || !table->divisible) {
            print_message("skipped: %s\n", names[i]);
            continue;
        }
        REAL(bp_kernel_chosen) = table;
        check_kinds((training){.dropout = 0.5, .noise = 0.1, .has_order = true, .has_weights = true});
        check_kinds((training){.dropout = 0.3, .frozen = 0x1});
        check_kinds((training){.noise = 0.2, .frozen = 0x6, .has_weights = true});
        check_kinds((training){.frozen = 0x8, .has_order = true});
    }
    REAL(bp_kernel_chosen) = chosen;
}

/* Of the layers above some are divided and some are one thread's: else the test would be of nothing. */
static void test_layers_are_divided(void **state)
{
    (void)state;
    bp_net *net = make_net(REAL_DTYPE, INPUTS, LAYERS, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 5);
    for (size_t l = 0; l < LAYERS; l++) {
        const bp_layer *layer = net->layers[l];
        assert_int_equal(layer->panel_rows<layer->n_outputs, widths[l]> 100);
    }
    bp_net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits), cmocka_unit_test(test_layers_are_divided)};
    return cmocka_run_group_tests(tests, make_samples, end_samples);
}
