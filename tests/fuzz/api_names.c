/* Names of enum values, and errors. */
#include "fuzz/api.h"

#include <string.h>

/* A value has a name if and only if it is one, and the name leads back to it. */
#define CHECK_NAMES(value, type, prefix)                                                                                                   \
    do {                                                                                                                                   \
        type read = (type)0;                                                                                                               \
        const char *name = prefix##_name((type)(value));                                                                                   \
        UNTYPED(IF(!name, BP_ERROR_ARGUMENT), 0, prefix##_from_name, name, &read);                                                         \
        check(!name || read == (type)(value), "that a name leads back");                                                                   \
        UNTYPED(1u << BP_ERROR_ARGUMENT, 0, prefix##_from_name, name, NULL);                                                               \
    } while (0)

void call_names(void)
{
    int value = take_enum(0, 18);
    CHECK_NAMES(value, bp_status, bp_status);
    CHECK_NAMES(value, bp_dtype, bp_dtype);
    CHECK_NAMES(value, bp_activation, bp_activation);
    CHECK_NAMES(value, bp_loss, bp_loss);
    CHECK_NAMES(value, bp_initializer, bp_initializer);
    CHECK_NAMES(value, bp_rule, bp_rule);
    CHECK_NAMES(value, bp_method, bp_method);
    CHECK_NAMES(value, bp_optimizer_setting, bp_optimizer_setting);
    CHECK_NAMES(value, bp_trainer_setting, bp_trainer_setting);
    CHECK_NAMES(value, bp_schedule_kind, bp_schedule_kind);
    CHECK_NAMES(value, bp_schedule_setting, bp_schedule_setting);
    CHECK_NAMES(value, bp_scaling, bp_scaling);
    CHECK_NAMES(value, bp_metric, bp_metric);
    CHECK_NAMES(value, bp_stop, bp_stop);
    CHECK_NAMES(value, bp_history, bp_history);
    check(bp_status_string((bp_status)value) && bp_kernel_name() && bp_version(), "that there are words for all");
    bp_activation activation;
    unsigned text = take();
    const char *unknown = text_at(text);
    UNTYPED(1u << BP_ERROR_ARGUMENT, 0, bp_activation_from_name, unknown, &activation);
    size_t n = take() % 20, permutation[20], seen = 0;
    uint64_t seed = take_seed(), stream = take();
    UNTYPED(0, 0, bp_random_permutation, seed, stream, n, permutation);
    for (size_t i = 0; i < n; i++) {
        seen |= (size_t)1 << permutation[i];
    }
    check(seen == ((size_t)1 << n) - 1, "that a permutation has each number");
}
