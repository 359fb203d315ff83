#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Above these a run is called noisy. */
static const double large_spread = 0.1, large_load = 0.5; /* load: of each CPU */

static bool is_in_group(const bench_case *c, const char *group)
{
    char own[BENCH_GROUP_SIZE];
    bench_case_group(c, own);
    return !group || strcmp(own, group) == 0;
}

static const bench_time *find_peer(const bench_result *result, const char *name)
{
    for (size_t i = 1; i < result->n_sides; i++) {
        if (strcmp(result->names[i], name) == 0) {
            return &result->times[i];
        }
    }
    return NULL;
}

bool bench_report_mean(const bench_report *report, const char *suite, bp_dtype dtype, const char *group, const char *peer, bench_mean *mean)
{
    double log_ratio = 0;
    *mean = (bench_mean){.suite = suite, .peer = peer, .dtype = dtype};
    for (size_t r = 0; r < report->n_rows; r++) {
        const bench_case *c = &report->cases.cases[r];
        const bench_time *time = find_peer(&report->results[r], peer);
        if (time && strcmp(c->suite, suite) == 0 && c->dtype == dtype && is_in_group(c, group)) {
            log_ratio += log(time->ratio);
            mean->rows++;
        }
    }
    mean->ratio = exp(log_ratio / (double)mean->rows);
    return mean->rows > 0;
}

