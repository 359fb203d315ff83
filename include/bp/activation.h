/**
 * Activation functions y = f(e), for any finite e without NaN, and without overflow unless y itself is beyond the type (SELU of its greatest
 * numbers). NaN goes through: f(NaN) is NaN.
 */
#ifndef BP_ACTIVATION_H
#define BP_ACTIVATION_H

#include "bp/export.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a layer makes of its weighted sums. */
typedef enum bp_activation {
    BP_ACTIVATION_IDENTITY = 0,   /**< e */
    BP_ACTIVATION_SIGMOID = 1,    /**< 1 / (1 + exp(−e)) */
    BP_ACTIVATION_TANH = 2,       /**< tanh(e) */
    BP_ACTIVATION_RELU = 3,       /**< max(0, e); f′(0) = 0 (Nair, Hinton 2010) */
    BP_ACTIVATION_LEAKY_RELU = 4, /**< e above 0, 0.01 e below; f′(0) = 0.01 (Maas, Hannun, Ng 2013) */
    BP_ACTIVATION_ELU = 5,        /**< e above 0, exp(e) − 1 below; f′(0) = 1 (Clevert, Unterthiner, Hochreiter 2016, alpha 1) */
    BP_ACTIVATION_SELU = 6,       /**< 1.0507… e above 0, 1.0507… × 1.6732… (exp(e) − 1) below (Klambauer et al. 2017) */
    BP_ACTIVATION_GELU = 7,       /**< e Φ(e) with the normal distribution function by erf, no tanh formula (Hendrycks, Gimpel 2016) */
    BP_ACTIVATION_SILU = 8,       /**< e / (1 + exp(−e)) (Elfwing, Uchibe, Doya 2018) */
    BP_ACTIVATION_SOFTPLUS = 9,   /**< ln(1 + exp(e)) (Dugas et al. 2001) */
    BP_ACTIVATION_SOFTSIGN = 10,  /**< e / (1 + |e|) (Turian, Bergstra, Bengio 2009) */
    BP_ACTIVATION_GAUSSIAN = 11,  /**< exp(−e²) */
    BP_ACTIVATION_SINE = 12,      /**< sin(e) */
    BP_ACTIVATION_SOFTMAX = 13    /**< exp(e_i) / Σ exp(e_j) over the layer's outputs (Bridle 1990); output layer only */
} bp_activation;

/** "identity", "sigmoid", "leaky_relu", …; NULL for a value that is no activation. Static text. Thread-safe. */
BP_API const char *bp_activation_name(bp_activation activation);

/** The activation whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_activation_from_name(const char *name, bp_activation *activation);

#ifdef __cplusplus
}
#endif

#endif
