#include "train/optimizer_step.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "net/check.h"
#include "net/packing.h"
#include "net/parameters.h"
#include "train/gradient_hook.h"

#include <math.h>
#include <string.h>

enum { LINE = BP_ALIGNMENT / sizeof(real) };

_Static_assert(2 * sizeof(REAL(bp_method_step)) <= BP_NUMBERS_BYTES, "room for the numbers of weights and of biases");

void REAL(bp_optimizer_begin)(bp_optimizer *opt)
{
    opt->n_steps++;
    if (opt->plain) {
        return;
    }
    const double *settings = opt->settings;
    double rate = settings[BP_OPTIMIZER_LEARNING_RATE], decay = settings[BP_OPTIMIZER_WEIGHT_DECAY];
    double beta1 = settings[BP_OPTIMIZER_BETA1], beta2 = settings[BP_OPTIMIZER_BETA2], epsilon = settings[BP_OPTIMIZER_EPSILON];
    REAL(bp_method_step) *numbers = opt->numbers;
    numbers[0] = (REAL(bp_method_step)){
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
        double t = (double)opt->n_steps, root = sqrt(1 - pow(beta2, t));
        numbers[0].learning_rate = (real)(rate * root / (1 - pow(beta1, t)));
        numbers[0].epsilon = (real)(epsilon * root);
    }
    if (opt->method == BP_METHOD_ADAMW) {
        numbers[0].shrinkage = (real)(rate * decay);
        numbers[0].decay = 0;
    }
    if (settings[BP_OPTIMIZER_BIAS_DECAY] == 0) {
        numbers[1] = numbers[0];
        numbers[1].decay = numbers[1].l1 = numbers[1].shrinkage = 0;
    }
    opt->clip = 1;
}

/* A step of these rows, of weights or of biases, whose states are at the same place as they. */
static void move(const bp_training *training, bool biases, REAL(bp_method_rows) * rows)
{
    const bp_optimizer *opt = training->opt;
    rows->first = opt->states[0] ? REAL(bp_optimizer_place)(training, opt->states[0], rows->theta) : NULL;
    rows->second = opt->states[1] ? REAL(bp_optimizer_place)(training, opt->states[1], rows->theta) : NULL;
    REAL(bp_kernel)()->method(opt->method, REAL(bp_optimizer_numbers)(opt, biases), rows);
}

/* Rows of a layer whose gradient is there: its weights as one vector, padding and all, or those of a hook row by row. */
static void move_rows(const bp_training *training, size_t l, bp_range rows)
{
    const bp_layer *layer = training->net->layers[l];
    size_t ld;
    const real *gradient = REAL(bp_weight_gradient)(training, l, &ld);
    REAL(bp_method_rows) part = {.m = 1, .n = rows.n * layer->ld, .scale = (real)training->opt->clip};
    if (ld != layer->ld) {
        part.m = rows.n;
        part.n = layer->n_inputs;
        part.ld = layer->ld;
        part.direction_ld = ld;
    }
    part.theta = (real *)layer->weights + rows.first * layer->ld;
    part.direction = gradient + rows.first * ld;
    move(training, false, &part);
    if (layer->has_bias) {
        part = (REAL(bp_method_rows)){.m = 1, .n = rows.n, .scale = (real)training->opt->clip, .theta = (real *)layer->bias + rows.first};
        part.direction = REAL(bp_optimizer_place)(training, training->opt->gradient, part.theta);
        move(training, true, &part);
    }
}

/* One sample's gradient, −g xᵀ, is nowhere in memory. */
static void move_by_sample(const bp_training *training, const REAL(bp_pass) * pass, size_t l, bp_range rows)
{
    const bp_layer *layer = training->net->layers[l];
    const real *g = (const real *)pass->ws->layers[l].g + rows.first;
    REAL(bp_method_rows) part = {.m = rows.n, .n = layer->n_inputs, .ld = layer->ld, .scale = -1, .g = g};
    part.theta = (real *)layer->weights + rows.first * layer->ld;
    part.direction = pass->ws->layers[l].x;
    move(training, false, &part);
    if (layer->has_bias) {
        part = (REAL(bp_method_rows)){.m = 1, .n = rows.n, .scale = -1, .direction = g, .theta = (real *)layer->bias + rows.first};
        move(training, true, &part);
    }
}

/* The mean gradient of these rows, put where the optimizer, or its hook, has room for it. */
static void sum_gradient(const bp_training *training, const REAL(bp_pass) * pass, size_t l, bp_range rows, bp_pass_what what)
{
    const bp_layer *layer = training->net->layers[l];
    size_t ld = layer->ld;
    real *W = REAL(bp_optimizer_place)(training, training->opt->gradient, layer->weights);
    real *b = layer->bias ? REAL(bp_optimizer_place)(training, training->opt->gradient, layer->bias) : NULL;
    if (training->opt->hook.complete) {
        ld = layer->n_inputs;
        W = REAL(bp_hook_gradient)(training, l);
        b = layer->bias ? W + layer->n_outputs * ld : NULL;
    }
    real alpha = -1 / (real)pass->step_batch;
    REAL(bp_pass_sum)(pass, l, rows, alpha, 0, what & BP_PASS_WEIGHTS ? W : NULL, ld, what & BP_PASS_BIASES ? b : NULL);
    for (size_t i = rows.first; i < rows.first + rows.n && ld > layer->n_inputs; i++) { /* infinity × 0 is NaN */
        memset(W + i * ld + layer->n_inputs, 0, (ld - layer->n_inputs) * sizeof *W);
    }
}

void REAL(bp_optimizer_take)(void *context, const REAL(bp_pass) * pass, size_t layer, bp_range rows, bp_pass_what what)
{
    const bp_training *training = context;
    if (training->opt->whole) {
        sum_gradient(training, pass, layer, rows, what);
    } else if (pass->batch == 1) {
        move_by_sample(training, pass, layer, rows);
    } else {
        sum_gradient(training, pass, layer, rows, what);
        move_rows(training, layer, rows);
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
            move_rows(training, l, rows);
        }
    }
}

/* θ ← θ − η g */
static void descend(const bp_training *training, const real *gradient)
{
    real rate = (real)training->opt->settings[BP_OPTIMIZER_LEARNING_RATE];
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
    if (!bp_is(opt, BP_HANDLE_OPTIMIZER)) {
        return bp_fail_handle(function, "opt", opt, BP_HANDLE_OPTIMIZER);
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (!gradient) {
        return bp_fail_null(function, "gradient");
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
    const bp_training training = {opt, net};
    REAL(bp_optimizer_begin)(opt);
    if (opt->plain) {
        descend(&training, gradient);
        return BP_OK;
    }
    bp_parameters_unpack(net, gradient, opt->gradient); /* whose rows are padded */
    if (opt->whole) {
        status = REAL(bp_optimizer_settle)(&training, __func__);
    }
    if (status == BP_OK) {
        REAL(bp_optimizer_move)(&training, &(bp_team){.n_threads = 1});
    }
    return status;
}
