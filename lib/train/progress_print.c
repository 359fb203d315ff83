#define _POSIX_C_SOURCE 200809L /* fileno */

#include "bp/trainer.h"

#include "core/cancel.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 20 };

static void print_bar(FILE *file, const bp_progress *p)
{
    int done = (int)(p->batch * BAR_WIDTH / p->batches);
    fputs(" [", file);
    for (int i = 0; i < BAR_WIDTH; i++) {
        fputc(i < done ? '=' : i == done ? '>' : '.', file);
    }
    fputc(']', file);
}

/* Of the validation set, or without one of the training set. */
static void print_metrics(FILE *file, const bp_progress *p)
{
    const double *of_validation = p->validation, *of_training = p->training;
    if (isfinite(of_validation[BP_METRIC_LOSS])) {
        fprintf(file, "  validation %.4f", of_validation[BP_METRIC_LOSS]);
    }
    const double *metrics = isfinite(of_validation[BP_METRIC_LOSS]) ? of_validation : of_training;
    if (isfinite(metrics[BP_METRIC_ACCURACY])) {
        fprintf(file, "  accuracy %5.1f%%", 100 * metrics[BP_METRIC_ACCURACY]);
    } else if (isfinite(metrics[BP_METRIC_RMSE])) {
        fprintf(file, "  rmse %.4g", metrics[BP_METRIC_RMSE]);
    }
}

static void print_time(FILE *file, double seconds)
{
    if (seconds < 60) {
        fprintf(file, "%.0f s", seconds);
    } else if (seconds < 3600) {
        fprintf(file, "%.0f min", seconds / 60);
    } else {
        fprintf(file, "%.1f h", seconds / 3600);
    }
}

static void print(FILE *file, const bp_progress *p)
{
    bool is_terminal = isatty(fileno(file));
    uint64_t step = p->batches / 50 + 1; /* a line that changes more often is not read */
    if (!p->is_epoch_end && (!is_terminal || p->batch % step != 0)) {
        return;
    }
    /* such a line is cut at the edge of the terminal: if it went on in a second row, the first would stay */
    bool is_written_again = is_terminal && !p->is_epoch_end;
    int width = snprintf(NULL, 0, "%llu", (unsigned long long)p->epochs);
    fprintf(file, "%s%sepoch %*llu/%llu", is_terminal ? "\r\033[K" : "", is_written_again ? "\033[?7l" : "", width,
            (unsigned long long)p->epoch, (unsigned long long)p->epochs);
    print_bar(file, p);
    fprintf(file, "  loss %.4f", p->training_loss);
    print_metrics(file, p);
    fprintf(file, "  %.3g samples/s  ", p->samples_per_second);
    print_time(file, p->seconds_left);
    fputs(is_written_again ? " left\033[?7h" : " left\n", file);
    fflush(file);
}

int bp_progress_print(void *file, const bp_progress *p)
{
    if (file && p) {
        int cancel = bp_cancel_hold();
        print(file, p);
        bp_cancel_release(cancel);
    }
    return 0;
}
