#include "kernel/cpu.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>

/* AMD's Zen 4, family 19h, runs a 512-bit instruction as two of 256 bits. */
static bool has_half_width_avx512(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__builtin_cpu_is("amd") || !__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        return false;
    }
    unsigned family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
    return family == 0x19;
}

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
    return bp_cpu_has_avx512() && !has_half_width_avx512();
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
