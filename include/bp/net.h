/**
 * A feed-forward network of dense layers: build it, look into it, run it, differentiate it.
 *
 *     bp_net_create(&net, BP_F32, 64);                            // 64 inputs
 *     bp_net_add_dense(net, 32, BP_ACTIVATION_TANH, 1);           // 32 hidden units with bias
 *     bp_net_add_dense(net, 10, BP_ACTIVATION_SOFTMAX, 1);
 *     bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 42);  // seed 42; the shape is fixed from here
 *     bp_workspace_create(&ws, net, 32);                          // batches up to 32
 *     bp_net_predict_f32(net, ws, n, x, y);
 *
 * The parameters θ of a net are one vector: for each layer in order W row-major (n_outputs × n_inputs), then b if the layer has a bias,
 * without padding. Gradients have the same order.
 *
 * Common errors of the calls that take a net and a workspace: BP_ERROR_ARGUMENT (NULL, batch 0 or above the workspace's largest),
 * BP_ERROR_DTYPE (element type of the other kind), BP_ERROR_STATE (net not initialized, workspace of another net).
 */
#ifndef BP_NET_H
#define BP_NET_H

#include "bp/activation.h"
#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/initializer.h"
#include "bp/layer.h"
#include "bp/loss.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A network of dense layers. */
typedef struct bp_net bp_net;
/** The buffers for working with a net: workspace.h. */
typedef struct bp_workspace bp_workspace;

/** How the error signal goes from a layer to the one before. With g = δ ⊙ f′(e), the weights move by η g xᵀ under both. */
typedef enum bp_rule {
    BP_RULE_GRADIENT = 0, /**< δ_prev = Wᵀ g: the gradient of the loss (Rumelhart, Hinton, Williams 1986); the default */
    /** δ_prev = Wᵀ δ: the tutorial rule. A layer moves by the gradient only if all layers behind it have f′ = 1. */
    BP_RULE_ERROR_SIGNAL = 1
} bp_rule;

/** "gradient" or "error_signal"; NULL for a value that is no rule. Static text. Thread-safe. */
BP_API const char *bp_rule_name(bp_rule rule);

/** The rule whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_rule_from_name(const char *name, bp_rule *rule);

/* ---- build ---- */

/**
 * Makes a net without layers. n_inputs is 1 … 2³⁰.
 * Returns BP_ERROR_ARGUMENT (net is NULL, unknown dtype, n_inputs out of range), BP_ERROR_MEMORY. The caller destroys the net.
 */
BP_API bp_status bp_net_create(bp_net **net, bp_dtype dtype, size_t n_inputs);

/**
 * Adds a layer of n_units (1 … 2³⁰) behind the last one; bias is 0 or 1. Softmax is for the last layer: nothing can follow it.
 * Returns BP_ERROR_ARGUMENT (NULL, n_units out of range, unknown activation, bias not 0 or 1, a product of sizes too large),
 * BP_ERROR_STATE (the net is initialized), BP_ERROR_UNSUPPORTED (the last layer is softmax), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_add_dense(bp_net *net, size_t n_units, bp_activation activation, int bias);

/**
 * Draws the weights (initializer.h), sets biases to 0 and fixes the net's shape. Called again it draws new weights; workspaces and
 * optimizers stay valid.
 * Returns BP_ERROR_ARGUMENT (NULL, unknown initializer), BP_ERROR_STATE (the net has no layer), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_initialize(bp_net *net, bp_initializer initializer, uint64_t seed);

/** Chooses the propagation rule. Returns BP_ERROR_ARGUMENT (NULL, unknown rule). */
BP_API bp_status bp_net_set_rule(bp_net *net, bp_rule rule);

/**
 * From now on the first layer sees (x − offset) ⊙ scale instead of x. offset and scale have n_inputs elements and are copied; both
 * NULL removes the scaling. bp_dataset_fit_scaling computes them.
 * Returns BP_ERROR_ARGUMENT (net NULL, only one of the two NULL), BP_ERROR_DTYPE, BP_ERROR_NONFINITE, BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_set_input_scaling_f32(bp_net *net, const float *offset, const float *scale);
BP_API bp_status bp_net_set_input_scaling_f64(bp_net *net, const double *offset, const double *scale);

/** Copies the scaling out, n_inputs elements each: 0 and 1 where none is set. Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE. Read-only. */
BP_API bp_status bp_net_get_input_scaling_f32(const bp_net *net, float *offset, float *scale);
BP_API bp_status bp_net_get_input_scaling_f64(const bp_net *net, double *offset, double *scale);

