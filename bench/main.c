/* bp-bench: what libbp gains over other ways to do the same work. */
#include "json.h"
#include "memory.h"
#include "options.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows that are asked for, suite by suite. */
static bench_cases select_cases(const bench_options *options)
{
    bench_cases all = {0};
    const bench_suite *suite;
    for (size_t s = 0; (suite = bench_suite_at(s)); s++) {
        for (bp_dtype dtype = BP_F32; dtype <= BP_F64 && bench_options_select_suite(options, suite->name); dtype++) {
            suite->list(&all, &(bench_case){.suite = suite->name, .dtype = dtype, .batch = 1, .threads = options->threads});
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        if (bench_options_select(options, &all.cases[i])) {
            all.cases[n++] = all.cases[i];
        }
    }
    all.n = n;
    return all;
}

static void print_list(const bench_cases *cases)
{
    for (size_t i = 0; i < cases->n; i++) {
        char label[BENCH_LABEL_SIZE];
        bench_case_label(&cases->cases[i], label);
        printf("%s %s %s\n", cases->cases[i].suite, label, bp_dtype_name(cases->cases[i].dtype));
    }
}

/* True if all went well. */
static bool measure(bench_report *report, double seconds)
{
    bool good = true;
    while (report->n_rows < report->cases.n) {
        const bench_case *c = &report->cases.cases[report->n_rows];
        const bench_suite *suite = bench_suite_find(c->suite, strlen(c->suite));
        bench_report_progress(report);
        bench_result result = (c->dtype == BP_F32 ? suite->row_f32 : suite->row_f64)(c, seconds);
        bench_floors_apply(report->floors, c, &result);
        bench_report_add(report, &result);
        good &= !result.error[0];
    }
    return good;
}

int main(int argc, char **argv)
{
    bench_options options = bench_options_parse(argc, argv);
    bench_report report = {.cases = select_cases(&options)};
    int status = 0;
    if (report.cases.n == 0) {
        fprintf(stderr, "bp-bench: no row has \"%s\" in its name; --list names them\n", options.filter);
        status = 2;
    } else if (options.list) {
        print_list(&report.cases);
    } else if (options.json && !bench_json_check(options.json)) {
        status = 2;
    } else {
        report.machine = bench_machine_prepare(options.threads);
        bench_machine_print(&report.machine);
        report.floors = bench_floors_create(&report.machine, options.f32, options.f64);
        bench_floors_print(report.floors);
        report.results = bench_allocate(report.cases.n, sizeof *report.results);
        status = measure(&report, options.min_time) ? 0 : 1;
        bench_report_end(&report);
        if (options.json && !bench_json_write(options.json, &report)) {
            status = 2;
        }
    }
    bench_floors_destroy(report.floors);
    free(report.results);
    free(report.cases.cases);
    return status;
}
