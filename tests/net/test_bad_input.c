/* Every bad argument gets its status, a sentence that names it, and changes nothing. */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The argument refused is named by the word; NULL arguments are "word is NULL". */
enum { INPUTS = 3, OUTPUTS = 2, BATCH = 4 };

static const real x[BATCH * INPUTS] = {1, 2, 3, -1}, target[BATCH * OUTPUTS] = {1, 0};

typedef struct fixture {
    bp_net *net, *empty;
    bp_workspace *ws;
    bp_optimizer *sgd;
    bp_layer *layer;
    size_t count;
    real *before, *after; /* parameters */
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f.net = make_net(REAL_DTYPE, INPUTS, 2, (const size_t[]){4, OUTPUTS}, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 9);
    must(bp_net_create(&f.empty, REAL_DTYPE, INPUTS));
    must(bp_workspace_create(&f.ws, f.net, BATCH));
    must(bp_optimizer_create(&f.sgd, BP_METHOD_SGD, f.net));
    must(bp_layer_create(&f.layer, REAL_DTYPE, INPUTS, OUTPUTS, BP_ACTIVATION_TANH, 0));
    f.count = bp_net_parameter_count(f.net);
    f.before = malloc(f.count * sizeof *f.before);
    f.after = malloc(f.count * sizeof *f.after);
    must(REAL(bp_net_get_parameters)(f.net, f.before));
    *state = &f;
    return 0;
}

static void unchanged(fixture *f)
{
    must(REAL(bp_net_get_parameters)(f->net, f->after));
    assert_memory_equal(f->before, f->after, f->count * sizeof *f->before);
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unchanged(f);
    bp_layer_destroy(f->layer);
    bp_optimizer_destroy(f->sgd);
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->empty);
    bp_net_destroy(f->net);
    free(f->before);
    free(f->after);
    return 0;
}

