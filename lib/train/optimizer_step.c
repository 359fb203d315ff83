#include "train/optimizer_step.h"

#include "core/memory.h"
#include "core/status.h"
#include "net/check.h"
#include "net/packing.h"
#include "net/parameters.h"

#include <math.h>
#include <string.h>

enum { LINE = BP_ALIGNMENT / sizeof(real) };

void REAL(bp_optimizer_begin)(bp_training *training)
{
    bp_optimizer *opt = training->opt;
    const double *settings = opt->settings;
    double rate = settings[BP_OPTIMIZER_LEARNING_RATE], decay = settings[BP_OPTIMIZER_WEIGHT_DECAY], t = (double)++opt->n_steps;
    double beta1 = settings[BP_OPTIMIZER_BETA1], beta2 = settings[BP_OPTIMIZER_BETA2], epsilon = settings[BP_OPTIMIZER_EPSILON];
    REAL(bp_method_step)
    step = {
        .learning_rate = (real)rate,
        .epsilon = (real)epsilon,
        .momentum = (real)settings[BP_OPTIMIZER_MOMENTUM],
        .rest1 = (real)(1 - beta1),
        .rest2 = (real)(1 - beta2),
        .decay = (real)decay,
        .l1 = (real)settings[BP_OPTIMIZER_L1_PENALTY],
        .increase = (real)settings[BP_OPTIMIZER_INCREASE_FACTOR],
        .decrease = (real)settings[BP_OPTIMIZER_DECREASE_FACTOR],
        .minimum = (real)settings[BP_OPTIMIZER_MINIMUM_STEP],
        .maximum = (real)settings[BP_OPTIMIZER_MAXIMUM_STEP],
    };
    if (opt->method == BP_METHOD_ADAM || opt->method == BP_METHOD_ADAMW) {
        /* η m̂ / (√v̂ + ε), with the correction of v̂ taken out of the root, and of the denominator */
        double root = sqrt(1 - pow(beta2, t));
        step.learning_rate = (real)(rate * root / (1 - pow(beta1, t)));
        step.epsilon = (real)(epsilon * root);
    }
    if (opt->method == BP_METHOD_ADAMW) {
        step.shrinkage = (real)(rate * decay);
        step.decay = 0;
    }
    training->weights = training->biases = step;
    if (settings[BP_OPTIMIZER_BIAS_DECAY] == 0) {
        training->biases.decay = training->biases.l1 = training->biases.shrinkage = 0;
    }
    training->clip = 1;
}

/* n parameters from theta on, whose gradient is scale × direction; all vectors end with a cache line. */
static void move(const bp_training *training, const REAL(bp_method_step) * step, size_t n, real scale, const real *direction, real *theta)
{
    const bp_optimizer *opt = training->opt;
    real *state[BP_MAX_STATES];
    for (size_t i = 0; i < BP_MAX_STATES; i++) {
        state[i] = opt->states[i] ? REAL(bp_optimizer_place)(training, opt->states[i], theta) : NULL;
    }
    REAL(bp_kernel)()->method(opt->method, n, step, scale, direction, state[0], state[1], theta);
}

/* These rows of a layer, whose gradient is there. */
static void move_rows(const bp_training *training, const bp_layer *layer, bp_range rows)
{
    real *W = (real *)layer->weights + rows.first * layer->ld, *b = layer->bias, *gradient = training->opt->gradient;
    move(training, &training->weights, rows.n * layer->ld, training->clip, REAL(bp_optimizer_place)(training, gradient, W), W);
    if (b) {
        b += rows.first;
        move(training, &training->biases, rows.n, training->clip, REAL(bp_optimizer_place)(training, gradient, b), b);
    }
}

/* One sample's gradient, −g xᵀ, is nowhere in memory. */
static void move_by_sample(const bp_training *training, const REAL(bp_pass) * pass, size_t l, bp_range rows)
{
    bp_layer *layer = training->net->layers[l];
    real *W = layer->weights, *b = layer->bias;
    const real *x = pass->ws->layers[l].x, *g = pass->ws->layers[l].g;
    for (size_t i = rows.first; i < rows.first + rows.n; i++) {
        move(training, &training->weights, layer->n_inputs, -g[i], x, W + i * layer->ld);
    }
    if (b) {
        move(training, &training->biases, rows.n, -1, g + rows.first, b + rows.first);
    }
}

