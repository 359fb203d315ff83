#include "train/gradient_hook.h"

#include "core/memory.h"
#include "core/status.h"
#include "net/parameters.h"
#include "net/pass.h"

#include <math.h>
#include <string.h>

bp_status REAL(bp_optimizer_set_gradient_hook)(bp_optimizer *opt, REAL(bp_gradient_ready) * ready, REAL(bp_gradient_complete) * complete,
                                               void *context)
{
    if (!bp_is(opt, BP_HANDLE_OPTIMIZER)) {
        return bp_fail_handle(__func__, "opt", opt, BP_HANDLE_OPTIMIZER);
    }
    if (ready && !complete) {
        return bp_fail_null(__func__, "complete");
    }
    if (opt->dtype != REAL_DTYPE) {
        return bp_fail_dtype(__func__, "optimizer", opt->dtype);
    }
    if (opt->method == BP_METHOD_LBFGS) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: a step of lbfgs has many gradients, of points of its own choice", __func__);
    }
    if (complete) { /* what is there stays, for another hook */
        void **vectors[2] = {&opt->hook.gradient, &opt->gradient};
        for (int i = 0; i < 2; i++) {
            *vectors[i] = *vectors[i] ? *vectors[i] : bp_allocate(opt->storage, sizeof(real));
            if (!*vectors[i]) {
                return bp_fail_memory(__func__);
            }
        }
    }
    opt->hook.ready = (void (*)(void))ready;
    opt->hook.complete = (void (*)(void))complete;
    opt->hook.context = context;
    opt->hook.told_layer = SIZE_MAX;
    bp_optimizer_settle_kind(opt);
    return BP_OK;
}

real *REAL(bp_hook_gradient)(const bp_training *training, size_t l)
{
    real *gradient = training->opt->hook.gradient;
    for (size_t before = 0; before < l; before++) {
        gradient += bp_layer_parameter_count(training->net->layers[before]);
    }
    return gradient;
}

/* Whether the optimizer can use the hook's gradient of a layer's weights as it lies there. */
static bool has_whole_lines(const bp_layer *layer)
{
    return layer->n_inputs % (BP_ALIGNMENT / sizeof(real)) == 0;
}

real *REAL(bp_weight_gradient)(const bp_training *training, size_t l, size_t *ld)
{
    const bp_layer *layer = training->net->layers[l];
    bool of_hook = training->opt->hook.complete && has_whole_lines(layer);
    *ld = of_hook ? layer->n_inputs : layer->ld;
    return of_hook ? REAL(bp_hook_gradient)(training, l) : REAL(bp_optimizer_place)(training, training->opt->gradient, layer->weights);
}

/* The rest of it, to where the optimizer looks for it. */
static void take_back(const bp_training *training, size_t l)
{
    const bp_layer *layer = training->net->layers[l];
    const real *packed = REAL(bp_hook_gradient)(training, l);
    real *W = REAL(bp_optimizer_place)(training, training->opt->gradient, layer->weights);
    size_t n_in = layer->n_inputs, n_out = layer->n_outputs;
    for (size_t i = 0; i < n_out && !has_whole_lines(layer); i++) {
        memcpy(W + i * layer->ld, packed + i * n_in, n_in * sizeof *W); /* the padding is 0, and stays so */
    }
    if (layer->has_bias) {
        memcpy(REAL(bp_optimizer_place)(training, training->opt->gradient, layer->bias), packed + n_out * n_in, n_out * sizeof *W);
    }
}

void REAL(bp_hook_rows_ready)(void *context, size_t l, size_t row)
{
    const bp_training *training = context;
    const bp_layer *layer = training->net->layers[l];
    bp_gradient_hook *hook = &training->opt->hook;
    size_t n_layer = bp_layer_parameter_count(layer), start = row * layer->n_inputs;
    real *gradient = REAL(bp_hook_gradient)(training, l);
    size_t told = hook->told_layer == l ? hook->told : n_layer; /* of the layer, from there on */
    if (layer->frozen) {
        memset(gradient, 0, n_layer * sizeof *gradient);
    } else if (hook->ready) {
        ((REAL(bp_gradient_ready) *)hook->ready)(hook->context, (size_t)(gradient - (real *)hook->gradient) + start, told - start,
                                                 gradient + start);
    }
    hook->told_layer = row > 0 ? l : SIZE_MAX;
    hook->told = start;
}

bp_status REAL(bp_hook_complete)(const bp_training *training, const char *function, bp_status status, real *mean_loss)
{
    const bp_gradient_hook *hook = &training->opt->hook;
    real *gradient = hook->gradient;
    size_t n = training->net->parameter_count;
    if (status == BP_OK) { /* the backward pass did not come to the lowest frozen layers */
        real *trained = REAL(bp_hook_gradient)(training, training->net->lowest_trained);
        memset(gradient, 0, (size_t)(trained - gradient) * sizeof *gradient);
    }
    bp_status result =
        ((REAL(bp_gradient_complete) *)hook->complete)(hook->context, status, mean_loss, n, status == BP_OK ? gradient : NULL);
    if (result == BP_OK && status != BP_OK) {
        result = status;
    }
    if (result == BP_OK && !isfinite(*mean_loss)) {
        result =
            bp_fail(BP_ERROR_NONFINITE, "%s: the mean loss of the gradient hook is %g; losses are finite", function, (double)*mean_loss);
    }
    size_t bad = result == BP_OK ? REAL(bp_first_nonfinite)(n, gradient) : n;
    if (bad < n) {
        result = bp_fail(BP_ERROR_NONFINITE, "%s: gradient[%zu] of the gradient hook is %g; gradients are finite", function, bad,
                         (double)gradient[bad]);
    }
    for (size_t l = 0; result == BP_OK && l < training->net->n_layers; l++) {
        take_back(training, l);
    }
    return result;
}
