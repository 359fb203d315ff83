/* What weighs in the loss: weights of samples and of classes, label smoothing. */
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 90, EPOCHS = 3, BATCH = 32 };

static const double class_weights[CLASSES] = {0.5, 2, 1.25};
static const double tolerance = REAL_DTYPE == BP_F32 ? 2e-5 : 1e-13;

/* Weights of the samples, different ones. */
static void weigh(bp_dataset *data)
{
    double weights[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        weights[i] = i % 5 == 0 ? 0 : 1 + number(i);
    }
    must(bp_dataset_set_weights(data, weights));
}

static double weight_of(const bp_dataset *data, size_t sample, bool by_class)
{
    const double *weights = bp_dataset_weights(data);
    return (weights ? weights[sample] : 1) * (by_class ? class_weights[bp_dataset_classes(data)[sample]] : 1);
}

/* A step of plain descent by forward and backward; returns the sum of weighted losses. */
static double step_by_hand(session *s, bp_workspace *ws, const bp_dataset *data, size_t n, const size_t *order, bool by_class)
{
    real x[BATCH * INPUTS], z[BATCH * CLASSES], y[BATCH * CLASSES], delta[BATCH * CLASSES], *gradient = parameters(s->net);
    size_t m = bp_dataset_output_count(data), n_parameters = bp_net_parameter_count(s->net);
    bool classes = bp_dataset_class_count(data) > 0;
    double sum = 0;
    must(REAL(bp_dataset_gather)(data, n, order, x, z));
    must(REAL(bp_net_forward)(s->net, ws, n, x, y));
    for (size_t i = 0; i < n * m; i++) {
        double w = weight_of(data, order[i / m], by_class), error = (double)z[i] - (double)y[i];
        delta[i] = (real)(w * (classes ? (double)z[i] / (double)y[i] : error)); /* CE: −Σ z ln y; MSE: ½ Σ (z − y)² */
        sum += w * (!classes ? error * error / 2 : z[i] > 0 ? -(double)z[i] * log((double)y[i]) : 0);
    }
    must(REAL(bp_net_backward)(s->net, ws, delta, gradient, NULL));
    for (size_t i = 0; i < n_parameters; i++) {
        gradient[i] /= (real)n;
    }
    must(REAL(bp_optimizer_step)(s->opt, s->net, gradient));
    free(gradient);
    return sum;
}

static void check_by_hand(const char *what, bp_dataset *data, bool by_class, size_t batch)
{
    session s = open_session(data, BP_METHOD_SGD, 3), hand = open_session(data, BP_METHOD_SGD, 3);
    bp_workspace *ws;
    size_t order[SAMPLES], n_parameters = bp_net_parameter_count(s.net);
    must(bp_workspace_create(&ws, hand.net, BATCH));
    must(bp_trainer_set_class_weights(s.trainer, by_class ? class_weights : NULL));
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.1));
    must(bp_optimizer_set(hand.opt, BP_OPTIMIZER_LEARNING_RATE, 0.1));
    set(&s, BP_TRAINER_EPOCHS, EPOCHS);
    set(&s, BP_TRAINER_BATCH_SIZE, (double)batch);
    run(&s, BP_STOP_EPOCHS);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        double sum = 0, got = history(&s, BP_HISTORY_TRAINING_LOSS, epoch);
        must(bp_random_permutation(0, epoch, SAMPLES, order));
        for (size_t first = 0; first < SAMPLES; first += batch) {
            sum += step_by_hand(&hand, ws, data, SAMPLES - first < batch ? SAMPLES - first : batch, order + first, by_class);
        }
        if (!(fabs(sum / SAMPLES - got) <= tolerance * got)) {
            fail_msg("%s, batch %zu, epoch %zu: loss %.17g, got %.17g", what, batch, epoch, sum / SAMPLES, got);
        }
    }
    real *theta = parameters(s.net), *expected = parameters(hand.net);
    for (size_t i = 0; i < n_parameters; i++) {
        if (!(fabs((double)(theta[i] - expected[i])) <= tolerance)) {
            fail_msg("%s, batch %zu: theta[%zu] is %.17g, by hand %.17g", what, batch, i, (double)theta[i], (double)expected[i]);
        }
    }
    free(theta);
    free(expected);
    bp_workspace_destroy(ws);
    close_session(&s);
    close_session(&hand);
}

static void test_weights_by_hand(void **state)
{
    (void)state;
    const size_t batches[] = {1, 7, BATCH};
    bp_dataset *classes = make_classes(SAMPLES, 1), *curves = make_curves(SAMPLES, 2);
    for (size_t i = 0; i < 3; i++) {
        must(bp_dataset_set_weights(classes, NULL));
        check_by_hand("class weights", classes, true, batches[i]);
        weigh(classes);
        check_by_hand("weights of samples", classes, false, batches[i]);
        check_by_hand("both", classes, true, batches[i]);
        weigh(curves);
        check_by_hand("regression", curves, false, batches[i]);
    }
    bp_dataset_destroy(classes);
    bp_dataset_destroy(curves);
}

