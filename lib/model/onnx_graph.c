/*
 * A graph is walked once, in its order, in which every value is given before it is used. There is one value, the head, that the net has come to; a
 * node that takes the head gives the next one. A node that takes an older one stands beside the chain, and is refused.
 */
#include "model/onnx_graph.h"

#include "core/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bp_status bp_onnx_fail_node(const bp_onnx_graph *g, bp_status status, const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return bp_onnx_fail(g->from, status, "%s: %s", g->what, text);
}

/* ---- values ---- */

static int compare_values(const void *a, const void *b)
{
    const bp_onnx_value *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    return order ? order : (int)first->form - (int)second->form;
}

bp_onnx_value *bp_onnx_find(const bp_onnx_graph *g, const char *name)
{
    size_t low = 0, high = g->n_values;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, g->values[middle].name);
        if (order == 0) {
            return g->values + middle;
        }
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return NULL;
}

bp_onnx_value *bp_onnx_input(const bp_onnx_graph *g, size_t index)
{
    return index < g->node->n_input && g->node->input[index][0] ? bp_onnx_find(g, g->node->input[index]) : NULL;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* All names that are given: by initializers, as inputs (BP_ONNX_CHAIN for now), and by nodes. */
static bp_status list_values(bp_onnx_graph *g)
{
    const BpOnnx__GraphProto *proto = g->proto;
    size_t n = proto->n_initializer + proto->n_input;
    for (size_t i = 0; i < proto->n_node; i++) {
        n += proto->node[i]->n_output;
    }
    g->values = calloc(n ? n : 1, sizeof *g->values);
    if (!g->values) {
        return bp_fail_memory(g->from->function);
    }
    bp_onnx_value *next = g->values;
    for (size_t i = 0; i < proto->n_initializer; i++) {
        const BpOnnx__TensorProto *constant = proto->initializer[i];
        *next++ = (bp_onnx_value){.name = text_of(constant->name), .form = BP_ONNX_CONSTANT, .constant = constant};
    }
    for (size_t i = 0; i < proto->n_input; i++) {
        *next++ = (bp_onnx_value){.name = text_of(proto->input[i]->name), .form = BP_ONNX_CHAIN};
    }
    for (size_t i = 0; i < proto->n_node; i++) {
        for (size_t j = 0; j < proto->node[i]->n_output; j++) {
            if (proto->node[i]->output[j][0]) {
                *next++ = (bp_onnx_value){.name = proto->node[i]->output[j]};
            }
        }
    }
    n = (size_t)(next - g->values);
    qsort(g->values, n, sizeof *g->values, compare_values);
    for (size_t i = 0; i < n; i++) {
        const bp_onnx_value *value = g->values + i;
        bp_onnx_value *last = g->n_values ? g->values + g->n_values - 1 : NULL;
        bool again = last && strcmp(last->name, value->name) == 0;
        /* until IR version 3 initializers were inputs, too, which a caller could replace */
        bool replaceable = again && last->form == BP_ONNX_CONSTANT && value->form == BP_ONNX_CHAIN;
        if (!value->name[0] || (again && !replaceable)) {
            return bp_onnx_fail(g->from, BP_ERROR_FORMAT,
                                value->name[0] ? "the graph has two values of the name \"%.60s\"" : "a value has no name%s", value->name);
        }
        if (!again) {
            g->values[g->n_values++] = *value;
        }
    }
    return BP_OK;
}

static void count_uses(const bp_onnx_graph *g)
{
    for (size_t i = 0; i < g->proto->n_node; i++) {
        const BpOnnx__NodeProto *node = g->proto->node[i];
        for (size_t j = 0; j < node->n_input && strcmp(text_of(node->op_type), "ArgMax") != 0; j++) {
            bp_onnx_value *value = bp_onnx_find(g, node->input[j]);
            if (value) {
                value->n_uses++;
            }
        }
    }
}

/* ---- the input ---- */

static bp_status read_shape(bp_onnx_graph *g, const char *name, const BpOnnx__TensorShapeProto *shape)
{
    g->rank = shape->n_dim;
    if (g->rank < 2) {
        return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "the input \"%.60s\" has %zu dimensions; a net takes batch × features", name,
                            g->rank);
    }
    size_t width = 1;
    for (size_t i = 0; i < g->rank; i++) {
        bool known = shape->dim[i]->value_case == BP_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        int64_t dim = known ? shape->dim[i]->dim_value : 0;
        if (dim < 0 || (known && dim == 0 && i > 0) || (uint64_t)dim > BP_MAX_DIMENSION ||
            (i > 0 && (!bp_multiply(width, (size_t)dim, &width) || width > BP_MAX_DIMENSION))) {
            return bp_onnx_fail(g->from, BP_ERROR_FORMAT, "the input \"%.60s\" has a dimension of %lld; this library takes 1 to %zu", name,
                                (long long)dim, BP_MAX_DIMENSION);
        }
        g->batch = i == 0 ? dim : g->batch;
    }
    g->width = width;
    return BP_OK;
}

