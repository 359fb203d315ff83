/* A run that is stopped and goes on is a run without a stop, bit for bit; and each reason to stop. */
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 300 };

static bp_dataset *training, *validation;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(60, 2);
    return 0;
}

static int free_data(void **state)
{
    (void)state;
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return 0;
}

/* Stops behind every so many calls. */
typedef struct stopper {
    int every, calls;
} stopper;

static int stop_sometimes(void *context, const bp_progress *progress)
{
    stopper *s = context;
    (void)progress;
    return ++s->calls % s->every == 0;
}

static void prepare(session *s, bp_method method, double batch)
{
    *s = open_session(training, method, 3);
    must(bp_trainer_set_validation(s->trainer, validation));
    must(bp_net_set_dropout(s->net, 0, 0.2));
    set(s, BP_TRAINER_EPOCHS, 4);
    set(s, BP_TRAINER_BATCH_SIZE, batch);
    set(s, BP_TRAINER_PATIENCE, 3);
    set(s, BP_TRAINER_RESTORE_BEST, batch > 1);
}

static void test_stop_and_go_on(void **state)
{
    (void)state;
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_ADAM, BP_METHOD_IRPROP_MINUS, BP_METHOD_CUSTOM};
    const double batches[] = {1, 32, 300};
    const int every[] = {1, 2, 3, 5, 10, 11};
    char what[80];
    for (size_t c = 0; c < 4 * 3 * 6; c++) {
        session whole, parts;
        stopper stopper = {.every = every[c % 6]};
        bp_method method = methods[c / 18];
        double batch = batches[c / 6 % 3];
        prepare(&whole, method, batch);
        prepare(&parts, method, batch);
        must(bp_trainer_run(whole.trainer));
        must(bp_trainer_set_progress(parts.trainer, stop_sometimes, &stopper, BP_PROGRESS_BATCH));
        int stops = 0;
        do {
            must(bp_trainer_run(parts.trainer));
        } while (bp_trainer_stop(parts.trainer) == BP_STOP_CALLBACK && ++stops < 1000);
        sprintf(what, "%s, batch %g, stopped every %d calls", bp_method_name(method), batch, every[c % 6]);
        assert_int_equal(bp_trainer_stop(parts.trainer), bp_trainer_stop(whole.trainer));
        int batches_each = batch == 1 ? 2 : batch == 32 ? 10 : 1;
        assert_int_equal(stopper.calls, batches_each * (int)bp_trainer_epoch_count(parts.trainer));
        assert_int_equal(stops, stopper.calls / stopper.every);
        expect_same(what, &whole, &parts);
        close_session(&whole);
        close_session(&parts);
    }
}

/* Parameters at each epoch's end. */
typedef struct keeper {
    const session *s;
    real *theta[100];
} keeper;

static int keep(void *context, const bp_progress *progress)
{
    keeper *k = context;
    k->theta[progress->epoch - 1] = parameters(k->s->net);
    return 0;
}

static void expect_parameters(const char *what, const session *s, const real *expected)
{
    real *theta = parameters(s->net);
    bool same = memcmp(theta, expected, bp_net_parameter_count(s->net) * sizeof *theta) == 0;
    free(theta);
    if (!same) {
        fail_msg("%s: other parameters", what);
    }
}

/* The epoch best by a column, and the one at which patience ends, counted by hand. */
static size_t judge(const session *s, bp_history column, bool more_is_better, double margin, size_t patience, size_t *last)
{
    size_t best = 0;
    for (*last = 1; *last < bp_trainer_epoch_count(s->trainer); ++*last) {
        double value = history(s, column, *last), so_far = history(s, column, best);
        if (more_is_better ? value > so_far + margin : value < so_far - margin) {
            best = *last;
        } else if (*last - best >= patience) {
            break;
        }
    }
    return best;
}

