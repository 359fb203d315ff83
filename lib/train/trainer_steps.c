/* What a trainer does with elements. */
#include "core/memory.h"
#include "core/real.h"
#include "data/dataset.h"
#include "net/parameters.h"
#include "train/train.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

bp_status REAL(bp_trainer_train)(bp_trainer *t, size_t n, double *sum)
{
    static const char function[] = "bp_trainer_run";
    bool shuffled = t->settings[BP_TRAINER_SHUFFLE] == 1 && t->opt->method != BP_METHOD_LBFGS;
    const REAL(bp_samples) samples = {
        .x = t->training->inputs,
        .target = t->training->targets,
        .weights = t->weights,
        .order = shuffled ? t->order : NULL,
        .label_smoothing = (real)t->settings[BP_TRAINER_LABEL_SMOOTHING],
    };
    if (bp_trainer_is_online(t)) {
        return REAL(bp_train_online)(function, t->net, t->ws, t->opt, t->loss, &samples, t->place.sample, n, sum);
    }
    real mean;
    bp_status status = REAL(bp_train_step)(function, t->net, t->ws, t->opt, t->loss, &samples, t->place.sample, n, &mean);
    *sum = status == BP_OK ? (double)mean * (double)n : 0;
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
    return products;
}
