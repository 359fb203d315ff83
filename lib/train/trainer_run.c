#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "bp/random.h"

#include "core/status.h"
#include "data/dataset.h"
#include "net/check.h"
#include "net/workspace.h"
#include "train/evaluation.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char function[] = "bp_trainer_run";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool is_f32(const bp_trainer *t)
{
    return t->net->dtype == BP_F32;
}

/* ---- before the first batch ---- */

/* A workspace for batches, and for measuring not sample by sample. */
static bp_status prepare_workspace(bp_trainer *t)
{
    size_t batch = bp_trainer_batch(t), threads = (size_t)t->settings[BP_TRAINER_THREADS];
    if (t->is_parallel) { /* the largest part */
        batch = (batch + t->parallel.n_ranks - 1) / t->parallel.n_ranks;
    }
    size_t needed = batch < 64 ? 64 : batch;
    if (!t->ws || bp_workspace_max_batch(t->ws) != needed || bp_check_dropout(function, t->net, t->ws) != BP_OK) {
        bp_workspace *ws;
        bp_status status = bp_workspace_create(&ws, t->net, needed);
        if (status != BP_OK) {
            return status;
        }
        bp_workspace_destroy(t->ws);
        t->ws = ws;
    }
    return bp_workspace_threads(t->ws) == threads ? BP_OK : bp_workspace_set_threads(t->ws, threads);
}

/* The set that is monitored has the metric. */
static bp_status check_monitor(const bp_trainer *t)
{
    bp_metric metric = (bp_metric)t->settings[BP_TRAINER_MONITOR];
    const bp_dataset *data = t->validation ? t->validation : t->training;
    bool of_classes = metric == BP_METRIC_ACCURACY || metric == BP_METRIC_TOP_K;
    if (of_classes && data->n_classes == 0) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: monitor is %s, but the %s set has no classes", function, bp_metric_name(metric),
                       t->validation ? "validation" : "training");
    }
    if (metric != BP_METRIC_LOSS && !t->validation && t->settings[BP_TRAINER_TRAINING_METRICS] == 0) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: monitor is %s, which needs a validation set or training_metrics", function,
                       bp_metric_name(metric));
    }
    if (metric == BP_METRIC_R2 && data->n_samples == 1 && !(t->is_parallel && t->parallel.n_ranks > 1)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: monitor is r2, which one sample has not", function);
    }
    return BP_OK;
}

/* Exchanges the net's parameters with `best`. */
static void exchange_best(bp_trainer *t)
{
    char *a = t->net->parameters, *b = t->best, piece[512];
    size_t rest = bp_parameter_bytes(t->net);
    for (size_t n; rest > 0; a += n, b += n, rest -= n) {
        n = rest < sizeof piece ? rest : sizeof piece;
        memcpy(piece, a, n);
        memcpy(a, b, n);
        memcpy(b, piece, n);
    }
    t->place.best_is_in_net = !t->place.best_is_in_net;
}

static bp_status weigh(bp_trainer *t)
{
    return (is_f32(t) ? bp_trainer_weigh_f32(t) : bp_trainer_weigh_f64(t)) ? BP_OK : bp_fail_memory(function);
}

static bp_status prepare(bp_trainer *t)
{
    bp_status status = bp_check_optimizer(function, t->opt, t->net);
    if (status == BP_OK) {
        status = bp_check_pair(function, t->net, t->loss);
    }
    if (status == BP_OK) {
        status = check_monitor(t);
    }
    if (status == BP_OK) {
        status = prepare_workspace(t);
    }
    if (t->is_parallel) {
        t->order_epoch = UINT64_MAX; /* whatever became of the last run on one rank or another, all ask for samples now, and weigh those */
        return bp_trainer_compare_ranks(t, status);
    }
    return status == BP_OK ? weigh(t) : status;
}

/* ---- progress ---- */

static size_t piece_of(const bp_trainer *t)
{
    return bp_trainer_is_online(t) ? BP_ONLINE_BATCH : bp_trainer_batch(t);
}

static size_t pieces(const bp_trainer *t, uint64_t samples)
{
    size_t piece = piece_of(t);
    return ((size_t)samples + piece - 1) / piece;
}

