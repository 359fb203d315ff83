/**
 * An optimization method: it turns gradients into new parameters. It is made for one net and keeps whatever state the method needs.
 *
 *     bp_optimizer_create(&opt, BP_METHOD_SGD, net);
 *     bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, 0.1);
 *     bp_net_train_step_f32(net, ws, opt, BP_LOSS_MSE, batch, x, target, &loss);
 *
 * A step first makes the gradient g = ∂L/∂θ what the settings ask for, in this order: each element is held to ±BP_OPTIMIZER_CLIP_VALUE, the
 * whole is scaled down to the 2-norm BP_OPTIMIZER_CLIP_NORM, then BP_OPTIMIZER_WEIGHT_DECAY and BP_OPTIMIZER_L1_PENALTY are added. Then the
 * method moves θ by its formula. Formulas, defaults and where ε stands are those of PyTorch, where it has the method.
 */
#ifndef BP_OPTIMIZER_H
#define BP_OPTIMIZER_H

#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A method, its settings and its state. */
typedef struct bp_optimizer bp_optimizer;

/** How parameters are moved by a gradient. */
typedef enum bp_method {
    BP_METHOD_SGD = 0, /**< θ ← θ − η g: stochastic gradient descent (Robbins, Monro 1951) */
    BP_METHOD_MOMENTUM = 1, /**< v ← μ v + g, θ ← θ − η v (Polyak 1964). PyTorch's form, in which η multiplies v; Polyak's v has η in it */
    /** v ← μ v + g, θ ← θ − η (g + μ v) (Nesterov 1983; Sutskever et al. 2013). PyTorch's form: θ stands for the paper's θ + μ v, where the
        gradient is taken, and η multiplies v */
    BP_METHOD_NESTEROV = 2,
    /** s ← s + g², θ ← θ − η g / (√s + ε) (Duchi, Hazan, Singer 2011, diagonal form; the paper's δ is ε) */
    BP_METHOD_ADAGRAD = 3,
    /** v ← β₂ v + (1 − β₂) g², θ ← θ − η g / (√v + ε) (Tieleman, Hinton 2012, lecture 6.5, which has no ε). PyTorch calls β₂ alpha */
    BP_METHOD_RMSPROP = 4,
    BP_METHOD_ADAM = 5, /**< m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ),
                             v̂ = v / (1 − β₂ᵗ) at step t (Kingma, Ba 2015, algorithm 1) */
    /** θ ← θ (1 − η λ) with λ = BP_OPTIMIZER_WEIGHT_DECAY, which g is without; then Adam (Loshchilov, Hutter 2019, algorithm 2). PyTorch's
        form: the paper's decay is not multiplied by α, only by the schedule η */
    BP_METHOD_ADAMW = 6,
    /**
     * Each element has a step Δ of its own, η before the first: Δ ← 1.2 Δ if g has the sign that it had, 0.5 Δ and g ← 0 if the other one,
     * held to BP_OPTIMIZER_MINIMUM_STEP … MAXIMUM_STEP; θ ← θ − Δ sign g (Igel, Hüsken 2000, iRPROP−; torch.optim.Rprop). For the gradient
     * of a whole training set: those of small batches change their signs by chance.
     */
    BP_METHOD_IRPROP_MINUS = 7,
    /**
     * Limited-memory BFGS (Nocedal 1980; Liu, Nocedal 1989) through liblbfgs, with a backtracking line search to the Wolfe conditions. A
     * step of bp_net_train_step minimizes L + ½ λ ‖θ‖² of its batch in up to BP_OPTIMIZER_ITERATIONS iterations, from nothing but θ: no
     * state goes from step to step. So its batch is the whole training set. θ ends at the best point that was evaluated. PyTorch has no
     * line search unless asked, and keeps its pairs from step to step.
     */
    BP_METHOD_LBFGS = 8,
    BP_METHOD_CUSTOM = 9 /**< what a function of the caller's own does: bp_optimizer_create_custom_f32 */
} bp_method;

/** "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "irprop_minus", "lbfgs", "custom"; NULL for a value that is no
    method. Static text. Thread-safe. */
BP_API const char *bp_method_name(bp_method method);

