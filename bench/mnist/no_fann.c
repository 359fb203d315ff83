/* Stands where FANN is not installed. */
#include "peer_fann.h"

mnist_fann *mnist_fann_create(unsigned n_widths, const unsigned *widths, double learning_rate)
{
    (void)n_widths, (void)widths, (void)learning_rate;
    return NULL;
}

void mnist_fann_destroy(mnist_fann *fann)
{
    (void)fann;
}

void mnist_fann_set(mnist_fann *fann, const float *theta)
{
    (void)fann, (void)theta;
}

void mnist_fann_get(const mnist_fann *fann, float *theta)
{
    (void)fann, (void)theta;
}

void mnist_fann_train(mnist_fann *fann, size_t n, float *x, float *target)
{
    (void)fann, (void)n, (void)x, (void)target;
}

void mnist_fann_run(mnist_fann *fann, size_t n, const float *x, float *y)
{
    (void)fann, (void)n, (void)x, (void)y;
}
