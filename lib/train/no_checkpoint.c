/* In the place of checkpoint.c in a build without files (BP_FILES). */
#include "bp/data_parallel.h"
#include "bp/trainer.h"

#include "core/status.h"

static bp_status refuse(const char *function)
{
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: this build has no checkpoints (BP_FILES)", function);
}

bp_status bp_trainer_save(const bp_trainer *trainer, const char *path)
{
    (void)trainer, (void)path;
    return refuse(__func__);
}

bp_status bp_trainer_load(bp_trainer *trainer, const char *path)
{
    (void)trainer, (void)path;
    return refuse(__func__);
}

bp_status bp_trainer_load_memory(bp_trainer *trainer, const void *bytes, size_t size)
{
    (void)trainer, (void)bytes, (void)size;
    return refuse(__func__);
}

bp_status bp_trainer_load_together(bp_trainer *trainer, const void *bytes, size_t size)
{
    (void)trainer, (void)bytes, (void)size;
    return refuse(__func__);
}
