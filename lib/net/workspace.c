#include "net/workspace.h"

#include "core/memory.h"
#include "core/status.h"
#include "kernel/warm_up.h"
#include "net/check.h"

#include <stdint.h>
#include <stdlib.h>

/* Bytes of a batch of vectors of n elements; false if there is no such number. */
static bool batch_bytes(size_t max_batch, size_t n, size_t element, size_t *bytes)
{
    if (!bp_multiply(max_batch, n, bytes) || !bp_multiply(*bytes, element, bytes) || *bytes > PTRDIFF_MAX) {
        return false;
    }
    *bytes = bp_round_up(*bytes, BP_ALIGNMENT);
    return true;
}

/* Bytes of all buffers together. */
static bool total_bytes(const bp_net *net, size_t max_batch, size_t *total)
{
    size_t element = bp_dtype_size(net->dtype);
    if (!batch_bytes(max_batch < 2 ? 2 : max_batch, net->n_inputs, element, total)) {
        return false;
    }
    for (size_t l = 0; l < net->n_layers; l++) {
        size_t bytes;
        if (!batch_bytes(max_batch, net->layers[l]->n_outputs, element, &bytes) || !bp_multiply(bytes, 3, &bytes) ||
            !bp_add(*total, bytes, total)) {
            return false;
        }
    }
    return *total <= PTRDIFF_MAX;
}

/* Hands out n elements for each sample from *at on. */
static void *take(char **at, const bp_net *net, size_t max_batch, size_t n)
{
    void *taken = *at;
    *at += bp_round_up(max_batch * n * bp_dtype_size(net->dtype), BP_ALIGNMENT);
    return taken;
}

bp_status bp_workspace_create(bp_workspace **ws, const bp_net *net, size_t max_batch)
{
    if (!ws || !net) {
        return bp_fail_null(__func__, ws ? "net" : "ws");
    }
    bp_status status = bp_check_net(__func__, net, net->dtype);
    if (status != BP_OK) {
        return status;
    }
    if (max_batch < 1 || max_batch > BP_MAX_DIMENSION) {
        return bp_fail_size(__func__, "max_batch", max_batch);
    }
    size_t bytes;
    if (!total_bytes(net, max_batch, &bytes)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: max_batch is %zu; for this net that is more bytes than an address can count", __func__,
                       max_batch);
    }
    bp_workspace *made = calloc(1, sizeof *made + net->n_layers * sizeof made->layers[0]);
    char *memory = bp_allocate(bytes, 1);
    if (!made || !memory) {
        free(made);
        free(memory);
        return bp_fail_memory(__func__);
    }
    made->max_batch = max_batch;
    made->memory = memory;
    made->identity = bp_identity_hold(net->identity);
    made->input = take(&memory, net, max_batch < 2 ? 2 : max_batch, net->n_inputs);
    for (size_t l = 0; l < net->n_layers; l++) {
        made->layers[l].e = take(&memory, net, max_batch, net->layers[l]->n_outputs);
        made->layers[l].y = take(&memory, net, max_batch, net->layers[l]->n_outputs);
        made->layers[l].delta = take(&memory, net, max_batch, net->layers[l]->n_outputs);
    }
    bp_kernel_warm_up();
    *ws = made;
    return BP_OK;
}

void bp_workspace_destroy(bp_workspace *ws)
{
    if (ws) {
        bp_identity_release(ws->identity);
        free(ws->memory);
        free(ws);
    }
}

size_t bp_workspace_max_batch(const bp_workspace *ws)
{
    return ws ? ws->max_batch : 0;
}
