#include "machine.h"

#include "bp/kernel.h"
#include "bp/version.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The first line of a /proc file that starts with key; "key : value" gives the value. */
static void print_proc(const char *label, const char *path, const char *key)
{
    char line[512];
    FILE *file = fopen(path, "r");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, key, strlen(key)) == 0;
    }
    if (file) {
        fclose(file);
    }
    const char *colon = found ? strchr(line, ':') : NULL;
    const char *text = !found ? "unknown\n" : colon ? colon + 2 : line;
    printf("%-12s%.*s\n", label, (int)strcspn(text, "\n"), text);
}

/* The variables that change what OpenBLAS, OpenMP or libbp do. */
static void print_environment(void)
{
    static const char *const prefixes[] = {"OPENBLAS_", "GOTO_", "OMP_", "BP_"};
    bool any = false;
    for (char **variable = environ; *variable; variable++) {
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
            if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) == 0) {
                printf("%-12s%s\n", any ? "" : "environment", *variable);
                any = true;
            }
        }
    }
    if (!any) {
        printf("%-12sno OPENBLAS_, GOTO_, OMP_ or BP_ variable is set\n", "environment");
    }
}

void bench_machine_prepare(void)
{
    openblas_set_num_threads(1);
    print_proc("cpu", "/proc/cpuinfo", "model name");
    printf("%-12s%ld\n", "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    print_proc("load", "/proc/loadavg", "");
    printf("%-12s%s, kernels: %s\n", "libbp", bp_version(), bp_kernel_name());
    printf("%-12s%s\n", "openblas", openblas_get_config());
    printf("%-12s%s\n", "core", openblas_get_corename());
    printf("%-12s%d (bp-bench calls openblas_set_num_threads(1))\n", "threads", openblas_get_num_threads());
    print_environment();
    printf("%-12s%s\n", "compiler", BENCH_COMPILER);
    printf("%-12s%s\n", "flags", BENCH_FLAGS);
}