static void test_null_in_building(void **state)
{
    fixture *f = *state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    const bp_net *none = NULL;
    size_t permutation[1];
    bp_workspace *ws = NULL;
    bp_optimizer *opt = NULL;
    bp_layer *layer = NULL;
    bp_net *copy = NULL;
    double value;
    REFUSED(bp_net_create(NULL, BP_F32, 1), argument, "net is NULL");
    REFUSED(bp_net_add_dense(NULL, 1, BP_ACTIVATION_TANH, 1), argument, "net is NULL");
    REFUSED(bp_net_initialize(NULL, BP_INITIALIZER_ZEROS, 1), argument, "net is NULL");
    REFUSED(bp_net_set_rule(NULL, BP_RULE_GRADIENT), argument, "net is NULL");
    REFUSED(REAL(bp_net_set_input_scaling)(NULL, x, x), argument, "net is NULL");
    REFUSED(REAL(bp_net_set_input_scaling)(f->net, NULL, x), argument, "offset is NULL");
    REFUSED(REAL(bp_net_set_input_scaling)(f->net, x, NULL), argument, "scale is NULL");
    REFUSED(REAL(bp_net_get_input_scaling)(NULL, f->after, f->after), argument, "net is NULL");
    REFUSED(REAL(bp_net_get_input_scaling)(f->net, NULL, f->after), argument, "offset is NULL");
    REFUSED(REAL(bp_net_get_input_scaling)(f->net, f->after, NULL), argument, "scale is NULL");
    REFUSED(bp_net_clone(NULL, f->net), argument, "copy is NULL");
    REFUSED(bp_net_clone(&copy, none), argument, "net is NULL");
    REFUSED(bp_net_copy_parameters(NULL, f->net), argument, "destination is NULL");
    REFUSED(bp_net_copy_parameters(f->net, none), argument, "source is NULL");
    REFUSED(bp_net_layer(NULL, 0, &layer), argument, "net is NULL");
    REFUSED(bp_net_layer(f->net, 0, NULL), argument, "layer is NULL");
    REFUSED(REAL(bp_net_get_parameters)(NULL, f->after), argument, "net is NULL");
    REFUSED(REAL(bp_net_get_parameters)(f->net, NULL), argument, "theta is NULL");
    REFUSED(REAL(bp_net_set_parameters)(NULL, f->before), argument, "net is NULL");
    REFUSED(REAL(bp_net_set_parameters)(f->net, NULL), argument, "theta is NULL");
    REFUSED(bp_workspace_create(NULL, f->net, 1), argument, "ws is NULL");
    REFUSED(bp_workspace_create(&ws, none, 1), argument, "net is NULL");
    REFUSED(bp_optimizer_create(NULL, BP_METHOD_SGD, f->net), argument, "opt is NULL");
    REFUSED(bp_optimizer_create(&opt, BP_METHOD_SGD, none), argument, "net is NULL");
    REFUSED(bp_optimizer_set(NULL, BP_OPTIMIZER_LEARNING_RATE, 1), argument, "opt is NULL");
    REFUSED(bp_optimizer_get(NULL, BP_OPTIMIZER_LEARNING_RATE, &value), argument, "opt is NULL");
    REFUSED(bp_optimizer_get(f->sgd, BP_OPTIMIZER_LEARNING_RATE, NULL), argument, "value is NULL");
    REFUSED(REAL(bp_optimizer_step)(NULL, f->net, f->before), argument, "opt is NULL");
    REFUSED(REAL(bp_optimizer_step)(f->sgd, NULL, f->before), argument, "net is NULL");
    REFUSED(REAL(bp_optimizer_step)(f->sgd, f->net, NULL), argument, "gradient is NULL");
    REFUSED(bp_layer_create(NULL, BP_F32, 1, 1, BP_ACTIVATION_TANH, 0), argument, "layer is NULL");
    REFUSED(bp_random_permutation(1, 1, 1, NULL), argument, "permutation is NULL");
    assert_true(!ws && !opt && !layer && !copy);
    must(bp_random_permutation(1, 1, 0, permutation));
    bp_net_destroy(NULL);
    bp_workspace_destroy(NULL);
    bp_optimizer_destroy(NULL);
    bp_layer_destroy(NULL);
    assert_int_equal(bp_net_parameter_count(NULL), 0);
    assert_int_equal(bp_net_input_count(NULL), 0);
    assert_int_equal(bp_net_output_count(NULL), 0);
    assert_int_equal(bp_net_layer_count(NULL), 0);
    assert_int_equal(bp_net_is_initialized(NULL), 0);
    assert_int_equal(bp_net_has_input_scaling(NULL), 0);
    assert_int_equal(bp_net_dtype(NULL), 0);
    assert_int_equal(bp_net_rule(NULL), 0);
    assert_int_equal(bp_workspace_max_batch(NULL), 0);
    assert_int_equal(bp_optimizer_method(NULL), 0);
    assert_int_equal(bp_layer_input_count(NULL), 0);
    assert_int_equal(bp_layer_output_count(NULL), 0);
    assert_int_equal(bp_layer_has_bias(NULL), 0);
    assert_int_equal(bp_layer_dtype(NULL), 0);
    assert_int_equal(bp_layer_activation(NULL), 0);
}

