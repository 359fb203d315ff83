/* Learning: forward pass, loss, and a backward pass that goes straight into the weights. */
#include "bp/train.h"

#include "core/memory.h"
#include "core/real.h"
#include "core/status.h"
#include "net/check.h"
#include "net/pass.h"
#include "train/gradient_hook.h"
#include "train/lbfgs.h"
#include "train/optimizer_step.h"
#include "train/train.h"

#include <stdio.h>

static bp_status check(const char *function, const bp_net *net, const bp_workspace *ws, const bp_optimizer *opt, bp_loss loss, size_t batch,
                       const real *x, const real *target)
{
    bp_status status = bp_check_loss(function, net, ws, REAL_DTYPE, loss, batch, x, target);
    if (status == BP_OK && net->has_dropout) {
        status = bp_check_dropout(function, net, ws);
    }
    return status == BP_OK ? bp_check_optimizer(function, opt, net) : status;
}

typedef struct training_job {
    REAL(bp_job) step;
    bp_training training; /* where the sink gives rows to the optimizer */
    /* of on-line training, where the step goes from sample to sample */
    size_t first, n;
    const real *before; /* x of the sample before, as the first layer sees it */
    double share, mean; /* a loss's share in the mean; what there is of it, which is finite where a sum of such losses might not be */
} training_job;

/*
 * Plain stochastic gradient descent needs no gradient in memory: W += η/batch Σ g xᵀ. look_ahead: the first layer's update waits for the
 * next sample. Other methods are given g.
 */
static void set_sink(training_job *j, bool look_ahead)
{
    const bp_optimizer *opt = j->training.opt;
    if (!opt->plain) {
        j->step.sink = (REAL(bp_pass_sink)){.take = REAL(bp_optimizer_take), .context = &j->training};
        j->step.sink.rows_done = opt->hook.complete ? REAL(bp_hook_rows_ready) : NULL;
        return;
    }
    real rate = (real)opt->settings[BP_OPTIMIZER_LEARNING_RATE];
    j->step.sink = (REAL(bp_pass_sink)){.net = j->training.net, .alpha = rate / (real)j->step.pass.step_batch, .first_left = look_ahead};
}

/* Sets what does not change from sample to sample; field by field, for that is much of a small net's step. */
static inline void begin_job(training_job *j, const char *function, bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss,
                             const REAL(bp_samples) * samples, size_t batch)
{
    ws->batch = 0;
    j->step.function = function;
    j->step.pass = (REAL(bp_pass)){
        .net = net,
        .ws = ws,
        .batch = batch,
        .step_batch = samples->step_batch ? samples->step_batch : batch,
        .preceding = samples->preceding,
        .trains = true,
        .seed = opt->seed,
        .step = opt->n_steps + 1,
    };
    j->step.loss = loss;
    j->step.samples = samples;
    j->training.opt = opt;
    j->training.net = net;
}

/* The loss, by thread 0, after a forward pass. */
static void compute_loss(training_job *j, const bp_team *team)
{
    if (team->thread == 0) {
        REAL(bp_job_loss)(&j->step);
        if (j->step.status == BP_OK) {
            REAL(bp_optimizer_begin)(j->training.opt);
        }
    }
}

/* By one thread: what becomes of the whole gradient before the first parameter moves. A step that fails is not counted. */
static void settle(training_job *j)
{
    bp_optimizer *opt = j->training.opt;
    bool has_begun = j->step.status == BP_OK;
    if (opt->hook.complete) {
        j->step.status = REAL(bp_hook_complete)(&j->training, j->step.function, j->step.status, &j->step.mean_loss);
        opt->n_steps -= has_begun && j->step.status != BP_OK;
    }
    if (j->step.status == BP_OK) {
        j->step.status = REAL(bp_optimizer_settle)(&j->training, j->step.function);
    }
}

/* After a backward pass, the step of an optimizer that needed all of the gradient first; false if it failed. */
static bool move_whole(training_job *j, const bp_team *team)
{
    if (!j->training.opt->whole || j->training.opt->method == BP_METHOD_LBFGS) {
        return true; /* L-BFGS moves between passes */
    }
    bp_team_wait(team);
    if (team->thread == 0) {
        settle(j);
    }
    bp_team_wait(team);
    if (j->step.status == BP_OK) {
        REAL(bp_optimizer_move)(&j->training, team);
    }
    return j->step.status == BP_OK;
}

/* The loss is not finite; by one thread, before others look at the status: a hook may have to tell others, and have a status of its own. */
static void tell_failure(training_job *j)
{
    if (j->training.opt->hook.complete) {
        settle(j);
    }
}

static void run_step(void *argument, size_t thread, size_t n_threads)
{
    training_job *j = argument;
    const bp_team team = {thread, n_threads, j->step.pass.ws->pool};
    REAL(bp_pass_forward)(&j->step.pass, &team);
    compute_loss(j, &team);
    if (thread == 0 && j->step.status != BP_OK) {
        tell_failure(j);
    }
    bp_team_wait(&team);
    if (j->step.status == BP_OK) {
        REAL(bp_pass_backward)(&j->step.pass, &team, j->step.is_local, &j->step.sink);
        move_whole(j, &team);
    }
}

