#ifndef BP_TRAIN_OPTIMIZER_H
#define BP_TRAIN_OPTIMIZER_H

#include "bp/optimizer.h"

#include "net/identity.h"

enum { BP_OPTIMIZER_SETTING_COUNT = 1 };

struct bp_optimizer {
    bp_method method;
    bp_dtype dtype;
    bp_identity *identity;
    double settings[BP_OPTIMIZER_SETTING_COUNT];
};

/* That the optimizer is there and was made for this net. */
bp_status bp_check_optimizer(const char *function, const bp_optimizer *opt, const bp_net *net);

#endif
