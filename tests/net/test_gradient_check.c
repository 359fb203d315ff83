/*
 * The gradient of the loss against central differences of fourth order, (f(θ−2h) − 8 f(θ−h) + 8 f(θ+h) − f(θ+2h)) / 12h, in f64, for every
 * activation with every loss that it may have; and the f32 gradient against the f64 one.
 */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_INPUTS = 3, MAX_LAYERS = 4, MAX_BATCH = 7, MAX_OUTPUTS = 4 };

static const size_t widths[MAX_LAYERS][MAX_LAYERS] = {{4}, {5, 4}, {5, 6, 4}, {5, 3, 6, 4}};

typedef struct case_data {
    bp_net *net;
    bp_workspace *ws;
    bp_loss loss;
    size_t batch, n_outputs, count;
    double x[MAX_BATCH * N_INPUTS], target[MAX_BATCH * MAX_OUTPUTS];
    char name[160];
} case_data;

/* f or one of its derivatives jumps at 0, where differences are not a derivative. */
static bool has_kink(bp_activation a)
{
    return a == BP_ACTIVATION_RELU || a == BP_ACTIVATION_LEAKY_RELU || a == BP_ACTIVATION_ELU || a == BP_ACTIVATION_SELU ||
           a == BP_ACTIVATION_SOFTSIGN;
}

/* The least |e| of a layer with a kink at 0, and the least distance of an output's error from the loss's kinks. */
static double margin(case_data *c)
{
    double least = 1, y[MAX_OUTPUTS];
    for (size_t s = 0; s < c->batch; s++) {
        double in[8], e[8], out[8];
        memcpy(in, c->x + s * N_INPUTS, sizeof *in * N_INPUTS);
        if (bp_net_has_input_scaling(c->net)) {
            double offset[N_INPUTS], scale[N_INPUTS];
            must(bp_net_get_input_scaling_f64(c->net, offset, scale));
            for (size_t i = 0; i < N_INPUTS; i++) {
                in[i] = (in[i] - offset[i]) * scale[i];
            }
        }
        for (size_t l = 0; l < bp_net_layer_count(c->net); l++) {
            bp_layer *layer;
            must(bp_net_layer(c->net, l, &layer));
            must(bp_layer_forward_f64(layer, in, e, out));
            for (size_t i = 0; has_kink(bp_layer_activation(layer)) && i < bp_layer_output_count(layer); i++) {
                least = fmin(least, fabs(e[i]));
            }
            memcpy(in, out, sizeof out);
        }
        must(bp_net_predict_f64(c->net, c->ws, 1, c->x + s * N_INPUTS, y));
        for (size_t i = 0; i < c->n_outputs; i++) {
            double d = fabs(c->target[s * c->n_outputs + i] - y[i]);
            least = c->loss == BP_LOSS_MAE ? fmin(least, d) : least;
            least = c->loss == BP_LOSS_HUBER ? fmin(least, fabs(d - 1)) : least;
        }
    }
    return least;
}

/* Draws samples; for cross-entropies targets that are probabilities, one-hot in the first sample. */
static void draw(case_data *c, uint64_t seed)
{
    for (size_t i = 0; i < c->batch * N_INPUTS; i++) {
        c->x[i] = 1.5 * number(seed * 1000 + i);
    }
    for (size_t s = 0; s < c->batch; s++) {
        double *z = c->target + s * c->n_outputs, sum = 0;
        for (size_t i = 0; i < c->n_outputs; i++) {
            z[i] = 2 * number(seed * 1000 + 500 + s * c->n_outputs + i);
            if (c->loss == BP_LOSS_BINARY_CROSS_ENTROPY || c->loss == BP_LOSS_CROSS_ENTROPY) {
                z[i] = s == 0 ? (i == 1) : fabs(z[i]) / 2;
            }
            sum += z[i];
        }
        for (size_t i = 0; c->loss == BP_LOSS_CROSS_ENTROPY && i < c->n_outputs; i++) {
            z[i] /= sum;
        }
    }
}

static double loss_at(case_data *c, double *theta, size_t index, double change)
{
    double loss, kept = theta[index];
    theta[index] = kept + change;
    must(bp_net_set_parameters_f64(c->net, theta));
    must(bp_net_gradient_f64(c->net, c->ws, c->loss, c->batch, c->x, c->target, NULL, &loss));
    theta[index] = kept;
    return loss;
}

static double relative_error(size_t n, const double *a, const double *b)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += a[i] * a[i] + b[i] * b[i];
    }
    return sqrt(difference) / (sqrt(size) + 1e-30);
}

