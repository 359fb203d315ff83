/* What a trainer refuses: bad arguments, and calls from within its own progress function. Each has its status and sentence, and changes nothing. */
#include "data/dataset.h"
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 40 };

static bp_dataset *classes, *curves;

static int make_data(void **state)
{
    (void)state;
    classes = make_classes(SAMPLES, 1);
    curves = make_curves(SAMPLES, 2);
    return 0;
}

static int free_data(void **state)
{
    bp_dataset_destroy(classes);
    bp_dataset_destroy(curves);
    return remove_files(state);
}

static void test_null(void **state)
{
    (void)state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    session s = open_session(classes, BP_METHOD_SGD, 3);
    bp_trainer *trainer = NULL;
    bp_trainer_setting setting;
    bp_stop stop;
    bp_history column;
    double value;
    REFUSED(bp_trainer_create(NULL, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, classes), argument, "trainer is NULL");
    REFUSED(bp_trainer_create(&trainer, NULL, s.opt, BP_LOSS_CROSS_ENTROPY, classes), argument, "net is NULL");
    REFUSED(bp_trainer_create(&trainer, s.net, NULL, BP_LOSS_CROSS_ENTROPY, classes), argument, "opt is NULL");
    REFUSED(bp_trainer_create(&trainer, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, NULL), argument, "training is NULL");
    assert_null(trainer);
    REFUSED(bp_trainer_set(NULL, BP_TRAINER_EPOCHS, 1), argument, "trainer is NULL");
    REFUSED(bp_trainer_get(NULL, BP_TRAINER_EPOCHS, &value), argument, "trainer is NULL");
    REFUSED(bp_trainer_get(s.trainer, BP_TRAINER_EPOCHS, NULL), argument, "value is NULL");
    REFUSED(bp_trainer_set_validation(NULL, classes), argument, "trainer is NULL");
    REFUSED(bp_trainer_set_class_weights(NULL, NULL), argument, "trainer is NULL");
    REFUSED(bp_trainer_set_schedule(NULL, NULL), argument, "trainer is NULL");
    REFUSED(bp_trainer_set_progress(NULL, NULL, NULL, BP_PROGRESS_EPOCH), argument, "trainer is NULL");
    REFUSED(bp_trainer_run(NULL), argument, "trainer is NULL");
    REFUSED(bp_trainer_history(NULL, BP_HISTORY_SECONDS, 0, &value), argument, "trainer is NULL");
    REFUSED(bp_trainer_history(s.trainer, BP_HISTORY_SECONDS, 0, NULL), argument, "value is NULL");
    REFUSED(bp_trainer_write_history(NULL, file_path("file")), argument, "trainer is NULL");
    REFUSED(bp_trainer_write_history(s.trainer, NULL), argument, "path is NULL");
    REFUSED(bp_trainer_save(NULL, file_path("file")), argument, "trainer is NULL");
    REFUSED(bp_trainer_save(s.trainer, NULL), argument, "path is NULL");
    REFUSED(bp_trainer_load(NULL, file_path("file")), argument, "trainer is NULL");
    REFUSED(bp_trainer_load(s.trainer, NULL), argument, "path is NULL");
    REFUSED(bp_trainer_setting_from_name(NULL, &setting), argument, "name is NULL");
    REFUSED(bp_trainer_setting_from_name("epochs", NULL), argument, "NULL");
    REFUSED(bp_stop_from_name(NULL, &stop), argument, "name is NULL");
    REFUSED(bp_history_from_name(NULL, &column), argument, "name is NULL");
    assert_int_equal(bp_trainer_stop(NULL), BP_STOP_NONE);
    assert_int_equal(bp_trainer_epoch_count(NULL), 0);
    assert_true(bp_trainer_best_epoch(NULL) == SIZE_MAX);
    bp_trainer_destroy(NULL);
    close_session(&s);
}

