/* A program of somebody who has libbp installed: it learns XOR, and fails if the loss does not fall below 0.01. */
#include <bp/bp.h>

#include <stdio.h>

static const float x[4 * 2] = {0, 0, 0, 1, 1, 0, 1, 1};
static const float target[4] = {0, 1, 1, 0};

static bp_status learn(bp_net *net, bp_workspace *ws, bp_optimizer *sgd, float *loss)
{
    bp_status status = bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, 0.5);
    for (int epoch = 0; epoch < 2000 && status == BP_OK; epoch++)
        status = bp_net_train_step_f32(net, ws, sgd, BP_LOSS_BINARY_CROSS_ENTROPY, 4, x, target, loss);
    return status;
}

int main(void)
{
    bp_net *net = NULL;
    bp_workspace *ws = NULL;
    bp_optimizer *sgd = NULL;
    float loss = 1;

    bp_status status = bp_net_create(&net, BP_F32, 2);
    if (status == BP_OK)
        status = bp_net_add_dense(net, 8, BP_ACTIVATION_TANH, 1);
    if (status == BP_OK)
        status = bp_net_add_dense(net, 1, BP_ACTIVATION_SIGMOID, 1);
    if (status == BP_OK)
        status = bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 42);
    if (status == BP_OK)
        status = bp_workspace_create(&ws, net, 4);
    if (status == BP_OK)
        status = bp_optimizer_create(&sgd, BP_METHOD_SGD, net);
    if (status == BP_OK)
        status = learn(net, ws, sgd, &loss);

    bp_optimizer_destroy(sgd);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);

    if (status != BP_OK) {
        fprintf(stderr, "xor: %s\n", bp_last_error());
        return 1;
    }
    printf("xor: libbp %s, loss %.4f\n", bp_version(), loss);
    return loss < 0.01f ? 0 : 1;
}
