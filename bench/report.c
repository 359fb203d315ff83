#include "report.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

bench_report bench_report_begin(size_t n_rows, double min_time)
{
    printf("\nOne on-line training step: forward, backward, update with one sample; tanh hidden layers, identity output, bias, MSE.\n"
           "libbp: bp_net_train_step, which checks its arguments and that the loss is finite.\n"
           "cblas: the same formulas by plain cblas calls, and libm's tanh.\n"
           "ns: median over blocks of libbp and cblas in turn, in several places in memory, about %g s a row.\n"
           "ratio: cblas / libbp, above 1 libbp is faster. "
           "spread: interquartile range of the ratio from block to block, in %% of its median.\n\n",
           min_time);
    printf("%-20s  %-5s  %14s  %14s  %6s  %6s\n", "shape", "dtype", "libbp ns/step", "cblas ns/step", "ratio", "spread");
    return (bench_report){.n_rows = n_rows};
}

void bench_report_progress(bench_report *report, const char *shape, bp_dtype dtype)
{
    report->row++;
    if (isatty(STDERR_FILENO)) {
        fflush(stdout);
        fprintf(stderr, "[%zu/%zu] %s %s", report->row, report->n_rows, shape, bp_dtype_name(dtype));
        fflush(stderr);
    }
}

/* Takes the progress line away. */
static void clear_progress(void)
{
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

void bench_report_row(bench_report *report, const char *shape, bp_dtype dtype, const bench_timing *timing)
{
    clear_progress();
    printf("%-20s  %-5s  %14.1f  %14.1f  %6.3f  %5.1f%%\n", shape, bp_dtype_name(dtype), timing->ours_ns, timing->peer_ns, timing->ratio,
           100 * timing->spread);
    fflush(stdout);
    report->sums[dtype].count++;
    report->sums[dtype].log_ratio += log(timing->ratio);
}

void bench_report_error(const char *shape, bp_dtype dtype, const char *error)
{
    clear_progress();
    printf("%-20s  %-5s  error: %s\n", shape, bp_dtype_name(dtype), error);
    fflush(stdout);
}

void bench_report_end(const bench_report *report)
{
    for (bp_dtype dtype = BP_F32; dtype <= BP_F64; dtype++) {
        size_t count = report->sums[dtype].count;
        if (count > 0) {
            printf("%-20s  %-5s  %14s  %14s  %6.3f\n", "geometric mean", bp_dtype_name(dtype), "", "",
                   exp(report->sums[dtype].log_ratio / (double)count));
        }
    }
}
