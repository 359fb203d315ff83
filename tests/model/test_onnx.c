/*
 * ONNX files: nets that go out and come back, graphs in the style of other tools, built in the structs of protobuf-c, and what must be refused,
 * down to every byte of a small file cut off or changed, and every allocation failing (by functions that the linker puts in between, --wrap).
 */
#define _GNU_SOURCE

#include "model/onnx.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int allocations_before = -1; /* the one that fails; −1: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);

static bool runs_out(void)
{
    return allocations_before >= 0 && allocations_before-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return runs_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return runs_out() ? NULL : __real_calloc(count, size);
}

/* ---- nets out and back ---- */

enum { BATCH = 9, MOST_WIDE = 33 };

/* What a net gives for reproducible numbers; freed by free. */
static void *outputs(const bp_net *net)
{
    size_t n_in = bp_net_input_count(net), n_out = bp_net_output_count(net), width = bp_dtype_size(bp_net_dtype(net));
    void *x = calloc(BATCH * n_in, width), *y = calloc(BATCH * n_out, width);
    assert_true(x && y);
    for (size_t i = 0; i < BATCH * n_in; i++) {
        if (width == sizeof(float)) {
            ((float *)x)[i] = (float)(3 * number(i));
        } else {
            ((double *)x)[i] = 3 * number(i);
        }
    }
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, BATCH));
    must(width == sizeof(float) ? bp_net_predict_f32(net, ws, BATCH, x, y) : bp_net_predict_f64(net, ws, BATCH, x, y));
    bp_workspace_destroy(ws);
    free(x);
    return y;
}

static void must_be_equal(const bp_net *net, const bp_net *other)
{
    assert_int_equal(bp_net_dtype(net), bp_net_dtype(other));
    assert_int_equal(bp_net_input_count(net), bp_net_input_count(other));
    assert_int_equal(bp_net_output_count(net), bp_net_output_count(other));
    assert_int_equal(bp_net_layer_count(net), bp_net_layer_count(other));
    assert_int_equal(bp_net_rule(net), bp_net_rule(other));
    void *bytes, *other_bytes; /* a model file has all that there is to compare */
    size_t size, other_size;
    must(bp_net_save_memory(net, &bytes, &size));
    must(bp_net_save_memory(other, &other_bytes, &other_size));
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, other_bytes, size);
    bp_free(bytes);
    bp_free(other_bytes);
    void *y = outputs(net), *other_y = outputs(other);
    assert_memory_equal(y, other_y, BATCH * bp_net_output_count(net) * bp_dtype_size(bp_net_dtype(net)));
    free(y);
    free(other_y);
}

static void set_scaling(bp_net *net)
{
    float offset[MOST_WIDE], scale[MOST_WIDE];
    double wide_offset[MOST_WIDE], wide_scale[MOST_WIDE];
    for (size_t i = 0; i < MOST_WIDE; i++) {
        offset[i] = (float)(wide_offset[i] = number(100 + i));
        scale[i] = (float)(wide_scale[i] = 2 * number(200 + i));
    }
    if (bp_net_dtype(net) == BP_F32) {
        must(bp_net_set_input_scaling_f32(net, offset, scale));
        must(bp_net_set_output_scaling_f32(net, scale, scale));
    } else {
        must(bp_net_set_input_scaling_f64(net, wide_offset, wide_scale));
        must(bp_net_set_output_scaling_f64(net, wide_scale, wide_scale));
    }
}

static void go_and_return(const bp_net *net)
{
    void *bytes, *again;
    size_t size, size_again;
    bp_net *back;
    must(bp_net_export_onnx_memory(net, &bytes, &size));
    must(bp_net_import_onnx_memory(&back, bytes, size));
    must_be_equal(net, back);
    must(bp_net_export_onnx_memory(back, &again, &size_again));
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, again, size);
    bp_free(bytes);
    bp_free(again);
    bp_net_destroy(back);
}

static void test_every_activation(void **state)
{
    (void)state;
    static const size_t widths[][3] = {{5, 4, 3}, {1, 17, 1}, {33, 2, 8}};
    for (int activation = 0; bp_activation_name((bp_activation)activation); activation++) {
        for (unsigned variant = 0; variant < 24; variant++) {
            bp_activation hidden = activation == BP_ACTIVATION_SOFTMAX ? BP_ACTIVATION_GELU : (bp_activation)activation;
            bp_net *net = make_net(variant & 1 ? BP_F32 : BP_F64, variant & 4 ? 8 : 1, 1 + variant / 8, widths[variant / 8], hidden,
                                   (bp_activation)activation, variant & 2 ? 1 : 0, variant);
            if (variant & 4) {
                set_scaling(net);
            }
            go_and_return(net);
            bp_net_destroy(net);
        }
    }
}

static bp_net *net_with_texts(void)
{
    static const char *const inputs[] = {"length", "width \"of\"\n", ""}, *const classes[] = {"é", "b"};
    static const size_t widths[] = {4, 2};
    bp_net *net = make_net(BP_F32, 3, 2, widths, BP_ACTIVATION_SILU, BP_ACTIVATION_SOFTMAX, 1, 3);
    must(bp_net_set_input_names(net, inputs));
    must(bp_net_set_class_names(net, 2, classes));
    must(bp_net_set_metadata(net, "author", "é"));
    must(bp_net_set_metadata(net, "empty", ""));
    return net;
}

static void test_texts(void **state)
{
    (void)state;
    bp_net *net = net_with_texts(), *back = NULL;
    go_and_return(net);
    must(bp_net_set_rule(net, BP_RULE_ERROR_SIGNAL));
    go_and_return(net);
    void *bytes = NULL;
    size_t size = 77;
    must(bp_net_set_metadata(net, "libbp.rule", "mine"));
    REFUSED(bp_net_export_onnx_memory(net, &bytes, &size), BP_ERROR_ARGUMENT,
            "bp_net_export_onnx_memory: the metadata have the key libbp.rule");
    assert_true(!bytes && size == 77 && !back);
    bp_net_destroy(net);
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/bp-onnx-XXXXXX", path[64], message[160];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    bp_net *net = net_with_texts(), *back = NULL;
    must(bp_net_export_onnx(net, path));
    must(bp_net_export_onnx(net, path));
    must(bp_net_import_onnx(&back, path));
    must_be_equal(net, back);
    bp_net_destroy(back);
    back = NULL;
    assert_int_equal(truncate(path, 100), 0);
    snprintf(message, sizeof message, "bp_net_import_onnx: %s: this is no ONNX model, or a damaged one: byte ", path);
    REFUSED(bp_net_import_onnx(&back, path), BP_ERROR_FORMAT, message);
    assert_int_equal(truncate(path, 0), 0);
    REFUSED(bp_net_import_onnx(&back, path), BP_ERROR_FORMAT, "no graph");
    remove(path);
    REFUSED(bp_net_import_onnx(&back, path), BP_ERROR_IO, path);
    REFUSED(bp_net_import_onnx(&back, folder), BP_ERROR_IO, "directory");
    REFUSED(bp_net_export_onnx(net, folder), BP_ERROR_IO, "directory");
    assert_null(back);
    bp_net_destroy(net);
    assert_int_equal(rmdir(folder), 0);
}

