#include "train/trainer.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/nonfinite.h"
#include "core/status.h"
#include "data/dataset.h"
#include "net/check.h"
#include "train/dataset_check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double WHOLE = 0x1p53; /* every whole number to this has a double */

/* A setting's values go from minimum to maximum. */
static const struct {
    const char *name;
    double initial, minimum, maximum;
    bool is_whole;
} settings[BP_TRAINER_SETTING_COUNT] = {
    [BP_TRAINER_EPOCHS] = {"epochs", 100, 0, WHOLE, true},
    [BP_TRAINER_BATCH_SIZE] = {"batch_size", 32, 1, WHOLE, true}, /* at most the number of samples */
    [BP_TRAINER_SEED] = {"seed", 0, 0, WHOLE, true},
    [BP_TRAINER_SHUFFLE] = {"shuffle", 1, 0, 1, true},
    [BP_TRAINER_THREADS] = {"threads", 1, 1, 1024, true},
    [BP_TRAINER_LABEL_SMOOTHING] = {"label_smoothing", 0, 0, 0.99, false},
    [BP_TRAINER_MONITOR] = {"monitor", BP_METRIC_LOSS, BP_METRIC_LOSS, BP_METRIC_R2, true},
    [BP_TRAINER_PATIENCE] = {"patience", 0, 0, WHOLE, true},
    [BP_TRAINER_MINIMUM_IMPROVEMENT] = {"minimum_improvement", 0, 0, DBL_MAX, false},
    [BP_TRAINER_RESTORE_BEST] = {"restore_best", 1, 0, 1, true},
    [BP_TRAINER_TARGET] = {"target", INFINITY, -INFINITY, INFINITY, false},
    [BP_TRAINER_TIME_LIMIT] = {"time_limit", 0, 0, DBL_MAX, false},
    [BP_TRAINER_TOP_K] = {"top_k", 3, 1, WHOLE, true},
    [BP_TRAINER_TRAINING_METRICS] = {"training_metrics", 0, 0, 1, true},
    [BP_TRAINER_HALVINGS] = {"halvings", 0, 0, WHOLE, true},
};

static const char *const stop_names[] = {"none", "epochs", "patience", "target", "time", "callback"};

enum { STOP_COUNT = sizeof stop_names / sizeof *stop_names };

const char *bp_trainer_setting_name(bp_trainer_setting setting)
{
    return (unsigned)setting < BP_TRAINER_SETTING_COUNT ? settings[setting].name : NULL;
}

