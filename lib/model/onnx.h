/* What writer and reader of ONNX share. The structs are those that protobuf-c makes of ONNX's own onnx.proto when the library is built. */
#ifndef BP_MODEL_ONNX_H
#define BP_MODEL_ONNX_H

#include "bp/activation.h"

#include "bp_onnx.pb-c.h"

/* The operator set is one that tools from 2020 on read, and in which each of these operators has its form of today. */
enum { BP_ONNX_IR_VERSION = 7, BP_ONNX_OPERATOR_SET = 13, BP_ONNX_OLDEST_OPERATOR_SET = 7 };

#define BP_ONNX_OWN_METADATA "libbp."
#define BP_ONNX_RULE "libbp.rule"
#define BP_ONNX_INPUT_NAMES "libbp.input_names"
#define BP_ONNX_CLASS_NAMES "libbp.class_names"

/* An operator that is an activation of this library if its attributes have these values, which are the operator's defaults; 0: it has no such. */
typedef struct bp_onnx_activation {
    const char *op_type;
    bp_activation activation;
    double alpha, gamma;
} bp_onnx_activation;

/* The n-th; op_type is NULL behind the last one. Those that are written come before others that are only read. */
const bp_onnx_activation *bp_onnx_activation_at(size_t n);

#endif