/* Tells the application; t->stop is set if it wants no more. n_made samples of epoch number are done. */
static void report(bp_trainer *t, bool is_epoch_end, uint64_t epoch, uint64_t n_made, double mean_loss)
{
    if (!t->progress) {
        return;
    }
    size_t n = bp_trainer_samples(t);
    double seconds = now() - t->run_start, epochs = t->settings[BP_TRAINER_EPOCHS];
    double rest = (epochs - (double)epoch + 1) * (double)n - (double)n_made;
    const bp_progress progress = {
        .size = sizeof progress,
        .is_epoch_end = is_epoch_end,
        .epoch = epoch,
        .epochs = (uint64_t)epochs,
        .batch = pieces(t, n_made),
        .batches = pieces(t, n),
        .step = t->opt->n_steps,
        .learning_rate = t->opt->settings[BP_OPTIMIZER_LEARNING_RATE],
        .training_loss = mean_loss,
        .seconds = seconds,
        .samples_per_second = (double)t->run_samples / seconds,
        .seconds_left = rest > 0 ? rest * seconds / (double)t->run_samples : 0,
        .n_metrics = BP_METRIC_COUNT,
        .training = t->metrics[0],
        .validation = t->metrics[1],
    };
    if (t->progress(t->progress_context, &progress) != 0) {
        t->stop = BP_STOP_CALLBACK;
    }
}

static bool time_is_over(const bp_trainer *t)
{
    double limit = t->settings[BP_TRAINER_TIME_LIMIT];
    return limit > 0 && now() - t->run_start >= limit;
}

/* ---- an epoch ---- */

static void go_back(bp_trainer *t)
{
    bp_snapshot_restore(&t->start, t->net, t->opt);
    t->place.sample = 0;
}

/* Back to where the epoch began, to try again if that is wanted. */
static bp_status diverged(bp_trainer *t, const char *what)
{
    uint64_t at = t->place.sample;
    go_back(t);
    if ((double)t->place.halvings < t->settings[BP_TRAINER_HALVINGS] && t->opt->method != BP_METHOD_LBFGS) {
        t->place.halvings++;
        *(t->has_schedule ? &t->values.base_rate : &t->opt->settings[BP_OPTIMIZER_LEARNING_RATE]) /= 2;
        return BP_OK;
    }
    size_t batch = at < bp_trainer_samples(t) ? pieces(t, at) + 1 : pieces(t, at);
    return bp_fail(BP_ERROR_DIVERGED, "%s: epoch %llu, batch %zu of %zu: %s; the net is back where the epoch began", function,
                   (unsigned long long)t->place.epoch + 1, batch, pieces(t, bp_trainer_samples(t)), what);
}

static void set_rate(bp_trainer *t)
{
    if (t->has_schedule) {
        double epoch = (double)t->place.epoch + (double)t->place.sample / (double)bp_trainer_samples(t);
        bp_schedule_learning_rate(&t->schedule, t->values.base_rate, epoch, &t->opt->settings[BP_OPTIMIZER_LEARNING_RATE]);
    }
}

/* The order of this epoch's samples, or what this rank has of them. */
static bp_status order_samples(bp_trainer *t)
{
    if (t->is_parallel) {
        t->order_epoch = UINT64_MAX;
        bp_status status = bp_trainer_take_part(t);
        if (status == BP_OK) {
            status = weigh(t);
        }
        if (status != BP_OK) {
            return status;
        }
    } else if (t->settings[BP_TRAINER_SHUFFLE] == 1) {
        bp_random_permutation((uint64_t)t->settings[BP_TRAINER_SEED], t->place.epoch, t->training->n_samples, t->order);
    }
    t->order_epoch = t->place.epoch;
    return BP_OK;
}

static bp_status begin_epoch(bp_trainer *t)
{
    if (t->place.sample == 0) {
        bp_snapshot_take(&t->start, t->net, t->opt);
        t->values.loss_sum = 0;
        t->values.seconds = 0;
    }
    t->epoch_start = now();
    return t->order_epoch == t->place.epoch ? BP_OK : order_samples(t);
}

static void count_seconds(bp_trainer *t)
{
    double time = now();
    t->values.seconds += time - t->epoch_start;
    t->epoch_start = time;
}

