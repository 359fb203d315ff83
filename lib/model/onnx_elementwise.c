/* Nodes that work element by element: activations whole or in parts, and what goes into biases and scaling. */
#include "model/onnx_graph.h"

#include <math.h>
#include <string.h>

static const double sqrt_half = 0.70710678118654752440084436210485;

static bool is_near(double number, double expected)
{
    return fabs(number - expected) <= 1e-6 * fabs(expected);
}

/* The part that a value is of the head, which is one itself. */
static bool is_part(const bp_onnx_graph *g, const bp_onnx_value *value, bp_onnx_part *part, double *factor)
{
    bool is_head = value == g->head;
    if (g->stage != BP_ONNX_AFTER_LAYER || (!is_head && (value->form != BP_ONNX_PART || value->e != g->head))) {
        return false;
    }
    *part = is_head ? BP_ONNX_E : value->part;
    *factor = is_head ? 1 : value->factor;
    return true;
}

/* The node gives this part: an activation if it is a whole one. */
static bp_status give(bp_onnx_graph *g, bp_onnx_part part, double factor)
{
    static const struct {
        bp_onnx_part part;
        double factor;
        bp_activation activation;
    } whole[] = {
        {BP_ONNX_E_SIGMOID, 1, BP_ACTIVATION_SILU},
        {BP_ONNX_E_ERF_PLUS_1, 0.5, BP_ACTIVATION_GELU},
        {BP_ONNX_E_OVER_ABS_PLUS_1, 1, BP_ACTIVATION_SOFTSIGN},
        {BP_ONNX_GAUSSIAN, 1, BP_ACTIVATION_GAUSSIAN},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (whole[i].part == part && is_near(factor, whole[i].factor)) {
            return bp_onnx_activate(g, whole[i].activation);
        }
    }
    bp_onnx_value *output = bp_onnx_find(g, g->node->output[0]);
    output->form = BP_ONNX_PART;
    output->part = part;
    output->factor = factor;
    output->e = g->head;
    return BP_OK;
}

static bp_status refuse(const bp_onnx_graph *g)
{
    return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED,
                             "neither scaling of inputs or outputs, nor bias, nor part of an activation that this library has");
}

/* A part and a number. */
static bp_status with_number(bp_onnx_graph *g, char operation, bp_onnx_part part, double factor, double number)
{
    if (operation == '*' || operation == '/') {
        return give(g, part, operation == '*' ? factor * number : factor / number);
    }
    if (operation == '+' && number == 1 && is_near(factor, 1) && (part == BP_ONNX_ERF || part == BP_ONNX_ABS)) {
        return give(g, part == BP_ONNX_ERF ? BP_ONNX_ERF_PLUS_1 : BP_ONNX_ABS_PLUS_1, 1);
    }
    if (operation == '^' && number == 2 && part == BP_ONNX_E) {
        return give(g, BP_ONNX_SQUARE, factor * factor);
    }
    return refuse(g);
}

/* Two parts. */
static bp_status with_part(bp_onnx_graph *g, char operation, bp_onnx_part first, double first_factor, bp_onnx_part second,
                           double second_factor)
{
    static const struct {
        char operation;
        bp_onnx_part second, result;
    } results[] = {
        {'*', BP_ONNX_SIGMOID, BP_ONNX_E_SIGMOID},
        {'*', BP_ONNX_ERF_PLUS_1, BP_ONNX_E_ERF_PLUS_1},
        {'*', BP_ONNX_E, BP_ONNX_SQUARE},
        {'/', BP_ONNX_ABS_PLUS_1, BP_ONNX_E_OVER_ABS_PLUS_1},
    };
    if (operation == '*' && first != BP_ONNX_E) {
        return second == BP_ONNX_E ? with_part(g, operation, second, second_factor, first, first_factor) : refuse(g);
    }
    for (size_t i = 0; first == BP_ONNX_E && i < sizeof results / sizeof *results; i++) {
        if (results[i].operation == operation && results[i].second == second) {
            return give(g, results[i].result, operation == '*' ? first_factor * second_factor : first_factor / second_factor);
        }
    }
    return refuse(g);
}