/* Each setting: its ends, and what is beyond them. */
static void test_settings(void **state)
{
    (void)state;
    const double infinity = (double)INFINITY, whole = 0x1p53;
    const struct {
        bp_trainer_setting setting;
        double initial, minimum, maximum;
        bool is_whole;
    } cases[] = {
        {BP_TRAINER_EPOCHS, 100, 0, whole, true},
        {BP_TRAINER_BATCH_SIZE, 32, 1, SAMPLES, true},
        {BP_TRAINER_SEED, 0, 0, whole, true},
        {BP_TRAINER_SHUFFLE, 1, 0, 1, true},
        {BP_TRAINER_THREADS, 1, 1, 1024, true},
        {BP_TRAINER_LABEL_SMOOTHING, 0, 0, 0.99, false},
        {BP_TRAINER_MONITOR, BP_METRIC_LOSS, 0, BP_METRIC_R2, true},
        {BP_TRAINER_PATIENCE, 0, 0, whole, true},
        {BP_TRAINER_MINIMUM_IMPROVEMENT, 0, 0, DBL_MAX, false},
        {BP_TRAINER_RESTORE_BEST, 1, 0, 1, true},
        {BP_TRAINER_TARGET, infinity, -infinity, infinity, false},
        {BP_TRAINER_TIME_LIMIT, 0, 0, DBL_MAX, false},
        {BP_TRAINER_TOP_K, 3, 1, whole, true},
        {BP_TRAINER_TRAINING_METRICS, 0, 0, 1, true},
        {BP_TRAINER_HALVINGS, 0, 0, whole, true},
    };
    session s = open_session(classes, BP_METHOD_SGD, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bp_trainer_setting setting = cases[i].setting;
        const char *name = bp_trainer_setting_name(setting);
        double minimum = cases[i].minimum, maximum = cases[i].maximum, value;
        const double bad[] = {(double)NAN, nextafter(minimum, -infinity), nextafter(maximum, infinity), -infinity, infinity, minimum + 0.5};
        must(bp_trainer_get(s.trainer, setting, &value));
        assert_true(value == cases[i].initial);
        must(bp_trainer_set(s.trainer, setting, minimum));
        must(bp_trainer_set(s.trainer, setting, maximum));
        for (size_t k = 0; k < 6; k++) {
            bool is_bad = isnan(bad[k]) || bad[k] < minimum || bad[k] > maximum || (cases[i].is_whole && bad[k] != floor(bad[k]));
            if (is_bad) {
                char word[80];
                sprintf(word, "bp_trainer_set: %s is ", name);
                REFUSED(bp_trainer_set(s.trainer, setting, bad[k]), BP_ERROR_ARGUMENT, word);
            }
        }
        must(bp_trainer_get(s.trainer, setting, &value));
        assert_true(value == maximum);
    }
    REFUSED(bp_trainer_set(s.trainer, BP_TRAINER_BATCH_SIZE, 41), BP_ERROR_ARGUMENT,
            "batch_size is 41; it can be 1 to 40, the number of samples");
    close_session(&s);
}

static void test_unknown_values(void **state)
{
    (void)state;
    session s = open_session(classes, BP_METHOD_SGD, 3);
    const int bad[] = {-1, 15, 1000};
    double value = 7;
    bp_trainer *trainer = NULL;
    for (size_t i = 0; i < 3; i++) {
        REFUSED(bp_trainer_set(s.trainer, (bp_trainer_setting)bad[i], 1), BP_ERROR_ARGUMENT, "setting is");
        REFUSED(bp_trainer_get(s.trainer, (bp_trainer_setting)bad[i], &value), BP_ERROR_ARGUMENT, "setting is");
        REFUSED(bp_trainer_history(s.trainer, (bp_history)bad[i], 0, &value), BP_ERROR_ARGUMENT, "column is");
        REFUSED(bp_trainer_set_progress(s.trainer, NULL, NULL, (bp_progress_when)bad[i]), BP_ERROR_ARGUMENT, "when is");
        REFUSED(bp_trainer_create(&trainer, s.net, s.opt, (bp_loss)bad[i], classes), BP_ERROR_ARGUMENT, "loss is");
        assert_null(bp_trainer_setting_name((bp_trainer_setting)bad[i]));
        assert_null(bp_history_name((bp_history)bad[i]));
        assert_null(bp_stop_name((bp_stop)bad[i]));
    }
    assert_true(value == 7 && !trainer);
    close_session(&s);
}

