/* Layers, nets and workspaces: net.h, layer.h, workspace.h, metric.h. */
#include "failures/flow.h"

static bp_status layer_create(world *w)
{
    return bp_layer_create(&w->made_layer, REAL_DTYPE, INPUTS, OUTPUTS, BP_ACTIVATION_SINE, 1);
}

static bp_status layer_set_weights(world *w)
{
    return REAL(bp_layer_set_weights)(w->layer, world_x + 1, world_x);
}

static bp_status layer_get_weights(world *w)
{
    return REAL(bp_layer_get_weights)(w->layer, w->numbers, w->more_numbers);
}

static bp_status layer_forward(world *w)
{
    return REAL(bp_layer_forward)(w->layer, world_x, w->numbers, w->more_numbers);
}

static bp_status layer_local_gradient(world *w)
{
    return REAL(bp_layer_local_gradient)(w->layer, world_x, world_x, w->numbers);
}

static bp_status layer_backward(world *w)
{
    return REAL(bp_layer_backward)(w->layer, world_x, w->numbers);
}

static bp_status layer_update(world *w)
{
    return REAL(bp_layer_update)(w->layer, (real)0.1, world_x, world_x, world_x);
}

static bp_status net_create(world *w)
{
    return bp_net_create(&w->made_net, REAL_DTYPE, INPUTS);
}

static bp_status net_add_dense(world *w)
{
    return bp_net_add_dense(w->bare, OUTPUTS, BP_ACTIVATION_SOFTMAX, 1);
}

static bp_status net_initialize(world *w)
{
    return bp_net_initialize(w->bare, BP_INITIALIZER_HE_NORMAL, 3);
}

static bp_status net_initialize_again(world *w)
{
    return bp_net_initialize(w->net, BP_INITIALIZER_HE_NORMAL, 3);
}

static bp_status net_set_rule(world *w)
{
    return bp_net_set_rule(w->curve, BP_RULE_ERROR_SIGNAL);
}

static bp_status net_set_input_scaling(world *w)
{
    return REAL(bp_net_set_input_scaling)(w->net, world_x, world_x);
}

static bp_status net_get_input_scaling(world *w)
{
    return REAL(bp_net_get_input_scaling)(w->net, w->numbers, w->more_numbers);
}

static bp_status net_set_output_scaling(world *w)
{
    return REAL(bp_net_set_output_scaling)(w->curve, world_x, world_x);
}

static bp_status net_get_output_scaling(world *w)
{
    return REAL(bp_net_get_output_scaling)(w->curve, w->numbers, w->more_numbers);
}

static bp_status net_set_dropout(world *w)
{
    return bp_net_set_dropout(w->curve, 0, 0.5);
}

static bp_status net_set_input_noise(world *w)
{
    return bp_net_set_input_noise(w->net, 0.5);
}

static bp_status net_set_frozen(world *w)
{
    return bp_net_set_frozen(w->net, 0, 1);
}

static bp_status net_set_input_names(world *w)
{
    static const char *const names[INPUTS] = {"one", "another", "a third"};
    return bp_net_set_input_names(w->net, names);
}

static bp_status net_set_class_names(world *w)
{
    static const char *const names[OUTPUTS] = {"no", "yes"};
    return bp_net_set_class_names(w->net, OUTPUTS, names);
}

static bp_status net_set_metadata(world *w)
{
    return bp_net_set_metadata(w->net, "a key", "its value");
}

static bp_status net_change_metadata(world *w)
{
    return bp_net_set_metadata(w->net, "input_scaling", "min_max");
}

static bp_status net_clone(world *w)
{
    return bp_net_clone(&w->made_net, w->net);
}

static bp_status net_clone_scaled(world *w)
{
    return bp_net_clone(&w->made_net, w->curve);
}

static bp_status net_clone_bare(world *w)
{
    return bp_net_clone(&w->made_net, w->bare);
}

static bp_status net_copy_parameters(world *w)
{
    return bp_net_copy_parameters(w->net, w->curve);
}

static bp_status net_layer(world *w)
{
    return bp_net_layer(w->net, 1, &w->lent);
}

static bp_status net_get_parameters(world *w)
{
    return REAL(bp_net_get_parameters)(w->net, w->numbers);
}

static bp_status net_set_parameters(world *w)
{
    return REAL(bp_net_set_parameters)(w->net, world_x);
}

static bp_status net_forward(world *w)
{
    return REAL(bp_net_forward)(w->net, w->ws, BATCH, world_x, w->numbers);
}

static bp_status net_backward(world *w)
{
    real y[BATCH * OUTPUTS];
    must(REAL(bp_net_forward)(w->net, w->ws, BATCH, world_x, y)); /* which allocates nothing */
    return REAL(bp_net_backward)(w->net, w->ws, world_target, w->numbers, w->more_numbers);
}

static bp_status net_predict(world *w)
{
    return REAL(bp_net_predict)(w->net, w->ws, SAMPLES, world_x, w->numbers);
}

