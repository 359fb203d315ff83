/*
 * Philox4x32-10, a counter-based generator: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 * A number is a function of (seed, stream, index), so order, threads and machines do not matter. Only integer operations, and the exactly
 * rounded + − × ÷ √ of IEEE 754, are used: libm's functions differ between machines in the last bit.
 */
#ifndef BP_CORE_RANDOM_H
#define BP_CORE_RANDOM_H

#include "bp/random.h"

#include <stdint.h>

/* out = Philox4x32-10(counter, key) */
void bp_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Streams of bp_random_key; a net's layers count from 0. */
enum { BP_RANDOM_NOISE = 0x7ffffff0, BP_RANDOM_DROPOUT = 0x7ffffff1 };

/* A seed of its own for every index of a stream. */
uint64_t bp_random_key(uint64_t seed, uint32_t stream, uint64_t index);

/* Four random words. */
void bp_random_words(uint64_t seed, uint32_t stream, uint64_t index, uint32_t words[4]);

/* Uniform in (0, 1), an odd multiple of 2⁻⁵³. */
double bp_random_uniform(uint64_t seed, uint32_t stream, uint64_t index);

/* Two independent normal numbers with mean 0 and deviation 1, by the polar method (Marsaglia, Bray 1964); and the first of them. */
void bp_random_normal_pair(uint64_t seed, uint32_t stream, uint64_t index, double pair[2]);
double bp_random_normal(uint64_t seed, uint32_t stream, uint64_t index);

/* Uniform in 0 … n − 1 (n is 1 or more), from a random word, and if that will not do from what belongs to (key, stream 1, n). */
uint64_t bp_random_below(uint64_t key, uint64_t n, uint32_t word);

#endif