/* The batches that are left of this epoch, or as many as can be made now. */
static bp_status train_batches(bp_trainer *t)
{
    size_t n = bp_trainer_samples(t), piece = piece_of(t);
    while (t->place.sample < n && (t->stop == BP_STOP_NONE || t->is_parallel)) { /* ranks agree to stop at an epoch's end */
        size_t rest = n - (size_t)t->place.sample, made = rest < piece ? rest : piece;
        double sum;
        set_rate(t);
        bp_status status = is_f32(t) ? bp_trainer_train_f32(t, made, &sum) : bp_trainer_train_f64(t, made, &sum);
        if (t->is_parallel && t->parallel.after_step) {
            status = t->parallel.after_step(t->parallel.context, status, t->place.sample + made == n);
        }
        if (status == BP_ERROR_NONFINITE) {
            return diverged(t, "the loss or its derivative is not finite");
        }
        if (status != BP_OK) {
            go_back(t); /* some samples of on-line learning may have been learned */
            return status;
        }
        if (!isfinite(t->values.loss_sum + sum)) {
            return diverged(t, "the sum of the losses is not finite");
        }
        t->place.sample += made;
        t->run_samples += made;
        t->values.loss_sum += sum;
        if (t->place.sample < n && t->progress_when == BP_PROGRESS_BATCH) {
            count_seconds(t);
            size_t made_here = bp_trainer_is_whole_at_epochs(t) ? bp_trainer_part(t, t->place.sample) : (size_t)t->place.sample;
            report(t, false, t->place.epoch + 1, t->place.sample, t->values.loss_sum / (double)made_here);
        }
        if (t->place.sample < n && t->stop == BP_STOP_NONE && !t->is_parallel && time_is_over(t)) {
            t->stop = BP_STOP_TIME;
        }
    }
    return bp_trainer_is_finite(t) ? BP_OK : diverged(t, "a parameter is not finite");
}

static bp_status evaluate(bp_trainer *t, const bp_dataset *data, double *metrics)
{
    double top_k = t->settings[BP_TRAINER_TOP_K];
    size_t k = top_k < (double)data->n_classes ? (size_t)top_k : data->n_classes;
    bp_evaluation evaluation = {
        .function = "bp_net_evaluate",
        .net = t->net,
        .ws = t->ws,
        .loss = t->loss,
        .dataset = data,
        .top_k = k,
        .parallel = t->is_parallel ? &t->parallel : NULL,
    };
    return bp_evaluate(&evaluation, BP_METRIC_COUNT, metrics, NULL);
}

/* t->metrics of the epoch that is done. */
static bp_status measure(bp_trainer *t)
{
    double metrics[2][BP_METRIC_COUNT];
    for (int i = 0; i < BP_METRIC_COUNT; i++) {
        metrics[0][i] = metrics[1][i] = (double)NAN;
    }
    double own_loss_sum = t->values.loss_sum;
    bp_status status = bp_trainer_is_whole_at_epochs(t) ? bp_trainer_agree_loss(t) : BP_OK;
    if (status != BP_OK) {
        return status;
    }
    metrics[0][BP_METRIC_LOSS] = t->values.loss_sum / (double)bp_trainer_samples(t);
    if (t->settings[BP_TRAINER_TRAINING_METRICS] == 1) {
        status = evaluate(t, t->samples, metrics[0]);
    } else if (t->settings[BP_TRAINER_HALVINGS] > 0 && !t->validation) { /* the next epoch could not go back behind this one's last step */
        double unused[BP_METRIC_COUNT];
        status = evaluate(t, t->samples, unused);
    }
    if (status == BP_OK && t->validation) {
        status = evaluate(t, t->validation, metrics[1]);
    }
    if (status == BP_OK) {
        memcpy(t->metrics, metrics, sizeof metrics);
    } else {
        t->values.loss_sum = own_loss_sum; /* another run tries it again */
    }
    return status;
}

/* Whether a is a better value of the metric than b, by more than margin. */
static bool is_better(bp_metric metric, double a, double b, double margin)
{
    bool more_is_better = metric == BP_METRIC_ACCURACY || metric == BP_METRIC_TOP_K || metric == BP_METRIC_R2;
    return more_is_better ? a > b + margin : a < b - margin;
}

/* Best epoch, patience, target. */
static void judge(bp_trainer *t)
{
    bp_metric metric = (bp_metric)t->settings[BP_TRAINER_MONITOR];
    size_t column = (t->validation ? BP_HISTORY_VALIDATION_LOSS : BP_HISTORY_TRAINING_LOSS) + (size_t)metric;
    const double *values = t->history + column; /* BP_HISTORY_COUNT apart */
    double value = values[t->place.epoch * BP_HISTORY_COUNT], target = t->settings[BP_TRAINER_TARGET];
    double patience = t->settings[BP_TRAINER_PATIENCE], least = t->settings[BP_TRAINER_MINIMUM_IMPROVEMENT];
    double best = t->place.best_epoch == UINT64_MAX ? (double)NAN : values[t->place.best_epoch * BP_HISTORY_COUNT];
    if (isnan(best) || is_better(metric, value, best, least)) { /* NaN: there is none, or it was best by another metric */
        t->place.best_epoch = t->place.epoch;
        t->place.bad_epochs = 0;
        memcpy(t->best, t->net->parameters, bp_parameter_bytes(t->net));
    } else {
        t->place.bad_epochs++;
    }
    t->place.pending = BP_STOP_NONE;
    if (isfinite(target) && (value == target || is_better(metric, value, target, 0))) {
        t->place.pending = BP_STOP_TARGET;
    } else if (patience > 0 && (double)t->place.bad_epochs >= patience) {
        t->place.pending = BP_STOP_PATIENCE;
        t->place.bad_epochs = 0;
    }
}

