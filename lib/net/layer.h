/* A layer's storage. W's rows are padded with zeros to whole cache lines, so that each starts aligned. */
#ifndef BP_NET_LAYER_H
#define BP_NET_LAYER_H

#include "bp/layer.h"

#include "core/handle.h"

#include <stdbool.h>

/* Panels of a layer at the most. */
enum { BP_MAX_PANELS = 8 };

struct bp_layer {
    bp_handle handle;
    bp_dtype dtype;
    bp_activation activation;
    size_t n_inputs, n_outputs;
    size_t ld;         /* leading dimension: elements from one row of W to the next */
    size_t panel_rows; /* rows that one thread takes at a time, with one sample */
    bool has_bias;
    bool borrowed;  /* a net owns it */
    bool frozen;    /* training leaves it as it is */
    double dropout; /* the probability that an output is dropped in training */
    void *weights;  /* n_outputs × ld; NULL until there is storage */
    void *bias;     /* n_outputs, or NULL */
    void *g;        /* n_outputs, for bp_layer_update */
    size_t storage; /* elements of weights, bias and g together */
};

/* Makes a layer without storage: all of bp_layer_create's checks, in the name of function, which calls n_outputs as outputs says. */
bp_status bp_layer_shape(const char *function, const char *outputs, bp_layer **layer, bp_dtype dtype, size_t n_inputs, size_t n_outputs,
                         bp_activation activation, int bias);

/* Lays the layer out in memory of layer->storage zeroed, aligned elements. */
void bp_layer_place(bp_layer *layer, void *memory);

/* Elements of the layer in θ. */
size_t bp_layer_parameter_count(const bp_layer *layer);

#endif
