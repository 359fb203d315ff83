/* bp train: a file of samples becomes a net. */
#include "command.h"
#include "folds.h"
#include "interrupt.h"
#include "plot.h"

#include <errno.h>
#include <math.h>
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
        printf("Losses are of targets scaled to deviation 1; errors are in the targets' units\n");
    }
    printf("\n");
}

/* What is wanted of the trainer when it has trained; false with a sentence on stderr. */
static bool write_course(const options *o, const bp_trainer *trainer)
{
    if ((o->checkpoint && bp_trainer_save(trainer, o->checkpoint)) || (o->history && bp_trainer_write_history(trainer, o->history))) {
        complain("%s", bp_last_error());
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
    bp_status status = n_classes && !confusion ? BP_ERROR_MEMORY : BP_OK;
    if (status == BP_OK) {
        status = bp_net_evaluate(run->net, run->ws, loss, test, n_classes < 3 ? n_classes : 3, METRIC_COUNT, metrics, confusion);
    }
    if (status == BP_OK) {
        printf("\nOn the %zu test samples\n\n", bp_dataset_sample_count(test));
        report_metrics(o->regress, 1, metrics);
        report_confusion(n_classes, t->class_names, confusion);
        status = report_samples(t, run, test);
    }
    free(confusion);
    return status;
}

/* Trains, and writes and judges what has come of it; returns the exit status. */
static int train_and_report(const options *o, const table *t, training *run, const bp_dataset *test)
{
    double metrics[METRIC_COUNT];
    bool done = false;
    bp_status status = table_name_net(o, t, run->net); /* first, for a checkpoint has names as well */
    if (status == BP_OK) {
        status = train(o, t, run, test);
    }
    if (status == BP_OK) {
        done = write_course(o, run->trainer);
        done = (!o->model || model_write(run->net, o->model, o->format, NULL)) && done;
    }
    if (status == BP_OK && test) {
        status = judge(o, t, run, test, metrics);
    }
    if (status != BP_OK) {
        complain_of(status);
    }
    return status == BP_OK && done && (!test || report_is_enough(o->required, 1, metrics)) ? 0 : STATUS_FAILURE;
}

/* Holds samples back for the report; without a wish of the command line's, none of a few. */
static bp_status divide(const options *o, const table *t, bp_dataset **train_set, bp_dataset **test)
{
    bool is_wish = !isnan(o->test_fraction);
    if (is_wish && o->test_fraction == 0) {
        return BP_OK;
    }
    bp_status status = bp_dataset_split(t->samples, is_wish ? o->test_fraction : 0.2, o->seed, train_set, test);
    if (status == BP_ERROR_ARGUMENT && !is_wish) {
        complain("there are too few samples to hold some back for a report; the net learns from all");
        return BP_OK;
    }
    return status;
}

/* Divides, trains, reports; returns the exit status. */
static int run_once(const options *o, const table *t)
{
    training run = {0};
    bp_dataset *train_set = NULL, *test = NULL;
    int exit_status = STATUS_FAILURE;
    bp_status status = divide(o, t, &train_set, &test);
    if (status == BP_OK) {
        status = training_create(&run, o, train_set ? train_set : t->samples);
    }
    if (status == BP_OK) {
        exit_status = train_and_report(o, t, &run, test);
    } else {
        complain_of(status);
        if (status == BP_ERROR_ARGUMENT || status == BP_ERROR_UNSUPPORTED) {
            exit_status = STATUS_USAGE; /* of the options */
        }
    }
    training_destroy(&run);
    bp_dataset_destroy(test);
    bp_dataset_destroy(train_set);
    return exit_status;
}

/* Whether files that are to be written can be: better said before than after a long training. */
static bool check_folders(const options *o)
{
    const char *const paths[] = {o->model, o->plot, o->history, o->checkpoint};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char *folder = paths[i] ? strdup(paths[i]) : NULL;
        char *slash = folder ? strrchr(folder, '/') : NULL;
        if (slash) {
            slash[slash == folder] = '\0';
        }
        bool can_write = !paths[i] || (folder && access(slash ? folder : ".", W_OK | X_OK) == 0);
        if (!can_write) {
            complain("%s cannot be written: %s", paths[i], strerror(errno));
        }
        free(folder);
        if (!can_write) {
            return false;
        }
    }
    return true;
}

int command_train(int argc, char **argv)
{
    options o = options_parse(argc, argv);
    table t = {0};
    int exit_status = STATUS_FAILURE;
    interrupt_catch();
    if (model_can_write(o.format) && check_folders(&o) && table_read(&o, &t, &exit_status)) {
        exit_status = o.folds ? folds_run(&o, &t) : run_once(&o, &t);
    }
    table_destroy(&t);
    return exit_status;
}
