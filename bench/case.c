#include "case.h"

#include <stdio.h>
#include <string.h>

void bench_case_label(const bench_case *c, char label[BENCH_LABEL_SIZE])
{
    char batch[32] = "", method[32] = "", threads[32] = "";
    if (c->batch > 1 || strcmp(c->suite, "batch") == 0) {
        snprintf(batch, sizeof batch, " B=%zu", c->batch);
    }
    if (c->method && strcmp(c->suite, "batch") == 0) {
        snprintf(method, sizeof method, " %s", c->method);
    }
    if (c->threads > 1) {
        snprintf(threads, sizeof threads, " %zu threads", c->threads);
    }
    snprintf(label, BENCH_LABEL_SIZE, "%s%s%s%s%s%s", c->operation ? c->operation : "", c->operation ? " " : "", c->shape.name, batch,
             method, threads);
}

/* Training: forward reads W; the error signal and the update go with one sweep that reads and writes it. */
bench_cost bench_case_cost(const bench_case *c)
{
    const size_t *widths = c->shape.widths;
    double size = (double)bp_dtype_size(c->dtype), n = (double)bench_shape_weight_count(&c->shape), batch = (double)c->batch;
    double first = (double)(widths[0] * widths[1]); /* weights of layer 1, for which there is no error signal to compute */
    bench_cost cost = {
        .flops = (6 * n - 2 * first) * batch, .read_bytes = n * size, .update_bytes = 2 * n * size, .weight_bytes = n * size};
    if (strcmp(c->suite, "online") == 0) {
        cost.read_bytes -= first * size; /* its update shares a sweep with the next forward */
    }
    return cost;
}
