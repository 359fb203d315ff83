/*
 * What becomes of libbp where more threads call OpenBLAS at once than it has room for: so many threads differentiate one net, so many others call
 * cblas themselves, and all are interrupted again and again, so that they are in the middle of their calls at the same time. Exit status 0 if all
 * numbers are right; 1; or whatever OpenBLAS ends the process with.
 */
#define _POSIX_C_SOURCE 200809L

#include <bp/bp.h>

#include <cblas.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 20, WIDE = 160, OUTPUTS = 5, BATCH = 128, N = 160, ROUNDS = 1, STACK_BYTES = 256 * 1024 };

static float x[BATCH * INPUTS], target[BATCH * OUTPUTS], A[N * N], B[N * N], product[N * N], *gradient;
static size_t n_parameters;
static bp_net *net;
static atomic_size_t n_done, n_wrong;

static void rest(int signal)
{
    (void)signal;
    nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
}

static bool differentiate(bp_workspace *ws, float *result)
{
    return bp_net_gradient_f32(net, ws, BP_LOSS_MSE, BATCH, x, target, result, NULL) == BP_OK;
}

static void multiply(float *C)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, A, N, B, N, 0, C, N);
}

static void *use_net(void *none)
{
    bp_workspace *ws = NULL;
    float *result = malloc(n_parameters * sizeof *result);
    bool right = result && bp_workspace_create(&ws, net, BATCH) == BP_OK;
    for (int i = 0; i < ROUNDS && right; i++) {
        right = differentiate(ws, result) && memcmp(result, gradient, n_parameters * sizeof *result) == 0;
    }
    bp_workspace_destroy(ws);
    free(result);
    n_wrong += !right;
    n_done++;
    return none;
}

static void *use_cblas(void *none)
{
    float *C = malloc(sizeof product);
    bool right = C;
    for (int i = 0; i < ROUNDS && right; i++) {
        multiply(C);
        right = memcmp(C, product, sizeof product) == 0;
    }
    free(C);
    n_wrong += !right;
    n_done++;
    return none;
}

/* What all threads are to come to; false if the library has failed. */
static bool prepare(void)
{
    for (int i = 0; i < BATCH * INPUTS; i++) {
        x[i] = (float)(i * 37 % 101) / 50 - 1;
    }
    for (int i = 0; i < BATCH * OUTPUTS; i++) {
        target[i] = (float)(i * 17 % 53) / 26 - 1;
    }
    for (int i = 0; i < N * N; i++) { /* small whole numbers: every order of summation gives the same */
        A[i] = (float)(i * 7 % 13 - 6);
        B[i] = (float)(i * 5 % 11 - 5);
    }
    multiply(product);
    bp_workspace *ws = NULL;
    bool right = bp_net_create(&net, BP_F32, INPUTS) == BP_OK && bp_net_add_dense(net, WIDE, BP_ACTIVATION_TANH, 1) == BP_OK &&
                 bp_net_add_dense(net, WIDE, BP_ACTIVATION_TANH, 1) == BP_OK &&
                 bp_net_add_dense(net, OUTPUTS, BP_ACTIVATION_IDENTITY, 1) == BP_OK &&
                 bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 1) == BP_OK && bp_workspace_create(&ws, net, BATCH) == BP_OK;
    n_parameters = bp_net_parameter_count(net);
    gradient = malloc(n_parameters * sizeof *gradient);
    right = right && gradient && differentiate(ws, gradient);
    bp_workspace_destroy(ws);
    return right;
}

int main(int argc, char **argv)
{
    size_t n_nets = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, n = argc == 3 ? n_nets + strtoul(argv[2], NULL, 10) : 0;
    pthread_t *threads = calloc(n + 1, sizeof *threads);
    pthread_attr_t attributes;
    if (n == 0 || !threads || pthread_attr_init(&attributes)) {
        fprintf(stderr, "usage: blas_callers NETS PLAIN\n");
        free(threads);
        return 2;
    }
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = rest}, NULL);
    if (!prepare()) {
        fprintf(stderr, "blas_callers: %s\n", bp_last_error());
        free(threads);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (pthread_create(&threads[i], &attributes, i < n_nets ? use_net : use_cblas, NULL)) {
            fprintf(stderr, "blas_callers: the system has no %zu threads to give\n", n);
            return 77;
        }
    }
    while (n_done < n) {
        for (size_t i = 0; i < n && n_done < n; i++) { /* one that has ended is there until it is joined */
            pthread_kill(threads[i], SIGUSR1);
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    bp_net_destroy(net);
    free(gradient);
    free(threads);
    printf("blas_callers: kernels %s, %zu threads of libbp, %zu of cblas: %zu wrong\n", bp_kernel_name(), n_nets, n - n_nets,
           (size_t)n_wrong);
    return n_wrong != 0;
}
