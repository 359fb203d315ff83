/* Cross-validation: the folds it gives, the same scores by any number of threads, and how failures come back. */
#include "support/check.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { SAMPLES = 41, INPUTS = 3, CLASSES = 3, FOLDS = 7 };

typedef struct record {
    atomic_int n_calls;
    atomic_int order[FOLDS]; /* of the calls: which fold came when */
    atomic_int on_caller;    /* calls on the thread that called bp_cross_validate */
    pthread_t caller;
    size_t bad_fold; /* fails with this */
    int bad_result;
} record;

static bp_dataset *make_dataset(void)
{
    double x[SAMPLES * INPUTS];
    uint32_t classes[SAMPLES];
    for (uint32_t i = 0; i < SAMPLES; i++) {
        classes[i] = i % CLASSES;
        for (uint32_t j = 0; j < INPUTS; j++) {
            x[i * INPUTS + j] = number(i * INPUTS + j) + (j == classes[i]);
        }
    }
    bp_dataset *dataset;
    must(bp_dataset_create_classes_f64(&dataset, SAMPLES, INPUTS, CLASSES, x, classes));
    return dataset;
}

/* The loss on the validation part after some training: it depends on every sample of both. */
static double train_and_measure(size_t fold, const bp_dataset *train, const bp_dataset *validation)
{
    const double *x, *target;
    double loss;
    bp_net *net = make_net(BP_F64, INPUTS, 2, (const size_t[]){4, CLASSES}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, fold);
    bp_workspace *ws;
    bp_optimizer *opt;
    must(bp_workspace_create(&ws, net, 8));
    must(bp_optimizer_create(&opt, BP_METHOD_ADAM, net));
    must(bp_dataset_inputs_f64(train, &x));
    must(bp_dataset_targets_f64(train, &target));
    for (int epoch = 0; epoch < 5; epoch++) {
        must(bp_net_train_online_f64(net, ws, opt, BP_LOSS_CROSS_ENTROPY, bp_dataset_sample_count(train), x, target, NULL));
    }
    must(bp_net_evaluate(net, ws, BP_LOSS_CROSS_ENTROPY, validation, 1, 1, &loss, NULL));
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    return loss;
}

static int run_fold(void *context, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    record *r = context;
    r->order[r->n_calls++] = (int)fold;
    r->on_caller += pthread_equal(pthread_self(), r->caller) != 0;
    if (fold == r->bad_fold) {
        return r->bad_result;
    }
    *score = train_and_measure(fold, train, validation);
    return 0;
}

static void test_scores(void **state)
{
    (void)state;
    static const size_t n_threads[] = {1, 2, 3, 16};
    bp_dataset *dataset = make_dataset();
    double expected[FOLDS];
    for (size_t fold = 0; fold < FOLDS; fold++) {
        bp_dataset *train, *validation;
        must(bp_dataset_fold(dataset, FOLDS, fold, 5, &train, &validation));
        expected[fold] = train_and_measure(fold, train, validation);
        bp_dataset_destroy(train);
        bp_dataset_destroy(validation);
    }
    for (size_t i = 0; i < sizeof n_threads / sizeof *n_threads; i++) {
        record r = {.caller = pthread_self(), .bad_fold = FOLDS};
        double scores[FOLDS];
        must(bp_cross_validate(dataset, FOLDS, 5, n_threads[i], run_fold, &r, scores));
        assert_memory_equal(scores, expected, sizeof scores);
        assert_int_equal(r.n_calls, FOLDS);
        for (int k = 0; k < FOLDS && n_threads[i] == 1; k++) {
            assert_int_equal(r.order[k], k);
        }
        assert_true(n_threads[i] > 1 || r.on_caller == FOLDS);
    }
    bp_dataset_destroy(dataset);
}

static int write_nothing(void *context, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    (void)context, (void)fold, (void)train, (void)validation, (void)score;
    return 0;
}

static void test_score_not_written(void **state)
{
    (void)state;
    bp_dataset *dataset = make_dataset();
    double scores[2] = {7, 7};
    must(bp_cross_validate(dataset, 2, 5, 1, write_nothing, NULL, scores));
    assert_true(isnan(scores[0]) && isnan(scores[1]));
    bp_dataset_destroy(dataset);
}

