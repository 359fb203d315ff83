/* The results as a file for bench/report and bench/compare. */
#ifndef MNIST_JSON_H
#define MNIST_JSON_H

#include "options.h"
#include "run.h"

/* True if the file is complete; else false after a message. */
bool mnist_json_write(const mnist_options *options, size_t n, const mnist_result *results);

#endif
