#include "data/batch.h"

#include "core/memory.h"
#include "core/status.h"

#include <stdlib.h>

static bool reserve(const bp_dataset *dataset, bp_batch_room *room, size_t n)
{
    if (n > room->n) {
        bp_batch_release(room);
        room->inputs = bp_allocate(n * dataset->n_inputs, bp_dtype_size(dataset->dtype));
        room->targets = bp_allocate(n * dataset->n_outputs, bp_dtype_size(dataset->dtype));
        room->n = room->inputs && room->targets ? n : 0;
    }
    return room->n >= n;
}

bp_status bp_batch_take(const char *function, const bp_dataset *dataset, bp_batch_room *room, size_t first, size_t n, const size_t *order,
                        const void **inputs, const void **targets)
{
    if (bp_dataset_is_plain(dataset) && !order) {
        size_t element = bp_dtype_size(dataset->dtype);
        *inputs = (const char *)dataset->inputs + first * dataset->n_inputs * element;
        if (targets) {
            *targets = dataset->targets ? (const char *)dataset->targets + first * dataset->n_outputs * element : NULL;
        }
        return BP_OK;
    }
    if (!reserve(dataset, room, n)) {
        return bp_fail_memory(function);
    }
    *inputs = room->inputs;
    if (targets) {
        *targets = room->targets;
    }
    return bp_dataset_copy(function, dataset, first, n, order, room->inputs, targets ? room->targets : NULL);
}

void bp_batch_release(bp_batch_room *room)
{
    free(room->inputs);
    free(room->targets);
    *room = (bp_batch_room){0};
}
