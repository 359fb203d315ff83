#include "kernel/cpu.h"

#if defined(__x86_64__) && defined(__GNUC__)

bool bp_cpu_has_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool bp_cpu_has_avx512(void)
{
    return bp_cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool bp_cpu_prefers_avx512(void)
{
    return bp_cpu_has_avx512() && __builtin_cpu_is("intel");
}

#else

bool bp_cpu_has_avx2(void)
{
    return false;
}

bool bp_cpu_has_avx512(void)
{
    return false;
}

bool bp_cpu_prefers_avx512(void)
{
    return false;
}

#endif
