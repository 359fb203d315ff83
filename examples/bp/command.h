/* What the commands share: sentences, exit statuses, and how a command line is read. */
#ifndef COMMAND_H
#define COMMAND_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>

/* Of the program; 0 is success. */
enum { STATUS_FAILURE = 1, STATUS_USAGE = 2 };

/* A command: what follows "bp" on the command line. Returns the exit status. */
typedef int command_function(int argc, char **argv);

int command_train(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_convert(int argc, char **argv);

/* The name that sentences begin with: "bp", "bp train". It is kept, not copied. */
void command_set_name(const char *name);

/* Writes "NAME: sentence" and a line end to stderr. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* The same, and the program ends with STATUS_USAGE. */
__attribute__((format(printf, 1, 2))) _Noreturn void refuse(const char *format, ...);

/* --option is "text"; it can be ... */
_Noreturn void refuse_value(const char *option, const char *text, const char *allowed);

/* For what getopt has complained of. */
_Noreturn void refuse_option(void);

/* Of a failed call: its sentence. */
void complain_of(bp_status status);

typedef const char *name_function(int value);

/* --option has "text"; it can have each name, until name gives NULL. */
_Noreturn void refuse_name(const char *option, const char *text, name_function *name);

double parse_number(const char *option, const char *text, double least, double most);
size_t parse_whole_number(const char *option, const char *text, double least, double most);

bp_csv_header parse_header(const char *option, const char *text);
bp_csv_missing parse_missing(const char *option, const char *text);

/* What is behind the options: n arguments, of which names[i] is said to be missing. */
void parse_arguments(int argc, char **argv, size_t n, const char *const *names, const char **arguments);

/* METRIC=VALUE[,METRIC=VALUE]... into required, BP_METRIC_R2 + 1 numbers. The text is cut. */
void parse_required(const char *option, char *text, double *required);

/* Hands each of the words between commas to function. The text is cut. */
void each_word(void *context, const char *option, char *list, void (*function)(void *context, const char *option, char *word));

/* Cuts NAME=VALUE at the sign, and returns the value's text. */
char *cut_value(const char *option, char *text);

/* The number behind a setting's name; its range is the library's to check. */
double parse_setting(const char *option, const char *name, const char *text);

#endif
