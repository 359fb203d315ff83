/*
 * One vector register of reals, in the vector extension that gcc and clang share, so that one source serves every instruction set. The
 * build gives its width, BP_VECTOR_BYTES, with the matching machine options.
 */
#ifndef BP_KERNEL_VECTOR_H
#define BP_KERNEL_VECTOR_H

#include "core/real.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

typedef real vector __attribute__((vector_size(BP_VECTOR_BYTES)));
typedef real unaligned_vector __attribute__((vector_size(BP_VECTOR_BYTES), aligned(sizeof(real)), may_alias));

#if BP_REAL_BITS == 32
typedef int32_t integer;
#else
typedef int64_t integer;
#endif
typedef integer integer_vector __attribute__((vector_size(BP_VECTOR_BYTES)));

enum { LANES = BP_VECTOR_BYTES / sizeof(real) };

static inline vector load(const real *p)
{
    return *(const unaligned_vector *)p;
}

static inline void store(real *p, vector v)
{
    *(unaligned_vector *)p = v;
}

static inline vector broadcast(real value)
{
    return value - (vector){0};
}

/*
 * a b + c, rounded once where the instruction set has such an operation. The sources are compiled without contraction, so this is the only
 * place where that happens, and compilers agree on the bits.
 */
static inline vector multiply_add(vector a, vector b, vector c)
{
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
    return (vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif BP_VECTOR_BYTES == 64
    return (vector)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif BP_VECTOR_BYTES == 32 && BP_REAL_BITS == 32
    return (vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif BP_VECTOR_BYTES == 32
    return (vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__) && BP_REAL_BITS == 32
    return (vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__aarch64__)
    return (vector)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

static inline vector vector_sqrt(vector v)
{
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
    return (vector)_mm512_sqrt_ps((__m512)v);
#elif BP_VECTOR_BYTES == 64
    return (vector)_mm512_sqrt_pd((__m512d)v);
#elif BP_VECTOR_BYTES == 32 && BP_REAL_BITS == 32
    return (vector)_mm256_sqrt_ps((__m256)v);
#elif BP_VECTOR_BYTES == 32
    return (vector)_mm256_sqrt_pd((__m256d)v);
#else
    for (int i = 0; i < LANES; i++) {
        v[i] = (real)sqrt((double)v[i]); /* of a float, rounded twice, is still the nearest float (Figueroa 1995) */
    }
    return v;
#endif
}

/* Where lanes are below n all bits are 1. */
static inline integer_vector lanes_below(size_t n)
{
    integer_vector lane;
    for (int i = 0; i < LANES; i++) {
        lane[i] = i;
    }
    return lane < (integer)n;
}

/* v in the first n < LANES lanes, 0 behind them. */
static inline vector keep_below(vector v, size_t n)
{
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
    return (vector)_mm512_maskz_mov_ps((__mmask16)((1u << n) - 1), (__m512)v);
#elif BP_VECTOR_BYTES == 64
    return (vector)_mm512_maskz_mov_pd((__mmask8)((1u << n) - 1), (__m512d)v);
#else
    return (vector)((integer_vector)v & lanes_below(n));
#endif
}

/* The first n ≤ LANES elements, then zeros; nothing beyond them is touched. */
static inline vector load_partial(const real *p, size_t n)
{
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
    return (vector)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif BP_VECTOR_BYTES == 64
    return (vector)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
#elif BP_VECTOR_BYTES == 32 && BP_REAL_BITS == 32
    return (vector)_mm256_maskload_ps(p, (__m256i)lanes_below(n));
#elif BP_VECTOR_BYTES == 32
    return (vector)_mm256_maskload_pd(p, (__m256i)lanes_below(n));
#else
    vector v = {0};
    for (size_t i = 0; i < n; i++) {
        v[i] = p[i];
    }
    return v;
#endif
}

/* Stores the first n < LANES elements only. */
static inline void store_partial(real *p, vector v, size_t n)
{
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif BP_VECTOR_BYTES == 64
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
#elif BP_VECTOR_BYTES == 32 && BP_REAL_BITS == 32
    /* by halves: AMD's masked stores take tens of cycles */
    __m128 rest = _mm256_castps256_ps128((__m256)v);
    if (n & 4) {
        _mm_storeu_ps(p, rest);
        p += 4;
        rest = _mm256_extractf128_ps((__m256)v, 1);
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)p, rest);
        p += 2;
        rest = _mm_movehl_ps(rest, rest);
    }
    if (n & 1) {
        _mm_store_ss(p, rest);
    }
#elif BP_VECTOR_BYTES == 32
    __m128d rest = _mm256_castpd256_pd128((__m256d)v);
    if (n & 2) {
        _mm_storeu_pd(p, rest);
        p += 2;
        rest = _mm256_extractf128_pd((__m256d)v, 1);
    }
    if (n & 1) {
        _mm_store_sd(p, rest);
    }
#else
    for (size_t i = 0; i < n; i++) {
        p[i] = v[i];
    }
#endif
}

/* As many vectors as have their sums over lanes in whole vectors, at least 8. */
enum { BLOCK = LANES < 8 ? 8 : LANES, BLOCK_VECTORS = BLOCK / LANES };

/*
 * sum_block: the sums over lanes of BLOCK vectors, side by side. half_1 … half_4 add the upper to the lower half of each of their operands'
 * parts and put the results side by side.
 */
#if BP_VECTOR_BYTES / (BP_REAL_BITS / 8) == 16

static inline vector half_1(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
           __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

static inline vector half_2(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

static inline vector half_3(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
           __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
}

static inline vector half_4(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

static inline void sum_block(const vector v[BLOCK], vector sums[BLOCK_VECTORS])
{
    vector t[4];
    for (int i = 0; i < 4; i++) {
        t[i] = half_2(half_1(v[4 * i], v[4 * i + 1]), half_1(v[4 * i + 2], v[4 * i + 3]));
    }
    sums[0] = half_4(half_3(t[0], t[1]), half_3(t[2], t[3]));
}

static inline real sum(vector v)
{
    v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3);
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1);
    return v[0] + v[1];
}

#elif BP_VECTOR_BYTES / (BP_REAL_BITS / 8) == 8

static inline vector half_1(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}

static inline vector half_2(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13) + __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
}

static inline vector half_3(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) + __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}

