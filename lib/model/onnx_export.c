/* A net as an ONNX model: a chain of nodes, built in the structs of protobuf-c and packed by it. */
#include "bp/onnx.h"

#include "bp/version.h"

#include "core/file.h"
#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "model/json_texts.h"
#include "model/onnx.h"
#include "model/tensors.h"
#include "net/net.h"
#include "net/packing.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NAME_SIZE: of "layers.N.word". A layer is one node, and at most NODES_OF_ACTIVATION more; scaling OF_SCALING nodes and tensors. */
enum { NAME_SIZE = 48, NODES_OF_ACTIVATION = 5, OF_SCALING = 2, N_CONSTANTS = 3, OWN_METADATA = 3 };

typedef struct block {
    struct block *next;
    max_align_t memory[];
} block;

typedef struct builder {
    const bp_net *net;
    block *blocks; /* all that the model points to, but for the parameters and the net's own texts */
    bool failed;   /* there was no memory; whatever is added then is left out */
    BpOnnx__ModelProto model;
    BpOnnx__GraphProto graph;
    bool has_constant[N_CONSTANTS];
} builder;

/* Numbers that activations of several layers share. */
typedef enum constant { HALF, ONE, SQRT_HALF } constant;

static const char *const constant_names[N_CONSTANTS] = {"half", "one", "sqrt_half"};
static const double constant_values[N_CONSTANTS] = {0.5, 1, 0.70710678118654752440084436210485};

/* Zeroed memory that lives as long as the model. */
static void *take(builder *b, size_t count, size_t size)
{
    size_t bytes;
    block *made = !b->failed && bp_multiply(count, size, &bytes) && bp_add(bytes, sizeof *made, &bytes) ? calloc(1, bytes) : NULL;
    if (!made) {
        b->failed = true;
        return NULL;
    }
    made->next = b->blocks;
    b->blocks = made;
    return made->memory;
}

static char *copy_text(builder *b, const char *text)
{
    char *made = take(b, strlen(text) + 1, 1);
    return made ? strcpy(made, text) : NULL;
}

static char *layer_name(builder *b, size_t layer, const char *word)
{
    char *name = take(b, NAME_SIZE, 1);
    if (name) {
        snprintf(name, NAME_SIZE, "layers.%zu.%s", layer, word);
    }
    return name;
}

/* ---- tensors ---- */

/* An initializer of rows × columns numbers at data, which must stay; columns 0: a vector, and rows 0, too: a single number. */
static void add_tensor(builder *b, char *name, size_t rows, size_t columns, void *data)
{
    size_t width = bp_dtype_size(b->net->dtype), size = (rows ? rows : 1) * (columns ? columns : 1) * width;
    BpOnnx__TensorProto *tensor = take(b, 1, sizeof *tensor);
    int64_t *dims = take(b, 2, sizeof *dims);
    void *swapped = BP_TENSORS_SWAPPED ? take(b, size, 1) : NULL;
    if (b->failed) {
        return;
    }
    if (BP_TENSORS_SWAPPED) {
        bp_swap_bytes(swapped, data, size, (unsigned)width);
    }
    bp_onnx__tensor_proto__init(tensor);
    dims[0] = (int64_t)rows;
    dims[1] = (int64_t)columns;
    tensor->dims = dims;
    tensor->n_dims = columns ? 2 : rows ? 1 : 0;
    tensor->name = name;
    tensor->has_data_type = 1;
    tensor->data_type = b->net->dtype == BP_F32 ? BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT : BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){size, BP_TENSORS_SWAPPED ? swapped : data};
    b->graph.initializer[b->graph.n_initializer++] = tensor;
}

/* The name of a constant, which becomes an initializer when it is first asked for. */
static char *constant_name(builder *b, constant which)
{
    char *name = copy_text(b, constant_names[which]);
    double *number = take(b, 1, sizeof *number);
    if (number && !b->has_constant[which]) {
        b->has_constant[which] = true;
        *number = constant_values[which];
        if (b->net->dtype == BP_F32) {
            *(float *)(void *)number = (float)constant_values[which];
        }
        add_tensor(b, name, 0, 0, number);
    }
    return name;
}

/* ---- nodes ---- */

/* A node of one output, after which it is named; inputs that are NULL are not there. NULL: no memory. */
static BpOnnx__NodeProto *add_node(builder *b, const char *op_type, char *output, char *first, char *second, char *third)
{
    BpOnnx__NodeProto *node = take(b, 1, sizeof *node);
    char **names = take(b, 4, sizeof *names), *type = copy_text(b, op_type);
    BpOnnx__AttributeProto **attributes = take(b, 2, sizeof *attributes);
    if (b->failed) {
        return NULL;
    }
    bp_onnx__node_proto__init(node);
    names[0] = output;
    names[1] = first;
    names[2] = second;
    names[3] = third;
    node->name = output;
    node->op_type = type;
    node->output = names;
    node->n_output = 1;
    node->input = names + 1;
    node->n_input = third ? 3 : second ? 2 : 1;
    node->attribute = attributes;
    b->graph.node[b->graph.n_node++] = node;
    return node;
}

