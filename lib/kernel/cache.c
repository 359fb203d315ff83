#define _GNU_SOURCE /* _SC_LEVEL2_CACHE_SIZE */

#include "kernel/cache.h"

#include <unistd.h>

static size_t panel_bytes = 128 * 1024; /* where the system does not tell: half of a small level 2 */

#if defined(__GNUC__) && defined(_SC_LEVEL2_CACHE_SIZE)
/* Once, when the library is loaded: the answer takes microseconds. */
__attribute__((constructor)) static void detect(void)
{
    long level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (level2 > 0) {
        panel_bytes = (size_t)level2 / 2;
    }
}
#endif

size_t bp_cache_panel_bytes(void)
{
    return panel_bytes;
}
