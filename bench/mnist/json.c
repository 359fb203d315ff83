#include "json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What /proc/cpuinfo calls it; "unknown" without. */
static void find_cpu(char *text, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(text, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (colon && strncmp(line, "model name", 10) == 0) {
            colon[strcspn(colon, "\n")] = 0;
            snprintf(text, size, "%s", colon[1] == ' ' ? colon + 2 : colon + 1);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
}

static json_t *machine_json(void)
{
    char cpu[256], date[32];
    time_t now = time(NULL);
    find_cpu(cpu, sizeof cpu);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    return json_pack("{ss sI ss ss ss}", "cpu", cpu, "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "libbp", bp_version(), "kernel",
                     bp_kernel_name(), "date", date);
}

static json_t *numbers_json(size_t n, const double *numbers)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, json_real(numbers[i]));
    }
    return array;
}

static json_t *peers_json(const mnist_result *r)
{
    if (!r->has_fann) {
        return json_array();
    }
    return json_pack("[{ss sf sf sf sf sf}]", "name", "fann", "ns", r->fann_ns.median, "spread", r->fann_ns.spread, "ratio",
                     r->fann_ratio.median, "ratio_spread", r->fann_ratio.spread, "accuracy", r->fann_accuracy);
}

static json_t *row_json(const mnist_options *o, const mnist_result *r)
{
    json_t *row = json_pack("{ss ss ss sI sI ss sI sf sI sf sf sI so so so}", "suite", "mnist", "name", "784-300-100-10", "dtype", "f32",
                            "batch", (json_int_t)o->batch, "threads", (json_int_t)o->threads, "method", bp_method_name(o->method), "seed",
                            (json_int_t)r->seed, "learning_rate", o->learning_rate, "samples", (json_int_t)r->samples, "ns", r->ns.median,
                            "spread", r->ns.spread, "repetitions", (json_int_t)r->repetitions, "loss", numbers_json(r->epochs, r->loss),
                            "accuracy", numbers_json(r->epochs, r->accuracy), "peers", peers_json(r));
    if (o->target_accuracy > 0) {
        json_object_set_new(row, "target_accuracy", json_real(o->target_accuracy));
    }
    if (r->reached) {
        json_object_set_new(row, "epochs_to_target", json_integer((json_int_t)r->reached));
    }
    return row;
}

bool mnist_json_write(const mnist_options *options, size_t n, const mnist_result *results)
{
    FILE *file = fopen(options->json, "w");
    if (!file) {
        fprintf(stderr, "bp-mnist: %s: %s\n", options->json, strerror(errno));
        return false;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(rows, row_json(options, &results[i]));
    }
    json_t *all = json_pack("{ss so s[] so s[]}", "format", "bp-bench 1", "machine", machine_json(), "floors", "rows", rows, "means");
    bool good = all && json_dumpf(all, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 && fputs("\n", file) >= 0;
    good = fclose(file) == 0 && good;
    json_decref(all);
    if (!good) {
        fprintf(stderr, "bp-mnist: %s: it could not be written to its end\n", options->json);
    }
    return good;
}