/* Of inputs that are constant on the other side the sign or the order matters: 1 − x and 1 / x are nothing that a net has. */
bp_status bp_onnx_arithmetic(bp_onnx_graph *g)
{
    static const char names[][4] = {"Add", "Sub", "Mul", "Div", "Pow"};
    size_t which = 0;
    while (strcmp(names[which], g->node->op_type) != 0) {
        which++;
    }
    char operation = "+-*/^"[which];
    const bp_onnx_value *first = bp_onnx_input(g, 0), *second = bp_onnx_input(g, 1);
    if (!first || !second) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "it has not two inputs");
    }
    if ((operation == '+' || operation == '*') && first->form == BP_ONNX_CONSTANT) {
        const bp_onnx_value *swapped = first;
        first = second;
        second = swapped;
    }
    bool by_constant = second->form == BP_ONNX_CONSTANT;
    bp_onnx_part part, other_part;
    double factor, other_factor;
    if (by_constant && first == g->head && g->stage == BP_ONNX_AFTER_LAYER && (operation == '+' || operation == '-')) {
        return bp_onnx_shift(g, second, operation == '+' ? 1 : -1);
    }
    /* e is used twice where its product is part of an activation */
    bool after_layer = g->stage == BP_ONNX_AFTER_LAYER && first->n_uses > 1;
    if (by_constant && first == g->head && !after_layer && operation != '^') {
        return bp_onnx_scale(g, operation, second);
    }
    if (!is_part(g, first, &part, &factor)) {
        return refuse(g);
    }
    if (by_constant) {
        bp_onnx_tensor number;
        bp_status status = bp_onnx_open_tensor(g->from, g->what, second->constant, &number);
        if (status != BP_OK) {
            return status;
        }
        return number.count == 1 && number.proto->n_dims <= 2 ? with_number(g, operation, part, factor, bp_onnx_number(&number, 0))
                                                              : refuse(g);
    }
    return is_part(g, second, &other_part, &other_factor) ? with_part(g, operation, part, factor, other_part, other_factor) : refuse(g);
}

/* Whether the attributes are those that make the operator one of this library's. */
static bp_status check_attributes(const bp_onnx_graph *g, const bp_onnx_activation *a)
{
    static const char *const names[] = {"alpha", "gamma"};
    const double expected[] = {a->alpha, a->gamma};
    for (size_t i = 0; i < 2; i++) {
        double found = bp_onnx_real(g, names[i], expected[i]);
        if (expected[i] != 0 && !is_near(found, expected[i])) {
            return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "%s is %g; this library has %s with %g", names[i], found, a->op_type,
                                     expected[i]);
        }
    }
    int64_t axis = bp_onnx_integer(g, "axis", -1); /* and 1 before operator set 13, the same with two dimensions */
    if (a->activation == BP_ACTIVATION_SOFTMAX && axis != 1 && axis != -1) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "axis is %lld; outputs are axis 1", (long long)axis);
    }
    const BpOnnx__AttributeProto *approximate = bp_onnx_attribute(g, "approximate");
    if (a->activation == BP_ACTIVATION_GELU && approximate && (approximate->s.len != 4 || memcmp(approximate->s.data, "none", 4) != 0)) {
        return bp_onnx_fail_node(g, BP_ERROR_UNSUPPORTED, "an approximation; this library has gelu by erf");
    }
    return BP_OK;
}

static bp_status activation(bp_onnx_graph *g, const char *op_type)
{
    const bp_onnx_activation *a = bp_onnx_activation_at(0);
    while (a->op_type && strcmp(a->op_type, op_type) != 0) {
        a++;
    }
    bp_status status = a->op_type ? bp_onnx_take_head(g, 0) : refuse(g);
    if (status == BP_OK) {
        status = check_attributes(g, a);
    }
    return status == BP_OK ? bp_onnx_activate(g, a->activation) : status;
}

bp_status bp_onnx_function(bp_onnx_graph *g)
{
    const char *op_type = g->node->op_type;
    const bp_onnx_value *input = bp_onnx_input(g, 0);
    bp_onnx_part part;
    double factor;
    if (!input) {
        return bp_onnx_fail_node(g, BP_ERROR_FORMAT, "it has no input");
    }
    bool sigmoid = strcmp(op_type, "Sigmoid") == 0;
    if ((sigmoid && input->n_uses == 1) || !is_part(g, input, &part, &factor)) {
        return activation(g, op_type);
    }
    if (strcmp(op_type, "Neg") == 0) {
        return give(g, part, -factor);
    }
    if (sigmoid && part == BP_ONNX_E && is_near(factor, 1)) {
        return give(g, BP_ONNX_SIGMOID, 1);
    }
    if (strcmp(op_type, "Erf") == 0 && part == BP_ONNX_E && is_near(factor, sqrt_half)) {
        return give(g, BP_ONNX_ERF, 1);
    }
    if (strcmp(op_type, "Abs") == 0 && part == BP_ONNX_E && is_near(factor, 1)) {
        return give(g, BP_ONNX_ABS, 1);
    }
    if (strcmp(op_type, "Exp") == 0 && part == BP_ONNX_SQUARE && is_near(factor, -1)) {
        return give(g, BP_ONNX_GAUSSIAN, 1);
    }
    return activation(g, op_type);
}