static void same_parameters(const char *what, const session *a, const session *b)
{
    real *theta_a = parameters(a->net), *theta_b = parameters(b->net);
    bool same = memcmp(theta_a, theta_b, bp_net_parameter_count(a->net) * sizeof *theta_a) == 0;
    free(theta_a);
    free(theta_b);
    if (!same) {
        fail_msg("%s: not the same parameters", what);
    }
}

/* With weight 0 a class's samples can be anything. */
static void test_class_without_weight(void **state)
{
    (void)state;
    const double weights[CLASSES] = {1, 0, 2}, batches[] = {1, BATCH};
    const real *x;
    bp_dataset *data = make_classes(SAMPLES, 1), *other;
    real *changed = malloc(SAMPLES * INPUTS * sizeof *changed);
    const uint32_t *classes = bp_dataset_classes(data);
    must(REAL(bp_dataset_inputs)(data, &x));
    for (size_t i = 0; i < SAMPLES * INPUTS; i++) {
        changed[i] = classes[i / INPUTS] == 1 ? (real)number(i) : x[i];
    }
    must(REAL(bp_dataset_create_classes)(&other, SAMPLES, INPUTS, CLASSES, changed, classes));
    for (size_t i = 0; i < 2; i++) {
        session a = open_session(data, BP_METHOD_ADAM, 3), b = open_session(other, BP_METHOD_ADAM, 3);
        session *both[] = {&a, &b};
        for (int k = 0; k < 2; k++) {
            must(bp_trainer_set_class_weights(both[k]->trainer, weights));
            set(both[k], BP_TRAINER_EPOCHS, EPOCHS);
            set(both[k], BP_TRAINER_BATCH_SIZE, batches[i]);
            run(both[k], BP_STOP_EPOCHS);
        }
        same_parameters("weight 0", &a, &b);
        must(bp_trainer_set_class_weights(a.trainer, NULL)); /* and with weights taken away it is not so */
        must(bp_trainer_set_class_weights(b.trainer, NULL));
        set(&a, BP_TRAINER_EPOCHS, EPOCHS + 1);
        set(&b, BP_TRAINER_EPOCHS, EPOCHS + 1);
        run(&a, BP_STOP_EPOCHS);
        run(&b, BP_STOP_EPOCHS);
        assert_true(history(&a, BP_HISTORY_TRAINING_LOSS, EPOCHS) != history(&b, BP_HISTORY_TRAINING_LOSS, EPOCHS));
        close_session(&a);
        close_session(&b);
    }
    free(changed);
    bp_dataset_destroy(data);
    bp_dataset_destroy(other);
}

/* Smoothed targets in a set of their own. */
static void test_label_smoothing(void **state)
{
    (void)state;
    const real s = (real)0.1;
    const real *x, *z;
    bp_dataset *data = make_classes(SAMPLES, 1), *smoothed;
    real smooth[SAMPLES * CLASSES];
    must(REAL(bp_dataset_inputs)(data, &x));
    must(REAL(bp_dataset_targets)(data, &z));
    for (size_t i = 0; i < SAMPLES * CLASSES; i++) {
        smooth[i] = (1 - s) * z[i] + s / CLASSES;
    }
    must(REAL(bp_dataset_create)(&smoothed, SAMPLES, INPUTS, CLASSES, x, smooth));
    for (int c = 0; c < 8; c++) {
        session a = open_session(data, BP_METHOD_ADAM, 3), b = open_session(data, BP_METHOD_ADAM, 3);
        bp_trainer_destroy(b.trainer);
        must(bp_trainer_create(&b.trainer, b.net, b.opt, BP_LOSS_CROSS_ENTROPY, smoothed));
        session *both[] = {&a, &b};
        for (int k = 0; k < 2; k++) {
            set(both[k], BP_TRAINER_EPOCHS, EPOCHS);
            set(both[k], BP_TRAINER_BATCH_SIZE, c % 4 == 0 ? 1 : c % 4 == 1 ? 7 : c % 4 == 2 ? BATCH : SAMPLES);
            set(both[k], BP_TRAINER_SHUFFLE, c / 4);
        }
        set(&a, BP_TRAINER_LABEL_SMOOTHING, 0.1);
        run(&a, BP_STOP_EPOCHS);
        run(&b, BP_STOP_EPOCHS);
        same_parameters("smoothed", &a, &b);
        for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
            assert_true(history(&a, BP_HISTORY_TRAINING_LOSS, epoch) == history(&b, BP_HISTORY_TRAINING_LOSS, epoch));
        }
        close_session(&a);
        close_session(&b);
    }
    bp_dataset_destroy(data);
    bp_dataset_destroy(smoothed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_by_hand),
        cmocka_unit_test(test_class_without_weight),
        cmocka_unit_test(test_label_smoothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
