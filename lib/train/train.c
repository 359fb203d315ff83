/* Learning: forward pass, loss, and a backward pass that goes straight into the weights. */
#include "bp/train.h"

#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"
#include "net/check.h"
#include "net/pass.h"
#include "train/optimizer.h"

static bp_status check(const char *function, const bp_net *net, const bp_workspace *ws, const bp_optimizer *opt, bp_loss loss, size_t batch,
                       const real *x, const real *target)
{
    bp_status status = bp_check_loss(function, net, ws, REAL_DTYPE, loss, batch, x, target);
    return status == BP_OK ? bp_check_optimizer(function, opt, net) : status;
}

/* What a step multiplies the sum of g xᵀ with: stochastic gradient descent needs no gradient vector, W += η/batch Σ g xᵀ. */
static real step_size(const bp_optimizer *opt, size_t batch)
{
    return (real)opt->settings[BP_OPTIMIZER_LEARNING_RATE] / (real)batch;
}

/* What a call has its workspace's threads do. */
typedef struct job {
    const char *function;
    REAL(bp_pass) pass;
    bp_loss loss;
    const real *target;
    real mean_loss;
    bool is_local;
    bp_status status; /* of the loss */
    REAL(bp_pass_sink) sink;
    /* of on-line training, and then x, target and mean_loss go from sample to sample */
    size_t n;
    const real *x, *before; /* before: x of the sample before, as the first layer sees it */
    double sum;
} job;

/* The loss, by thread 0, after a forward pass. */
static void compute_loss(job *j, const bp_team *team)
{
    if (team->thread == 0) {
        j->status = REAL(bp_pass_loss)(j->function, &j->pass, j->loss, j->target, &j->mean_loss, &j->is_local);
    }
}

static void run_step(void *argument, size_t thread, size_t n_threads)
{
    job *j = argument;
    const bp_team team = {thread, n_threads, j->pass.ws->pool};
    REAL(bp_pass_forward)(&j->pass, &team);
    compute_loss(j, &team);
    bp_team_wait(&team);
    if (j->status == BP_OK) {
        REAL(bp_pass_backward)(&j->pass, &team, j->is_local, &j->sink);
    }
}

bp_status REAL(bp_net_train_step)(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t batch, const real *x,
                                  const real *target, real *mean_loss)
{
    bp_status status = check(__func__, net, ws, opt, loss, batch, x, target);
    if (status != BP_OK) {
        return status;
    }
    ws->batch = 0;
    job j = {
        .function = __func__,
        .pass = {net, ws, batch},
        .loss = loss,
        .target = target,
        .sink = {.alpha = step_size(opt, batch), .net = net},
    };
    REAL(bp_pass_begin)(&j.pass, x, ws->input);
    bp_workspace_run(ws, net, batch, run_step, &j);
    if (j.status == BP_OK && mean_loss) {
        *mean_loss = j.mean_loss;
    }
    return j.status;
}

/* The place for the x of sample s, and not for that of the sample before it. */
static real *input_of(const job *j, size_t s)
{
    size_t padded = bp_round_up(j->pass.net->n_inputs, BP_ALIGNMENT / sizeof(real));
    return (real *)j->pass.ws->input + s % 2 * padded;
}

/* By thread 0, while no other needs x: the sum so far, and what the next sample is. */
static void go_on(job *j, size_t s)
{
    j->sum += (double)j->mean_loss;
    j->before = j->pass.ws->passes[0].y;
    if (s + 1 < j->n) {
        j->target += bp_net_output_count(j->pass.net);
        REAL(bp_pass_begin)(&j->pass, j->x + (s + 1) * j->pass.net->n_inputs, input_of(j, s + 1));
    }
}

/* Each sample's update of the first layer waits for the next sample, to share a sweep over the weights with its forward pass. */
static void run_online(void *argument, size_t thread, size_t n_threads)
{
    job *j = argument;
    const bp_team team = {thread, n_threads, j->pass.ws->pool};
    for (size_t s = 0; s < j->n; s++) {
        if (s == 0) {
            REAL(bp_pass_forward)(&j->pass, &team);
        } else {
            REAL(bp_pass_update_forward)(&j->pass, &team, j->sink.net, j->sink.alpha, j->before);
        }
        compute_loss(j, &team);
        if (thread == 0 && j->status == BP_OK) {
            go_on(j, s);
        } else if (thread == 0) {
            bp_fail(j->status, "%s: at sample %zu of %zu the loss or its derivative is NaN or infinite", j->function, s, j->n);
        }
        bp_team_wait(&team);
        if (j->status != BP_OK) {
            return;
        }
        REAL(bp_pass_backward)(&j->pass, &team, j->is_local, &j->sink);
    }
    REAL(bp_pass_update_first)(&j->pass, &team, j->sink.net, j->sink.alpha);
}

bp_status REAL(bp_net_train_online)(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t n, const real *x,
                                    const real *target, real *mean_loss)
{
    bp_status status = check(__func__, net, ws, opt, loss, 1, x, target);
    if (status != BP_OK) {
        return status;
    }
    if (n < 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n is 0; it can be 1 or more", __func__);
    }
    ws->batch = 0;
    job j = {
        .function = __func__,
        .pass = {net, ws, 1},
        .loss = loss,
        .target = target,
        .sink = {.alpha = step_size(opt, 1), .net = net, .first_left = true},
        .n = n,
        .x = x,
    };
    REAL(bp_pass_begin)(&j.pass, x, input_of(&j, 0));
    bp_workspace_run(ws, net, 1, run_online, &j);
    if (j.status == BP_OK && mean_loss) {
        *mean_loss = (real)(j.sum / (double)n);
    }
    return j.status;
}
