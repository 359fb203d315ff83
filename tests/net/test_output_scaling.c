/* A net with output scaling against its clone without, to which the targets are given scaled: the same bits, in other units. */
#include "train/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS = 2, BATCH = 7, SAMPLES = 40 };

static const real offset[OUTPUTS] = {100, (real)-0.25}, scale[OUTPUTS] = {(real)0.125, -3};

/* Samples of a problem whose targets lie about the offset, and the same with the targets scaled. */
typedef struct problem {
    bp_net *net, *plain;
    bp_workspace *ws, *plain_ws;
    real x[SAMPLES * INPUTS], target[SAMPLES * OUTPUTS], scaled[SAMPLES * OUTPUTS];
} problem;

static int set_up(void **state)
{
    static problem p;
    static const size_t widths[] = {9, OUTPUTS};
    for (size_t i = 0; i < SAMPLES * INPUTS; i++) {
        p.x[i] = (real)number(i);
    }
    for (size_t i = 0; i < SAMPLES * OUTPUTS; i++) {
        p.target[i] = offset[i % OUTPUTS] + (real)(8 * number(5000 + i));
        p.scaled[i] = (p.target[i] - offset[i % OUTPUTS]) * scale[i % OUTPUTS];
    }
    p.plain = make_net(REAL_DTYPE, INPUTS, 2, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SINE, 1, 4);
    must(bp_net_clone(&p.net, p.plain));
    must(REAL(bp_net_set_output_scaling)(p.net, offset, scale));
    must(bp_workspace_create(&p.ws, p.net, BATCH));
    must(bp_workspace_create(&p.plain_ws, p.plain, BATCH));
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    problem *p = *state;
    bp_workspace_destroy(p->ws);
    bp_workspace_destroy(p->plain_ws);
    bp_net_destroy(p->net);
    bp_net_destroy(p->plain);
    return 0;
}

static void expect_unscaled(const real *y, const real *plain, size_t samples)
{
    for (size_t i = 0; i < samples * OUTPUTS; i++) {
        real expected = plain[i] / scale[i % OUTPUTS] + offset[i % OUTPUTS];
        if (y[i] != expected) {
            fail_msg("y[%zu]: expected %.17g, got %.17g", i, (double)expected, (double)y[i]);
        }
    }
}

static void test_outputs(void **state)
{
    problem *p = *state;
    real y[SAMPLES * OUTPUTS], plain[SAMPLES * OUTPUTS];
    must(REAL(bp_net_predict)(p->net, p->ws, SAMPLES, p->x, y));
    must(REAL(bp_net_predict)(p->plain, p->plain_ws, SAMPLES, p->x, plain));
    expect_unscaled(y, plain, SAMPLES);
    for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
        must(REAL(bp_net_forward)(p->net, p->ws, batch, p->x, y));
        must(REAL(bp_net_forward)(p->plain, p->plain_ws, batch, p->x, plain));
        expect_unscaled(y, plain, batch);
    }
}

static void test_set_and_get(void **state)
{
    problem *p = *state;
    real got[2][OUTPUTS];
    must(REAL(bp_net_get_output_scaling)(p->net, got[0], got[1]));
    assert_memory_equal(got[0], offset, sizeof offset);
    assert_memory_equal(got[1], scale, sizeof scale);
    must(REAL(bp_net_get_output_scaling)(p->plain, got[0], got[1]));
    assert_true(got[0][0] == 0 && got[0][1] == 0 && got[1][0] == 1 && got[1][1] == 1);
    bp_net *clone;
    must(bp_net_clone(&clone, p->net));
    assert_int_equal(bp_net_has_output_scaling(clone), 1);
    must(REAL(bp_net_set_output_scaling)(p->net, NULL, NULL));
    assert_int_equal(bp_net_has_output_scaling(p->net), 0);
    must(REAL(bp_net_get_output_scaling)(clone, got[0], got[1]));
    assert_memory_equal(got[1], scale, sizeof scale);
    bp_net_destroy(clone);
}

