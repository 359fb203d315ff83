/* A trainer that is one of several (data_parallel.h): what its ranks tell each other. */
#include "core/memory.h"
#include "core/status.h"
#include "data/dataset.h"
#include "train/dataset_check.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

static const char function[] = "bp_trainer_run";

static bp_status check(const bp_trainer *t, const bp_data_parallel *parallel)
{
    static const char name[] = "bp_trainer_set_data_parallel";
    if (parallel->size < sizeof *parallel) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: size is %zu; the struct has %zu bytes", name, parallel->size, sizeof *parallel);
    }
    if (!parallel->begin_epoch || !parallel->agree || !parallel->end_run) {
        return bp_fail_null(name, !parallel->begin_epoch ? "begin_epoch" : !parallel->agree ? "agree" : "end_run");
    }
    if (parallel->rank >= parallel->n_ranks) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: rank is %zu of %zu; it can be 0 to n_ranks − 1", name, parallel->rank, parallel->n_ranks);
    }
    const uint64_t most = BP_MAX_DIMENSION * (uint64_t)BP_MAX_DIMENSION / 2;
    if (parallel->n_samples < t->training->n_samples || parallel->n_samples > most) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_samples is %llu; it can be %zu, which this rank alone has, to %llu", name,
                       (unsigned long long)parallel->n_samples, t->training->n_samples, (unsigned long long)most);
    }
    if (t->opt->method == BP_METHOD_LBFGS) {
        return bp_fail(BP_ERROR_UNSUPPORTED, "%s: lbfgs evaluates the loss of all samples at points of its own choice", name);
    }
    return BP_OK;
}

bp_status bp_trainer_set_data_parallel(bp_trainer *t, const bp_data_parallel *parallel)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status != BP_OK) {
        return status;
    }
    if (t->place.sample > 0) {
        status = bp_fail(BP_ERROR_STATE, "%s: in the middle of epoch %llu", __func__, (unsigned long long)t->place.epoch + 1);
    }
    if (status == BP_OK && parallel) {
        status = check(t, parallel);
    }
    size_t n_samples = status == BP_OK && parallel ? (size_t)parallel->n_samples : t->training->n_samples;
    if (status == BP_OK && t->settings[BP_TRAINER_BATCH_SIZE] > (double)n_samples) {
        status = bp_fail(BP_ERROR_STATE, "%s: batch_size is %g, and there will be %zu samples", __func__,
                         t->settings[BP_TRAINER_BATCH_SIZE], n_samples);
    }
    if (status != BP_OK) {
        return status;
    }
    t->is_parallel = parallel;
    t->parallel = parallel ? *parallel : (bp_data_parallel){0};
    t->samples = t->training;
    t->order_epoch = UINT64_MAX;
    return BP_OK;
}

/* Of n samples of a batch, those of this rank. */
static size_t part_of_batch(const bp_trainer *t, size_t n)
{
    size_t ranks = t->parallel.n_ranks, rank = t->parallel.rank;
    return n * (rank + 1) / ranks - n * rank / ranks;
}

size_t bp_trainer_part(const bp_trainer *t, uint64_t n)
{
    size_t batch = bp_trainer_batch(t);
    return (size_t)n / batch * part_of_batch(t, batch) + part_of_batch(t, (size_t)n % batch);
}

bool bp_trainer_is_whole_at_epochs(const bp_trainer *t)
{
    return t->is_parallel && t->parallel.after_step;
}

bp_status bp_trainer_take_part(bp_trainer *t)
{
    const bp_dataset *samples = NULL;
    bp_status status = t->parallel.begin_epoch(t->parallel.context, t->place.epoch, &samples);
    if (status == BP_OK) {
        status = bp_check_dataset(function, t->net, samples);
    }
    if (status != BP_OK) {
        return status;
    }
    size_t n = bp_trainer_samples(t), expected = bp_trainer_part(t, n);
    if (samples->n_samples != expected || samples->n_classes != t->training->n_classes) {
        return bp_fail(BP_ERROR_STATE, "%s: epoch %llu: this rank has %zu samples of %zu classes; it needs %zu of %zu", function,
                       (unsigned long long)t->place.epoch + 1, samples->n_samples, samples->n_classes, expected, t->training->n_classes);
    }
    if (t->place.sample < n && t->place.sample % bp_trainer_batch(t) != 0) { /* a checkpoint that no trainer wrote */
        return bp_fail(BP_ERROR_STATE, "%s: sample %llu of the epoch is not the first of a batch", function,
                       (unsigned long long)t->place.sample);
    }
    t->samples = samples;
    return BP_OK;
}

