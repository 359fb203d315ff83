#ifndef BP_NET_NET_H
#define BP_NET_NET_H

#include "bp/net.h"

#include "core/handle.h"
#include "net/identity.h"
#include "net/layer.h"

#include <stdbool.h>

/* (x − offset) ⊙ scale of a vector; both NULL: it stays as it is. */
typedef struct bp_net_scaling {
    void *offset, *scale;
} bp_net_scaling;

struct bp_net {
    bp_handle handle;
    bp_dtype dtype;
    bp_rule rule;
    size_t n_inputs;
    size_t n_layers;
    bp_layer **layers;
    size_t parameter_count; /* elements of θ */
    size_t storage;         /* elements of parameters */
    void *parameters;       /* every layer's storage, one after the other; NULL until initialized */
    bp_net_scaling input_scaling;
    bp_net_scaling output_scaling; /* what the last layer learns of a target; the outputs are the inverse of it */
    bp_identity *identity;         /* NULL until initialized */
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

/* Gives a net that has layers its memory, all zeros: its shape is fixed from here. What bp_net_initialize does first. */
bp_status bp_net_fix_shape(const char *function, bp_net *net);

/* Draws a layer's weights and clears its bias; stream is the layer's index. */
void bp_initialize_layer_f32(bp_layer *layer, bp_initializer initializer, uint64_t seed, uint32_t stream);
void bp_initialize_layer_f64(bp_layer *layer, bp_initializer initializer, uint64_t seed, uint32_t stream);

/* Room for a scaling of n elements, and what ends it; false without memory. */
bool bp_net_scaling_allocate(bp_net_scaling *scaling, size_t n, bp_dtype dtype);
void bp_net_scaling_release(bp_net_scaling *scaling);

/* The first of n scales whose inverse is not finite, by which outputs cannot be divided; n: there is none. */
size_t bp_first_not_invertible_f32(size_t n, const float *scale);
size_t bp_first_not_invertible_f64(size_t n, const double *scale);

/* The same of a net's output scaling; its outputs' number: there is none. */
size_t bp_net_first_not_invertible(const bp_net *net);

/* What output scaling does, if the net has it, to rows × n_outputs: z ← (z − offset) ⊙ scale, y ← y ⊘ scale + offset, δ ← δ ⊘ scale. */
void bp_net_scale_targets_f32(const bp_net *net, size_t rows, float *target);
void bp_net_scale_targets_f64(const bp_net *net, size_t rows, double *target);
void bp_net_unscale_outputs_f32(const bp_net *net, size_t rows, float *y);
void bp_net_unscale_outputs_f64(const bp_net *net, size_t rows, double *y);
void bp_net_unscale_delta_f32(const bp_net *net, size_t rows, float *delta);
void bp_net_unscale_delta_f64(const bp_net *net, size_t rows, double *delta);

/* Ends what net/labels.c keeps, and makes copies of another net's; false without memory. */
void bp_net_release_labels(bp_net *net);
bool bp_net_copy_labels(bp_net *copy, const bp_net *net);

#endif
