#include "train/evaluation.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "data/dataset.h"
#include "net/check.h"
#include "train/dataset_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"loss", "accuracy", "top_k", "mae", "rmse", "r2"};

enum { METRIC_COUNT = sizeof names / sizeof *names };

const char *bp_metric_name(bp_metric metric)
{
    return (unsigned)metric < METRIC_COUNT ? names[metric] : NULL;
}

bp_status bp_metric_from_name(const char *name, bp_metric *metric)
{
    int value = bp_name_find(__func__, name, metric, METRIC_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *metric = (bp_metric)value;
    return BP_OK;
}

static bp_status check(const char *function, const bp_evaluation *evaluation, size_t n_metrics, const double *metrics,
                       const uint64_t *confusion)
{
    const bp_net *net = evaluation->net;
    const bp_dataset *dataset = evaluation->dataset;
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (n_metrics > 0 && !metrics) {
        return bp_fail_null(function, "metrics");
    }
    bp_status status = bp_check_workspace(function, net, evaluation->ws, net->dtype);
    if (status == BP_OK) {
        status = bp_check_dataset(function, net, dataset);
    }
    if (status == BP_OK) {
        status = bp_check_loss(function, net, evaluation->ws, net->dtype, evaluation->loss, 1, dataset, dataset); /* there are samples */
    }
    if (status != BP_OK) {
        return status;
    }
    size_t n_classes = dataset->n_classes;
    if (n_classes > 0 && (evaluation->top_k < 1 || evaluation->top_k > n_classes)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: top_k is %zu; with %zu classes it can be 1 to %zu", function, evaluation->top_k, n_classes,
                       n_classes);
    }
    if (n_classes == 0 && confusion) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: confusion is given, but the dataset has no classes", function);
    }
    return BP_OK;
}

/* The mean over outputs of 1 − Σ(z − y)² / Σ(z − z̄)² */
static double r2(const bp_evaluation *evaluation)
{
    size_t n_outputs = evaluation->dataset->n_outputs;
    double sum = 0;
    for (size_t i = 0; i < n_outputs; i++) {
        double residual = evaluation->outputs[i].residual, deviation = evaluation->outputs[i].deviation;
        sum += deviation > 0 ? 1 - residual / deviation : residual == 0;
    }
    return evaluation->n_samples > 1 ? sum / (double)n_outputs : (double)NAN;
}

static double rmse(const bp_evaluation *evaluation, double n)
{
    double square_error = 0;
    for (size_t i = 0; i < evaluation->dataset->n_outputs; i++) {
        square_error += evaluation->outputs[i].residual;
    }
    return sqrt(square_error / n);
}

static double metric_of(const bp_evaluation *evaluation, size_t metric)
{
    double n = evaluation->n_samples, n_numbers = n * (double)evaluation->dataset->n_outputs;
    bool has_classes = evaluation->dataset->n_classes > 0;
    switch (metric) {
    case BP_METRIC_LOSS:
        return evaluation->loss_sum / n;
    case BP_METRIC_ACCURACY:
        return has_classes ? (double)evaluation->right / n : (double)NAN;
    case BP_METRIC_TOP_K:
        return has_classes ? (double)evaluation->among_first / n : (double)NAN;
    case BP_METRIC_MAE:
        return evaluation->absolute_error / n_numbers;
    case BP_METRIC_RMSE:
        return rmse(evaluation, n_numbers);
    case BP_METRIC_R2:
        return r2(evaluation);
    default:
        return (double)NAN;
    }
}

/* What a rank tells the others: these numbers, then three for each output. */
enum { TOLD_SAMPLES, TOLD_LOSS, TOLD_ABSOLUTE_ERROR, TOLD_RIGHT, TOLD_AMONG_FIRST, TOLD_COUNT };

static void tell(const bp_evaluation *evaluation, double *told)
{
    told[TOLD_SAMPLES] = evaluation->n_samples;
    told[TOLD_LOSS] = evaluation->loss_sum;
    told[TOLD_ABSOLUTE_ERROR] = evaluation->absolute_error;
    told[TOLD_RIGHT] = (double)evaluation->right;
    told[TOLD_AMONG_FIRST] = (double)evaluation->among_first;
    memcpy(told + TOLD_COUNT, evaluation->outputs, evaluation->dataset->n_outputs * sizeof *evaluation->outputs);
}