bp_status bp_trainer_setting_from_name(const char *name, bp_trainer_setting *setting)
{
    const char *names[BP_TRAINER_SETTING_COUNT];
    for (size_t i = 0; i < BP_TRAINER_SETTING_COUNT; i++) {
        names[i] = settings[i].name;
    }
    int value = bp_name_find(__func__, name, setting, BP_TRAINER_SETTING_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *setting = (bp_trainer_setting)value;
    return BP_OK;
}

const char *bp_stop_name(bp_stop stop)
{
    return (unsigned)stop < STOP_COUNT ? stop_names[stop] : NULL;
}

bp_status bp_stop_from_name(const char *name, bp_stop *stop)
{
    int value = bp_name_find(__func__, name, stop, STOP_COUNT, stop_names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *stop = (bp_stop)value;
    return BP_OK;
}

bp_status bp_trainer_check_idle(const char *function, const bp_trainer *t)
{
    if (!bp_is(t, BP_HANDLE_TRAINER)) {
        return bp_fail_handle(function, "trainer", t, BP_HANDLE_TRAINER);
    }
    if (t->is_running) {
        return bp_fail(BP_ERROR_STATE, "%s: called from within the trainer's own progress function", function);
    }
    return BP_OK;
}

void bp_trainer_clear_metrics(bp_trainer *t)
{
    for (int i = 0; i < BP_METRIC_COUNT; i++) {
        t->metrics[0][i] = t->metrics[1][i] = (double)NAN;
    }
}

bp_status bp_trainer_create(bp_trainer **trainer, bp_net *net, bp_optimizer *opt, bp_loss loss, const bp_dataset *training)
{
    if (!trainer) {
        return bp_fail_null(__func__, "trainer");
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!bp_is(training, BP_HANDLE_DATASET)) {
        return bp_fail_handle(__func__, "training", training, BP_HANDLE_DATASET);
    }
    bp_status status = bp_check_net(__func__, net, net->dtype);
    if (status == BP_OK) {
        status = bp_check_optimizer(__func__, opt, net);
    }
    if (status == BP_OK) {
        status = bp_check_pair(__func__, net, loss);
    }
    if (status == BP_OK) {
        status = bp_check_dataset(__func__, net, training);
    }
    if (status != BP_OK) {
        return status;
    }
    bp_trainer *made = calloc(1, sizeof *made);
    if (!made) {
        return bp_fail_memory(__func__);
    }
    *made = (bp_trainer){
        .handle = BP_HANDLE_TRAINER,
        .net = net,
        .opt = opt,
        .loss = loss,
        .training = training,
        .samples = training,
        .order_epoch = UINT64_MAX,
    };
    made->place.best_epoch = UINT64_MAX;
    made->order = bp_allocate(training->n_samples, sizeof *made->order);
    made->best = bp_allocate(bp_parameter_bytes(net), 1);
    if (!made->order || !made->best || !bp_snapshot_allocate(&made->start, net, opt)) {
        bp_trainer_destroy(made);
        return bp_fail_memory(__func__);
    }
    for (int i = 0; i < BP_TRAINER_SETTING_COUNT; i++) {
        made->settings[i] = settings[i].initial;
    }
    bp_trainer_clear_metrics(made);
    if (training->n_samples < 32) {
        made->settings[BP_TRAINER_BATCH_SIZE] = (double)training->n_samples;
    }
    *trainer = made;
    return BP_OK;
}

void bp_trainer_destroy(bp_trainer *t)
{
    if (bp_is(t, BP_HANDLE_TRAINER) && bp_trainer_check_idle(__func__, t) == BP_OK) {
        bp_workspace_destroy(t->ws);
        bp_snapshot_release(&t->start);
        free(t->best);
        free(t->order);
        free(t->weights);
        free(t->room_weights);
        bp_batch_release(&t->room);
        free(t->class_weights);
        free(t->history);
        bp_end_handle(t);
        free(t);
    }
}

/* That a value is in range, and the trainer can have it. */
static bp_status check_value(const char *function, const bp_trainer *t, bp_trainer_setting setting, double value)
{
    const char *name = settings[setting].name;
    double minimum = settings[setting].minimum, maximum = settings[setting].maximum;
    if (setting == BP_TRAINER_BATCH_SIZE) {
        maximum = (double)bp_trainer_samples(t);
    }
    if (!(value >= minimum && value <= maximum)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %.17g; it can be %g to %.17g%s", function, name, value, minimum, maximum,
                       setting == BP_TRAINER_BATCH_SIZE ? ", the number of samples" : "");
    }
    if (settings[setting].is_whole && value != floor(value)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is %.17g; it is to be a whole number", function, name, value);
    }
    if (setting == BP_TRAINER_LABEL_SMOOTHING && value > 0 && t->loss != BP_LOSS_CROSS_ENTROPY) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: label_smoothing is for cross_entropy, not %s", function, bp_loss_name(t->loss));
    }
    return BP_OK;
}

bp_status bp_trainer_set(bp_trainer *t, bp_trainer_setting setting, double value)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status == BP_OK && !bp_trainer_setting_name(setting)) {
        status = bp_fail_enum(__func__, "setting", (int)setting);
    }
    if (status == BP_OK) {
        status = check_value(__func__, t, setting, value);
    }
    bool of_order = setting == BP_TRAINER_BATCH_SIZE || setting == BP_TRAINER_SEED || setting == BP_TRAINER_SHUFFLE;
    if (status == BP_OK && of_order && t->place.sample > 0) {
        status = bp_fail(BP_ERROR_STATE, "%s: %s cannot change in the middle of epoch %llu", __func__, settings[setting].name,
                         (unsigned long long)t->place.epoch + 1);
    }
    if (status == BP_OK) {
        t->settings[setting] = value;
        t->order_epoch = UINT64_MAX;
    }
    return status;
}

bp_status bp_trainer_check_settings(const char *function, const bp_trainer *t, const double *values)
{
    bp_status status = BP_OK;
    for (int s = 0; status == BP_OK && s < BP_TRAINER_SETTING_COUNT; s++) {
        status = check_value(function, t, (bp_trainer_setting)s, values[s]);
    }
    return status;
}

