/* FANN's on-line training: tanh hidden layers, identity outputs, bias, mean squared error. */
#ifndef MNIST_PEER_FANN_H
#define MNIST_PEER_FANN_H

#include <stddef.h>

typedef struct mnist_fann mnist_fann;

/* NULL if the program is built without FANN, or FANN has no memory. The widths: inputs first, outputs last. */
mnist_fann *mnist_fann_create(unsigned n_widths, const unsigned *widths, double learning_rate);
void mnist_fann_destroy(mnist_fann *fann);

/* All weights in libbp's order: for each layer W row-major, then b. */
void mnist_fann_set(mnist_fann *fann, const float *theta);
void mnist_fann_get(const mnist_fann *fann, float *theta);

/* One step for each of n samples. FANN wants arrays that it could write to, and does not. */
void mnist_fann_train(mnist_fann *fann, size_t n, float *x, float *target);

void mnist_fann_run(mnist_fann *fann, size_t n, const float *x, float *y);

#endif
