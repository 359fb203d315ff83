#include "report.h"

#include "answers.h"
#include "command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_WRONG = 4, SHOWN = 8, MAX_TABLE_CLASSES = 20, MAX_NAME = 12 };

/* ---- the end ---- */

void report_end(const bp_trainer *trainer)
{
    double monitor = 0, patience = 0;
    size_t epochs = bp_trainer_epoch_count(trainer), best = bp_trainer_best_epoch(trainer);
    bp_trainer_get(trainer, BP_TRAINER_MONITOR, &monitor);
    bp_trainer_get(trainer, BP_TRAINER_PATIENCE, &patience);
    static const char *const reasons[] = {
        [BP_STOP_NONE] = "failed",
        [BP_STOP_EPOCHS] = "all epochs are done",
        [BP_STOP_PATIENCE] = "no better for too long",
        [BP_STOP_TARGET] = "the target is reached",
        [BP_STOP_TIME] = "time is over",
        [BP_STOP_CALLBACK] = "interrupted",
    };
    printf("\nEnd after %zu epochs: %s", epochs, reasons[bp_trainer_stop(trainer)]);
    if (patience > 0 && best != SIZE_MAX) {
        printf("; the net is that of epoch %zu, the best by validation %s", best + 1, bp_metric_name((bp_metric)monitor));
    }
    printf("\n");
}

/* ---- metrics ---- */

static double mean_of(size_t n, const double *metrics, bp_metric metric)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += metrics[i * METRIC_COUNT + metric];
    }
    return sum / (double)n;
}

/* Estimated from a sample, so over n − 1. */
static double deviation_of(size_t n, const double *metrics, bp_metric metric)
{
    double mean = mean_of(n, metrics, metric), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += pow(metrics[i * METRIC_COUNT + metric] - mean, 2);
    }
    return sqrt(sum / (double)(n - 1));
}

void report_metrics(bool of_numbers, size_t n, const double *metrics)
{
    static const bp_metric metrics_of_classes[] = {BP_METRIC_ACCURACY, BP_METRIC_LOSS},
                           metrics_of_numbers[] = {BP_METRIC_R2, BP_METRIC_RMSE, BP_METRIC_MAE};
    const bp_metric *shown = of_numbers ? metrics_of_numbers : metrics_of_classes;
    size_t n_shown = of_numbers ? 3 : 2;
    for (size_t i = 0; i < n_shown; i++) {
        bool percent = shown[i] == BP_METRIC_ACCURACY;
        double factor = percent ? 100 : 1, mean = factor * mean_of(n, metrics, shown[i]);
        int digits = percent ? 2 : 4;
        printf("  %-9s %.*f%s", bp_metric_name(shown[i]), digits, mean, percent ? "%" : "");
        if (n > 1) {
            printf(" ± %.*f%s", digits, factor * deviation_of(n, metrics, shown[i]), percent ? "%" : "");
        }
        printf("\n");
    }
}

bool report_is_enough(const double *required, size_t n, const double *metrics)
{
    bool enough = true;
    for (int i = 0; i < METRIC_COUNT; i++) {
        double value = mean_of(n, metrics, (bp_metric)i);
        bool more_is_better = i == BP_METRIC_ACCURACY || i == BP_METRIC_TOP_K || i == BP_METRIC_R2;
        if (!isnan(required[i]) && !(more_is_better ? value >= required[i] : value <= required[i])) {
            complain("%s is %.6g, %s than the %g required", bp_metric_name((bp_metric)i), value, more_is_better ? "less" : "more",
                     required[i]);
            enough = false;
        }
    }
    return enough;
}

/* ---- classes ---- */

/* Bytes of a name that are shown: at most MAX_NAME, and no part of a character. */
static int shown_length(const char *name)
{
    size_t length = strlen(name);
    if (length > MAX_NAME) {
        for (length = MAX_NAME; length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80; length--) {
        }
    }
    return (int)length;
}

/* Of a column that holds every class's name, cut to MAX_NAME, and every number below limit. */
static int column_width(size_t n_classes, const char *const *names, uint64_t limit)
{
    int width = snprintf(NULL, 0, "%" PRIu64, limit);
    for (size_t k = 0; k < n_classes; k++) {
        int length = shown_length(names[k]);
        width = length > width ? length : width;
    }
    return width < MAX_NAME ? width : MAX_NAME;
}

void report_confusion(size_t n, const char *const *names, const uint64_t *confusion)
{
    if (n == 0 || n > MAX_TABLE_CLASSES) {
        return;
    }
    uint64_t total = 0;
    for (size_t i = 0; i < n * n; i++) {
        total += confusion[i];
    }
    int width = column_width(n, names, total);
    printf("\nA row for each class, a column for each answer:\n\n  %*s  ", width, "");
    for (size_t j = 0; j < n; j++) {
        printf("  %*.*s", width, shown_length(names[j]), names[j]);
    }
    printf("\n");
    for (size_t i = 0; i < n; i++) {
        printf("  %*.*s |", width, shown_length(names[i]), names[i]);
        for (size_t j = 0; j < n; j++) {
            uint64_t count = confusion[i * n + j];
            if (count) {
                printf("  %*" PRIu64, width, count);
            } else {
                printf("  %*s", width, ".");
            }
        }
        printf("\n");
    }
}

/* ---- samples ---- */

static void print_answers(const char *const *names, const bp_dataset *test, const answers *a)
{
    size_t n = bp_dataset_sample_count(test), n_classes = bp_dataset_class_count(test), shown = 0;
    const uint32_t *classes = bp_dataset_classes(test);
    int width = column_width(n_classes, names, n) > 6 ? column_width(n_classes, names, n) : 6;
    printf("\nSome of the test samples:\n\n  %-*s  %-*s  probability\n", width, "class", width, "answer");
    for (int wrong = 1; wrong >= 0; wrong--) {
        for (size_t i = 0; i < n && shown < (wrong ? SHOWN_WRONG : SHOWN); i++) {
            double probability;
            size_t answer = answers_class(a, i, &probability);
            if ((answer != classes[i]) == wrong) {
                printf("  %-*.*s  %-*.*s  %10.1f%%%s\n", width, shown_length(names[classes[i]]), names[classes[i]], width,
                       shown_length(names[answer]), names[answer], 100 * probability, wrong ? "  (wrong)" : "");
                shown++;
            }
        }
    }
}

static bp_status print_numbers(const table *t, const bp_dataset *test, const answers *a)
{
    float target;
    bp_status status = BP_OK;
    printf("\nSome of the test samples:\n\n  %12s  %12s  %12s\n", t->layout.header == BP_CSV_HEADER_NAMES ? t->target : "target", "answer",
           "difference");
    for (size_t i = 0; status == BP_OK && i < a->n && i < SHOWN; i++) {
        status = bp_dataset_gather_f32(test, 1, &i, NULL, &target);
        printf("  %12.5g  %12.5g  %+12.3g\n", (double)target, a->outputs[i], a->outputs[i] - (double)target);
    }
    return status;
}

bp_status report_samples(const table *t, const training *run, const bp_dataset *test)
{
    answers a;
    bp_status status = answers_make(&a, run->net, test, 1);
    if (status == BP_OK && t->class_names) {
        print_answers(t->class_names, test, &a);
    } else if (status == BP_OK && a.n_outputs == 1) {
        status = print_numbers(t, test, &a);
    }
    answers_release(&a);
    return status;
}