/* The mean gradient of these rows, put where the optimizer has room for it. */
static void sum_gradient(const bp_training *training, const REAL(bp_pass) * pass, size_t l, bp_range rows)
{
    const bp_layer *layer = training->net->layers[l];
    real *W = REAL(bp_optimizer_place)(training, training->opt->gradient, layer->weights);
    real *b = layer->bias ? REAL(bp_optimizer_place)(training, training->opt->gradient, layer->bias) : NULL;
    memset(W + rows.first * layer->ld, 0, rows.n * layer->ld * sizeof *W);
    if (b) {
        memset(b + rows.first, 0, rows.n * sizeof *b);
    }
    REAL(bp_pass_accumulate)(pass, l, rows, -1 / (real)pass->batch, W, layer->ld, b);
}

void REAL(bp_optimizer_take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows)
{
    const bp_training *training = context;
    if (training->whole) {
        sum_gradient(training, pass, layer, rows);
    } else if (pass->batch == 1) {
        move_by_sample(training, pass, layer, rows);
    } else {
        sum_gradient(training, pass, layer, rows);
        move_rows(training, training->net->layers[layer], rows);
    }
}

void REAL(bp_optimizer_move)(const bp_training *training, const bp_team *team)
{
    if (training->opt->method == BP_METHOD_CUSTOM) {
        return; /* its function has moved them */
    }
    for (size_t l = 0; l < training->net->n_layers; l++) {
        const bp_layer *layer = training->net->layers[l];
        bp_range rows = bp_team_share(team, layer->n_outputs, LINE);
        if (rows.n > 0 && !layer->frozen) {
            move_rows(training, layer, rows);
        }
    }
}

/* θ ← θ − η g */
static void descend(const bp_training *training, const real *gradient)
{
    real rate = training->weights.learning_rate;
    for (size_t l = 0; l < training->net->n_layers; gradient += bp_layer_parameter_count(training->net->layers[l++])) {
        const bp_layer *layer = training->net->layers[l];
        size_t n_in = layer->n_inputs, n_out = layer->n_outputs;
        for (size_t i = 0; i < n_out && !layer->frozen; i++) {
            REAL(bp_kernel)()->axpy(n_in, -rate, gradient + i * n_in, (real *)layer->weights + i * layer->ld);
        }
        if (layer->has_bias && !layer->frozen) {
            REAL(bp_kernel)()->axpy(n_out, -rate, gradient + n_out * n_in, layer->bias);
        }
    }
}

static bp_status check(const char *function, const bp_optimizer *opt, const bp_net *net, const real *gradient)
{
    if (!opt || !net || !gradient) {
        return bp_fail_null(function, !opt ? "opt" : !net ? "net" : "gradient");
    }
    bp_status status = bp_check_net(function, net, REAL_DTYPE);
    if (status == BP_OK) {
        status = bp_check_optimizer(function, opt, net);
    }
    if (status != BP_OK) {
        return status;
    }
    if (opt->method == BP_METHOD_LBFGS) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: lbfgs evaluates the loss at points of its own choice; call bp_net_train_step", function);
    }
    size_t bad = REAL(bp_first_nonfinite)(net->parameter_count, gradient);
    if (bad < net->parameter_count) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: gradient[%zu] is %g; gradients are finite", function, bad, (double)gradient[bad]);
    }
    return BP_OK;
}

bp_status REAL(bp_optimizer_step)(bp_optimizer *opt, bp_net *net, const real *gradient)
{
    bp_status status = check(__func__, opt, net, gradient);
    if (status != BP_OK) {
        return status;
    }
    bp_training training = {.opt = opt, .net = net, .whole = bp_optimizer_needs_whole_gradient(opt)};
    REAL(bp_optimizer_begin)(&training);
    if (bp_optimizer_is_plain(opt)) {
        descend(&training, gradient);
        return BP_OK;
    }
    bp_parameters_unpack(net, gradient, opt->gradient); /* whose rows are padded */
    if (training.whole) {
        status = REAL(bp_optimizer_settle)(&training, __func__);
    }
    if (status == BP_OK) {
        REAL(bp_optimizer_move)(&training, &(bp_team){.n_threads = 1});
    }
    return status;
}
