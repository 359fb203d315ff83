/**
 * Nets to and from ONNX, the format in which other tools run and exchange nets (onnx.ai).
 *
 *     bp_net_export_onnx(net, "digits.onnx");    // for onnxruntime and the like
 *     bp_net_import_onnx(&net, "mlp.onnx");      // from PyTorch, scikit-learn and the like
 *
 * Exported is a model of operator set 13 (IR version 7) with one input "input" (batch × n_inputs) and one output "output" (batch × n_outputs),
 * the batch free, in the net's element type. A layer is a Gemm with the weights layers.N.weight (n_outputs × n_inputs) and, where there is one,
 * layers.N.bias; activations are the standard operators or, for gelu, silu and gaussian, made of Erf, Sigmoid and Exp; input scaling is Sub and Mul
 * in front, output scaling Div and Add behind. The net's metadata are the model's; "libbp.rule", "libbp.input_names" and "libbp.class_names" (JSON
 * arrays) are added. What training has for itself (dropout, noise, frozen layers) is not in it. An f64 net is a model of doubles, for which not every
 * tool has every operator.
 *
 * Imported is what is a chain of layers, of operator set 7 or later, with f32 or f64 numbers in the file itself:
 * - a layer as Gemm, or as MatMul, and Add or Sub for its bias, then at most one activation: Sigmoid, Tanh, Relu, LeakyRelu (0.01), Elu and Celu
 *   (alpha 1), Selu, Gelu, Softplus, Softsign, Sin, Softmax (at the end, over the features), or silu, gelu, softsign and gaussian made of simpler
 *   operators;
 * - Sub, Add, Mul, Div by constants in front of the first layer, and behind the last one and its activation: they become the net's input and output
 *   scaling;
 * - Identity, Dropout, Cast, Flatten and Reshape where they change no number;
 * - ArgMax and what only follows from it is dropped: the net gives the scores, and the caller finds the largest.
 * Everything else is refused, with the node and its operator named. A constant may be the weights of several layers, each of which has them then;
 * the net has no more weights than one for each 2 bytes of the file.
 *
 * A build without protobuf-c has these functions, which return BP_ERROR_UNSUPPORTED.
 */
#ifndef BP_ONNX_H
#define BP_ONNX_H

#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes an initialized net. The file is replaced whole or not at all (bp_net_save). Returns BP_ERROR_ARGUMENT (NULL, a metadata key that begins with
 * "libbp."), BP_ERROR_STATE (the net is not initialized), BP_ERROR_UNSUPPORTED (more than the 2 GiB that such a file can have; this build has no
 * ONNX), BP_ERROR_IO, BP_ERROR_MEMORY. Read-only.
 */
BP_API bp_status bp_net_export_onnx(const bp_net *net, const char *path);

/** The bytes of such a file in memory; the caller gives them to bp_free. Returns as bp_net_export_onnx. Read-only. */
BP_API bp_status bp_net_export_onnx_memory(const bp_net *net, void **bytes, size_t *size);

/**
 * Makes the net that a model is, in the model's element type. The caller destroys it. Any file may be given.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_IO, BP_ERROR_FORMAT (no ONNX model, damaged, numbers and shapes that do not fit together),
 * BP_ERROR_UNSUPPORTED (a model that is no chain of layers, an operator, attribute, element type or version that this library has not, numbers in
 * other files; this build has no ONNX), BP_ERROR_NONFINITE (a number that is NaN, infinite or beyond the type), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_import_onnx(bp_net **net, const char *path);

/** A net from such bytes, which are not needed afterwards. Returns as bp_net_import_onnx. */
BP_API bp_status bp_net_import_onnx_memory(bp_net **net, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
