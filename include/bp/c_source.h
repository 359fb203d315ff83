/**
 * A trained net as C source: for microcontrollers, and for programs that are to have no library.
 *
 *     bp_net_export_c(net, "digits.c", "digits");
 */
#ifndef BP_C_SOURCE_H
#define BP_C_SOURCE_H

#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes an initialized net as one file of C99 with one function that others can call,
 *
 *     void function_name(const float *x, float *y);
 *
 * double for an f64 net, that computes what bp_net_predict does for one sample: input scaling, layers, output scaling. Sums are in another
 * order, so results agree up to rounding. It needs no library but C's mathematics, and that only for activations that have exp, tanh, erf
 * or sin; allocates nothing, keeps nothing between calls (threads may call it at a time) and has the hidden layers' outputs on the stack,
 * whose bytes are said in the file's first comment with layers, names of inputs and classes. Weights are constants, in decimal digits (9
 * for f32, 17 for f64) that give the same bits again. The file is ASCII; the same net and name give the same bytes. It is replaced whole or
 * not at all (bp_trainer_save).
 *
 * function_name: a C identifier of 1 to 63 characters, no keyword, without _ at the beginning, and no function that the file uses itself.
 *
 * Returns BP_ERROR_ARGUMENT (NULL, another function_name), BP_ERROR_STATE (the net is not initialized), BP_ERROR_NONFINITE (a parameter or
 * the scaling is NaN or infinite), BP_ERROR_IO, BP_ERROR_MEMORY. Read-only.
 */
BP_API bp_status bp_net_export_c(const bp_net *net, const char *path, const char *function_name);

#ifdef __cplusplus
}
#endif

#endif
