/* The walk along a graph: what is known about its values, and where on the chain it stands. */
#ifndef BP_MODEL_ONNX_GRAPH_H
#define BP_MODEL_ONNX_GRAPH_H

#include "model/onnx_read.h"

/* What a value is, once the node that gives it has been walked past. */
typedef enum bp_onnx_form {
    BP_ONNX_NOT_YET,
    BP_ONNX_CONSTANT,
    BP_ONNX_CHAIN,  /* the input, or what it has become: the latest of these is the head */
    BP_ONNX_PART,   /* a part of an activation */
    BP_ONNX_LABEL,  /* an ArgMax, or what follows from it alone */
    BP_ONNX_IGNORED /* nobody may use it */
} bp_onnx_form;

/* Functions of e, the head, of which activations are made; each times a factor. */
typedef enum bp_onnx_part {
    BP_ONNX_E,
    BP_ONNX_SIGMOID,
    BP_ONNX_ERF,        /* erf(√½ e) */
    BP_ONNX_ERF_PLUS_1, /* 1 + erf(√½ e) */
    BP_ONNX_ABS,
    BP_ONNX_ABS_PLUS_1,
    BP_ONNX_SQUARE,
    BP_ONNX_E_SIGMOID,         /* silu */
    BP_ONNX_E_ERF_PLUS_1,      /* half of it is gelu */
    BP_ONNX_E_OVER_ABS_PLUS_1, /* softsign */
    BP_ONNX_GAUSSIAN
} bp_onnx_part;

typedef struct bp_onnx_value {
    const char *name;
    bp_onnx_form form;
    size_t n_uses; /* as inputs of nodes, ArgMax apart */
    const BpOnnx__TensorProto *constant;
    bp_onnx_part part;
    double factor;
    const struct bp_onnx_value *e; /* the head that it is a part of */
} bp_onnx_value;

typedef enum bp_onnx_stage {
    BP_ONNX_BEFORE_LAYERS,
    BP_ONNX_AFTER_LAYER,
    BP_ONNX_AFTER_ACTIVATION,
    BP_ONNX_AFTER_LAST /* outputs have been scaled */
} bp_onnx_stage;

typedef struct bp_onnx_graph {
    const bp_onnx_source *from;
    const BpOnnx__GraphProto *proto;
    int64_t operator_set;
    bp_onnx_chain *chain;
    bp_onnx_value *values; /* sorted by name */
    size_t n_values;
    /* the head */
    bp_onnx_value *head;
    bp_onnx_stage stage;
    int type;                    /* of its elements; 0: not known */
    bool cast;                   /* it has been cast */
    size_t rank, width;          /* 0: not known; width: elements of a sample */
    int64_t batch;               /* samples, where the model says how many; else 0 */
    const bp_onnx_value *scores; /* of the latest ArgMax */
    /* the node that is walked past */
    const BpOnnx__NodeProto *node;
    char what[120]; /* what it is called in sentences */
} bp_onnx_graph;

/* "function: path: node 3 "fc1" (Gemm): …" */
bp_status bp_onnx_fail_node(const bp_onnx_graph *g, bp_status status, const char *format, ...) BP_PRINTF(3, 4);

/* The value of this name; NULL: there is none. */
bp_onnx_value *bp_onnx_find(const bp_onnx_graph *g, const char *name);

/* The node's input of this index; NULL: it is left out. */
bp_onnx_value *bp_onnx_input(const bp_onnx_graph *g, size_t index);

/* The node's attribute of this name; NULL: it has none. */
const BpOnnx__AttributeProto *bp_onnx_attribute(const bp_onnx_graph *g, const char *name);

/* Its value; INT64_MIN or NaN, which no operator takes: it is of another type. */
int64_t bp_onnx_integer(const bp_onnx_graph *g, const char *name, int64_t otherwise);
double bp_onnx_real(const bp_onnx_graph *g, const char *name, double otherwise);

/* Whether the input of this index is the head, or else why it is not. */
bp_status bp_onnx_take_head(const bp_onnx_graph *g, size_t index);

/* The constant that a value is, of the element type of the head, whose type it becomes where that is not known. */
bp_status bp_onnx_take_numbers(bp_onnx_graph *g, const bp_onnx_value *value, bp_onnx_tensor *tensor);

/* The numbers are one for all columns, or one a column of a batch × width. */
bool bp_onnx_is_row(const bp_onnx_tensor *tensor, size_t width);

/* The node's output is the new head. */
void bp_onnx_advance(bp_onnx_graph *g, bp_onnx_stage stage);

/* The layer that the walk has come past is followed by this activation. */
bp_status bp_onnx_activate(bp_onnx_graph *g, bp_activation activation);

/* Walks past a node of this operator, which changes no number. bp_onnx_pass is for Identity. */
bp_status bp_onnx_constant(bp_onnx_graph *g);
bp_status bp_onnx_pass(bp_onnx_graph *g);
bp_status bp_onnx_dropout(bp_onnx_graph *g);
bp_status bp_onnx_cast(bp_onnx_graph *g);
bp_status bp_onnx_flatten(bp_onnx_graph *g);
bp_status bp_onnx_reshape(bp_onnx_graph *g);
bp_status bp_onnx_arg_max(bp_onnx_graph *g);

/* Walks past a Gemm or MatMul; past Add, Sub, Mul, Div, Pow; past an operator of one input that is an activation or a part of one. */
bp_status bp_onnx_gemm(bp_onnx_graph *g);
bp_status bp_onnx_matmul(bp_onnx_graph *g);
bp_status bp_onnx_arithmetic(bp_onnx_graph *g);
bp_status bp_onnx_function(bp_onnx_graph *g);

/* The head plus sign × a constant: the layer's bias. The head operation (+, -, *, /) a constant: scaling, of inputs or outputs. */
bp_status bp_onnx_shift(bp_onnx_graph *g, const bp_onnx_value *value, double sign);
bp_status bp_onnx_scale(bp_onnx_graph *g, char operation, const bp_onnx_value *value);

#endif
