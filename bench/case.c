#include "case.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void bench_case_group(const bench_case *c, char group[BENCH_GROUP_SIZE])
{
    bool in_batches = c->batch > 1 || c->samples > 0 || strcmp(c->suite, "batch") == 0 || strcmp(c->suite, "infer") == 0;
    char batch[32] = "", method[32] = "", threads[32] = "", ranks[32] = "";
    if (in_batches) {
        snprintf(batch, sizeof batch, " B=%zu", c->batch);
    }
    if (c->method && in_batches) {
        snprintf(method, sizeof method, " %s", c->method);
    }
    if (c->threads > 1) {
        snprintf(threads, sizeof threads, " %zu threads", c->threads);
    }
    if (c->ranks > 0) {
        bool is_crowded = c->ranks > (size_t)sysconf(_SC_NPROCESSORS_ONLN);
        snprintf(ranks, sizeof ranks, " %zu ranks%s", c->ranks, is_crowded ? " oversubscribed" : "");
    }
    snprintf(group, BENCH_GROUP_SIZE, "%s%s%s%s%s", c->operation ? c->operation : "", batch, method, threads, ranks);
}

void bench_case_label(const bench_case *c, char label[BENCH_LABEL_SIZE])
{
    char group[BENCH_GROUP_SIZE];
    bench_case_group(c, group);
    if (c->operation) {
        snprintf(label, BENCH_LABEL_SIZE, "%s %s", group, c->shape.name);
    } else {
        snprintf(label, BENCH_LABEL_SIZE, "%s%s", c->shape.name, group);
    }
}

/* How often a state variable of the method is there for each weight. */
static double states(const char *method)
{
    return strcmp(method, "adam") == 0 ? 2 : 0;
}

/* The update alone reads and writes W and the optimizer's state, and computes the rank-1 gradient: the method's arithmetic is not counted. */
static bench_cost sweep_cost(const bench_case *c, double n)
{
    double copies = 1 + states(c->method);
    return (bench_cost){.flops = 2 * n, .update_bytes = 2 * n * copies, .weight_bytes = n * copies};
}

/* Training: forward reads W; the error signal and the update go with one sweep that reads and writes it, and the optimizer's state. */
static bench_cost training_cost(const bench_case *c, double n)
{
    const size_t *widths = c->shape.widths;
    double first = (double)(widths[0] * widths[1]); /* weights of layer 1, for which there is no error signal to compute */
    double copies = 1 + states(c->method);
    bench_cost cost = {.flops = 6 * n - 2 * first, .read_bytes = n, .update_bytes = 2 * n * copies, .weight_bytes = n * copies};
    if (strcmp(c->suite, "online") == 0 || (c->samples > 0 && c->batch == 1 && copies == 1)) {
        cost.read_bytes -= first; /* its update shares a sweep with the next forward */
    }
    return cost;
}

static bench_cost forward_cost(double n)
{
    return (bench_cost){.flops = 2 * n, .read_bytes = n, .weight_bytes = n};
}

static bench_cost layer_cost(const char *operation, double n)
{
    bool fused = strcmp(operation, "fused") == 0, update = fused || strcmp(operation, "update") == 0;
    return update ? (bench_cost){.flops = fused ? 4 * n : 2 * n, .update_bytes = 2 * n, .weight_bytes = n} : forward_cost(n);
}

bench_cost bench_case_cost(const bench_case *c)
{
    if (c->bytes > 0) {
        bool is_read = strcmp(c->operation, "csv") == 0 || strcmp(c->operation, "model") == 0; /* and not only opened */
        return (bench_cost){.read_bytes = is_read ? c->bytes : 0, .weight_bytes = c->bytes};
    }
    double size = (double)bp_dtype_size(c->dtype), n = (double)bench_shape_weight_count(&c->shape);
    bool is_sweep = c->method && c->operation && strcmp(c->operation, "sweep") == 0;
    size_t samples = c->samples ? c->samples : c->batch, steps = (samples + c->batch - 1) / c->batch;
    bench_cost cost = is_sweep       ? sweep_cost(c, n)
                      : c->method    ? training_cost(c, n)
                      : c->operation ? layer_cost(c->operation, n)
                                     : forward_cost(n);
    cost.flops *= (double)samples;
    cost.read_bytes *= size * (double)steps;
    cost.update_bytes *= size * (double)steps;
    cost.weight_bytes *= size;
    return cost;
}