static void test_arguments(void **state)
{
    (void)state;
    bp_net *net, *back = NULL;
    void *bytes = NULL;
    size_t size = 0;
    must(bp_net_create(&net, BP_F32, 2));
    REFUSED(bp_net_export_onnx(NULL, "x"), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_export_onnx(net, NULL), BP_ERROR_ARGUMENT, "path is NULL");
    REFUSED(bp_net_export_onnx(net, "/nowhere/net.onnx"), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_export_onnx_memory(net, NULL, &size), BP_ERROR_ARGUMENT, "bytes is NULL");
    REFUSED(bp_net_export_onnx_memory(net, &bytes, NULL), BP_ERROR_ARGUMENT, "size is NULL");
    REFUSED(bp_net_import_onnx(NULL, "x"), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_import_onnx(&back, NULL), BP_ERROR_ARGUMENT, "path is NULL");
    REFUSED(bp_net_import_onnx_memory(NULL, "", 0), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_import_onnx_memory(&back, NULL, 0), BP_ERROR_ARGUMENT, "bytes is NULL");
    REFUSED(bp_net_import_onnx_memory(&back, "", 0), BP_ERROR_FORMAT, "no graph");
    bp_net_destroy(net);
}

/* ---- graphs by hand ---- */

enum { FLOAT = BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, DOUBLE = BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, MOST = 24 };
enum { INT64 = BP_ONNX__TENSOR_PROTO__DATA_TYPE__INT64, FLOAT16 = BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 };

/* A model with room for a few of everything. */
typedef struct graph {
    BpOnnx__ModelProto model;
    BpOnnx__GraphProto proto;
    BpOnnx__OperatorSetIdProto set, *sets[1];
    BpOnnx__NodeProto nodes[MOST], *node_list[MOST];
    char *names[MOST][5];
    BpOnnx__AttributeProto attributes[MOST], *attribute_list[MOST][3];
    size_t n_attributes;
    BpOnnx__TensorProto tensors[MOST], *tensor_list[MOST];
    int64_t dims[MOST][3];
    double numbers[MOST][16]; /* of whatever type */
    BpOnnx__ValueInfoProto values[4], *inputs[2], *outputs[2];
    BpOnnx__TypeProto types[4];
    BpOnnx__TypeProto__Tensor tensor_types[4];
    BpOnnx__TensorShapeProto shapes[4];
    BpOnnx__TensorShapeProto__Dimension dimensions[4][4], *dimension_list[4][4];
    size_t n_values;
    BpOnnx__StringStringEntryProto entry, *entries[1];
} graph;

/* A value of n dimensions, −1 for one that is not known. */
static BpOnnx__ValueInfoProto *add_value(graph *g, char *name, int type, size_t n, const int64_t *dims)
{
    size_t v = g->n_values++;
    bp_onnx__value_info_proto__init(&g->values[v]);
    bp_onnx__type_proto__init(&g->types[v]);
    bp_onnx__type_proto__tensor__init(&g->tensor_types[v]);
    bp_onnx__tensor_shape_proto__init(&g->shapes[v]);
    for (size_t i = 0; i < n; i++) {
        bp_onnx__tensor_shape_proto__dimension__init(&g->dimensions[v][i]);
        if (dims[i] != -1) {
            g->dimensions[v][i].value_case = BP_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            g->dimensions[v][i].dim_value = dims[i];
        }
        g->dimension_list[v][i] = &g->dimensions[v][i];
    }
    g->shapes[v].n_dim = n;
    g->shapes[v].dim = g->dimension_list[v];
    g->tensor_types[v].has_elem_type = 1;
    g->tensor_types[v].elem_type = type;
    g->tensor_types[v].shape = &g->shapes[v];
    g->types[v].value_case = BP_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    g->types[v].tensor_type = &g->tensor_types[v];
    g->values[v].name = name;
    g->values[v].type = &g->types[v];
    return &g->values[v];
}

/* A model of f32 with the input "x" (batch × 2) and the output "y". */
static graph *start(void)
{
    graph *g = calloc(1, sizeof *g);
    assert_non_null(g);
    bp_onnx__model_proto__init(&g->model);
    bp_onnx__graph_proto__init(&g->proto);
    bp_onnx__operator_set_id_proto__init(&g->set);
    g->set.has_version = 1;
    g->set.version = 13;
    g->sets[0] = &g->set;
    g->model.n_opset_import = 1;
    g->model.opset_import = g->sets;
    g->model.graph = &g->proto;
    g->proto.node = g->node_list;
    g->proto.initializer = g->tensor_list;
    g->proto.input = g->inputs;
    g->proto.output = g->outputs;
    g->inputs[0] = add_value(g, "x", FLOAT, 2, (const int64_t[]){-1, 2});
    g->outputs[0] = add_value(g, "y", FLOAT, 2, (const int64_t[]){-1, -1});
    g->proto.n_input = g->proto.n_output = 1;
    return g;
}

/* "Gemm x W b" with an output; the last input may be left out. */
static BpOnnx__NodeProto *add_node(graph *g, char *op_type, char *output, char *first, char *second, char *third)
{
    size_t n = g->proto.n_node++;
    assert_true(n < MOST);
    bp_onnx__node_proto__init(&g->nodes[n]);
    char **names = g->names[n];
    names[0] = output;
    names[1] = first;
    names[2] = second;
    names[3] = third;
    g->nodes[n].op_type = op_type;
    g->nodes[n].output = names;
    g->nodes[n].n_output = 1;
    g->nodes[n].input = names + 1;
    g->nodes[n].n_input = third ? 3 : second ? 2 : first ? 1 : 0;
    g->nodes[n].attribute = g->attribute_list[n];
    g->node_list[n] = &g->nodes[n];
    return &g->nodes[n];
}