/** The method whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_method_from_name(const char *name, bp_method *method);

/** Values are finite in the net's dtype. "below 1" is meant also of the value rounded to it. */
typedef enum bp_optimizer_setting {
    /** η, 0 or more; unless set 0.01, of Adam and AdamW 0.001. Every method but L-BFGS; of iRPROP− the first Δ of each element */
    BP_OPTIMIZER_LEARNING_RATE = 0,
    BP_OPTIMIZER_MOMENTUM = 1, /**< μ of momentum and Nesterov, 0 or more and below 1; 0.9 unless set */
    BP_OPTIMIZER_BETA1 = 2,    /**< β₁ of Adam and AdamW, likewise; 0.9 unless set */
    BP_OPTIMIZER_BETA2 = 3,    /**< β₂ of Adam, AdamW and RMSprop, likewise; 0.999 unless set, of RMSprop 0.99 */
    BP_OPTIMIZER_EPSILON = 4,  /**< ε of Adagrad, RMSprop, Adam and AdamW, 1e−30 to 1; 1e−8 unless set, of Adagrad 1e−10 */
    /** λ, 0 or more: g + λ θ takes the place of g, and AdamW and L-BFGS do as is said there. Every method; 0 unless set, of AdamW 0.01 */
    BP_OPTIMIZER_WEIGHT_DECAY = 5,
    /** λ₁, 0 or more: g + λ₁ sign θ takes the place of g, where sign 0 = 0, a subgradient of λ₁ ‖θ‖₁. Every method but L-BFGS;
        0 unless set */
    BP_OPTIMIZER_L1_PENALTY = 6,
    BP_OPTIMIZER_BIAS_DECAY = 7, /**< 1: decay and L1 penalty are of weights and biases, as in PyTorch; 0: of weights alone. 1 unless set */
    /** c, 0 or more: each element of g is held to −c … c; 0, which is off, unless set. Every method but L-BFGS */
    BP_OPTIMIZER_CLIP_VALUE = 8,
    /** c, 0 or more: g ← g min(1, c / (‖g‖ + 1e−6)), g of all layers together (Pascanu, Mikolov, Bengio 2013; torch.nn.utils.clip_grad_norm_,
        from which the 1e−6 is); 0, which is off, unless set. Every method but L-BFGS */
    BP_OPTIMIZER_CLIP_NORM = 9,
    BP_OPTIMIZER_INCREASE_FACTOR = 10, /**< of iRPROP−'s Δ, 1 to 100; 1.2 unless set */
    BP_OPTIMIZER_DECREASE_FACTOR = 11, /**< of iRPROP−'s Δ, 0 or more and below 1; 0.5 unless set */
    BP_OPTIMIZER_MINIMUM_STEP = 12,    /**< of iRPROP−'s Δ, 1e−30 to the maximum step; 1e−6 unless set */
    BP_OPTIMIZER_MAXIMUM_STEP = 13,    /**< of iRPROP−'s Δ, from the minimum step on; 50 unless set */
    BP_OPTIMIZER_ITERATIONS = 14,      /**< of L-BFGS in a step, whole, 1 to 1e6; 20 unless set */
    /** of L-BFGS, pairs (s, y) that are kept, whole, 1 to 1000; 100 unless set. More than there are iterations do nothing */
    BP_OPTIMIZER_HISTORY = 15
} bp_optimizer_setting;

/** "learning_rate", "momentum", …; NULL for a value that is no setting. Static text. Thread-safe. */
BP_API const char *bp_optimizer_setting_name(bp_optimizer_setting setting);

/** The setting whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_optimizer_setting_from_name(const char *name, bp_optimizer_setting *setting);

/**
 * Makes an optimizer for this net and no other. It takes memory for this many times the net's parameters: SGD 0, momentum, Nesterov,
 * Adagrad, RMSprop, L-BFGS 2, Adam, AdamW, iRPROP− 3. Returns BP_ERROR_ARGUMENT (NULL, unknown method), BP_ERROR_STATE (the net is not
 * initialized), BP_ERROR_UNSUPPORTED (BP_METHOD_CUSTOM, which needs a function; L-BFGS in a build without liblbfgs, or for more than 2³¹ −
 * 1 parameters), BP_ERROR_MEMORY. The caller destroys it; the net may be destroyed first.
 */
