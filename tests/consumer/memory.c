/* A program that needs no files: it learns exclusive or from memory. What a build without files says of them is said here, too. */
#include <bp/bp.h>

#include <stdio.h>

int main(void)
{
    const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, target[] = {0, 1, 1, 0};
    float loss = 1, y[4];
    bp_net *net, *none = NULL;
    bp_workspace *ws;
    bp_optimizer *sgd;
    if (bp_net_create(&net, BP_F32, 2) || bp_net_add_dense(net, 8, BP_ACTIVATION_TANH, 1) ||
        bp_net_add_dense(net, 1, BP_ACTIVATION_SIGMOID, 1) || bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 42) ||
        bp_workspace_create(&ws, net, 4) || bp_optimizer_create(&sgd, BP_METHOD_SGD, net) ||
        bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, 0.5)) {
        fprintf(stderr, "memory: %s\n", bp_last_error());
        return 1;
    }
    for (int epoch = 0; epoch < 2000 && loss == loss; epoch++) {
        if (bp_net_train_step_f32(net, ws, sgd, BP_LOSS_BINARY_CROSS_ENTROPY, 4, x, target, &loss)) {
            fprintf(stderr, "memory: %s\n", bp_last_error());
            return 1;
        }
    }
    bp_net_predict_f32(net, ws, 4, x, y);
    printf("loss %.4f, answers %.1f %.1f %.1f %.1f\n", (double)loss, (double)y[0], (double)y[1], (double)y[2], (double)y[3]);
    bp_status status = bp_net_load(&none, "/nowhere");
    printf("files: %s\n", status == BP_ERROR_UNSUPPORTED ? bp_last_error() : "yes");
    bp_optimizer_destroy(sgd);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    return loss < 0.1F ? 0 : 1;
}
