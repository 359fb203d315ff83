/* One net, from a training set to its metrics. */
#ifndef TRAINING_H
#define TRAINING_H

#include "options.h"

/* All that belongs to a net in training; any pointer may be NULL. */
typedef struct training {
    bp_dataset *scaled;                       /* the training set of numbers to be learned, each with mean 0 and deviation 1 */
    bp_dataset *learned, *validation;         /* its parts; NULL: there is one part, without validation */
    double *target_means, *target_deviations; /* of each output; NULL with classes */
    bp_net *net;
    bp_optimizer *opt;
    bp_trainer *trainer;
    bp_workspace *ws;
} training;

/* Builds all of it for these samples, which are to live as long. A zeroed t is expected, and to be destroyed also after a failure. */
bp_status training_create(training *t, const options *o, const bp_dataset *samples);

/* Makes the net answer in the targets' own units. The last thing: the trainer's sets have another one. */
bp_status training_finish(training *t);

void training_destroy(training *t);

#endif
