#include "train/optimizer_step.h"

#include "core/status.h"
#include "kernel/kernel.h"
#include "net/check.h"
#include "net/parameters.h"

#include <math.h>
#include <string.h>

/* What an element's step needs of the settings. */
static REAL(bp_method_step) method_step(const bp_optimizer *opt)
{
    double rate = opt->settings[BP_OPTIMIZER_LEARNING_RATE], beta1 = opt->settings[BP_OPTIMIZER_BETA1];
    double beta2 = opt->settings[BP_OPTIMIZER_BETA2], t = (double)opt->n_steps;
    REAL(bp_method_step) step = {.learning_rate = (real)rate, .momentum = (real)opt->settings[BP_OPTIMIZER_MOMENTUM]};
    if (opt->method == BP_METHOD_ADAM) {
        step.learning_rate = (real)(rate / (1 - pow(beta1, t)));
        step.beta1 = (real)beta1;
        step.beta2 = (real)beta2;
        step.v_scale = (real)(1 / sqrt(1 - pow(beta2, t)));
        step.epsilon = (real)opt->settings[BP_OPTIMIZER_EPSILON];
    }
    return step;
}

/* n parameters from theta on, whose gradient is scale × direction; all vectors end with a cache line. */
static void move(const bp_training *training, const REAL(bp_method_step) * step, size_t n, real scale, const real *direction, real *theta)
{
    const bp_optimizer *opt = training->opt;
    size_t at = (size_t)(theta - (const real *)training->net->parameters);
    real *first = (real *)opt->states[0] + at;
    if (opt->method == BP_METHOD_ADAM) {
        REAL(bp_kernel)()->adam(n, step, scale, direction, first, (real *)opt->states[1] + at, theta);
    } else {
        REAL(bp_kernel)()->momentum(n, step, scale, direction, first, theta);
    }
}

/* A batch's gradient of these rows, summed where the optimizer has room for it. */
static void move_by_batch(const bp_training *training, const REAL(bp_pass) * pass, size_t l, bp_range rows)
{
    bp_layer *layer = training->net->layers[l];
    real *theta = training->net->parameters, *W = layer->weights, *b = layer->bias, *gradient = training->opt->gradient;
    real *gradient_W = gradient + (W - theta), *gradient_b = b ? gradient + (b - theta) : NULL;
    memset(gradient_W + rows.first * layer->ld, 0, rows.n * layer->ld * sizeof *theta);
    if (b) {
        memset(gradient_b + rows.first, 0, rows.n * sizeof *theta);
    }
    REAL(bp_pass_accumulate)(pass, l, rows, -1 / (real)pass->batch, gradient_W, layer->ld, gradient_b);
    const REAL(bp_method_step) step = method_step(training->opt);
    move(training, &step, rows.n * layer->ld, 1, gradient_W + rows.first * layer->ld, W + rows.first * layer->ld);
    if (b) {
        move(training, &step, rows.n, 1, gradient_b + rows.first, b + rows.first);
    }
}

/* One sample's gradient, −g xᵀ, is nowhere in memory. */
static void move_by_sample(const bp_training *training, const REAL(bp_pass) * pass, size_t l, bp_range rows)
{
    bp_layer *layer = training->net->layers[l];
    real *W = layer->weights, *b = layer->bias;
    const real *x = pass->ws->layers[l].x, *g = pass->ws->layers[l].g;
    const REAL(bp_method_step) step = method_step(training->opt);
    for (size_t i = rows.first; i < rows.first + rows.n; i++) {
        move(training, &step, layer->n_inputs, -g[i], x, W + i * layer->ld);
    }
    if (b) {
        move(training, &step, rows.n, -1, g + rows.first, b + rows.first);
    }
}

void REAL(bp_optimizer_take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows)
{
    if (pass->batch == 1) {
        move_by_sample(context, pass, layer, rows);
    } else {
        move_by_batch(context, pass, layer, rows);
    }
}

/* A step by a gradient that lies packed: each row is copied to where a row has room to the end of a cache line. */
static void move_by_gradient(const bp_training *training, const real *gradient)
{
    const REAL(bp_method_step) step = method_step(training->opt);
    bp_net *net = training->net;
    real *room = training->opt->gradient;
    for (size_t l = 0; l < net->n_layers; l++) {
        bp_layer *layer = net->layers[l];
        if (layer->frozen) {
            gradient += bp_layer_parameter_count(layer);
            continue;
        }
        for (size_t i = 0; i < layer->n_outputs; i++) {
            REAL(bp_kernel)()->scale(layer->n_inputs, gradient, NULL, NULL, room);
            move(training, &step, layer->n_inputs, 1, room, (real *)layer->weights + i * layer->ld);
            gradient += layer->n_inputs;
        }
        if (layer->has_bias) {
            REAL(bp_kernel)()->scale(layer->n_outputs, gradient, NULL, NULL, room);
            move(training, &step, layer->n_outputs, 1, room, layer->bias);
            gradient += layer->n_outputs;
        }
    }
}

/* θ ← θ − η g */
static void descend(const bp_optimizer *opt, bp_net *net, const real *gradient)
{
    real rate = (real)opt->settings[BP_OPTIMIZER_LEARNING_RATE];
    for (size_t l = 0; l < net->n_layers; l++) {
        bp_layer *layer = net->layers[l];
        if (layer->frozen) {
            gradient += bp_layer_parameter_count(layer);
            continue;
        }
        for (size_t i = 0; i < layer->n_outputs; i++) {
            REAL(bp_kernel)()->axpy(layer->n_inputs, -rate, gradient, (real *)layer->weights + i * layer->ld);
            gradient += layer->n_inputs;
        }
        if (layer->has_bias) {
            REAL(bp_kernel)()->axpy(layer->n_outputs, -rate, gradient, layer->bias);
            gradient += layer->n_outputs;
        }
    }
}

bp_status REAL(bp_optimizer_step)(bp_optimizer *opt, bp_net *net, const real *gradient)
{
    if (!opt || !net || !gradient) {
        return bp_fail_null(__func__, !opt ? "opt" : !net ? "net" : "gradient");
    }
    bp_status status = bp_check_net(__func__, net, REAL_DTYPE);
    if (status == BP_OK) {
        status = bp_check_optimizer(__func__, opt, net);
    }
    if (status != BP_OK) {
        return status;
    }
    size_t bad = REAL(bp_first_nonfinite)(net->parameter_count, gradient);
    if (bad < net->parameter_count) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: gradient[%zu] is %g; gradients are finite", __func__, bad, (double)gradient[bad]);
    }
    opt->n_steps++;
    if (opt->method == BP_METHOD_SGD) {
        descend(opt, net, gradient);
    } else {
        const bp_training training = {opt, net};
        move_by_gradient(&training, gradient);
    }
    return BP_OK;
}
