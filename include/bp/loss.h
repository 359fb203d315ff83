/**
 * Losses of an output y against a target z. The loss of a sample is the sum over its outputs; the loss of a batch is the mean over its
 * samples. The error signal is δ = −∂L/∂y.
 */
#ifndef BP_LOSS_H
#define BP_LOSS_H

#include "bp/export.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What training makes small. */
typedef enum bp_loss {
    BP_LOSS_MSE = 0,                  /**< ½ Σ (z − y)², so that δ = z − y */
    BP_LOSS_MAE = 1,                  /**< Σ |z − y|; δ is 0 where z = y */
    BP_LOSS_HUBER = 2,                /**< Σ ½ d² where |d| ≤ 1, else |d| − ½, with d = z − y (Huber 1964, threshold 1) */
    BP_LOSS_BINARY_CROSS_ENTROPY = 3, /**< −Σ z ln y + (1 − z) ln(1 − y), z in [0, 1]; needs sigmoid outputs; computed from e */
    BP_LOSS_CROSS_ENTROPY = 4         /**< −Σ z ln y, z a distribution (one-hot for classes); needs a softmax output; from e */
} bp_loss;

/** "mse", "mae", "huber", "binary_cross_entropy", "cross_entropy"; NULL for a value that is no loss. Static text. Thread-safe. */
BP_API const char *bp_loss_name(bp_loss loss);

/** The loss whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_loss_from_name(const char *name, bp_loss *loss);

#ifdef __cplusplus
}
#endif

#endif
