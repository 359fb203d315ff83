/* What these tests share: a net that every thread of a workspace has a part of, samples for it, and threads started and awaited in one line. */
#ifndef BP_TESTS_CONCURRENCY_SCENE_H
#define BP_TESTS_CONCURRENCY_SCENE_H

#include "core/real.h"
#include "support/check.h"

#include <pthread.h>

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#define THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#define THREAD_SANITIZER 0
#endif

enum { INPUTS = 20, WIDE = 160, OUTPUTS = 5, BATCH = 24, PARAMETERS = (INPUTS + 1) * WIDE + (WIDE + 1) * WIDE + (WIDE + 1) * OUTPUTS };

extern real x[BATCH * INPUTS], target[BATCH * OUTPUTS]; /* filled by make_samples, a CMocka setup */

int make_samples(void **state);

bp_net *make_wide_net(void);

/* With this many threads, which are always worth it. */
bp_workspace *make_workspace(const bp_net *net, size_t n_threads);

/* Of a method that keeps state. */
bp_optimizer *make_optimizer(const bp_net *net);

/* A train step, by turns on a batch and on one sample. */
bp_status train(bp_net *net, bp_workspace *ws, bp_optimizer *opt, uint64_t step);

/* θ, to be freed, of a net like make_wide_net's after so many steps, by one thread that nobody disturbs. */
real *train_alone(uint64_t n_steps);

/* Whether the net has these parameters, bit by bit. */
bool has_parameters(const bp_net *net, const real *theta);

/* Runs a function on n threads, with the addresses of the n elements of this size; returns when all have returned. */
void on_threads(size_t n, void *(*function)(void *element), void *elements, size_t size);

void sleep_microseconds(long n);

#endif
