#include "folds.h"

#include "command.h"
#include "interrupt.h"

#include <stdio.h>
#include <stdlib.h>

/* What the folds share: each has a row of its own. */
typedef struct folds {
    const options *o;
    size_t n_classes;
    double *metrics;     /* folds × METRIC_COUNT */
    uint64_t *confusion; /* folds × n_classes × n_classes, or NULL */
} folds;

static int run_fold(void *context, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    const folds *f = context;
    training run = {0};
    double *metrics = f->metrics + fold * METRIC_COUNT;
    uint64_t *confusion = f->confusion ? f->confusion + fold * f->n_classes * f->n_classes : NULL;
    bp_loss loss = f->o->regress ? BP_LOSS_MSE : BP_LOSS_CROSS_ENTROPY;
    bp_status status = training_create(&run, f->o, train);
    if (status == BP_OK) {
        status = bp_trainer_set_progress(run.trainer, interrupt_stop, NULL, BP_PROGRESS_BATCH);
    }
    if (status == BP_OK) {
        status = bp_trainer_run(run.trainer);
    }
    bool interrupted = status == BP_OK && bp_trainer_stop(run.trainer) == BP_STOP_CALLBACK;
    if (status == BP_OK && !interrupted) {
        status = bp_net_evaluate(run.net, run.ws, loss, validation, f->n_classes < 3 ? f->n_classes : 3, METRIC_COUNT, metrics, confusion);
    }
    if (status == BP_OK && !interrupted) {
        *score = metrics[f->o->regress ? BP_METRIC_R2 : BP_METRIC_ACCURACY];
        printf("  fold %zu of %zu: %s %.4f after %zu epochs\n", fold + 1, f->o->folds, f->o->regress ? "R²" : "accuracy", *score,
               bp_trainer_epoch_count(run.trainer));
        fflush(stdout);
    }
    training_destroy(&run);
    return interrupted ? -1 : (int)status;
}

/* Sums the folds' tables into the first. */
static void add_confusion(const folds *f)
{
    size_t n = f->n_classes * f->n_classes;
    for (size_t i = n; f->confusion && i < n * f->o->folds; i++) {
        f->confusion[i % n] += f->confusion[i];
    }
}

int folds_run(const options *o, const table *t)
{
    folds f = {.o = o, .n_classes = bp_dataset_class_count(t->samples)};
    f.metrics = calloc(o->folds, METRIC_COUNT * sizeof *f.metrics);
    f.confusion = f.n_classes ? calloc(o->folds * f.n_classes, f.n_classes * sizeof *f.confusion) : NULL;
    double *scores = calloc(o->folds, sizeof *scores);
    int exit_status = STATUS_FAILURE;
    if (!f.metrics || !scores || (f.n_classes && !f.confusion)) {
        complain("out of memory");
    } else {
        bp_status status = bp_cross_validate(t->samples, o->folds, o->seed, o->threads, run_fold, &f, scores);
        if (status != BP_OK) {
            if (interrupt_came()) {
                complain("interrupted before all folds were done");
            } else {
                complain_of(status);
            }
            exit_status = status == BP_ERROR_ARGUMENT || status == BP_ERROR_UNSUPPORTED ? STATUS_USAGE : STATUS_FAILURE;
        } else {
            printf("\nMean of the %zu folds ± deviation\n\n", o->folds);
            report_metrics(o->regress, o->folds, f.metrics);
            add_confusion(&f);
            report_confusion(f.n_classes, t->class_names, f.confusion);
            exit_status = report_is_enough(o->required, o->folds, f.metrics) ? 0 : STATUS_FAILURE;
        }
    }
    free(f.metrics);
    free(f.confusion);
    free(scores);
    return exit_status;
}