static void test_label_smoothing_of_mse(void **state)
{
    (void)state;
    session s = open_session(curves, BP_METHOD_SGD, 3);
    REFUSED(bp_trainer_set(s.trainer, BP_TRAINER_LABEL_SMOOTHING, 0.1), BP_ERROR_UNSUPPORTED,
            "label_smoothing is for cross_entropy, not mse");
    must(bp_trainer_set(s.trainer, BP_TRAINER_LABEL_SMOOTHING, 0));
    close_session(&s);
}

/* ---- what does not fit the net ---- */

static void refuse_dataset(const char *what, const bp_dataset *data, bp_status status, const char *word)
{
    session s = open_session(classes, BP_METHOD_SGD, 3);
    bp_trainer *trainer = NULL;
    must_refuse(what, bp_trainer_create(&trainer, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, data), status, word);
    must_refuse(what, bp_trainer_set_validation(s.trainer, data), status, word);
    assert_null(trainer);
    close_session(&s);
}

static void test_datasets(void **state)
{
    (void)state;
    static const float x32[SAMPLES * INPUTS];
    static const double x64[SAMPLES * INPUTS];
    static const real x[SAMPLES * 8];
    bp_dataset *data;
    must(REAL(bp_dataset_create)(&data, SAMPLES, INPUTS, 0, x, NULL));
    refuse_dataset("no targets", data, BP_ERROR_ARGUMENT, "no targets");
    bp_dataset_destroy(data);
    must(REAL(bp_dataset_create)(&data, SAMPLES, INPUTS + 1, CLASSES, x, x));
    refuse_dataset("inputs", data, BP_ERROR_ARGUMENT, "6 inputs, the net 5");
    bp_dataset_destroy(data);
    refuse_dataset("outputs", curves, BP_ERROR_ARGUMENT, "2 targets a sample, the net 3 outputs");
    must(REAL_DTYPE == BP_F64 ? bp_dataset_create_f32(&data, SAMPLES, INPUTS, CLASSES, x32, x32)
                              : bp_dataset_create_f64(&data, SAMPLES, INPUTS, CLASSES, x64, x64));
    refuse_dataset("dtype", data, BP_ERROR_DTYPE, "the dataset is f");
    bp_dataset_destroy(data);
    data = bp_dataset_allocate(REAL_DTYPE, SAMPLES, INPUTS, CLASSES, 4); /* from a file of one target column, say */
    refuse_dataset("classes", data, BP_ERROR_ARGUMENT, "4 classes");
    bp_dataset_destroy(data);
}

static void test_net_and_optimizer(void **state)
{
    (void)state;
    session s = open_session(classes, BP_METHOD_SGD, 3), other = open_session(classes, BP_METHOD_SGD, 3);
    bp_trainer *trainer = NULL;
    bp_net *net;
    REFUSED(bp_trainer_create(&trainer, s.net, other.opt, BP_LOSS_CROSS_ENTROPY, classes), BP_ERROR_STATE, "another net");
    REFUSED(bp_trainer_create(&trainer, s.net, s.opt, BP_LOSS_BINARY_CROSS_ENTROPY, classes), BP_ERROR_UNSUPPORTED, "sigmoid, not softmax");
    must(bp_net_create(&net, REAL_DTYPE, INPUTS));
    REFUSED(bp_trainer_create(&trainer, net, s.opt, BP_LOSS_MSE, classes), BP_ERROR_STATE, "not initialized");
    bp_net_destroy(net);
    must(bp_net_set_rule(s.net, BP_RULE_ERROR_SIGNAL));
    REFUSED(bp_trainer_create(&trainer, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, classes), BP_ERROR_UNSUPPORTED, "softmax");
    REFUSED(bp_trainer_run(s.trainer), BP_ERROR_UNSUPPORTED, "bp_trainer_run"); /* it changed behind its back */
    assert_null(trainer);
    close_session(&s);
    close_session(&other);
}

