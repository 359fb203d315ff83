#define _POSIX_C_SOURCE 200809L

#include "kernel/blas_lock.h"

#include "core/cancel.h"

#include <cblas.h>
#include <pthread.h>
#include <semaphore.h>

/* Of builds that lock for themselves. They have working memory for 50 calls at least (NUM_BUFFERS); half of that is left to the application. */
enum { MAX_CALLS = 25 };

static unsigned n_places;
static sem_t places;
static _Thread_local unsigned n_taken; /* by this thread: 1 within a call */

static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER; /* two threads that each had half of the places would wait for ever */
static unsigned n_taken_to_fork;

static void take_place(void)
{
    if (sem_trywait(&places) != 0) {
        int cancel = bp_cancel_hold();
        while (sem_wait(&places) != 0) { /* a signal came */
        }
        bp_cancel_release(cancel);
    }
    n_taken++;
}

static void give_places(unsigned n)
{
    n_taken -= n;
    for (; n > 0; n--) {
        sem_post(&places);
    }
}

/*
 * In a child of fork, calls that other threads were in would go on for ever, with what they hold of OpenBLAS's memory and of its locks. A thread
 * that forks within a call, in a signal handler, does not wait for itself.
 */
static void before_fork(void)
{
    pthread_mutex_lock(&forking);
    n_taken_to_fork = n_places - n_taken;
    while (n_taken < n_places) {
        take_place();
    }
}

static void after_fork(void)
{
    give_places(n_taken_to_fork);
    pthread_mutex_unlock(&forking);
}

static void begin(void)
{
    n_places = openblas_get_parallel() == OPENBLAS_SEQUENTIAL ? 1 : MAX_CALLS;
    sem_init(&places, 0, n_places);
    pthread_atfork(before_fork, after_fork, after_fork); /* without memory for it a child is as it was */
}

void bp_blas_lock(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
    take_place();
}

void bp_blas_unlock(void)
{
    give_places(1);
}
