#ifndef BP_KERNEL_CACHE_H
#define BP_KERNEL_CACHE_H

#include <stddef.h>

/* How much of a matrix to work on at a time so that it stays in the cache that a core has for itself: half of level 2. */
size_t bp_cache_panel_bytes(void);

#endif