static BpOnnx__AttributeProto *add_attribute(graph *g, char *name, double real, int64_t integer)
{
    BpOnnx__AttributeProto *attribute = &g->attributes[g->n_attributes++];
    BpOnnx__NodeProto *node = &g->nodes[g->proto.n_node - 1];
    bp_onnx__attribute_proto__init(attribute);
    attribute->name = name;
    attribute->has_f = attribute->has_i = 1;
    attribute->f = (float)real;
    attribute->i = integer;
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

/* A tensor of floats, doubles or integers, in its typed field; rank 0: one number. */
static BpOnnx__TensorProto *make_tensor(graph *g, size_t t, char *name, int type, size_t rank, const int64_t *dims, const double *numbers)
{
    BpOnnx__TensorProto *tensor = &g->tensors[t];
    size_t count = 1;
    bp_onnx__tensor_proto__init(tensor);
    for (size_t i = 0; i < rank; i++) {
        g->dims[t][i] = dims[i];
        count *= (size_t)dims[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (type == FLOAT) {
            ((float *)g->numbers[t])[i] = (float)numbers[i];
        } else if (type == INT64) {
            ((int64_t *)(void *)g->numbers[t])[i] = (int64_t)numbers[i];
        } else {
            g->numbers[t][i] = numbers[i];
        }
    }
    tensor->name = name;
    tensor->dims = g->dims[t];
    tensor->n_dims = rank;
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->n_float_data = type == FLOAT ? count : 0;
    tensor->float_data = (float *)g->numbers[t];
    tensor->n_double_data = type == DOUBLE ? count : 0;
    tensor->double_data = g->numbers[t];
    tensor->n_int64_data = type == INT64 ? count : 0;
    tensor->int64_data = (int64_t *)(void *)g->numbers[t];
    return tensor;
}

static BpOnnx__TensorProto *add_tensor(graph *g, char *name, int type, size_t rank, const int64_t *dims, const double *numbers)
{
    size_t t = g->proto.n_initializer++;
    return g->tensor_list[t] = make_tensor(g, t, name, type, rank, dims, numbers);
}

static const int64_t square[] = {2, 2}, two[] = {2}, one_row[] = {1, 2};
static const double W[] = {1, 2, 3, 4}, b[] = {0.5, -0.25}, V[] = {-1, 0.5, 0.25, 2};

/* The usual constants: matrices "W" and "V", vectors "b" and "c", a number "s". */
static graph *start_with_constants(void)
{
    graph *g = start();
    add_tensor(g, "W", FLOAT, 2, square, W);
    add_tensor(g, "V", FLOAT, 2, square, V);
    add_tensor(g, "b", FLOAT, 1, two, b);
    add_tensor(g, "c", FLOAT, 2, one_row, (const double[]){2, 4});
    add_tensor(g, "s", FLOAT, 0, NULL, (const double[]){0.5});
    return g;
}

static bp_status import(graph *g, bp_net **net)
{
    size_t size = bp_onnx__model_proto__get_packed_size(&g->model);
    unsigned char *bytes = malloc(size);
    assert_non_null(bytes);
    bp_onnx__model_proto__pack(&g->model, bytes);
    bp_status status = bp_net_import_onnx_memory(net, bytes, size);
    free(bytes);
    free(g);
    return status;
}

static void must_refuse_graph(graph *g, bp_status expected, const char *words)
{
    bp_net *net = NULL;
    must_refuse(words, import(g, &net), expected, words);
    assert_null(net);
}

/* The graph is a net that gives these outputs for x = (1, −2). */
static void must_give(graph *g, size_t n_layers, double first, double second)
{
    bp_net *net;
    bp_workspace *ws;
    float y[2];
    must(import(g, &net));
    assert_int_equal(bp_net_layer_count(net), n_layers);
    assert_int_equal(bp_net_output_count(net), 2);
    must(bp_workspace_create(&ws, net, 1));
    must(bp_net_predict_f32(net, ws, 1, (const float[]){1, -2}, y));
    if (fabs((double)y[0] - first) > 1e-6 || fabs((double)y[1] - second) > 1e-6) {
        fail_msg("got %.9g %.9g, expected %.9g %.9g", (double)y[0], (double)y[1], first, second);
    }
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

static void test_layers(void **state)
{
    (void)state;
    /* x W = (−5, −6), Wᵀ the other way: (−3, −5) */
    graph *g = start_with_constants();
    add_node(g, "MatMul", "y", "x", "W", NULL);
    must_give(g, 1, -5, -6);
    g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", "b");
    must_give(g, 1, -4.5, -6.25);
    g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", "b");
    add_attribute(g, "alpha", 2, 0);
    add_attribute(g, "beta", 4, 0);
    add_attribute(g, "transB", 0, 1);
    must_give(g, 1, -6 + 2, -10 - 1);
    g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", "s");
    must_give(g, 1, -4.5, -5.5);
    g = start_with_constants(); /* as scikit-learn's converters write it, with a bias of one row */
    add_node(g, "MatMul", "m", "x", "W", NULL);
    add_node(g, "Add", "a", "m", "c", NULL);
    add_node(g, "Relu", "h", "a", NULL, NULL);
    add_node(g, "MatMul", "n", "h", "V", NULL);
    add_node(g, "Add", "e", "b", "n", NULL);
    add_node(g, "Softmax", "y", "e", NULL, NULL);
    must_give(g, 2, 1 / (1 + exp(-0.75)), 1 / (1 + exp(0.75)));
    g = start_with_constants(); /* a bias in pieces */
    add_node(g, "Gemm", "e", "x", "W", "b");
    add_node(g, "Sub", "f", "e", "c", NULL);
    add_node(g, "Add", "y", "s", "f", NULL);
    must_give(g, 1, -4.5 - 2 + 0.5, -6.25 - 4 + 0.5);
}

static void test_scaling(void **state)
{
    (void)state;
    /* x = (1, −2), b = (0.5, −0.25), c = (2, 4) */
    graph *g = start_with_constants();
    add_node(g, "Sub", "d", "x", "b", NULL);
    add_node(g, "Div", "z", "d", "c", NULL);
    add_node(g, "MatMul", "y", "z", "W", NULL);
    must_give(g, 1, 0.25 - 3 * 0.4375, 2 * 0.25 - 4 * 0.4375);
    g = start_with_constants();
    add_node(g, "Mul", "d", "c", "x", NULL);
    add_node(g, "Add", "z", "b", "d", NULL);
    add_node(g, "MatMul", "y", "z", "W", NULL);
    must_give(g, 1, 2.5 - 3 * 8.25, 5 - 4 * 8.25);
    g = start_with_constants(); /* one number for all, one for each, one for all */
    add_node(g, "Mul", "d", "x", "s", NULL);
    add_node(g, "Sub", "f", "d", "b", NULL);
    add_node(g, "Div", "z", "f", "s", NULL);
    add_node(g, "MatMul", "y", "z", "W", NULL);
    must_give(g, 1, -4.5, -6);
    g = start_with_constants();
    add_tensor(g, "zero", FLOAT, 1, two, (const double[]){0, 1});
    add_node(g, "Mul", "d", "x", "zero", NULL);
    add_node(g, "Sub", "z", "d", "b", NULL);
    add_node(g, "MatMul", "y", "z", "W", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 1 (Sub): it adds to inputs that were multiplied by 0");
    g = start_with_constants();
    add_tensor(g, "zero", FLOAT, 1, two, (const double[]){0, 1});
    add_node(g, "Div", "d", "x", "zero", NULL);
    add_node(g, "MatMul", "y", "d", "W", NULL);
    must_refuse_graph(g, BP_ERROR_NONFINITE, "node 0 (Div): scaling that is NaN or infinite");
    g = start_with_constants();
    add_node(g, "Sub", "d", "b", "x", NULL);
    add_node(g, "MatMul", "y", "d", "W", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 0 (Sub)");
    g = start_with_constants();
    add_tensor(g, "column", FLOAT, 2, (const int64_t[]){2, 1}, b);
    add_node(g, "Sub", "d", "x", "column", NULL);
    add_node(g, "MatMul", "y", "d", "W", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "\"column\" is neither one number nor one for each column");
}

static void test_output_scaling(void **state)
{
    (void)state;
    /* x W = (−5, −6), b = (0.5, −0.25), c = (2, 4), s = ½ */
    graph *g = start_with_constants(); /* e would be a part of an activation if it were used twice */
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Mul", "f", "c", "e", NULL);
    add_node(g, "Add", "y", "f", "b", NULL);
    must_give(g, 1, -9.5, -24.25);
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Relu", "r", "e", NULL, NULL);
    add_node(g, "Sub", "f", "r", "b", NULL);
    add_node(g, "Div", "h", "f", "s", NULL);
    add_node(g, "Identity", "i", "h", NULL, NULL);
    add_node(g, "Sub", "y", "i", "c", NULL);
    must_give(g, 1, -3, -3.5);
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Relu", "r", "e", NULL, NULL);
    add_node(g, "Add", "f", "r", "b", NULL);
    add_node(g, "Mul", "y", "f", "c", NULL);
    must_give(g, 1, 1, -1);
    g = start_with_constants();
    add_tensor(g, "zero", FLOAT, 1, two, (const double[]){0, 1});
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Mul", "y", "e", "zero", NULL);
    must_refuse_graph(g, BP_ERROR_NONFINITE, "node 1 (Mul): scaling that is NaN or infinite");
    g = start_with_constants();
    add_tensor(g, "large", FLOAT, 1, two, (const double[]){1, 1e-20});
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Div", "f", "e", "large", NULL);
    add_node(g, "Div", "h", "f", "large", NULL);
    add_node(g, "Div", "y", "h", "s", NULL);
    must_refuse_graph(g, BP_ERROR_NONFINITE, "output 1");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Mul", "f", "e", "s", NULL);
    add_node(g, "Relu", "y", "f", NULL, NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Relu): an activation behind the scaling of outputs");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Mul", "f", "e", "s", NULL);
    add_node(g, "MatMul", "y", "f", "W", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (MatMul): a layer behind");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Relu", "r", "e", NULL, NULL);
    add_node(g, "Sub", "y", "b", "r", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Sub)");
}

static void test_what_changes_nothing(void **state)
{
    (void)state;
    graph *g = start_with_constants();
    g->dimensions[0][1].dim_value = 1;
    g->shapes[0].n_dim = 3;
    g->dimensions[0][2] = g->dimensions[0][1];
    g->dimension_list[0][2] = &g->dimensions[0][2];
    g->dimensions[0][2].dim_value = 2;
    g->tensor_types[0].elem_type = INT64;
    add_tensor(g, "shape", INT64, 1, two, (const double[]){-1, 2});
    add_tensor(g, "off", BP_ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, 0, NULL, b);
    g->tensors[6].n_double_data = 0;
    g->tensors[6].n_int32_data = 1;
    g->tensors[6].int32_data = &(int32_t){0};
    add_node(g, "Cast", "cast", "x", NULL, NULL);
    add_attribute(g, "to", 0, FLOAT);
    add_node(g, "Div", "half", "cast", "s", NULL);
    add_node(g, "Reshape", "flat", "half", "shape", NULL);
    add_node(g, "Flatten", "flatter", "flat", NULL, NULL);
    add_attribute(g, "axis", 0, -1);
    add_node(g, "Dropout", "kept", "flatter", "", "off");
    add_node(g, "Identity", "same", "W", NULL, NULL);
    add_node(g, "MatMul", "e", "kept", "same", NULL);
    add_node(g, "Dropout", "f", "e", NULL, NULL);
    add_node(g, "Reshape", "h", "f", "shape", NULL);
    add_node(g, "Cast", "y", "h", NULL, NULL);
    add_attribute(g, "to", 0, FLOAT);
    must_give(g, 1, -10, -12);
    g = start_with_constants(); /* constants from nodes */
    add_node(g, "Constant", "k", NULL, NULL, NULL);
    add_attribute(g, "value", 0, 0)->t = make_tensor(g, MOST - 1, NULL, FLOAT, 2, square, V);
    add_node(g, "MatMul", "y", "x", "k", NULL);
    must_give(g, 1, -1.5, -3.5);
}

static void test_labels(void **state)
{
    (void)state;
    graph *g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", NULL);
    add_node(g, "ArgMax", "label", "y", NULL, NULL);
    add_attribute(g, "axis", 0, 1);
    add_node(g, "ArrayFeatureExtractor", "class", "label", NULL, NULL)->domain = "ai.onnx.ml";
    g->outputs[1] = add_value(g, "class", INT64, 1, (const int64_t[]){-1});
    g->proto.n_output = 2;
    must_give(g, 1, -5, -6);
    g = start_with_constants(); /* the label alone; a sigmoid that the ArgMax does not make a part of a silu */
    add_node(g, "Gemm", "e", "x", "W", NULL);
    add_node(g, "Sigmoid", "p", "e", NULL, NULL);
    add_node(g, "ArgMax", "y", "p", NULL, NULL);
    add_attribute(g, "axis", 0, -1);
    must_give(g, 1, 1 / (1 + exp(5)), 1 / (1 + exp(6)));
    g = start_with_constants();
    add_node(g, "Gemm", "e", "x", "W", NULL);
    add_node(g, "ArgMax", "y", "e", NULL, NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 1 (ArgMax): axis is 0");
    g = start_with_constants(); /* the label of a layer that is not the last, and nothing else */
    add_node(g, "Gemm", "e", "x", "W", NULL);
    add_node(g, "ArgMax", "y", "e", NULL, NULL);
    add_attribute(g, "axis", 0, 1);
    add_node(g, "Gemm", "z", "e", "W", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "its ArgMax is not of the end of the chain of layers");
}

/* e = x W = (−5, −6), in the ways that other tools write activations */
static void test_activations_in_parts(void **state)
{
    (void)state;
    graph *g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Abs", "abs", "e", NULL, NULL);
    add_tensor(g, "one", FLOAT, 0, NULL, (const double[]){1});
    add_node(g, "Add", "sum", "one", "abs", NULL);
    add_node(g, "Div", "y", "e", "sum", NULL);
    must_give(g, 1, -5. / 6, -6. / 7);
    g = start_with_constants(); /* gelu with the half first and a division */
    add_tensor(g, "one", FLOAT, 0, NULL, (const double[]){1});
    add_tensor(g, "root", FLOAT, 0, NULL, (const double[]){1.41421356237});
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Mul", "half", "s", "e", NULL);
    add_node(g, "Div", "scaled", "e", "root", NULL);
    add_node(g, "Erf", "erf", "scaled", NULL, NULL);
    add_node(g, "Add", "sum", "erf", "one", NULL);
    add_node(g, "Mul", "y", "half", "sum", NULL);
    must_give(g, 1, -2.5 * erfc(5 / sqrt(2)), -3 * erfc(6 / sqrt(2)));
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Sigmoid", "p", "e", NULL, NULL);
    add_node(g, "Mul", "y", "p", "e", NULL);
    must_give(g, 1, -5 / (1 + exp(5)), -6 / (1 + exp(6)));
    g = start_with_constants(); /* exp(−e e), the sign first; e = x V = (−1.5, −3.5) */
    add_node(g, "MatMul", "e", "x", "V", NULL);
    add_node(g, "Neg", "n", "e", NULL, NULL);
    add_node(g, "Mul", "q", "n", "e", NULL);
    add_node(g, "Exp", "y", "q", NULL, NULL);
    must_give(g, 1, exp(-2.25), exp(-12.25));
    g = start_with_constants(); /* gelu by tanh, half a silu and exp(e²) are none */
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Gelu", "y", "e", NULL, NULL);
    add_attribute(g, "approximate", 0, 0)->has_s = 1;
    g->attributes[0].s = (ProtobufCBinaryData){4, (uint8_t *)"tanh"};
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 1 (Gelu): an approximation");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "W", NULL);
    add_node(g, "Sigmoid", "p", "e", NULL, NULL);
    add_node(g, "Mul", "q", "p", "e", NULL);
    g->nodes[1].op_type = "Abs";
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Mul): neither scaling");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "V", NULL);
    add_node(g, "Mul", "q", "e", "e", NULL);
    add_node(g, "Exp", "y", "q", NULL, NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Exp)");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "V", NULL);
    add_node(g, "Sigmoid", "p", "e", NULL, NULL);
    add_node(g, "Mul", "q", "p", "e", NULL);
    add_node(g, "Mul", "y", "e", "s", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 3 (Mul)");
    g = start_with_constants();
    add_node(g, "MatMul", "e", "x", "V", NULL);
    add_node(g, "Mul", "y", "e", "s", NULL);
    must_give(g, 1, -0.75, -1.75); /* output scaling */
}

/* ---- graphs that are no nets ---- */

static graph *chain(char *op_type)
{
    graph *g = start_with_constants();
    add_node(g, "Gemm", "e", "x", "W", "b");
    add_node(g, op_type, "y", "e", NULL, NULL)->name = "last";
    return g;
}

static void test_operators_refused(void **state)
{
    (void)state;
    must_refuse_graph(chain("LogSoftmax"), BP_ERROR_UNSUPPORTED,
                      "bp_net_import_onnx_memory: bytes: node 1, \"last\" (LogSoftmax): the operator LogSoftmax is not supported");
    graph *g = chain("Relu");
    g->nodes[1].domain = "com.example";
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "the operator com.example.Relu is not supported");
    g = chain("Rel\xff\n\x1bu");
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "the operator Rel???u is not supported");
    g = chain("LeakyRelu");
    add_attribute(g, "alpha", 0.2, 0);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "alpha is 0.2; this library has LeakyRelu with 0.01");
    g = chain("Softmax");
    add_attribute(g, "axis", 0, 0);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "(Softmax): axis is 0");
    g = chain("Dropout");
    g->names[1][2] = "";
    g->names[1][3] = "s";
    g->nodes[1].n_input = 3;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "a dropout of training");
    g = chain("Cast");
    add_attribute(g, "to", 0, DOUBLE);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "a cast to DOUBLE");
    g = chain("Flatten");
    add_attribute(g, "axis", 0, 0);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "axis is 0");
    g = start_with_constants();
    add_node(g, "Relu", "y", "x", NULL, NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "an activation in front of the first layer");
    g = chain("Relu");
    g->names[1][0] = "h";
    add_node(g, "Tanh", "y", "h", NULL, NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Tanh): a second activation");
    g = chain("Softmax");
    g->names[1][0] = "h";
    add_node(g, "Gemm", "y", "h", "V", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Gemm): bp_net_add_dense");
    g = start_with_constants();
    add_node(g, "MatMul", "y", "W", "x", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "its input \"W\" is a constant");
    g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", NULL);
    add_attribute(g, "transA", 0, 1);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "transA is not 0");
    g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", NULL);
    add_attribute(g, "transB", 1, 1)->type = BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    g->attributes[0].has_type = 1;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "transB neither 0 nor 1");
    g = start_with_constants();
    add_node(g, "Gemm", "y", "x", "W", NULL);
    add_attribute(g, "alpha", 1, 1)->type = BP_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    g->attributes[0].has_type = 1;
    must_refuse_graph(g, BP_ERROR_NONFINITE, "of output 0 weight 0 is NaN");
    g = chain("Relu");
    g->set.version = 6;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "its operator set is 6; this library reads 7 and later");
}

