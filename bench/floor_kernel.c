#include "floor_kernel.h"

#include "core/real.h"

typedef real vector __attribute__((vector_size(BENCH_VECTOR_BYTES)));
enum { LANES = BENCH_VECTOR_BYTES / sizeof(real) };

/* Enough sums side by side to hide the latency of one addition, few enough for 16 registers. */
enum { SUMS = 12, STREAMS = 8 };

/* Bytes from what is read to what is asked to come. */
enum { AHEAD = 4096 };

/* Read by compute and update at run time, so that no compiler knows them; written so that none drops the loops. */
static volatile real one = 1, zero = 0, sink;

static real sum_of(vector v)
{
    real sum = 0;
    for (int i = 0; i < LANES; i++) {
        sum += v[i];
    }
    return sum;
}

static double compute(size_t rounds)
{
    vector factor = (vector){0} + one, addend = (vector){0} + zero, sums[SUMS];
    for (int k = 0; k < SUMS; k++) {
        sums[k] = (vector){0} + (real)k;
    }
    for (size_t i = 0; i < rounds; i++) {
        for (int k = 0; k < SUMS; k++) {
            sums[k] = sums[k] * factor + addend;
        }
    }
    for (int k = 1; k < SUMS; k++) {
        sums[0] += sums[k];
    }
    sink = sum_of(sums[0]);
    return 2.0 * (double)rounds * SUMS * LANES;
}

static void keep_sum(const vector *sums)
{
    vector sum = sums[0];
    for (int k = 1; k < STREAMS; k++) {
        sum += sums[k];
    }
    sink = sum_of(sum);
}

static void read_all(size_t bytes, const void *array)
{
    const vector *v = array;
    vector sums[STREAMS] = {{0}};
    for (size_t i = 0; i < bytes / sizeof *v; i += STREAMS) {
        for (size_t k = 0; k < STREAMS; k++) {
            __builtin_prefetch((const char *)&v[i + k] + AHEAD);
            sums[k] += v[i + k];
        }
    }
    keep_sum(sums);
}

static void read_quarters(size_t bytes, const void *array)
{
    const vector *v = array;
    vector sums[STREAMS] = {{0}};
    size_t quarter = bytes / sizeof *v / 4;
    for (size_t i = 0; i < quarter; i += 2) {
        for (size_t k = 0; k < STREAMS; k++) {
            sums[k] += v[k / 2 * quarter + i + k % 2];
        }
    }
    keep_sum(sums);
}

static void update_all(size_t bytes, void *array)
{
    vector *v = array, addend = (vector){0} + zero;
    for (size_t i = 0; i < bytes / sizeof *v; i += STREAMS) {
        for (size_t k = 0; k < STREAMS; k++) {
            v[i + k] += addend;
        }
    }
}

#define JOIN_NAMES(a, b) a##_##b
#define JOIN(a, b) JOIN_NAMES(a, b)
#define REAL_OF(name) REAL(name)

const bench_floor_kernel REAL_OF(JOIN(bench_floor_kernel, BENCH_ISA)) = {compute, read_all, read_quarters, update_all};
