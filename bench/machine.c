#include "machine.h"

#include "bp/kernel.h"
#include "bp/version.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* The first line of a file that starts with key, without its end; "" if there is none. */
static void read_line(const char *path, const char *key, char *line, size_t size)
{
    FILE *file = fopen(path, "r");
    line[0] = '\0';
    while (file && fgets(line, (int)size, file) && strncmp(line, key, strlen(key)) != 0) {
        line[0] = '\0';
    }
    if (file) {
        fclose(file);
    }
    line[strcspn(line, "\n")] = '\0';
}

static void find_cpu(bench_machine *machine)
{
    char line[sizeof machine->cpu];
    read_line("/proc/cpuinfo", "model name", line, sizeof line);
    const char *colon = strchr(line, ':');
    snprintf(machine->cpu, sizeof machine->cpu, "%s", colon ? colon + 2 : "unknown");
    machine->cpus = sysconf(_SC_NPROCESSORS_ONLN);
}

/* Bytes of the first CPU's cache index as Linux tells, if it holds data of this level; else 0. */
static size_t cache_bytes(int index, int level)
{
    char path[96], text[32], type[32];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", index);
    read_line(path, "", text, sizeof text);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/type", index);
    read_line(path, "", type, sizeof type);
    if (strtol(text, NULL, 10) != level || strcmp(type, "Instruction") == 0) {
        return 0;
    }
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
    read_line(path, "", text, sizeof text);
    char *unit;
    size_t bytes = strtoul(text, &unit, 10);
    return *unit == 'K' ? bytes << 10 : *unit == 'M' ? bytes << 20 : bytes;
}

static size_t find_cache(int level)
{
    size_t bytes = 0;
    for (int index = 0; index < 8 && bytes == 0; index++) {
        bytes = cache_bytes(index, level);
    }
    return bytes;
}

static void find_environment(bench_machine *machine)
{
    static const char *const prefixes[] = {"OPENBLAS_", "GOTO_", "OMP_", "BP_"};
    for (char **variable = environ; *variable; variable++) {
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
            if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) == 0 && machine->n_variables < BENCH_MAX_VARIABLES) {
                machine->environment[machine->n_variables++] = *variable;
            }
        }
    }
}

double bench_machine_load(void)
{
    char line[128], *end;
    read_line("/proc/loadavg", "", line, sizeof line);
    double load = strtod(line, &end);
    return end == line ? -1 : load;
}

bench_machine bench_machine_prepare(size_t threads)
{
    openblas_set_num_threads((int)threads);
    bench_machine machine = {
        .l1d = find_cache(1),
        .l2 = find_cache(2),
        .l3 = find_cache(3),
        .load = bench_machine_load(),
        .libbp = bp_version(),
        .kernel = bp_kernel_name(),
        .openblas = openblas_get_config(),
        .openblas_core = openblas_get_corename(),
        .openblas_threads = openblas_get_num_threads(),
        .compiler = BENCH_COMPILER,
        .flags = BENCH_FLAGS,
    };
    find_cpu(&machine);
    find_environment(&machine);
    time_t now = time(NULL);
    strftime(machine.date, sizeof machine.date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    return machine;
}

static void print_cache(const char *name, size_t bytes)
{
    if (bytes > 0) {
        printf(" %s %zu KiB", name, bytes >> 10);
    } else {
        printf(" %s unknown", name);
    }
}

void bench_machine_print(const bench_machine *m)
{
    printf("%-12s%s, %ld online\n", "cpu", m->cpu, m->cpus);
    printf("%-12s", "caches");
    print_cache("L1d", m->l1d);
    print_cache(" L2", m->l2);
    print_cache(" L3", m->l3);
    printf("\n%-12s%.2f\n", "load", m->load);
    printf("%-12s%s, kernels: %s\n", "libbp", m->libbp, m->kernel);
    printf("%-12s%s, core: %s, threads: %d\n", "openblas", m->openblas, m->openblas_core, m->openblas_threads);
    for (size_t i = 0; i < m->n_variables; i++) {
        printf("%-12s%s\n", i ? "" : "environment", m->environment[i]);
    }
    printf("%-12s%s\n", "compiler", m->compiler);
    printf("%-12s%s\n", "flags", m->flags);
    printf("%-12s%s\n", "date", m->date);
}
