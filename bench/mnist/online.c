/* On-line training, and FANN's of the same net with the same digits: a piece each in turn. */
#include "learner.h"
#include "peer_fann.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 500, CHECKED = 64 };

/* What FANN may differ by after CHECKED steps, as a part of the way that the weights went: rounding in f32. A wrong term makes it 1. */
static const double tolerance = 1e-2;

typedef struct race {
    mnist_learner l;
    mnist_fann *fann; /* NULL: libbp alone */
    float *theta, *other;
    size_t n_theta;
    double *fann_times, *ratios;
    size_t n_pieces; /* timed so far */
} race;

static bool step_libbp(race *r, size_t n, float *mean_loss)
{
    mnist_learner *l = &r->l;
    return bp_net_train_online_f32(l->net, l->ws, l->opt, BP_LOSS_MSE, n, l->x, l->target, mean_loss) == BP_OK || mnist_learner_complain(l);
}

/* ‖a − b‖ / ‖a − start‖. */
static double deviation(size_t n, const float *start, const float *a, const float *b)
{
    double difference = 0, movement = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i], m = (double)a[i] - (double)start[i];
        difference += d * d;
        movement += m * m;
    }
    return sqrt(difference / movement);
}

/* From the same weights both must come to the same weights, or they would not do the same work. Then both go back. */
static bool check(race *r, const mnist_set *set)
{
    mnist_learner *l = &r->l;
    float *ours = malloc(r->n_theta * sizeof *ours);
    if (!ours) {
        fputs("bp-mnist: out of memory\n", stderr);
        return false;
    }
    bool good = mnist_learner_gather(l, set, 0) > 0 && step_libbp(r, CHECKED, NULL);
    mnist_fann_set(r->fann, r->theta);
    mnist_fann_train(r->fann, CHECKED, l->x, l->target);
    mnist_fann_get(r->fann, r->other);
    good = good && (bp_net_get_parameters_f32(l->net, ours) == BP_OK || mnist_learner_complain(l));
    double d = good ? deviation(r->n_theta, r->theta, ours, r->other) : 0;
    if (!(d <= tolerance)) {
        fprintf(stderr, "bp-mnist: after %d steps FANN's weights differ by %.2g of the way that they went; the limit is %.2g\n", CHECKED, d,
                tolerance);
        good = false;
    }
    free(ours);
    mnist_fann_set(r->fann, r->theta);
    return good && (bp_net_set_parameters_f32(l->net, r->theta) == BP_OK || mnist_learner_complain(l));
}

static bool train_piece(race *r, size_t n, double *loss_sum)
{
    float loss;
    double start = bench_now();
    if (!step_libbp(r, n, &loss)) {
        return false;
    }
    double ours = bench_now() - start;
    *loss_sum += (double)n * (double)loss;
    r->l.times[r->n_pieces] = 1e9 * ours / (double)n;
    if (r->fann) {
        start = bench_now();
        mnist_fann_train(r->fann, n, r->l.x, r->l.target);
        double theirs = bench_now() - start;
        r->fann_times[r->n_pieces] = 1e9 * theirs / (double)n;
        r->ratios[r->n_pieces] = theirs / ours;
    }
    r->n_pieces++;
    return true;
}

static bool train_epoch(race *r, const mnist_set *set, uint64_t seed, size_t epoch, double *mean_loss)
{
    size_t n = bp_dataset_sample_count(set->train);
    double sum = 0;
    if (bp_random_permutation(seed, epoch, n, r->l.order) != BP_OK) {
        return mnist_learner_complain(&r->l);
    }
    for (size_t at = 0; at < n; at += PIECE) {
        size_t piece = mnist_learner_gather(&r->l, set, at);
        if (piece == 0 || !train_piece(r, piece, &sum)) {
            return false;
        }
        mnist_learner_progress(&r->l, epoch, (double)(at + piece) / (double)n, sum / (double)(at + piece));
    }
    *mean_loss = sum / (double)n;
    return true;
}

