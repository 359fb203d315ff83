/*
 * Both propagation rules on numbers worked by hand, and on random nets against plain loops.
 *
 * The net is 2-3-2-1 without bias, softsign everywhere: f(e) = e / (1 + |e|), f′(e) = 1 / (1 + |e|)², so that all numbers are fractions.
 *
 *     x = (1, 3)   W1 = [1 0; 0 1; 2 −1]   W2 = [1 2 2; 2 4 2]   W3 = [2 4]   z = 9/5   η = 1/2   loss ½ (z − y)²
 *
 * Forward:
 *     e1 = W1 x  = (1, 3, −1)                                          y1 = (1/2, 3/4, −1/2)   f′ = (1/4, 1/16, 1/4)
 *     e2 = W2 y1 = (1/2 + 3/2 − 1, 1 + 3 − 1) = (1, 3)                 y2 = (1/2, 3/4)         f′ = (1/4, 1/16)
 *     e3 = W3 y2 = 1 + 3 = 4                                           y3 = 4/5                f′ = 1/25
 *     δ3 = z − y3 = 1, loss 1/2
 *
 * Gradient rule, δ_prev = Wᵀ (δ ⊙ f′):
 *     g3 = 1/25
 *     δ2 = W3ᵀ g3 = (2/25, 4/25)                                       g2 = (1/50, 1/100)
 *     δ1 = W2ᵀ g2 = (1/50 + 2/100, 2/50 + 4/100, 2/50 + 2/100) = (1/25, 2/25, 3/50)
 *                                                                      g1 = (1/100, 1/200, 3/200)
 *     W3 + η g3 y2ᵀ = [2 + 1/100, 4 + 3/200]
 *     W2 + η g2 y1ᵀ = [1 + 1/200, 2 + 3/400, 2 − 1/200; 2 + 1/400, 4 + 3/800, 2 − 1/400]
 *     W1 + η g1 xᵀ  = [1 + 1/200, 3/200; 1/400, 1 + 3/400; 2 + 3/400, −1 + 9/400]
 *
 * Error-signal rule, δ_prev = Wᵀ δ:
 *     g3 = 1/25
 *     δ2 = W3ᵀ δ3 = (2, 4)                                             g2 = (1/2, 1/4)
 *     δ1 = W2ᵀ δ2 = (2 + 8, 4 + 16, 4 + 8) = (10, 20, 12)              g1 = (5/2, 5/4, 3)
 *     W3 + η g3 y2ᵀ = [2 + 1/100, 4 + 3/200]
 *     W2 + η g2 y1ᵀ = [1 + 1/8, 2 + 3/16, 2 − 1/8; 2 + 1/16, 4 + 3/32, 2 − 1/16]
 *     W1 + η g1 xᵀ  = [1 + 5/4, 15/4; 5/8, 1 + 15/8; 2 + 3/2, −1 + 9/2]
 */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <string.h>

static const real x[] = {1, 3}, z[] = {(real)1.8};
static const real theta[] = {1, 0, 0, 1, 2, -1, 1, 2, 2, 2, 4, 2, 2, 4};

typedef struct worked {
    bp_rule rule;
    double theta[14], delta_1[3], delta_2[2], delta_input[2];
} worked;

/* delta_input: W1ᵀ g1 and W1ᵀ δ1 */
static const worked cases[] = {
    {BP_RULE_GRADIENT,
     {1 + 1. / 200, 3. / 200, 1. / 400, 1 + 3. / 400, 2 + 3. / 400, -1 + 9. / 400, 1 + 1. / 200, 2 + 3. / 400, 2 - 1. / 200, 2 + 1. / 400,
      4 + 3. / 800, 2 - 1. / 400, 2 + 1. / 100, 4 + 3. / 200},
     {1. / 25, 2. / 25, 3. / 50},
     {2. / 25, 4. / 25},
     {1. / 100 + 6. / 200, 1. / 200 - 3. / 200}},
    {BP_RULE_ERROR_SIGNAL,
     {1 + 5. / 4, 15. / 4, 5. / 8, 1 + 15. / 8, 2 + 3. / 2, -1 + 9. / 2, 1 + 1. / 8, 2 + 3. / 16, 2 - 1. / 8, 2 + 1. / 16, 4 + 3. / 32,
      2 - 1. / 16, 2 + 1. / 100, 4 + 3. / 200},
     {10, 20, 12},
     {2, 4},
     {10 + 24, 20 - 12}},
};

