/* Metrics worked out by hand, beside an independent computation, and what is refused. */
#include "core/real.h"
#include "data/dataset.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS = BP_METRIC_R2 + 1 };

/* A net that passes n numbers through an activation, so that datasets say what its outputs are. */
static bp_net *pass_through(size_t n, bp_activation activation, real weight)
{
    bp_net *net;
    real W[9] = {0};
    must(bp_net_create(&net, REAL_DTYPE, n));
    must(bp_net_add_dense(net, n, activation, 0));
    must(bp_net_initialize(net, BP_INITIALIZER_ZEROS, 1));
    for (size_t i = 0; i < n; i++) {
        W[i * n + i] = weight;
    }
    must(REAL(bp_net_set_parameters)(net, W));
    return net;
}

static void expect(const char *what, double expected, double got)
{
    double tolerance = REAL_DTYPE == BP_F32 ? 1e-6 : 1e-14;
    if (isnan(expected) ? !isnan(got) : !(fabs(got - expected) <= tolerance * fabs(expected))) {
        fail_msg("%s: expected %.17g, got %.17g", what, expected, got);
    }
}

static void expect_metrics(const double *expected, const double *got)
{
    for (int m = 0; m < METRICS; m++) {
        expect(bp_metric_name((bp_metric)m), expected[m], got[m]);
    }
}

/* Two outputs whose errors are 0, 0, 0, −2 (Σ(z − z̄)² = 5, so R² = 0.2) and 0, 0, −2, 0 at a target that is always 10 (R² = 0). */
static void test_regression_by_hand(void **state)
{
    (void)state;
    static const real y[] = {1, 10, 2, 10, 3, 12, 6, 10}, z[] = {1, 10, 2, 10, 3, 10, 4, 10};
    const double expected[] = {1, (double)NAN, (double)NAN, 0.5, 1, 0.1};
    bp_net *net = pass_through(2, BP_ACTIVATION_IDENTITY, 1);
    for (size_t batch = 1; batch <= 5; batch++) {
        bp_workspace *ws;
        bp_dataset *dataset;
        double metrics[METRICS + 2];
        must(bp_workspace_create(&ws, net, batch));
        must(REAL(bp_dataset_borrow)(&dataset, 4, 2, 2, y, z));
        must(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 0, METRICS + 2, metrics, NULL));
        expect_metrics(expected, metrics);
        assert_true(isnan(metrics[METRICS]) && isnan(metrics[METRICS + 1]));
        bp_dataset_destroy(dataset);

        /* met exactly, also the constant target */
        must(REAL(bp_dataset_borrow)(&dataset, 4, 2, 2, z, z));
        must(bp_net_evaluate(net, ws, BP_LOSS_MAE, dataset, 0, METRICS, metrics, NULL));
        assert_true(metrics[BP_METRIC_LOSS] == 0 && metrics[BP_METRIC_RMSE] == 0 && metrics[BP_METRIC_R2] == 1);
        bp_dataset_destroy(dataset);

        /* one sample has no spread; and a caller that knows two metrics gets two */
        must(REAL(bp_dataset_borrow)(&dataset, 1, 2, 2, y + 6, z + 6));
        must(bp_net_evaluate(net, ws, BP_LOSS_MAE, dataset, 0, METRICS, metrics, NULL));
        expect("R² of one sample", (double)NAN, metrics[BP_METRIC_R2]);
        metrics[2] = 7;
        must(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 0, 2, metrics, NULL));
        assert_true(metrics[0] == 2 && isnan(metrics[1]) && metrics[2] == 7);
        must(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 0, 0, NULL, NULL));
        bp_dataset_destroy(dataset);
        bp_workspace_destroy(ws);
    }
    bp_net_destroy(net);
}

