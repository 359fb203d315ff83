/* The part of an evaluation that touches elements: forward passes, and from their outputs the sums. */
#include "core/real.h"
#include "core/status.h"
#include "data/batch.h"
#include "kernel/kernel.h"
#include "net/loss.h"
#include "net/parameters.h"
#include "net/pass.h"
#include "train/evaluation.h"

#include <math.h>
#include <string.h>

static void run_forward(void *argument, size_t thread, size_t n_threads)
{
    const REAL(bp_pass) *pass = argument;
    const bp_team team = {thread, n_threads, pass->ws->pool};
    REAL(bp_pass_forward)(pass, &team);
}

static const bp_layer_step *last_layer(const REAL(bp_pass) * pass)
{
    return &pass->ws->layers[pass->net->n_layers - 1];
}

static bp_status check_outputs(const bp_evaluation *evaluation, const REAL(bp_pass) * pass, size_t first)
{
    const bp_layer_step *output = last_layer(pass);
    size_t n = pass->batch * output->m, bad = REAL(bp_first_nonfinite)(n, output->y);
    if (bad < n) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: output %zu of sample %zu is %g", evaluation->function, bad % output->m,
                       first + bad / output->m, (double)((const real *)output->y)[bad]);
    }
    return BP_OK;
}

/* Targets of a batch as the last layer learns them. */
static const real *learned_targets(const REAL(bp_pass) * pass, const real *target)
{
    if (!pass->net->output_scaling.offset) {
        return target;
    }
    real *scaled = memcpy(pass->ws->target, target, pass->batch * last_layer(pass)->m * sizeof *target);
    REAL(bp_net_scale_targets)(pass->net, pass->batch, scaled);
    return scaled;
}

/*
 * Adds the loss of the samples from first on, which is of the scaled outputs, and then makes them what the net answers. −∂L/∂e, which comes with
 * the loss, stays finite where −∂L/∂y may not.
 */
static bp_status add_loss(bp_evaluation *evaluation, const REAL(bp_pass) * pass, size_t first, const real *target)
{
    const bp_layer_step *output = last_layer(pass);
    bp_status status = check_outputs(evaluation, pass, first);
    if (status != BP_OK) {
        return status;
    }
    double sum = REAL(bp_kernel)()->loss(evaluation->loss, bp_loss_is_fused(evaluation->loss), pass->batch, output->m, output->e, output->y,
                                         learned_targets(pass, target), NULL, output->g);
    if (!isfinite((real)(sum / (double)pass->batch))) { /* as a training step sees it */
        return bp_fail(BP_ERROR_NONFINITE, "%s: the loss of one of the samples %zu to %zu, or its derivative, is NaN or infinite",
                       evaluation->function, first, first + pass->batch - 1);
    }
    evaluation->loss_sum += sum;
    REAL(bp_net_unscale_outputs)(pass->net, pass->batch, output->y);
    return pass->net->output_scaling.offset ? check_outputs(evaluation, pass, first) : BP_OK;
}

/* z̄ and Σ(z − z̄)² one sample at a time (Welford 1962): exactly 0 for targets that are all the same. */
static void add_errors(bp_evaluation *evaluation, size_t n_outputs, size_t sample, const real *y, const real *target)
{
    double share = 1 / (double)(sample + 1);
    for (size_t i = 0; i < n_outputs; i++) {
        bp_output_sums *sums = &evaluation->outputs[i];
        double z = (double)target[i], error = z - (double)y[i], from_mean = z - sums->mean;
        sums->mean += from_mean * share;
        sums->deviation += from_mean * (z - sums->mean);
        sums->residual += error * error;
        evaluation->absolute_error += fabs(error);
    }
}

static size_t answer_of(size_t n_outputs, size_t n_classes, const real *y)
{
    if (n_outputs == 1) {
        return n_classes == 2 && y[0] >= (real)0.5;
    }
    size_t answer = 0;
    for (size_t i = 1; i < n_outputs; i++) {
        answer = y[i] > y[answer] ? i : answer;
    }
    return answer;
}

/* How many outputs come before the one of this class: those larger, and of equals the earlier. */
static size_t rank_of(size_t class, size_t n_outputs, size_t answer, const real *y)
{
    if (n_outputs == 1) {
        return answer != class;
    }
    size_t rank = 0;
    for (size_t i = 0; i < n_outputs; i++) {
        rank += y[i] > y[class] || (i < class && y[i] == y[class]);
    }
    return rank;
}

static void add_class(bp_evaluation *evaluation, size_t n_outputs, size_t sample, const real *y)
{
    size_t n_classes = evaluation->dataset->n_classes, class = evaluation->dataset->classes[sample];
    size_t answer = answer_of(n_outputs, n_classes, y);
    evaluation->right += answer == class;
    evaluation->among_first += rank_of(class, n_outputs, answer, y) < evaluation->top_k;
    if (evaluation->confusion) {
        evaluation->confusion[class * n_classes + answer]++;
    }
}

/* The samples from first on, which are a batch. */
static bp_status evaluate_batch(bp_evaluation *evaluation, REAL(bp_pass) * pass, bp_batch_room *room, size_t first)
{
    const bp_dataset *dataset = evaluation->dataset;
    const void *inputs, *targets;
    bp_status status = bp_batch_take(evaluation->function, dataset, room, first, pass->batch, NULL, &inputs, &targets);
    if (status != BP_OK) {
        return status;
    }
    REAL(bp_pass_begin)(pass, &(REAL(bp_samples)){.x = inputs}, 0, pass->ws->input);
    bp_workspace_run(pass->ws, pass->net, pass->batch, run_forward, pass);
    const real *y = last_layer(pass)->y, *target = targets;
    status = add_loss(evaluation, pass, first, target);
    for (size_t s = 0; s < pass->batch && status == BP_OK; s++) {
        size_t at = s * dataset->n_outputs;
        add_errors(evaluation, dataset->n_outputs, first + s, y + at, target + at);
        if (dataset->n_classes > 0) {
            add_class(evaluation, dataset->n_outputs, first + s, y + at);
        }
    }
    return status;
}

bp_status REAL(bp_evaluate)(bp_evaluation *evaluation)
{
    bp_workspace *ws = evaluation->ws;
    size_t n_samples = evaluation->dataset->n_samples;
    bp_batch_room room = {0};
    bp_status status = BP_OK;
    ws->batch = 0;
    for (size_t first = 0; first < n_samples && status == BP_OK; first += ws->max_batch) {
        size_t left = n_samples - first;
        REAL(bp_pass) pass = {.net = evaluation->net, .ws = ws, .batch = left < ws->max_batch ? left : ws->max_batch};
        status = evaluate_batch(evaluation, &pass, &room, first);
    }
    bp_batch_release(&room);
    if (status == BP_OK && !isfinite(evaluation->loss_sum)) {
        status = bp_fail(BP_ERROR_NONFINITE, "%s: the sum of the samples' losses is infinite", evaluation->function);
    }
    return status;
}