static const double tolerance = REAL_DTYPE == BP_F64 ? 1e-12 : 1e-6;

static void close_to(const char *what, size_t n, const real *got, const double *expected)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs((double)got[i] - expected[i]) <= tolerance * (1 + fabs(expected[i])))) {
            fail_msg("%s[%zu]: expected %.15g, got %.15g", what, i, expected[i], (double)got[i]);
        }
    }
}

static bp_net *worked_net(bp_rule rule)
{
    bp_net *net = make_net(REAL_DTYPE, 2, 3, (const size_t[]){3, 2, 1}, BP_ACTIVATION_SOFTSIGN, BP_ACTIVATION_SOFTSIGN, 0, 1);
    must(REAL(bp_net_set_parameters)(net, theta));
    must(bp_net_set_rule(net, rule));
    assert_int_equal(bp_net_rule(net), rule);
    return net;
}

static void test_hand_worked_layers(void **state)
{
    (void)state;
    static const double e_expected[][3] = {{1, 3, -1}, {1, 3}, {4}}, y_expected[][3] = {{0.5, 0.75, -0.5}, {0.5, 0.75}, {0.8}};
    static const double slope_expected[][3] = {{0.25, 0.0625, 0.25}, {0.25, 0.0625}, {0.04}};
    bp_net *net = worked_net(BP_RULE_GRADIENT);
    real in[3], e[3], y[3], slope[3];
    const real ones[] = {1, 1, 1};
    memcpy(in, x, sizeof x);
    for (size_t l = 0; l < 3; l++) {
        bp_layer *layer;
        must(bp_net_layer(net, l, &layer));
        must(REAL(bp_layer_forward)(layer, in, e, y));
        must(REAL(bp_layer_local_gradient)(layer, ones, e, slope));
        close_to("e", bp_layer_output_count(layer), e, e_expected[l]);
        close_to("y", bp_layer_output_count(layer), y, y_expected[l]);
        close_to("f'", bp_layer_output_count(layer), slope, slope_expected[l]);
        memcpy(in, y, sizeof y);
    }
    bp_net_destroy(net);
}

static void test_hand_worked_rules(void **state)
{
    (void)state;
    for (size_t c = 0; c < 2; c++) {
        bp_net *net = worked_net(cases[c].rule);
        bp_workspace *ws;
        bp_optimizer *sgd;
        bp_layer *layer;
        real after[14], delta_input[2], y, loss, g[2], back[3];
        const real delta = 1;
        must(bp_workspace_create(&ws, net, 1));
        must(bp_optimizer_create(&sgd, BP_METHOD_SGD, net));
        must(bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, 0.5));

        /* the last two layers' error signals, by the layers' own calls */
        real e3 = 4, e2[] = {1, 3};
        bool exact = cases[c].rule == BP_RULE_GRADIENT;
        must(bp_net_layer(net, 2, &layer));
        must(REAL(bp_layer_local_gradient)(layer, &delta, &e3, g));
        must(REAL(bp_layer_backward)(layer, exact ? g : &delta, back));
        close_to("delta 2", 2, back, cases[c].delta_2);
        must(bp_net_layer(net, 1, &layer));
        must(REAL(bp_layer_local_gradient)(layer, back, e2, g));
        must(REAL(bp_layer_backward)(layer, exact ? g : (real[]){back[0], back[1]}, back));
        close_to("delta 1", 3, back, cases[c].delta_1);

        must(REAL(bp_net_forward)(net, ws, 1, x, &y));
        must(REAL(bp_net_backward)(net, ws, &delta, NULL, delta_input));
        close_to("delta at the input", 2, delta_input, cases[c].delta_input);

        must(REAL(bp_net_train_step)(net, ws, sgd, BP_LOSS_MSE, 1, x, z, &loss));
        close_to("loss", 1, &loss, (const double[]){0.5});
        must(REAL(bp_net_get_parameters)(net, after));
        close_to("weights after the step", 14, after, cases[c].theta);

        must(REAL(bp_net_set_parameters)(net, theta));
        must(REAL(bp_net_train_online)(net, ws, sgd, BP_LOSS_MSE, 1, x, z, NULL));
        must(REAL(bp_net_get_parameters)(net, after));
        close_to("weights after on-line training", 14, after, cases[c].theta);
        bp_optimizer_destroy(sgd);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
}