/* The loss and its gradient for L-BFGS: a step that moves nothing. */
static bp_status evaluate(void *job, real *mean_loss)
{
    training_job *j = job;
    bp_workspace_run(j->step.pass.ws, j->step.pass.net, j->step.pass.batch, run_step, j);
    *mean_loss = j->step.mean_loss;
    return j->step.status;
}

bp_status REAL(bp_train_step)(const char *function, bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss,
                              const REAL(bp_samples) * samples, size_t first, size_t batch, real *mean_loss)
{
    training_job j;
    begin_job(&j, function, net, ws, opt, loss, samples, batch);
    set_sink(&j, false);
    REAL(bp_job_begin)(&j.step, first, ws->input);
    if (opt->method == BP_METHOD_LBFGS) {
        return REAL(bp_lbfgs_minimize)(function, &j.training, evaluate, &j, mean_loss);
    }
    bp_workspace_run(ws, net, batch, run_step, &j);
    if (j.step.status == BP_OK && mean_loss) {
        *mean_loss = j.step.mean_loss;
    }
    return j.step.status;
}

bp_status REAL(bp_net_train_step)(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t batch, const real *x,
                                  const real *target, real *mean_loss)
{
    bp_status status = check(__func__, net, ws, opt, loss, batch, x, target);
    const REAL(bp_samples) samples = {.x = x, .target = target};
    return status == BP_OK ? REAL(bp_train_step)(__func__, net, ws, opt, loss, &samples, 0, batch, mean_loss) : status;
}

/* The place for the x of sample s, and not for that of the sample before it. */
static real *input_of(const training_job *j, size_t s)
{
    size_t padded = bp_round_up(j->step.pass.net->n_inputs, BP_ALIGNMENT / sizeof(real));
    return (real *)j->step.pass.ws->input + s % 2 * padded;
}

/* By thread 0, while no other needs x: on to sample s. */
static void begin_sample(training_job *j, size_t s)
{
    j->before = j->step.pass.ws->layers[0].x;
    j->step.pass.step = j->training.opt->n_steps + 1;
    REAL(bp_job_begin)(&j->step, j->first + s, input_of(j, s));
    if (s + 1 < j->n) {
        REAL(bp_samples_fetch)(j->step.samples, j->step.pass.net->n_inputs, j->first + s + 1);
    }
}

/* The sentence of a step that failed names its sample as well. */
static void add_sample_to_error(const training_job *j, size_t s)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s", bp_last_error());
    bp_fail(j->step.status, "%s; at sample %zu of %zu", sentence, s, j->n);
}

/*
 * Each sample's update of the first layer waits for the next sample, to share a sweep over the weights with its forward pass: that sample
 * begins before the backward pass of the one before it.
 */
static void run_online(void *argument, size_t thread, size_t n_threads)
{
    training_job *j = argument;
    const bp_team team = {thread, n_threads, j->step.pass.ws->pool};
    bool look_ahead = j->step.sink.first_left;
    for (size_t s = 0; s < j->n; s++) {
        if (s > 0 && look_ahead) {
            REAL(bp_pass_update_forward)(&j->step.pass, &team, j->step.sink.alpha, j->before);
        } else {
            REAL(bp_pass_forward)(&j->step.pass, &team);
        }
        compute_loss(j, &team);
        if (thread == 0) {
            if (j->step.status != BP_OK) {
                add_sample_to_error(j, s);
                tell_failure(j);
            } else if (look_ahead && s + 1 < j->n) {
                begin_sample(j, s + 1);
            }
        }
        bp_team_wait(&team);
        if (j->step.status != BP_OK) {
            return;
        }
        REAL(bp_pass_backward)(&j->step.pass, &team, j->step.is_local, &j->step.sink);
        if (!move_whole(j, &team)) {
            if (thread == 0) {
                add_sample_to_error(j, s);
            }
            return;
        }
        if (thread == 0) {
            j->mean += (double)j->step.mean_loss * j->share;
        }
        if (!look_ahead && s + 1 < j->n) {
            bp_team_wait(&team);
            if (thread == 0) {
                begin_sample(j, s + 1);
            }
            bp_team_wait(&team);
        }
    }
    if (look_ahead) {
        REAL(bp_pass_update_first)(&j->step.pass, &team, j->step.sink.net, j->step.sink.alpha);
    }
}

bp_status REAL(bp_train_online)(const char *function, bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss,
                                const REAL(bp_samples) * samples, size_t first, size_t n, double *mean_loss)
{
    training_job j;
    begin_job(&j, function, net, ws, opt, loss, samples, 1);
    j.first = first;
    j.n = n;
    j.share = 1 / (double)n;
    j.mean = 0;
    set_sink(&j, !net->layers[0]->frozen);
    begin_sample(&j, 0);
    bp_workspace_run(ws, net, 1, run_online, &j);
    *mean_loss = j.mean;
    return j.step.status;
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
    if (opt->method == BP_METHOD_LBFGS) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: lbfgs minimizes the loss of a batch; call bp_net_train_step", __func__);
    }
    const REAL(bp_samples) samples = {.x = x, .target = target};
    double mean;
    status = REAL(bp_train_online)(__func__, net, ws, opt, loss, &samples, 0, n, &mean);
    if (status == BP_OK && mean_loss) {
        *mean_loss = (real)mean;
    }
    return status;
}
