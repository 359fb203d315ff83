/*
 * A thread's floating-point settings: rounding, what becomes of denormals, which exceptions trap. Their flags are left out where the system lets us.
 * Reading and writing them takes some nanoseconds, so threads that share work can have those of the one that they work for.
 */
#ifndef BP_CORE_FPU_H
#define BP_CORE_FPU_H

#if defined(__x86_64__)

typedef unsigned bp_fpu_control;

enum { BP_FPU_FLAGS = 0x3F }; /* of MXCSR */

static inline bp_fpu_control bp_fpu_get_control(void)
{
    return __builtin_ia32_stmxcsr() & ~(unsigned)BP_FPU_FLAGS;
}

/* Writing is dearer than reading, and hardly ever needed. */
static inline void bp_fpu_set_control(bp_fpu_control control)
{
    unsigned now = __builtin_ia32_stmxcsr();
    if ((now & ~(unsigned)BP_FPU_FLAGS) != control) {
        __builtin_ia32_ldmxcsr(control | (now & BP_FPU_FLAGS));
    }
}

#elif defined(__aarch64__)

typedef unsigned long bp_fpu_control;

static inline bp_fpu_control bp_fpu_get_control(void)
{
    bp_fpu_control control; /* the flags are in another register */
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control;
}

static inline void bp_fpu_set_control(bp_fpu_control control)
{
    if (control != bp_fpu_get_control()) {
        __asm__ volatile("msr fpcr, %0" : : "r"(control));
    }
}

#else

#include <fenv.h>

typedef int bp_fpu_control; /* the rounding alone, which is what C has a name for */

static inline bp_fpu_control bp_fpu_get_control(void)
{
    return fegetround();
}

static inline void bp_fpu_set_control(bp_fpu_control control)
{
    if (control != fegetround()) {
        fesetround(control);
    }
}

#endif

#endif