static double fann_accuracy(race *r, const mnist_set *set)
{
    const float *x;
    size_t n = bp_dataset_sample_count(set->test);
    if (bp_dataset_inputs_f32(set->test, &x) != BP_OK) {
        return 0;
    }
    mnist_fann_run(r->fann, n, x, r->l.y);
    return mnist_accuracy(n, r->l.y, bp_dataset_classes(set->test));
}

static bool train(const mnist_options *o, const mnist_set *set, race *r, mnist_result *result)
{
    while (result->epochs < o->epochs && result->reached == 0) {
        double loss = 0;
        size_t first = r->n_pieces;
        if (!train_epoch(r, set, result->seed, result->epochs + 1, &loss)) {
            return false;
        }
        double accuracy = mnist_learner_test(&r->l, set), ours = 0, theirs = 0;
        if (accuracy < 0) {
            return false;
        }
        size_t count = r->n_pieces - first;
        for (size_t i = first; i < r->n_pieces; i++) {
            ours += r->l.times[i] / (double)count;
            theirs += r->fann ? r->fann_times[i] / (double)count : 0;
        }
        result->loss[result->epochs] = loss;
        result->accuracy[result->epochs++] = accuracy;
        char time[128];
        if (r->fann) {
            result->fann_accuracy = fann_accuracy(r, set);
            snprintf(time, sizeof time, "%.2f µs a digit; FANN %.2f%%, %.2f µs", ours / 1e3, 100 * result->fann_accuracy, theirs / 1e3);
        } else {
            snprintf(time, sizeof time, "%.2f µs a digit", ours / 1e3);
        }
        mnist_learner_show(&r->l, result->epochs, loss, accuracy, time);
        if (o->target_accuracy > 0 && accuracy >= o->target_accuracy) {
            result->reached = result->epochs;
        }
    }
    result->samples = 1;
    result->repetitions = r->n_pieces;
    result->ns = bench_summarize(r->n_pieces, r->l.times);
    if (r->fann) {
        result->has_fann = true;
        result->fann_ns = bench_summarize(r->n_pieces, r->fann_times);
        result->fann_ratio = bench_summarize(r->n_pieces, r->ratios);
    }
    return true;
}

static bool prepare(race *r, const mnist_options *o, const mnist_set *set, size_t n_pieces)
{
    r->n_theta = bp_net_parameter_count(r->l.net);
    r->theta = malloc(r->n_theta * sizeof *r->theta);
    r->other = malloc(r->n_theta * sizeof *r->other);
    r->fann_times = malloc(n_pieces * sizeof *r->fann_times);
    r->ratios = malloc(n_pieces * sizeof *r->ratios);
    if (!r->theta || !r->other || !r->fann_times || !r->ratios) {
        fputs("bp-mnist: out of memory\n", stderr);
        return false;
    }
    if (bp_net_get_parameters_f32(r->l.net, r->theta) != BP_OK ||
        bp_random_permutation(o->seed, 0, bp_dataset_sample_count(set->train), r->l.order) != BP_OK) {
        return mnist_learner_complain(&r->l);
    }
    r->fann = mnist_fann_create(MNIST_WIDTH_COUNT, mnist_widths, o->learning_rate);
    if (!r->fann) {
        puts("without FANN (Debian: libfann-dev, before the build)");
    }
    return !r->fann || check(r, set);
}

bool mnist_train_online(const mnist_options *options, const mnist_set *set, uint64_t seed, mnist_result *result)
{
    size_t n_pieces = options->epochs * ((bp_dataset_sample_count(set->train) + PIECE - 1) / PIECE);
    race r = {.fann = NULL};
    bool good = mnist_learner_create(&r.l, options, set, seed, PIECE, n_pieces) && prepare(&r, options, set, n_pieces) &&
                train(options, set, &r, result);
    mnist_learner_destroy(&r.l);
    mnist_fann_destroy(r.fann);
    free(r.theta);
    free(r.other);
    free(r.fann_times);
    free(r.ratios);
    return good;
}
