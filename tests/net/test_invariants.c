/* What must hold between the calls on a net, whatever the numbers. */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 11, OUTPUTS = 5, BATCH = 7, SAMPLES = 40 };

static const size_t widths[] = {13, 17, OUTPUTS};
static real x[SAMPLES * INPUTS], target[SAMPLES * OUTPUTS];
static const double tolerance = REAL_DTYPE == BP_F64 ? 1e-13 : 1e-5;

/* A net, a clone of it, and what each needs. */
typedef struct fixture {
    bp_net *net, *clone;
    bp_workspace *ws, *clone_ws;
    bp_optimizer *sgd, *clone_sgd;
    size_t count;
    real *a, *b; /* count elements each */
} fixture;

static int set_up(void **state)
{
    static fixture f;
    for (size_t i = 0; i < SAMPLES * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < SAMPLES * OUTPUTS; i++) {
        target[i] = (real)number(100000 + i);
    }
    const real offset[INPUTS] = {(real)0.25, 0, (real)-0.5}, scale[INPUTS] = {2, 1, 1, (real)0.5, 1, 1, -1, 1, 1, 1, 1};
    f.net = make_net(REAL_DTYPE, INPUTS, 3, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, 1, 3);
    must(REAL(bp_net_set_input_scaling)(f.net, offset, scale));
    must(bp_net_clone(&f.clone, f.net));
    must(bp_workspace_create(&f.ws, f.net, BATCH));
    must(bp_workspace_create(&f.clone_ws, f.clone, BATCH));
    must(bp_optimizer_create(&f.sgd, BP_METHOD_SGD, f.net));
    must(bp_optimizer_create(&f.clone_sgd, BP_METHOD_SGD, f.clone));
    must(bp_optimizer_set(f.sgd, BP_OPTIMIZER_LEARNING_RATE, 0.25));
    must(bp_optimizer_set(f.clone_sgd, BP_OPTIMIZER_LEARNING_RATE, 0.25));
    f.count = bp_net_parameter_count(f.net);
    f.a = malloc(f.count * sizeof *f.a);
    f.b = malloc(f.count * sizeof *f.b);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    bp_optimizer_destroy(f->sgd);
    bp_optimizer_destroy(f->clone_sgd);
    bp_workspace_destroy(f->ws);
    bp_workspace_destroy(f->clone_ws);
    bp_net_destroy(f->net);
    bp_net_destroy(f->clone);
    free(f->a);
    free(f->b);
    return 0;
}

static void close_vectors(const char *what, size_t n, const real *a, const real *b)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs((double)a[i] - (double)b[i]) <= tolerance * (1 + fabs((double)b[i])))) {
            fail_msg("%s[%zu]: %.15g and %.15g", what, i, (double)a[i], (double)b[i]);
        }
    }
}

static void same_parameters(fixture *f, bool same)
{
    must(REAL(bp_net_get_parameters)(f->net, f->a));
    must(REAL(bp_net_get_parameters)(f->clone, f->b));
    assert_true((memcmp(f->a, f->b, f->count * sizeof *f->a) == 0) == same);
}

static void test_batch_gradient_is_mean_of_single_ones(void **state)
{
    fixture *f = *state;
    for (size_t batch = 1; batch <= BATCH; batch++) {
        real loss, mean = 0, one;
        must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_BINARY_CROSS_ENTROPY, batch, x, target, f->a, &loss));
        real *sum = calloc(f->count, sizeof *sum);
        for (size_t s = 0; s < batch; s++) {
            must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_BINARY_CROSS_ENTROPY, 1, x + s * INPUTS, target + s * OUTPUTS, f->b, &one));
            mean += one / (real)batch;
            for (size_t i = 0; i < f->count; i++) {
                sum[i] += f->b[i] / (real)batch;
            }
        }
        close_vectors("gradient", f->count, f->a, sum);
        close_vectors("loss", 1, &loss, &mean);
        free(sum);
    }
}

