#ifndef BP_NET_WORKSPACE_H
#define BP_NET_WORKSPACE_H

#include "bp/workspace.h"

#include "net/net.h"

/* What one layer leaves behind in a pass: batch × n_outputs each, packed, aligned. */
typedef struct bp_layer_pass {
    void *e;     /* W x + b */
    void *y;     /* f(e) */
    void *delta; /* the error signal; in the course of a backward pass it becomes the local gradient g */
} bp_layer_pass;

struct bp_workspace {
    size_t max_batch;
    size_t batch; /* of the latest bp_net_forward, which bp_net_backward can follow; 0 if there is none */
    bp_identity *identity;
    void *input; /* batch × n_inputs, at least 2: x as the first layer sees it */
    void *memory;
    bp_layer_pass layers[];
};

#endif
