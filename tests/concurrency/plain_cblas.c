/*
 * How many threads can be within OpenBLAS at once: holds this many of them, each interrupted in the middle of a product, and makes one more
 * itself. No libbp. Exit status 0; whatever OpenBLAS ends the process with where there were too many; 3 for a wrong product.
 */
#define _POSIX_C_SOURCE 200809L

#include <cblas.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { N = 256, STACK_BYTES = 1024 * 1024 };

static float A[N * N], B[N * N], expected[N * N];
static _Thread_local volatile sig_atomic_t is_within;
static atomic_int n_held;
static sem_t is_caught;
static int release[2]; /* a pipe; whoever is held reads from it, until it is closed */

static void multiply(float *C)
{
    is_within = 1;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, A, N, B, N, 0, C, N);
    is_within = 0;
}

/* Holds the thread that it interrupts in a product; within a handler only what is safe there. */
static void hold(int signal)
{
    (void)signal;
    char byte;
    bool caught = is_within;
    n_held += caught;
    sem_post(&is_caught);
    if (caught) {
        ssize_t n = read(release[0], &byte, 1);
        (void)n;
    }
}

static void *multiply_until_held(void *number)
{
    const int own = *(const int *)number;
    float *C = malloc(sizeof expected);
    bool right = C;
    for (int i = 0; right && n_held <= own; i++) {
        multiply(C);
        right = memcmp(C, expected, sizeof expected) == 0;
    }
    free(C);
    return right ? number : NULL;
}

int main(int argc, char **argv)
{
    int n = argc == 2 ? atoi(argv[1]) : -1;
    pthread_t *threads = n >= 0 ? calloc((size_t)n + 1, sizeof *threads) : NULL;
    int *numbers = n >= 0 ? calloc((size_t)n + 1, sizeof *numbers) : NULL;
    pthread_attr_t attributes;
    if (!threads || !numbers || pipe(release) || sem_init(&is_caught, 0, 0) || pthread_attr_init(&attributes)) {
        fprintf(stderr, "usage: plain_cblas THREADS\n");
        return 2;
    }
    for (int i = 0; i < N * N; i++) { /* small whole numbers: every order of summation gives the same */
        A[i] = (float)(i * 7 % 13 - 6);
        B[i] = (float)(i * 5 % 11 - 5);
    }
    multiply(expected);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = hold}, NULL);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (int i = 0; i < n; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], &attributes, multiply_until_held, &numbers[i])) {
            fprintf(stderr, "plain_cblas: the system has no %d threads to give\n", n);
            return 2;
        }
        while (n_held <= i) {
            nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
            pthread_kill(threads[i], SIGUSR1);
            sem_wait(&is_caught);
        }
    }
    float *C = malloc(sizeof expected);
    multiply(C);
    bool right = memcmp(C, expected, sizeof expected) == 0;
    close(release[1]);
    for (int i = 0; i < n; i++) {
        void *result;
        pthread_join(threads[i], &result);
        right = right && result;
    }
    free(C);
    free(numbers);
    free(threads);
    printf("%s: %d threads held, one more: %s\n", openblas_get_config(), n, right ? "right" : "wrong");
    return right ? 0 : 3;
}
