/*
 * The threads of one workspace: the calling thread and helpers that wait for it, spinning for some microseconds, then asleep. A run hands
 * one function to some of them; barriers inside it set its phases apart, so that one run can be a whole training step.
 *
 * One thread at a time calls create, run and destroy. After fork, the child has none of the helpers: there a run is done by its caller
 * alone, and bp_pool_threads is 1. (A child made by _Fork or a bare system call, past the handlers of pthread_atfork, is not noticed.)
 */
#ifndef BP_CORE_POOL_H
#define BP_CORE_POOL_H

#include "bp/status.h"

#include <stddef.h>

enum { BP_POOL_MAX_THREADS = 1024 };

typedef struct bp_pool bp_pool;

/* What a run does: thread of n_threads does its part of the work, the same in sum whatever n_threads is. */
typedef void bp_pool_work(void *argument, size_t thread, size_t n_threads);

/*
 * Makes a pool of the caller, thread 0, and n_threads − 1 helpers. Helpers handle no signals but those of their own faults. Writes *pool only if all of them could be started. Returns BP_ERROR_ARGUMENT (n_threads is not
 * 1 … BP_POOL_MAX_THREADS) or BP_ERROR_MEMORY, in the name of function.
 */
bp_status bp_pool_create(const char *function, bp_pool **pool, size_t n_threads);

/* Ends the helpers, waits until they have ended, and frees; NULL is allowed. */
void bp_pool_destroy(bp_pool *pool);

/* How many threads a run can have. */
size_t bp_pool_threads(const bp_pool *pool);

/*
 * Runs work on threads 0 … n_threads − 1 (on all there are, if these are fewer), each with the caller's floating-point settings (fpu.h); returns
 * when all are done. The others stay asleep.
 */
void bp_pool_run(bp_pool *pool, size_t n_threads, bp_pool_work *work, void *argument);

/* Called from within work, by every thread of the run: returns when all have called it, and with all that they wrote before visible. */
void bp_pool_barrier(bp_pool *pool, size_t thread);

#endif
