#ifndef BP_NET_NET_H
#define BP_NET_NET_H

#include "bp/net.h"

#include "net/identity.h"
#include "net/layer.h"

#include <stdbool.h>

struct bp_net {
    bp_dtype dtype;
    bp_rule rule;
    size_t n_inputs;
    size_t n_layers;
    bp_layer **layers;
    size_t parameter_count; /* elements of θ */
    size_t storage;         /* elements of parameters */
    void *parameters;       /* every layer's storage, one after the other; NULL until initialized */
    void *input_offset;     /* n_inputs elements each, or both NULL */
    void *input_scale;
    bp_identity *identity; /* NULL until initialized */
    /* for people, and for files */
    char **input_names; /* n_inputs, or NULL */
    char **class_names; /* n_classes, or NULL */
    size_t n_classes;
    char **metadata; /* n_metadata times key and value, each in a block of its own */
    size_t n_metadata;
    /* of training */
    double input_noise;    /* deviation */
    bool has_dropout;      /* a layer has it */
    bool has_frozen;       /* a layer is frozen */
    size_t lowest_trained; /* the first layer that is not; n_layers if all are */
};

/* Draws a layer's weights and clears its bias; stream is the layer's index. */
void bp_initialize_layer_f32(bp_layer *layer, bp_initializer initializer, uint64_t seed, uint32_t stream);
void bp_initialize_layer_f64(bp_layer *layer, bp_initializer initializer, uint64_t seed, uint32_t stream);

/* Ends what net/labels.c keeps, and makes copies of another net's; false without memory. */
void bp_net_release_labels(bp_net *net);
bool bp_net_copy_labels(bp_net *copy, const bp_net *net);

#endif
