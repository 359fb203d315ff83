/* What reads a model: the source it comes from, constants, and the walk along its graph. */
#ifndef BP_MODEL_ONNX_READ_H
#define BP_MODEL_ONNX_READ_H

#include "bp/dtype.h"

#include "core/status.h"
#include "model/onnx.h"

#include <stdbool.h>

/* What the sentence of a failure starts with. */
typedef struct bp_onnx_source {
    const char *function, *path;
    size_t size; /* of the bytes */
} bp_onnx_source;

/* "function: path: …" */
bp_status bp_onnx_fail(const bp_onnx_source *from, bp_status status, const char *format, ...) BP_PRINTF(3, 4);

/*
 * Whether protobuf-c can be given these bytes, which has no limits of its own: fields within their messages, none twice that can be there once,
 * at most BP_ONNX_MAX_DEPTH messages within one another and BP_ONNX_MAX_FIELDS fields in all. So its stack and its memory beside the bytes
 * themselves stay below 100 KB and 100 MB.
 */
enum { BP_ONNX_MAX_DEPTH = 50, BP_ONNX_MAX_FIELDS = 1 << 18 };
bp_status bp_onnx_check_bytes(const bp_onnx_source *from, const unsigned char *bytes, size_t size);

/* ---- constants ---- */

/* A tensor whose numbers are all there. */
typedef struct bp_onnx_tensor {
    const BpOnnx__TensorProto *proto;
    size_t count;
    unsigned width;            /* bytes of an element in data */
    const unsigned char *data; /* of this machine's byte order, or, if raw, little-endian */
    bool raw;
} bp_onnx_tensor;

/* "FLOAT", or NULL for a number that is no type known here. */
const char *bp_onnx_type_name(int type);

/* Checks type, shape and numbers of a tensor; what: what it is called in sentences. Types: FLOAT, DOUBLE, INT32, INT64, BOOL. */
bp_status bp_onnx_open_tensor(const bp_onnx_source *from, const char *what, const BpOnnx__TensorProto *proto, bp_onnx_tensor *tensor);

double bp_onnx_number(const bp_onnx_tensor *tensor, size_t index);

/* ---- the graph as a chain ---- */

typedef struct bp_onnx_layer {
    char *node; /* what it is called in sentences; freed by free */
    bp_onnx_tensor weight;
    bool transposed; /* weight is n_outputs × n_inputs */
    double alpha;    /* of weight */
    size_t n_inputs, n_outputs;
    double *bias; /* n_outputs, or NULL; freed by free */
    bp_activation activation;
} bp_onnx_layer;

typedef struct bp_onnx_scaling {
    size_t n; /* numbers in offset and scale: one for each input or output, or 1 for all of them, or 0: there is no scaling */
    double *offset, *scale;
} bp_onnx_scaling;

typedef struct bp_onnx_chain {
    bp_dtype dtype;
    bp_onnx_scaling input_scaling, output_scaling; /* as a net has them */
    size_t n_layers;
    bp_onnx_layer *layers;
    size_t n_weights; /* of all layers */
} bp_onnx_chain;

/* Fills a zeroed chain, which points into the model; whatever it returns, bp_onnx_chain_release ends what the chain holds. */
bp_status bp_onnx_walk(const bp_onnx_source *from, const BpOnnx__ModelProto *model, bp_onnx_chain *chain);
void bp_onnx_chain_release(bp_onnx_chain *chain);

#endif