/* New weights heal a net whose old ones grew beyond the type's range, which one sample's pass would else find behind the rows' ends. */
static void test_new_weights_heal(void **state)
{
    (void)state;
    const real start[] = {1, 2, 3}, far[] = {(real)1e10, -1};
    for (int initialize = 0; initialize < 2; initialize++) {
        bp_net *net = make_net(REAL_DTYPE, 3, 2, (size_t[]){20, 2}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_IDENTITY, 1, 9);
        bp_workspace *ws;
        bp_optimizer *sgd;
        real theta[200], before[2], after[2];
        assert_true(bp_net_parameter_count(net) <= 200);
        must(bp_workspace_create(&ws, net, 1));
        must(bp_optimizer_create(&sgd, BP_METHOD_SGD, net));
        must(bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, (double)REAL_MAX));
        must(REAL(bp_net_get_parameters)(net, theta));
        must(REAL(bp_net_predict)(net, ws, 1, start, before));
        must(REAL(bp_net_train_step)(net, ws, sgd, BP_LOSS_MSE, 1, start, far, NULL));
        must(initialize ? bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 9) : REAL(bp_net_set_parameters)(net, theta));
        must(REAL(bp_net_predict)(net, ws, 1, start, after));
        assert_memory_equal(before, after, sizeof before);
        bp_optimizer_destroy(sgd);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
}

/* Bit for bit under both rules, with a layer whose last panel is one row. */
static void test_online_is_steps_by_either_rule(void **state)
{
    (void)state;
    enum { N_IN = 255, N_OUT = 129, N = 5 };
    real *x_wide = malloc(N * N_IN * sizeof *x_wide), *z = malloc(N * N_OUT * sizeof *z);
    for (size_t i = 0; i < N * N_IN; i++) {
        x_wide[i] = (real)number(i);
    }
    for (size_t i = 0; i < N * N_OUT; i++) {
        z[i] = (real)number(9000 + i);
    }
    for (int rule = BP_RULE_GRADIENT; rule <= BP_RULE_ERROR_SIGNAL; rule++) {
        bp_net *net[2];
        real *theta[2];
        for (int k = 0; k < 2; k++) {
            bp_workspace *ws;
            bp_optimizer *sgd;
            net[k] = make_net(REAL_DTYPE, N_IN, 1, (size_t[]){N_OUT}, BP_ACTIVATION_SIGMOID, BP_ACTIVATION_SIGMOID, 1, 9);
            must(bp_net_set_rule(net[k], (bp_rule)rule));
            must(bp_workspace_create(&ws, net[k], 1));
            must(bp_optimizer_create(&sgd, BP_METHOD_SGD, net[k]));
            for (size_t s = 0; s < N && k == 0; s++) {
                must(REAL(bp_net_train_step)(net[k], ws, sgd, BP_LOSS_MSE, 1, x_wide + s * N_IN, z + s * N_OUT, NULL));
            }
            if (k == 1) {
                must(REAL(bp_net_train_online)(net[k], ws, sgd, BP_LOSS_MSE, N, x_wide, z, NULL));
            }
            theta[k] = malloc(bp_net_parameter_count(net[k]) * sizeof(real));
            must(REAL(bp_net_get_parameters)(net[k], theta[k]));
            bp_optimizer_destroy(sgd);
            bp_workspace_destroy(ws);
        }
        assert_memory_equal(theta[0], theta[1], bp_net_parameter_count(net[0]) * sizeof(real));
        for (int k = 0; k < 2; k++) {
            free(theta[k]);
            bp_net_destroy(net[k]);
        }
    }
    free(x_wide);
    free(z);
}

static void test_online_is_a_sequence_of_steps(void **state)
{
    fixture *f = *state;
    real online, one;
    double mean = 0;
    must(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_MSE, SAMPLES, x, target, &online));
    for (size_t s = 0; s < SAMPLES; s++) {
        must(REAL(bp_net_train_step)(f->clone, f->clone_ws, f->clone_sgd, BP_LOSS_MSE, 1, x + s * INPUTS, target + s * OUTPUTS, &one));
        mean += (double)one / SAMPLES;
    }
    same_parameters(f, true);
    assert_true(fabs((double)online - mean) < 1e-6);
}

