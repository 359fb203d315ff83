/* What a trainer does with elements. */
#include "core/memory.h"
#include "core/real.h"
#include "data/batch.h"
#include "net/parameters.h"
#include "train/train.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

/*
 * Of n samples of all ranks, the part of this one: *own of them, from *first on. Where that would be none, it is one with a weight of 0, so that
 * every rank takes part in every step.
 */
static void take_part(const bp_trainer *t, size_t n, REAL(bp_samples) * samples, size_t *first, size_t *own)
{
    static const real no_weight[1] = {0};
    *first = bp_trainer_part(t, t->place.sample);
    *own = bp_trainer_part(t, n);
    samples->preceding = n * t->parallel.rank / t->parallel.n_ranks;
    if (!t->parallel.after_step && t->parallel.n_ranks > 1) {
        samples->step_batch = n;
    }
    if (*own == 0) {
        *first = 0;
        *own = 1;
        samples->weights = no_weight;
    }
}

/* A dataset's arrays as they are, in the trainer's order; of others, the samples that come next. *first is where these are, *own their number. */
static bp_status take_samples(const char *function, bp_trainer *t, size_t n, REAL(bp_samples) * samples, size_t *first, size_t *own)
{
    bool shuffled = t->settings[BP_TRAINER_SHUFFLE] == 1 && t->opt->method != BP_METHOD_LBFGS && !t->is_parallel;
    const size_t *order = shuffled ? t->order : NULL;
    *samples = (REAL(bp_samples)){
        .x = t->samples->inputs,
        .target = t->samples->targets,
        .weights = t->weights,
        .order = order,
        .label_smoothing = (real)t->settings[BP_TRAINER_LABEL_SMOOTHING],
    };
    *first = t->place.sample;
    *own = n;
    if (t->is_parallel) {
        take_part(t, n, samples, first, own);
    }
    if (bp_dataset_is_plain(t->samples)) {
        return BP_OK;
    }
    const void *inputs, *targets;
    bp_status status = bp_batch_take(function, t->samples, &t->room, *first, *own, order, &inputs, &targets);
    if (status != BP_OK) {
        return status;
    }
    real *weights = t->room_weights;
    const real *of_samples = t->weights;
    if (samples->weights == of_samples && of_samples) {
        for (size_t i = 0; i < *own; i++) {
            weights[i] = of_samples[order ? order[*first + i] : *first + i];
        }
        samples->weights = weights;
    }
    samples->x = inputs;
    samples->target = targets;
    samples->order = NULL;
    *first = 0;
    return BP_OK;
}

bp_status REAL(bp_trainer_train)(bp_trainer *t, size_t n, double *sum)
{
    static const char function[] = "bp_trainer_run";
    REAL(bp_samples) samples;
    size_t first, own;
    bp_status status = take_samples(function, t, n, &samples, &first, &own);
    if (status != BP_OK) {
        return status;
    }
    double mean = 0;
    if (bp_trainer_is_online(t)) {
        status = REAL(bp_train_online)(function, t->net, t->ws, t->opt, t->loss, &samples, first, own, &mean);
    } else {
        real of_batch = 0;
        status = REAL(bp_train_step)(function, t->net, t->ws, t->opt, t->loss, &samples, first, own, &of_batch);
        mean = (double)of_batch;
    }
    *sum = mean * (double)(samples.step_batch ? n : own);
    return status;
}

bool REAL(bp_trainer_weigh)(bp_trainer *t)
{
    const bp_dataset *data = t->samples;
    const double *weights = bp_dataset_weights(data);
    free(t->weights);
    t->weights = NULL;
    if (!weights && !t->class_weights) {
        return true;
    }
    real *products = bp_allocate(data->n_samples, sizeof *products);
    for (size_t i = 0; products && i < data->n_samples; i++) {
        products[i] = (real)((weights ? weights[i] : 1) * (t->class_weights ? t->class_weights[data->classes[i]] : 1));
    }
    t->weights = products;
    free(t->room_weights);
    size_t batch = bp_trainer_batch(t), most = batch > BP_ONLINE_BATCH ? batch : BP_ONLINE_BATCH;
    t->room_weights = bp_dataset_is_plain(data) ? NULL : bp_allocate(most, sizeof(real));
    return products && (bp_dataset_is_plain(data) || t->room_weights);
}