/**
 * From now on the last layer learns (z − offset) ⊙ scale of a target z, and the net answers y ⊘ scale + offset: bp_net_forward, bp_net_predict and
 * bp_net_backward have outputs in the units of the targets, as have metrics; a loss, and the gradient that comes with it, is of the scaled numbers.
 * offset and scale have n_outputs elements and are copied; both NULL removes the scaling. bp_dataset_fit_target_scaling computes them. With it there
 * is no training by the cross-entropies, whose targets are probabilities.
 * Returns BP_ERROR_ARGUMENT (net NULL, only one of the two NULL, a scale whose inverse is not finite, as of 0), BP_ERROR_DTYPE, BP_ERROR_STATE (the
 * net is not initialized), BP_ERROR_NONFINITE, BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_set_output_scaling_f32(bp_net *net, const float *offset, const float *scale);
BP_API bp_status bp_net_set_output_scaling_f64(bp_net *net, const double *offset, const double *scale);

/** Copies the scaling out, n_outputs elements each: 0 and 1 where none is set. Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE. Read-only. */
BP_API bp_status bp_net_get_output_scaling_f32(const bp_net *net, float *offset, float *scale);
BP_API bp_status bp_net_get_output_scaling_f64(const bp_net *net, double *offset, double *scale);

/* ---- what training does with it; forward, predict, backward and gradient know nothing of dropout and noise ---- */

/**
 * In a training step each output of layer index, which is not the last, becomes 0 with this probability, 0 to 0.99, and is else divided by
 * 1 − probability (Srivastava et al. 2014, inverted); 0: off. What is dropped depends on the optimizer's seed and the number of the step alone, not
 * on threads. Workspaces made before a layer had dropout refuse to train with it.
 * Returns BP_ERROR_ARGUMENT (NULL, index or probability out of range), BP_ERROR_STATE (the net is not initialized), BP_ERROR_UNSUPPORTED (the last
 * layer).
 */
BP_API bp_status bp_net_set_dropout(bp_net *net, size_t index, double probability);

/**
 * In a training step the first layer sees its x, scaled, with normal noise of this deviation added (Sietsma, Dow 1991), 0 or more and finite in f32;
 * 0: off. The noise depends on the optimizer's seed and the number of the step alone. Returns BP_ERROR_ARGUMENT (NULL, out of range).
 */
BP_API bp_status bp_net_set_input_noise(bp_net *net, double deviation);

/**
 * 1: layer index stays as it is in every training step and bp_optimizer_step, and its part of a gradient is 0; nothing is computed for the layers
 * below the lowest one that is not frozen. 0: it learns again. Set one between steps, not within bp_trainer_run.
 * Returns BP_ERROR_ARGUMENT (NULL, index out of range, frozen not 0 or 1), BP_ERROR_STATE (the net is not initialized).
 */
BP_API bp_status bp_net_set_frozen(bp_net *net, size_t index, int frozen);

BP_API double bp_net_dropout(const bp_net *net, size_t index); /**< 0 for NULL or no such layer. Read-only */
BP_API double bp_net_input_noise(const bp_net *net);           /**< 0 for NULL. Read-only */
BP_API int bp_net_is_frozen(const bp_net *net, size_t index);  /**< 1 or 0. Read-only */

/* ---- what it is for: texts that are kept with the net, and in its files ---- */

/**
 * Names of the inputs, n_inputs texts in UTF-8; copied. NULL: none. Returns BP_ERROR_ARGUMENT (NULL, a text that is no UTF-8, named by its index),
 * BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_set_input_names(bp_net *net, const char *const *names);

/**
 * Names of the classes that the outputs stand for, n_classes texts in UTF-8; copied. n_classes is the number of outputs, or 2 with one output;
 * 0: none. Returns BP_ERROR_ARGUMENT (NULL, another number, a text that is no UTF-8), BP_ERROR_STATE (the net is not initialized), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_set_class_names(bp_net *net, size_t n_classes, const char *const *names);

/**
 * Keeps a text under a key, both in UTF-8 and copied; a NULL value removes it. Keys are the caller's own, at most 4096 of them.
 * Returns BP_ERROR_ARGUMENT (NULL net or key, an empty key, a text that is no UTF-8, too many keys), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_net_set_metadata(bp_net *net, const char *key, const char *value);

/** What was set. The texts are the net's, until they are set again. NULL or 0 where there is none. Read-only. */
BP_API const char *bp_net_input_name(const bp_net *net, size_t index);
BP_API size_t bp_net_class_count(const bp_net *net);
BP_API const char *bp_net_class_name(const bp_net *net, size_t index);
BP_API size_t bp_net_metadata_count(const bp_net *net);
BP_API const char *bp_net_metadata_key(const bp_net *net, size_t index); /**< in the order in which they were first set */
BP_API const char *bp_net_metadata(const bp_net *net, const char *key);

/* ---- copy ---- */

/**
 * Makes an independent copy: layers, rule, scaling of inputs and outputs, names and metadata, what training does with it and, if the net is
 * initialized, parameters.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_MEMORY. Read-only on net. The caller destroys the copy.
 */
BP_API bp_status bp_net_clone(bp_net **copy, const bp_net *net);

/**
 * Copies all parameters from one initialized net into another of the same dtype, layer widths and biases: train one net and serve from
 * its clone. Activations, rule and scaling stay as they are.
 * Returns BP_ERROR_ARGUMENT (NULL, shapes that differ), BP_ERROR_DTYPE, BP_ERROR_STATE (one is not initialized). Read-only on source;
 * destination is not to be in use by another thread during the copy.
 */