static void test_predict_is_forward_in_pieces(void **state)
{
    fixture *f = *state;
    real y[SAMPLES * OUTPUTS], piece[BATCH * OUTPUTS];
    must(REAL(bp_net_predict)(f->net, f->ws, SAMPLES, x, y));
    for (size_t s = 0; s < SAMPLES; s += BATCH) {
        size_t batch = SAMPLES - s < BATCH ? SAMPLES - s : BATCH;
        must(REAL(bp_net_forward)(f->net, f->ws, batch, x + s * INPUTS, piece));
        assert_memory_equal(y + s * OUTPUTS, piece, batch * OUTPUTS * sizeof *y);
    }
    must(REAL(bp_net_predict)(f->net, f->ws, 0, x, y));
}

typedef struct reader {
    const bp_net *net;
    bp_workspace *ws;
    real *gradient, y[BATCH * OUTPUTS];
    bool ok;
} reader;

static void *read_net(void *argument)
{
    reader *r = argument;
    r->ok = true;
    for (int i = 0; i < 200; i++) {
        r->ok = r->ok && REAL(bp_net_forward)(r->net, r->ws, BATCH, x, r->y) == BP_OK &&
                REAL(bp_net_gradient)(r->net, r->ws, BP_LOSS_MSE, BATCH, x, target, r->gradient, NULL) == BP_OK;
    }
    return NULL;
}

static void test_two_threads_give_the_bits_of_one(void **state)
{
    fixture *f = *state;
    reader readers[3] = {{.net = f->net}, {.net = f->net}, {.net = f->net}};
    for (int i = 0; i < 3; i++) {
        must(bp_workspace_create(&readers[i].ws, f->net, BATCH));
        readers[i].gradient = malloc(f->count * sizeof(real));
    }
    read_net(&readers[0]);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_net, &readers[i + 1]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[0].ok && readers[i + 1].ok);
        assert_memory_equal(readers[0].y, readers[i + 1].y, sizeof readers[0].y);
        assert_memory_equal(readers[0].gradient, readers[i + 1].gradient, f->count * sizeof(real));
    }
    for (int i = 0; i < 3; i++) {
        bp_workspace_destroy(readers[i].ws);
        free(readers[i].gradient);
    }
}

static void test_backward_with_own_delta(void **state)
{
    fixture *f = *state;
    real y[BATCH * OUTPUTS], delta[BATCH * OUTPUTS];
    must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, BATCH, x, target, f->a, NULL));
    must(REAL(bp_net_forward)(f->net, f->ws, BATCH, x, y));
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        delta[i] = (target[i] - y[i]) / BATCH;
    }
    for (int again = 0; again < 2; again++) {
        must(REAL(bp_net_backward)(f->net, f->ws, delta, f->b, NULL));
        close_vectors("gradient", f->count, f->a, f->b);
    }
}

/* delta_input is −∂L/∂x: by central differences of the sum of losses, here in f64 only (f32 has too few digits for differences). */
static void test_delta_input(void **state)
{
    fixture *f = *state;
    real y[BATCH * OUTPUTS], delta[BATCH * OUTPUTS], delta_input[BATCH * INPUTS], moved[BATCH * INPUTS];
    must(REAL(bp_net_forward)(f->net, f->ws, BATCH, x, y));
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        delta[i] = target[i] - y[i];
    }
    must(REAL(bp_net_backward)(f->net, f->ws, delta, NULL, delta_input));
    const double h = REAL_DTYPE == BP_F64 ? 1e-3 : 0.03, bound = REAL_DTYPE == BP_F64 ? 1e-9 : 2e-3;
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        double loss[4];
        const double steps[] = {-2, -1, 1, 2};
        for (int k = 0; k < 4; k++) {
            real mean;
            memcpy(moved, x, sizeof moved);
            moved[i] += (real)(steps[k] * h);
            must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, BATCH, moved, target, NULL, &mean));
            loss[k] = (double)mean * BATCH;
        }
        double slope = (loss[0] - 8 * loss[1] + 8 * loss[2] - loss[3]) / (12 * h);
        if (!(fabs((double)delta_input[i] + slope) <= bound)) {
            fail_msg("delta_input[%zu] is %.12g, differences give %.12g", i, (double)delta_input[i], -slope);
        }
    }
}