static bp_status net_gradient(world *w)
{
    return REAL(bp_net_gradient)(w->net, w->ws, BP_LOSS_CROSS_ENTROPY, BATCH, world_x, world_target, w->numbers, w->more_numbers);
}

static bp_status net_evaluate(world *w)
{
    return bp_net_evaluate(w->net, w->ws, BP_LOSS_CROSS_ENTROPY, w->training, 1, BP_METRIC_R2 + 1, w->doubles, w->counts);
}

static bp_status net_evaluate_mapped(world *w)
{
    return bp_net_evaluate(w->net, w->ws, BP_LOSS_CROSS_ENTROPY, w->mapped, 1, BP_METRIC_R2 + 1, w->doubles, w->counts);
}

static bp_status net_evaluate_scaled(world *w)
{
    return bp_net_evaluate(w->curve, w->curve_ws, BP_LOSS_MSE, w->curves, 0, BP_METRIC_R2 + 1, w->doubles, NULL);
}

static bp_status workspace_create(world *w)
{
    return bp_workspace_create(&w->made_ws, w->net, BATCH);
}

static bp_status workspace_set_threads(world *w)
{
    return bp_workspace_set_threads(w->ws, 3);
}

/* Which stay where three cannot be had. */
static void two_threads(world *w)
{
    must(bp_workspace_set_threads(w->ws, 2));
}

const flow net_flows[] = {
    {"bp_layer_create", layer_create, MEMORY, NULL},
    {REAL_CALL("bp_layer_set_weights"), layer_set_weights, NOTHING, NULL},
    {REAL_CALL("bp_layer_get_weights"), layer_get_weights, NOTHING, NULL},
    {REAL_CALL("bp_layer_forward"), layer_forward, NOTHING, NULL},
    {REAL_CALL("bp_layer_local_gradient"), layer_local_gradient, NOTHING, NULL},
    {REAL_CALL("bp_layer_backward"), layer_backward, NOTHING, NULL},
    {REAL_CALL("bp_layer_update"), layer_update, NOTHING, NULL},
    {"bp_net_create", net_create, MEMORY, NULL},
    {"bp_net_add_dense", net_add_dense, MEMORY, NULL},
    {"bp_net_initialize", net_initialize, MEMORY, NULL},
    {"bp_net_initialize", net_initialize_again, NOTHING, NULL},
    {"bp_net_set_rule", net_set_rule, NOTHING, NULL},
    {REAL_CALL("bp_net_set_input_scaling"), net_set_input_scaling, MEMORY, NULL},
    {REAL_CALL("bp_net_get_input_scaling"), net_get_input_scaling, NOTHING, NULL},
    {REAL_CALL("bp_net_set_output_scaling"), net_set_output_scaling, MEMORY, NULL},
    {REAL_CALL("bp_net_get_output_scaling"), net_get_output_scaling, NOTHING, NULL},
    {"bp_net_set_dropout", net_set_dropout, NOTHING, NULL},
    {"bp_net_set_input_noise", net_set_input_noise, NOTHING, NULL},
    {"bp_net_set_frozen", net_set_frozen, NOTHING, NULL},
    {"bp_net_set_input_names", net_set_input_names, MEMORY, NULL},
    {"bp_net_set_class_names", net_set_class_names, MEMORY, NULL},
    {"bp_net_set_metadata", net_set_metadata, MEMORY, NULL},
    {"bp_net_set_metadata", net_change_metadata, MEMORY, NULL},
    {"bp_net_clone", net_clone, MEMORY, NULL},
    {"bp_net_clone", net_clone_scaled, MEMORY, NULL},
    {"bp_net_clone", net_clone_bare, MEMORY, NULL},
    {"bp_net_copy_parameters", net_copy_parameters, NOTHING, NULL},
    {"bp_net_layer", net_layer, NOTHING, NULL},
    {REAL_CALL("bp_net_get_parameters"), net_get_parameters, NOTHING, NULL},
    {REAL_CALL("bp_net_set_parameters"), net_set_parameters, NOTHING, NULL},
    {REAL_CALL("bp_net_forward"), net_forward, NOTHING, NULL},
    {REAL_CALL("bp_net_backward"), net_backward, NOTHING, NULL},
    {REAL_CALL("bp_net_predict"), net_predict, NOTHING, NULL},
    {REAL_CALL("bp_net_gradient"), net_gradient, NOTHING, NULL},
    {"bp_net_evaluate", net_evaluate, MEMORY, NULL},
    {"bp_net_evaluate", net_evaluate_mapped, MEMORY, NULL},
    {"bp_net_evaluate", net_evaluate_scaled, MEMORY, NULL},
    {"bp_workspace_create", workspace_create, MEMORY, NULL},
    {"bp_workspace_set_threads", workspace_set_threads, MEMORY | THREADS, NULL},
    {"bp_workspace_set_threads", workspace_set_threads, MEMORY | THREADS, two_threads},
    {0},
};