static bp_status start(bp_onnx_graph *g)
{
    const BpOnnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < g->proto->n_input; i++) {
        bp_onnx_value *value = bp_onnx_find(g, g->proto->input[i]->name);
        if (value->form == BP_ONNX_CONSTANT) {
            continue;
        }
        if (input) {
            return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "it has the inputs \"%.60s\" and \"%.60s\"; a net has one", input->name,
                                value->name);
        }
        input = g->proto->input[i];
        g->head = value;
    }
    if (!input) {
        return bp_onnx_fail(g->from, BP_ERROR_FORMAT, "it has no input");
    }
    const BpOnnx__TypeProto *type = input->type;
    if (type && type->value_case != BP_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) {
        return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "the input \"%.60s\" is no tensor", input->name);
    }
    g->type = type ? type->tensor_type->elem_type : 0;
    return type && type->tensor_type->shape ? read_shape(g, input->name, type->tensor_type->shape) : BP_OK;
}

/* ---- nodes ---- */

const BpOnnx__AttributeProto *bp_onnx_attribute(const bp_onnx_graph *g, const char *name)
{
    for (size_t i = 0; i < g->node->n_attribute; i++) {
        if (strcmp(text_of(g->node->attribute[i]->name), name) == 0) {
            return g->node->attribute[i];
        }
    }
    return NULL;
}

/* Writers of protobuf 3 leave out a value that is 0, and some old ones the type. */
static bool has_type(const BpOnnx__AttributeProto *attribute, BpOnnx__AttributeProto__AttributeType type)
{
    return attribute->type == type || attribute->type == BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED;
}

int64_t bp_onnx_integer(const bp_onnx_graph *g, const char *name, int64_t otherwise)
{
    const BpOnnx__AttributeProto *attribute = bp_onnx_attribute(g, name);
    if (!attribute) {
        return otherwise;
    }
    return has_type(attribute, BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT) ? attribute->i : INT64_MIN;
}

double bp_onnx_real(const bp_onnx_graph *g, const char *name, double otherwise)
{
    const BpOnnx__AttributeProto *attribute = bp_onnx_attribute(g, name);
    if (!attribute) {
        return otherwise;
    }
    return has_type(attribute, BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT) ? (double)attribute->f : (double)NAN;
}

bp_status bp_onnx_take_head(const bp_onnx_graph *g, size_t index)
{
    const bp_onnx_value *value = bp_onnx_input(g, index);
    if (!value) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "it has no input %zu", index);
    }
    if (value == g->head) {
        return BP_OK;
    }
    return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "its input \"%.40s\" is %s", value->name,
                             value->form == BP_ONNX_CONSTANT ? "a constant; the other way round it would be a layer"
                             : value->form == BP_ONNX_PART   ? "no activation that this library has"
                                                             : "not what the chain of layers has come to: the graph branches there");
}

