#include "json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(const char *path)
{
    fprintf(stderr, "bp-bench: cannot write %s: %s\n", path, strerror(errno));
    return false;
}

/* A new file beside path, open for writing; its name is to be freed. NULL after a message. */
static FILE *open_beside(const char *path, char **name)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        complain(path);
        return NULL;
    }
    size_t size = strlen(path) + sizeof ".XXXXXX";
    *name = malloc(size);
    if (*name) {
        snprintf(*name, size, "%s.XXXXXX", path);
    }
    int descriptor = *name ? mkstemp(*name) : -1;
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (!file) {
        complain(path);
        free(*name);
    }
    return file;
}

bool bench_json_check(const char *path)
{
    char *name;
    FILE *file = open_beside(path, &name);
    if (!file) {
        return false;
    }
    fclose(file);
    remove(name);
    free(name);
    return true;
}

static json_t *machine_json(const bench_machine *m)
{
    json_t *environment = json_array();
    for (size_t i = 0; i < m->n_variables; i++) {
        json_array_append_new(environment, json_string(m->environment[i]));
    }
    return json_pack("{ss si sI sI sI sf ss ss ss ss si so ss ss ss}", "cpu", m->cpu, "cpus", (int)m->cpus, "l1d", (json_int_t)m->l1d, "l2",
                     (json_int_t)m->l2, "l3", (json_int_t)m->l3, "load", m->load, "libbp", m->libbp, "kernel", m->kernel, "openblas",
                     m->openblas, "openblas_core", m->openblas_core, "openblas_threads", m->openblas_threads, "environment", environment,
                     "compiler", m->compiler, "flags", m->flags, "date", m->date);
}

static json_t *floors_json(const bench_floors *floors)
{
    json_t *array = json_array();
    for (size_t i = 0; i < floors->n; i++) {
        const bench_floor *floor = &floors->floors[i];
        json_array_append_new(array, json_pack("{ss ss sI sf}", "dtype", bp_dtype_name(floor->dtype), "name", floor->name, "bytes",
                                               (json_int_t)floor->bytes, "value", floor->value));
    }
    return array;
}

static json_t *peers_json(const bench_result *result)
{
    json_t *peers = json_array();
    for (size_t i = 1; i < result->n_sides; i++) {
        const bench_time *t = &result->times[i];
        json_array_append_new(peers, json_pack("{ss sf sf sf sf}", "name", result->names[i], "ns", t->ns, "spread", t->spread, "ratio",
                                               t->ratio, "ratio_spread", t->ratio_spread));
    }
    return peers;
}

static json_t *row_json(const bench_case *c, const bench_result *result)
{
    json_t *row = json_pack("{ss ss ss sI sI ss* ss*}", "suite", c->suite, "name", c->shape.name, "dtype", bp_dtype_name(c->dtype), "batch",
                            (json_int_t)c->batch, "threads", (json_int_t)c->threads, "operation", c->operation, "method", c->method);
    if (c->samples > 0) {
        json_object_set_new(row, "samples", json_integer((json_int_t)c->samples));
    }
    if (c->ranks > 0) {
        json_object_set_new(row, "ranks", json_integer((json_int_t)c->ranks));
    }
    if (result->error[0]) {
        json_object_set_new(row, "error", json_string(result->error));
        return row;
    }
    bench_cost cost = bench_case_cost(c);
    const bench_time *ours = &result->times[0];
    json_t *measured =
        json_pack("{sf sf sI sf sf so}", "ns", ours->ns, "spread", ours->spread, "repetitions", (json_int_t)result->repetitions, "gflops",
                  cost.flops / ours->ns, "gbytes", (cost.read_bytes + cost.update_bytes) / ours->ns, "peers", peers_json(result));
    if (result->floor_name) {
        json_object_set_new(
            measured, "floor",
            json_pack("{ss sf sf}", "name", result->floor_name, "ns", result->floor_ns, "share", result->floor_ns / ours->ns));
    }
    json_object_update(row, measured);
    json_decref(measured);
    return row;
}

static json_t *means_json(const bench_report *report)
{
    json_t *means = json_array();
    const bench_suite *suite;
    bench_mean mean;
    for (size_t s = 0; (suite = bench_suite_at(s)); s++) {
        for (bp_dtype dtype = BP_F32; dtype <= BP_F64; dtype++) {
            for (size_t i = 0; suite->peers[i]; i++) {
                if (bench_report_mean(report, suite->name, dtype, NULL, suite->peers[i], &mean)) {
                    json_array_append_new(means, json_pack("{ss ss ss sf sI}", "suite", mean.suite, "dtype", bp_dtype_name(dtype), "peer",
                                                           mean.peer, "ratio", mean.ratio, "rows", (json_int_t)mean.rows));
                }
            }
        }
    }
    return means;
}

bool bench_json_write(const char *path, const bench_report *report)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < report->n_rows; r++) {
        json_array_append_new(rows, row_json(&report->cases.cases[r], &report->results[r]));
    }
    json_t *all = json_pack("{ss so so so so}", "format", "bp-bench 1", "machine", machine_json(&report->machine), "floors",
                            floors_json(report->floors), "rows", rows, "means", means_json(report));
    char *name;
    FILE *file = open_beside(path, &name);
    if (!file) {
        json_decref(all);
        return false;
    }
    fchmod(fileno(file), 0644);
    bool good = all && json_dumpf(all, file, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) == 0 && fputs("\n", file) >= 0;
    good = good && fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good && rename(name, path) == 0;
    if (!good) {
        complain(path);
        remove(name);
    }
    free(name);
    json_decref(all);
    return good;
}
