/* What both ways to train have in common: the net with its optimizer, the order of the digits, the accuracy, the line of an epoch. */
#ifndef MNIST_LEARNER_H
#define MNIST_LEARNER_H

#include "run.h"

enum { MNIST_WIDTH_COUNT = 4 };
extern const unsigned mnist_widths[MNIST_WIDTH_COUNT]; /* inputs first */

typedef struct mnist_learner {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    size_t *order;     /* of the training digits, in this epoch */
    float *x, *target; /* a piece of them */
    float *y;          /* the outputs for all test digits */
    size_t piece;      /* digits in a piece */
    double *times;     /* of repetitions, in seconds */
    bool live;         /* standard output is a terminal */
    double last_shown; /* when the live line was written */
} mnist_learner;

/* Makes everything for pieces of this many digits and as many times; false after a message. */
bool mnist_learner_create(mnist_learner *l, const mnist_options *options, const mnist_set *set, uint64_t seed, size_t piece, size_t times);
void mnist_learner_destroy(mnist_learner *l);

/* False, with libbp's sentence printed. */
bool mnist_learner_complain(const mnist_learner *l);

/* Gathers the next piece of at most l->piece digits, from at on, and says how many it has; 0 after a message. */
size_t mnist_learner_gather(mnist_learner *l, const mnist_set *set, size_t at);

/* The test accuracy; below 0 after a message. */
double mnist_learner_test(mnist_learner *l, const mnist_set *set);

/* Rewrites the line of an epoch that is not over, at a terminal and at most 20 times a second. */
void mnist_learner_progress(mnist_learner *l, size_t epoch, double part, double mean_loss);

/* The line of an epoch that is over. */
void mnist_learner_show(const mnist_learner *l, size_t epoch, double mean_loss, double accuracy, const char *time);

#endif