bp_status bp_trainer_get(const bp_trainer *t, bp_trainer_setting setting, double *value)
{
    if (!bp_is(t, BP_HANDLE_TRAINER)) {
        return bp_fail_handle(__func__, "trainer", t, BP_HANDLE_TRAINER);
    }
    if (!value) {
        return bp_fail_null(__func__, "value");
    }
    if (!bp_trainer_setting_name(setting)) {
        return bp_fail_enum(__func__, "setting", (int)setting);
    }
    *value = t->settings[setting];
    return BP_OK;
}

size_t bp_trainer_samples(const bp_trainer *t)
{
    return t->is_parallel ? (size_t)t->parallel.n_samples : t->training->n_samples;
}

size_t bp_trainer_batch(const bp_trainer *t)
{
    return t->opt->method == BP_METHOD_LBFGS ? t->training->n_samples : (size_t)t->settings[BP_TRAINER_BATCH_SIZE];
}

bool bp_trainer_is_online(const bp_trainer *t)
{
    return t->opt->method != BP_METHOD_LBFGS && t->settings[BP_TRAINER_BATCH_SIZE] == 1;
}

bool bp_parameters_are_finite(const bp_net *net, const void *stored)
{
    size_t n = net->storage;
    return bp_first_nonfinite(net->dtype, n, stored) == n;
}

bool bp_trainer_is_finite(const bp_trainer *t)
{
    return bp_parameters_are_finite(t->net, t->net->parameters);
}

bp_status bp_trainer_set_validation(bp_trainer *t, const bp_dataset *validation)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status == BP_OK && validation) {
        status = bp_check_dataset(__func__, t->net, validation);
    }
    if (status == BP_OK) {
        t->validation = validation;
    }
    return status;
}

bp_status bp_trainer_set_class_weights(bp_trainer *t, const double *weights)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status != BP_OK) {
        return status;
    }
    size_t n = t->training->n_classes;
    if (weights && n == 0) {
        return bp_fail(BP_ERROR_STATE, "%s: the training set has no classes", __func__);
    }
    for (size_t k = 0; weights && k < n; k++) {
        if (!(weights[k] >= 0 && weights[k] <= (double)FLT_MAX)) {
            return bp_fail(BP_ERROR_ARGUMENT, "%s: weights[%zu] is %g; it can be 0 to %g", __func__, k, weights[k], (double)FLT_MAX);
        }
    }
    double *copy = weights ? malloc(n * sizeof *copy) : NULL;
    if (weights && !copy) {
        return bp_fail_memory(__func__);
    }
    if (weights) {
        memcpy(copy, weights, n * sizeof *copy);
    }
    free(t->class_weights);
    t->class_weights = copy;
    return BP_OK;
}

bp_status bp_trainer_set_schedule(bp_trainer *t, const bp_schedule *schedule)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status != BP_OK) {
        return status;
    }
    if (t->opt->method == BP_METHOD_LBFGS) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: lbfgs has no learning_rate", __func__);
    }
    if (schedule && !bp_is(schedule, BP_HANDLE_SCHEDULE)) {
        return bp_fail_handle(__func__, "schedule", schedule, BP_HANDLE_SCHEDULE);
    }
    double *rate = &t->opt->settings[BP_OPTIMIZER_LEARNING_RATE];
    if (t->has_schedule) {
        *rate = t->values.base_rate;
    }
    t->has_schedule = schedule;
    if (schedule) {
        t->schedule = *schedule;
        t->values.base_rate = *rate;
    }
    return BP_OK;
}

bp_status bp_trainer_set_progress(bp_trainer *t, bp_progress_function *function, void *context, bp_progress_when when)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status == BP_OK && when != BP_PROGRESS_EPOCH && when != BP_PROGRESS_BATCH) {
        status = bp_fail_enum(__func__, "when", (int)when);
    }
    if (status == BP_OK) {
        t->progress = function;
        t->progress_context = context;
        t->progress_when = when;
    }
    return status;
}

bp_stop bp_trainer_stop(const bp_trainer *t)
{
    return bp_is(t, BP_HANDLE_TRAINER) ? t->stop : BP_STOP_NONE;
}

size_t bp_trainer_epoch_count(const bp_trainer *t)
{
    return bp_is(t, BP_HANDLE_TRAINER) ? (size_t)t->place.epoch : 0;
}

size_t bp_trainer_best_epoch(const bp_trainer *t)
{
    return bp_is(t, BP_HANDLE_TRAINER) && t->place.best_epoch != UINT64_MAX ? (size_t)t->place.best_epoch : SIZE_MAX;
}
