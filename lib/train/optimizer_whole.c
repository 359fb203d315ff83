/* What needs the whole gradient before a step: clipping, and custom methods. */
#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "net/check.h"
#include "net/packing.h"
#include "net/parameters.h"
#include "train/gradient_hook.h"

#include <math.h>
#include <string.h>

/* Elements held to the clip value, then the 2-norm, in the order of θ whatever the threads. */
static double clip_values(const bp_training *training)
{
    bp_optimizer *opt = training->opt;
    double value = opt->settings[BP_OPTIMIZER_CLIP_VALUE], sum = 0;
    real limit = value > 0 ? (real)value : (real)INFINITY;
    for (size_t l = 0; l < training->net->n_layers; l++) {
        const bp_layer *layer = training->net->layers[l];
        if (layer->frozen) {
            continue;
        }
        size_t ld;
        real *W = REAL(bp_weight_gradient)(training, l, &ld);
        sum += REAL(bp_kernel)()->clip(layer->n_outputs * ld, limit, W);
        if (layer->has_bias) {
            sum += REAL(bp_kernel)()->clip(layer->n_outputs, limit, REAL(bp_optimizer_place)(training, opt->gradient, layer->bias));
        }
    }
    return sqrt(sum);
}

/* packed = scale × gradient + decay θ + l1 sign θ, of a row or of biases */
static void penalize(size_t n, const REAL(bp_method_step) * step, real scale, const real *gradient, const real *theta, real *packed)
{
    for (size_t i = 0; i < n; i++) {
        real sign = (real)((theta[i] > 0) - (theta[i] < 0));
        packed[i] = scale * gradient[i] + step->decay * theta[i] + step->l1 * sign;
    }
}

/* The gradient as a custom method sees it. */
static void pack_gradient(const bp_training *training)
{
    real *packed = training->opt->custom.gradient;
    void *gradient = training->opt->gradient;
    const bp_optimizer *opt = training->opt;
    const REAL(bp_method_step) *of_weights = REAL(bp_optimizer_numbers)(opt, false), *of_biases = REAL(bp_optimizer_numbers)(opt, true);
    real clip = (real)opt->clip;
    for (size_t l = 0; l < training->net->n_layers; packed += bp_layer_parameter_count(training->net->layers[l++])) {
        const bp_layer *layer = training->net->layers[l];
        size_t n_in = layer->n_inputs, n_out = layer->n_outputs;
        if (layer->frozen) {
            memset(packed, 0, bp_layer_parameter_count(layer) * sizeof *packed);
            continue;
        }
        size_t ld;
        const real *of_layer = REAL(bp_weight_gradient)(training, l, &ld);
        for (size_t i = 0; i < n_out; i++) {
            penalize(n_in, of_weights, clip, of_layer + i * ld, (real *)layer->weights + i * layer->ld, packed + i * n_in);
        }
        if (layer->has_bias) {
            penalize(n_out, of_biases, clip, REAL(bp_optimizer_place)(training, gradient, layer->bias), layer->bias, packed + n_out * n_in);
        }
    }
}

/* Frozen layers stay, whatever a custom method made of them. */
static void keep_frozen(const bp_net *net, real *theta)
{
    for (size_t l = 0; l < net->n_layers; theta += bp_layer_parameter_count(net->layers[l++])) {
        const bp_layer *layer = net->layers[l];
        if (layer->frozen) {
            REAL(bp_layer_store_weights)(layer, theta);
        }
        if (layer->frozen && layer->has_bias) {
            memcpy(theta + layer->n_outputs * layer->n_inputs, layer->bias, layer->n_outputs * sizeof *theta);
        }
    }
}

static bp_status move_custom(const bp_training *training, const char *function)
{
    const bp_optimizer *opt = training->opt;
    const bp_custom_method *custom = &opt->custom;
    size_t n = training->net->parameter_count;
    bp_parameters_pack(training->net, training->net->parameters, custom->theta);
    pack_gradient(training);
    int result = ((REAL(bp_optimizer_function) *)custom->function)(custom->context, opt->n_steps, opt->settings[BP_OPTIMIZER_LEARNING_RATE],
                                                                   n, custom->theta, custom->gradient, custom->n_state, custom->state);
    if (result != 0) {
        return bp_fail(BP_ERROR_STATE, "%s: the function of the custom method returned %d", function, result);
    }
    real *theta = custom->theta;
    keep_frozen(training->net, theta);
    size_t bad = REAL(bp_first_nonfinite)(n, theta);
    if (bad < n) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: theta[%zu] of the custom method's function is %g; parameters are finite", function, bad,
                       (double)theta[bad]);
    }
    bp_parameters_unpack(training->net, theta, training->net->parameters);
    return BP_OK;
}

bp_status REAL(bp_optimizer_settle)(const bp_training *training, const char *function)
{
    bp_status status = BP_OK;
    bp_optimizer *opt = training->opt;
    double most = opt->settings[BP_OPTIMIZER_CLIP_NORM];
    bool is_of_hook = opt->hook.complete && most == 0 && opt->settings[BP_OPTIMIZER_CLIP_VALUE] == 0; /* which has been looked at */
    double norm = is_of_hook ? 0 : clip_values(training);
    if (!isfinite(norm)) {
        status = bp_fail(BP_ERROR_NONFINITE, "%s: the gradient's 2-norm is %g", function, norm);
    } else if (most > 0 && most < norm + 1e-6) {
        opt->clip = most / (norm + 1e-6);
    }
    if (status == BP_OK && opt->method == BP_METHOD_CUSTOM) {
        status = move_custom(training, function);
    }
    opt->n_steps -= status != BP_OK;
    return status;
}

bp_status REAL(bp_optimizer_create_custom)(bp_optimizer **opt, const bp_net *net, size_t n_state, REAL(bp_optimizer_function) * function,
                                           void *context)
{
    if (!opt) {
        return bp_fail_null(__func__, "opt");
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!function) {
        return bp_fail_null(__func__, "function");
    }
    bp_optimizer *made = NULL;
    bp_status status = bp_check_net(__func__, net, REAL_DTYPE);
    if (status == BP_OK) {
        status = bp_optimizer_make(__func__, &made, BP_METHOD_CUSTOM, net);
    }
    if (status != BP_OK) {
        return status;
    }
    made->custom = (bp_custom_method){
        .function = (void (*)(void))function,
        .context = context,
        .n_state = n_state,
        .state = bp_allocate(n_state, sizeof(real)),
        .theta = bp_allocate(net->parameter_count, sizeof(real)),
        .gradient = bp_allocate(net->parameter_count, sizeof(real)),
    };
    if (!made->custom.state || !made->custom.theta || !made->custom.gradient) {
        bp_optimizer_destroy(made);
        return bp_fail_memory(__func__);
    }
    *opt = made;
    return BP_OK;
}
