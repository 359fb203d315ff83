/* Samples as arrays that a pass can take: those of the dataset, or copies of a batch where it has none. */
#ifndef BP_DATA_BATCH_H
#define BP_DATA_BATCH_H

#include "data/dataset.h"

/* Room for one batch's copies, of the largest so far. Begins as zeros. */
typedef struct bp_batch_room {
    size_t n;
    void *inputs, *targets;
} bp_batch_room;

/*
 * Sets *inputs and *targets to the first of n samples from first on (of the order, if there is one), in the dataset if they lie there
 * together, else in the room; targets may be NULL. Returns as bp_dataset_copy, and BP_ERROR_MEMORY.
 */
bp_status bp_batch_take(const char *function, const bp_dataset *dataset, bp_batch_room *room, size_t first, size_t n, const size_t *order,
                        const void **inputs, const void **targets);

void bp_batch_release(bp_batch_room *room);

#endif
