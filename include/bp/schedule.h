/**
 * How the learning rate changes while training goes on. A schedule computes the rate from a base rate and the epoch; a plateau schedule
 * also from the losses that it is shown. It belongs to nobody: ask it for the rate and give that to an optimizer.
 *
 *     bp_schedule_create(&schedule, BP_SCHEDULE_COSINE);
 *     bp_schedule_set(schedule, BP_SCHEDULE_PERIOD, 50);
 *     bp_schedule_set(schedule, BP_SCHEDULE_WARM_UP, 2);
 *     bp_schedule_learning_rate(schedule, 0.1, epoch + (double)batch / n_batches, &rate);
 *     bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, rate);
 *
 * η₀ is the base rate, t the epoch: epochs count from 0, and a fraction is the place within one. The rates are those of
 * torch.optim.lr_scheduler where the comments name a class of it.
 */
#ifndef BP_SCHEDULE_H
#define BP_SCHEDULE_H

#include "bp/export.h"
#include "bp/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A learning rate that changes by the epoch. */
typedef struct bp_schedule bp_schedule;

/** The formula of the rate. */
typedef enum bp_schedule_kind {
    BP_SCHEDULE_CONSTANT = 0,    /**< η₀ */
    BP_SCHEDULE_STEP = 1,        /**< η₀ factor^⌊⌊t⌋ / period⌋ (StepLR) */
    BP_SCHEDULE_EXPONENTIAL = 2, /**< η₀ factor^⌊t⌋ (ExponentialLR) */
    /**
     * minimum + (η₀ − minimum) (1 + cos(π s / p)) / 2, s epochs into a period of p; each period is period_factor times as long as the one
     * before (Loshchilov, Hutter 2017, "SGDR"; CosineAnnealingWarmRestarts). To end without a restart, train for warm_up + period.
     */
    BP_SCHEDULE_COSINE = 3,
    /**
     * From η₀ / divisor to η₀ in the first part, rise, of the period, then to η₀ / divisor / final_divisor in the rest, both along half a
     * cosine (Smith 2018, "A disciplined approach"; OneCycleLR, whose N steps 0 … N − 1 with pct_start p are a period of N − 1 with a rise
     * of (p N − 1) / (N − 1)). After the period the rate stays at its last.
     */
    BP_SCHEDULE_ONE_CYCLE = 4,
    /**
     * η₀ factorⁿ, at least minimum: n grows by 1 when more than patience epochs one after the other have not improved on the best value
     * observed; after that none of cooldown epochs counts (ReduceLROnPlateau with mode "min", threshold_mode "rel", eps 0).
     */
    BP_SCHEDULE_PLATEAU = 5
} bp_schedule_kind;

/** "constant", "step", "exponential", "cosine", "one_cycle", "plateau"; NULL for a value that is no kind. Static text. Thread-safe. */
BP_API const char *bp_schedule_kind_name(bp_schedule_kind kind);

/** The kind whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_schedule_kind_from_name(const char *name, bp_schedule_kind *kind);

/** Behind each setting: the kinds that have it, its range, and what it is unless set. */
typedef enum bp_schedule_setting {
    BP_SCHEDULE_FACTOR = 0, /**< step, exponential, plateau; 0 to 1; 0.1, of exponential 0.95 */
    BP_SCHEDULE_PERIOD = 1, /**< step, cosine, one-cycle; epochs, 1e−6 to 1e9; 30, 10, 10 */
    /**
     * Constant, step, exponential, cosine; epochs, 0 to 1e9; 0. At first the rate grows linearly from η₀ / divisor to η₀ (Goyal et al.
     * 2017); the t of the formulas counts from the end of that.
     */
    BP_SCHEDULE_WARM_UP = 2,
    BP_SCHEDULE_PERIOD_FACTOR = 3, /**< cosine; a whole number, 1 to 1000; 1 */
    /** Cosine, plateau; a learning rate (PyTorch's eta_min, min_lr), 0 or more and finite; 0. Where η₀ is less, the rate is η₀. */
    BP_SCHEDULE_MINIMUM = 4,
    BP_SCHEDULE_PATIENCE = 5,      /**< plateau; epochs, a whole number, 0 to 1e9; 10 */
    BP_SCHEDULE_THRESHOLD = 6,     /**< plateau; 0 to 0.99; 1e−4. A value v improves on the best b if v < b − threshold |b| */
    BP_SCHEDULE_DIVISOR = 7,       /**< one-cycle, and those with warm_up; 1 to 1e12; 25 */
    BP_SCHEDULE_FINAL_DIVISOR = 8, /**< one-cycle; 1 to 1e12; 1e4 */
    BP_SCHEDULE_RISE = 9,          /**< one-cycle; 0 to 1; 0.3 */
    BP_SCHEDULE_COOLDOWN = 10      /**< plateau; epochs, a whole number, 0 to 1e9; 0 */
} bp_schedule_setting;

/** "factor", "period", …; NULL for a value that is no setting. Static text. Thread-safe. */
BP_API const char *bp_schedule_setting_name(bp_schedule_setting setting);

/** The setting whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_schedule_setting_from_name(const char *name, bp_schedule_setting *setting);

/** Makes a schedule. Returns BP_ERROR_ARGUMENT (NULL, unknown kind), BP_ERROR_MEMORY. The caller destroys it. */
BP_API bp_status bp_schedule_create(bp_schedule **schedule, bp_schedule_kind kind);

/** Ends the schedule; NULL is allowed. */
BP_API void bp_schedule_destroy(bp_schedule *schedule);

/** The schedule's kind; BP_SCHEDULE_CONSTANT for NULL. Read-only. */
BP_API bp_schedule_kind bp_schedule_get_kind(const bp_schedule *schedule);

/**
 * Changes a setting. Returns BP_ERROR_ARGUMENT (NULL, unknown setting, value NaN, out of the setting's range, or not whole where it is to
 * be), BP_ERROR_UNSUPPORTED (a setting that the kind has not).
 */
BP_API bp_status bp_schedule_set(bp_schedule *schedule, bp_schedule_setting setting, double value);

/** Reads a setting. Returns BP_ERROR_ARGUMENT (NULL, unknown setting), BP_ERROR_UNSUPPORTED (as above). Read-only. */
BP_API bp_status bp_schedule_get(const bp_schedule *schedule, bp_schedule_setting setting, double *value);

/**
 * The learning rate at an epoch, which may be asked for in any order. base_rate and epoch are 0 or more and finite.
 * Returns BP_ERROR_ARGUMENT (NULL, base_rate or epoch out of range). Read-only.
 */
BP_API bp_status bp_schedule_learning_rate(const bp_schedule *schedule, double base_rate, double epoch, double *rate);

/**
 * At an epoch's end, what a plateau schedule watches: a loss, lower is better. Other kinds pass it over. Infinity counts as no improvement.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_NONFINITE (value is NaN).
 */
BP_API bp_status bp_schedule_observe(bp_schedule *schedule, double value);

#ifdef __cplusplus
}
#endif

#endif