static void check_patience(bp_metric monitor, bool validates, double margin, size_t patience)
{
    keeper keeper = {0};
    bool more_is_better = monitor != BP_METRIC_LOSS && monitor != BP_METRIC_RMSE;
    bp_dataset *samples = make_curves(40, 3), *others = make_curves(40, 4);
    bool classes = monitor == BP_METRIC_ACCURACY || monitor == BP_METRIC_LOSS;
    bp_history column = (bp_history)((validates ? BP_HISTORY_VALIDATION_LOSS : BP_HISTORY_TRAINING_LOSS) + (int)monitor);
    session s = open_session(classes ? training : samples, BP_METHOD_ADAM, 5),
            forever = open_session(classes ? training : samples, BP_METHOD_ADAM, 5);
    session *both[] = {&s, &forever};
    for (int i = 0; i < 2; i++) {
        must(bp_trainer_set_validation(both[i]->trainer, !validates ? NULL : classes ? validation : others));
        must(bp_optimizer_set(both[i]->opt, BP_OPTIMIZER_LEARNING_RATE, 0.1));
        set(both[i], BP_TRAINER_EPOCHS, 60);
        set(both[i], BP_TRAINER_TRAINING_METRICS, 1);
        set(both[i], BP_TRAINER_MONITOR, monitor);
        set(both[i], BP_TRAINER_MINIMUM_IMPROVEMENT, margin);
    }
    set(&s, BP_TRAINER_PATIENCE, (double)patience);
    keeper.s = &forever;
    must(bp_trainer_set_progress(forever.trainer, keep, &keeper, BP_PROGRESS_EPOCH));
    run(&forever, BP_STOP_EPOCHS);
    size_t last, best = judge(&forever, column, more_is_better, margin, patience, &last);
    assert_true(best < last && last < 59); /* or the case shows nothing */
    run(&s, BP_STOP_PATIENCE);
    assert_int_equal(bp_trainer_epoch_count(s.trainer), last + 1);
    assert_int_equal(bp_trainer_best_epoch(s.trainer), best);
    expect_parameters(bp_metric_name(monitor), &s, keeper.theta[best]);

    /* another PATIENCE epochs, from the latest parameters */
    must(bp_trainer_run(s.trainer));
    if (bp_trainer_best_epoch(s.trainer) == best) {
        assert_int_equal(bp_trainer_epoch_count(s.trainer), last + 1 + patience < 60 ? last + 1 + patience : 60);
    }
    while (bp_trainer_stop(s.trainer) == BP_STOP_PATIENCE && bp_trainer_epoch_count(s.trainer) < 60) {
        must(bp_trainer_run(s.trainer));
    }
    expect_parameters("best of all", &s, keeper.theta[bp_trainer_best_epoch(s.trainer)]);
    set(&s, BP_TRAINER_RESTORE_BEST, 0);
    must(bp_trainer_run(s.trainer));
    expect_same("went on", &forever, &s);
    for (int i = 0; i < 60; i++) {
        free(keeper.theta[i]);
    }
    close_session(&s);
    close_session(&forever);
    bp_dataset_destroy(samples);
    bp_dataset_destroy(others);
}

static void test_patience(void **state)
{
    (void)state;
    check_patience(BP_METRIC_LOSS, true, 0, 3);
    check_patience(BP_METRIC_LOSS, true, 0.01, 5);
    check_patience(BP_METRIC_ACCURACY, true, 0, 6);
    check_patience(BP_METRIC_ACCURACY, false, 0.02, 2);
    check_patience(BP_METRIC_R2, true, 0, 4);
    check_patience(BP_METRIC_R2, false, 0.001, 3);
    check_patience(BP_METRIC_RMSE, true, 0, 4);
}

/* Without RESTORE_BEST the net has its latest parameters, also when patience ends. */
static void test_latest_parameters(void **state)
{
    (void)state;
    keeper keeper = {0};
    session s = open_session(training, BP_METHOD_ADAM, 5);
    keeper.s = &s;
    must(bp_trainer_set_validation(s.trainer, validation));
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.1));
    set(&s, BP_TRAINER_PATIENCE, 3);
    set(&s, BP_TRAINER_RESTORE_BEST, 0);
    must(bp_trainer_set_progress(s.trainer, keep, &keeper, BP_PROGRESS_EPOCH));
    run(&s, BP_STOP_PATIENCE);
    size_t n = bp_trainer_epoch_count(s.trainer);
    assert_int_equal(bp_trainer_best_epoch(s.trainer) + 4, n);
    expect_parameters("latest", &s, keeper.theta[n - 1]);
    for (size_t i = 0; i < n; i++) {
        free(keeper.theta[i]);
    }
    close_session(&s);
}

/* With another MONITOR epochs are compared by it: a loss is no accuracy. */
static void test_another_monitor(void **state)
{
    (void)state;
    session s = open_session(training, BP_METHOD_ADAM, 5);
    must(bp_trainer_set_validation(s.trainer, validation));
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.001));
    set(&s, BP_TRAINER_EPOCHS, 2);
    run(&s, BP_STOP_EPOCHS);
    assert_int_equal(bp_trainer_best_epoch(s.trainer), 1);
    assert_true(history(&s, BP_HISTORY_VALIDATION_LOSS, 1) > 1); /* which no accuracy is above */
    set(&s, BP_TRAINER_MONITOR, BP_METRIC_ACCURACY);
    set(&s, BP_TRAINER_EPOCHS, 30);
    run(&s, BP_STOP_EPOCHS);
    size_t best = 1;
    for (size_t epoch = 2; epoch < 30; epoch++) {
        best = history(&s, BP_HISTORY_VALIDATION_ACCURACY, epoch) > history(&s, BP_HISTORY_VALIDATION_ACCURACY, best) ? epoch : best;
    }
    assert_int_equal(bp_trainer_best_epoch(s.trainer), best);

    /* and where the best epoch has no value, anew */
    must(bp_trainer_set_validation(s.trainer, NULL));
    set(&s, BP_TRAINER_TRAINING_METRICS, 1);
    set(&s, BP_TRAINER_EPOCHS, 31);
    run(&s, BP_STOP_EPOCHS);
    assert_int_equal(bp_trainer_best_epoch(s.trainer), 30);
    close_session(&s);
}

