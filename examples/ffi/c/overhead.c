/* How long one bp_net_predict_f32 takes, of one sample and of 256, on a net so small that the call is most of it: what other languages add to. */
#define _POSIX_C_SOURCE 199309L

#include <bp/bp.h>

#include <stdio.h>
#include <time.h>

enum { BATCH = 256, SAMPLES = 25600, REPETITIONS = 20 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Nanoseconds a sample, the least of some measurements. */
static double measure(const bp_net *net, bp_workspace *workspace, size_t batch)
{
    static float x[BATCH * 2], y[BATCH];
    double least = 1e30;
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
        double begin = now();
        for (size_t i = 0; i < SAMPLES / batch; i++) {
            bp_net_predict_f32(net, workspace, batch, x, y);
        }
        double taken = (now() - begin) / SAMPLES;
        least = taken < least ? taken : least;
    }
    return least;
}

int main(void)
{
    bp_net *net;
    bp_workspace *workspace;
    if (bp_net_create(&net, BP_F32, 2) || bp_net_add_dense(net, 3, BP_ACTIVATION_SIGMOID, 1) ||
        bp_net_add_dense(net, 2, BP_ACTIVATION_SIGMOID, 1) || bp_net_add_dense(net, 1, BP_ACTIVATION_SIGMOID, 1) ||
        bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 42) || bp_workspace_create(&workspace, net, BATCH)) {
        fprintf(stderr, "overhead: %s\n", bp_last_error());
        return 1;
    }
    printf("one sample: %.1f ns\n", measure(net, workspace, 1));
    printf("256 samples: %.1f ns each\n", measure(net, workspace, BATCH));
    bp_workspace_destroy(workspace);
    bp_net_destroy(net);
    return 0;
}
