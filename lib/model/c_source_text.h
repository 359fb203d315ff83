/* The parts of exported C that are the same for every net, and what a function in it may be called. */
#ifndef BP_MODEL_C_SOURCE_TEXT_H
#define BP_MODEL_C_SOURCE_TEXT_H

#include "bp/activation.h"

#include <stdbool.h>

/* In these texts @ stands for the function's name, # for the element type and $ for the suffix of its constants and functions. */

/* e = W x + b */
extern const char bp_c_layer[];

/* The function @_NAME of an activation, NULL for identity; of one number, but for softmax. */
const char *bp_c_activation(bp_activation activation);

/* Whether that needs <math.h>. */
bool bp_c_needs_mathematics(bp_activation activation);

/* Why a text can be no name of a function there; NULL if it can. */
const char *bp_c_name_error(const char *name);

#endif
