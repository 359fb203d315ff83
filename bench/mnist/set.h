/* MNIST from its four IDX files (LeCun, Cortes, Burges 1998). */
#ifndef MNIST_SET_H
#define MNIST_SET_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>

enum { MNIST_PIXELS = 28 * 28, MNIST_CLASSES = 10 };

typedef struct mnist_set {
    bp_dataset *train, *test; /* pixels scaled to 0 … 1; one-hot targets */
} mnist_set;

/* Reads the set from a folder; false after a message if a file is missing or is not what it should be. */
bool mnist_set_read(mnist_set *set, const char *folder);

void mnist_set_destroy(mnist_set *set);

/* The share of n samples whose greatest output is their class. */
double mnist_accuracy(size_t n, const float *y, const uint32_t *classes);

#endif
