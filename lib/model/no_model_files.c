/* In the place of model.c in a build without files (BP_FILES). */
#include "bp/model.h"

#include "core/status.h"

#include <stdlib.h>

static bp_status refuse(const char *function)
{
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: this build has no model files (BP_FILES)", function);
}

bp_status bp_net_save(const bp_net *net, const char *path)
{
    (void)net, (void)path;
    return refuse(__func__);
}

bp_status bp_net_save_memory(const bp_net *net, void **bytes, size_t *size)
{
    (void)net, (void)bytes, (void)size;
    return refuse(__func__);
}

bp_status bp_net_load(bp_net **net, const char *path)
{
    (void)net, (void)path;
    return refuse(__func__);
}

bp_status bp_net_load_as(bp_net **net, const char *path, bp_dtype dtype, int allow_nonfinite)
{
    (void)net, (void)path, (void)dtype, (void)allow_nonfinite;
    return refuse(__func__);
}

bp_status bp_net_load_memory(bp_net **net, const void *bytes, size_t size)
{
    (void)net, (void)bytes, (void)size;
    return refuse(__func__);
}

void bp_free(void *memory)
{
    free(memory);
}