static void check_f32(case_data *c, const double *theta, const double *gradient)
{
    float theta32[256], gradient32[256], x[MAX_BATCH * N_INPUTS], target[MAX_BATCH * MAX_OUTPUTS];
    double again[256];
    bp_net *net;
    bp_workspace *ws;
    must(bp_net_create(&net, BP_F32, N_INPUTS));
    for (size_t l = 0; l < bp_net_layer_count(c->net); l++) {
        bp_layer *layer;
        must(bp_net_layer(c->net, l, &layer));
        must(bp_net_add_dense(net, bp_layer_output_count(layer), bp_layer_activation(layer), bp_layer_has_bias(layer)));
    }
    must(bp_net_initialize(net, BP_INITIALIZER_ZEROS, 0));
    must(bp_workspace_create(&ws, net, c->batch));
    if (bp_net_has_input_scaling(c->net)) {
        double offset[N_INPUTS], scale[N_INPUTS];
        must(bp_net_get_input_scaling_f64(c->net, offset, scale));
        float offset32[N_INPUTS], scale32[N_INPUTS];
        for (size_t i = 0; i < N_INPUTS; i++) {
            offset32[i] = (float)offset[i];
            scale32[i] = (float)scale[i];
        }
        must(bp_net_set_input_scaling_f32(net, offset32, scale32));
    }
    for (size_t i = 0; i < c->count; i++) {
        theta32[i] = (float)theta[i];
    }
    for (size_t i = 0; i < c->batch * N_INPUTS; i++) {
        x[i] = (float)c->x[i];
    }
    for (size_t i = 0; i < c->batch * c->n_outputs; i++) {
        target[i] = (float)c->target[i];
    }
    must(bp_net_set_parameters_f32(net, theta32));
    must(bp_net_gradient_f32(net, ws, c->loss, c->batch, x, target, gradient32, NULL));
    for (size_t i = 0; i < c->count; i++) {
        again[i] = (double)gradient32[i];
    }
    double error = relative_error(c->count, again, gradient);
    if (!(error <= 1e-5)) {
        fail_msg("%s: f32 differs from f64 by %g, at most 1e-5", c->name, error);
    }
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

static void check(bp_activation hidden, bp_activation output, bp_loss loss, size_t batch, size_t depth, int bias, bool scaling)
{
    case_data c = {.loss = loss, .batch = batch, .n_outputs = widths[depth - 1][depth - 1]};
    snprintf(c.name, sizeof c.name, "hidden %s, output %s, %s, batch %zu, depth %zu, bias %d, scaling %d", bp_activation_name(hidden),
             bp_activation_name(output), bp_loss_name(loss), batch, depth, bias, scaling);
    double theta[256], gradient[256], numeric[256];
    const double h = 2e-3;
    for (uint64_t seed = 1;; seed++) {
        c.net = make_net(BP_F64, N_INPUTS, depth, widths[depth - 1], hidden, output, bias, seed);
        c.count = bp_net_parameter_count(c.net);
        must(bp_workspace_create(&c.ws, c.net, batch));
        if (scaling) {
            must(bp_net_set_input_scaling_f64(c.net, (const double[]){0.1, -0.2, 0.3}, (const double[]){1.1, 0.7, -1.3}));
        }
        draw(&c, seed);
        if (margin(&c) > 0.04) {
            break;
        }
        assert_true(seed < 100000);
        bp_workspace_destroy(c.ws);
        bp_net_destroy(c.net);
    }
    must(bp_net_get_parameters_f64(c.net, theta));
    must(bp_net_gradient_f64(c.net, c.ws, loss, batch, c.x, c.target, gradient, NULL));
    for (size_t i = 0; i < c.count; i++) {
        numeric[i] =
            (loss_at(&c, theta, i, -2 * h) - 8 * loss_at(&c, theta, i, -h) + 8 * loss_at(&c, theta, i, h) - loss_at(&c, theta, i, 2 * h)) /
            (12 * h);
    }
    double error = relative_error(c.count, gradient, numeric);
    if (!(error <= 1e-8)) {
        fail_msg("%s: relative error %g, at most 1e-8", c.name, error);
    }
    check_f32(&c, theta, gradient);
    bp_workspace_destroy(c.ws);
    bp_net_destroy(c.net);
}

/* Batches 1 and 7, depths 1 to 4, with and without bias and scaling. */
static void check_shapes(bp_activation hidden, bp_activation output, bp_loss loss)
{
    for (size_t depth = 1; depth <= MAX_LAYERS; depth++) {
        for (int i = 0; i < 2; i++) {
            check(hidden, output, loss, i ? 7 : 1, depth, depth != 2, depth == 3);
        }
    }
}

static void test_every_activation_with_every_loss(void **state)
{
    (void)state;
    for (int a = BP_ACTIVATION_IDENTITY; a <= BP_ACTIVATION_SOFTMAX; a++) {
        bp_activation output = (bp_activation)a, hidden = a == BP_ACTIVATION_SOFTMAX ? BP_ACTIVATION_TANH : output;
        check_shapes(hidden, output, BP_LOSS_MSE);
        check_shapes(hidden, output, BP_LOSS_MAE);
        check_shapes(hidden, output, BP_LOSS_HUBER);
        if (a != BP_ACTIVATION_SOFTMAX) {
            check_shapes(hidden, BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY);
            check_shapes(hidden, BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_activation_with_every_loss)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
