/*
 * NaN, infinities, denormals, zeros of both signs and the largest numbers in everything that a call is given: a call that fails says so and leaves
 * the parameters as they were, to the bit; one that does not fail leaves finite ones, but where a header says otherwise.
 */
#include "core/real.h"
#include "support/check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 3, HIDDEN = 5, OUTPUTS = 2, BATCH = 4, PARAMETERS = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * OUTPUTS };

#if BP_REAL_BITS == 32
#define DENORMAL FLT_TRUE_MIN
#else
#define DENORMAL DBL_TRUE_MIN
#endif

static const real bad[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
static const real odd[] = {0, (real)-0.0, DENORMAL, -DENORMAL, (real)1e-30, 1};

enum { BAD = 3, ODD = 6 };

static const bp_method methods[] = {BP_METHOD_SGD,     BP_METHOD_MOMENTUM, BP_METHOD_NESTEROV, BP_METHOD_ADAGRAD,
                                    BP_METHOD_RMSPROP, BP_METHOD_ADAM,     BP_METHOD_ADAMW,    BP_METHOD_IRPROP_MINUS};

enum { METHODS = sizeof methods / sizeof *methods };

static const struct {
    bp_activation output;
    bp_loss loss;
} pairs[] = {
    {BP_ACTIVATION_IDENTITY, BP_LOSS_MSE},
    {BP_ACTIVATION_IDENTITY, BP_LOSS_MAE},
    {BP_ACTIVATION_TANH, BP_LOSS_HUBER},
    {BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY},
    {BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY},
};

enum { PAIRS = sizeof pairs / sizeof *pairs };

typedef struct scene {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    real x[BATCH * INPUTS], target[BATCH * OUTPUTS], before[PARAMETERS];
} scene;

static scene begin(bp_activation hidden, size_t pair, bp_method method)
{
    scene s = {.net = make_net(REAL_DTYPE, INPUTS, 2, (const size_t[]){HIDDEN, OUTPUTS}, hidden, pairs[pair].output, 1, 8)};
    must(bp_workspace_create(&s.ws, s.net, BATCH));
    must(bp_optimizer_create(&s.opt, method, s.net));
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        s.x[i] = (real)number(i);
    }
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        s.target[i] = (i + i / OUTPUTS) % OUTPUTS == 0;
    }
    must(REAL(bp_net_get_parameters)(s.net, s.before));
    return s;
}

static void end(scene *s)
{
    bp_optimizer_destroy(s->opt);
    bp_workspace_destroy(s->ws);
    bp_net_destroy(s->net);
}

static void expect_unchanged(const scene *s, const char *what)
{
    real after[PARAMETERS];
    must(REAL(bp_net_get_parameters)(s->net, after));
    if (memcmp(after, s->before, sizeof after) != 0) {
        fail_msg("%s: the parameters have changed", what);
    }
}

static bool is_finite(const bp_net *net)
{
    real theta[PARAMETERS];
    must(REAL(bp_net_get_parameters)(net, theta));
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!isfinite(theta[i])) {
            return false;
        }
    }
    return true;
}

/* The calls that learn or differentiate, on a batch and on one sample, refuse; the first sample of a later place has been learned on-line. */
static void expect_refused(scene *s, bp_loss loss, const char *what, size_t sample)
{
    real gradient[PARAMETERS], mean_loss;
    REFUSED(REAL(bp_net_gradient)(s->net, s->ws, loss, BATCH, s->x, s->target, gradient, &mean_loss), BP_ERROR_NONFINITE, "is");
    REFUSED(REAL(bp_net_train_step)(s->net, s->ws, s->opt, loss, BATCH, s->x, s->target, &mean_loss), BP_ERROR_NONFINITE, "is");
    REFUSED(REAL(bp_net_train_step)(s->net, s->ws, s->opt, loss, 1, s->x + sample * INPUTS, s->target + sample * OUTPUTS, &mean_loss),
            BP_ERROR_NONFINITE, "is");
    REFUSED(REAL(bp_net_train_online)(s->net, s->ws, s->opt, loss, 1, s->x + sample * INPUTS, s->target + sample * OUTPUTS, &mean_loss),
            BP_ERROR_NONFINITE, "at sample 0 of 1");
    expect_unchanged(s, what);
    if (bp_optimizer_step_count(s->opt) != 0) {
        fail_msg("%s: a step that failed was counted", what);
    }
    REFUSED(REAL(bp_net_train_online)(s->net, s->ws, s->opt, loss, BATCH, s->x, s->target, &mean_loss), BP_ERROR_NONFINITE, "at sample");
    if (bp_optimizer_step_count(s->opt) != sample || !is_finite(s->net)) {
        fail_msg("%s: not the samples before it alone were learned", what);
    }
}