/* The vector-Jacobian product by central differences of the outputs, and by the clone's. */
static void test_backward(void **state)
{
    problem *p = *state;
    enum { COUNT = 9 * (INPUTS + 1) + OUTPUTS * 10 };
    assert_int_equal(bp_net_parameter_count(p->net), COUNT);
    real delta[BATCH * OUTPUTS], plain_delta[BATCH * OUTPUTS], y[BATCH * OUTPUTS], gradient[COUNT], plain_gradient[COUNT];
    real delta_input[BATCH * INPUTS], plain_delta_input[BATCH * INPUTS];
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        delta[i] = (real)number(900 + i);
        plain_delta[i] = delta[i] / scale[i % OUTPUTS];
    }
    must(REAL(bp_net_forward)(p->net, p->ws, BATCH, p->x, y));
    must(REAL(bp_net_backward)(p->net, p->ws, delta, gradient, delta_input));
    must(REAL(bp_net_forward)(p->plain, p->plain_ws, BATCH, p->x, y));
    must(REAL(bp_net_backward)(p->plain, p->plain_ws, plain_delta, plain_gradient, plain_delta_input));
    assert_memory_equal(gradient, plain_gradient, sizeof gradient);
    assert_memory_equal(delta_input, plain_delta_input, sizeof delta_input);

    const real h = REAL_DTYPE == BP_F64 ? (real)1e-5 : (real)0x1p-6;
    for (size_t i = 0; i < INPUTS; i++) { /* of the first sample */
        real x[2][INPUTS], ends[2][OUTPUTS];
        double sum = 0;
        for (int side = 0; side < 2; side++) {
            memcpy(x[side], p->x, sizeof x[side]);
            x[side][i] += side ? h : -h;
            must(REAL(bp_net_predict)(p->net, p->ws, 1, x[side], ends[side]));
        }
        for (size_t k = 0; k < OUTPUTS; k++) {
            sum += (double)delta[k] * ((double)ends[1][k] - (double)ends[0][k]) / (2 * (double)h);
        }
        double tolerance = REAL_DTYPE == BP_F64 ? 1e-6 : 2e-2;
        if (!(fabs(sum - (double)delta_input[i]) <= tolerance)) {
            fail_msg("delta_input[%zu]: expected %.9g, got %.9g", i, sum, (double)delta_input[i]);
        }
    }
}

static void same_parameters(const bp_net *a, const bp_net *b)
{
    real *of_a = parameters(a), *of_b = parameters(b);
    assert_memory_equal(of_a, of_b, bp_net_parameter_count(a) * sizeof *of_a);
    free(of_a);
    free(of_b);
}

static void test_gradients_and_steps(void **state)
{
    problem *p = *state;
    const bp_loss losses[] = {BP_LOSS_MSE, BP_LOSS_MAE, BP_LOSS_HUBER};
    size_t count = bp_net_parameter_count(p->net);
    real *gradient = malloc(count * sizeof *gradient), *plain = malloc(count * sizeof *plain), loss, plain_loss;
    bp_optimizer *opt, *plain_opt;
    must(bp_optimizer_create(&opt, BP_METHOD_ADAM, p->net));
    must(bp_optimizer_create(&plain_opt, BP_METHOD_ADAM, p->plain));
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
            must(REAL(bp_net_gradient)(p->net, p->ws, losses[k], batch, p->x, p->target, gradient, &loss));
            must(REAL(bp_net_gradient)(p->plain, p->plain_ws, losses[k], batch, p->x, p->scaled, plain, &plain_loss));
            assert_memory_equal(gradient, plain, count * sizeof *gradient);
            assert_true(loss == plain_loss);
            must(REAL(bp_net_train_step)(p->net, p->ws, opt, losses[k], batch, p->x, p->target, &loss));
            must(REAL(bp_net_train_step)(p->plain, p->plain_ws, plain_opt, losses[k], batch, p->x, p->scaled, &plain_loss));
            assert_true(loss == plain_loss);
            same_parameters(p->net, p->plain);
        }
        must(REAL(bp_net_train_online)(p->net, p->ws, opt, losses[k], SAMPLES, p->x, p->target, &loss));
        must(REAL(bp_net_train_online)(p->plain, p->plain_ws, plain_opt, losses[k], SAMPLES, p->x, p->scaled, &plain_loss));
        assert_true(loss == plain_loss);
        same_parameters(p->net, p->plain);
    }
    bp_optimizer_destroy(opt);
    bp_optimizer_destroy(plain_opt);
    free(gradient);
    free(plain);
}

