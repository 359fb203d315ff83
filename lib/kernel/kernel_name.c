#include "bp/kernel.h"

#define BP_REAL_BITS 32 /* the choice is the same for both element types */
#include "kernel/kernel.h"
#include "kernel/kernel_name.h"

bool bp_kernel_is_divisible(void)
{
    return bp_kernel_f32()->divisible;
}

const char *bp_kernel_name(void)
{
    return bp_kernel_f32()->name;
}
