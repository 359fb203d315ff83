/**
 * How bp_net_initialize draws the weights of a layer with n_in inputs and n_out outputs. Biases start at 0.
 *
 * Weights come from the counter-based generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), keyed by the seed and counted by layer and
 * weight, so one seed gives the same bits on every machine; an f32 net's weights are an f64 net's, rounded.
 */
#ifndef BP_INITIALIZER_H
#define BP_INITIALIZER_H

#include "bp/export.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What the weights are drawn from. */
typedef enum bp_initializer {
    BP_INITIALIZER_ZEROS = 0,          /**< all 0: for weights that are set afterwards; hidden units that start alike stay alike */
    BP_INITIALIZER_UNIFORM = 1,        /**< uniform in ±1 / √n_in */
    BP_INITIALIZER_GLOROT_UNIFORM = 2, /**< uniform in ±√(6 / (n_in + n_out)): tanh, sigmoid (Glorot, Bengio 2010) */
    BP_INITIALIZER_GLOROT_NORMAL = 3,  /**< normal, deviation √(2 / (n_in + n_out)) (Glorot, Bengio 2010) */
    BP_INITIALIZER_HE_UNIFORM = 4,     /**< uniform in ±√(6 / n_in): ReLU and its family (He, Zhang, Ren, Sun 2015) */
    BP_INITIALIZER_HE_NORMAL = 5,      /**< normal, deviation √(2 / n_in) (He, Zhang, Ren, Sun 2015) */
    BP_INITIALIZER_LECUN_NORMAL = 6    /**< normal, deviation √(1 / n_in): SELU (LeCun, Bottou, Orr, Müller 1998) */
} bp_initializer;

/** "zeros", "uniform", "glorot_uniform", …; NULL for a value that is no initializer. Static text. Thread-safe. */
BP_API const char *bp_initializer_name(bp_initializer initializer);

/** The initializer whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_initializer_from_name(const char *name, bp_initializer *initializer);

#ifdef __cplusplus
}
#endif

#endif
