#define _POSIX_C_SOURCE 200809L

#include "concurrency/scene.h"

#include "net/workspace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

real x[BATCH * INPUTS], target[BATCH * OUTPUTS];

int make_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        target[i] = (real)number(1000 + i);
    }
    return 0;
}

bp_net *make_wide_net(void)
{
    return make_net(REAL_DTYPE, INPUTS, 3, (const size_t[]){WIDE, WIDE, OUTPUTS}, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 11);
}

bp_workspace *make_workspace(const bp_net *net, size_t n_threads)
{
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, BATCH));
    must(bp_workspace_set_threads(ws, n_threads));
    ws->hand_over = 0;
    return ws;
}

bp_optimizer *make_optimizer(const bp_net *net)
{
    bp_optimizer *opt;
    must(bp_optimizer_create(&opt, BP_METHOD_ADAM, net));
    return opt;
}

bp_status train(bp_net *net, bp_workspace *ws, bp_optimizer *opt, uint64_t step)
{
    size_t batch = step % 2 ? BATCH : 1, first = step % 2 ? 0 : step / 2 % BATCH;
    return REAL(bp_net_train_step)(net, ws, opt, BP_LOSS_MSE, batch, x + first * INPUTS, target + first * OUTPUTS, NULL);
}

real *train_alone(uint64_t n_steps)
{
    bp_net *net = make_wide_net();
    bp_workspace *ws = make_workspace(net, 1);
    bp_optimizer *opt = make_optimizer(net);
    for (uint64_t s = 0; s < n_steps; s++) {
        must(train(net, ws, opt, s));
    }
    real *theta = malloc(PARAMETERS * sizeof *theta);
    must(REAL(bp_net_get_parameters)(net, theta));
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    return theta;
}

bool has_parameters(const bp_net *net, const real *theta)
{
    real *own = malloc(PARAMETERS * sizeof *own);
    bool same = own && bp_net_parameter_count(net) == PARAMETERS && REAL(bp_net_get_parameters)(net, own) == BP_OK &&
                memcmp(own, theta, PARAMETERS * sizeof *own) == 0;
    free(own);
    return same;
}

void on_threads(size_t n, void *(*function)(void *element), void *elements, size_t size)
{
    pthread_t *threads = malloc(n * sizeof *threads);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, function, (char *)elements + i * size), 0);
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    free(threads);
}

void sleep_microseconds(long n)
{
    nanosleep(&(struct timespec){n / 1000000, n % 1000000 * 1000}, NULL);
}
