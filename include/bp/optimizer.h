/**
 * An optimization method: it turns gradients into new parameters. It is made for one net and keeps whatever state the method needs.
 *
 *     bp_optimizer_create(&opt, BP_METHOD_SGD, net);
 *     bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, 0.1);
 *     bp_net_train_step_f32(net, ws, opt, BP_LOSS_MSE, batch, x, target, &loss);
 */
#ifndef BP_OPTIMIZER_H
#define BP_OPTIMIZER_H

#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_optimizer bp_optimizer;

typedef enum bp_method {
    BP_METHOD_SGD = 0,      /**< θ ← θ − η g, g = ∂L/∂θ: stochastic gradient descent (Robbins, Monro 1951) */
    BP_METHOD_MOMENTUM = 1, /**< v ← μ v + g, θ ← θ − η v (Polyak 1964) */
    BP_METHOD_ADAM = 5 /**< m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ),
                                 v̂ = v / (1 − β₂ᵗ) at step t (Kingma, Ba 2015, algorithm 1) */
} bp_method;

/** "sgd", "momentum", "adam"; NULL for a value that is no method. Static text. Thread-safe. */
BP_API const char *bp_method_name(bp_method method);

/** The method whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_method_from_name(const char *name, bp_method *method);

typedef enum bp_optimizer_setting {
    BP_OPTIMIZER_LEARNING_RATE = 0, /**< η, 0 or more and finite in the net's dtype; unless set 0.01, of Adam 0.001. Every method has it */
    BP_OPTIMIZER_MOMENTUM = 1,      /**< μ of momentum, 0 or more and below 1, also when rounded to the net's dtype; 0.9 unless set */
    BP_OPTIMIZER_BETA1 = 2,         /**< β₁ of Adam, likewise; 0.9 unless set */
    BP_OPTIMIZER_BETA2 = 3,         /**< β₂ of Adam, likewise; 0.999 unless set */
    BP_OPTIMIZER_EPSILON = 4        /**< ε of Adam, 1e−30 to 1; 1e−8 unless set */
} bp_optimizer_setting;

/** "learning_rate", "momentum", …; NULL for a value that is no setting. Static text. Thread-safe. */
BP_API const char *bp_optimizer_setting_name(bp_optimizer_setting setting);

/** The setting whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_optimizer_setting_from_name(const char *name, bp_optimizer_setting *setting);

/**
 * Makes an optimizer for this net and no other. It takes memory for 0 (SGD), 2 (momentum) or 3 (Adam) times the net's parameters. Returns BP_ERROR_ARGUMENT (NULL, unknown method), BP_ERROR_STATE (the net is not
 * initialized), BP_ERROR_MEMORY. The caller destroys it; the net may be destroyed first.
 */
BP_API bp_status bp_optimizer_create(bp_optimizer **opt, bp_method method, const bp_net *net);

/** Ends the optimizer; NULL is allowed. */
BP_API void bp_optimizer_destroy(bp_optimizer *opt);

/** The optimizer's method; BP_METHOD_SGD for NULL. Read-only. */
BP_API bp_method bp_optimizer_method(const bp_optimizer *opt);

/**
 * Changes a setting from the next step on. Returns BP_ERROR_ARGUMENT (NULL, unknown setting, value NaN or out of the setting's range),
 * BP_ERROR_UNSUPPORTED (a setting that the method has not).
 */
BP_API bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value);

/** Reads a setting. Returns BP_ERROR_ARGUMENT (NULL, unknown setting), BP_ERROR_UNSUPPORTED (as above). Read-only. */
BP_API bp_status bp_optimizer_get(const bp_optimizer *opt, bp_optimizer_setting setting, double *value);

/**
 * One step with a gradient of the caller's own: parameter_count elements, +∂L/∂θ.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE, BP_ERROR_STATE (an optimizer of another net), BP_ERROR_NONFINITE (a gradient with a NaN
 * or infinity, named by its index).
 */
BP_API bp_status bp_optimizer_step_f32(bp_optimizer *opt, bp_net *net, const float *gradient);
BP_API bp_status bp_optimizer_step_f64(bp_optimizer *opt, bp_net *net, const double *gradient);

#ifdef __cplusplus
}
#endif

#endif
