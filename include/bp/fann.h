/**
 * Nets of FANN (Fast Artificial Neural Network library), from its files.
 *
 *     bp_net_import_fann(&net, "xor.net", BP_F32);
 *     bp_net_save(net, "xor.safetensors");
 */
#ifndef BP_FANN_H
#define BP_FANN_H

#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a net that computes what FANN's does, from a file of libfann, libfloatfann or libdoublefann (FANN_FLO_1.1, 2.0, 2.1). The caller
 * destroys it. With s the steepness, which is in the weights here, FANN's activations become
 *
 *     FANN_LINEAR              s e                            identity
 *     FANN_SIGMOID             1 / (1 + exp(−2 s e))          sigmoid
 *     FANN_SIGMOID_SYMMETRIC   tanh(s e)                      tanh
 *     FANN_GAUSSIAN            exp(−(s e)²)                   gaussian
 *     FANN_ELLIOT_SYMMETRIC    s e / (1 + |s e|)              softsign
 *     FANN_SIN_SYMMETRIC       sin(s e)                       sine
 *     FANN_COS_SYMMETRIC       cos(s e) = sin(s e + π/2)      sine
 *     FANN_GAUSSIAN_SYMMETRIC  2 exp(−(s e)²) − 1             gaussian, 2 and −1 in the next layer's weights
 *     FANN_ELLIOT, _SIN, _COS  half the symmetric one + ½     the symmetric one's, ½ and ½ in the next layer's weights
 *
 * and behind the last layer in the net's output scaling.
 *
 * The others (steps, pieces of lines, stepwise approximations) are none of libbp's and refused, as are layers of several activations,
 * shortcut connections and files of fixed-point numbers. Connections that a sparse net has not are weights of 0.
 *
 * If the file has scaling, it becomes the net's input and output scaling, and the net takes and gives numbers as the data had them: as
 * fann_scale_input, fann_run and fann_descale_output in a row.
 *
 * FANN keeps s e within ±150 / s; this net does not. It matters for linear outputs beyond that, and for s above 5.
 *
 * Returns BP_ERROR_ARGUMENT (NULL, unknown dtype), BP_ERROR_IO, BP_ERROR_FORMAT (not such a file, damaged, cut short, a sparse net with
 * more weights than its file has bytes), BP_ERROR_UNSUPPORTED (see above), BP_ERROR_NONFINITE (a number that is NaN, infinite or beyond the
 * element type), BP_ERROR_MEMORY; the sentence has the place in the file. Any file may be given.
 */
BP_API bp_status bp_net_import_fann(bp_net **net, const char *path, bp_dtype dtype);

#ifdef __cplusplus
}
#endif

#endif
