/*
 * Calls of the library are no cancellation points: a thread that is cancelled (pthread_cancel) within one goes on to its end, for nothing could
 * give back what it holds. This goes around calls of the system that are such points.
 */
#ifndef BP_CORE_CANCEL_H
#define BP_CORE_CANCEL_H

#include <pthread.h>

/* Returns what bp_cancel_release is to be given. */
static inline int bp_cancel_hold(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void bp_cancel_release(int before)
{
    pthread_setcancelstate(before, &before);
}

#endif