static void test_null_in_running(void **state)
{
    fixture *f = *state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    real y[BATCH * OUTPUTS], e[4];
    REFUSED(REAL(bp_net_forward)(NULL, f->ws, 1, x, y), argument, "net is NULL");
    REFUSED(REAL(bp_net_forward)(f->net, NULL, 1, x, y), argument, "ws is NULL");
    REFUSED(REAL(bp_net_forward)(f->net, f->ws, 1, NULL, y), argument, "x is NULL");
    REFUSED(REAL(bp_net_forward)(f->net, f->ws, 1, x, NULL), argument, "y is NULL");
    REFUSED(REAL(bp_net_backward)(NULL, f->ws, x, NULL, NULL), argument, "net is NULL");
    REFUSED(REAL(bp_net_backward)(f->net, NULL, x, NULL, NULL), argument, "ws is NULL");
    REFUSED(REAL(bp_net_backward)(f->net, f->ws, NULL, NULL, NULL), argument, "delta is NULL");
    REFUSED(REAL(bp_net_predict)(NULL, f->ws, 1, x, y), argument, "net is NULL");
    REFUSED(REAL(bp_net_predict)(f->net, NULL, 1, x, y), argument, "ws is NULL");
    REFUSED(REAL(bp_net_predict)(f->net, f->ws, 1, NULL, y), argument, "x is NULL");
    REFUSED(REAL(bp_net_predict)(f->net, f->ws, 1, x, NULL), argument, "y is NULL");
    REFUSED(REAL(bp_net_gradient)(NULL, f->ws, BP_LOSS_MSE, 1, x, target, NULL, NULL), argument, "net is NULL");
    REFUSED(REAL(bp_net_gradient)(f->net, NULL, BP_LOSS_MSE, 1, x, target, NULL, NULL), argument, "ws is NULL");
    REFUSED(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, 1, NULL, target, NULL, NULL), argument, "x is NULL");
    REFUSED(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, 1, x, NULL, NULL, NULL), argument, "target is NULL");
    REFUSED(REAL(bp_net_train_step)(NULL, f->ws, f->sgd, BP_LOSS_MSE, 1, x, target, NULL), argument, "net is NULL");
    REFUSED(REAL(bp_net_train_step)(f->net, NULL, f->sgd, BP_LOSS_MSE, 1, x, target, NULL), argument, "ws is NULL");
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, NULL, BP_LOSS_MSE, 1, x, target, NULL), argument, "opt is NULL");
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, 1, NULL, target, NULL), argument, "x is NULL");
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, 1, x, NULL, NULL), argument, "target is NULL");
    REFUSED(REAL(bp_net_train_online)(NULL, f->ws, f->sgd, BP_LOSS_MSE, 1, x, target, NULL), argument, "net is NULL");
    REFUSED(REAL(bp_net_train_online)(f->net, NULL, f->sgd, BP_LOSS_MSE, 1, x, target, NULL), argument, "ws is NULL");
    REFUSED(REAL(bp_net_train_online)(f->net, f->ws, NULL, BP_LOSS_MSE, 1, x, target, NULL), argument, "opt is NULL");
    REFUSED(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_MSE, 1, NULL, target, NULL), argument, "x is NULL");
    REFUSED(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_MSE, 1, x, NULL, NULL), argument, "target is NULL");
    REFUSED(REAL(bp_layer_set_weights)(NULL, x, x), argument, "layer is NULL");
    REFUSED(REAL(bp_layer_get_weights)(NULL, e, e), argument, "layer is NULL");
    REFUSED(REAL(bp_layer_set_weights)(f->layer, NULL, x), argument, "no bias");
    REFUSED(REAL(bp_layer_get_weights)(f->layer, NULL, e), argument, "no bias");
    REFUSED(REAL(bp_layer_forward)(NULL, x, e, y), argument, "layer is NULL");
    REFUSED(REAL(bp_layer_forward)(f->layer, NULL, e, y), argument, "x is NULL");
    REFUSED(REAL(bp_layer_forward)(f->layer, x, NULL, y), argument, "e is NULL");
    REFUSED(REAL(bp_layer_forward)(f->layer, x, e, NULL), argument, "y is NULL");
    REFUSED(REAL(bp_layer_local_gradient)(NULL, x, e, y), argument, "layer is NULL");
    REFUSED(REAL(bp_layer_local_gradient)(f->layer, NULL, e, y), argument, "delta is NULL");
    REFUSED(REAL(bp_layer_local_gradient)(f->layer, x, NULL, y), argument, "e is NULL");
    REFUSED(REAL(bp_layer_local_gradient)(f->layer, x, e, NULL), argument, "g is NULL");
    REFUSED(REAL(bp_layer_backward)(NULL, x, y), argument, "layer is NULL");
    REFUSED(REAL(bp_layer_backward)(f->layer, NULL, y), argument, "delta is NULL");
    REFUSED(REAL(bp_layer_backward)(f->layer, x, NULL), argument, "delta_prev is NULL");
    REFUSED(REAL(bp_layer_update)(NULL, 1, x, x, x), argument, "layer is NULL");
    REFUSED(REAL(bp_layer_update)(f->layer, 1, NULL, x, x), argument, "delta is NULL");
    REFUSED(REAL(bp_layer_update)(f->layer, 1, x, NULL, x), argument, "e is NULL");
    REFUSED(REAL(bp_layer_update)(f->layer, 1, x, x, NULL), argument, "x is NULL");
    REFUSED(REAL(bp_layer_update)(f->layer, (real)NAN, x, x, x), argument, "eta");
    REFUSED(REAL(bp_layer_update)(f->layer, (real)INFINITY, x, x, x), argument, "eta");
}

