/* The trainer is the same loop by hand, bit for bit: any method, batch size and order, with what is measured at each epoch's end. */
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 300, EPOCHS = 3, SEED = 5 };

/* Of a mean of on-line learning, which is rounded to an element. */
static const double tolerance = REAL_DTYPE == BP_F32 ? 1e-6 : 1e-14;

static bp_dataset *training, *validation;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(100, 2);
    return 0;
}

static int free_data(void **state)
{
    (void)state;
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return 0;
}

/* What the loop by hand has besides a session. */
typedef struct loop {
    bp_workspace *ws;
    size_t batch;
    bool shuffles;
    size_t order[SAMPLES];
    real x[SAMPLES * INPUTS], z[SAMPLES * CLASSES];
} loop;

/* Sum of the losses of the samples of a step, or of on-line learning. */
static double train(const loop *hand, const session *s, size_t n)
{
    real mean;
    if (hand->batch == 1 && bp_optimizer_method(s->opt) != BP_METHOD_LBFGS) {
        must(REAL(bp_net_train_online)(s->net, hand->ws, s->opt, BP_LOSS_CROSS_ENTROPY, n, hand->x, hand->z, &mean));
    } else {
        must(REAL(bp_net_train_step)(s->net, hand->ws, s->opt, BP_LOSS_CROSS_ENTROPY, n, hand->x, hand->z, &mean));
    }
    return (double)mean * (double)n;
}

/* An epoch; the mean loss of its steps. */
static double run_epoch(loop *hand, const session *s, uint64_t epoch)
{
    bool whole = bp_optimizer_method(s->opt) == BP_METHOD_LBFGS;
    size_t step = hand->batch == 1 || whole ? SAMPLES : hand->batch;
    double sum = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        hand->order[i] = i;
    }
    if (hand->shuffles && !whole) {
        must(bp_random_permutation(SEED, epoch, SAMPLES, hand->order));
    }
    for (size_t first = 0; first < SAMPLES; first += step) {
        size_t n = SAMPLES - first < step ? SAMPLES - first : step;
        must(REAL(bp_dataset_gather)(training, n, hand->order + first, hand->x, hand->z));
        sum += train(hand, s, n);
    }
    return sum / SAMPLES;
}

static void expect_metrics(const char *what, const session *s, bp_history first, size_t epoch, const double *expected)
{
    for (int m = 0; m < METRICS; m++) {
        double got = history(s, (bp_history)(first + (bp_history)m), epoch);
        if (!same_number(expected[m], got)) {
            fail_msg("%s, epoch %zu: expected %s %.17g, got %.17g", what, epoch, bp_history_name((bp_history)(first + (bp_history)m)),
                     expected[m], got);
        }
    }
}

static void compare(bp_method method, size_t batch, bool shuffles, bool measures_training)
{
    static loop hand;
    char what[80];
    session a = open_session(training, method, 3), b = open_session(training, method, 3);
    size_t whole = bp_optimizer_method(a.opt) == BP_METHOD_LBFGS ? SAMPLES : batch, n = bp_net_parameter_count(a.net);
    sprintf(what, "%s, batch %zu, shuffle %d", bp_method_name(method), batch, shuffles);
    hand.batch = batch;
    hand.shuffles = shuffles;
    must(bp_workspace_create(&hand.ws, b.net, whole < 64 ? 64 : whole)); /* losses are summed by its batches */
    set(&a, BP_TRAINER_EPOCHS, EPOCHS);
    set(&a, BP_TRAINER_BATCH_SIZE, (double)batch);
    set(&a, BP_TRAINER_SEED, SEED);
    set(&a, BP_TRAINER_SHUFFLE, shuffles);
    set(&a, BP_TRAINER_TOP_K, 2);
    set(&a, BP_TRAINER_TRAINING_METRICS, measures_training);
    must(bp_trainer_set_validation(a.trainer, validation));
    run(&a, BP_STOP_EPOCHS);
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        double metrics[METRICS], mean = run_epoch(&hand, &b, epoch), got = history(&a, BP_HISTORY_TRAINING_LOSS, epoch);
        must(bp_net_evaluate(b.net, hand.ws, BP_LOSS_CROSS_ENTROPY, validation, 2, METRICS, metrics, NULL));
        expect_metrics(what, &a, BP_HISTORY_VALIDATION_LOSS, epoch, metrics);
        if (measures_training) {
            must(bp_net_evaluate(b.net, hand.ws, BP_LOSS_CROSS_ENTROPY, training, 2, METRICS, metrics, NULL));
            expect_metrics(what, &a, BP_HISTORY_TRAINING_LOSS, epoch, metrics);
        } else if (!(fabs(mean - got) <= (batch == 1 ? tolerance * mean : 0))) {
            fail_msg("%s, epoch %llu: mean loss %.17g, got %.17g", what, (unsigned long long)epoch, mean, got);
        }
    }
    real *theta_a = parameters(a.net), *theta_b = parameters(b.net);
    if (memcmp(theta_a, theta_b, n * sizeof *theta_a) != 0 || bp_optimizer_step_count(a.opt) != bp_optimizer_step_count(b.opt)) {
        fail_msg("%s: other parameters or steps", what);
    }
    free(theta_a);
    free(theta_b);
    bp_workspace_destroy(hand.ws);
    close_session(&a);
    close_session(&b);
}

