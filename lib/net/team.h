/* The threads that share the work of a pass. */
#ifndef BP_NET_TEAM_H
#define BP_NET_TEAM_H

#include "core/pool.h"

typedef struct bp_team {
    size_t thread, n_threads; /* this thread, 0 … n_threads − 1 */
    bp_pool *pool;            /* NULL for one thread */
} bp_team;

typedef struct bp_range {
    size_t first, n;
} bp_range;

/* This thread's part of n things that are dealt out in pieces; a piece is never divided. */
static inline bp_range bp_team_share(const bp_team *team, size_t n, size_t piece)
{
    if (team->n_threads == 1) {
        return (bp_range){0, n};
    }
    size_t n_pieces = (n + piece - 1) / piece;
    size_t first = n_pieces * team->thread / team->n_threads * piece;
    size_t end = n_pieces * (team->thread + 1) / team->n_threads * piece;
    return (bp_range){first < n ? first : n, (end < n ? end : n) - (first < n ? first : n)};
}

/* Returns when all threads of the team have called it. */
static inline void bp_team_wait(const bp_team *team)
{
    if (team->n_threads > 1) {
        bp_pool_barrier(team->pool, team->thread);
    }
}

#endif