static void test_class_weights(void **state)
{
    (void)state;
    session s = open_session(classes, BP_METHOD_SGD, 3), without = open_session(curves, BP_METHOD_SGD, 3);
    const double bad[] = {-1, (double)NAN, (double)INFINITY, 1e39};
    for (size_t i = 0; i < 4; i++) {
        const double weights[CLASSES] = {1, bad[i], 1};
        REFUSED(bp_trainer_set_class_weights(s.trainer, weights), BP_ERROR_ARGUMENT, "weights[1] is ");
    }
    REFUSED(bp_trainer_set_class_weights(without.trainer, bad), BP_ERROR_STATE, "no classes");
    must(bp_trainer_set_class_weights(without.trainer, NULL));
    close_session(&s);
    close_session(&without);
}

static void test_schedule_of_lbfgs(void **state)
{
    (void)state;
    if (!has_method(BP_METHOD_LBFGS)) {
        skip();
    }
    session s = open_session(classes, BP_METHOD_LBFGS, 3);
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, BP_SCHEDULE_STEP));
    REFUSED(bp_trainer_set_schedule(s.trainer, schedule), BP_ERROR_UNSUPPORTED, "lbfgs has no learning_rate");
    bp_schedule_destroy(schedule);
    close_session(&s);
}

static void test_monitor(void **state)
{
    (void)state;
    bp_dataset *one = make_curves(1, 3);
    session s = open_session(curves, BP_METHOD_SGD, 3), with_classes = open_session(classes, BP_METHOD_SGD, 3);
    const bp_metric of_classes[] = {BP_METRIC_ACCURACY, BP_METRIC_TOP_K};
    for (size_t i = 0; i < 2; i++) {
        set(&s, BP_TRAINER_MONITOR, of_classes[i]);
        REFUSED(bp_trainer_run(s.trainer), BP_ERROR_ARGUMENT, "training set has no classes");
        must(bp_trainer_set_validation(s.trainer, curves));
        REFUSED(bp_trainer_run(s.trainer), BP_ERROR_ARGUMENT, "validation set has no classes");
        must(bp_trainer_set_validation(s.trainer, NULL));
    }
    set(&s, BP_TRAINER_MONITOR, BP_METRIC_R2);
    REFUSED(bp_trainer_run(s.trainer), BP_ERROR_ARGUMENT, "needs a validation set or training_metrics");
    must(bp_trainer_set_validation(s.trainer, one));
    REFUSED(bp_trainer_run(s.trainer), BP_ERROR_ARGUMENT, "one sample");
    set(&with_classes, BP_TRAINER_MONITOR, BP_METRIC_ACCURACY);
    REFUSED(bp_trainer_run(with_classes.trainer), BP_ERROR_ARGUMENT, "needs a validation set or training_metrics");
    assert_int_equal(bp_optimizer_step_count(s.opt) + bp_optimizer_step_count(with_classes.opt), 0);
    set(&with_classes, BP_TRAINER_TRAINING_METRICS, 1);
    run(&with_classes, BP_STOP_EPOCHS);
    close_session(&s);
    close_session(&with_classes);
    bp_dataset_destroy(one);
}

static int stop_at_once(void *context, const bp_progress *progress)
{
    (void)context;
    return progress->epoch == 2;
}

static void test_order_in_mid_epoch(void **state)
{
    (void)state;
    session s = open_session(classes, BP_METHOD_SGD, 3);
    const bp_trainer_setting of_order[] = {BP_TRAINER_BATCH_SIZE, BP_TRAINER_SEED, BP_TRAINER_SHUFFLE};
    set(&s, BP_TRAINER_BATCH_SIZE, 10);
    set(&s, BP_TRAINER_EPOCHS, 3);
    must(bp_trainer_set_progress(s.trainer, stop_at_once, NULL, BP_PROGRESS_BATCH));
    run(&s, BP_STOP_CALLBACK);
    for (size_t i = 0; i < 3; i++) {
        REFUSED(bp_trainer_set(s.trainer, of_order[i], 1), BP_ERROR_STATE, "cannot change in the middle of epoch 2");
    }
    set(&s, BP_TRAINER_EPOCHS, 2);
    must(bp_trainer_set_progress(s.trainer, NULL, NULL, BP_PROGRESS_BATCH));
    run(&s, BP_STOP_EPOCHS);
    for (size_t i = 0; i < 3; i++) {
        set(&s, of_order[i], 1);
    }
    close_session(&s);
}

