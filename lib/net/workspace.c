#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "net/workspace.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "kernel/kernel_name.h"
#include "kernel/warm_up.h"
#include "net/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Adds bytes for count vectors of n elements, up to the end of a cache line; false if there is no such number. */
static bool add_vectors(size_t *total, size_t count, size_t n, size_t element)
{
    size_t bytes;
    if (!bp_multiply(count, n, &bytes) || !bp_multiply(bytes, element, &bytes) || bytes > PTRDIFF_MAX) {
        return false;
    }
    return bp_add(*total, bp_round_up(bytes, BP_ALIGNMENT), total) && *total <= PTRDIFF_MAX;
}

/* Elements of x: a batch and what its last row's end takes, or two samples each up to the end of a cache line. */
static size_t input_elements(const bp_net *net, size_t max_batch)
{
    size_t line = BP_ALIGNMENT / bp_dtype_size(net->dtype), two = 2 * bp_round_up(net->n_inputs, line), product;
    return !bp_multiply(max_batch, net->n_inputs, &product) || !bp_add(product, line, &product) ? SIZE_MAX : product < two ? two : product;
}

/* Elements of a part: the inputs of the widest layer that has more than one panel; 0 if none has. */
static size_t part_elements(const bp_net *net)
{
    size_t widest = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        widest = layer->panel_rows < layer->n_outputs && layer->n_inputs > widest ? layer->n_inputs : widest;
    }
    return widest;
}

/* Bytes of all buffers together. */
static bool total_bytes(const bp_net *net, size_t max_batch, size_t *total)
{
    size_t element = bp_dtype_size(net->dtype);
    *total = 0;
    bool fits = add_vectors(total, 1, input_elements(net, max_batch), element) && add_vectors(total, 1, part_elements(net), element) &&
                add_vectors(total, max_batch, bp_net_output_count(net), element) && add_vectors(total, 1, max_batch, element);
    for (size_t l = 0; fits && l < net->n_layers; l++) {
        for (int i = 0; fits && i < (net->layers[l]->dropout > 0 ? 5 : 3); i++) {
            fits = add_vectors(total, max_batch, net->layers[l]->n_outputs, element);
        }
    }
    return fits;
}

/* Hands out n elements from *at on. */
static void *take(char **at, const bp_net *net, size_t n)
{
    void *taken = *at;
    *at += bp_round_up(n * bp_dtype_size(net->dtype), BP_ALIGNMENT);
    return taken;
}

bp_status bp_workspace_create(bp_workspace **ws, const bp_net *net, size_t max_batch)
{
    if (!ws) {
        return bp_fail_null(__func__, "ws");
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
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
    bp_dropout *dropouts = net->has_dropout ? calloc(net->n_layers, sizeof *dropouts) : NULL;
    if (!made || !memory || (net->has_dropout && !dropouts)) {
        free(made);
        free(memory);
        free(dropouts);
        return bp_fail_memory(__func__);
    }
    made->handle = BP_HANDLE_WORKSPACE;
    made->max_batch = max_batch;
    made->memory = memory;
    made->dropouts = dropouts;
    made->identity = bp_identity_hold(net->identity);
    made->input = take(&memory, net, input_elements(net, max_batch));
    made->part_bytes = bp_round_up(part_elements(net) * bp_dtype_size(net->dtype), BP_ALIGNMENT);
    made->parts = take(&memory, net, part_elements(net));
    made->target = take(&memory, net, max_batch * bp_net_output_count(net));
    made->sample_weights = take(&memory, net, max_batch);
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        bp_layer_step *step = &made->layers[l];
        size_t n = max_batch * layer->n_outputs;
        *step = (bp_layer_step){
            .f = layer->activation, .m = layer->n_outputs, .n = layer->n_inputs, .lda = layer->ld, .A = layer->weights, .b = layer->bias};
        step->x = l ? step[-1].y : NULL;
        step->e = take(&memory, net, n);
        step->y = take(&memory, net, n);
        step->g = take(&memory, net, n);
        if (layer->dropout > 0) {
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the net has dropout, then */
            dropouts[l] = (bp_dropout){take(&memory, net, n), take(&memory, net, n)};
        }
    }
    bp_kernel_warm_up();
    *ws = made;
    return BP_OK;
}

