/* Any CSV file: trained, validated, reported. --help says more. */
#include "folds.h"
#include "interrupt.h"
#include "plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of all epochs 20 have a line that stays. */
static int show_progress(void *context, const bp_progress *progress)
{
    (void)context;
    bp_progress shown = *progress;
    uint64_t step = progress->epochs / 20 + 1;
    shown.size = sizeof shown;
    shown.is_epoch_end =
        progress->is_epoch_end && (progress->epoch % step == 0 || progress->epoch == 1 || progress->epoch == progress->epochs);
    bp_progress_print(stdout, &shown);
    return interrupt_came();
}

static void print_sizes(const options *o, const table *t, const training *run, const bp_dataset *test)
{
    size_t n_classes = bp_dataset_class_count(t->samples);
    size_t n = bp_dataset_sample_count(t->samples), validation = run->validation ? bp_dataset_sample_count(run->validation) : 0;
    size_t n_test = bp_dataset_sample_count(test);
    printf("%s: %zu samples of %zu inputs", o->data, n, bp_dataset_input_count(t->samples));
    if (n_classes) {
        printf(" and %zu classes", n_classes);
    }
    printf("; %zu to learn from, %zu to validate, %zu to test\nNet: %zu", n - validation - n_test, validation, n_test,
           bp_dataset_input_count(t->samples));
    for (size_t i = 0; i < o->n_hidden; i++) {
        printf("-%zu", o->hidden[i]);
    }
    printf("-%zu, %zu parameters, %s\n", bp_net_output_count(run->net), bp_net_parameter_count(run->net), bp_method_name(o->method));
    if (o->regress) {
        printf("The unit of losses and errors while training is the target's deviation, %.5g\n", (double)run->target_deviation);
    }
    printf("\n");
}

/* What is wanted of the trainer when it has trained; false with a sentence on stderr. */
static bool write_files(const options *o, const bp_trainer *trainer)
{
    if ((o->save && bp_trainer_save(trainer, o->save)) || (o->history && bp_trainer_write_history(trainer, o->history))) {
        fprintf(stderr, "tabular: %s\n", bp_last_error());
        return false;
    }
    const char *name = strrchr(o->data, '/');
    return !o->plot || plot_history(trainer, o->regress, name ? name + 1 : o->data, o->plot);
}

static bp_status train(const options *o, const table *t, training *run, const bp_dataset *test)
{
    print_sizes(o, t, run, test);
    bp_status status = bp_trainer_set_progress(run->trainer, show_progress, NULL, BP_PROGRESS_BATCH);
    if (status == BP_OK) {
        status = bp_trainer_run(run->trainer);
    }
    if (isatty(STDOUT_FILENO)) {
        printf("\r\033[K"); /* the line of an epoch that has no other */
    }
    if (status == BP_OK) {
        report_end(run->trainer);
    }
    return status;
}

static bp_status judge(const options *o, const table *t, training *run, const bp_dataset *test, double *metrics)
{
    size_t n_classes = bp_dataset_class_count(test);
    uint64_t *confusion = n_classes ? calloc(n_classes, n_classes * sizeof *confusion) : NULL;
    bp_loss loss = o->regress ? BP_LOSS_MSE : BP_LOSS_CROSS_ENTROPY;
    bp_status status = n_classes && !confusion ? BP_ERROR_MEMORY : training_finish(run);
    if (status == BP_OK) {
        status = bp_net_evaluate(run->net, run->ws, loss, test, n_classes < 3 ? n_classes : 3, METRIC_COUNT, metrics, confusion);
    }
    if (status == BP_OK) {
        printf("\nOn the %zu test samples\n\n", bp_dataset_sample_count(test));
        report_metrics(o, 1, metrics);
        report_confusion(t, confusion);
        status = report_samples(o, t, run, test);
    }
    free(confusion);
    return status;
}

/* Divides, trains, reports; returns the exit status. */
static int run_once(const options *o, const table *t)
{
    training run = {0};
    bp_dataset *train_set = NULL, *test = NULL;
    double metrics[METRIC_COUNT];
    bool done = false;
    int exit_status = 1;
    bp_status status = bp_dataset_split(t->samples, o->test_fraction, o->seed, &train_set, &test);
    if (status == BP_OK) {
        status = training_create(&run, o, train_set);
    }
    if (status == BP_ERROR_ARGUMENT || status == BP_ERROR_UNSUPPORTED) {
        exit_status = 2; /* of the options */
    }
    if (status == BP_OK) {
        status = train(o, t, &run, test);
    }
    if (status == BP_OK) {
        done = write_files(o, run.trainer);
        status = judge(o, t, &run, test, metrics);
    }
    if (status != BP_OK) {
        fprintf(stderr, "tabular: %s\n", training_sentence(status));
    } else if (done && report_is_enough(o, 1, metrics)) {
        exit_status = 0;
    }
    training_destroy(&run);
    bp_dataset_destroy(test);
    bp_dataset_destroy(train_set);
    return exit_status;
}

int main(int argc, char **argv)
{
    options o = options_parse(argc, argv);
    table t = {0};
    int exit_status;
    interrupt_catch();
    if (table_read(&o, &t, &exit_status)) {
        exit_status = o.folds ? folds_run(&o, &t) : run_once(&o, &t);
    }
    table_destroy(&t);
    return exit_status;
}
