#ifndef BP_NET_LOSS_H
#define BP_NET_LOSS_H

#include "bp/loss.h"

#include <stdbool.h>

/* Whether the loss comes with one activation only, for which −∂L/∂e is simpler and stabler than −∂L/∂y and f′. */
bool bp_loss_is_fused(bp_loss loss);

#endif