/* Adds another rank's sums; means and deviations as Chan, Golub, LeVeque 1983. */
static void add(bp_evaluation *evaluation, const double *told)
{
    const bp_output_sums *theirs = (const bp_output_sums *)(told + TOLD_COUNT);
    double n = evaluation->n_samples, n_theirs = told[TOLD_SAMPLES], n_both = n + n_theirs;
    for (size_t i = 0; i < evaluation->dataset->n_outputs; i++) {
        bp_output_sums *sums = &evaluation->outputs[i];
        double apart = theirs[i].mean - sums->mean;
        sums->mean += apart * n_theirs / n_both;
        sums->deviation += theirs[i].deviation + apart * apart * n * n_theirs / n_both;
        sums->residual += theirs[i].residual;
    }
    evaluation->n_samples = n_both;
    evaluation->loss_sum += told[TOLD_LOSS];
    evaluation->absolute_error += told[TOLD_ABSOLUTE_ERROR];
    evaluation->right += (size_t)told[TOLD_RIGHT];
    evaluation->among_first += (size_t)told[TOLD_AMONG_FIRST];
}

/*
 * The sums of all ranks, with the same bits on each: every one has a place of its own in what is summed, and they are added in the order of ranks.
 * status is what became of this rank's.
 */
static bp_status combine(bp_evaluation *evaluation, bp_status status)
{
    const bp_data_parallel *parallel = evaluation->parallel;
    size_t n = TOLD_COUNT + 3 * evaluation->dataset->n_outputs;
    double *told = status == BP_OK ? bp_allocate(parallel->n_ranks * n, sizeof *told) : NULL;
    if (status == BP_OK && !told) {
        status = bp_fail_memory(evaluation->function);
    }
    if (status == BP_OK) {
        tell(evaluation, told + parallel->rank * n);
    }
    status = parallel->agree(parallel->context, status, parallel->n_ranks * n, told);
    if (told && status == BP_OK) {
        bp_output_sums *outputs = evaluation->outputs;
        memset(outputs, 0, evaluation->dataset->n_outputs * sizeof *outputs);
        evaluation->n_samples = evaluation->loss_sum = evaluation->absolute_error = 0;
        evaluation->right = evaluation->among_first = 0;
        for (size_t rank = 0; rank < parallel->n_ranks; rank++) {
            add(evaluation, told + rank * n);
        }
    }
    free(told);
    return status;
}

bp_status bp_evaluate(bp_evaluation *evaluation, size_t n_metrics, double *metrics, uint64_t *confusion)
{
    const bp_dataset *dataset = evaluation->dataset;
    bp_status status = check(evaluation->function, evaluation, n_metrics, metrics, confusion);
    size_t n_cells = 0;
    if (status == BP_OK) {
        bool fits = !confusion || bp_multiply(dataset->n_classes, dataset->n_classes, &n_cells);
        evaluation->outputs = bp_allocate(dataset->n_outputs, sizeof *evaluation->outputs);
        evaluation->confusion = confusion && fits ? bp_allocate(n_cells, sizeof *confusion) : NULL;
        if (!evaluation->outputs || (confusion && !evaluation->confusion)) {
            status = bp_fail_memory(evaluation->function);
        } else {
            status = evaluation->net->dtype == BP_F32 ? bp_evaluate_f32(evaluation) : bp_evaluate_f64(evaluation);
            evaluation->n_samples = (double)dataset->n_samples;
        }
    }
    if (evaluation->parallel) {
        status = combine(evaluation, status);
    }
    for (size_t i = 0; status == BP_OK && i < n_metrics; i++) {
        metrics[i] = metric_of(evaluation, i);
    }
    if (status == BP_OK && confusion) {
        memcpy(confusion, evaluation->confusion, n_cells * sizeof *confusion);
    }
    free(evaluation->outputs);
    free(evaluation->confusion);
    return status;
}

bp_status bp_net_evaluate(const bp_net *net, bp_workspace *ws, bp_loss loss, const bp_dataset *dataset, size_t top_k, size_t n_metrics,
                          double *metrics, uint64_t *confusion)
{
    bp_evaluation evaluation = {.function = __func__, .net = net, .ws = ws, .loss = loss, .dataset = dataset, .top_k = top_k};
    return bp_evaluate(&evaluation, n_metrics, metrics, confusion);
}
