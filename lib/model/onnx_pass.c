/* Nodes that change no number: constants, what passes the head on, and labels. */
#include "model/onnx_graph.h"

bp_status bp_onnx_constant(bp_onnx_graph *g)
{
    const BpOnnx__AttributeProto *value = bp_onnx_attribute(g, "value");
    if (!value || !value->t) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "a constant without the attribute \"value\"");
    }
    bp_onnx_value *output = bp_onnx_find(g, g->node->output[0]);
    output->form = BP_ONNX_CONSTANT;
    output->constant = value->t;
    return BP_OK;
}

/* Identity, Dropout: the output is the input. */
bp_status bp_onnx_pass(bp_onnx_graph *g)
{
    const bp_onnx_value *input = bp_onnx_input(g, 0);
    if (input && input->form == BP_ONNX_CONSTANT) {
        bp_onnx_value *output = bp_onnx_find(g, g->node->output[0]);
        output->form = BP_ONNX_CONSTANT;
        output->constant = input->constant;
        return BP_OK;
    }
    bp_status status = bp_onnx_take_head(g, 0);
    if (status == BP_OK) {
        bp_onnx_advance(g, g->stage);
    }
    return status;
}

bp_status bp_onnx_dropout(bp_onnx_graph *g)
{
    const bp_onnx_value *training = bp_onnx_input(g, 2);
    bp_onnx_tensor mode;
    if (training && training->form != BP_ONNX_CONSTANT) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "its training mode is not constant");
    }
    bp_status status = training ? bp_onnx_open_tensor(g->from, g->what, training->constant, &mode) : BP_OK;
    if (status == BP_OK && training && (mode.count != 1 || bp_onnx_number(&mode, 0) != 0)) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "a dropout of training; export the model for inference");
    }
    return status == BP_OK ? bp_onnx_pass(g) : status;
}

/* In front of the layers a cast says of what type the net's inputs are; behind them there is nothing to cast. */
bp_status bp_onnx_cast(bp_onnx_graph *g)
{
    const bp_onnx_value *input = bp_onnx_input(g, 0);
    int64_t to = bp_onnx_integer(g, "to", 0);
    bool of_constant = input && input->form == BP_ONNX_CONSTANT,
         to_real = to == BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || to == BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
    bool changes = to != (of_constant ? input->constant->data_type : g->type);
    bool of_input = !of_constant && g->stage == BP_ONNX_BEFORE_LAYERS && !g->cast && g->chain->input_scaling.n == 0 &&
                    g->type != BP_ONNX__TENSOR_PROTO__DATA_TYPE__STRING;
    if (!to_real || (changes && !of_input)) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "a cast to %s, which changes numbers",
                                 to < 0 || to > 99 ? "an unknown type" : bp_onnx_type_name((int)to));
    }
    bp_status status = bp_onnx_pass(g);
    if (status == BP_OK && !of_constant) {
        g->cast = true;
        g->type = (int)to;
    }
    return status;
}

bp_status bp_onnx_flatten(bp_onnx_graph *g)
{
    bp_status status = bp_onnx_take_head(g, 0);
    int64_t axis = bp_onnx_integer(g, "axis", 1);
    if (status == BP_OK && axis != 1 && (g->rank == 0 || axis != 1 - (int64_t)g->rank)) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "axis is %lld; a batch is flattened from axis 1 on", (long long)axis);
    }
    if (status == BP_OK) {
        g->rank = 2;
        bp_onnx_advance(g, g->stage);
    }
    return status;
}

/* To batch × width, and to nothing else. */
bp_status bp_onnx_reshape(bp_onnx_graph *g)
{
    const bp_onnx_value *shape = bp_onnx_input(g, 1);
    bp_onnx_tensor sizes;
    bp_status status = bp_onnx_take_head(g, 0);
    if (status == BP_OK && (!shape || shape->form != BP_ONNX_CONSTANT)) {
        status = bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "its shape is not constant");
    }
    if (status == BP_OK) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): bp_onnx_fail_node returns no BP_OK */
        status = bp_onnx_open_tensor(g->from, g->what, shape->constant, &sizes);
    }
    if (status != BP_OK) {
        return status;
    }
    bool good = sizes.count == 2 && bp_onnx_integer(g, "allowzero", 0) == 0;
    if (good) {
        double batch = bp_onnx_number(&sizes, 0), width = bp_onnx_number(&sizes, 1);
        bool same_batch = batch == 0 || (g->batch > 0 && batch == (double)g->batch);
        bool same_width = (g->width > 0 && width == (double)g->width) || (width == 0 && g->rank == 2);
        good = (same_batch && (same_width || width == -1)) || (batch == -1 && same_width);
    }
    if (!good) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "its shape is not one of the batch and one of all features");
    }
    g->rank = 2;
    bp_onnx_advance(g, g->stage);
    return BP_OK;
}

/* Where the largest is: not what a net gives. */
bp_status bp_onnx_arg_max(bp_onnx_graph *g)
{
    const bp_onnx_value *scores = bp_onnx_input(g, 0);
    int64_t axis = bp_onnx_integer(g, "axis", 0);
    if (!scores || scores->form != BP_ONNX_CHAIN) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "it is not of the outputs of a layer");
    }
    if (axis != 1 && axis != -1) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "axis is %lld; classes are axis 1", (long long)axis);
    }
    g->scores = scores;
    bp_onnx_find(g, g->node->output[0])->form = BP_ONNX_LABEL;
    return BP_OK;
}