static void test_target(void **state)
{
    (void)state;
    const struct {
        bp_metric monitor;
        bp_history column;
        double target;
    } cases[] = {{BP_METRIC_ACCURACY, BP_HISTORY_VALIDATION_ACCURACY, 0.8}, {BP_METRIC_LOSS, BP_HISTORY_VALIDATION_LOSS, 0.6}};
    for (size_t c = 0; c < 2; c++) {
        session s = open_session(training, BP_METHOD_ADAM, 5);
        must(bp_trainer_set_validation(s.trainer, validation));
        must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.01));
        set(&s, BP_TRAINER_MONITOR, cases[c].monitor);
        set(&s, BP_TRAINER_TARGET, cases[c].target);
        run(&s, BP_STOP_TARGET);
        size_t n = bp_trainer_epoch_count(s.trainer);
        assert_in_range(n, 2, 99);
        for (size_t epoch = 0; epoch < n; epoch++) {
            double value = history(&s, cases[c].column, epoch);
            bool reached = c == 0 ? value >= cases[c].target : value <= cases[c].target;
            assert_int_equal(reached, epoch + 1 == n);
        }
        /* the same value again is as good as the target */
        double reached = history(&s, cases[c].column, n - 1);
        session again = open_session(training, BP_METHOD_ADAM, 5);
        must(bp_trainer_set_validation(again.trainer, validation));
        must(bp_optimizer_set(again.opt, BP_OPTIMIZER_LEARNING_RATE, 0.01));
        set(&again, BP_TRAINER_MONITOR, cases[c].monitor);
        set(&again, BP_TRAINER_TARGET, reached);
        run(&again, BP_STOP_TARGET);
        assert_int_equal(bp_trainer_epoch_count(again.trainer), n);
        set(&again, BP_TRAINER_TARGET, (double)INFINITY);
        run(&again, BP_STOP_EPOCHS);
        close_session(&again);
        close_session(&s);
    }
}

static void test_epochs(void **state)
{
    (void)state;
    session s = open_session(training, BP_METHOD_MOMENTUM, 5), whole = open_session(training, BP_METHOD_MOMENTUM, 5);
    real *theta = parameters(s.net);
    assert_int_equal(bp_trainer_stop(s.trainer), BP_STOP_NONE);
    set(&s, BP_TRAINER_EPOCHS, 0);
    run(&s, BP_STOP_EPOCHS);
    expect_parameters("no epoch", &s, theta);
    assert_int_equal(bp_trainer_epoch_count(s.trainer), 0);
    const double epochs[] = {1, 3, 3, 2, 80};
    for (size_t i = 0; i < 5; i++) {
        set(&s, BP_TRAINER_EPOCHS, epochs[i]);
        run(&s, BP_STOP_EPOCHS);
    }
    set(&whole, BP_TRAINER_EPOCHS, 80);
    run(&whole, BP_STOP_EPOCHS);
    expect_same("in parts", &whole, &s);
    free(theta);
    close_session(&s);
    close_session(&whole);
}

/* Each run makes a batch at least, and together they come to the same bits. */
static void test_time_limit(void **state)
{
    (void)state;
    const double batches[] = {1, 32};
    for (size_t i = 0; i < 2; i++) {
        session s, whole;
        prepare(&s, BP_METHOD_ADAM, batches[i]);
        prepare(&whole, BP_METHOD_ADAM, batches[i]);
        run(&whole, BP_STOP_EPOCHS);
        set(&s, BP_TRAINER_TIME_LIMIT, 1e-9);
        int runs = 0;
        do {
            must(bp_trainer_run(s.trainer));
        } while (bp_trainer_stop(s.trainer) == BP_STOP_TIME && ++runs < 1000);
        assert_int_equal(bp_trainer_stop(s.trainer), BP_STOP_EPOCHS);
        assert_int_equal(runs, batches[i] == 1 ? 8 : 40);
        expect_same("by time", &whole, &s);
        close_session(&s);
        close_session(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_and_go_on),  cmocka_unit_test(test_patience), cmocka_unit_test(test_latest_parameters),
        cmocka_unit_test(test_another_monitor), cmocka_unit_test(test_target),   cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_time_limit),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