static void test_sizes(void **state)
{
    fixture *f = *state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    const size_t huge = (size_t)1 << 30;
    bp_net *net = NULL, *wide;
    bp_layer *layer = NULL;
    bp_workspace *ws = NULL;
    const size_t bad[] = {0, huge + 1, SIZE_MAX};
    for (size_t i = 0; i < 3; i++) {
        REFUSED(bp_net_create(&net, BP_F32, bad[i]), argument, "n_inputs is");
        REFUSED(bp_net_add_dense(f->empty, bad[i], BP_ACTIVATION_TANH, 1), argument, "units is");
        REFUSED(bp_layer_create(&layer, BP_F64, bad[i], 1, BP_ACTIVATION_TANH, 1), argument, "n_inputs is");
        REFUSED(bp_layer_create(&layer, BP_F64, 1, bad[i], BP_ACTIVATION_TANH, 1), argument, "n_outputs is");
        REFUSED(bp_workspace_create(&ws, f->net, bad[i]), argument, "max_batch is");
    }
    REFUSED(bp_layer_create(&layer, BP_F64, huge, huge, BP_ACTIVATION_TANH, 1), argument, "address");
    must(bp_net_create(&wide, BP_F64, huge));
    REFUSED(bp_net_add_dense(wide, huge, BP_ACTIVATION_TANH, 1), argument, "address");
    assert_int_equal(bp_net_layer_count(wide), 0);
    assert_int_equal(bp_net_parameter_count(wide), 0);
    must(bp_net_add_dense(wide, (size_t)1 << 28, BP_ACTIVATION_TANH, 0));
    REFUSED(bp_net_initialize(wide, BP_INITIALIZER_ZEROS, 1), BP_ERROR_MEMORY, "memory");
    assert_int_equal(bp_net_is_initialized(wide), 0);
    bp_net_destroy(wide);
    assert_true(!net && !layer && !ws);
    REFUSED(bp_net_layer(f->net, 2, &layer), argument, "index is 2");
    REFUSED(bp_net_layer(f->net, SIZE_MAX, &layer), argument, "index is");
}

static void test_batches(void **state)
{
    fixture *f = *state;
    real y[BATCH * OUTPUTS];
    const size_t bad[] = {0, BATCH + 1, SIZE_MAX};
    for (size_t i = 0; i < 3; i++) {
        REFUSED(REAL(bp_net_forward)(f->net, f->ws, bad[i], x, y), BP_ERROR_ARGUMENT, "batch is");
        REFUSED(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, bad[i], x, target, NULL, NULL), BP_ERROR_ARGUMENT, "batch is");
        REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, bad[i], x, target, NULL), BP_ERROR_ARGUMENT, "batch is");
    }
    REFUSED(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_MSE, 0, x, target, NULL), BP_ERROR_ARGUMENT, "n is 0");
}

static void test_order_of_calls(void **state)
{
    fixture *f = *state;
    real y[BATCH * OUTPUTS], theta[64];
    bp_workspace *ws = NULL;
    bp_optimizer *opt = NULL;
    bp_layer *layer;
    REFUSED(bp_net_initialize(f->empty, BP_INITIALIZER_ZEROS, 1), BP_ERROR_STATE, "no layer");
    must(bp_net_add_dense(f->empty, 2, BP_ACTIVATION_TANH, 0));
    REFUSED(bp_workspace_create(&ws, f->empty, 1), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_optimizer_create(&opt, BP_METHOD_SGD, f->empty), BP_ERROR_STATE, "not initialized");
    REFUSED(REAL(bp_net_get_parameters)(f->empty, theta), BP_ERROR_STATE, "not initialized");
    REFUSED(REAL(bp_net_set_parameters)(f->empty, theta), BP_ERROR_STATE, "not initialized");
    REFUSED(REAL(bp_net_predict)(f->empty, f->ws, 1, x, y), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_copy_parameters(f->net, f->empty), BP_ERROR_STATE, "source");
    REFUSED(bp_net_copy_parameters(f->empty, f->net), BP_ERROR_STATE, "destination");
    must(bp_net_layer(f->empty, 0, &layer));
    REFUSED(REAL(bp_layer_forward)(layer, x, y, y), BP_ERROR_STATE, "not initialized");
    REFUSED(REAL(bp_layer_set_weights)(layer, x, NULL), BP_ERROR_STATE, "not initialized");
    bp_layer_destroy(layer); /* borrowed: left alone */
    assert_int_equal(bp_layer_output_count(layer), 2);
    REFUSED(bp_net_add_dense(f->net, 1, BP_ACTIVATION_TANH, 1), BP_ERROR_STATE, "initialized");
    assert_true(!ws && !opt);

    REFUSED(REAL(bp_net_backward)(f->net, f->ws, x, theta, NULL), BP_ERROR_STATE, "bp_net_forward");
    must(REAL(bp_net_forward)(f->net, f->ws, 2, x, y));
    must(REAL(bp_net_backward)(f->net, f->ws, x, theta, NULL));
    must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, 2, x, target, theta, NULL));
    REFUSED(REAL(bp_net_backward)(f->net, f->ws, x, theta, NULL), BP_ERROR_STATE, "bp_net_forward");
    must(REAL(bp_net_forward)(f->net, f->ws, 2, x, y));
    must(REAL(bp_net_predict)(f->net, f->ws, 1, x, y));
    REFUSED(REAL(bp_net_backward)(f->net, f->ws, x, theta, NULL), BP_ERROR_STATE, "bp_net_forward");
}