static void test_classes_by_hand(void **state)
{
    (void)state;
    static const real y[] = {1, 2, 3, 5, 5, 1, 0, 0, 0, 3, 1, 2, 9, 1, 2};
    static const uint32_t classes[] = {2, 1, 2, 1, 0}; /* ranks 0, 1, 2, 2, 0 */
    static const uint64_t expected[] = {1, 0, 0, 2, 0, 0, 1, 0, 1};
    static const double first_k[] = {0, 0.4, 0.6, 1};
    bp_net *net = pass_through(3, BP_ACTIVATION_IDENTITY, 1);
    bp_workspace *ws;
    bp_dataset *dataset;
    double metrics[METRICS];
    uint64_t confusion[9];
    must(bp_workspace_create(&ws, net, 2));
    must(REAL(bp_dataset_create_classes)(&dataset, 5, 3, 3, y, classes));
    for (size_t k = 1; k <= 3; k++) {
        must(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, k, METRICS, metrics, confusion));
        expect("accuracy", 0.4, metrics[BP_METRIC_ACCURACY]);
        expect("top k", first_k[k], metrics[BP_METRIC_TOP_K]);
        assert_memory_equal(confusion, expected, sizeof confusion);
    }
    bp_dataset_destroy(dataset);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* Two classes as targets 0 and 1 of one output, as CSV files without one-hot give them; half is class 1. */
static void test_one_output(void **state)
{
    (void)state;
    static const real x[] = {-1, 0, 2, (real)-0.001, 1};
    static const uint32_t classes[] = {0, 0, 1, 1, 0};
    static const uint64_t expected[] = {1, 2, 1, 1};
    bp_net *net = pass_through(1, BP_ACTIVATION_SIGMOID, 1);
    bp_workspace *ws;
    double metrics[METRICS];
    uint64_t confusion[4];
    must(bp_workspace_create(&ws, net, 3));
    bp_dataset *dataset = bp_dataset_allocate(REAL_DTYPE, 5, 1, 1, 2);
    memcpy(dataset->owned_inputs, x, sizeof x);
    memcpy(dataset->classes, classes, sizeof classes);
    bp_dataset_set_class_targets(dataset, false);
    for (size_t k = 1; k <= 2; k++) {
        must(bp_net_evaluate(net, ws, BP_LOSS_BINARY_CROSS_ENTROPY, dataset, k, METRICS, metrics, confusion));
        expect("accuracy", 0.4, metrics[BP_METRIC_ACCURACY]);
        expect("top k", k == 1 ? 0.4 : 1, metrics[BP_METRIC_TOP_K]);
        assert_memory_equal(confusion, expected, sizeof confusion);
    }
    dataset->n_classes = 3;
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 1, METRICS, metrics, NULL), BP_ERROR_ARGUMENT, "3 classes; a net with 1 output");
    bp_dataset_destroy(dataset);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* Sigmoids that have reached 0 and 1: the derivative by y would be infinite, and nobody asks for it. */
