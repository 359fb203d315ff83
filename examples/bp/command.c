#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *command_name = "bp";

void command_set_name(const char *name)
{
    command_name = name;
}

/* ---- sentences ---- */

__attribute__((format(printf, 1, 0))) static void write_sentence(const char *format, va_list arguments)
{
    fflush(stdout); /* what was said before comes before, also where both are one file */
    fprintf(stderr, "%s: ", command_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_sentence(format, arguments);
    va_end(arguments);
}

void refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_sentence(format, arguments);
    va_end(arguments);
    exit(STATUS_USAGE);
}

void refuse_value(const char *option, const char *text, const char *allowed)
{
    refuse("--%s is \"%s\"; it can be %s", option, text, allowed);
}

void refuse_option(void)
{
    fprintf(stderr, "Try %s --help.\n", command_name);
    exit(STATUS_USAGE);
}

void complain_of(bp_status status)
{
    complain("%s", status == BP_ERROR_MEMORY ? "out of memory" : bp_last_error());
}

void refuse_name(const char *option, const char *text, name_function *name)
{
    fprintf(stderr, "%s: --%s has \"%s\"; it can have", command_name, option, text);
    for (int i = 0; name(i); i++) {
        fprintf(stderr, "%s %s", i ? "," : "", name(i));
    }
    fputs("\n", stderr);
    exit(STATUS_USAGE);
}

/* ---- values ---- */

double parse_number(const char *option, const char *text, double least, double most)
{
    char *end, allowed[64];
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= least && value <= most)) {
        snprintf(allowed, sizeof allowed, "%.10g to %.10g", least, most);
        refuse_value(option, text, allowed);
    }
    return value;
}

size_t parse_whole_number(const char *option, const char *text, double least, double most)
{
    double value = parse_number(option, text, least, most);
    if (value != floor(value)) {
        refuse_value(option, text, "a whole number");
    }
    return (size_t)value;
}

bp_csv_header parse_header(const char *option, const char *text)
{
    bp_csv_header header;
    if (bp_csv_header_from_name(text, &header)) {
        refuse_value(option, text, "names, none or skip");
    }
    return header;
}

bp_csv_missing parse_missing(const char *option, const char *text)
{
    bp_csv_missing missing;
    if (bp_csv_missing_from_name(text, &missing)) {
        refuse_value(option, text, "error, drop or mean");
    }
    return missing;
}

char *cut_value(const char *option, char *text)
{
    char *sign = strchr(text, '=');
    if (!sign) {
        refuse_value(option, text, "NAME=VALUE");
    }
    *sign = '\0';
    return sign + 1;
}

double parse_setting(const char *option, const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || isnan(value)) {
        refuse("--%s has \"%s=%s\"; the value is to be a number", option, name, text);
    }
    return value;
}

void each_word(void *context, const char *option, char *list, void (*function)(void *context, const char *option, char *word))
{
    for (char *next; list; list = next) {
        next = strchr(list, ',');
        if (next) {
            *next++ = '\0';
        }
        function(context, option, list);
    }
}

static const char *metric_name(int value)
{
    return bp_metric_name((bp_metric)value);
}

static void require(void *context, const char *option, char *word)
{
    double *required = context;
    const char *value = cut_value(option, word);
    bp_metric metric;
    if (bp_metric_from_name(word, &metric)) {
        refuse_name(option, word, metric_name);
    }
    required[metric] = parse_setting(option, word, value);
}

void parse_required(const char *option, char *text, double *required)
{
    each_word(required, option, text, require);
}

void parse_arguments(int argc, char **argv, size_t n, const char *const *names, const char **arguments)
{
    for (size_t i = 0; i < n; i++) {
        if (optind >= argc) {
            complain("%s is missing", names[i]);
            refuse_option();
        }
        arguments[i] = argv[optind++];
    }
    if (optind < argc) {
        complain("there is more than %s: \"%s\"", n == 1 ? names[0] : "is wanted", argv[optind]);
        refuse_option();
    }
}
