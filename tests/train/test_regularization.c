/*
 * A training step with dropout on two layers, input noise, weights of samples, label smoothing and an order, in f64: its loss and its parameters
 * against the formulas written out sample by sample with the factors that it drew, under both rules; and its gradient against central differences of
 * fourth order, as in test_gradient_check.c.
 */
#include "core/real.h"
#include "kernel/kernel.h"
#include "net/loss.h"
#include "net/net.h"
#include "support/check.h"
#include "train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INPUTS = 3, LAYERS = 3, OUTPUTS = 4, BATCH = 7, ROWS = 9, FIRST = 1, WIDEST = 6, STEP = 41, ROOM = 256 };

static const size_t widths[LAYERS] = {6, 5, OUTPUTS}, order[FIRST + BATCH] = {0, 8, 3, 3, 5, 1, 0, 7};
static const double probabilities[LAYERS] = {0.3, 0.4, 0}, deviation = 0.2, smoothing = 0.1;

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *sgd;
    bp_loss loss;
    size_t batch, count;
    double x[ROWS * INPUTS], target[ROWS * OUTPUTS], weights[ROWS];
    bp_samples_f64 samples;
    char name[160];
} fixture;

static void make(fixture *f, bp_rule rule, bp_activation hidden, bp_activation output, bp_loss loss, size_t batch, uint64_t seed)
{
    *f = (fixture){.loss = loss, .batch = batch};
    snprintf(f->name, sizeof f->name, "%s, hidden %s, %s, batch %zu", bp_rule_name(rule), bp_activation_name(hidden), bp_loss_name(loss),
             batch);
    f->net = make_net(BP_F64, INPUTS, LAYERS, widths, hidden, output, 1, seed);
    must(bp_net_set_rule(f->net, rule));
    must(bp_net_set_input_scaling_f64(f->net, (const double[]){0.1, -0.2, 0.3}, (const double[]){1.1, 0.7, -1.3}));
    must(bp_net_set_dropout(f->net, 0, probabilities[0]));
    must(bp_net_set_dropout(f->net, 1, probabilities[1]));
    must(bp_net_set_input_noise(f->net, deviation));
    must(bp_workspace_create(&f->ws, f->net, batch));
    must(bp_optimizer_create(&f->sgd, BP_METHOD_SGD, f->net));
    f->sgd->seed = 11 + seed;
    f->count = bp_net_parameter_count(f->net);
    for (size_t i = 0; i < ROWS * INPUTS; i++) {
        f->x[i] = 1.5 * number(seed * 1000 + i);
    }
    for (size_t i = 0; i < ROWS * OUTPUTS; i++) {
        bool distribution = loss == BP_LOSS_CROSS_ENTROPY;
        double z = number(seed * 1000 + 500 + i);
        f->target[i] = distribution ? i % OUTPUTS == i / OUTPUTS % OUTPUTS : loss == BP_LOSS_BINARY_CROSS_ENTROPY ? fabs(z) : 2 * z;
    }
    for (size_t i = 0; i < ROWS; i++) {
        f->weights[i] = i == 5 ? 0 : 1 + number(seed * 1000 + 900 + i);
    }
    f->samples = (bp_samples_f64){.x = f->x, .target = f->target, .weights = f->weights, .order = order, .label_smoothing = smoothing};
}

static void end(fixture *f)
{
    bp_optimizer_destroy(f->sgd);
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->net);
}