static void test_objects_of_another_net(void **state)
{
    fixture *f = *state;
    real y[BATCH * OUTPUTS];
    bp_net *clone;
    must(bp_net_clone(&clone, f->net));
    REFUSED(REAL(bp_net_forward)(clone, f->ws, 1, x, y), BP_ERROR_STATE, "another net");
    REFUSED(REAL(bp_net_predict)(clone, f->ws, 1, x, y), BP_ERROR_STATE, "another net");
    REFUSED(REAL(bp_net_train_step)(clone, f->ws, f->sgd, BP_LOSS_MSE, 1, x, target, NULL), BP_ERROR_STATE, "another net");
    REFUSED(REAL(bp_optimizer_step)(f->sgd, clone, f->before), BP_ERROR_STATE, "another net");
    bp_workspace *ws;
    bp_optimizer *opt;
    must(bp_workspace_create(&ws, clone, 1));
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, clone));
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, opt, BP_LOSS_MSE, 1, x, target, NULL), BP_ERROR_STATE, "optimizer");
    /* outliving their net, they fit no later one, even where it gets the same memory */
    bp_net_destroy(clone);
    for (int i = 0; i < 20; i++) {
        must(bp_net_clone(&clone, f->net));
        REFUSED(REAL(bp_net_forward)(clone, ws, 1, x, y), BP_ERROR_STATE, "another net");
        REFUSED(REAL(bp_optimizer_step)(opt, clone, f->before), BP_ERROR_STATE, "another net");
        bp_net_destroy(clone);
    }
    bp_workspace_destroy(ws);
    bp_optimizer_destroy(opt);
    bp_net *other = make_net(REAL_DTYPE, INPUTS, 2, (const size_t[]){5, OUTPUTS}, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 9);
    REFUSED(bp_net_copy_parameters(f->net, other), BP_ERROR_ARGUMENT, "widths");
    bp_net *without = make_net(REAL_DTYPE, INPUTS, 2, (const size_t[]){5, OUTPUTS}, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 0, 9);
    REFUSED(bp_net_copy_parameters(other, without), BP_ERROR_ARGUMENT, "biases");
    REFUSED(bp_net_copy_parameters(without, other), BP_ERROR_ARGUMENT, "biases");
    bp_net_destroy(without);
    bp_net_destroy(other);
}

static void test_wrong_element_type(void **state)
{
    (void)state;
    const bool f32 = REAL_DTYPE == BP_F32;
    bp_net *net = make_net(f32 ? BP_F64 : BP_F32, 2, 1, (const size_t[]){2}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 1);
    bp_net *same = make_net(REAL_DTYPE, 2, 1, (const size_t[]){2}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 1);
    bp_workspace *ws;
    bp_optimizer *opt;
    bp_layer *layer;
    real a[8] = {0}, b[8];
    const bp_status dtype = BP_ERROR_DTYPE;
    const char *word = f32 ? "_f64" : "_f32";
    must(bp_workspace_create(&ws, net, 1));
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
    must(bp_net_layer(net, 0, &layer));
    REFUSED(REAL(bp_net_set_input_scaling)(net, a, a), dtype, word);
    REFUSED(REAL(bp_net_get_input_scaling)(net, b, b), dtype, word);
    REFUSED(REAL(bp_net_get_parameters)(net, b), dtype, word);
    REFUSED(REAL(bp_net_set_parameters)(net, a), dtype, word);
    REFUSED(REAL(bp_net_forward)(net, ws, 1, a, b), dtype, word);
    REFUSED(REAL(bp_net_backward)(net, ws, a, b, NULL), dtype, word);
    REFUSED(REAL(bp_net_predict)(net, ws, 1, a, b), dtype, word);
    REFUSED(REAL(bp_net_gradient)(net, ws, BP_LOSS_MSE, 1, a, a, b, NULL), dtype, word);
    REFUSED(REAL(bp_net_train_step)(net, ws, opt, BP_LOSS_MSE, 1, a, a, NULL), dtype, word);
    REFUSED(REAL(bp_net_train_online)(net, ws, opt, BP_LOSS_MSE, 1, a, a, NULL), dtype, word);
    REFUSED(REAL(bp_optimizer_step)(opt, net, a), dtype, word);
    REFUSED(REAL(bp_layer_set_weights)(layer, a, a), dtype, word);
    REFUSED(REAL(bp_layer_get_weights)(layer, b, b), dtype, word);
    REFUSED(REAL(bp_layer_forward)(layer, a, b, b), dtype, word);
    REFUSED(REAL(bp_layer_local_gradient)(layer, a, a, b), dtype, word);
    REFUSED(REAL(bp_layer_backward)(layer, a, b), dtype, word);
    REFUSED(REAL(bp_layer_update)(layer, 1, a, a, a), dtype, word);
    REFUSED(bp_net_copy_parameters(same, net), dtype, f32 ? "f64" : "f32");
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    bp_net_destroy(same);
}

