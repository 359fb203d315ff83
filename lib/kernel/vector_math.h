/*
 * Elementary functions of a vector: glibc's libmvec, at most 4 ULP from exact, through its vector ABI; lane by lane where there is none.
 */
#ifndef BP_KERNEL_VECTOR_MATH_H
#define BP_KERNEL_VECTOR_MATH_H

#include "kernel/vector.h"

#include <math.h>

#if BP_REAL_BITS == 32
#define LIBM(name) name##f
#else
#define LIBM(name) name
#endif

#ifdef BP_HAVE_LIBMVEC

/* b: 128-bit registers, d: 256, e: 512; N: no mask; then the lanes, and v for a vector argument */
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
#define LIBMVEC(name) _ZGVeN16v_##name##f
#elif BP_VECTOR_BYTES == 64
#define LIBMVEC(name) _ZGVeN8v_##name
#elif BP_VECTOR_BYTES == 32 && BP_REAL_BITS == 32
#define LIBMVEC(name) _ZGVdN8v_##name##f
#elif BP_VECTOR_BYTES == 32
#define LIBMVEC(name) _ZGVdN4v_##name
#elif BP_REAL_BITS == 32
#define LIBMVEC(name) _ZGVbN4v_##name##f
#else
#define LIBMVEC(name) _ZGVbN2v_##name
#endif

#define VECTOR_FUNCTION(name)                                                                                                              \
    vector LIBMVEC(name)(vector);                                                                                                          \
    static inline vector vector_##name(vector x)                                                                                           \
    {                                                                                                                                      \
        return LIBMVEC(name)(x);                                                                                                           \
    }

#else

#define VECTOR_FUNCTION(name)                                                                                                              \
    static inline vector vector_##name(vector x)                                                                                           \
    {                                                                                                                                      \
        for (int i = 0; i < LANES; i++) {                                                                                                  \
            x[i] = LIBM(name)(x[i]);                                                                                                       \
        }                                                                                                                                  \
        return x;                                                                                                                          \
    }

#endif

VECTOR_FUNCTION(exp)
VECTOR_FUNCTION(expm1)
VECTOR_FUNCTION(log1p)
VECTOR_FUNCTION(tanh)
VECTOR_FUNCTION(erfc)
VECTOR_FUNCTION(sin)
VECTOR_FUNCTION(cos)

#endif
