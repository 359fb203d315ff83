/* What a trainer does with elements. */
#include "core/memory.h"
#include "core/real.h"
#include "data/batch.h"
#include "net/parameters.h"
#include "train/train.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

/* A dataset's arrays as they are, in the trainer's order; of others, the samples that come next. *first is where these are. */
static bp_status take_samples(const char *function, bp_trainer *t, size_t n, REAL(bp_samples) * samples, size_t *first)
{
    bool shuffled = t->settings[BP_TRAINER_SHUFFLE] == 1 && t->opt->method != BP_METHOD_LBFGS;
    const size_t *order = shuffled ? t->order : NULL;
    *samples = (REAL(bp_samples)){
        .x = t->training->inputs,
        .target = t->training->targets,
        .weights = t->weights,
        .order = order,
        .label_smoothing = (real)t->settings[BP_TRAINER_LABEL_SMOOTHING],
    };
    *first = t->place.sample;
    if (bp_dataset_is_plain(t->training)) {
        return BP_OK;
    }
    const void *inputs, *targets;
    bp_status status = bp_batch_take(function, t->training, &t->room, *first, n, order, &inputs, &targets);
    if (status != BP_OK) {
        return status;
    }
    real *weights = t->room_weights;
    for (size_t i = 0; t->weights && i < n; i++) {
        weights[i] = ((const real *)t->weights)[order ? order[*first + i] : *first + i];
    }
    samples->x = inputs;
    samples->target = targets;
    samples->weights = t->weights ? weights : NULL;
    samples->order = NULL;
    *first = 0;
    return BP_OK;
}

bp_status REAL(bp_trainer_train)(bp_trainer *t, size_t n, double *sum)
{
    static const char function[] = "bp_trainer_run";
    REAL(bp_samples) samples;
    size_t first;
    bp_status status = take_samples(function, t, n, &samples, &first);
    if (status != BP_OK) {
        return status;
    }
    double mean = 0;
    if (bp_trainer_is_online(t)) {
        status = REAL(bp_train_online)(function, t->net, t->ws, t->opt, t->loss, &samples, first, n, &mean);
    } else {
        real of_batch = 0;
        status = REAL(bp_train_step)(function, t->net, t->ws, t->opt, t->loss, &samples, first, n, &of_batch);
        mean = (double)of_batch;
    }
    *sum = mean * (double)n;
    return status;
}

bool REAL(bp_trainer_weigh)(bp_trainer *t)
{
    const bp_dataset *data = t->training;
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