static void test_unknown_enums(void **state)
{
    fixture *f = *state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    bp_net *net = NULL;
    bp_layer *layer = NULL;
    bp_optimizer *opt = NULL;
    double value;
    const int bad[] = {-1, 16, 1000000, -2147483647};
    for (size_t i = 0; i < 4; i++) {
        REFUSED(bp_net_create(&net, (bp_dtype)bad[i], 1), argument, "dtype is");
        REFUSED(bp_net_add_dense(f->empty, 1, (bp_activation)bad[i], 1), argument, "activation is");
        REFUSED(bp_layer_create(&layer, (bp_dtype)bad[i], 1, 1, BP_ACTIVATION_TANH, 1), argument, "dtype is");
        REFUSED(bp_layer_create(&layer, BP_F32, 1, 1, (bp_activation)bad[i], 1), argument, "activation is");
        REFUSED(bp_net_initialize(f->net, (bp_initializer)bad[i], 1), argument, "initializer is");
        REFUSED(bp_net_set_rule(f->net, (bp_rule)bad[i]), argument, "rule is");
        REFUSED(bp_optimizer_create(&opt, (bp_method)bad[i], f->net), argument, "method is");
        REFUSED(bp_optimizer_set(f->sgd, (bp_optimizer_setting)bad[i], 1), argument, "setting is");
        REFUSED(bp_optimizer_get(f->sgd, (bp_optimizer_setting)bad[i], &value), argument, "setting is");
        REFUSED(REAL(bp_net_gradient)(f->net, f->ws, (bp_loss)bad[i], 1, x, target, NULL, NULL), argument, "loss is");
        REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, (bp_loss)bad[i], 1, x, target, NULL), argument, "loss is");
        REFUSED(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, (bp_loss)bad[i], 1, x, target, NULL), argument, "loss is");
        REFUSED(bp_net_add_dense(f->empty, 1, BP_ACTIVATION_TANH, bad[i]), argument, "bias is");
        assert_non_null(bp_status_string((bp_status)bad[i]));
    }
    REFUSED(bp_net_create(&net, (bp_dtype)0, 1), argument, "dtype is 0");
    assert_true(!net && !layer && !opt);
}

