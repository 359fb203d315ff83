#ifndef BP_KERNEL_KERNEL_NAME_H
#define BP_KERNEL_KERNEL_NAME_H

#include <stdbool.h>

/* Of the table in use: kernel.h. OpenBLAS's is not, for its bits depend on the shape of a call. */
bool bp_kernel_is_divisible(void);

#endif
