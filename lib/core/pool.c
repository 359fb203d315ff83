#define _GNU_SOURCE /* MAP_ANONYMOUS, MADV_WIPEONFORK */

#include "core/pool.h"

#include "core/memory.h"
#include "core/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MAX_SPINS = 4096, /* some tens of microseconds */
    MIN_SPINS = 64,
    STACK_BYTES = 512 * 1024
};

/* Each thread's own, in a cache line of its own. */
typedef struct helper {
    _Alignas(BP_ALIGNMENT) bp_pool *pool;
    size_t thread;
    unsigned spins; /* how long it spins within work: less if that was in vain of late, as where threads outnumber processors */
    pthread_t handle;
} helper;

struct bp_pool {
    _Alignas(BP_ALIGNMENT) atomic_uint phase; /* barriers passed so far */
    _Alignas(BP_ALIGNMENT) atomic_size_t arrived;
    _Alignas(BP_ALIGNMENT) atomic_size_t sleepers;
    atomic_size_t n_threads;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    atomic_int *alive; /* a page that is zero in the child of a fork */
    pid_t process;     /* where there are no such pages */
    bool stop;
    void (*work)(void *argument, size_t thread, size_t n_threads);
    void *argument;
    helper helpers[]; /* the first is the caller's */
};

/* Tells the processor that this is a loop that waits. */
static void pause_a_moment(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static void sleep_until_changed(bp_pool *pool, unsigned phase)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->phase) == phase) {
        pthread_cond_wait(&pool->changed, &pool->mutex);
    }
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

/*
 * Counts the thread in; the last one lets all go on. Another spins this long and then sleeps; true if it did not come to that.
 */
static bool meet(bp_pool *pool, unsigned spins)
{
    unsigned phase = atomic_load_explicit(&pool->phase, memory_order_relaxed);
    if (atomic_fetch_add(&pool->arrived, 1) + 1 == atomic_load(&pool->n_threads)) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_store(&pool->phase, phase + 1);
        if (atomic_load(&pool->sleepers) > 0) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_broadcast(&pool->changed);
            pthread_mutex_unlock(&pool->mutex);
        }
        return true;
    }
    for (unsigned i = 0; i < spins; i++) {
        if (atomic_load_explicit(&pool->phase, memory_order_acquire) != phase) {
            return true;
        }
        pause_a_moment();
    }
    sleep_until_changed(pool, phase);
    return false;
}

void bp_pool_barrier(bp_pool *pool, size_t thread)
{
    unsigned *spins = &pool->helpers[thread].spins;
    if (meet(pool, *spins)) {
        *spins = *spins < MAX_SPINS / 2 ? *spins * 2 : MAX_SPINS;
    } else {
        *spins = *spins / 2 > MIN_SPINS ? *spins / 2 : MIN_SPINS;
    }
}

/* A helper's life: from the barrier at which work begins to the one at which it ends. */
static void *help(void *argument)
{
    const helper *self = argument;
    bp_pool *pool = self->pool;
    for (;;) {
        meet(pool, MAX_SPINS);
        if (pool->stop) {
            return NULL;
        }
        pool->work(pool->argument, self->thread, atomic_load_explicit(&pool->n_threads, memory_order_relaxed));
        bp_pool_barrier(pool, self->thread);
    }
}

/* Starts helpers until n_threads are there; gives how many there are. */
static size_t start_helpers(bp_pool *pool, size_t n_threads)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return 1;
    }
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a helper inherits it */
    size_t n = 1;
    while (n < n_threads && pthread_create(&pool->helpers[n].handle, &attributes, help, &pool->helpers[n]) == 0) {
        n++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return n;
}

/* Whether this process has the helpers, and not only a copy of the pool from before a fork. */
static bool has_helpers(const bp_pool *pool)
{
    return pool->alive ? atomic_load_explicit(pool->alive, memory_order_relaxed) != 0 : getpid() == pool->process;
}

static void mark_alive(bp_pool *pool)
{
    pool->process = getpid();
#ifdef MADV_WIPEONFORK
    long page = sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return;
    }
    if (madvise(memory, (size_t)page, MADV_WIPEONFORK) != 0) {
        munmap(memory, (size_t)page);
        return;
    }
    pool->alive = memory;
    atomic_store(pool->alive, 1);
#endif
}

/* The pool without helpers. */
static void release(bp_pool *pool)
{
    if (pool->alive) {
        munmap(pool->alive, (size_t)sysconf(_SC_PAGESIZE));
    }
    free(pool);
}

/* Ends n_threads − 1 helpers, which wait at the barrier before work. */
static void stop_helpers(bp_pool *pool, size_t n_threads)
{
    pool->stop = true;
    atomic_store(&pool->n_threads, n_threads);
    meet(pool, MAX_SPINS);
    for (size_t i = 1; i < n_threads; i++) {
        pthread_join(pool->helpers[i].handle, NULL);
    }
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
}

bp_status bp_pool_create(const char *function, bp_pool **pool, size_t n_threads)
{
    bp_pool *made = bp_allocate(1, sizeof *made + n_threads * sizeof made->helpers[0]);
    if (!made) {
        return bp_fail_memory(function);
    }
    atomic_init(&made->n_threads, n_threads);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    for (size_t i = 0; i < n_threads; i++) {
        made->helpers[i] = (helper){.pool = made, .thread = i, .spins = MAX_SPINS};
    }
    mark_alive(made);
    size_t started = start_helpers(made, n_threads);
    if (started < n_threads) {
        stop_helpers(made, started);
        release(made);
        return bp_fail(BP_ERROR_MEMORY, "%s: the system has no thread %zu of %zu to give", function, started + 1, n_threads);
    }
    *pool = made;
    return BP_OK;
}

void bp_pool_destroy(bp_pool *pool)
{
    if (pool) {
        if (has_helpers(pool)) {
            stop_helpers(pool, bp_pool_threads(pool));
        }
        release(pool);
    }
}

size_t bp_pool_threads(const bp_pool *pool)
{
    return atomic_load_explicit(&pool->n_threads, memory_order_relaxed);
}

void bp_pool_run(bp_pool *pool, void (*work)(void *argument, size_t thread, size_t n_threads), void *argument)
{
    if (!has_helpers(pool)) {
        work(argument, 0, 1);
        return;
    }
    pool->work = work;
    pool->argument = argument;
    meet(pool, MAX_SPINS);
    work(argument, 0, bp_pool_threads(pool));
    bp_pool_barrier(pool, 0);
}