void bench_report_progress(const bench_report *report)
{
    if (isatty(STDERR_FILENO)) {
        const bench_case *c = &report->cases.cases[report->n_rows];
        char label[BENCH_LABEL_SIZE];
        bench_case_label(c, label);
        fflush(stdout);
        fprintf(stderr, "[%zu/%zu] %s %s %s", report->n_rows + 1, report->cases.n, c->suite, label, bp_dtype_name(c->dtype));
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

/* What all tables share comes before the first. */
static void print_legend(void)
{
    printf("\nns: of libbp, the median over short blocks of all sides in turn, in several places in memory.\n"
           "/ PEER: the peer's time over libbp's, the median over the same blocks; above 1 libbp is faster.\n"
           "±: interquartile range from block to block, in %% of the median.\n"
           "GB/s: each reading or writing of a weight that the algorithm cannot do without, counted once.\n"
           "floor: the least that a step can take, by peak FLOP/s, or by the bandwidth for weights of this size, as a part of ns.\n");
}

/* Columns for the longest name. */
static int label_width(const bench_report *report)
{
    size_t width = 37;
    for (size_t r = 0; r < report->cases.n; r++) {
        char label[BENCH_LABEL_SIZE];
        bench_case_label(&report->cases.cases[r], label);
        width = strlen(label) > width ? strlen(label) : width;
    }
    return (int)width;
}

static void print_heading(const bench_report *report, const bench_suite *suite)
{
    printf("\n%s: %s\n%s\n\n", suite->name, suite->what, suite->peer_notes);
    printf("%-*s  %-5s  %12s %6s  %8s  %8s  %-15s", label_width(report), suite->name, "dtype", "ns", "±", "GFLOP/s", "GB/s", "floor");
    for (size_t i = 0; suite->peers[i]; i++) {
        printf("  / %-8s %5s", suite->peers[i], "±");
    }
    printf("\n");
}

static void print_row(const bench_report *report, const bench_suite *suite, const bench_case *c, const bench_result *result)
{
    char label[BENCH_LABEL_SIZE];
    bench_case_label(c, label);
    printf("%-*s  %-5s  ", label_width(report), label, bp_dtype_name(c->dtype));
    if (result->error[0]) {
        printf("error: %s\n", result->error);
        return;
    }
    bench_cost cost = bench_case_cost(c);
    double ns = result->times[0].ns;
    printf("%12.1f %5.1f%%  %8.2f  %8.2f", ns, 100 * result->times[0].spread, cost.flops / ns, (cost.read_bytes + cost.update_bytes) / ns);
    if (result->floor_name) {
        printf("  %-10s %3.0f%%", result->floor_name, 100 * result->floor_ns / ns);
    } else {
        printf("  %-15s", "-");
    }
    for (size_t i = 0; suite->peers[i]; i++) {
        const bench_time *peer = find_peer(result, suite->peers[i]);
        if (peer) {
            printf("  %10.3f %4.1f%%", peer->ratio, 100 * peer->ratio_spread);
        } else {
            printf("  %10s %5s", "-", "");
        }
    }
    printf("\n");
}

void bench_report_add(bench_report *report, const bench_result *result)
{
    size_t row = report->n_rows++;
    const bench_case *c = &report->cases.cases[row];
    const bench_suite *suite = bench_suite_find(c->suite, strlen(c->suite));
    report->results[row] = *result;
    clear_progress();
    if (row == 0) {
        print_legend();
    }
    if (row == 0 || strcmp(c[-1].suite, c->suite) != 0) {
        print_heading(report, suite);
    }
    print_row(report, suite, c, result);
    fflush(stdout);
}

static void print_mean(const bench_report *report, const bench_suite *suite, bp_dtype dtype, const char *group)
{
    char label[BENCH_LABEL_SIZE];
    bool any = false;
    bench_mean mean;
    snprintf(label, sizeof label, "%s %s", suite->name, group ? group + (group[0] == ' ') : "");
    for (size_t i = 0; suite->peers[i]; i++) {
        if (bench_report_mean(report, suite->name, dtype, group, suite->peers[i], &mean)) {
            if (!any) {
                printf("%-*s  %-5s", label_width(report), label, bp_dtype_name(dtype));
            }
            printf("  / %s %.3f (%zu rows)", mean.peer, mean.ratio, mean.rows);
            any = true;
        }
    }
    if (any) {
        printf("\n");
    }
}

/* Is this row the first of its suite, dtype and group? */
static bool begins_group(const bench_report *report, size_t row)
{
    const bench_case *cases = report->cases.cases;
    char group[BENCH_GROUP_SIZE];
    bench_case_group(&cases[row], group);
    for (size_t r = 0; r < row; r++) {
        if (cases[r].suite == cases[row].suite && cases[r].dtype == cases[row].dtype && is_in_group(&cases[r], group)) {
            return false;
        }
    }
    return true;
}

static void print_means(const bench_report *report)
{
    const bench_suite *suite;
    printf("\ngeometric means of the ratios\n");
    for (size_t s = 0; (suite = bench_suite_at(s)); s++) {
        for (bp_dtype dtype = BP_F32; dtype <= BP_F64; dtype++) {
            for (size_t r = 0; r < report->n_rows; r++) {
                const bench_case *c = &report->cases.cases[r];
                char group[BENCH_GROUP_SIZE];
                bench_case_group(c, group);
                if (c->suite == suite->name && c->dtype == dtype && group[0] && begins_group(report, r)) {
                    print_mean(report, suite, dtype, group);
                }
            }
            print_mean(report, suite, dtype, NULL);
        }
    }
}

static void warn_of_noise(const bench_report *report)
{
    size_t noisy = 0;
    for (size_t r = 0; r < report->n_rows; r++) {
        const bench_result *result = &report->results[r];
        double largest = 0;
        for (size_t i = 0; i < result->n_sides; i++) {
            largest = fmax(largest, i ? result->times[i].ratio_spread : result->times[i].spread);
        }
        noisy += largest > large_spread;
    }
    if (noisy > 0) {
        printf("\nwarning: %zu of %zu rows spread by more than %g%%: something else was running, or the clock speed changed\n", noisy,
               report->n_rows, 100 * large_spread);
    }
    size_t threads = 1;
    for (size_t r = 0; r < report->n_rows; r++) {
        threads = report->cases.cases[r].threads > threads ? report->cases.cases[r].threads : threads;
    }
    double load = bench_machine_load() - (double)threads; /* without bp-bench itself */
    if (load > large_load * (double)report->machine.cpus) {
        printf("\nwarning: the load average of other programs was about %.2f at the end: measure on an idle machine\n", load);
    }
    if (report->machine.load > large_load * (double)report->machine.cpus) {
        printf("\nwarning: the load average was %.2f before the first row: measure on an idle machine\n", report->machine.load);
    }
}

void bench_report_end(const bench_report *report)
{
    print_means(report);
    warn_of_noise(report);
}
