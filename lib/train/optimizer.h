/* An optimizer: a method's settings, and its state, which is laid out as the net's parameters are, rows of weights padded. */
#ifndef BP_TRAIN_OPTIMIZER_H
#define BP_TRAIN_OPTIMIZER_H

#include "bp/optimizer.h"

#include "net/identity.h"

#include <stdint.h>

enum { BP_OPTIMIZER_SETTING_COUNT = 5, BP_MAX_STATES = 2 };

struct bp_optimizer {
    bp_method method;
    bp_dtype dtype;
    bp_identity *identity;
    double settings[BP_OPTIMIZER_SETTING_COUNT];
    uint64_t n_steps;            /* made so far */
    uint64_t seed;               /* of what is random in a training step */
    void *states[BP_MAX_STATES]; /* those that the method has, in the order of its formulas; each as large as the net's parameters */
    void *gradient;              /* as large: where a batch's gradient is summed; NULL for SGD, which sums in the weights */
};

/* That the optimizer is there and was made for this net. */
bp_status bp_check_optimizer(const char *function, const bp_optimizer *opt, const bp_net *net);

#endif
