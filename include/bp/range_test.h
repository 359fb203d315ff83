/**
 * The learning-rate range test (Smith 2017, "Cyclical learning rates for training neural networks"): which rate to begin with.
 *
 *     double suggested;
 *     bp_learning_rate_range_test(net, opt, BP_LOSS_CROSS_ENTROPY, train, 32, 1e-5, 10, 100, 1, NULL, NULL, &suggested);
 */
#ifndef BP_RANGE_TEST_H
#define BP_RANGE_TEST_H

#include "bp/dataset.h"
#include "bp/export.h"
#include "bp/loss.h"
#include "bp/net.h"
#include "bp/optimizer.h"
#include "bp/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes n_steps train steps on a copy of the net, with a new optimizer of opt's method and settings, while the learning rate grows
 * geometrically from minimum to maximum. Each step has batch samples of an order shuffled by seed; samples that do not fill a batch are
 * left out of that round. The samples' weights do not count.
 *
 * rates[i] receives the rate of step i, losses[i] the smoothed loss before it: mᵢ / (1 − 0.9ⁱ⁺¹), mᵢ = 0.9 mᵢ₋₁ + 0.1 lossᵢ. The test ends
 * early when the smoothed loss is more than 4 times the least before it, or the loss is not finite; the losses of steps not made are NaN.
 * suggested receives a tenth of the rate at which the smoothed loss was least (both after Gugger 2018, "How do you find a good learning
 * rate"). Each of the three may be NULL.
 *
 * 0 < minimum < maximum, finite in the net's dtype; n_steps is 2 … 2³⁰, batch 1 … sample_count.
 * Returns BP_ERROR_ARGUMENT (NULL, a number out of range, a dataset that does not fit the net: as bp_net_evaluate), BP_ERROR_DTYPE (net and
 * dataset differ), BP_ERROR_STATE (the net is not initialized; an optimizer of another net), BP_ERROR_UNSUPPORTED (a loss that does not fit
 * the output activation; a method without a rate of this kind), BP_ERROR_NONFINITE (at the first step already), BP_ERROR_MEMORY.
 * Read-only on net, opt and dataset.
 */
BP_API bp_status bp_learning_rate_range_test(const bp_net *net, const bp_optimizer *opt, bp_loss loss, const bp_dataset *dataset,
                                             size_t batch, double minimum, double maximum, size_t n_steps, uint64_t seed, double *rates,
                                             double *losses, double *suggested);

#ifdef __cplusplus
}
#endif

#endif
