#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void write_text(FILE *file, const char *name, const char *text)
{
    fprintf(file, "\"%s\": \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', file);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
    }
    fputc('"', file);
}

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

static void write_machine(FILE *file)
{
    char cpu[256], date[32];
    time_t now = time(NULL);
    find_cpu(cpu, sizeof cpu);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    fputs(" \"machine\": {", file);
    write_text(file, "cpu", cpu);
    fprintf(file, ", \"cpus\": %ld, ", sysconf(_SC_NPROCESSORS_ONLN));
    write_text(file, "libbp", bp_version());
    fputs(", ", file);
    write_text(file, "kernel", bp_kernel_name());
    fputs(", ", file);
    write_text(file, "date", date);
    fputs("},\n", file);
}

static void write_numbers(FILE *file, const char *name, size_t n, const double *numbers)
{
    fprintf(file, ", \"%s\": [", name);
    for (size_t i = 0; i < n; i++) {
        fprintf(file, "%s%.6g", i ? ", " : "", numbers[i]);
    }
    fputc(']', file);
}

static void write_row(FILE *file, const mnist_options *o, const mnist_result *r)
{
    fprintf(
        file,
        "  {\"suite\": \"mnist\", \"name\": \"784-300-100-10\", \"dtype\": \"f32\", \"batch\": %zu, \"threads\": %zu, \"method\": \"%s\", "
        "\"seed\": %llu, \"learning_rate\": %.9g, \"samples\": %zu, \"ns\": %.9g, \"spread\": %.4g, \"repetitions\": %zu",
        o->batch, o->threads, bp_method_name(o->method), (unsigned long long)r->seed, o->learning_rate, r->samples, r->ns.median,
        r->ns.spread, r->repetitions);
    if (o->target_accuracy > 0) {
        fprintf(file, ", \"target_accuracy\": %.6g", o->target_accuracy);
    }
    if (r->reached) {
        fprintf(file, ", \"epochs_to_target\": %zu", r->reached);
    }
    write_numbers(file, "loss", r->epochs, r->loss);
    write_numbers(file, "accuracy", r->epochs, r->accuracy);
    fputs(", \"peers\": [", file);
    if (r->has_fann) {
        fprintf(file, "{\"name\": \"fann\", \"ns\": %.9g, \"spread\": %.4g, \"ratio\": %.6g, \"ratio_spread\": %.4g, \"accuracy\": %.6g}",
                r->fann_ns.median, r->fann_ns.spread, r->fann_ratio.median, r->fann_ratio.spread, r->fann_accuracy);
    }
    fputs("]}", file);
}

bool mnist_json_write(const mnist_options *options, size_t n, const mnist_result *results)
{
    FILE *file = fopen(options->json, "w");
    if (!file) {
        fprintf(stderr, "bp-mnist: %s: %s\n", options->json, strerror(errno));
        return false;
    }
    fputs("{\"format\": \"bp-bench 1\",\n", file);
    write_machine(file);
    fputs(" \"floors\": [],\n \"rows\": [\n", file);
    for (size_t i = 0; i < n; i++) {
        write_row(file, options, &results[i]);
        fputs(i + 1 < n ? ",\n" : "\n", file);
    }
    fputs(" ],\n \"means\": []}\n", file);
    bool good = !ferror(file);
    good &= fclose(file) == 0;
    if (!good) {
        fprintf(stderr, "bp-mnist: %s: it could not be written to its end\n", options->json);
    }
    return good;
}
