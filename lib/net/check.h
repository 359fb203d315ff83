/* What the public calls on a net refuse, each check in the name of the calling function. */
#ifndef BP_NET_CHECK_H
#define BP_NET_CHECK_H

#include "net/workspace.h"

/* The net has this dtype and is initialized. */
bp_status bp_check_net(const char *function, const bp_net *net, bp_dtype dtype);

/* Both are there, belong together, and bp_check_net. */
bp_status bp_check_workspace(const char *function, const bp_net *net, const bp_workspace *ws, bp_dtype dtype);

/* The workspace can hold the batch. */
bp_status bp_check_batch(const char *function, const bp_workspace *ws, size_t batch);

/* The net's output activation has a derivative that its rule can use. */
bp_status bp_check_rule(const char *function, const bp_net *net);

/* All that computing a loss and its derivatives needs: the above, and a loss that fits the output activation. */
bp_status bp_check_loss(const char *function, const bp_net *net, const bp_workspace *ws, bp_dtype dtype, bp_loss loss, size_t batch,
                        const void *x, const void *target);

/* The loss is known, and fits the net's outputs and its rule. */
bp_status bp_check_pair(const char *function, const bp_net *net, bp_loss loss);

/* The workspace was made after the net's layers were given dropout. */
bp_status bp_check_dropout(const char *function, const bp_net *net, const bp_workspace *ws);

#endif