bp_status bp_onnx_take_numbers(bp_onnx_graph *g, const bp_onnx_value *value, bp_onnx_tensor *tensor)
{
    if (!value || value->form != BP_ONNX_CONSTANT) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "its weights, \"%.40s\", are not constant", value ? value->name : "");
    }
    char what[180];
    snprintf(what, sizeof what, "%s: \"%.40s\"", g->what, value->name);
    bp_status status = bp_onnx_open_tensor(g->from, what, value->constant, tensor);
    if (status != BP_OK) {
        return status;
    }
    int type = value->constant->data_type;
    if (type != BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && type != BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE) {
        return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "%s has the element type %s", what, bp_onnx_type_name(type));
    }
    if (g->type && g->type != type) {
        return bp_onnx_fail(g->from, BP_ERROR_FORMAT, "%s has the element type %s, but is used with %s", what, bp_onnx_type_name(type),
                            bp_onnx_type_name(g->type));
    }
    g->type = type;
    return BP_OK;
}

bool bp_onnx_is_row(const bp_onnx_tensor *tensor, size_t width)
{
    size_t rank = tensor->proto->n_dims;
    return rank <= 2 && (tensor->count == 1 || (tensor->count == width && (uint64_t)tensor->proto->dims[rank - 1] == width));
}

void bp_onnx_advance(bp_onnx_graph *g, bp_onnx_stage stage)
{
    g->head = bp_onnx_find(g, g->node->output[0]);
    g->head->form = BP_ONNX_CHAIN;
    g->stage = stage;
}

bp_status bp_onnx_activate(bp_onnx_graph *g, bp_activation activation)
{
    if (g->stage != BP_ONNX_AFTER_LAYER) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED,
                                 g->stage == BP_ONNX_BEFORE_LAYERS ? "an activation in front of the first layer"
                                 : g->stage == BP_ONNX_AFTER_LAST  ? "an activation behind the scaling of outputs"
                                                                   : "a second activation behind one layer");
    }
    g->chain->layers[g->chain->n_layers - 1].activation = activation;
    bp_onnx_advance(g, BP_ONNX_AFTER_ACTIVATION);
    return BP_OK;
}

static const struct {
    const char *op_type;
    bp_status (*walk)(bp_onnx_graph *g);
} operators[] = {
    {"Gemm", bp_onnx_gemm},       {"MatMul", bp_onnx_matmul},   {"Add", bp_onnx_arithmetic}, {"Sub", bp_onnx_arithmetic},
    {"Mul", bp_onnx_arithmetic},  {"Div", bp_onnx_arithmetic},  {"Pow", bp_onnx_arithmetic}, {"Neg", bp_onnx_function},
    {"Abs", bp_onnx_function},    {"Erf", bp_onnx_function},    {"Exp", bp_onnx_function},   {"Constant", bp_onnx_constant},
    {"Identity", bp_onnx_pass},   {"Dropout", bp_onnx_dropout}, {"Cast", bp_onnx_cast},      {"Flatten", bp_onnx_flatten},
    {"Reshape", bp_onnx_reshape}, {"ArgMax", bp_onnx_arg_max},
};

/* Whether it tells only about labels: then it is left out, whatever it does. */
static bool is_of_labels(const bp_onnx_graph *g)
{
    bool found = false;
    for (size_t i = 0; i < g->node->n_input; i++) {
        const bp_onnx_value *input = bp_onnx_input(g, i);
        if (input && input->form != BP_ONNX_CONSTANT && input->form != BP_ONNX_LABEL) {
            return false;
        }
        found |= input && input->form == BP_ONNX_LABEL;
    }
    return found;
}

static bp_status walk_past(bp_onnx_graph *g, size_t index)
{
    const BpOnnx__NodeProto *node = g->node = g->proto->node[index];
    const char *op_type = text_of(node->op_type), *domain = text_of(node->domain), *name = text_of(node->name);
    snprintf(g->what, sizeof g->what, name[0] ? "node %zu, \"%.40s\" (%.40s)" : "node %zu%s (%.40s)", index, name, op_type);
    if (node->n_output == 0 || !node->output[0][0]) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "it has no output");
    }
    for (size_t i = 0; i < node->n_input; i++) {
        const bp_onnx_value *input = bp_onnx_input(g, i);
        if (node->input[i][0] && (!input || input->form == BP_ONNX_NOT_YET)) {
            return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "its input \"%.60s\" is given by nothing before it", node->input[i]);
        }
    }
    bool of_labels = is_of_labels(g);
    for (size_t i = 0; i < node->n_output; i++) {
        if (node->output[i][0]) {
            bp_onnx_find(g, node->output[i])->form = of_labels ? BP_ONNX_LABEL : BP_ONNX_IGNORED;
        }
    }
    if (of_labels) {
        return BP_OK;
    }
    if (!domain[0] || strcmp(domain, "ai.onnx") == 0) {
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
            if (strcmp(operators[i].op_type, op_type) == 0) {
                return operators[i].walk(g);
            }
        }
        for (const bp_onnx_activation *a = bp_onnx_activation_at(0); a->op_type; a++) {
            if (strcmp(a->op_type, op_type) == 0) {
                return bp_onnx_function(g);
            }
        }
    }
    return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "the operator %.40s%s%.40s is not supported", domain, domain[0] ? "." : "", op_type);
}

