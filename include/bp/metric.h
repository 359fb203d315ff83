/**
 * How good a net is on a dataset.
 *
 *     double metrics[BP_METRIC_R2 + 1];
 *     bp_net_evaluate(net, ws, BP_LOSS_CROSS_ENTROPY, test, 3, BP_METRIC_R2 + 1, metrics, NULL);
 *     printf("%.1f%% right, %.1f%% among the first three\n", 100 * metrics[BP_METRIC_ACCURACY], 100 * metrics[BP_METRIC_TOP_K]);
 */
#ifndef BP_METRIC_H
#define BP_METRIC_H

#include "bp/dataset.h"
#include "bp/export.h"
#include "bp/loss.h"
#include "bp/net.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * With n samples of m outputs y and targets z. Accuracy and top-k need a dataset with classes.
 *
 * A net's answer is the class of its largest output, the first of equals; with one output and two classes (a dataset whose targets are the
 * classes 0 and 1) it is 1 if y ≥ 0.5.
 */
typedef enum bp_metric {
    /**
     * Mean over samples; of scaled outputs and targets, if the net has output scaling, where the others are in the data's units. No penalty, no
     * label smoothing, no weights of samples or classes.
     */
    BP_METRIC_LOSS = 0,
    BP_METRIC_ACCURACY = 1, /**< share of samples whose class is the answer */
    BP_METRIC_TOP_K = 2,    /**< share of samples whose class is among the k largest outputs, the first of equals */
    BP_METRIC_MAE = 3,      /**< mean |z − y|, over samples and outputs */
    BP_METRIC_RMSE = 4,     /**< √ mean (z − y)², over samples and outputs */
    /**
     * Coefficient of determination: the mean over outputs of 1 − Σ(z − y)² / Σ(z − z̄)², as scikit-learn's r2_score. An output whose
     * target is the same in all samples counts as 1 if all are met exactly, else as 0. NaN for one sample.
     */
    BP_METRIC_R2 = 5
} bp_metric;

/** "loss", "accuracy", "top_k", "mae", "rmse", "r2"; NULL for a value that is no metric. Static text. Thread-safe. */
BP_API const char *bp_metric_name(bp_metric metric);

/** The metric whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_metric_from_name(const char *name, bp_metric *metric);

/**
 * Runs the net over the dataset in pieces of the workspace's largest batch. metrics[m] receives metric m, for m below n_metrics; NaN where
 * the dataset has no classes and m needs them, and where m is none. n_metrics may be 0, and metrics then NULL.
 * top_k: 1 … class_count; without classes it is ignored. confusion: class_count × class_count, receives how many samples of the class of
 * the row had the answer of the column; it may be NULL.
 * Sums are in double; results have the same bits for any number of the workspace's threads. Memory for 3 × output_count + class_count²
 * numbers of 8 bytes is taken for the time of the call.
 * Returns the common errors of net.h, BP_ERROR_ARGUMENT (a dataset without targets or of other widths than the net's; more classes than the
 * net can tell apart; top_k out of range; confusion without classes), BP_ERROR_DTYPE (net and dataset differ), BP_ERROR_UNSUPPORTED (a loss
 * that does not fit the output activation or scaling; softmax under BP_RULE_ERROR_SIGNAL), BP_ERROR_NONFINITE (an output or the loss is NaN or
 * infinite), BP_ERROR_MEMORY. Read-only on net and dataset.
 */
BP_API bp_status bp_net_evaluate(const bp_net *net, bp_workspace *ws, bp_loss loss, const bp_dataset *dataset, size_t top_k,
                                 size_t n_metrics, double *metrics, uint64_t *confusion);

#ifdef __cplusplus
}
#endif

#endif
