#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: bp-bench [OPTION]...\n"
    "Times an on-line training step of libbp beside the same step written by hand with cblas calls.\n"
    "\n"
    "  --filter TEXT          only shapes with TEXT in their name\n"
    "  --dtype f32|f64|all    element type (default all)\n"
    "  --min-time SECONDS     measured for each row, 0.001 to 3600 (default 0.5)\n"
    "  --list                 name the rows and measure nothing\n"
    "  --help                 this text\n"
    "\n"
    "Exit status: 0; 1 if a row failed, or its weights were not those of the cblas calls; 2 for a mistake on the command line.\n";

static _Noreturn void refuse(const char *option, const char *text, const char *allowed)
{
    fprintf(stderr, "bp-bench: --%s is \"%s\"; it can be %s\n", option, text, allowed);
    exit(2);
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

bench_options bench_options_parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"filter", required_argument, NULL, 'f'}, {"dtype", required_argument, NULL, 'd'}, {"min-time", required_argument, NULL, 't'},
        {"list", no_argument, NULL, 'l'},         {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    bench_options o = {.filter = "", .f32 = true, .f64 = true, .min_time = 0.5};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'f':
            o.filter = optarg;
            break;
        case 'd':
            set_dtype(&o, optarg);
            break;
        case 't':
            set_min_time(&o, optarg);
            break;
        case 'l':
            o.list = true;
            break;
        case 'h':
            fputs(usage, stdout);
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

bool bench_options_select(const bench_options *options, const char *shape, bp_dtype dtype)
{
    return (dtype == BP_F32 ? options->f32 : options->f64) && strstr(shape, options->filter);
}