static void test_inputs_and_targets(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        for (int hidden = 0; hidden < BP_ACTIVATION_SOFTMAX; hidden++) {
            for (size_t m = 0; m < METHODS; m++) {
                for (size_t b = 0; b < 2 * BAD; b++) {
                    scene s = begin((bp_activation)hidden, pair, methods[m]);
                    size_t sample = m % BATCH;
                    *(b < BAD ? &s.x[sample * INPUTS + b % INPUTS] : &s.target[sample * OUTPUTS + b % OUTPUTS]) = bad[b % BAD];
                    expect_refused(&s, pairs[pair].loss, bp_activation_name((bp_activation)hidden), sample);
                    end(&s);
                }
            }
        }
    }
}

/* Zeros, denormals: nothing to refuse. */
static void test_odd_numbers(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        for (int hidden = 0; hidden < BP_ACTIVATION_SOFTMAX; hidden++) {
            for (size_t m = 0; m < METHODS; m++) {
                scene s = begin((bp_activation)hidden, pair, methods[m]);
                real theta[PARAMETERS], y[BATCH * OUTPUTS];
                for (size_t i = 0; i < PARAMETERS; i++) {
                    theta[i] = odd[(i + m) % ODD];
                }
                for (size_t i = 0; i < BATCH * INPUTS; i++) {
                    s.x[i] = odd[(i * 5 + m) % ODD];
                }
                must(REAL(bp_net_set_parameters)(s.net, theta));
                must(REAL(bp_net_train_step)(s.net, s.ws, s.opt, pairs[pair].loss, BATCH, s.x, s.target, NULL));
                must(REAL(bp_net_train_online)(s.net, s.ws, s.opt, pairs[pair].loss, BATCH, s.x, s.target, NULL));
                must(REAL(bp_net_predict)(s.net, s.ws, BATCH, s.x, y));
                assert_true(is_finite(s.net));
                end(&s);
            }
        }
    }
}

/* Weights and learning rates at the type's limit: a step works or fails; if it fails nothing has changed. */
static void test_limits(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIRS; pair++) {
        for (int hidden = 0; hidden < BP_ACTIVATION_SOFTMAX; hidden++) {
            for (size_t m = 0; m < METHODS; m++) {
                scene s = begin((bp_activation)hidden, pair, methods[m]);
                real theta[PARAMETERS], after[PARAMETERS];
                for (size_t i = 0; i < PARAMETERS; i++) {
                    theta[i] = i % 2 ? REAL_MAX : -REAL_MAX / 2;
                }
                must(REAL(bp_net_set_parameters)(s.net, theta));
                bp_status status = REAL(bp_net_train_step)(s.net, s.ws, s.opt, pairs[pair].loss, BATCH, s.x, s.target, NULL);
                must(REAL(bp_net_get_parameters)(s.net, after));
                assert_true(status == BP_OK || (status == BP_ERROR_NONFINITE && memcmp(theta, after, sizeof after) == 0));
                must(REAL(bp_net_set_parameters)(s.net, s.before));
                if (methods[m] != BP_METHOD_IRPROP_MINUS) {
                    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, (double)REAL_MAX));
                }
                /* the first step may go beyond the type, as train.h says; from then on steps say so, and change nothing */
                REAL(bp_net_train_step)(s.net, s.ws, s.opt, pairs[pair].loss, BATCH, s.x, s.target, NULL);
                must(REAL(bp_net_get_parameters)(s.net, theta));
                if (!is_finite(s.net)) {
                    status = REAL(bp_net_train_step)(s.net, s.ws, s.opt, pairs[pair].loss, BATCH, s.x, s.target, NULL);
                    must(REAL(bp_net_get_parameters)(s.net, after));
                    assert_true(status == BP_OK || memcmp(theta, after, sizeof after) == 0);
                    must(REAL(bp_net_set_parameters)(s.net, s.before)); /* and the net can be had back */
                    assert_true(is_finite(s.net));
                }
                end(&s);
            }
        }
    }
}

