/** Reproducible order: the same seed gives the same permutation on every machine. */
#ifndef BP_RANDOM_H
#define BP_RANDOM_H

#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes a random permutation of 0 … n − 1 to permutation (n elements): Fisher, Yates as in Durstenfeld 1964, over Philox4x32-10 keyed by
 * seed, with bounded numbers as in Lemire 2019, "Fast random integer generation in an interval": none is favoured. stream numbers
 * independent permutations of one seed: the epoch, for example. n may be 0.
 * Returns BP_ERROR_ARGUMENT if permutation is NULL. Thread-safe.
 */
BP_API bp_status bp_random_permutation(uint64_t seed, uint64_t stream, size_t n, size_t *permutation);

#ifdef __cplusplus
}
#endif

#endif