static void test_shapes_of_graphs(void **state)
{
    (void)state;
    graph *g = chain("Relu"); /* a residual connection */
    g->names[1][0] = "h";
    add_node(g, "Add", "y", "h", "x", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "node 2 (Add)");
    g = chain("Relu");
    g->names[1][0] = "h";
    add_node(g, "Gemm", "y", "e", "W", NULL);
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED,
                      "node 2 (Gemm): its input \"e\" is not what the chain of layers has come to: the graph branches there");
    g = chain("Relu"); /* two outputs */
    g->outputs[1] = add_value(g, "e", FLOAT, 2, (const int64_t[]){-1, 2});
    g->proto.n_output = 2;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "the output \"e\" is not the end of the chain of layers");
    g = chain("Relu");
    g->inputs[1] = add_value(g, "z", FLOAT, 2, (const int64_t[]){-1, 2});
    g->proto.n_input = 2;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "it has the inputs \"x\" and \"z\"; a net has one");
    g = chain("Relu"); /* an initializer may be an input, too */
    g->inputs[1] = add_value(g, "W", FLOAT, 2, square);
    g->proto.n_input = 2;
    must_give(g, 1, 0, 0);
    g = chain("Relu"); /* a cycle */
    g->names[0][1] = "y";
    must_refuse_graph(g, BP_ERROR_FORMAT, "node 0 (Gemm): its input \"y\" is given by nothing before it");
    g = chain("Relu");
    g->names[1][1] = "nothing";
    must_refuse_graph(g, BP_ERROR_FORMAT, "its input \"nothing\" is given by nothing before it");
    g = chain("Relu");
    g->names[1][0] = "e";
    must_refuse_graph(g, BP_ERROR_FORMAT, "two values of the name \"e\"");
    g = chain("Relu");
    g->tensors[1].name = "W";
    must_refuse_graph(g, BP_ERROR_FORMAT, "two values of the name \"W\"");
    g = chain("Relu");
    g->tensors[1].name = NULL;
    must_refuse_graph(g, BP_ERROR_FORMAT, "a value has no name");
    g = chain("Relu");
    g->values[1].name = "nothing";
    must_refuse_graph(g, BP_ERROR_FORMAT, "the output \"nothing\" is given by nothing");
    g = chain("Relu");
    g->proto.n_output = 0;
    must_refuse_graph(g, BP_ERROR_FORMAT, "it has no output");
    g = chain("Relu");
    g->proto.n_input = 0;
    must_refuse_graph(g, BP_ERROR_FORMAT, "it has no input");
    g = start();
    add_node(g, "Identity", "y", "x", NULL, NULL);
    must_refuse_graph(g, BP_ERROR_FORMAT, "it has no layer");
    g = chain("Relu");
    g->shapes[0].n_dim = 1;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "the input \"x\" has 1 dimensions");
    g = chain("Relu");
    g->dimensions[0][1].dim_value = 3;
    must_refuse_graph(g, BP_ERROR_FORMAT, "node 0 (Gemm): its weights, \"W\", are for 2 inputs; there are 3");
    g = chain("Relu");
    g->dimensions[0][1].dim_value = -2;
    must_refuse_graph(g, BP_ERROR_FORMAT, "a dimension of -2");
    g = chain("Relu");
    g->dimensions[0][1].dim_value = INT64_MAX;
    must_refuse_graph(g, BP_ERROR_FORMAT, "a dimension of 9223372036854775807");
    g = chain("Relu");
    g->shapes[0].n_dim = 3;
    g->dimensions[0][2] = g->dimensions[0][1];
    g->dimension_list[0][2] = &g->dimensions[0][2];
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "a layer of samples that have 2 dimensions");
    g = chain("Relu");
    BpOnnx__SparseTensorProto sparse = BP_ONNX__SPARSE_TENSOR_PROTO__INIT, *sparse_list[] = {&sparse};
    g->proto.n_sparse_initializer = 1;
    g->proto.sparse_initializer = sparse_list;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "it has sparse initializers");
    g = chain("Relu"); /* weights that are no constant */
    g->names[0][2] = "x";
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "its weights, \"x\", are not constant");
}