static void test_clone_and_copy(void **state)
{
    fixture *f = *state;
    real before[OUTPUTS], after[OUTPUTS];
    same_parameters(f, true);
    must(REAL(bp_net_predict)(f->clone, f->clone_ws, 1, x, before));
    must(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, BATCH, x, target, NULL));
    same_parameters(f, false);
    must(REAL(bp_net_predict)(f->clone, f->clone_ws, 1, x, after));
    assert_memory_equal(before, after, sizeof before);
    must(bp_net_copy_parameters(f->clone, f->net));
    same_parameters(f, true);
    must(REAL(bp_net_predict)(f->net, f->ws, 1, x, before));
    must(REAL(bp_net_predict)(f->clone, f->clone_ws, 1, x, after));
    assert_memory_equal(before, after, sizeof before);
    must(bp_net_copy_parameters(f->net, f->net));
    assert_int_equal(bp_net_has_input_scaling(f->clone), 1);
    must(REAL(bp_net_set_input_scaling)(f->clone, NULL, NULL));
    assert_int_equal(bp_net_has_input_scaling(f->net), 1);
    assert_int_equal(bp_net_has_input_scaling(f->clone), 0);
}

static void test_order_of_parameters(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < f->count; i++) {
        f->a[i] = (real)i;
    }
    must(REAL(bp_net_set_parameters)(f->net, f->a));
    must(REAL(bp_net_get_parameters)(f->net, f->b));
    assert_memory_equal(f->a, f->b, f->count * sizeof *f->a);
    size_t at = 0, n_in = INPUTS;
    for (size_t l = 0; l < 3; l++) {
        bp_layer *layer;
        real W[17 * 17], b[17];
        must(bp_net_layer(f->net, l, &layer));
        assert_int_equal(bp_layer_input_count(layer), n_in);
        assert_int_equal(bp_layer_output_count(layer), widths[l]);
        assert_int_equal(bp_layer_has_bias(layer), 1);
        assert_int_equal(bp_layer_dtype(layer), REAL_DTYPE);
        must(REAL(bp_layer_get_weights)(layer, W, b));
        for (size_t i = 0; i < widths[l] * n_in; i++) {
            assert_true(W[i] == (real)at++);
        }
        for (size_t i = 0; i < widths[l]; i++) {
            assert_true(b[i] == (real)at++);
        }
        n_in = widths[l];
    }
    assert_int_equal(at, f->count);
}

static void test_initial_weights(void **state)
{
    fixture *f = *state;
    bp_net *wide = make_net(BP_F64, INPUTS, 3, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, 1, 3);
    double *theta = malloc(f->count * sizeof *theta);
    for (int k = 0; k <= BP_INITIALIZER_LECUN_NORMAL; k++) {
        must(bp_net_initialize(f->net, (bp_initializer)k, 42));
        must(bp_net_initialize(f->clone, (bp_initializer)k, 42));
        same_parameters(f, true);
        must(bp_net_initialize(wide, (bp_initializer)k, 42));
        must(bp_net_get_parameters_f64(wide, theta));
        for (size_t i = 0; i < f->count; i++) {
            assert_true(f->a[i] == (real)theta[i]);
        }
        must(bp_net_initialize(f->clone, (bp_initializer)k, 43));
        same_parameters(f, k == BP_INITIALIZER_ZEROS);
    }
    free(theta);
    bp_net_destroy(wide);
}

