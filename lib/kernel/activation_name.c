#include "bp/activation.h"

#include "core/status.h"

static const char *const names[] = {"identity", "sigmoid", "tanh",     "relu",     "leaky_relu", "elu",  "selu",
                                    "gelu",     "silu",    "softplus", "softsign", "gaussian",   "sine", "softmax"};

enum { ACTIVATION_COUNT = sizeof names / sizeof *names };

const char *bp_activation_name(bp_activation activation)
{
    return (unsigned)activation < ACTIVATION_COUNT ? names[activation] : NULL;
}

bp_status bp_activation_from_name(const char *name, bp_activation *activation)
{
    int value = bp_name_find(__func__, name, activation, ACTIVATION_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *activation = (bp_activation)value;
    return BP_OK;
}