static bp_status end_epoch(bp_trainer *t)
{
    bp_status status = bp_history_reserve(t, (size_t)t->place.epoch + 1) ? measure(t) : bp_fail_memory(function);
    if (t->is_parallel) { /* the epoch is done on all ranks, or on none: one may have failed in its last step */
        status = t->parallel.agree(t->parallel.context, status, 0, NULL);
    }
    if (status == BP_ERROR_NONFINITE) {
        return diverged(t, "an output or the loss is not finite when measured");
    }
    if (status != BP_OK) {
        if (t->is_parallel) {
            go_back(t);
        }
        return status;
    }
    count_seconds(t);
    double *row = t->history + t->place.epoch * BP_HISTORY_COUNT;
    row[BP_HISTORY_LEARNING_RATE] = t->opt->method == BP_METHOD_LBFGS ? (double)NAN : t->opt->settings[BP_OPTIMIZER_LEARNING_RATE];
    row[BP_HISTORY_SECONDS] = t->values.seconds;
    memcpy(row + BP_HISTORY_TRAINING_LOSS, t->metrics[0], sizeof t->metrics[0]);
    memcpy(row + BP_HISTORY_VALIDATION_LOSS, t->metrics[1], sizeof t->metrics[1]);
    judge(t);
    if (t->has_schedule) {
        bp_schedule_observe(&t->schedule, t->metrics[t->validation ? 1 : 0][BP_METRIC_LOSS]);
    }
    double mean_loss = t->values.loss_sum / (double)bp_trainer_samples(t);
    t->place.epoch++;
    t->place.sample = 0;
    report(t, true, t->place.epoch, bp_trainer_samples(t), mean_loss);
    if (t->stop == BP_STOP_NONE && time_is_over(t)) {
        t->stop = BP_STOP_TIME;
    }
    return BP_OK;
}

static bp_status train_epoch(bp_trainer *t)
{
    bp_status status = begin_epoch(t);
    if (status == BP_OK) {
        status = train_batches(t);
    } else {
        go_back(t); /* as the others do in the step that this rank does not come to */
    }
    if (status == BP_OK && t->place.sample == bp_trainer_samples(t)) {
        return end_epoch(t);
    }
    count_seconds(t);
    return status;
}

bp_status bp_trainer_run(bp_trainer *t)
{
    bp_status status = bp_trainer_check_idle(function, t);
    if (status == BP_OK) {
        t->stop = BP_STOP_NONE;
        status = prepare(t);
        if (status != BP_OK && t->is_parallel) {
            status = t->parallel.end_run(t->parallel.context, status);
        }
    }
    if (status != BP_OK) {
        return status;
    }
    if (t->place.best_is_in_net) {
        exchange_best(t);
    }
    t->is_running = true;
    t->run_start = now();
    t->run_samples = 0;
    while (status == BP_OK && t->stop == BP_STOP_NONE) {
        if (t->place.pending != BP_STOP_NONE) {
            t->stop = (bp_stop)t->place.pending;
            t->place.pending = BP_STOP_NONE;
        } else if ((double)t->place.epoch >= t->settings[BP_TRAINER_EPOCHS]) {
            t->stop = BP_STOP_EPOCHS;
        } else {
            status = train_epoch(t);
            if (status == BP_OK && t->is_parallel) { /* the epoch may be one that is to be tried again */
                status = bp_trainer_agree_stop(t);
            }
        }
    }
    if (t->is_parallel) {
        status = t->parallel.end_run(t->parallel.context, status);
    }
    t->is_running = false;
    bool keeps_best = t->settings[BP_TRAINER_PATIENCE] > 0 && t->settings[BP_TRAINER_RESTORE_BEST] == 1;
    bool is_best = t->place.best_epoch + 1 == t->place.epoch && t->place.sample == 0;
    if (status == BP_OK && keeps_best && t->place.best_epoch != UINT64_MAX && !is_best) {
        exchange_best(t);
    }
    if (status != BP_OK) {
        t->stop = BP_STOP_NONE;
    }
    return status;
}