static inline void sum_block(const vector v[BLOCK], vector sums[BLOCK_VECTORS])
{
    sums[0] = half_3(half_2(half_1(v[0], v[1]), half_1(v[2], v[3])), half_2(half_1(v[4], v[5]), half_1(v[6], v[7])));
}

static inline real sum(vector v)
{
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 2, 3, 0, 1);
    return v[0] + v[1];
}

#elif BP_VECTOR_BYTES / (BP_REAL_BITS / 8) == 4

static inline vector half_1(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
}

static inline vector half_2(vector a, vector b)
{
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

static inline void sum_block(const vector v[BLOCK], vector sums[BLOCK_VECTORS])
{
    sums[0] = half_2(half_1(v[0], v[1]), half_1(v[2], v[3]));
    sums[1] = half_2(half_1(v[4], v[5]), half_1(v[6], v[7]));
}

static inline real sum(vector v)
{
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
    return v[0] + v[1];
}

#else

static inline void sum_block(const vector v[BLOCK], vector sums[BLOCK_VECTORS])
{
    for (int i = 0; i < 8; i += 2) {
        sums[i / 2] = __builtin_shufflevector(v[i], v[i + 1], 0, 2) + __builtin_shufflevector(v[i], v[i + 1], 1, 3);
    }
}

static inline real sum(vector v)
{
    return v[0] + v[1];
}

#endif

/* Four reals, whatever the vector's width. */
typedef real quad __attribute__((vector_size(4 * sizeof(real))));
typedef real unaligned_quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));

static inline __attribute__((always_inline)) quad load_quad(const real *p)
{
    return *(const unaligned_quad *)p;
}

static inline __attribute__((always_inline)) void store_quad(real *p, quad q)
{
    *(unaligned_quad *)p = q;
}

/* The sums over lanes of four quads. */
static inline __attribute__((always_inline)) quad sum_quads(const quad v[4])
{
    quad a = __builtin_shufflevector(v[0], v[1], 0, 2, 4, 6) + __builtin_shufflevector(v[0], v[1], 1, 3, 5, 7);
    quad b = __builtin_shufflevector(v[2], v[3], 0, 2, 4, 6) + __builtin_shufflevector(v[2], v[3], 1, 3, 5, 7);
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

/* The quad in the first lanes of a vector, anything behind it; half of it where a vector has but two lanes. */
static inline __attribute__((always_inline)) vector widen(quad q)
{
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
    return (vector)_mm512_castps128_ps512((__m128)q);
#elif BP_VECTOR_BYTES == 64
    return (vector)_mm512_castpd256_pd512((__m256d)q);
#elif BP_VECTOR_BYTES == 32 && BP_REAL_BITS == 32
    return (vector)_mm256_castps128_ps256((__m128)q);
#elif BP_VECTOR_BYTES == 4 * BP_REAL_BITS / 8
    return q;
#else
    return __builtin_shufflevector(q, q, 0, 1);
#endif
}

#endif
