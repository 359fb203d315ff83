#include "learner.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const unsigned mnist_widths[MNIST_WIDTH_COUNT] = {MNIST_PIXELS, 300, 100, MNIST_CLASSES};

bool mnist_learner_complain(const mnist_learner *l)
{
    fprintf(stderr, "%sbp-mnist: %s\n", l->live ? "\r\033[K" : "", bp_last_error());
    return false;
}

static bool build(mnist_learner *l, const mnist_options *o, uint64_t seed)
{
    bp_activation hidden = o->online ? BP_ACTIVATION_TANH : BP_ACTIVATION_RELU;
    bp_activation output = o->online ? BP_ACTIVATION_IDENTITY : BP_ACTIVATION_SOFTMAX;
    bp_status status = bp_net_create(&l->net, BP_F32, mnist_widths[0]);
    for (int i = 1; status == BP_OK && i < MNIST_WIDTH_COUNT; i++) {
        status = bp_net_add_dense(l->net, mnist_widths[i], i + 1 < MNIST_WIDTH_COUNT ? hidden : output, 1);
    }
    if (status == BP_OK) {
        status = bp_net_initialize(l->net, o->online ? BP_INITIALIZER_GLOROT_UNIFORM : BP_INITIALIZER_HE_UNIFORM, seed);
    }
    if (status == BP_OK) {
        status = bp_workspace_create(&l->ws, l->net, o->batch < 128 ? 128 : o->batch); /* the test is made in batches, too */
    }
    if (status == BP_OK) {
        status = bp_workspace_set_threads(l->ws, o->threads);
    }
    if (status == BP_OK) {
        status = bp_optimizer_create(&l->opt, o->method, l->net);
    }
    if (status == BP_OK) {
        status = bp_optimizer_set(l->opt, BP_OPTIMIZER_LEARNING_RATE, o->learning_rate);
    }
    return status == BP_OK || mnist_learner_complain(l);
}

bool mnist_learner_create(mnist_learner *l, const mnist_options *options, const mnist_set *set, uint64_t seed, size_t piece, size_t times)
{
    *l = (mnist_learner){.live = isatty(STDOUT_FILENO), .piece = piece};
    size_t n_train = bp_dataset_sample_count(set->train), n_test = bp_dataset_sample_count(set->test);
    l->order = malloc(n_train * sizeof *l->order);
    l->x = malloc(piece * MNIST_PIXELS * sizeof *l->x);
    l->target = malloc(piece * MNIST_CLASSES * sizeof *l->target);
    l->y = malloc(n_test * MNIST_CLASSES * sizeof *l->y);
    l->times = malloc(times * sizeof *l->times);
    if (!l->order || !l->x || !l->target || !l->y || !l->times) {
        fputs("bp-mnist: out of memory\n", stderr);
        return false;
    }
    return build(l, options, seed);
}

void mnist_learner_destroy(mnist_learner *l)
{
    bp_optimizer_destroy(l->opt);
    bp_workspace_destroy(l->ws);
    bp_net_destroy(l->net);
    free(l->order);
    free(l->x);
    free(l->target);
    free(l->y);
    free(l->times);
}

size_t mnist_learner_gather(mnist_learner *l, const mnist_set *set, size_t at)
{
    size_t left = bp_dataset_sample_count(set->train) - at, n = left < l->piece ? left : l->piece;
    if (bp_dataset_gather_f32(set->train, n, l->order + at, l->x, l->target) != BP_OK) {
        mnist_learner_complain(l);
        return 0;
    }
    return n;
}

double mnist_learner_test(mnist_learner *l, const mnist_set *set)
{
    const float *x;
    size_t n = bp_dataset_sample_count(set->test);
    if (bp_dataset_inputs_f32(set->test, &x) != BP_OK || bp_net_predict_f32(l->net, l->ws, n, x, l->y) != BP_OK) {
        mnist_learner_complain(l);
        return -1;
    }
    return mnist_accuracy(n, l->y, bp_dataset_classes(set->test));
}

void mnist_learner_progress(mnist_learner *l, size_t epoch, double part, double mean_loss)
{
    if (l->live && bench_now() - l->last_shown > 0.05) {
        l->last_shown = bench_now();
        printf("\repoch %3zu   loss %.4f   %3.0f%% of the digits\033[K", epoch, mean_loss, 100 * part);
        fflush(stdout);
    }
}

void mnist_learner_show(const mnist_learner *l, size_t epoch, double mean_loss, double accuracy, const char *time)
{
    printf("%sepoch %3zu   loss %.4f   test accuracy %6.2f%%   %s%s\n", l->live ? "\r" : "", epoch, mean_loss, 100 * accuracy, time,
           l->live ? "\033[K" : "");
    fflush(stdout);
}
