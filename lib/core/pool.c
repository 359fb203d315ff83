#define _POSIX_C_SOURCE 200809L

#include "core/pool.h"

#include "core/cancel.h"
#include "core/fpu.h"
#include "core/memory.h"
#include "core/status.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum {
    STACK_BYTES = 256 * 1024,
    SPIN_NANOSECONDS = 20000, /* about what it takes to wake a thread: who spins in vain loses as much again, not more */
    PAUSES_PER_LOOK = 32      /* at the clock; a pause takes 1 to 140 cycles */
};

/*
 * One thread. What it writes in a run lies in a cache line of its own. The counters may wrap: those who compare them are never more than a
 * few counts apart.
 */
typedef struct slot {
    _Alignas(BP_ALIGNMENT) atomic_uint started; /* how many runs this helper was given */
    atomic_uint finished;                       /* and how many it has done */
    atomic_uint step;                           /* how often it has arrived in this run's barriers */
    atomic_bool asleep;
    pthread_t thread;
    bp_pool *pool;
} slot;

struct bp_pool {
    size_t n_threads;
    unsigned n_forks; /* before this pool was made */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    /* the run; the threads that take part read it, no others */
    size_t n_running;
    bp_pool_work *work; /* NULL: the helpers end */
    void *argument;
    bp_fpu_control control; /* the caller's */
    slot slots[];
};

/*
 * How many forks lie between the program's start and this process: a pool with another number has lost its helpers. It is written in a new
 * child only, before anybody can read it there; asking for the process's id instead would be a system call in every run.
 */
static unsigned n_forks;

static void count_fork(void)
{
    n_forks++;
}

/* False without memory, and then the next pool tries again. Two threads that make their first pools at a time may count each fork twice. */
static bool watch_forks(void)
{
    static atomic_bool watched;
    if (!atomic_load(&watched) && pthread_atfork(NULL, NULL, count_fork) == 0) {
        atomic_store(&watched, true);
    }
    return atomic_load(&watched);
}

static bool make_lock(bp_pool *pool)
{
    if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&pool->wake, NULL) != 0) {
        pthread_mutex_destroy(&pool->mutex);
        return false;
    }
    return true;
}

static void pause_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* its yield does nothing on most processors */
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A counter that no other thread writes at this time. */
static unsigned own(const atomic_uint *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static bool reached(const atomic_uint *counter, unsigned value)
{
    return atomic_load(counter) - value <= UINT_MAX / 2;
}

/* No yielding of the processor after it: among busy programs each yield is a time slice lost, where who sleeps is woken at once. */
static bool spin(const atomic_uint *counter, unsigned value)
{
    int64_t end = 0;
    for (unsigned pauses = 1; !reached(counter, value); pauses++) {
        pause_processor();
        if (pauses % PAUSES_PER_LOOK == 0) {
            int64_t now = nanoseconds();
            end = end ? end : now + SPIN_NANOSECONDS;
            if (now >= end) {
                return false;
            }
        }
    }
    return true;
}

/*
 * The sleeper sets asleep, then reads the counter; announce writes the counter, then reads asleep. All four are sequentially consistent, so
 * one of the two sees the other.
 */
static void wait_for(slot *self, const atomic_uint *counter, unsigned value)
{
    if (spin(counter, value)) {
        return;
    }
    bp_pool *pool = self->pool;
    int cancel = bp_cancel_hold();
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&self->asleep, true);
    while (!reached(counter, value)) {
        pthread_cond_wait(&pool->wake, &pool->mutex);
    }
    atomic_store(&self->asleep, false);
    pthread_mutex_unlock(&pool->mutex);
    bp_cancel_release(cancel);
}

/* Writes what reader may be waiting for; true if it is asleep: wake has to follow. */
static bool announce(atomic_uint *counter, unsigned value, const slot *reader)
{
    atomic_store(counter, value);
    return atomic_load(&reader->asleep);
}

static void wake(bp_pool *pool)
{
    pthread_mutex_lock(&pool->mutex); /* not before one who is about to sleep does so */
    pthread_mutex_unlock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
}

static void start(bp_pool *pool, size_t n_threads, bp_pool_work *work, void *argument)
{
    pool->n_running = n_threads;
    pool->work = work;
    pool->argument = argument;
    pool->control = bp_fpu_get_control();
    for (size_t i = 0; i < n_threads; i++) { /* all, before any helper can come to a barrier */
        atomic_store_explicit(&pool->slots[i].step, 0, memory_order_relaxed);
    }
    bool asleep = false;
    for (size_t i = 1; i < n_threads; i++) {
        slot *helper = &pool->slots[i];
        asleep |= announce(&helper->started, own(&helper->started) + 1, helper);
    }
    if (asleep) {
        wake(pool);
    }
}

