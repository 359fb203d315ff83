#include "net/loss.h"

#include "core/status.h"

static const char *const names[] = {"mse", "mae", "huber", "binary_cross_entropy", "cross_entropy"};

enum { LOSS_COUNT = sizeof names / sizeof *names };

const char *bp_loss_name(bp_loss loss)
{
    return (unsigned)loss < LOSS_COUNT ? names[loss] : NULL;
}

bp_status bp_loss_from_name(const char *name, bp_loss *loss)
{
    int value = bp_name_find(__func__, name, loss, LOSS_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *loss = (bp_loss)value;
    return BP_OK;
}

bool bp_loss_is_fused(bp_loss loss)
{
    return loss == BP_LOSS_BINARY_CROSS_ENTROPY || loss == BP_LOSS_CROSS_ENTROPY;
}
