#include "train/snapshot.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

size_t bp_parameter_bytes(const bp_net *net)
{
    return net->storage * bp_dtype_size(net->dtype);
}

bool bp_snapshot_allocate(bp_snapshot *snapshot, const bp_net *net, const bp_optimizer *opt)
{
    *snapshot = (bp_snapshot){.parameters = bp_allocate(bp_parameter_bytes(net), 1)};
    bool done = snapshot->parameters;
    for (size_t i = 0; i < BP_MAX_STATES && done; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(opt, i);
        snapshot->states[i] = state.n ? bp_allocate(state.n, bp_dtype_size(net->dtype)) : NULL;
        done = !state.n || snapshot->states[i];
    }
    if (!done) {
        bp_snapshot_release(snapshot);
    }
    return done;
}

void bp_snapshot_release(bp_snapshot *snapshot)
{
    free(snapshot->parameters);
    for (size_t i = 0; i < BP_MAX_STATES; i++) {
        free(snapshot->states[i]);
    }
    *snapshot = (bp_snapshot){0};
}

void bp_snapshot_take(bp_snapshot *snapshot, const bp_net *net, const bp_optimizer *opt)
{
    memcpy(snapshot->parameters, net->parameters, bp_parameter_bytes(net));
    for (size_t i = 0; i < BP_MAX_STATES && snapshot->states[i]; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(opt, i);
        memcpy(snapshot->states[i], state.elements, state.n * bp_dtype_size(net->dtype));
    }
    snapshot->n_steps = opt->n_steps;
}

void bp_snapshot_restore(const bp_snapshot *snapshot, bp_net *net, bp_optimizer *opt)
{
    memcpy(net->parameters, snapshot->parameters, bp_parameter_bytes(net));
    for (size_t i = 0; i < BP_MAX_STATES && snapshot->states[i]; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(opt, i);
        memcpy(state.elements, snapshot->states[i], state.n * bp_dtype_size(net->dtype));
    }
    opt->n_steps = snapshot->n_steps;
}
