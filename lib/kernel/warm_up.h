#ifndef BP_KERNEL_WARM_UP_H
#define BP_KERNEL_WARM_UP_H

/* Takes from the system now what a first kernel call would otherwise take, so that no training step does. */
void bp_kernel_warm_up(void);

#endif
