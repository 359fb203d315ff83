#include "train/gradient_hook.h"

#include "core/memory.h"
#include "core/status.h"
#include "net/packing.h"
#include "net/parameters.h"
#include "net/pass.h"

#include <math.h>
#include <string.h>

bp_status REAL(bp_optimizer_set_gradient_hook)(bp_optimizer *opt, REAL(bp_gradient_ready) * ready, REAL(bp_gradient_complete) * complete,
                                               void *context)
{
    if (!opt || (ready && !complete)) {
        return bp_fail_null(__func__, opt ? "complete" : "opt");
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

void REAL(bp_hook_layer_ready)(void *context, size_t l)
{
    const bp_training *training = context;
    const bp_gradient_hook *hook = &training->opt->hook;
    real *gradient = REAL(bp_hook_gradient)(training, l);
    if (hook->ready && !training->net->layers[l]->frozen) {
        ((REAL(bp_gradient_ready) *)hook->ready)(hook->context, (size_t)(gradient - (real *)hook->gradient),
                                                 bp_layer_parameter_count(training->net->layers[l]), gradient);
    }
}

bp_status REAL(bp_hook_complete)(const bp_training *training, const char *function, bp_status status, real *mean_loss)
{
    const bp_gradient_hook *hook = &training->opt->hook;
    real *gradient = hook->gradient;
    size_t n = training->net->parameter_count;
    if (status == BP_OK && training->net->has_frozen) {
        for (size_t l = 0; l < training->net->n_layers; l++) {
            if (training->net->layers[l]->frozen) {
                memset(REAL(bp_hook_gradient)(training, l), 0, bp_layer_parameter_count(training->net->layers[l]) * sizeof *gradient);
            }
        }
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
    if (result == BP_OK) {
        bp_parameters_unpack(training->net, gradient, training->opt->gradient);
    }
    return result;
}