/* What fails ends it: the folds behind it are not begun, and the scores are as they were. */
static void test_failure(void **state)
{
    (void)state;
    bp_dataset *dataset = make_dataset();
    double scores[FOLDS] = {7, 7, 7, 7, 7, 7, 7};
    record r = {.caller = pthread_self(), .bad_fold = 2, .bad_result = -5};
    REFUSED(bp_cross_validate(dataset, FOLDS, 5, 1, run_fold, &r, scores), BP_ERROR_STATE, "returned -5 for fold 2 of 7");
    assert_int_equal(r.n_calls, 3);
    bp_net *net;
    REFUSED(bp_net_create(&net, BP_F32, 0), BP_ERROR_ARGUMENT, "n_inputs is 0"); /* the sentence that such a function leaves */
    r = (record){.caller = pthread_self(), .bad_fold = 4, .bad_result = BP_ERROR_IO};
    REFUSED(bp_cross_validate(dataset, FOLDS, 5, 1, run_fold, &r, scores), BP_ERROR_IO, "fold 4 of 7: bp_net_create: n_inputs is 0");
    assert_int_equal(r.n_calls, 5);
    r = (record){.caller = pthread_self(), .bad_fold = 0, .bad_result = 99};
    REFUSED(bp_cross_validate(dataset, FOLDS, 5, 3, run_fold, &r, scores), BP_ERROR_STATE, "returned 99 for fold 0");
    for (int i = 0; i < FOLDS; i++) {
        assert_true(scores[i] == 7);
    }
    bp_dataset_destroy(dataset);
}

/* Fails on the helper, once both threads have a fold. */
static int fail_on_helper(void *context, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    (void)fold, (void)validation;
    record *r = context;
    r->n_calls++;
    while (r->n_calls < 2) {
    }
    *score = 1;
    return pthread_equal(pthread_self(), r->caller) ? 0 : (int)bp_dataset_inputs_f32(train, NULL);
}

static void test_failure_on_a_helper(void **state)
{
    (void)state;
    bp_dataset *dataset = make_dataset();
    record r = {.caller = pthread_self()};
    double scores[FOLDS] = {7};
    REFUSED(bp_cross_validate(dataset, FOLDS, 5, 2, fail_on_helper, &r, scores), BP_ERROR_DTYPE,
            "of 7: bp_dataset_inputs_f32: the dataset is f64");
    assert_true(scores[0] == 7);
    bp_dataset_destroy(dataset);
}

static void test_bad_input(void **state)
{
    (void)state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    bp_dataset *dataset = make_dataset();
    double scores[2] = {7, 7};
    REFUSED(bp_cross_validate(NULL, 2, 5, 1, write_nothing, NULL, scores), argument, "dataset is NULL");
    REFUSED(bp_cross_validate(dataset, 2, 5, 1, NULL, NULL, scores), argument, "function is NULL");
    REFUSED(bp_cross_validate(dataset, 2, 5, 1, write_nothing, NULL, NULL), argument, "scores is NULL");
    REFUSED(bp_cross_validate(dataset, 1, 5, 1, write_nothing, NULL, scores), argument, "n_folds is 1");
    REFUSED(bp_cross_validate(dataset, 42, 5, 1, write_nothing, NULL, scores), argument, "n_folds is 42; of 41 samples it can be 2 to 41");
    REFUSED(bp_cross_validate(dataset, 2, 5, 0, write_nothing, NULL, scores), argument, "n_threads is 0");
    REFUSED(bp_cross_validate(dataset, 2, 5, 1025, write_nothing, NULL, scores), argument, "n_threads is 1025");

    /* the fold itself fails */
    double weights[SAMPLES] = {1};
    must(bp_dataset_set_weights(dataset, weights));
    REFUSED(bp_cross_validate(dataset, 2, 5, 1, write_nothing, NULL, scores), argument, "fold 0 of 2: bp_dataset_fold: all");
    assert_true(scores[0] == 7 && scores[1] == 7);
    bp_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores),    cmocka_unit_test(test_score_not_written),
        cmocka_unit_test(test_failure),   cmocka_unit_test(test_failure_on_a_helper),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
