#include "train/optimizer.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "net/check.h"

#include <limits.h>
#include <stdlib.h>

static bool allocate(bp_optimizer *opt)
{
    size_t n_states = bp_method_state_count(opt->method), element = bp_dtype_size(opt->dtype);
    for (size_t i = 0; i < n_states; i++) {
        opt->states[i] = bp_allocate(opt->storage, element);
        if (!opt->states[i]) {
            return false;
        }
    }
    opt->numbers = bp_allocate(1, BP_NUMBERS_BYTES);
    if (!opt->plain) {
        opt->gradient = bp_allocate(opt->storage, element);
    }
    return opt->numbers && (opt->plain || opt->gradient);
}

bp_status bp_optimizer_make(const char *function, bp_optimizer **opt, bp_method method, const bp_net *net)
{
    bp_optimizer *made = malloc(sizeof *made);
    if (!made) {
        return bp_fail_memory(function);
    }
    *made = (bp_optimizer){.handle = BP_HANDLE_OPTIMIZER,
                           .method = method,
                           .dtype = net->dtype,
                           .identity = bp_identity_hold(net->identity),
                           .storage = net->storage};
    bp_method_defaults(method, made->settings);
    bp_optimizer_settle_kind(made);
    if (!allocate(made)) {
        bp_optimizer_destroy(made);
        return bp_fail_memory(function);
    }
    *opt = made;
    return BP_OK;
}

/* That liblbfgs is there, and can count the net's parameters. */
static bp_status check_lbfgs(const char *function, const bp_net *net)
{
#ifdef BP_HAVE_LBFGS
    if (net->parameter_count > INT_MAX) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: the net has %zu parameters; lbfgs takes at most %d", function, net->parameter_count,
                       INT_MAX);
    }
    return BP_OK;
#else
    (void)net;
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: this build has no L-BFGS (liblbfgs)", function);
#endif
}

bp_status bp_optimizer_create(bp_optimizer **opt, bp_method method, const bp_net *net)
{
    if (!opt) {
        return bp_fail_null(__func__, "opt");
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!bp_method_name(method)) {
        return bp_fail_enum(__func__, "method", (int)method);
    }
    bp_status status = bp_check_net(__func__, net, net->dtype);
    if (status == BP_OK && method == BP_METHOD_CUSTOM) {
        status = bp_fail(BP_ERROR_UNSUPPORTED, "%s: custom needs a function; call bp_optimizer_create_custom_%s", __func__,
                         bp_dtype_name(net->dtype));
    }
    if (status == BP_OK && method == BP_METHOD_LBFGS) {
        status = check_lbfgs(__func__, net);
    }
    return status == BP_OK ? bp_optimizer_make(__func__, opt, method, net) : status;
}

void bp_optimizer_destroy(bp_optimizer *opt)
{
    if (bp_is(opt, BP_HANDLE_OPTIMIZER)) {
        for (size_t i = 0; i < BP_MAX_STATES; i++) {
            free(opt->states[i]);
        }
        free(opt->gradient);
        free(opt->numbers);
        free(opt->custom.state);
        free(opt->custom.theta);
        free(opt->custom.gradient);
        free(opt->hook.gradient);
        bp_identity_release(opt->identity);
        bp_end_handle(opt);
        free(opt);
    }
}

bp_optimizer_state bp_optimizer_get_state(const bp_optimizer *opt, size_t i)
{
    if (opt->method == BP_METHOD_CUSTOM) {
        return (bp_optimizer_state){opt->custom.state, i == 0 ? opt->custom.n_state : 0, false};
    }
    bool has = opt->method != BP_METHOD_LBFGS && opt->states[i]; /* that of L-BFGS is of one step alone */
    return (bp_optimizer_state){opt->states[i], has ? opt->storage : 0, true};
}

bp_method bp_optimizer_method(const bp_optimizer *opt)
{
    return bp_is(opt, BP_HANDLE_OPTIMIZER) ? opt->method : BP_METHOD_SGD;
}

uint64_t bp_optimizer_step_count(const bp_optimizer *opt)
{
    return bp_is(opt, BP_HANDLE_OPTIMIZER) ? opt->n_steps : 0;
}

bp_status bp_optimizer_set_seed(bp_optimizer *opt, uint64_t seed)
{
    if (!bp_is(opt, BP_HANDLE_OPTIMIZER)) {
        return bp_fail_handle(__func__, "opt", opt, BP_HANDLE_OPTIMIZER);
    }
    opt->seed = seed;
    return BP_OK;
}

uint64_t bp_optimizer_seed(const bp_optimizer *opt)
{
    return bp_is(opt, BP_HANDLE_OPTIMIZER) ? opt->seed : 0;
}

bp_status bp_check_optimizer(const char *function, const bp_optimizer *opt, const bp_net *net)
{
    if (!bp_is(opt, BP_HANDLE_OPTIMIZER)) {
        return bp_fail_handle(function, "opt", opt, BP_HANDLE_OPTIMIZER);
    }
    if (opt->identity != net->identity) {
        return bp_fail(BP_ERROR_STATE, "%s: the optimizer was made for another net", function);
    }
    return BP_OK;
}
