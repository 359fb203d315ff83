/*
 * The element type of sources that are compiled twice, once for f32 and once for f64 (BP_REAL_BITS comes from the build).
 * REAL(name) is name_f32 or name_f64.
 */
#ifndef BP_CORE_REAL_H
#define BP_CORE_REAL_H

#include "bp/dtype.h"

#include <float.h>

#if BP_REAL_BITS == 32
typedef float real;
#define REAL(name) name##_f32
#define REAL_DTYPE BP_F32
#define REAL_MAX FLT_MAX
#elif BP_REAL_BITS == 64
typedef double real;
#define REAL(name) name##_f64
#define REAL_DTYPE BP_F64
#define REAL_MAX DBL_MAX
#else
#error "BP_REAL_BITS is 32 or 64"
#endif

#endif
