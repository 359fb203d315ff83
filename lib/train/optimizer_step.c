#include "core/real.h"
#include "core/status.h"
#include "net/check.h"
#include "net/parameters.h"
#include "train/optimizer.h"

/* θ ← θ − η ∂L/∂θ for n elements */
static void sgd(size_t n, real learning_rate, const real *gradient, real *theta)
{
    for (size_t i = 0; i < n; i++) {
        theta[i] -= learning_rate * gradient[i];
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
    real learning_rate = (real)opt->settings[BP_OPTIMIZER_LEARNING_RATE];
    for (size_t l = 0; l < net->n_layers; l++) {
        bp_layer *layer = net->layers[l];
        real *W = layer->weights;
        for (size_t i = 0; i < layer->n_outputs; i++) {
            sgd(layer->n_inputs, learning_rate, gradient, W + i * layer->ld);
            gradient += layer->n_inputs;
        }
        if (layer->has_bias) {
            sgd(layer->n_outputs, learning_rate, gradient, layer->bias);
            gradient += layer->n_outputs;
        }
    }
    return BP_OK;
}
