/* A training run, and what came out. */
#ifndef MNIST_RUN_H
#define MNIST_RUN_H

#include "bench/statistics.h"
#include "options.h"
#include "set.h"

typedef struct mnist_result {
    uint64_t seed;
    size_t epochs;           /* made */
    double *loss, *accuracy; /* of each: the mean loss while training, the test accuracy afterwards */
    size_t reached;          /* the epoch that reached the target accuracy, from 1; 0: none did */
    size_t samples;          /* that the times are for */
    size_t repetitions;
    bench_summary ns;
    bool has_fann;
    bench_summary fann_ns, fann_ratio;
    double fann_accuracy; /* after the last epoch */
} mnist_result;

/* Both print each epoch; false after a message if something failed. The result is destroyed in any case. */
bool mnist_train(const mnist_options *options, const mnist_set *set, uint64_t seed, mnist_result *result);
bool mnist_train_online(const mnist_options *options, const mnist_set *set, uint64_t seed, mnist_result *result);

void mnist_result_destroy(mnist_result *result);

#endif