/* Mean, deviation and bounds over 300 × 200 weights, at 5 deviations of the estimate. */
static void test_statistics_of_initializers(void **state)
{
    (void)state;
    enum { N_IN = 200, N_OUT = 300, N = N_IN * N_OUT };
    static const struct {
        double deviation, bound;
    } expected[] = {
        [BP_INITIALIZER_UNIFORM] = {1 / (14.142135623730951 * 1.7320508075688772), 1 / 14.142135623730951},
        [BP_INITIALIZER_GLOROT_UNIFORM] = {0.0632455532033676, 0.10954451150103323}, /* √(2/500), √(6/500) */
        [BP_INITIALIZER_GLOROT_NORMAL] = {0.0632455532033676, INFINITY},
        [BP_INITIALIZER_HE_UNIFORM] = {0.1, 0.17320508075688773}, /* √(2/200), √(6/200) */
        [BP_INITIALIZER_HE_NORMAL] = {0.1, INFINITY},
        [BP_INITIALIZER_LECUN_NORMAL] = {0.07071067811865475, INFINITY}, /* √(1/200) */
    };
    real *theta = malloc((N + N_OUT) * sizeof *theta);
    bp_net *net = make_net(REAL_DTYPE, N_IN, 1, (const size_t[]){N_OUT}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 1);
    for (int k = BP_INITIALIZER_UNIFORM; k <= BP_INITIALIZER_LECUN_NORMAL; k++) {
        must(bp_net_initialize(net, (bp_initializer)k, 5));
        must(REAL(bp_net_get_parameters)(net, theta));
        double sum = 0, squares = 0, fourth = 0, greatest = 0;
        for (size_t i = 0; i < N; i++) {
            double w = (double)theta[i] / expected[k].deviation;
            sum += w;
            squares += w * w;
            fourth += w * w * w * w;
            greatest = fmax(greatest, fabs((double)theta[i]));
        }
        for (size_t i = 0; i < N_OUT; i++) {
            assert_true(theta[N + i] == 0);
        }
        bool normal = isinf(expected[k].bound);
        const char *name = bp_initializer_name((bp_initializer)k);
        if (fabs(sum / N) > 5 / sqrt(N) || fabs(squares / N - 1) > 5 * sqrt((normal ? 2 : 0.8) / N)) {
            fail_msg("%s: mean %g, mean square %g of its deviation", name, sum / N, squares / N);
        }
        if (greatest > expected[k].bound * 1.000001 || (!normal && greatest < expected[k].bound * 0.999)) {
            fail_msg("%s: greatest %g, bound %g", name, greatest, expected[k].bound);
        }
        if (fabs(fourth / N - (normal ? 3 : 1.8)) > 0.2) {
            fail_msg("%s: fourth moment %g", name, fourth / N);
        }
    }
    free(theta);
    bp_net_destroy(net);
}

static void test_optimizer_step_is_the_step_of_training(void **state)
{
    fixture *f = *state;
    must(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, BATCH, x, target, NULL));
    must(REAL(bp_net_gradient)(f->clone, f->clone_ws, BP_LOSS_MSE, BATCH, x, target, f->b, NULL));
    must(REAL(bp_optimizer_step)(f->clone_sgd, f->clone, f->b));
    must(REAL(bp_net_get_parameters)(f->net, f->a));
    must(REAL(bp_net_get_parameters)(f->clone, f->b));
    close_vectors("parameters", f->count, f->a, f->b);
}

static void test_rate_0_changes_nothing(void **state)
{
    fixture *f = *state;
    must(bp_optimizer_set(f->sgd, BP_OPTIMIZER_LEARNING_RATE, 0));
    must(REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_MSE, SAMPLES, x, target, NULL));
    must(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, BATCH, x, target, NULL));
    same_parameters(f, true);
}

static void test_xor_is_learned(void **state)
{
    (void)state;
    static const real in[] = {0, 0, 0, 1, 1, 0, 1, 1}, out[] = {0, 1, 1, 0};
    bp_net *net = make_net(REAL_DTYPE, 2, 2, (const size_t[]){8, 1}, BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, 1, 42);
    bp_workspace *ws;
    bp_optimizer *sgd;
    real loss = 1;
    must(bp_workspace_create(&ws, net, 4));
    must(bp_optimizer_create(&sgd, BP_METHOD_SGD, net));
    must(bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, 0.5));
    for (int epoch = 0; epoch < 2000; epoch++) {
        must(REAL(bp_net_train_step)(net, ws, sgd, BP_LOSS_BINARY_CROSS_ENTROPY, 4, in, out, &loss));
    }
    assert_true(loss < 0.01);
    bp_optimizer_destroy(sgd);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_batch_gradient_is_mean_of_single_ones),
        TEST(test_online_is_a_sequence_of_steps),
        TEST(test_new_weights_heal),
        TEST(test_online_is_steps_by_either_rule),
        TEST(test_predict_is_forward_in_pieces),
        TEST(test_two_threads_give_the_bits_of_one),
        TEST(test_backward_with_own_delta),
        TEST(test_delta_input),
        TEST(test_clone_and_copy),
        TEST(test_order_of_parameters),
        TEST(test_initial_weights),
        TEST(test_statistics_of_initializers),
        TEST(test_optimizer_step_is_the_step_of_training),
        TEST(test_rate_0_changes_nothing),
        TEST(test_xor_is_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