/* ---- what is to be the same on all ranks ---- */

enum {
    OWN_COUNT = 11, /* what is not a setting */
    COMPARED_COUNT = OWN_COUNT + BP_TRAINER_SETTING_COUNT + BP_OPTIMIZER_SETTING_COUNT,
};

static void describe(const bp_trainer *t, double numbers[COMPARED_COUNT])
{
    const double own[OWN_COUNT] = {
        (double)t->opt->method,         (double)t->loss,
        t->validation != NULL,          t->has_schedule ? (double)t->schedule.kind + 1 : 0,
        (double)t->place.epoch,         (double)t->place.sample,
        (double)bp_trainer_samples(t),  (double)t->opt->n_steps,
        (double)t->opt->seed,           t->opt->hook.complete != NULL,
        t->parallel.after_step != NULL,
    };
    memcpy(numbers, own, sizeof own);
    memcpy(numbers + OWN_COUNT, t->settings, sizeof t->settings);
    memcpy(numbers + OWN_COUNT + BP_TRAINER_SETTING_COUNT, t->opt->settings, sizeof t->opt->settings);
    numbers[OWN_COUNT + BP_TRAINER_THREADS] = numbers[OWN_COUNT + BP_TRAINER_TIME_LIMIT] = 0; /* each rank's own affair */
}

static const char *name_of(size_t number)
{
    static const char *const own[OWN_COUNT] = {
        "the method's number",
        "the loss's number",
        "the number of validation sets",
        "the schedule's number",
        "the epoch",
        "the sample in the epoch",
        "n_samples",
        "the optimizer's step count",
        "the optimizer's seed",
        "the number of gradient hooks",
        "the number of after_step functions",
    };
    if (number < OWN_COUNT) {
        return own[number];
    }
    number -= OWN_COUNT;
    return number < BP_TRAINER_SETTING_COUNT ? bp_trainer_setting_name((bp_trainer_setting)number)
                                             : bp_optimizer_setting_name((bp_optimizer_setting)(number - BP_TRAINER_SETTING_COUNT));
}

static bp_status check_alone(const bp_trainer *t)
{
    double batch = t->settings[BP_TRAINER_BATCH_SIZE];
    if (batch < (double)t->parallel.n_ranks) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: batch_size is %g; with %zu ranks it is that or more", function, batch, t->parallel.n_ranks);
    }
    if (!t->parallel.after_step && !t->opt->hook.complete && t->parallel.n_ranks > 1) {
        return bp_fail(BP_ERROR_STATE,
                       "%s: the optimizer has no gradient hook, and there is no after_step: nothing would hold the ranks together",
                       function);
    }
    return BP_OK;
}

bp_status bp_trainer_compare_ranks(const bp_trainer *t, bp_status status)
{
    const bp_data_parallel *parallel = &t->parallel;
    if (status == BP_OK) {
        status = check_alone(t);
    }
    double own[COMPARED_COUNT], *all = status == BP_OK ? bp_allocate(parallel->n_ranks * COMPARED_COUNT, sizeof *all) : NULL;
    if (status == BP_OK && !all) {
        status = bp_fail_memory(function);
    }
    if (status == BP_OK) {
        describe(t, own);
        memcpy(all + parallel->rank * COMPARED_COUNT, own, sizeof own);
    }
    status = parallel->agree(parallel->context, status, parallel->n_ranks * COMPARED_COUNT, all);
    for (size_t i = 0; all && status == BP_OK && i < parallel->n_ranks * COMPARED_COUNT; i++) {
        double first = all[i % COMPARED_COUNT];
        if (all[i] != first) {
            status = bp_fail(BP_ERROR_STATE, "%s: %s is %.17g on rank 0, but %.17g on rank %zu", function, name_of(i % COMPARED_COUNT),
                             first, all[i], i / COMPARED_COUNT);
        }
    }
    free(all);
    return status;
}

bp_status bp_trainer_agree_stop(bp_trainer *t)
{
    double stops[2] = {t->stop == BP_STOP_CALLBACK, t->stop == BP_STOP_TIME};
    bp_status status = t->parallel.agree(t->parallel.context, BP_OK, 2, stops);
    if (status == BP_OK) {
        t->stop = stops[0] > 0 ? BP_STOP_CALLBACK : stops[1] > 0 ? BP_STOP_TIME : BP_STOP_NONE;
    }
    return status;
}

bp_status bp_trainer_agree_loss(bp_trainer *t)
{
    return t->parallel.agree(t->parallel.context, BP_OK, 1, &t->values.loss_sum);
}