/* A graph with the weights "K", to be spoilt. */
static graph *with_weights(void)
{
    graph *g = start();
    add_tensor(g, "K", FLOAT, 2, square, W);
    add_node(g, "MatMul", "y", "x", "K", NULL);
    return g;
}

static void test_tensors_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t rows, columns;
        const char *words;
    } shapes[] = {
        {-2, -2, "node 0 (MatMul): \"K\" has a dimension of -2"},
        {INT64_MIN, 2, "a dimension of -9223372036854775808"},
        {INT64_MAX, INT64_MAX, "a shape that no memory can hold"},
        {(int64_t)1 << 32, (int64_t)1 << 32, "a shape that no memory can hold"},
        {2, 3, "\"K\" has 4 numbers, but a shape of 6"},
        {1000000000, 1000000000, "\"K\" has 4 numbers, but a shape of 1000000000000000000"},
        {0, 2, "\"K\" has 4 numbers, but a shape of 0"},
        {4, 1, "its weights, \"K\", are for 4 inputs; there are 2"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        graph *g = with_weights();
        g->dims[0][0] = shapes[i].rows;
        g->dims[0][1] = shapes[i].columns;
        must_refuse_graph(g, BP_ERROR_FORMAT, shapes[i].words);
    }
    graph *g = with_weights();
    g->tensors[0].n_dims = 1;
    g->dims[0][0] = 4;
    must_refuse_graph(g, BP_ERROR_FORMAT, "its weights, \"K\", are no matrix");
    g = with_weights();
    g->tensors[0].n_float_data = 0;
    g->dims[0][1] = 0;
    must_refuse_graph(g, BP_ERROR_FORMAT, "its weights, \"K\", are no matrix");
    g = with_weights();
    ((float *)g->numbers[0])[3] = NAN;
    must_refuse_graph(g, BP_ERROR_NONFINITE, "node 0 (MatMul): of output 1 weight 1 is NaN");
    g = with_weights();
    ((float *)g->numbers[0])[2] = INFINITY;
    must_refuse_graph(g, BP_ERROR_NONFINITE, "node 0 (MatMul): of output 0 weight 1 is NaN, infinite");
    g = with_weights();
    g->tensors[0].has_data_location = 1;
    g->tensors[0].data_location = BP_ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "\"K\" has its numbers in another file");
    g = with_weights();
    bp_onnx__string_string_entry_proto__init(&g->entry);
    g->entry.key = "location";
    g->entry.value = "/etc/passwd";
    g->entries[0] = &g->entry;
    g->tensors[0].external_data = g->entries;
    g->tensors[0].n_external_data = 1;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "\"K\" has its numbers in another file");
    g = with_weights();
    g->tensors[0].data_type = FLOAT16;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "\"K\" has the element type FLOAT16");
    g = with_weights();
    g->tensors[0].data_type = 9999;
    must_refuse_graph(g, BP_ERROR_UNSUPPORTED, "\"K\" has the element type unknown");
    g = with_weights();
    g->tensor_types[0].elem_type = DOUBLE;
    must_refuse_graph(g, BP_ERROR_FORMAT, "\"K\" has the element type FLOAT, but is used with DOUBLE");
    g = with_weights();
    g->tensors[0].has_raw_data = 1;
    g->tensors[0].raw_data = (ProtobufCBinaryData){16, (uint8_t *)g->numbers[0]};
    must_refuse_graph(g, BP_ERROR_FORMAT, "\"K\" has its numbers twice");
    for (size_t size = 0; size < 20; size++) {
        g = with_weights();
        g->tensors[0].n_float_data = 0;
        g->tensors[0].has_raw_data = 1;
        g->tensors[0].raw_data = (ProtobufCBinaryData){size, (uint8_t *)g->numbers[0]};
        if (size == 16) {
            must_give(g, 1, -5, -6);
        } else {
            must_refuse_graph(g, BP_ERROR_FORMAT, "numbers, but a shape of 4");
        }
    }
}

