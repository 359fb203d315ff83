/**
 * One dense layer and its formulas, each a single BLAS operation. The caller holds every vector:
 *
 *     forward          e = W x + b, y = f(e)         GEMV
 *     local gradient   g = δ ⊙ f′(e)
 *     backward         δ_prev = Wᵀ δ                  GEMV, transposed (pass g instead of δ for the exact gradient)
 *     update           W ← W + η g xᵀ, b ← b + η g    GER
 *
 * W is n_outputs × n_inputs. Vectors: x and δ_prev n_inputs; e, y, δ, g, b n_outputs. A layer is made by bp_layer_create, or borrowed
 * from a net by bp_net_layer; the calls are the same.
 *
 *     bp_layer_create(&layer, BP_F32, 2, 3, BP_ACTIVATION_TANH, 1);
 *     bp_layer_set_weights_f32(layer, W, b);
 *     bp_layer_forward_f32(layer, x, e, y);
 *     bp_layer_update_f32(layer, 0.1f, delta, e, x);
 *     bp_layer_destroy(layer);
 *
 * Every call below returns BP_ERROR_ARGUMENT for a NULL pointer, BP_ERROR_DTYPE when the layer has the other element type, and
 * BP_ERROR_STATE for a borrowed layer whose net is not initialized yet.
 */
#ifndef BP_LAYER_H
#define BP_LAYER_H

#include "bp/activation.h"
#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A dense layer: W, b and an activation. */
typedef struct bp_layer bp_layer;

/**
 * Makes a layer with weights and bias 0. bias is 0 or 1; without bias e = W x.
 * n_inputs and n_outputs are 1 … 2³⁰. Softmax is allowed.
 * Returns BP_ERROR_ARGUMENT (layer is NULL, a size out of range or a product of sizes too large, unknown dtype or activation, bias not 0
 * or 1), BP_ERROR_MEMORY. The caller destroys the layer.
 */
BP_API bp_status bp_layer_create(bp_layer **layer, bp_dtype dtype, size_t n_inputs, size_t n_outputs, bp_activation activation, int bias);

/** Ends a layer that bp_layer_create made; NULL and layers borrowed from a net are left alone. */
BP_API void bp_layer_destroy(bp_layer *layer);

/** What the layer is. Read-only. For NULL: 0 (identity for the activation). */
BP_API bp_dtype bp_layer_dtype(const bp_layer *layer);
BP_API size_t bp_layer_input_count(const bp_layer *layer);
BP_API size_t bp_layer_output_count(const bp_layer *layer);
BP_API bp_activation bp_layer_activation(const bp_layer *layer);
BP_API int bp_layer_has_bias(const bp_layer *layer); /**< 1 or 0 */

/**
 * Copies W (n_outputs × n_inputs, row-major, packed) and b (n_outputs) into the layer; either may be NULL and is then left unchanged.
 * Returns also BP_ERROR_ARGUMENT for a b on a layer without bias, BP_ERROR_NONFINITE for a NaN or infinity (named by its index).
 */
BP_API bp_status bp_layer_set_weights_f32(bp_layer *layer, const float *W, const float *b);
BP_API bp_status bp_layer_set_weights_f64(bp_layer *layer, const double *W, const double *b);

/** Copies W and b out, same shapes; either may be NULL. Returns also BP_ERROR_ARGUMENT for a b on a layer without bias. Read-only. */
BP_API bp_status bp_layer_get_weights_f32(const bp_layer *layer, float *W, float *b);
BP_API bp_status bp_layer_get_weights_f64(const bp_layer *layer, double *W, double *b);

/** e = W x + b and y = f(e). y may be e, where e is not needed afterwards. Read-only. */
BP_API bp_status bp_layer_forward_f32(const bp_layer *layer, const float *x, float *e, float *y);
BP_API bp_status bp_layer_forward_f64(const bp_layer *layer, const double *x, double *e, double *y);

/** g = δ ⊙ f′(e); for softmax g = Jᵀδ with the Jacobian J of y by e. g may be delta. Read-only. */
BP_API bp_status bp_layer_local_gradient_f32(const bp_layer *layer, const float *delta, const float *e, float *g);
BP_API bp_status bp_layer_local_gradient_f64(const bp_layer *layer, const double *delta, const double *e, double *g);

/** delta_prev = Wᵀ delta. Read-only. */
BP_API bp_status bp_layer_backward_f32(const bp_layer *layer, const float *delta, float *delta_prev);
BP_API bp_status bp_layer_backward_f64(const bp_layer *layer, const double *delta, double *delta_prev);

/**
 * W ← W + eta g xᵀ and b ← b + eta g with g = δ ⊙ f′(e). Returns also BP_ERROR_ARGUMENT for an eta that is NaN or infinite.
 * The numbers in delta, e and x are taken as they come: a NaN there becomes a NaN in W.
 */
BP_API bp_status bp_layer_update_f32(bp_layer *layer, float eta, const float *delta, const float *e, const float *x);
BP_API bp_status bp_layer_update_f64(bp_layer *layer, double eta, const double *delta, const double *e, const double *x);

#ifdef __cplusplus
}
#endif

#endif