/* An attribute of a node that may be NULL; NULL: no memory. */
static BpOnnx__AttributeProto *add_attribute(builder *b, BpOnnx__NodeProto *node, const char *name,
                                             BpOnnx__AttributeProto__AttributeType type)
{
    BpOnnx__AttributeProto *attribute = take(b, 1, sizeof *attribute);
    char *copy = copy_text(b, name);
    if (b->failed) {
        return NULL;
    }
    bp_onnx__attribute_proto__init(attribute);
    attribute->name = copy;
    attribute->has_type = 1;
    attribute->type = type;
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

static void add_real(builder *b, BpOnnx__NodeProto *node, const char *name, double value)
{
    BpOnnx__AttributeProto *attribute = add_attribute(b, node, name, BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (attribute) {
        attribute->has_f = 1;
        attribute->f = (float)value;
    }
}

static void add_integer(builder *b, BpOnnx__NodeProto *node, const char *name, int64_t value)
{
    BpOnnx__AttributeProto *attribute = add_attribute(b, node, name, BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (attribute) {
        attribute->has_i = 1;
        attribute->i = value;
    }
}

static void add_operator(builder *b, bp_activation activation, char *e, char *y)
{
    const bp_onnx_activation *found = bp_onnx_activation_at(0);
    while (found->activation != activation) {
        found++;
    }
    BpOnnx__NodeProto *node = add_node(b, found->op_type, y, e, NULL, NULL);
    if (found->alpha != 0) {
        add_real(b, node, "alpha", found->alpha);
    }
    if (found->gamma != 0) {
        add_real(b, node, "gamma", found->gamma);
    }
    if (activation == BP_ACTIVATION_SOFTMAX) {
        add_integer(b, node, "axis", -1);
    }
}

/* ½ e (1 + erf(√½ e)), in the order in which PyTorch writes it */
static void add_gelu(builder *b, size_t layer, char *e, char *y)
{
    char *scaled = layer_name(b, layer, "scaled"), *erf = layer_name(b, layer, "erf");
    char *sum = layer_name(b, layer, "sum"), *product = layer_name(b, layer, "product");
    add_node(b, "Mul", scaled, e, constant_name(b, SQRT_HALF), NULL);
    add_node(b, "Erf", erf, scaled, NULL, NULL);
    add_node(b, "Add", sum, erf, constant_name(b, ONE), NULL);
    add_node(b, "Mul", product, e, sum, NULL);
    add_node(b, "Mul", y, product, constant_name(b, HALF), NULL);
}

/* y = f(e) */
static void add_activation(builder *b, size_t layer, bp_activation activation, char *e, char *y)
{
    if (activation == BP_ACTIVATION_GELU) {
        add_gelu(b, layer, e, y);
    } else if (activation == BP_ACTIVATION_SILU) {
        char *sigmoid = layer_name(b, layer, "sigmoid");
        add_node(b, "Sigmoid", sigmoid, e, NULL, NULL);
        add_node(b, "Mul", y, e, sigmoid, NULL);
    } else if (activation == BP_ACTIVATION_GAUSSIAN) {
        char *square = layer_name(b, layer, "square"), *negative = layer_name(b, layer, "negative");
        add_node(b, "Mul", square, e, e, NULL);
        add_node(b, "Neg", negative, square, NULL, NULL);
        add_node(b, "Exp", y, negative, NULL, NULL);
    } else {
        add_operator(b, activation, e, y);
    }
}

static void add_layers(builder *b, char *theta, char *x, char *output)
{
    size_t width = bp_dtype_size(b->net->dtype);
    for (size_t l = 0; l < b->net->n_layers; l++) {
        const bp_layer *layer = b->net->layers[l];
        bool linear = layer->activation == BP_ACTIVATION_IDENTITY;
        char *weight = layer_name(b, l, "weight"), *bias = layer->has_bias ? layer_name(b, l, "bias") : NULL;
        char *y = l + 1 == b->net->n_layers ? output : layer_name(b, l, "y"), *e = linear ? y : layer_name(b, l, "e");
        add_tensor(b, weight, layer->n_outputs, layer->n_inputs, theta);
        theta += layer->n_outputs * layer->n_inputs * width;
        if (layer->has_bias) {
            add_tensor(b, bias, layer->n_outputs, 0, theta);
            theta += layer->n_outputs * width;
        }
        add_integer(b, add_node(b, "Gemm", e, x, weight, bias), "transB", 1);
        if (!linear) {
            add_activation(b, l, layer->activation, e, y);
        }
        x = y;
    }
}

/* (x − offset) scale, if the net has it; returns the name of what the first layer sees. */
static char *add_input_scaling(builder *b, char *x)
{
    const bp_net_scaling *scaling = &b->net->input_scaling;
    if (!scaling->offset) {
        return x;
    }
    char *offset = copy_text(b, "input.offset"), *scale = copy_text(b, "input.scale");
    char *shifted = copy_text(b, "input.shifted"), *scaled = copy_text(b, "input.scaled");
    add_tensor(b, offset, b->net->n_inputs, 0, scaling->offset);
    add_tensor(b, scale, b->net->n_inputs, 0, scaling->scale);
    add_node(b, "Sub", shifted, x, offset, NULL);
    add_node(b, "Mul", scaled, shifted, scale, NULL);
    return scaled;
}

/* y / scale + offset */
static void add_output_scaling(builder *b, char *y, char *output)
{
    const bp_net_scaling *scaling = &b->net->output_scaling;
    size_t n = bp_net_output_count(b->net);
    char *offset = copy_text(b, "output.offset"), *scale = copy_text(b, "output.scale"), *divided = copy_text(b, "output.divided");
    add_tensor(b, offset, n, 0, scaling->offset);
    add_tensor(b, scale, n, 0, scaling->scale);
    add_node(b, "Div", divided, y, scale, NULL);
    add_node(b, "Add", output, divided, offset, NULL);
}

/* ---- the model around them ---- */

/* The model's input or output, batch × width. */
static BpOnnx__ValueInfoProto **make_value(builder *b, char *name, size_t width)
{
    BpOnnx__ValueInfoProto **list = take(b, 1, sizeof *list), *value = take(b, 1, sizeof *value);
    BpOnnx__TypeProto *type = take(b, 1, sizeof *type);
    BpOnnx__TypeProto__Tensor *tensor = take(b, 1, sizeof *tensor);
    BpOnnx__TensorShapeProto *shape = take(b, 1, sizeof *shape);
    BpOnnx__TensorShapeProto__Dimension **dims = take(b, 2, sizeof *dims), *batch = take(b, 1, sizeof *batch),
                                        *of_width = take(b, 1, sizeof *of_width);
    char *batch_name = copy_text(b, "batch");
    if (b->failed) {
        return NULL;
    }
    bp_onnx__tensor_shape_proto__dimension__init(batch);
    batch->value_case = BP_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    batch->dim_param = batch_name;
    bp_onnx__tensor_shape_proto__dimension__init(of_width);
    of_width->value_case = BP_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    of_width->dim_value = (int64_t)width;
    dims[0] = batch;
    dims[1] = of_width;
    bp_onnx__tensor_shape_proto__init(shape);
    shape->n_dim = 2;
    shape->dim = dims;
    bp_onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = 1;
    tensor->elem_type = b->net->dtype == BP_F32 ? BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT : BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
    tensor->shape = shape;
    bp_onnx__type_proto__init(type);
    type->value_case = BP_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    bp_onnx__value_info_proto__init(value);
    value->name = name;
    value->type = type;
    list[0] = value;
    return list;
}

static void add_metadata(builder *b, const char *key, char *value)
{
    BpOnnx__StringStringEntryProto *entry = take(b, 1, sizeof *entry);
    char *copy = copy_text(b, key);
    if (b->failed) {
        return;
    }
    bp_onnx__string_string_entry_proto__init(entry);
    entry->key = copy;
    entry->value = value;
    b->model.metadata_props[b->model.n_metadata_props++] = entry;
}

/* Names as a JSON array. */
static void add_names(builder *b, const char *key, size_t n, const char *(*name)(const bp_net *net, size_t index))
{
    char *text = bp_json_texts(b->net, n, name);
    if (text) {
        add_metadata(b, key, copy_text(b, text));
    } else {
        b->failed = true;
    }
    free(text);
}

static void add_texts(builder *b)
{
    const bp_net *net = b->net;
    b->model.metadata_props = take(b, net->n_metadata + OWN_METADATA, sizeof *b->model.metadata_props);
    add_metadata(b, BP_ONNX_RULE, copy_text(b, bp_rule_name(net->rule)));
    if (net->input_names) {
        add_names(b, BP_ONNX_INPUT_NAMES, net->n_inputs, bp_net_input_name);
    }
    if (net->class_names) {
        add_names(b, BP_ONNX_CLASS_NAMES, net->n_classes, bp_net_class_name);
    }
    for (size_t i = 0; i < net->n_metadata; i++) {
        add_metadata(b, net->metadata[2 * i], net->metadata[2 * i + 1]);
    }
}

static void add_heading(builder *b)
{
    BpOnnx__OperatorSetIdProto **sets = take(b, 1, sizeof *sets), *set = take(b, 1, sizeof *set);
    char *domain = copy_text(b, "");
    b->model.producer_name = copy_text(b, "libbp");
    b->model.producer_version = copy_text(b, bp_version());
    b->graph.name = copy_text(b, "net");
    if (b->failed) {
        return;
    }
    bp_onnx__operator_set_id_proto__init(set);
    set->domain = domain;
    set->has_version = 1;
    set->version = BP_ONNX_OPERATOR_SET;
    sets[0] = set;
    b->model.opset_import = sets;
    b->model.n_opset_import = 1;
    b->model.has_ir_version = 1;
    b->model.ir_version = BP_ONNX_IR_VERSION;
    b->model.graph = &b->graph;
}

/* theta: the parameters, packed. */
static void build(builder *b, char *theta)
{
    size_t n_layers = b->net->n_layers;
    char *input = copy_text(b, "input"), *output = copy_text(b, "output");
    bp_onnx__model_proto__init(&b->model);
    bp_onnx__graph_proto__init(&b->graph);
    add_heading(b);
    add_texts(b);
    b->graph.node = take(b, 2 * OF_SCALING + n_layers * (1 + NODES_OF_ACTIVATION), sizeof *b->graph.node);
    b->graph.initializer = take(b, 2 * OF_SCALING + 2 * n_layers + N_CONSTANTS, sizeof *b->graph.initializer);
    b->graph.input = make_value(b, input, b->net->n_inputs);
    b->graph.output = make_value(b, output, bp_net_output_count(b->net));
    b->graph.n_input = b->graph.n_output = 1;
    bool scales = b->net->output_scaling.offset;
    char *y = scales ? copy_text(b, "output.scaled") : output;
    add_layers(b, theta, add_input_scaling(b, input), y);
    if (scales) {
        add_output_scaling(b, y, output);
    }
}

static bp_status check(const char *function, const bp_net *net)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (!net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is not initialized; call bp_net_initialize first", function);
    }
    for (size_t i = 0; i < net->n_metadata; i++) {
        if (strncmp(net->metadata[2 * i], BP_ONNX_OWN_METADATA, sizeof BP_ONNX_OWN_METADATA - 1) == 0) {
            return bp_fail(BP_ERROR_ARGUMENT,
                           "%s: the metadata have the key %.60s; keys that begin with " BP_ONNX_OWN_METADATA
                           " are the library's own in ONNX files",
                           function, net->metadata[2 * i]);
        }
    }
    return BP_OK;
}

/* The file's bytes, freed by free. */
static bp_status pack(const char *function, const bp_net *net, unsigned char **bytes, size_t *size)
{
    bp_status status = check(function, net);
    if (status != BP_OK) {
        return status;
    }
    builder b = {.net = net};
    void *theta = bp_allocate(net->parameter_count, bp_dtype_size(net->dtype));
    if (theta) {
        bp_parameters_pack(net, net->parameters, theta);
        build(&b, theta);
    }
    size_t packed_size = theta && !b.failed ? bp_onnx__model_proto__get_packed_size(&b.model) : 0;
    unsigned char *packed = packed_size > 0 && packed_size <= INT_MAX ? malloc(packed_size) : NULL;
    if (packed) {
        *size = bp_onnx__model_proto__pack(&b.model, packed);
        *bytes = packed;
    } else if (packed_size > INT_MAX) {
        status = bp_fail(BP_ERROR_UNSUPPORTED, "%s: the net needs %zu bytes; an ONNX file has at most %d", function, packed_size, INT_MAX);
    } else {
        status = bp_fail_memory(function);
    }
    for (block *next; b.blocks; b.blocks = next) {
        next = b.blocks->next;
        free(b.blocks);
    }
    free(theta);
    return status;
}

bp_status bp_net_export_onnx(const bp_net *net, const char *path)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    bp_status status = path ? pack(__func__, net, &bytes, &size) : bp_fail_null(__func__, "path");
    if (status == BP_OK) {
        const bp_piece piece = {bytes, size};
        status = bp_file_replace(__func__, path, 1, &piece);
    }
    free(bytes);
    return status;
}

bp_status bp_net_export_onnx_memory(const bp_net *net, void **bytes, size_t *size)
{
    unsigned char *packed;
    bp_status status = bytes && size ? pack(__func__, net, &packed, size) : bp_fail_null(__func__, bytes ? "size" : "bytes");
    if (status == BP_OK) {
        *bytes = packed;
    }
    return status;
}