/* The loss is of the scaled numbers, what is an error in units of the targets is so. */
static void test_evaluation(void **state)
{
    problem *p = *state;
    bp_dataset *samples, *scaled;
    must(REAL(bp_dataset_create)(&samples, SAMPLES, INPUTS, OUTPUTS, p->x, p->target));
    must(REAL(bp_dataset_create)(&scaled, SAMPLES, INPUTS, OUTPUTS, p->x, p->scaled));
    double metrics[METRICS], plain[METRICS], absolute = 0, square = 0;
    must(bp_net_evaluate(p->net, p->ws, BP_LOSS_MSE, samples, 1, METRICS, metrics, NULL));
    must(bp_net_evaluate(p->plain, p->plain_ws, BP_LOSS_MSE, scaled, 1, METRICS, plain, NULL));
    assert_true(metrics[BP_METRIC_LOSS] == plain[BP_METRIC_LOSS]);
    real y[SAMPLES * OUTPUTS];
    must(REAL(bp_net_predict)(p->net, p->ws, SAMPLES, p->x, y));
    for (size_t i = 0; i < SAMPLES * OUTPUTS; i++) {
        double error = (double)p->target[i] - (double)y[i];
        absolute += fabs(error) / (SAMPLES * OUTPUTS);
        square += error * error / (SAMPLES * OUTPUTS);
    }
    double tolerance = REAL_DTYPE == BP_F64 ? 1e-12 : 1e-5;
    assert_true(fabs(metrics[BP_METRIC_MAE] - absolute) <= tolerance * absolute);
    assert_true(fabs(metrics[BP_METRIC_RMSE] - sqrt(square)) <= tolerance * sqrt(square));
    assert_true(fabs(metrics[BP_METRIC_R2] - plain[BP_METRIC_R2]) <= 1e-4 * fabs(plain[BP_METRIC_R2]));
    bp_dataset_destroy(samples);
    bp_dataset_destroy(scaled);
}

static void test_trainer(void **state)
{
    problem *p = *state;
    bp_dataset *samples, *scaled;
    must(REAL(bp_dataset_create)(&samples, SAMPLES, INPUTS, OUTPUTS, p->x, p->target));
    must(REAL(bp_dataset_create)(&scaled, SAMPLES, INPUTS, OUTPUTS, p->x, p->scaled));
    for (double batch = 1; batch <= BATCH; batch += BATCH - 1) {
        bp_optimizer *opt[2];
        bp_trainer *trainer[2];
        double losses[2];
        for (int i = 0; i < 2; i++) {
            bp_net *net = i ? p->plain : p->net;
            must(bp_optimizer_create(&opt[i], BP_METHOD_SGD, net));
            must(bp_trainer_create(&trainer[i], net, opt[i], BP_LOSS_MSE, i ? scaled : samples));
            must(bp_trainer_set(trainer[i], BP_TRAINER_EPOCHS, 3));
            must(bp_trainer_set(trainer[i], BP_TRAINER_BATCH_SIZE, batch));
            must(bp_trainer_run(trainer[i]));
            must(bp_trainer_history(trainer[i], BP_HISTORY_TRAINING_LOSS, 2, &losses[i]));
            bp_trainer_destroy(trainer[i]);
            bp_optimizer_destroy(opt[i]);
        }
        assert_true(losses[0] == losses[1]);
        same_parameters(p->net, p->plain);
    }
    bp_dataset_destroy(samples);
    bp_dataset_destroy(scaled);
}

static void test_checkpoint(void **state)
{
    problem *p = *state;
    bp_dataset *samples;
    bp_optimizer *opt;
    bp_trainer *trainer;
    must(REAL(bp_dataset_create)(&samples, SAMPLES, INPUTS, OUTPUTS, p->x, p->target));
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, p->net));
    must(bp_trainer_create(&trainer, p->net, opt, BP_LOSS_MSE, samples));
    must(bp_trainer_save(trainer, file_path("checkpoint")));
    must(bp_trainer_load(trainer, file_path("checkpoint")));
    must(REAL(bp_net_set_output_scaling)(p->net, scale, scale));
    REFUSED(bp_trainer_load(trainer, file_path("checkpoint")), BP_ERROR_STATE, "the net scales its outputs in another way");
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_dataset_destroy(samples);
}