BP_API bp_status bp_net_copy_parameters(bp_net *destination, const bp_net *source);

/** Ends the net; borrowed layers end with it. NULL is allowed. */
BP_API void bp_net_destroy(bp_net *net);

/* ---- inspect (read-only; 0 for a NULL net) ---- */

/** What the net is; 0 for NULL. Read-only. */
BP_API bp_dtype bp_net_dtype(const bp_net *net);
BP_API bp_rule bp_net_rule(const bp_net *net);
BP_API int bp_net_is_initialized(const bp_net *net);     /**< 1 or 0 */
BP_API int bp_net_has_input_scaling(const bp_net *net);  /**< 1 or 0 */
BP_API int bp_net_has_output_scaling(const bp_net *net); /**< 1 or 0 */
BP_API size_t bp_net_input_count(const bp_net *net);     /**< n_inputs */
BP_API size_t bp_net_output_count(const bp_net *net);    /**< units of the last layer; n_inputs while there is none */
BP_API size_t bp_net_layer_count(const bp_net *net);
BP_API size_t bp_net_parameter_count(const bp_net *net); /**< elements of θ */

/**
 * Lends layer index, 0 … layer_count − 1: a handle for layer.h that ends with the net.
 * Returns BP_ERROR_ARGUMENT (NULL, index out of range).
 */
BP_API bp_status bp_net_layer(bp_net *net, size_t index, bp_layer **layer);

/** Copies θ out, parameter_count elements. Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE, BP_ERROR_STATE (not initialized). Read-only. */
BP_API bp_status bp_net_get_parameters_f32(const bp_net *net, float *theta);
BP_API bp_status bp_net_get_parameters_f64(const bp_net *net, double *theta);

/** Copies θ in. Returns the errors of bp_net_get_parameters, and BP_ERROR_NONFINITE for a NaN or infinity, named by its index. */
BP_API bp_status bp_net_set_parameters_f32(bp_net *net, const float *theta);
BP_API bp_status bp_net_set_parameters_f64(bp_net *net, const double *theta);

/* ---- run and differentiate (read-only on the net; the workspace is the caller's own) ---- */

/**
 * y = net(x) for a batch, keeping what bp_net_backward needs in ws. x: batch × n_inputs, y: batch × n_outputs.
 * Returns the common errors. NaN and infinity in x are not refused; they come out in y.
 */
BP_API bp_status bp_net_forward_f32(const bp_net *net, bp_workspace *ws, size_t batch, const float *x, float *y);
BP_API bp_status bp_net_forward_f64(const bp_net *net, bp_workspace *ws, size_t batch, const double *x, double *y);

/**
 * The vector-Jacobian product for the batch of the latest bp_net_forward on this workspace; it may be called again with other deltas.
 * delta: batch × n_outputs, the error signal −∂L/∂y of a loss of the caller's own.
 * gradient: parameter_count elements, receives +∂L/∂θ summed over the samples. delta_input: batch × n_inputs, receives −∂L/∂x. Either
 * may be NULL. delta_input may be delta if the net has as many inputs as outputs. Under BP_RULE_ERROR_SIGNAL both are what that rule gives.
 * Returns the common errors, BP_ERROR_STATE if no bp_net_forward came before on this workspace (other calls with the workspace take its
 * place), BP_ERROR_UNSUPPORTED for softmax under BP_RULE_ERROR_SIGNAL.
 */
BP_API bp_status bp_net_backward_f32(const bp_net *net, bp_workspace *ws, const float *delta, float *gradient, float *delta_input);
BP_API bp_status bp_net_backward_f64(const bp_net *net, bp_workspace *ws, const double *delta, double *gradient, double *delta_input);

/**
 * y = net(x) for any number n of samples, 0 as well, in pieces of the workspace's largest batch. x: n × n_inputs, y: n × n_outputs.
 * Returns the common errors.
 */
BP_API bp_status bp_net_predict_f32(const bp_net *net, bp_workspace *ws, size_t n, const float *x, float *y);
BP_API bp_status bp_net_predict_f64(const bp_net *net, bp_workspace *ws, size_t n, const double *x, double *y);

/**
 * Mean loss over a batch, and its gradient. x: batch × n_inputs, target: batch × n_outputs, in the data's units also where the net has output
 * scaling, which both are then of; gradient: parameter_count elements, +∂L/∂θ; mean_loss: one element. Either output may be NULL.
 * Returns the common errors, BP_ERROR_UNSUPPORTED (a loss that does not fit the output activation or scaling; softmax under
 * BP_RULE_ERROR_SIGNAL), BP_ERROR_NONFINITE (an input, the loss or the error signal is NaN or infinite).
 */
BP_API bp_status bp_net_gradient_f32(const bp_net *net, bp_workspace *ws, bp_loss loss, size_t batch, const float *x, const float *target,
                                     float *gradient, float *mean_loss);
BP_API bp_status bp_net_gradient_f64(const bp_net *net, bp_workspace *ws, bp_loss loss, size_t batch, const double *x, const double *target,
                                     double *gradient, double *mean_loss);

#ifdef __cplusplus
}
#endif

#endif
