#include "training.h"

#include <math.h>
#include <stdlib.h>

enum { EVALUATION_BATCH = 64, LEAST_WITH_VALIDATION = 1000 };

/* ---- the net ---- */

/* Fitted to the samples that are learned. Targets that are numbers get mean 0 and deviation 1. */
static bp_status scale_net(bp_net *net, const options *o, const bp_dataset *samples)
{
    size_t n_inputs = bp_dataset_input_count(samples), n_outputs = bp_dataset_output_count(samples), n = n_inputs + n_outputs;
    float *offset = calloc(2 * n, sizeof *offset);
    if (!offset) {
        return BP_ERROR_MEMORY;
    }
    float *scale = offset + n;
    bp_status status = bp_dataset_fit_scaling_f32(samples, o->scaling, offset, scale);
    if (status == BP_OK) {
        status = bp_net_set_input_scaling_f32(net, offset, scale);
    }
    if (status == BP_OK && o->regress) {
        status = bp_dataset_fit_target_scaling_f32(samples, BP_SCALING_STANDARD, offset, scale);
    }
    if (status == BP_OK && o->regress) {
        status = bp_net_set_output_scaling_f32(net, offset, scale);
    }
    free(offset);
    return status;
}

static bp_status build_net(training *t, const options *o, const bp_dataset *samples)
{
    bp_status status = bp_net_create(&t->net, BP_F32, bp_dataset_input_count(samples));
    for (size_t i = 0; status == BP_OK && i < o->n_hidden; i++) {
        status = bp_net_add_dense(t->net, o->hidden[i], o->activation, 1);
    }
    if (status == BP_OK) {
        bp_activation last = o->regress ? BP_ACTIVATION_IDENTITY : BP_ACTIVATION_SOFTMAX;
        status = bp_net_add_dense(t->net, bp_dataset_output_count(samples), last, 1);
    }
    if (status == BP_OK) {
        status = bp_net_initialize(t->net, BP_INITIALIZER_GLOROT_UNIFORM, o->seed);
    }
    for (size_t i = 0; status == BP_OK && i < o->n_hidden; i++) {
        status = bp_net_set_dropout(t->net, i, o->dropout);
    }
    if (status == BP_OK) {
        status = bp_net_set_input_noise(t->net, o->noise);
    }
    return status == BP_OK ? scale_net(t->net, o, samples) : status;
}

/* ---- how it learns ---- */

static bp_status build_optimizer(training *t, const options *o)
{
    bp_status status = bp_optimizer_create(&t->opt, o->method, t->net);
    if (status == BP_OK) {
        status = bp_optimizer_set_seed(t->opt, o->seed);
    }
    return status == BP_OK ? options_apply_to_optimizer(o, t->opt) : status;
}

/* A schedule of one period is as long as the training. */
static bp_status add_schedule(training *t, const options *o)
{
    bp_schedule *schedule = NULL;
    double epochs;
    bp_status status = bp_schedule_create(&schedule, o->schedule);
    if (status == BP_OK) {
        status = bp_trainer_get(t->trainer, BP_TRAINER_EPOCHS, &epochs);
    }
    if (status == BP_OK && (o->schedule == BP_SCHEDULE_COSINE || o->schedule == BP_SCHEDULE_ONE_CYCLE)) {
        double warm_up = o->schedule_settings[BP_SCHEDULE_WARM_UP];
        bool warms_up = !isnan(warm_up) && warm_up < epochs;
        status = bp_schedule_set(schedule, BP_SCHEDULE_PERIOD, warms_up ? epochs - warm_up : epochs);
    }
    if (status == BP_OK) {
        status = options_apply_to_schedule(o, schedule);
    }
    if (status == BP_OK) {
        status = bp_trainer_set_schedule(t->trainer, schedule);
    }
    bp_schedule_destroy(schedule);
    return status;
}

static bp_status build_trainer(training *t, const options *o, const bp_dataset *samples)
{
    bp_loss loss = o->regress ? BP_LOSS_MSE : BP_LOSS_CROSS_ENTROPY;
    bp_status status = bp_trainer_create(&t->trainer, t->net, t->opt, loss, samples);
    if (status == BP_OK) {
        status = bp_trainer_set_validation(t->trainer, t->validation);
    }
    const struct {
        bp_trainer_setting setting;
        double value;
    } defaults[] = {
        {BP_TRAINER_EPOCHS, 200},
        {BP_TRAINER_PATIENCE, t->validation ? 50 : 0},
        {BP_TRAINER_SEED, (double)o->seed},
        {BP_TRAINER_THREADS, o->folds ? 1 : (double)o->threads},
        {BP_TRAINER_LABEL_SMOOTHING, o->regress ? 0 : 0.1},
        {BP_TRAINER_TRAINING_METRICS, o->plot || o->history},
    };
    for (size_t i = 0; status == BP_OK && i < sizeof defaults / sizeof *defaults; i++) {
        status = bp_trainer_set(t->trainer, defaults[i].setting, defaults[i].value);
    }
    if (status == BP_OK) {
        status = options_apply_to_trainer(o, t->trainer);
    }
    if (status == BP_OK && o->has_schedule) {
        status = add_schedule(t, o);
    }
    if (status == BP_OK && o->resume) {
        status = bp_trainer_load(t->trainer, o->resume);
        if (status == BP_OK) { /* more epochs, say: the file has settings of its own */
            status = options_apply_to_trainer(o, t->trainer);
        }
    }
    return status;
}

bp_status training_create(training *t, const options *o, const bp_dataset *samples)
{
    bp_status status = BP_OK;
    double fraction = o->validation_fraction;
    if (isnan(fraction)) { /* a few samples say little, and are worth more as samples to learn from */
        fraction = bp_dataset_sample_count(samples) < LEAST_WITH_VALIDATION ? 0 : 0.1;
    }
    if (fraction > 0) {
        status = bp_dataset_split(samples, fraction, o->seed + 1, &t->learned, &t->validation);
        samples = t->learned;
    }
    if (status == BP_OK) {
        status = build_net(t, o, samples);
    }
    if (status == BP_OK) {
        status = build_optimizer(t, o);
    }
    if (status == BP_OK) {
        status = build_trainer(t, o, samples);
    }
    return status == BP_OK ? bp_workspace_create(&t->ws, t->net, EVALUATION_BATCH) : status;
}

void training_destroy(training *t)
{
    bp_workspace_destroy(t->ws);
    bp_trainer_destroy(t->trainer);
    bp_optimizer_destroy(t->opt);
    bp_net_destroy(t->net);
    bp_dataset_destroy(t->validation);
    bp_dataset_destroy(t->learned);
}
