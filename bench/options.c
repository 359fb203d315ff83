#include "options.h"

#include "suites.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 1024 };

static const char usage[] = "Usage: bp-bench [OPTION]...\n"
                            "Times libbp beside other ways to do the same work, after a check that they come to the same weights.\n"
                            "\n"
                            "  --suite NAME[,NAME]... what to measure (default step):\n";

static const char usage_options[] =
    "  --filter TEXT          only rows with TEXT in their name\n"
    "  --dtype f32|f64|all    element type (default all)\n"
    "  --min-time SECONDS     measured for each row, 0.001 to 3600 (default 0.5)\n"
    "  --threads N            for libbp and for OpenBLAS, 1 to 1024 (default 1)\n"
    "  --json FILE            write the results there too\n"
    "  --list                 name the rows and measure nothing\n"
    "  --help                 this text\n"
    "\n"
    "Exit status: 0; 1 if a row failed, or two sides came to different results; 2 for a mistake on the command line.\n";

static void print_usage(void)
{
    const bench_suite *suite;
    fputs(usage, stdout);
    for (size_t i = 0; (suite = bench_suite_at(i)); i++) {
        printf("                           %-8s %.*s\n", suite->name, (int)strcspn(suite->what, "\n:;"), suite->what);
    }
    fputs(usage_options, stdout);
}

static _Noreturn void refuse(const char *option, const char *text, const char *allowed)
{
    fprintf(stderr, "bp-bench: --%s is \"%s\"; it can be %s\n", option, text, allowed);
    exit(2);
}

/* The name behind the next comma, or NULL. */
static const char *next_name(const char *list)
{
    const char *comma = strchr(list, ',');
    return comma ? comma + 1 : NULL;
}

static void set_suites(bench_options *o, const char *text)
{
    for (const char *at = text; at; at = next_name(at)) {
        size_t length = strcspn(at, ",");
        if (!bench_suite_find(at, length)) {
            fprintf(stderr, "bp-bench: --suite has \"%.*s\"; it can have", (int)length, at);
            for (size_t i = 0; bench_suite_at(i); i++) {
                fprintf(stderr, "%s %s", i ? "," : "", bench_suite_at(i)->name);
            }
            fputs("\n", stderr);
            exit(2);
        }
    }
    o->suites = text;
}

static void set_dtype(bench_options *o, const char *text)
{
    bool all = strcmp(text, "all") == 0;
    o->f32 = all || strcmp(text, bp_dtype_name(BP_F32)) == 0;
    o->f64 = all || strcmp(text, bp_dtype_name(BP_F64)) == 0;
    if (!o->f32 && !o->f64) {
        refuse("dtype", text, "f32, f64 or all");
    }
}

static void set_min_time(bench_options *o, const char *text)
{
    char *end;
    o->min_time = strtod(text, &end);
    if (end == text || *end || !(o->min_time >= 0.001 && o->min_time <= 3600)) {
        refuse("min-time", text, "0.001 to 3600");
    }
}

static void set_threads(bench_options *o, const char *text)
{
    char *end;
    long threads = strtol(text, &end, 10);
    if (end == text || *end || threads < 1 || threads > MAX_THREADS) {
        refuse("threads", text, "1 to 1024");
    }
    o->threads = (size_t)threads;
}

bench_options bench_options_parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"suite", required_argument, NULL, 's'},    {"filter", required_argument, NULL, 'f'},  {"dtype", required_argument, NULL, 'd'},
        {"min-time", required_argument, NULL, 't'}, {"threads", required_argument, NULL, 'n'}, {"json", required_argument, NULL, 'j'},
        {"list", no_argument, NULL, 'l'},           {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    bench_options o = {.suites = "step", .filter = "", .f32 = true, .f64 = true, .min_time = 0.5, .threads = 1};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 's':
            set_suites(&o, optarg);
            break;
        case 'f':
            o.filter = optarg;
            break;
        case 'd':
            set_dtype(&o, optarg);
            break;
        case 't':
            set_min_time(&o, optarg);
            break;
        case 'n':
            set_threads(&o, optarg);
            break;
        case 'j':
            o.json = optarg;
            break;
        case 'l':
            o.list = true;
            break;
        case 'h':
            print_usage();
            exit(0);
        default:
            fputs("Try --help.\n", stderr);
            exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bp-bench: \"%s\" is not an option\nTry --help.\n", argv[optind]);
        exit(2);
    }
    return o;
}

bool bench_options_select_suite(const bench_options *options, const char *suite)
{
    bool found = false;
    for (const char *at = options->suites; at && !found; at = next_name(at)) {
        found = strlen(suite) == strcspn(at, ",") && strncmp(suite, at, strlen(suite)) == 0;
    }
    return found;
}

bool bench_options_select(const bench_options *options, const bench_case *c)
{
    char label[BENCH_LABEL_SIZE];
    bench_case_label(c, label);
    return (c->dtype == BP_F32 ? options->f32 : options->f64) && strstr(label, options->filter);
}
