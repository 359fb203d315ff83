/* bp-bench: what libbp gains over plain BLAS calls. */
#include "machine.h"
#include "options.h"
#include "report.h"
#include "shapes.h"
#include "step.h"

#include <stdio.h>

static size_t count_rows(const bench_options *options)
{
    size_t count = 0;
    for (size_t i = 0; i < bench_shape_count(); i++) {
        for (bp_dtype dtype = BP_F32; dtype <= BP_F64; dtype++) {
            count += bench_options_select(options, bench_shape_at(i).name, dtype);
        }
    }
    return count;
}

/* True if it went well. */
static bool measure(const bench_options *options, bench_report *report, const bench_shape *shape, bp_dtype dtype)
{
    bench_row *row = dtype == BP_F32 ? bench_step_f32 : bench_step_f64;
    bench_timing timing;
    char error[256];
    bench_report_progress(report, shape->name, dtype);
    bool good = row(shape, options->min_time, &timing, error, sizeof error);
    if (good) {
        bench_report_row(report, shape->name, dtype, &timing);
    } else {
        bench_report_error(shape->name, dtype, error);
    }
    return good;
}

int main(int argc, char **argv)
{
    bench_options options = bench_options_parse(argc, argv);
    size_t n_rows = count_rows(&options);
    if (n_rows == 0) {
        fprintf(stderr, "bp-bench: no shape has \"%s\" in its name; --list names them\n", options.filter);
        return 2;
    }
    bench_report report = {0};
    if (!options.list) {
        bench_machine_prepare();
        report = bench_report_begin(n_rows, options.min_time);
    }
    bool good = true;
    for (bp_dtype dtype = BP_F32; dtype <= BP_F64; dtype++) {
        for (size_t i = 0; i < bench_shape_count(); i++) {
            bench_shape shape = bench_shape_at(i);
            if (!bench_options_select(&options, shape.name, dtype)) {
                continue;
            }
            if (options.list) {
                printf("%s %s\n", shape.name, bp_dtype_name(dtype));
            } else {
                good &= measure(&options, &report, &shape, dtype);
            }
        }
    }
    if (!options.list) {
        bench_report_end(&report);
    }
    return good ? 0 : 1;
}