BP_API bp_status bp_optimizer_create(bp_optimizer **opt, bp_method method, const bp_net *net);

/**
 * A method of the caller's own: moves theta, n elements, by gradient; both are packed in the order of net.h, and are the library's copies.
 * state: n_state elements that only this function writes, 0 before the first step, and kept. step counts from 1. Clipping, weight decay and
 * L1 penalty are in the gradient already; learning_rate is the setting.
 * Returns 0; anything else says that the step has failed: then the net stays as it was, and the state as the function left it.
 * It is called in the middle of a training step, on the thread that called the library, and is not to use this net, its workspaces or this
 * optimizer.
 */
typedef int bp_optimizer_function_f32(void *context, uint64_t step, double learning_rate, size_t n, float *theta, const float *gradient,
                                      size_t n_state, float *state);
typedef int bp_optimizer_function_f64(void *context, uint64_t step, double learning_rate, size_t n, double *theta, const double *gradient,
                                      size_t n_state, double *state);

/**
 * Makes an optimizer of BP_METHOD_CUSTOM, to be used as any other. context is handed to function and may be NULL; n_state may be 0. It
 * takes memory for n_state elements and 3 times the net's parameters. A step fails with BP_ERROR_STATE where the function returned not 0,
 * and with BP_ERROR_NONFINITE where a parameter that it gave is NaN or infinite; the net is then as it was.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE, BP_ERROR_STATE (the net is not initialized), BP_ERROR_MEMORY. The caller destroys it.
 */
BP_API bp_status bp_optimizer_create_custom_f32(bp_optimizer **opt, const bp_net *net, size_t n_state, bp_optimizer_function_f32 *function,
                                                void *context);
BP_API bp_status bp_optimizer_create_custom_f64(bp_optimizer **opt, const bp_net *net, size_t n_state, bp_optimizer_function_f64 *function,
                                                void *context);

/** Ends the optimizer; NULL is allowed. */
BP_API void bp_optimizer_destroy(bp_optimizer *opt);

/** The optimizer's method; BP_METHOD_SGD for NULL. Read-only. */
BP_API bp_method bp_optimizer_method(const bp_optimizer *opt);

/** Steps made so far, 0 for NULL. A step that failed is none. Read-only. */
BP_API uint64_t bp_optimizer_step_count(const bp_optimizer *opt);

/**
 * Changes a setting from the next step on. With decay, L1 penalty or clipping SGD needs room for a gradient, and takes memory for as many
 * elements as the net's parameters when the first of them is set; no step takes memory, but those of L-BFGS.
 * Returns BP_ERROR_ARGUMENT (NULL, unknown setting, value NaN, out of the setting's range, or not whole where the setting is),
 * BP_ERROR_UNSUPPORTED (a setting that the method has not), BP_ERROR_MEMORY.
 */
BP_API bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value);

/** Reads a setting. Returns BP_ERROR_ARGUMENT (NULL, unknown setting), BP_ERROR_UNSUPPORTED (as above). Read-only. */
BP_API bp_status bp_optimizer_get(const bp_optimizer *opt, bp_optimizer_setting setting, double *value);

/** Of the random numbers in training steps, which depend on this seed and the step count alone; 0 unless set. Returns BP_ERROR_ARGUMENT (NULL). */
BP_API bp_status bp_optimizer_set_seed(bp_optimizer *opt, uint64_t seed);

/** The seed, 0 for NULL. Read-only. */
BP_API uint64_t bp_optimizer_seed(const bp_optimizer *opt);

/**
 * One step with a gradient of the caller's own: parameter_count elements, +∂L/∂θ.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_DTYPE, BP_ERROR_STATE (an optimizer of another net; a custom method's function that failed),
 * BP_ERROR_UNSUPPORTED (L-BFGS, which evaluates the loss at points of its own choice), BP_ERROR_NONFINITE (a gradient with a NaN or
 * infinity, named by its index, or with clipping one whose 2-norm is beyond the type's range; parameters of a custom method).
 */
BP_API bp_status bp_optimizer_step_f32(bp_optimizer *opt, bp_net *net, const float *gradient);
BP_API bp_status bp_optimizer_step_f64(bp_optimizer *opt, bp_net *net, const double *gradient);

#ifdef __cplusplus
}
#endif

#endif