static void test_names(void **state)
{
    (void)state;
#define ROUND_TRIP(type, first, count)                                                                                                     \
    for (int i = first; i < first + count; i++) {                                                                                          \
        type value;                                                                                                                        \
        const char *name = type##_name((type)i);                                                                                           \
        assert_non_null(name);                                                                                                             \
        must(type##_from_name(name, &value));                                                                                              \
        assert_int_equal(value, i);                                                                                                        \
        REFUSED(type##_from_name(NULL, &value), BP_ERROR_ARGUMENT, "name is NULL");                                                        \
        REFUSED(type##_from_name("Nothing", &value), BP_ERROR_ARGUMENT, "\"Nothing\"");                                                    \
        REFUSED(type##_from_name(name, NULL), BP_ERROR_ARGUMENT, "NULL");                                                                  \
        assert_int_equal(value, i);                                                                                                        \
    }                                                                                                                                      \
    assert_null(type##_name((type)(first + count)));                                                                                       \
    assert_null(type##_name((type)(first - 1)))

    ROUND_TRIP(bp_status, 0, 11);
    ROUND_TRIP(bp_dtype, 1, 2);
    ROUND_TRIP(bp_activation, 0, 14);
    ROUND_TRIP(bp_loss, 0, 5);
    ROUND_TRIP(bp_rule, 0, 2);
    ROUND_TRIP(bp_initializer, 0, 7);
    ROUND_TRIP(bp_csv_missing, 0, 3);
    ROUND_TRIP(bp_method, 0, 10);
    ROUND_TRIP(bp_optimizer_setting, 0, 16);
    ROUND_TRIP(bp_metric, 0, 6);
    ROUND_TRIP(bp_schedule_kind, 0, 6);
    ROUND_TRIP(bp_schedule_setting, 0, 11);
    ROUND_TRIP(bp_trainer_setting, 0, 15);
    ROUND_TRIP(bp_stop, 0, 6);
    ROUND_TRIP(bp_history, 0, 14);
    assert_int_equal(bp_dtype_size(BP_F32), 4);
    assert_int_equal(bp_dtype_size(BP_F64), 8);
    assert_int_equal(bp_dtype_size((bp_dtype)0), 0);
    assert_int_equal(bp_version_number(), 10000);
    assert_string_equal(bp_version(), "1.0.0");
}

static void test_numbers(void **state)
{
    fixture *f = *state;
    const double bad_rates[] = {NAN, INFINITY, -INFINITY, -1e-9, REAL_DTYPE == BP_F32 ? 1e39 : INFINITY};
    double rate;
    for (size_t i = 0; i < 5; i++) {
        REFUSED(bp_optimizer_set(f->sgd, BP_OPTIMIZER_LEARNING_RATE, bad_rates[i]), BP_ERROR_ARGUMENT, "learning_rate is");
        must(bp_optimizer_get(f->sgd, BP_OPTIMIZER_LEARNING_RATE, &rate));
        assert_true(rate == 0.01);
    }
    const real bad[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    for (size_t i = 0; i < 3; i++) {
        memcpy(f->after, f->before, f->count * sizeof *f->after);
        f->after[f->count - 1] = bad[i];
        REFUSED(REAL(bp_net_set_parameters)(f->net, f->after), BP_ERROR_NONFINITE, "theta[25]");
        REFUSED(REAL(bp_optimizer_step)(f->sgd, f->net, f->after), BP_ERROR_NONFINITE, "gradient[25]");
        const real W[INPUTS * OUTPUTS] = {0, 0, bad[i]}, ones[INPUTS] = {1, 1, 1}, scaling[INPUTS] = {1, bad[i], 1};
        REFUSED(REAL(bp_layer_set_weights)(f->layer, W, NULL), BP_ERROR_NONFINITE, "W[2]");
        const real finite[INPUTS * OUTPUTS] = {0}, b[OUTPUTS] = {bad[i]};
        bp_layer *biased;
        must(bp_layer_create(&biased, REAL_DTYPE, INPUTS, OUTPUTS, BP_ACTIVATION_TANH, 1));
        REFUSED(REAL(bp_layer_set_weights)(biased, finite, b), BP_ERROR_NONFINITE, "b[0]");
        bp_layer_destroy(biased);
        REFUSED(REAL(bp_net_set_input_scaling)(f->net, scaling, ones), BP_ERROR_NONFINITE, "offset[1]");
        REFUSED(REAL(bp_net_set_input_scaling)(f->net, ones, scaling), BP_ERROR_NONFINITE, "scale[1]");
    }
    assert_int_equal(bp_net_has_input_scaling(f->net), 0);
}

/* Parameters are looked at many at a time; none is overlooked. */
static void test_each_parameter(void **state)
{
    (void)state;
    enum { N = 9 * 16 + 16 + 17 };
    static const size_t widths[] = {16, 1};
    bp_net *net = make_net(REAL_DTYPE, 9, 2, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 1);
    real theta[N];
    assert_int_equal(bp_net_parameter_count(net), N);
    must(REAL(bp_net_get_parameters)(net, theta));
    for (size_t i = 0; i < N; i++) {
        const real good = theta[i], bad[] = {(real)NAN, INFINITY, -INFINITY};
        char words[40];
        theta[i] = bad[i % 3];
        snprintf(words, sizeof words, "theta[%zu] is", i);
        REFUSED(REAL(bp_net_set_parameters)(net, theta), BP_ERROR_NONFINITE, words);
        theta[i] = good;
    }
    bp_net_destroy(net);
}

/* A loss or target that is not finite: the step is refused, and the weights stay bit for bit. */
static void test_nonfinite_loss(void **state)
{
    fixture *f = *state;
    const real bad[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
    for (size_t i = 0; i < 3; i++) {
        for (size_t batch = 1; batch <= BATCH; batch += 3) {
            real bad_x[BATCH * INPUTS], bad_target[BATCH * OUTPUTS], loss = -1, one = -1;
            memcpy(bad_x, x, sizeof x);
            memcpy(bad_target, target, sizeof target);
            bad_target[1] = bad[i];
            REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, batch, x, bad_target, &loss), BP_ERROR_NONFINITE, "loss");
            REFUSED(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MAE, batch, x, bad_target, f->after, &loss), BP_ERROR_NONFINITE, "loss");
            REFUSED(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_HUBER, batch, x, bad_target, &one), BP_ERROR_NONFINITE,
                    "sample 0");
            if (isnan(bad[i])) { /* an infinite input comes out of tanh as ±1 */
                bad_x[0] = bad[i];
                REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, batch, bad_x, target, &loss), BP_ERROR_NONFINITE,
                        "loss is nan");
            }
            assert_true(loss == -1 && one == -1);
            unchanged(f);
        }
    }
    /* finite errors whose squares are not */
    const real great[OUTPUTS] = {REAL_MAX, 0};
    REFUSED(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, 1, x, great, NULL), BP_ERROR_NONFINITE, "loss is inf");
}

static void test_combinations(void **state)
{
    (void)state;
    for (int a = 0; a <= BP_ACTIVATION_SOFTMAX; a++) {
        bp_activation output = (bp_activation)a;
        bp_net *net = make_net(REAL_DTYPE, 2, 1, (const size_t[]){2}, output, output, 1, 1);
        bp_workspace *ws;
        bp_optimizer *opt;
        real y[2];
        must(bp_workspace_create(&ws, net, 1));
        must(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
        for (int rule = 0; rule < 2; rule++) {
            must(bp_net_set_rule(net, (bp_rule)rule));
            for (int k = 0; k <= BP_LOSS_CROSS_ENTROPY; k++) {
                bool fits = k == BP_LOSS_BINARY_CROSS_ENTROPY ? output == BP_ACTIVATION_SIGMOID
                            : k == BP_LOSS_CROSS_ENTROPY      ? output == BP_ACTIVATION_SOFTMAX
                                                              : true;
                fits = fits && !(rule == BP_RULE_ERROR_SIGNAL && output == BP_ACTIVATION_SOFTMAX);
                bp_status expected = fits ? BP_OK : BP_ERROR_UNSUPPORTED;
                assert_int_equal(REAL(bp_net_gradient)(net, ws, (bp_loss)k, 1, x, target, NULL, NULL), expected);
                assert_int_equal(REAL(bp_net_train_step)(net, ws, opt, (bp_loss)k, 1, x, target, NULL), expected);
                assert_int_equal(REAL(bp_net_train_online)(net, ws, opt, (bp_loss)k, 1, x, target, NULL), expected);
            }
            must(REAL(bp_net_forward)(net, ws, 1, x, y));
            bool refused = rule == BP_RULE_ERROR_SIGNAL && output == BP_ACTIVATION_SOFTMAX;
            assert_int_equal(REAL(bp_net_backward)(net, ws, x, NULL, NULL), refused ? BP_ERROR_UNSUPPORTED : BP_OK);
        }
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
    bp_net *net;
    must(bp_net_create(&net, REAL_DTYPE, 2));
    must(bp_net_add_dense(net, 2, BP_ACTIVATION_SOFTMAX, 1));
    REFUSED(bp_net_add_dense(net, 2, BP_ACTIVATION_TANH, 1), BP_ERROR_UNSUPPORTED, "softmax");
    assert_int_equal(bp_net_layer_count(net), 1);
    bp_net_destroy(net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_null_in_building),
        TEST(test_null_in_running),
        TEST(test_sizes),
        TEST(test_batches),
        TEST(test_order_of_calls),
        TEST(test_objects_of_another_net),
        cmocka_unit_test(test_wrong_element_type),
        TEST(test_unknown_enums),
        cmocka_unit_test(test_names),
        TEST(test_numbers),
        TEST(test_each_parameter),
        TEST(test_nonfinite_loss),
        cmocka_unit_test(test_combinations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