static void test_metadata(void **state)
{
    (void)state;
    static const struct {
        char *key, *value;
        const char *words;
    } cases[] = {
        {"libbp.rule", "nonsense", "metadata \"libbp.rule\": bp_rule_from_name"},
        {"libbp.input_names", "[", "metadata \"libbp.input_names\": no JSON array"},
        {"libbp.input_names", "[\"a\"]", "no JSON array of as many names"},
        {"libbp.input_names", "[1, 2]", "no JSON array of as many names"},
        {"libbp.class_names", "[\"a\", \"b\", \"c\"]", "metadata \"libbp.class_names\": bp_net_set_class_names"},
        {"", "empty key", "metadata \"\": bp_net_set_metadata"},
        {"k", "\xff", "metadata \"k\": bp_net_set_metadata"},
        {"libbp.later", "\xff", NULL},
        {"k", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        graph *g = with_weights();
        bp_onnx__string_string_entry_proto__init(&g->entry);
        g->entry.key = cases[i].key;
        g->entry.value = cases[i].value;
        g->entries[0] = &g->entry;
        g->model.metadata_props = g->entries;
        g->model.n_metadata_props = 1;
        if (cases[i].words) {
            must_refuse_graph(g, BP_ERROR_FORMAT, cases[i].words);
        } else {
            must_give(g, 1, -5, -6);
        }
    }
}

/* ---- bytes ---- */

/* A copy that ends where its block does, so that AddressSanitizer sees who reads on. */
static bp_status import_bytes(const void *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    bp_net *net = NULL;
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bp_status status = bp_net_import_onnx_memory(&net, copy, size);
    free(copy);
    if ((status == BP_OK) != (net != NULL)) {
        fail_msg("status %d, but%s a net", status, net ? "" : " not");
    }
    if (net) { /* whatever came in, it is whole */
        free(outputs(net));
    }
    bp_net_destroy(net);
    return status;
}

static void test_cut_and_changed(void **state)
{
    (void)state;
    bp_net *net = net_with_texts();
    set_scaling(net);
    unsigned char *bytes;
    void *block;
    size_t size, refused = 0;
    must(bp_net_export_onnx_memory(net, &block, &size));
    bytes = block;
    for (size_t n = 0; n < size; n++) {
        refused += import_bytes(bytes, n) != BP_OK;
    }
    assert_int_equal(refused, size - 5); /* the metadata, 5 of them, come last: without some it is a model, too */
    for (size_t n = 0; n < size; n++) {
        unsigned char before = bytes[n];
        for (unsigned change = 1; change < 256; change = change < 128 ? 2 * change : change + 127) {
            bytes[n] = (unsigned char)(before ^ change);
            import_bytes(bytes, size);
        }
        bytes[n] = before;
    }
    for (size_t n = 0; n < 20000; n++) { /* some at a time */
        unsigned char before[3];
        size_t at[3];
        for (size_t i = 0; i < 3; i++) {
            at[i] = (size_t)((number(6 * n + i) + 1) / 2 * (double)size) % size;
            before[i] = bytes[at[i]];
            bytes[at[i]] = (unsigned char)(128 + 127 * number(6 * n + 3 + i));
        }
        import_bytes(bytes, size);
        for (size_t i = 3; i-- > 0;) {
            bytes[at[i]] = before[i];
        }
    }
    assert_int_equal(import_bytes(bytes, size), BP_OK);
    bp_free(block);
    bp_net_destroy(net);
}

/* n times a field with a message of the bytes that are there, from the inside out; returns where the outermost begins. */
static size_t nest(unsigned char *bytes, size_t capacity, size_t n, const unsigned char *tags, size_t n_tags)
{
    size_t begin = capacity;
    for (size_t i = n; i-- > 0;) {
        size_t length = capacity - begin;
        unsigned char prefix[12];
        size_t used = 0;
        prefix[used++] = tags[i % n_tags];
        for (; length >= 0x80; length >>= 7) {
            prefix[used++] = (unsigned char)(length | 0x80);
        }
        prefix[used++] = (unsigned char)length;
        assert_true(used <= begin);
        begin -= used;
        memcpy(bytes + begin, prefix, used);
    }
    return begin;
}

static void test_bombs(void **state)
{
    (void)state;
    enum { CAPACITY = 4000000 };
    unsigned char *bytes = malloc(CAPACITY);
    bp_net *net = NULL;
    assert_non_null(bytes);
    /* model.graph, then graph.node, node.attribute, attribute.g round and round */
    static const unsigned char tags[] = {7 << 3 | 2, 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2, 1 << 3 | 2, 5 << 3 | 2};
    size_t begin = nest(bytes, CAPACITY, 500000, tags + 1, 3);
    unsigned char outer[12] = {7 << 3 | 2, (unsigned char)((CAPACITY - begin) | 0x80), (unsigned char)((CAPACITY - begin) >> 7 | 0x80),
                               (unsigned char)((CAPACITY - begin) >> 14 | 0x80), (unsigned char)((CAPACITY - begin) >> 21)};
    memcpy(bytes + begin - 5, outer, 5);
    REFUSED(bp_net_import_onnx_memory(&net, bytes + begin - 5, CAPACITY - begin + 5), BP_ERROR_UNSUPPORTED,
            "more than 50 messages within one another");
    /* a graph of empty nodes: 2 bytes in the file, and 100 in memory */
    for (size_t i = 0; i < CAPACITY; i += 2) {
        bytes[i] = 14 << 3 | 2; /* of the model: metadata */
        bytes[i + 1] = 0;
    }
    REFUSED(bp_net_import_onnx_memory(&net, bytes, CAPACITY), BP_ERROR_UNSUPPORTED, "more than 262144 fields");
    REFUSED(bp_net_import_onnx_memory(&net, bytes, 200000), BP_ERROR_FORMAT, "no graph");
    /* a message that can be there once, and would be merged with itself */
    static const unsigned char twice[] = {7 << 3 | 2, 0, 7 << 3 | 2, 0};
    REFUSED(bp_net_import_onnx_memory(&net, twice, sizeof twice), BP_ERROR_FORMAT, "byte 2: a field that is there twice");
    static const unsigned char group[] = {12 << 3 | 3, 12 << 3 | 4};
    REFUSED(bp_net_import_onnx_memory(&net, group, sizeof group), BP_ERROR_FORMAT, "byte 0: a field of no known kind");
    static const unsigned char endless[] = {1 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    REFUSED(bp_net_import_onnx_memory(&net, endless, sizeof endless), BP_ERROR_FORMAT, "byte 0: a number that does not end");
    static const unsigned char beyond[] = {7 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    REFUSED(bp_net_import_onnx_memory(&net, beyond, sizeof beyond), BP_ERROR_FORMAT, "byte 0: a field that is longer than what is left");
    static const unsigned char mistyped[] = {7 << 3, 1};
    REFUSED(bp_net_import_onnx_memory(&net, mistyped, sizeof mistyped), BP_ERROR_FORMAT, "a field is not of its type");
    assert_null(net);
    free(bytes);
}

/* A small constant that is the weights of many layers makes a net much larger than the file. */
static void test_shared_weights(void **state)
{
    (void)state;
    enum { WIDTH = 64, LAYERS = 600 };
    static char names[LAYERS + 1][8];
    BpOnnx__NodeProto *nodes = calloc(LAYERS, sizeof *nodes), **list = calloc(LAYERS, sizeof *list);
    float *weights = calloc(WIDTH * WIDTH, sizeof *weights);
    char *inputs[LAYERS][2], *outputs[LAYERS];
    assert_true(nodes && list && weights);
    for (size_t l = 0; l <= LAYERS; l++) {
        snprintf(names[l], sizeof names[l], "%zu", l);
    }
    for (size_t l = 0; l < LAYERS; l++) {
        bp_onnx__node_proto__init(&nodes[l]);
        inputs[l][0] = names[l];
        inputs[l][1] = "W";
        outputs[l] = names[l + 1];
        nodes[l].op_type = "MatMul";
        nodes[l].input = inputs[l];
        nodes[l].n_input = 2;
        nodes[l].output = &outputs[l];
        nodes[l].n_output = 1;
        list[l] = &nodes[l];
    }
    for (size_t n_layers = 2; n_layers <= LAYERS; n_layers += LAYERS - 2) {
        graph *g = start();
        BpOnnx__TensorProto *W_of_all = add_tensor(g, "W", FLOAT, 2, (const int64_t[]){1, 1}, (const double[]){0});
        W_of_all->dims[0] = W_of_all->dims[1] = WIDTH;
        W_of_all->n_float_data = WIDTH * WIDTH;
        W_of_all->float_data = weights;
        g->dimensions[0][1].dim_value = WIDTH;
        g->inputs[0]->name = names[0];
        g->outputs[0]->name = names[n_layers];
        g->proto.node = list;
        g->proto.n_node = n_layers;
        bp_net *net = NULL;
        bp_status status = import(g, &net);
        if (n_layers == 2) {
            must(status);
        } else {
            must_refuse("shared weights", status, BP_ERROR_UNSUPPORTED, "one for each 2 bytes of the file");
        }
        bp_net_destroy(net);
    }
    free(weights);
    free(nodes);
    free(list);
}

static void test_no_memory(void **state)
{
    (void)state;
    bp_net *net = net_with_texts();
    set_scaling(net);
    void *bytes = NULL;
    size_t size;
    int n_failed = -1;
    for (bp_status status = BP_ERROR_MEMORY; status != BP_OK; n_failed++) {
        allocations_before = n_failed + 1;
        status = bp_net_export_onnx_memory(net, &bytes, &size);
        allocations_before = -1;
        assert_true(status == BP_OK || status == BP_ERROR_MEMORY);
    }
    assert_true(n_failed > 100);
    bp_net *back = NULL;
    n_failed = -1;
    for (bp_status status = BP_ERROR_MEMORY; status != BP_OK; n_failed++) {
        allocations_before = n_failed + 1;
        status = bp_net_import_onnx_memory(&back, bytes, size);
        allocations_before = -1;
        assert_true(status == BP_OK || status == BP_ERROR_MEMORY);
        assert_true((status == BP_OK) == (back != NULL));
    }
    assert_true(n_failed > 100);
    must_be_equal(net, back);
    bp_net_destroy(back);
    bp_net_destroy(net);
    bp_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_activation),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_output_scaling),
        cmocka_unit_test(test_what_changes_nothing),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_activations_in_parts),
        cmocka_unit_test(test_operators_refused),
        cmocka_unit_test(test_shapes_of_graphs),
        cmocka_unit_test(test_tensors_refused),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_cut_and_changed),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_shared_weights),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
