#ifndef BP_NET_WORKSPACE_H
#define BP_NET_WORKSPACE_H

#include "bp/workspace.h"

#include "core/handle.h"
#include "core/pool.h"
#include "kernel/layer_step.h"
#include "net/net.h"

/* Of a layer's outputs, batch × m. */
typedef struct bp_dropout {
    void *factors; /* 0 or 1 / (1 − p) each; NULL for a layer without dropout */
    void *y;       /* the outputs times these */
} bp_dropout;

struct bp_workspace {
    bp_handle handle;
    size_t max_batch;
    size_t batch; /* of the latest bp_net_forward, which bp_net_backward can follow; 0 if there is none */
    bp_identity *identity;
    bp_pool *pool;    /* NULL for one thread */
    double hand_over; /* nanoseconds from thread to thread, measured */
    void *input;      /* room for x as the first layer sees it: a batch, or two samples each up to the end of a cache line */
    void *parts;      /* of δ_prev, what panels of a layer's rows give (bp_workspace_part) */
    size_t part_bytes;
    void *target; /* of a batch whose targets do not lie together */
    void *sample_weights;
    bp_dropout *dropouts; /* a net's layers'; NULL without dropout */
    void *memory;
    void *thread_memory;
    void *delta_input;      /* where −∂L/∂x goes; NULL: it is not wanted */
    bp_layer_step layers[]; /* the net's, with what each leaves behind in a pass: batch × m, packed; with one sample as kernel.h says */
};

/* Room for what one panel gives to δ_prev: without threads only number 0 of set 0, with them BP_MAX_PANELS in each of two sets. */
static inline void *bp_workspace_part(const bp_workspace *ws, size_t set, size_t number)
{
    return (char *)ws->parts + (set * BP_MAX_PANELS + number) * ws->part_bytes;
}

/* Runs a pass through the net with this batch on the workspace's threads, or if that is not worth it on the caller's alone. */
void bp_workspace_run(bp_workspace *ws, const bp_net *net, size_t batch, bp_pool_work *work, void *argument);

#endif