enum { MAX_WIDTH = 12, LAYERS = 4 };

/* One on-line step by the error-signal rule, tanh everywhere, with biases: as one writes it down. */
static void plain_step(const size_t *widths, double *W[LAYERS], double *b[LAYERS], const double *input, const double *target, double eta)
{
    double y[LAYERS + 1][MAX_WIDTH], delta[LAYERS + 1][MAX_WIDTH] = {{0}};
    memcpy(y[0], input, widths[0] * sizeof *input);
    for (size_t l = 1; l <= LAYERS; l++) {
        for (size_t i = 0; i < widths[l]; i++) {
            double e = b[l - 1][i];
            for (size_t j = 0; j < widths[l - 1]; j++) {
                e += W[l - 1][i * widths[l - 1] + j] * y[l - 1][j];
            }
            y[l][i] = tanh(e);
        }
    }
    for (size_t i = 0; i < widths[LAYERS]; i++) {
        delta[LAYERS][i] = target[i] - y[LAYERS][i];
    }
    for (size_t l = LAYERS; l > 1; l--) {
        for (size_t j = 0; j < widths[l - 1]; j++) {
            for (size_t i = 0; i < widths[l]; i++) {
                delta[l - 1][j] += W[l - 1][i * widths[l - 1] + j] * delta[l][i];
            }
        }
    }
    for (size_t l = 1; l <= LAYERS; l++) {
        for (size_t i = 0; i < widths[l]; i++) {
            double g = delta[l][i] * (1 - y[l][i] * y[l][i]);
            b[l - 1][i] += eta * g;
            for (size_t j = 0; j < widths[l - 1]; j++) {
                W[l - 1][i * widths[l - 1] + j] += eta * g * y[l - 1][j];
            }
        }
    }
}

static void test_error_signal_rule_against_plain_loops(void **state)
{
    (void)state;
    static const size_t shapes[][LAYERS + 1] = {{1, 1, 1, 1, 1}, {2, 3, 2, 4, 1}, {5, 12, 7, 3, 2}, {12, 9, 11, 10, 12}};
    for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
        const size_t *widths = shapes[c];
        bp_net *net = make_net(REAL_DTYPE, widths[0], LAYERS, widths + 1, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, c + 1);
        bp_workspace *ws;
        bp_optimizer *sgd;
        size_t count = bp_net_parameter_count(net);
        real parameters[600], input[MAX_WIDTH], target[MAX_WIDTH];
        double plain[600], *W[LAYERS], *b[LAYERS], wide_input[MAX_WIDTH], wide_target[MAX_WIDTH];
        must(bp_net_set_rule(net, BP_RULE_ERROR_SIGNAL));
        must(bp_workspace_create(&ws, net, 1));
        must(bp_optimizer_create(&sgd, BP_METHOD_SGD, net));
        must(bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, 0.125));
        must(REAL(bp_net_get_parameters)(net, parameters));
        for (size_t i = 0; i < count; i++) {
            plain[i] = (double)parameters[i];
        }
        double *at = plain;
        for (size_t l = 0; l < LAYERS; l++) {
            W[l] = at;
            b[l] = at + widths[l] * widths[l + 1];
            at = b[l] + widths[l + 1];
        }
        for (uint64_t step = 0; step < 5; step++) {
            for (size_t i = 0; i < MAX_WIDTH; i++) {
                input[i] = (real)number(100 * step + i);
                target[i] = (real)number(100 * step + 50 + i);
                wide_input[i] = (double)input[i];
                wide_target[i] = (double)target[i];
            }
            must(REAL(bp_net_train_step)(net, ws, sgd, BP_LOSS_MSE, 1, input, target, NULL));
            plain_step(widths, W, b, wide_input, wide_target, 0.125);
        }
        must(REAL(bp_net_get_parameters)(net, parameters));
        close_to("weights", count, parameters, plain);
        bp_optimizer_destroy(sgd);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand_worked_layers),
        cmocka_unit_test(test_hand_worked_rules),
        cmocka_unit_test(test_error_signal_rule_against_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
