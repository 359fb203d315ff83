/* One net, from a training set to its metrics. */
#ifndef TRAINING_H
#define TRAINING_H

#include "options.h"

/* All that belongs to a net in training; any pointer may be NULL. */
typedef struct training {
    bp_dataset *learned, *validation; /* the training set's parts; NULL: there is one part, without validation */
    bp_net *net;
    bp_optimizer *opt;
    bp_trainer *trainer;
    bp_workspace *ws;
} training;

/* Builds all of it for these samples, which are to live as long. A zeroed t is expected, and to be destroyed also after a failure. */
bp_status training_create(training *t, const options *o, const bp_dataset *samples);

void training_destroy(training *t);

#endif