enum { MEASURED_BARRIERS = 64 };

static void only_barriers(void *pool, size_t thread, size_t n_threads)
{
    (void)n_threads;
    for (int i = 0; i < MEASURED_BARRIERS; i++) {
        bp_pool_barrier(pool, thread);
    }
}

/* Nanoseconds of a barrier, the least of a few tries: it depends on where the processors lie, some tens to some hundreds. */
static double measure_hand_over(bp_pool *pool)
{
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        bp_pool_run(pool, bp_pool_threads(pool), only_barriers, pool);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double taken = (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
        least = taken < least ? taken : least;
    }
    return least / MEASURED_BARRIERS;
}

bp_status bp_workspace_set_threads(bp_workspace *ws, size_t n_threads)
{
    if (!bp_is(ws, BP_HANDLE_WORKSPACE)) {
        return bp_fail_handle(__func__, "ws", ws, BP_HANDLE_WORKSPACE);
    }
    bp_pool *pool;
    bp_status status = bp_pool_create(__func__, &pool, n_threads);
    if (status != BP_OK) {
        return status;
    }
    if (n_threads > 1 && !ws->thread_memory) {
        void *parts = bp_allocate(2 * BP_MAX_PANELS, ws->part_bytes);
        if (!parts) {
            bp_pool_destroy(pool);
            return bp_fail_memory(__func__);
        }
        ws->parts = ws->thread_memory = parts;
    }
    bp_pool_destroy(ws->pool);
    ws->pool = pool;
    ws->hand_over = n_threads > 1 ? measure_hand_over(pool) : 0;
    return BP_OK;
}

size_t bp_workspace_threads(const bp_workspace *ws)
{
    return !bp_is(ws, BP_HANDLE_WORKSPACE) ? 0 : ws->pool ? bp_pool_threads(ws->pool) : 1;
}

/*
 * Whether threads gain more than their hand-overs take. What one thread takes is estimated: with one sample by the bytes of its three ways through
 * the weights, which come at 150 GB/s from a cache, with more by six operations for each weight and sample, 100 in a nanosecond. A hand-over
 * costs three times what an empty one does, for vectors change their processor as well. Either may be wrong by half without harm.
 */
static bool is_worth_threads(const bp_workspace *ws, const bp_net *net, size_t batch)
{
    double bytes = (double)net->storage * (double)bp_dtype_size(net->dtype);
    double alone = batch == 1 ? bytes * 3 / 150 : bytes / sizeof(float) * (double)batch * 6 / 100;
    double hand_overs = batch == 1 ? 2 * (double)net->n_layers + 2 : 4;
    return alone / 2 > 1.5 * 3 * ws->hand_over * hand_overs;
}

void bp_workspace_run(bp_workspace *ws, const bp_net *net, size_t batch, bp_pool_work *work, void *argument)
{
    if (ws->pool && bp_pool_threads(ws->pool) > 1 && bp_kernel_is_divisible() && is_worth_threads(ws, net, batch)) {
        bp_pool_run(ws->pool, bp_pool_threads(ws->pool), work, argument);
    } else {
        work(argument, 0, 1);
    }
}

void bp_workspace_destroy(bp_workspace *ws)
{
    if (bp_is(ws, BP_HANDLE_WORKSPACE)) {
        bp_pool_destroy(ws->pool);
        bp_identity_release(ws->identity);
        free(ws->thread_memory);
        free(ws->dropouts);
        free(ws->memory);
        bp_end_handle(ws);
        free(ws);
    }
}

size_t bp_workspace_max_batch(const bp_workspace *ws)
{
    return bp_is(ws, BP_HANDLE_WORKSPACE) ? ws->max_batch : 0;
}