/* ---- from within the progress function ---- */

typedef struct inside {
    session *s;
    bp_workspace *ws;
    bp_schedule *schedule;
    int calls;
} inside;

static int call_everything(void *context, const bp_progress *progress)
{
    inside *in = context;
    bp_trainer *trainer = in->s->trainer;
    const bp_status state = BP_ERROR_STATE;
    const char *word = "called from within the trainer's own progress function";
    static const double weights[CLASSES] = {1, 2, 3};
    double value;
    real x[INPUTS] = {1}, y[CLASSES];
    REFUSED(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 1), state, word);
    REFUSED(bp_trainer_set_validation(trainer, NULL), state, word);
    REFUSED(bp_trainer_set_class_weights(trainer, weights), state, word);
    REFUSED(bp_trainer_set_schedule(trainer, in->schedule), state, word);
    REFUSED(bp_trainer_set_progress(trainer, NULL, NULL, BP_PROGRESS_EPOCH), state, word);
    REFUSED(bp_trainer_run(trainer), state, word);
    REFUSED(bp_trainer_load(trainer, file_path("before")), state, word);
    must(bp_trainer_get(trainer, BP_TRAINER_EPOCHS, &value)); /* the sentence below is of the call below */
    bp_trainer_destroy(trainer);
    assert_non_null(strstr(bp_last_error(), "bp_trainer_destroy: called from within"));

    /* and this is allowed */
    must(bp_trainer_save(trainer, file_path("inside")));
    must(bp_trainer_get(trainer, BP_TRAINER_EPOCHS, &value));
    assert_true(value == 2 && bp_trainer_stop(trainer) == BP_STOP_NONE);
    must(bp_trainer_write_history(trainer, file_path("history.csv")));
    if (progress->is_epoch_end) {
        must(bp_trainer_history(trainer, BP_HISTORY_TRAINING_LOSS, (size_t)progress->epoch - 1, &value));
        assert_true(bp_trainer_best_epoch(trainer) < progress->epoch);
    }
    must(REAL(bp_net_predict)(in->s->net, in->ws, 1, x, y));
    must(bp_net_evaluate(in->s->net, in->ws, BP_LOSS_CROSS_ENTROPY, classes, 1, 1, &value, NULL));
    must(bp_optimizer_set(in->s->opt, BP_OPTIMIZER_CLIP_NORM, 1e30)); /* which needs memory */
    in->calls++;
    return 0;
}

static void test_calls_from_within(void **state)
{
    (void)state;
    session s = open_session(classes, BP_METHOD_SGD, 3), quiet = open_session(classes, BP_METHOD_SGD, 3);
    inside inside = {.s = &s};
    must(bp_workspace_create(&inside.ws, s.net, 7));
    must(bp_schedule_create(&inside.schedule, BP_SCHEDULE_STEP));
    must(bp_trainer_save(s.trainer, file_path("before")));
    must(bp_optimizer_set(quiet.opt, BP_OPTIMIZER_CLIP_NORM, 1e30));
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_CLIP_NORM, 1e30));
    must(bp_trainer_set_progress(s.trainer, call_everything, &inside, BP_PROGRESS_BATCH));
    set(&s, BP_TRAINER_EPOCHS, 2);
    set(&quiet, BP_TRAINER_EPOCHS, 2);
    run(&s, BP_STOP_EPOCHS);
    run(&quiet, BP_STOP_EPOCHS);
    assert_int_equal(inside.calls, 4);
    expect_same("calls from within", &quiet, &s);
    bp_workspace_destroy(inside.ws);
    bp_schedule_destroy(inside.schedule);
    close_session(&s);
    close_session(&quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_unknown_values),
        cmocka_unit_test(test_label_smoothing_of_mse),
        cmocka_unit_test(test_datasets),
        cmocka_unit_test(test_net_and_optimizer),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_schedule_of_lbfgs),
        cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_order_in_mid_epoch),
        cmocka_unit_test(test_calls_from_within),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
