/* The results as a file for other programs. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include "report.h"

/* Can a file be written here? If not, a message is printed. */
bool bench_json_check(const char *path);

/* Writes all of it, or leaves the file as it was, prints a message and returns false. */
bool bench_json_write(const char *path, const bench_report *report);

#endif
