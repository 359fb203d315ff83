#include "bp/kernel.h"

#define BP_REAL_BITS 32 /* the choice is the same for both element types */
#include "kernel/kernel.h"

const char *bp_kernel_name(void)
{
    return bp_kernel_f32()->name;
}
