/* Calls that have no failure to report: they take nothing from the system. */
#include "failures/flow.h"

#include <string.h>

/* Every value of an enum by its name. */
#define NAMES(kind)                                                                                                                        \
    static int count_##kind##_names(void)                                                                                                  \
    {                                                                                                                                      \
        int n = 0;                                                                                                                         \
        bp_##kind value;                                                                                                                   \
        for (const char *name; (name = bp_##kind##_name((bp_##kind)n)); n++) {                                                             \
            if (bp_##kind##_from_name(name, &value) != BP_OK || (int)value != n) {                                                         \
                return -1;                                                                                                                 \
            }                                                                                                                              \
        }                                                                                                                                  \
        return n;                                                                                                                          \
    }

NAMES(activation)
NAMES(csv_header)
NAMES(csv_missing)
NAMES(history)
NAMES(initializer)
NAMES(loss)
NAMES(method)
NAMES(metric)
NAMES(optimizer_setting)
NAMES(rule)
NAMES(scaling)
NAMES(schedule_kind)
NAMES(schedule_setting)
NAMES(status)
NAMES(stop)
NAMES(trainer_setting)

static const char name_calls[] =
    "bp_activation_name bp_activation_from_name bp_csv_header_name bp_csv_header_from_name bp_csv_missing_name bp_csv_missing_from_name "
    "bp_history_name bp_history_from_name bp_initializer_name bp_initializer_from_name bp_loss_name bp_loss_from_name bp_method_name "
    "bp_method_from_name bp_metric_name bp_metric_from_name bp_optimizer_setting_name bp_optimizer_setting_from_name bp_rule_name "
    "bp_rule_from_name bp_scaling_name bp_scaling_from_name bp_schedule_kind_name bp_schedule_kind_from_name bp_schedule_setting_name "
    "bp_schedule_setting_from_name bp_status_name bp_status_from_name bp_stop_name bp_stop_from_name bp_trainer_setting_name "
    "bp_trainer_setting_from_name bp_dtype_name bp_dtype_from_name";

static bp_status names(world *w)
{
    int (*const counts[])(void) = {
        count_activation_names,        count_csv_header_names, count_csv_missing_names, count_history_names,
        count_initializer_names,       count_loss_names,       count_method_names,      count_metric_names,
        count_optimizer_setting_names, count_rule_names,       count_scaling_names,     count_schedule_kind_names,
        count_schedule_setting_names,  count_status_names,     count_stop_names,        count_trainer_setting_names,
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        w->doubles[i] = counts[i]();
        if (w->doubles[i] <= 0) {
            return BP_ERROR_STATE;
        }
    }
    bp_dtype dtype;
    return bp_dtype_from_name(bp_dtype_name(REAL_DTYPE), &dtype);
}

static const char look_calls[] =
    "bp_dtype_size bp_has_feature bp_kernel_name bp_last_error bp_status_string bp_version bp_version_number bp_dataset_dtype "
    "bp_dataset_sample_count bp_dataset_input_count bp_dataset_output_count bp_dataset_class_count bp_dataset_class_name "
    "bp_dataset_classes "
    "bp_dataset_input_name bp_dataset_input_mean bp_dataset_weights bp_layer_dtype bp_layer_input_count bp_layer_output_count "
    "bp_layer_activation bp_layer_has_bias bp_net_class_count bp_net_class_name bp_net_dropout bp_net_dtype bp_net_has_input_scaling "
    "bp_net_has_output_scaling bp_net_input_count bp_net_input_name bp_net_input_noise bp_net_is_frozen bp_net_is_initialized "
    "bp_net_layer_count bp_net_metadata bp_net_metadata_count bp_net_metadata_key bp_net_output_count bp_net_parameter_count bp_net_rule "
    "bp_optimizer_method bp_optimizer_seed bp_optimizer_step_count bp_schedule_get_kind bp_trainer_best_epoch bp_trainer_epoch_count "
    "bp_trainer_stop bp_workspace_max_batch bp_workspace_threads";

static bp_status look(world *w)
{
    const double seen[] = {
        (double)bp_dtype_size(REAL_DTYPE),
        bp_has_feature("files"),
        (double)strlen(bp_kernel_name()),
        bp_last_error() != NULL,
        (double)strlen(bp_status_string(BP_ERROR_IO)),
        (double)strlen(bp_version()),
        bp_version_number(),
        bp_dataset_dtype(w->training),
        (double)bp_dataset_sample_count(w->training),
        (double)bp_dataset_input_count(w->training),
        (double)bp_dataset_output_count(w->training),
        (double)bp_dataset_class_count(w->training),
        bp_dataset_class_name(w->mapped, 0) != NULL,
        bp_dataset_classes(w->training)[1],
        bp_dataset_input_name(w->training, 0) != NULL,
        bp_dataset_input_mean(w->training, 0) == 0,
        bp_dataset_weights(w->training)[1],
        bp_layer_dtype(w->layer),
        (double)bp_layer_input_count(w->layer),
        (double)bp_layer_output_count(w->layer),
        bp_layer_activation(w->layer),
        bp_layer_has_bias(w->layer),
        (double)bp_net_class_count(w->net),
        *bp_net_class_name(w->net, 0),
        bp_net_dropout(w->net, 0),
        bp_net_dtype(w->net),
        bp_net_has_input_scaling(w->net),
        bp_net_has_output_scaling(w->net),
        (double)bp_net_input_count(w->net),
        *bp_net_input_name(w->net, 0),
        bp_net_input_noise(w->net),
        bp_net_is_frozen(w->net, 0),
        bp_net_is_initialized(w->net),
        (double)bp_net_layer_count(w->net),
        *bp_net_metadata(w->net, "input_scaling"),
        (double)bp_net_metadata_count(w->net),
        *bp_net_metadata_key(w->net, 0),
        (double)bp_net_output_count(w->net),
        (double)bp_net_parameter_count(w->net),
        bp_net_rule(w->net),
        bp_optimizer_method(w->opt),
        (double)bp_optimizer_seed(w->opt),
        (double)bp_optimizer_step_count(w->opt),
        bp_schedule_get_kind(w->schedule),
        (double)bp_trainer_best_epoch(w->trainer),
        (double)bp_trainer_epoch_count(w->trainer),
        bp_trainer_stop(w->trainer),
        (double)bp_workspace_max_batch(w->ws),
        (double)bp_workspace_threads(w->ws),
    };
    memcpy(w->doubles, seen, sizeof seen);
    return BP_OK;
}

static const char end_calls[] = "bp_csv_reader_destroy bp_dataset_destroy bp_free bp_layer_destroy bp_net_destroy bp_optimizer_destroy "
                                "bp_schedule_destroy bp_trainer_destroy bp_workspace_destroy";

/* Each call ends something, and lets its handle be NULL. */
#define END(destroy, handle)                                                                                                               \
    destroy(handle);                                                                                                                       \
    (handle) = NULL

static bp_status end(world *w)
{
    END(bp_trainer_destroy, w->trainer);
    END(bp_schedule_destroy, w->schedule);
    END(bp_csv_reader_destroy, w->reader);
    END(bp_dataset_destroy, w->mapped);
    END(bp_dataset_destroy, w->training);
    END(bp_optimizer_destroy, w->opt);
    END(bp_workspace_destroy, w->ws);
    END(bp_layer_destroy, w->layer);
    END(bp_net_destroy, w->curve);
    END(bp_free, w->bytes);
    return BP_OK;
}

static void with_threads(world *w)
{
    must(bp_workspace_set_threads(w->ws, 2));
    must(bp_net_save_memory(w->net, &w->bytes, &w->size));
    bp_workspace_destroy(w->curve_ws);
    w->curve_ws = NULL;
}

/* Its 0 says to go on, also where nothing can be written. */
static bp_status progress_print(world *w)
{
    const double metrics[BP_METRIC_R2 + 1] = {0.5, 0.75};
    const bp_progress progress = {.size = sizeof progress,
                                  .is_epoch_end = 1,
                                  .epoch = 1,
                                  .epochs = 2,
                                  .batch = 1,
                                  .batches = 1,
                                  .training = metrics,
                                  .validation = metrics};
    rewind(w->log);
    return bp_progress_print(w->log, &progress) == 0 ? BP_OK : BP_ERROR_STATE;
}

const flow reading_flows[] = {
    {name_calls, names, NOTHING, NULL},
    {look_calls, look, NOTHING, NULL},
    {end_calls, end, NOTHING, with_threads},
    {"bp_progress_print", progress_print, NOTHING, NULL},
    {0},
};
