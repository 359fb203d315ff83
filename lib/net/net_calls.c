/* The public calls that run and differentiate a net. */
#include "bp/net.h"

#include "core/status.h"
#include "net/check.h"
#include "net/pass.h"

#include <string.h>

/* Where bp_net_backward and bp_net_gradient leave the gradient. */
typedef struct gradient_sink {
    real *gradient; /* in θ's order */
    real alpha;
} gradient_sink;

/* These rows of the gradient: alpha Σ g xᵀ, and behind W's place alpha Σ g */
static void take_gradient(void *context, const REAL(bp_pass) * pass, size_t l, bp_range rows, bp_pass_what what)
{
    const gradient_sink *sink = context;
    real *W = sink->gradient;
    for (size_t i = 0; i < l; i++) {
        W += bp_layer_parameter_count(pass->net->layers[i]);
    }
    const bp_layer *layer = pass->net->layers[l];
    size_t n_in = layer->n_inputs;
    real *b = layer->has_bias && what & BP_PASS_BIASES ? W + layer->n_outputs * n_in : NULL;
    REAL(bp_pass_sum)(pass, l, rows, sink->alpha, 0, what & BP_PASS_WEIGHTS ? W : NULL, n_in, b);
}

/* The gradient by the parameters of frozen layers is not computed. */
static void clear_frozen(const bp_net *net, real *gradient)
{
    for (size_t l = 0; gradient && net->has_frozen && l < net->n_layers; l++) {
        size_t n = bp_layer_parameter_count(net->layers[l]);
        if (net->layers[l]->frozen) {
            memset(gradient, 0, n * sizeof *gradient);
        }
        gradient += n;
    }
}

static void run_forward(void *argument, size_t thread, size_t n_threads)
{
    const REAL(bp_job) *j = argument;
    const bp_team team = {thread, n_threads, j->pass.ws->pool};
    REAL(bp_pass_forward)(&j->pass, &team);
}

static void run_backward(void *argument, size_t thread, size_t n_threads)
{
    const REAL(bp_job) *j = argument;
    const bp_team team = {thread, n_threads, j->pass.ws->pool};
    REAL(bp_pass_backward)(&j->pass, &team, false, &j->sink);
}

static void run_gradient(void *argument, size_t thread, size_t n_threads)
{
    REAL(bp_job) *j = argument;
    const bp_team team = {thread, n_threads, j->pass.ws->pool};
    REAL(bp_pass_forward)(&j->pass, &team);
    if (thread == 0) {
        REAL(bp_job_loss)(j);
    }
    bp_team_wait(&team);
    if (j->status == BP_OK && j->sink.take) {
        REAL(bp_pass_backward)(&j->pass, &team, j->is_local, &j->sink);
    }
}

bp_status REAL(bp_net_forward)(const bp_net *net, bp_workspace *ws, size_t batch, const real *x, real *y)
{
    bp_status status = bp_check_workspace(__func__, net, ws, REAL_DTYPE);
    if (status == BP_OK) {
        status = bp_check_batch(__func__, ws, batch);
    }
    if (status != BP_OK) {
        return status;
    }
    if (!x || !y) {
        return bp_fail_null(__func__, x ? "y" : "x");
    }
    REAL(bp_job) j = {.pass = {.net = net, .ws = ws, .batch = batch}};
    REAL(bp_pass_begin)(&j.pass, &(REAL(bp_samples)){.x = x}, 0, ws->input);
    if (ws->layers[0].x == x) { /* backward needs x again, and the caller's may be gone by then */
        ws->layers[0].x = memcpy(ws->input, x, batch * net->n_inputs * sizeof *x);
    }
    bp_workspace_run(ws, net, batch, run_forward, &j);
    REAL(bp_pass_output)(&j.pass, y);
    ws->batch = batch;
    return BP_OK;
}

bp_status REAL(bp_net_backward)(const bp_net *net, bp_workspace *ws, const real *delta, real *gradient, real *delta_input)
{
    bp_status status = bp_check_workspace(__func__, net, ws, REAL_DTYPE);
    if (status != BP_OK) {
        return status;
    }
    if (!delta) {
        return bp_fail_null(__func__, "delta");
    }
    if (ws->batch == 0) {
        return bp_fail(BP_ERROR_STATE, "%s: no bp_net_forward came just before on this workspace", __func__);
    }
    status = bp_check_rule(__func__, net);
    if (status != BP_OK) {
        return status;
    }
    gradient_sink context = {gradient, -1};
    REAL(bp_job)
    j = {.pass = {.net = net, .ws = ws, .batch = ws->batch}, .sink = {.take = gradient ? take_gradient : NULL, .context = &context}};
    real *g = ws->layers[net->n_layers - 1].g;
    memcpy(g, delta, ws->batch * bp_net_output_count(net) * sizeof *delta);
    REAL(bp_net_unscale_delta)(net, ws->batch, g);
    ws->delta_input = delta_input;
    bp_workspace_run(ws, net, ws->batch, run_backward, &j);
    ws->delta_input = NULL;
    clear_frozen(net, gradient);
    const real *scale = net->input_scaling.scale;
    for (size_t i = 0; delta_input && scale && i < ws->batch * net->n_inputs; i++) {
        delta_input[i] *= scale[i % net->n_inputs];
    }
    return BP_OK;
}

bp_status REAL(bp_net_predict)(const bp_net *net, bp_workspace *ws, size_t n, const real *x, real *y)
{
    bp_status status = bp_check_workspace(__func__, net, ws, REAL_DTYPE);
    if (status != BP_OK) {
        return status;
    }
    if (!x || !y) {
        return bp_fail_null(__func__, x ? "y" : "x");
    }
    ws->batch = 0;
    size_t n_outputs = bp_net_output_count(net);
    while (n > 0) {
        size_t batch = n < ws->max_batch ? n : ws->max_batch;
        REAL(bp_job) j = {.pass = {.net = net, .ws = ws, .batch = batch}};
        REAL(bp_pass_begin)(&j.pass, &(REAL(bp_samples)){.x = x}, 0, ws->input);
        bp_workspace_run(ws, net, batch, run_forward, &j);
        REAL(bp_pass_output)(&j.pass, y);
        x += batch * net->n_inputs;
        y += batch * n_outputs;
        n -= batch;
    }
    return BP_OK;
}

bp_status REAL(bp_net_gradient)(const bp_net *net, bp_workspace *ws, bp_loss loss, size_t batch, const real *x, const real *target,
                                real *gradient, real *mean_loss)
{
    bp_status status = bp_check_loss(__func__, net, ws, REAL_DTYPE, loss, batch, x, target);
    if (status != BP_OK) {
        return status;
    }
    ws->batch = 0;
    const REAL(bp_samples) samples = {.x = x, .target = target};
    gradient_sink context = {gradient, -1 / (real)batch};
    REAL(bp_job)
    j = {
        .function = __func__,
        .pass = {.net = net, .ws = ws, .batch = batch, .step_batch = batch},
        .loss = loss,
        .samples = &samples,
        .sink = {.take = gradient ? take_gradient : NULL, .context = &context},
    };
    REAL(bp_job_begin)(&j, 0, ws->input);
    bp_workspace_run(ws, net, batch, run_gradient, &j);
    if (j.status == BP_OK) {
        clear_frozen(net, gradient);
    }
    if (j.status == BP_OK && mean_loss) {
        *mean_loss = j.mean_loss;
    }
    return j.status;
}
