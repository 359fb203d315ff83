/*
 * Threads that work together on one thing at a time, for as long as it lasts: the helpers of one workspace. The pool belongs to one caller
 * thread, which is thread 0 of the work.
 */
#ifndef BP_CORE_POOL_H
#define BP_CORE_POOL_H

#include "bp/status.h"

#include <stddef.h>

typedef struct bp_pool bp_pool;

/* The most threads of a pool. */
enum { BP_MAX_THREADS = 256 };

/* Starts n_threads − 1 helpers, n_threads is 2 … BP_MAX_THREADS. They have all signals blocked. On failure none is left. */
bp_status bp_pool_create(const char *function, bp_pool **pool, size_t n_threads);

/* Ends the helpers; NULL is allowed. */
void bp_pool_destroy(bp_pool *pool);

size_t bp_pool_threads(const bp_pool *pool);

/*
 * Calls work on every thread and returns when all have returned. In the child of a fork, which has no helpers, the caller works alone:
 * n_threads is 1 then, so work must come to the same result with any number.
 */
void bp_pool_run(bp_pool *pool, void (*work)(void *argument, size_t thread, size_t n_threads), void *argument);

/*
 * Within work, returns when all threads have called it; what they wrote before is there. It spins for microseconds, as hand-overs are that
 * short, and then sleeps.
 */
void bp_pool_barrier(bp_pool *pool, size_t thread);

#endif