static void test_saturated_outputs(void **state)
{
    (void)state;
    static const real x[] = {800, -800, 0}, z[] = {1, 0, 1};
    bp_net *net = pass_through(1, BP_ACTIVATION_SIGMOID, 1);
    bp_workspace *ws;
    bp_dataset *dataset;
    double loss;
    must(bp_net_set_rule(net, BP_RULE_ERROR_SIGNAL));
    must(bp_workspace_create(&ws, net, 3));
    must(REAL(bp_dataset_borrow)(&dataset, 3, 1, 1, x, z));
    must(bp_net_evaluate(net, ws, BP_LOSS_BINARY_CROSS_ENTROPY, dataset, 0, 1, &loss, NULL));
    expect("loss", log(2) / 3, loss);
    bp_dataset_destroy(dataset);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

enum { SAMPLES = 33, INPUTS = 5, CLASSES = 4 };

/* What the header says, from the outputs that bp_net_predict gives, in another way: means first, ranks by counting, logarithms of y. */
static void compute(const real *y, const uint32_t *classes, size_t top_k, double *metrics, uint64_t *confusion)
{
    memset(metrics, 0, METRICS * sizeof *metrics);
    memset(confusion, 0, CLASSES * CLASSES * sizeof *confusion);
    double residual[CLASSES] = {0}, mean[CLASSES] = {0}, spread[CLASSES] = {0};
    for (size_t s = 0; s < SAMPLES; s++) {
        const real *row = y + s * CLASSES;
        size_t larger = 0, answer = 0;
        for (size_t j = 0; j < CLASSES; j++) {
            double error = (classes[s] == j) - (double)row[j];
            residual[j] += error * error;
            metrics[BP_METRIC_MAE] += fabs(error) / (SAMPLES * CLASSES);
            mean[j] += (classes[s] == j) / (double)SAMPLES;
            larger += row[j] > row[classes[s]];
            answer = row[j] > row[answer] ? j : answer;
        }
        metrics[BP_METRIC_LOSS] -= log((double)row[classes[s]]) / SAMPLES;
        metrics[BP_METRIC_ACCURACY] += (larger == 0) / (double)SAMPLES;
        metrics[BP_METRIC_TOP_K] += (larger < top_k) / (double)SAMPLES;
        confusion[classes[s] * CLASSES + answer]++;
    }
    for (size_t j = 0; j < CLASSES; j++) {
        for (size_t s = 0; s < SAMPLES; s++) {
            spread[j] += pow((classes[s] == j) - mean[j], 2);
        }
        metrics[BP_METRIC_RMSE] += residual[j] / (SAMPLES * CLASSES);
        metrics[BP_METRIC_R2] += (1 - residual[j] / spread[j]) / CLASSES;
    }
    metrics[BP_METRIC_RMSE] = sqrt(metrics[BP_METRIC_RMSE]);
}

static void test_beside_another_computation(void **state)
{
    (void)state;
    real x[SAMPLES * INPUTS], y[SAMPLES * CLASSES];
    uint32_t classes[SAMPLES];
    for (uint64_t i = 0; i < SAMPLES * INPUTS; i++) {
        x[i] = (real)(3 * number(i));
    }
    for (uint32_t s = 0; s < SAMPLES; s++) {
        classes[s] = s * 7 % 11 % CLASSES;
    }
    bp_net *net = make_net(REAL_DTYPE, INPUTS, 2, (const size_t[]){6, CLASSES}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 3);
    bp_workspace *ws;
    bp_dataset *dataset;
    double expected[METRICS], metrics[METRICS];
    uint64_t expected_confusion[CLASSES * CLASSES], confusion[CLASSES * CLASSES];
    must(bp_workspace_create(&ws, net, 8)); /* the last piece is a single sample */
    must(REAL(bp_dataset_create_classes)(&dataset, SAMPLES, INPUTS, CLASSES, x, classes));
    must(REAL(bp_net_predict)(net, ws, SAMPLES, x, y));
    for (size_t k = 1; k <= CLASSES; k++) {
        compute(y, classes, k, expected, expected_confusion);
        must(bp_net_evaluate(net, ws, BP_LOSS_CROSS_ENTROPY, dataset, k, METRICS, metrics, confusion));
        expect_metrics(expected, metrics);
        assert_memory_equal(confusion, expected_confusion, sizeof confusion);
    }
    bp_dataset_destroy(dataset);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

static void test_threads(void **state)
{
    (void)state;
    enum { WIDTH = 256, N = 200 };
    real *x = malloc(N * WIDTH * sizeof *x);
    for (uint64_t i = 0; i < N * WIDTH; i++) {
        x[i] = (real)number(i);
    }
    bp_net *net = make_net(REAL_DTYPE, WIDTH, 2, (const size_t[]){WIDTH, WIDTH}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 3);
    bp_workspace *ws;
    bp_dataset *dataset;
    double alone[METRICS], shared[METRICS];
    must(bp_workspace_create(&ws, net, 64));
    must(REAL(bp_dataset_borrow)(&dataset, N, WIDTH, WIDTH, x, x));
    must(bp_net_evaluate(net, ws, BP_LOSS_HUBER, dataset, 0, METRICS, alone, NULL));
    must(bp_workspace_set_threads(ws, 3));
    must(bp_net_evaluate(net, ws, BP_LOSS_HUBER, dataset, 0, METRICS, shared, NULL));
    assert_memory_equal(alone + BP_METRIC_MAE, shared + BP_METRIC_MAE, 3 * sizeof *alone);
    assert_true(alone[BP_METRIC_LOSS] == shared[BP_METRIC_LOSS]);
    bp_dataset_destroy(dataset);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    free(x);
}

/* Every refusal leaves metrics and confusion as they were. */
static void test_bad_input(void **state)
{
    (void)state;
    static const real x[] = {1, 2, 3, 4, 5, 6};
    static const float x_f32[] = {1, 2};
    static const double x_f64[] = {1, 2};
    static const uint32_t classes[] = {0, 1, 1};
    const bp_status argument = BP_ERROR_ARGUMENT;
    bp_net *net = pass_through(2, BP_ACTIVATION_IDENTITY, 1), *other = pass_through(2, BP_ACTIVATION_IDENTITY, REAL_MAX), *empty;
    const bp_net *none = NULL;
    bp_workspace *ws, *other_ws;
    bp_dataset *dataset, *labelled, *unlabelled, *wide, *targets, *dtype;
    double metrics[METRICS];
    uint64_t confusion[4];
    for (int i = 0; i < METRICS; i++) {
        metrics[i] = 7;
    }
    memset(confusion, 7, sizeof confusion);
    must(bp_net_create(&empty, REAL_DTYPE, 2));
    must(bp_workspace_create(&ws, net, 2));
    must(bp_workspace_create(&other_ws, other, 2));
    must(REAL(bp_dataset_borrow)(&dataset, 3, 2, 2, x, x));
    must(REAL(bp_dataset_create_classes)(&labelled, 3, 2, 2, x, classes));
    must(REAL(bp_dataset_borrow)(&unlabelled, 3, 2, 0, x, NULL));
    must(REAL(bp_dataset_borrow)(&wide, 2, 3, 2, x, x));
    must(REAL(bp_dataset_borrow)(&targets, 2, 2, 3, x, x));
    must(REAL_DTYPE == BP_F32 ? bp_dataset_borrow_f64(&dtype, 1, 2, 2, x_f64, x_f64)
                              : bp_dataset_borrow_f32(&dtype, 1, 2, 2, x_f32, x_f32));
    REFUSED(bp_net_evaluate(none, ws, BP_LOSS_MSE, dataset, 0, METRICS, metrics, NULL), argument, "net is NULL");
    REFUSED(bp_net_evaluate(net, NULL, BP_LOSS_MSE, dataset, 0, METRICS, metrics, NULL), argument, "ws is NULL");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, NULL, 0, METRICS, metrics, NULL), argument, "dataset is NULL");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 0, METRICS, NULL, NULL), argument, "metrics is NULL");
    REFUSED(bp_net_evaluate(net, ws, (bp_loss)5, dataset, 0, METRICS, metrics, NULL), argument, "loss is 5");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, unlabelled, 0, METRICS, metrics, NULL), argument, "no targets");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, wide, 0, METRICS, metrics, NULL), argument, "3 inputs, the net 2");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, targets, 0, METRICS, metrics, NULL), argument, "3 targets a sample, the net 2");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, labelled, 0, METRICS, metrics, confusion), argument, "top_k is 0");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, labelled, 3, METRICS, metrics, confusion), argument, "it can be 1 to 2");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 0, METRICS, metrics, confusion), argument, "no classes");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, dtype, 0, METRICS, metrics, NULL), BP_ERROR_DTYPE, bp_dtype_name(REAL_DTYPE));
    REFUSED(bp_net_evaluate(empty, ws, BP_LOSS_MSE, dataset, 0, METRICS, metrics, NULL), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_evaluate(net, other_ws, BP_LOSS_MSE, dataset, 0, METRICS, metrics, NULL), BP_ERROR_STATE, "another net");
    REFUSED(bp_net_evaluate(net, ws, BP_LOSS_CROSS_ENTROPY, dataset, 0, METRICS, metrics, NULL), BP_ERROR_UNSUPPORTED, "softmax");
    REFUSED(bp_net_evaluate(other, other_ws, BP_LOSS_MSE, labelled, 1, METRICS, metrics, confusion), BP_ERROR_NONFINITE,
            "output 1 of sample 0 is inf");
    for (int i = 0; i < METRICS; i++) {
        assert_true(metrics[i] == 7);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(confusion[i] == 0x0707070707070707);
    }
    bp_dataset *all[] = {dataset, labelled, unlabelled, wide, targets, dtype};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bp_dataset_destroy(all[i]);
    }
    bp_workspace_destroy(ws);
    bp_workspace_destroy(other_ws);
    bp_net_destroy(net);
    bp_net_destroy(other);
    bp_net_destroy(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regression_by_hand),
        cmocka_unit_test(test_classes_by_hand),
        cmocka_unit_test(test_one_output),
        cmocka_unit_test(test_saturated_outputs),
        cmocka_unit_test(test_beside_another_computation),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
