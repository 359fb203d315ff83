/* The command line of bp-mnist. */
#ifndef MNIST_OPTIONS_H
#define MNIST_OPTIONS_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mnist_options {
    const char *folder, *json; /* json NULL: no file */
    bool online;
    bp_method method;
    size_t batch, epochs, runs, threads;
    uint64_t seed; /* of the first run; the others count on */
    double learning_rate;
    double target_accuracy; /* a run ends with the epoch that reaches it; 0: none */
    bool require_target;    /* it was asked for: a run that misses it has failed */
} mnist_options;

/* The program ends here after --help, and with 2 and a message after a mistake. */
mnist_options mnist_options_parse(int argc, char **argv);

#endif
