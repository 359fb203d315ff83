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
    return evaluation->dataset->n_samples > 1 ? sum / (double)n_outputs : (double)NAN;
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
    double n = (double)evaluation->dataset->n_samples, n_numbers = n * (double)evaluation->dataset->n_outputs;
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

bp_status bp_net_evaluate(const bp_net *net, bp_workspace *ws, bp_loss loss, const bp_dataset *dataset, size_t top_k, size_t n_metrics,
                          double *metrics, uint64_t *confusion)
{
    bp_evaluation evaluation = {.function = __func__, .net = net, .ws = ws, .loss = loss, .dataset = dataset, .top_k = top_k};
    bp_status status = check(__func__, &evaluation, n_metrics, metrics, confusion);
    if (status != BP_OK) {
        return status;
    }
    size_t n_cells = 0;
    bool fits = !confusion || bp_multiply(dataset->n_classes, dataset->n_classes, &n_cells);
    evaluation.outputs = bp_allocate(dataset->n_outputs, sizeof *evaluation.outputs);
    evaluation.confusion = confusion && fits ? bp_allocate(n_cells, sizeof *confusion) : NULL;
    if (!evaluation.outputs || (confusion && !evaluation.confusion)) {
        status = bp_fail_memory(__func__);
    } else {
        status = net->dtype == BP_F32 ? bp_evaluate_f32(&evaluation) : bp_evaluate_f64(&evaluation);
    }
    for (size_t i = 0; status == BP_OK && i < n_metrics; i++) {
        metrics[i] = metric_of(&evaluation, i);
    }
    if (status == BP_OK && confusion) {
        memcpy(confusion, evaluation.confusion, n_cells * sizeof *confusion);
    }
    free(evaluation.outputs);
    free(evaluation.confusion);
    return status;
}