static void *help(void *argument)
{
    slot *self = argument;
    bp_pool *pool = self->pool;
    for (unsigned run = 1;; run++) {
        wait_for(self, &self->started, run);
        if (!pool->work) {
            return NULL;
        }
        bp_fpu_set_control(pool->control);
        pool->work(pool->argument, (size_t)(self - pool->slots), pool->n_running);
        if (announce(&self->finished, run, &pool->slots[0])) {
            wake(pool);
        }
    }
}

static int start_helper(slot *helper)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        error = pthread_create(&helper->thread, &attributes, help, helper);
        pthread_attr_destroy(&attributes);
    }
    /* a program's thread-local variables lie on the stack, too; with more of them than fit, the system's usual size it is */
    return error == EINVAL ? pthread_create(&helper->thread, NULL, help, helper) : error;
}

/* Starts the pool's threads, up to n_threads, with signals left to the threads of the application; 0 or pthread_create's error. */
static int start_helpers(bp_pool *pool, size_t n_threads)
{
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS}; /* of the thread itself: blocked, they kill unhandled */
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sigdelset(&blocked, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int error = 0;
    while (error == 0 && pool->n_threads < n_threads) {
        slot *thread = &pool->slots[pool->n_threads];
        thread->pool = pool;
        error = pool->n_threads > 0 ? start_helper(thread) : 0;
        pool->n_threads += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

bp_status bp_pool_create(const char *function, bp_pool **pool, size_t n_threads)
{
    if (n_threads == 0 || n_threads > BP_POOL_MAX_THREADS) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_threads is %zu; it can be 1 to %d", function, n_threads, BP_POOL_MAX_THREADS);
    }
    bp_pool *made = bp_allocate(1, sizeof *made + n_threads * sizeof *made->slots);
    if (!made || !watch_forks() || !make_lock(made)) {
        free(made);
        return bp_fail_memory(function);
    }
    made->n_forks = n_forks;
    int error = start_helpers(made, n_threads);
    if (error) {
        size_t n = made->n_threads;
        bp_pool_destroy(made);
        return bp_fail(BP_ERROR_MEMORY, "%s: only %zu of %zu threads can be had; pthread_create failed with error %d", function, n,
                       n_threads, error);
    }
    *pool = made;
    return BP_OK;
}

static bool has_helpers(const bp_pool *pool)
{
    return pool->n_forks == n_forks;
}

void bp_pool_destroy(bp_pool *pool)
{
    if (!pool) {
        return;
    }
    if (has_helpers(pool)) {
        start(pool, pool->n_threads, NULL, NULL);
        int cancel = bp_cancel_hold();
        for (size_t i = 1; i < pool->n_threads; i++) {
            pthread_join(pool->slots[i].thread, NULL);
        }
        bp_cancel_release(cancel);
        pthread_cond_destroy(&pool->wake); /* in a child it would wait for those who slept when it was forked */
        pthread_mutex_destroy(&pool->mutex);
    }
    free(pool);
}

size_t bp_pool_threads(const bp_pool *pool)
{
    return has_helpers(pool) ? pool->n_threads : 1;
}

void bp_pool_run(bp_pool *pool, size_t n_threads, bp_pool_work *work, void *argument)
{
    const size_t available = bp_pool_threads(pool);
    const size_t n = n_threads < available ? n_threads : available;
    start(pool, n, work, argument);
    work(argument, 0, n);
    for (size_t i = 1; i < n; i++) {
        wait_for(&pool->slots[0], &pool->slots[i].finished, own(&pool->slots[i].started));
    }
}

/*
 * A dissemination barrier (Hensgen, Finkel, Manber 1988): in round r every thread hears of the one 2^r before it, and so, after the
 * logarithm of n rounds, of all.
 */
void bp_pool_barrier(bp_pool *pool, size_t thread)
{
    const size_t n = pool->n_running;
    slot *self = &pool->slots[thread];
    unsigned step = own(&self->step);
    for (size_t distance = 1; distance < n; distance *= 2) {
        step++;
        if (announce(&self->step, step, &pool->slots[(thread + distance) % n])) {
            wake(pool);
        }
        wait_for(self, &pool->slots[(thread + n - distance) % n].step, step);
    }
}