static void test_loop_by_hand(void **state)
{
    (void)state;
    const size_t batches[] = {1, 7, 32, 299, SAMPLES};
    for (int method = 0; method <= BP_METHOD_CUSTOM; method++) {
        for (size_t i = 0; has_method((bp_method)method) && i < 5; i++) {
            compare((bp_method)method, batches[i], i % 2 == 0, true);
            compare((bp_method)method, batches[i], i % 2 == 1, false);
        }
    }
}

/* With dropout, noise and a clipped gradient. */
static void test_regularized_loop(void **state)
{
    (void)state;
    static loop hand;
    for (size_t batch = 1; batch <= 33; batch += 16) {
        session s[2];
        for (int i = 0; i < 2; i++) {
            s[i] = open_session(training, BP_METHOD_ADAM, 3);
            must(bp_net_set_dropout(s[i].net, 0, 0.3));
            must(bp_net_set_input_noise(s[i].net, 0.1));
            must(bp_optimizer_set(s[i].opt, BP_OPTIMIZER_CLIP_NORM, 0.5));
            must(bp_optimizer_set_seed(s[i].opt, 9));
        }
        set(&s[0], BP_TRAINER_EPOCHS, EPOCHS);
        set(&s[0], BP_TRAINER_BATCH_SIZE, (double)batch);
        set(&s[0], BP_TRAINER_SEED, SEED);
        run(&s[0], BP_STOP_EPOCHS);
        hand.batch = batch;
        hand.shuffles = true;
        must(bp_workspace_create(&hand.ws, s[1].net, batch));
        for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
            run_epoch(&hand, &s[1], epoch);
        }
        real *theta_a = parameters(s[0].net), *theta_b = parameters(s[1].net);
        assert_memory_equal(theta_a, theta_b, bp_net_parameter_count(s[0].net) * sizeof *theta_a);
        free(theta_a);
        free(theta_b);
        bp_workspace_destroy(hand.ws);
        close_session(&s[0]);
        close_session(&s[1]);
    }
}

/* A set of one sample, whatever the method. */
static void test_one_sample(void **state)
{
    (void)state;
    bp_dataset *one = make_curves(1, 1);
    for (int method = 0; method <= BP_METHOD_CUSTOM; method++) {
        if (has_method((bp_method)method)) {
            session s = open_session(one, (bp_method)method, 3);
            double batch;
            must(bp_trainer_get(s.trainer, BP_TRAINER_BATCH_SIZE, &batch));
            assert_true(batch == 1);
            set(&s, BP_TRAINER_EPOCHS, 20);
            run(&s, BP_STOP_EPOCHS);
            double first = history(&s, BP_HISTORY_TRAINING_LOSS, 0), last = history(&s, BP_HISTORY_TRAINING_LOSS, 19);
            if (!(last < first)) {
                fail_msg("%s does not learn: %g, %g", bp_method_name((bp_method)method), first, last);
            }
            assert_true(isnan(history(&s, BP_HISTORY_TRAINING_RMSE, 0)));
            close_session(&s);
        }
    }
    bp_dataset_destroy(one);
}

/* What is known of an epoch of regression; and of learning rates. */
static void test_history(void **state)
{
    (void)state;
    bp_dataset *curves = make_curves(100, 1);
    session s = open_session(curves, BP_METHOD_SGD, 3);
    double value;
    assert_int_equal(bp_trainer_epoch_count(s.trainer), 0);
    assert_true(bp_trainer_best_epoch(s.trainer) == SIZE_MAX);
    set(&s, BP_TRAINER_EPOCHS, 4);
    set(&s, BP_TRAINER_TRAINING_METRICS, 1);
    run(&s, BP_STOP_EPOCHS);
    assert_int_equal(bp_trainer_epoch_count(s.trainer), 4);
    for (size_t epoch = 0; epoch < 4; epoch++) {
        assert_true(history(&s, BP_HISTORY_LEARNING_RATE, epoch) == 0.01 && history(&s, BP_HISTORY_SECONDS, epoch) > 0);
        assert_true(isfinite(history(&s, BP_HISTORY_TRAINING_LOSS, epoch)) && isfinite(history(&s, BP_HISTORY_TRAINING_R2, epoch)));
        assert_true(isnan(history(&s, BP_HISTORY_TRAINING_ACCURACY, epoch)) && isnan(history(&s, BP_HISTORY_TRAINING_TOP_K, epoch)));
        assert_true(isnan(history(&s, BP_HISTORY_VALIDATION_LOSS, epoch)) && isnan(history(&s, BP_HISTORY_VALIDATION_R2, epoch)));
    }
    REFUSED(bp_trainer_history(s.trainer, BP_HISTORY_SECONDS, 4, &value), BP_ERROR_ARGUMENT, "epoch is 4; 4 are complete");
    close_session(&s);
    bp_dataset_destroy(curves);
    if (has_method(BP_METHOD_LBFGS)) {
        s = open_session(training, BP_METHOD_LBFGS, 3);
        set(&s, BP_TRAINER_EPOCHS, 1);
        run(&s, BP_STOP_EPOCHS);
        assert_true(isnan(history(&s, BP_HISTORY_LEARNING_RATE, 0)));
        close_session(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop_by_hand),
        cmocka_unit_test(test_regularized_loop),
        cmocka_unit_test(test_one_sample),
        cmocka_unit_test(test_history),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
