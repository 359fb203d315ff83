/* Copies between θ's order (W row-major without padding, then b) and a layer's storage. */
#ifndef BP_NET_PARAMETERS_H
#define BP_NET_PARAMETERS_H

#include "core/nonfinite.h"
#include "core/real.h"
#include "net/layer.h"

/*
 * Zeros behind the end of each row, as kernels need them, for new weights: where old ones grew beyond the type's range, an update has left NaN
 * there, infinity × 0.
 */
void REAL(bp_layer_clear_padding)(bp_layer *layer);

/* W: n_outputs × n_inputs, packed. */
void REAL(bp_layer_load_weights)(bp_layer *layer, const real *W);
void REAL(bp_layer_store_weights)(const bp_layer *layer, real *W);

#endif