/* What is refused where it is set, and leaves what there was. */
static void test_setters(void **state)
{
    (void)state;
    scene s = begin(BP_ACTIVATION_TANH, 0, BP_METHOD_ADAM);
    for (size_t b = 0; b < BAD; b++) {
        real theta[PARAMETERS], numbers[INPUTS] = {1, bad[b], 1}, ones[INPUTS] = {1, 1, 1};
        bp_layer *layer;
        bp_dataset *data = NULL;
        bp_trainer *trainer;
        double number = (double)bad[b], weights[BATCH] = {1, 1, (double)bad[b], 1};
        memcpy(theta, s.before, sizeof theta);
        theta[b + 1] = bad[b];
        must(bp_net_layer(s.net, 0, &layer));
        REFUSED(REAL(bp_net_set_parameters)(s.net, theta), BP_ERROR_NONFINITE, "theta");
        REFUSED(REAL(bp_layer_set_weights)(layer, theta, NULL), BP_ERROR_NONFINITE, "W[");
        REFUSED(REAL(bp_layer_set_weights)(layer, NULL, theta), BP_ERROR_NONFINITE, "b[");
        REFUSED(REAL(bp_layer_update)(layer, bad[b], s.target, s.x, s.x), BP_ERROR_ARGUMENT, "eta");
        REFUSED(REAL(bp_net_set_input_scaling)(s.net, numbers, ones), BP_ERROR_NONFINITE, "offset");
        REFUSED(REAL(bp_net_set_input_scaling)(s.net, ones, numbers), BP_ERROR_NONFINITE, "scale");
        REFUSED(REAL(bp_net_set_output_scaling)(s.net, numbers, ones), BP_ERROR_NONFINITE, "offset");
        assert_true(REAL(bp_net_set_output_scaling)(s.net, ones, numbers) != BP_OK);
        REFUSED(bp_net_set_dropout(s.net, 0, number), BP_ERROR_ARGUMENT, "probability");
        REFUSED(bp_net_set_input_noise(s.net, number), BP_ERROR_ARGUMENT, "deviation");
        REFUSED(REAL(bp_optimizer_step)(s.opt, s.net, theta), BP_ERROR_NONFINITE, "gradient[");
        for (int setting = 0; setting <= BP_OPTIMIZER_HISTORY; setting++) {
            assert_true(bp_optimizer_set(s.opt, (bp_optimizer_setting)setting, number) != BP_OK);
        }
        s.x[b] = bad[b];
        REFUSED(REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, s.x, s.target), BP_ERROR_NONFINITE, "");
        s.x[b] = 1;
        must(REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, s.x, s.target));
        assert_true(bp_dataset_set_weights(data, weights) != BP_OK);
        assert_null(bp_dataset_weights(data));
        must(bp_trainer_create(&trainer, s.net, s.opt, BP_LOSS_MSE, data));
        for (int setting = 0; setting <= BP_TRAINER_HALVINGS; setting++) {
            assert_true((setting == BP_TRAINER_TARGET && b > 0) || bp_trainer_set(trainer, (bp_trainer_setting)setting, number) != BP_OK);
        }
        bp_trainer_destroy(trainer);
        bp_dataset_destroy(data);
        expect_unchanged(&s, "setters");
        assert_int_equal(bp_net_has_input_scaling(s.net), 0);
        assert_int_equal(bp_optimizer_step_count(s.opt), 0);
    }
    end(&s);
}

/* Without learning NaN and infinity are let through, into y and into what comes of delta; the parameters have no part in it. */
static void test_inference(void **state)
{
    (void)state;
    for (size_t b = 0; b < BAD; b++) {
        scene s = begin(BP_ACTIVATION_IDENTITY, 0, BP_METHOD_SGD);
        real y[BATCH * OUTPUTS], delta[BATCH * OUTPUTS] = {bad[b]}, gradient[PARAMETERS], delta_input[BATCH * INPUTS];
        s.x[INPUTS] = bad[b]; /* of the second sample */
        must(REAL(bp_net_predict)(s.net, s.ws, BATCH, s.x, y));
        assert_true(isfinite(y[0]) && !isfinite(y[OUTPUTS]) && isfinite(y[2 * OUTPUTS]));
        must(REAL(bp_net_forward)(s.net, s.ws, BATCH, s.x, y));
        assert_true(isfinite(y[0]) && !isfinite(y[OUTPUTS]) && isfinite(y[2 * OUTPUTS]));
        s.x[INPUTS] = 1;
        must(REAL(bp_net_forward)(s.net, s.ws, BATCH, s.x, y));
        must(REAL(bp_net_backward)(s.net, s.ws, delta, gradient, delta_input));
        assert_true(!isfinite(delta_input[0]) && delta_input[INPUTS] == 0 && !isfinite(gradient[0]));
        expect_unchanged(&s, "inference");
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs_and_targets),
        cmocka_unit_test(test_odd_numbers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_setters),
        cmocka_unit_test(test_inference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