static void test_fit(void **state)
{
    problem *p = *state;
    bp_dataset *samples, *without;
    const real x[4] = {1, 2, 3, 4}, target[8] = {10, 7, 30, 7, 20, 7, 40, 7};
    real found[2][2];
    must(REAL(bp_dataset_create)(&samples, 4, 1, 2, x, target));
    must(REAL(bp_dataset_fit_target_scaling)(samples, BP_SCALING_MIN_MAX, found[0], found[1]));
    assert_true(found[0][0] == 10 && found[1][0] == (real)(1 / 30.0) && found[0][1] == 7 && found[1][1] == 1);
    must(REAL(bp_dataset_fit_target_scaling)(samples, BP_SCALING_STANDARD, found[0], found[1]));
    assert_true(fabs((double)found[0][0] - 25) < 1e-5 && fabs((double)found[1][0] - 1 / sqrt(125)) < 1e-6 && found[1][1] == 1);
    must(REAL(bp_net_set_output_scaling)(p->net, found[0], found[1]));
    bp_dataset_destroy(samples);
    must(REAL(bp_dataset_create)(&without, 4, 1, 0, x, NULL));
    REFUSED(REAL(bp_dataset_fit_target_scaling)(without, BP_SCALING_STANDARD, found[0], found[1]), BP_ERROR_ARGUMENT, "has no targets");
    REFUSED(REAL(bp_dataset_fit_target_scaling)(NULL, BP_SCALING_STANDARD, found[0], found[1]), BP_ERROR_ARGUMENT, "dataset is NULL");
    REFUSED(REAL(bp_dataset_fit_target_scaling)(without, BP_SCALING_STANDARD, NULL, found[1]), BP_ERROR_ARGUMENT, "offset is NULL");
    bp_dataset_destroy(without);
}

static void test_refused(void **state)
{
    problem *p = *state;
    const bp_status argument = BP_ERROR_ARGUMENT;
    const real ones[OUTPUTS] = {1, 1}, zero[OUTPUTS] = {1, 0}, tiny[OUTPUTS] = {REAL_DTYPE == BP_F64 ? (real)1e-310 : (real)1e-44, 1};
    const real bad[OUTPUTS] = {1, (real)NAN};
    real got[OUTPUTS];
    REFUSED(REAL(bp_net_set_output_scaling)(NULL, ones, ones), argument, "net is NULL");
    REFUSED(REAL(bp_net_set_output_scaling)(p->net, NULL, ones), argument, "offset is NULL");
    REFUSED(REAL(bp_net_set_output_scaling)(p->net, ones, NULL), argument, "scale is NULL");
    REFUSED(REAL(bp_net_set_output_scaling)(p->net, ones, zero), argument, "scale[1] is 0");
    REFUSED(REAL(bp_net_set_output_scaling)(p->net, ones, tiny), argument, "scale[0]");
    REFUSED(REAL(bp_net_set_output_scaling)(p->net, bad, ones), BP_ERROR_NONFINITE, "offset[1]");
    REFUSED(REAL(bp_net_get_output_scaling)(NULL, got, got), argument, "net is NULL");
    REFUSED(REAL(bp_net_get_output_scaling)(p->net, NULL, got), argument, "offset is NULL");
    assert_int_equal(bp_net_has_output_scaling(NULL), 0);
    const float f[OUTPUTS] = {1, 1};
    const double d[OUTPUTS] = {1, 1};
    REFUSED(REAL_DTYPE == BP_F64 ? bp_net_set_output_scaling_f32(p->net, f, f) : bp_net_set_output_scaling_f64(p->net, d, d),
            BP_ERROR_DTYPE, "net");
    real same[2][OUTPUTS]; /* nothing has changed */
    must(REAL(bp_net_get_output_scaling)(p->net, same[0], same[1]));
    assert_memory_equal(same[0], offset, sizeof offset);
    assert_memory_equal(same[1], scale, sizeof scale);

    bp_net *net;
    must(bp_net_create(&net, REAL_DTYPE, INPUTS));
    must(bp_net_add_dense(net, OUTPUTS, BP_ACTIVATION_SOFTMAX, 1));
    REFUSED(REAL(bp_net_set_output_scaling)(net, ones, ones), BP_ERROR_STATE, "not initialized");
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 1));
    must(REAL(bp_net_set_output_scaling)(net, ones, ones));
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, 1));
    REFUSED(REAL(bp_net_gradient)(net, ws, BP_LOSS_CROSS_ENTROPY, 1, p->x, p->target, NULL, NULL), BP_ERROR_UNSUPPORTED, "output scaling");
    must(REAL(bp_net_gradient)(net, ws, BP_LOSS_MSE, 1, p->x, p->target, NULL, NULL));
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_outputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_and_get, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_backward, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gradients_and_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_evaluation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trainer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