/* The outputs, labels apart, are the end of the chain. */
static bp_status finish(const bp_onnx_graph *g)
{
    const bp_onnx_value *end = NULL;
    for (size_t i = 0; i < g->proto->n_output; i++) {
        const char *name = text_of(g->proto->output[i]->name);
        const bp_onnx_value *output = bp_onnx_find(g, name);
        if (!output) {
            return bp_onnx_fail(g->from, BP_ERROR_FORMAT, "the output \"%.60s\" is given by nothing", name);
        }
        if (output->form != BP_ONNX_LABEL && output != g->head) {
            return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "the output \"%.60s\" is %s", name,
                                output->form == BP_ONNX_PART ? "no activation that this library has"
                                                             : "not the end of the chain of layers");
        }
        end = output->form == BP_ONNX_LABEL ? end : output;
    }
    if (g->proto->n_output == 0 || g->chain->n_layers == 0) {
        return bp_onnx_fail(g->from, BP_ERROR_FORMAT, g->proto->n_output == 0 ? "it has no output" : "it has no layer");
    }
    if (!end && g->scores != g->head) {
        return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "its ArgMax is not of the end of the chain of layers");
    }
    g->chain->dtype = g->type == BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE ? BP_F64 : BP_F32;
    return BP_OK;
}

static bp_status find_operator_set(bp_onnx_graph *g, const BpOnnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = text_of(model->opset_import[i]->domain);
        if (!domain[0] || strcmp(domain, "ai.onnx") == 0) {
            g->operator_set = model->opset_import[i]->version;
        }
    }
    if (g->operator_set < BP_ONNX_OLDEST_OPERATOR_SET) {
        return bp_onnx_fail(g->from, BP_ERROR_UNSUPPORTED, "its operator set is %lld; this library reads %d and later",
                            (long long)g->operator_set, BP_ONNX_OLDEST_OPERATOR_SET);
    }
    return BP_OK;
}

bp_status bp_onnx_walk(const bp_onnx_source *from, const BpOnnx__ModelProto *model, bp_onnx_chain *chain)
{
    if (!model->graph) {
        return bp_onnx_fail(from, BP_ERROR_FORMAT, "this is no ONNX model: it has no graph");
    }
    if (model->graph->n_sparse_initializer > 0) {
        return bp_onnx_fail(from, BP_ERROR_UNSUPPORTED, "it has sparse initializers");
    }
    bp_onnx_graph g = {.from = from, .proto = model->graph, .chain = chain};
    chain->layers = calloc(g.proto->n_node ? g.proto->n_node : 1, sizeof *chain->layers);
    bp_status status = chain->layers ? find_operator_set(&g, model) : bp_fail_memory(from->function);
    if (status == BP_OK) {
        status = list_values(&g);
    }
    if (status == BP_OK) {
        count_uses(&g);
        status = start(&g);
    }
    for (size_t i = 0; status == BP_OK && i < g.proto->n_node; i++) {
        status = walk_past(&g, i);
    }
    if (status == BP_OK) {
        status = finish(&g);
    }
    free(g.values);
    return status;
}

void bp_onnx_chain_release(bp_onnx_chain *chain)
{
    for (size_t i = 0; i < chain->n_layers; i++) {
        free(chain->layers[i].node);
        free(chain->layers[i].bias);
    }
    free(chain->layers);
    free(chain->input_scaling.offset);
    free(chain->input_scaling.scale);
    free(chain->output_scaling.offset);
    free(chain->output_scaling.scale);
}
