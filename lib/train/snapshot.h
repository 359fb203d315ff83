/* A net's parameters and an optimizer's state, as they were at some step. */
#ifndef BP_TRAIN_SNAPSHOT_H
#define BP_TRAIN_SNAPSHOT_H

#include "net/net.h"
#include "train/optimizer.h"

typedef struct bp_snapshot {
    void *parameters; /* laid out as the net's */
    void *states[BP_MAX_STATES];
    uint64_t n_steps;
} bp_snapshot;

/* Room for one; false without memory, and then nothing is held. */
bool bp_snapshot_allocate(bp_snapshot *snapshot, const bp_net *net, const bp_optimizer *opt);

void bp_snapshot_release(bp_snapshot *snapshot);

void bp_snapshot_take(bp_snapshot *snapshot, const bp_net *net, const bp_optimizer *opt);

void bp_snapshot_restore(const bp_snapshot *snapshot, bp_net *net, bp_optimizer *opt);

/* Bytes of a net's parameters, padding included. */
size_t bp_parameter_bytes(const bp_net *net);

#endif