/* The step number STEP from theta on; its loss, and in moved the parameters after it. */
static double step(fixture *f, double rate, const double *theta, double *moved)
{
    double loss;
    must(bp_net_set_parameters_f64(f->net, theta));
    must(bp_optimizer_set(f->sgd, BP_OPTIMIZER_LEARNING_RATE, rate));
    f->sgd->n_steps = STEP;
    must(bp_train_step_f64("step", f->net, f->ws, f->sgd, f->loss, &f->samples, FIRST, f->batch, &loss));
    if (moved) {
        must(bp_net_get_parameters_f64(f->net, moved));
    }
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

/* A sample's place in every layer. */
typedef struct plain {
    double in[LAYERS + 1][WIDEST], e[LAYERS][WIDEST], y[LAYERS][WIDEST], delta[LAYERS][WIDEST], g[LAYERS][WIDEST];
} plain;

static const double *factors_of(const fixture *f, size_t l, size_t sample)
{
    return (const double *)f->ws->dropouts[l].factors + sample * widths[l];
}

/* Row-major W of a layer in θ, its bias behind it. */
static size_t place_of(size_t layer)
{
    size_t at = 0;
    for (size_t l = 0, n = INPUTS; l < layer; n = widths[l++]) {
        at += widths[l] * (n + 1);
    }
    return at;
}

static void plain_forward(const fixture *f, size_t sample, const double *theta, plain *p)
{
    memcpy(p->in[0], (const double *)f->ws->layers[0].x + sample * INPUTS, INPUTS * sizeof(double));
    for (size_t l = 0, n = INPUTS; l < LAYERS; n = widths[l++]) {
        const double *W = theta + place_of(l), *b = W + widths[l] * n;
        for (size_t i = 0; i < widths[l]; i++) {
            p->e[l][i] = b[i];
            for (size_t j = 0; j < n; j++) {
                p->e[l][i] += W[i * n + j] * p->in[l][j];
            }
        }
        bp_kernel_reference_f64.activation(f->net->layers[l]->activation, 1, widths[l], p->e[l], p->y[l]);
        for (size_t i = 0; i < widths[l]; i++) {
            p->in[l + 1][i] = l + 1 < LAYERS ? p->y[l][i] * factors_of(f, l, sample)[i] : p->y[l][i];
        }
    }
}

/* The loss of a sample, and every layer's g. */
static double plain_backward(const fixture *f, size_t sample, const double *theta, plain *p)
{
    size_t row = order[FIRST + sample];
    bool exact = f->net->rule == BP_RULE_GRADIENT, local = exact && bp_loss_is_fused(f->loss);
    double z[OUTPUTS], *last = p->delta[LAYERS - 1];
    for (size_t i = 0; i < OUTPUTS; i++) {
        z[i] = (1 - smoothing) * f->target[row * OUTPUTS + i] + smoothing / OUTPUTS;
    }
    double loss = f->weights[row] *
                  bp_kernel_reference_f64.loss(f->loss, local, 1, OUTPUTS, p->e[LAYERS - 1], p->y[LAYERS - 1], z, NULL, p->g[LAYERS - 1]);
    for (size_t i = 0; i < OUTPUTS; i++) {
        last[i] = f->weights[row] * p->g[LAYERS - 1][i];
    }
    for (size_t l = LAYERS; l-- > 0;) {
        size_t n = l ? widths[l - 1] : INPUTS;
        const double *W = theta + place_of(l);
        memcpy(p->g[l], p->delta[l], sizeof p->g[l]);
        if (!(local && l + 1 == LAYERS)) {
            bp_kernel_reference_f64.local_gradient(f->net->layers[l]->activation, 1, widths[l], p->e[l], p->y[l], p->delta[l], p->g[l]);
        }
        for (size_t j = 0; l > 0 && j < n; j++) {
            double sum = 0;
            for (size_t i = 0; i < widths[l]; i++) {
                sum += W[i * n + j] * (exact ? p->g[l] : p->delta[l])[i];
            }
            p->delta[l - 1][j] = sum * factors_of(f, l - 1, sample)[j];
        }
    }
    return loss;
}

static void check_formulas(fixture *f)
{
    double theta[ROOM], moved[ROOM], change[ROOM], expected[ROOM] = {0}, expected_loss = 0;
    must(bp_net_get_parameters_f64(f->net, theta));
    double loss = step(f, 1, theta, moved);
    for (size_t s = 0; s < f->batch; s++) {
        plain p;
        plain_forward(f, s, theta, &p);
        expected_loss += plain_backward(f, s, theta, &p) / (double)f->batch;
        for (size_t l = 0, n = INPUTS; l < LAYERS; n = widths[l++]) {
            double *W = expected + place_of(l), *b = W + widths[l] * n;
            for (size_t i = 0; i < widths[l]; i++) {
                for (size_t j = 0; j < n; j++) {
                    W[i * n + j] += p.g[l][i] * p.in[l][j] / (double)f->batch;
                }
                b[i] += p.g[l][i] / (double)f->batch;
            }
        }
    }
    for (size_t i = 0; i < f->count; i++) {
        change[i] = moved[i] - theta[i];
    }
    double error = relative_error(f->count, change, expected);
    if (!(error <= 1e-12) || !(fabs(loss - expected_loss) <= 1e-14 * (1 + fabs(expected_loss)))) {
        fail_msg("%s: relative error %g, at most 1e-12; loss %.17g, expected %.17g", f->name, error, loss, expected_loss);
    }
}

/* Whether a step of the differences may cross the place where f or f′ of a hidden layer, or of the loss, jumps. */
static bool is_near_kink(fixture *f, const double *theta)
{
    bp_activation a = f->net->layers[0]->activation;
    if (a != BP_ACTIVATION_RELU && a != BP_ACTIVATION_LEAKY_RELU && a != BP_ACTIVATION_ELU && a != BP_ACTIVATION_SELU &&
        a != BP_ACTIVATION_SOFTSIGN) {
        return false;
    }
    step(f, 0, theta, NULL);
    for (size_t l = 0; l + 1 < LAYERS; l++) {
        for (size_t i = 0; i < f->batch * widths[l]; i++) {
            if (fabs(((const double *)f->ws->layers[l].e)[i]) < 0.025) {
                return true;
            }
        }
    }
    return false;
}

static double loss_at(fixture *f, double *theta, size_t index, double change)
{
    double kept = theta[index];
    theta[index] = kept + change;
    double loss = step(f, 0, theta, NULL);
    theta[index] = kept;
    return loss;
}

static void check_differences(fixture *f)
{
    const double h = 1e-3;
    double theta[ROOM], gradient[ROOM], numeric[ROOM];
    must(bp_net_get_parameters_f64(f->net, theta));
    step(f, 1, theta, gradient);
    for (size_t i = 0; i < f->count; i++) {
        gradient[i] = theta[i] - gradient[i];
        numeric[i] =
            (loss_at(f, theta, i, -2 * h) - 8 * loss_at(f, theta, i, -h) + 8 * loss_at(f, theta, i, h) - loss_at(f, theta, i, 2 * h)) /
            (12 * h);
    }
    double error = relative_error(f->count, gradient, numeric);
    if (!(error <= 1e-8)) {
        fail_msg("%s: relative error %g, at most 1e-8", f->name, error);
    }
}

static const struct {
    bp_activation output;
    bp_loss loss;
} outputs[] = {
    {BP_ACTIVATION_IDENTITY, BP_LOSS_MSE},
    {BP_ACTIVATION_TANH, BP_LOSS_MSE},
    {BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY},
    {BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY},
    {BP_ACTIVATION_SOFTMAX, BP_LOSS_MSE},
};

static void for_all(bp_rule rule, void (*check)(fixture *))
{
    for (int hidden = 0; hidden < BP_ACTIVATION_SOFTMAX; hidden++) {
        for (size_t o = 0; o < sizeof outputs / sizeof *outputs; o++) {
            if (rule == BP_RULE_ERROR_SIGNAL && outputs[o].output == BP_ACTIVATION_SOFTMAX) {
                continue;
            }
            for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
                fixture f;
                double theta[ROOM];
                for (uint64_t seed = 1;; seed++) {
                    make(&f, rule, (bp_activation)hidden, outputs[o].output, outputs[o].loss, batch, seed);
                    must(bp_net_get_parameters_f64(f.net, theta));
                    if (!is_near_kink(&f, theta)) {
                        break;
                    }
                    assert_true(seed < 100000);
                    end(&f);
                }
                check(&f);
                end(&f);
            }
        }
    }
}

static void test_formulas(void **state)
{
    (void)state;
    for_all(BP_RULE_GRADIENT, check_formulas);
    for_all(BP_RULE_ERROR_SIGNAL, check_formulas);
}

static void test_central_differences(void **state)
{
    (void)state;
    for_all(BP_RULE_GRADIENT, check_differences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formulas), cmocka_unit_test(test_central_differences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
