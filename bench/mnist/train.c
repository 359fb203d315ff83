/* Training in batches. */
#include "learner.h"

#include <stdio.h>
#include <stdlib.h>

/* One pass over the training digits in a new order; its time includes that order and gathering the batches. */
static bool train_epoch(const mnist_options *o, const mnist_set *set, uint64_t seed, mnist_learner *l, size_t epoch, double *mean_loss)
{
    size_t n = bp_dataset_sample_count(set->train);
    double sum = 0;
    if (bp_random_permutation(seed, epoch, n, l->order) != BP_OK) {
        return mnist_learner_complain(l);
    }
    for (size_t at = 0; at < n; at += o->batch) {
        size_t batch = mnist_learner_gather(l, set, at);
        float loss;
        if (batch == 0) {
            return false;
        }
        if (bp_net_train_step_f32(l->net, l->ws, l->opt, BP_LOSS_CROSS_ENTROPY, batch, l->x, l->target, &loss) != BP_OK) {
            return mnist_learner_complain(l);
        }
        sum += (double)batch * (double)loss;
        mnist_learner_progress(l, epoch, (double)(at + batch) / (double)n, sum / (double)(at + batch));
    }
    *mean_loss = sum / (double)n;
    return true;
}

static bool train(const mnist_options *o, const mnist_set *set, mnist_learner *l, mnist_result *result)
{
    while (result->epochs < o->epochs && result->reached == 0) {
        double loss = 0, start = bench_now();
        if (!train_epoch(o, set, result->seed, l, result->epochs + 1, &loss)) {
            return false;
        }
        double seconds = bench_now() - start, accuracy = mnist_learner_test(l, set);
        if (accuracy < 0) {
            return false;
        }
        char time[64];
        snprintf(time, sizeof time, "%.3f s", seconds);
        l->times[result->epochs] = 1e9 * seconds;
        result->loss[result->epochs] = loss;
        result->accuracy[result->epochs++] = accuracy;
        mnist_learner_show(l, result->epochs, loss, accuracy, time);
        if (o->target_accuracy > 0 && accuracy >= o->target_accuracy) {
            result->reached = result->epochs;
        }
    }
    result->repetitions = result->epochs;
    result->samples = bp_dataset_sample_count(set->train);
    result->ns = bench_summarize(result->epochs, l->times);
    return true;
}

bool mnist_train(const mnist_options *options, const mnist_set *set, uint64_t seed, mnist_result *result)
{
    mnist_learner l;
    bool good = mnist_learner_create(&l, options, set, seed, options->batch, options->epochs) && train(options, set, &l, result);
    mnist_learner_destroy(&l);
    return good;
}
