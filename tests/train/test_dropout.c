/*
 * What dropout and input noise draw: their shares, means and variances, and on what they depend; that calls which do not train know nothing of them;
 * and the setters: what they refuse, and what a clone has of them.
 */
#include "core/real.h"
#include "net/net.h"
#include "net/workspace.h"
#include "support/check.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 50, OUTPUTS = 5, BATCH = 64, LAYERS = 3 };

static const size_t widths[LAYERS] = {401, 300, OUTPUTS};

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *sgd;
    real x[BATCH * INPUTS], target[BATCH * OUTPUTS];
} fixture;

static void make(fixture *f, double first, double second, double noise)
{
    f->net = make_net(REAL_DTYPE, INPUTS, LAYERS, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 3);
    must(bp_net_set_dropout(f->net, 0, first));
    must(bp_net_set_dropout(f->net, 1, second));
    must(bp_net_set_input_noise(f->net, noise));
    must(bp_workspace_create(&f->ws, f->net, BATCH));
    must(bp_optimizer_create(&f->sgd, BP_METHOD_SGD, f->net));
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        f->x[i] = (real)number(i);
    }
    for (size_t i = 0; i < BATCH * OUTPUTS; i++) {
        f->target[i] = (real)number(5000 + i);
    }
}

static void end(fixture *f)
{
    bp_optimizer_destroy(f->sgd);
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->net);
}

/* The step of this number, with this seed. */
static void train(fixture *f, uint64_t seed, uint64_t number_of_step, size_t batch)
{
    f->sgd->seed = seed;
    f->sgd->n_steps = number_of_step;
    must(REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, batch, f->x, f->target, NULL));
}

/* A copy of a batch's factors. */
static real *factors_of(const fixture *f, size_t l)
{
    size_t bytes = BATCH * widths[l] * sizeof(real);
    return memcpy(malloc(bytes), f->ws->dropouts[l].factors, bytes);
}

static double correlation(size_t n, const real *a, const real *b)
{
    double sum_a = 0, sum_b = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        sum_a += (double)a[i];
        sum_b += (double)b[i];
    }
    for (size_t i = 0; i < n; i++) {
        double x = (double)a[i] - sum_a / (double)n, y = (double)b[i] - sum_b / (double)n;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

/* Draws that have nothing to do with each other: the correlation's deviation is 1/√n. */
static void check_apart(const char *what, size_t n, const real *a, const real *b)
{
    double r = correlation(n, a, b);
    if (!(fabs(r) <= 5 / sqrt((double)n))) {
        fail_msg("%s: correlation %g", what, r);
    }
}

static void test_share(void **state)
{
    (void)state;
    const double probabilities[] = {0.001, 0.1, 0.25, 0.5, 0.8, 0.99};
    for (size_t k = 0; k < 6; k++) {
        double p = probabilities[k];
        fixture f;
        make(&f, p, 0, 0);
        size_t dropped = 0, n = 0;
        for (uint64_t s = 0; s < 4; s++) {
            train(&f, 7, s, BATCH);
            const real *factors = f.ws->dropouts[0].factors, *y = f.ws->layers[0].y, *x = f.ws->layers[1].x;
            for (size_t i = 0; i < BATCH * widths[0]; i++, n++) {
                dropped += factors[i] == 0;
                assert_true(factors[i] == 0 || factors[i] == (real)(1 / (1 - p)));
                assert_true(x[i] == y[i] * factors[i]);
            }
        }
        double deviation = sqrt(p * (1 - p) / (double)n), share = (double)dropped / (double)n;
        if (!(fabs(share - p) <= 5 * deviation)) {
            fail_msg("probability %g: %g were dropped, deviation %g", p, share, deviation);
        }
        end(&f);
    }
}

/* Seeds, steps and layers have draws of their own, and nothing else has: the same seed and step draw the same in another workspace. */
static void test_what_draws_depend_on(void **state)
{
    (void)state;
    fixture f, again;
    make(&f, 0.5, 0.5, 0.3);
    make(&again, 0.5, 0.5, 0.3);
    size_t n = BATCH * widths[1];
    train(&f, 7, 100, BATCH);
    real *first = factors_of(&f, 0), *second = factors_of(&f, 1);
    real *noisy = memcpy(malloc(sizeof f.x), f.ws->layers[0].x, sizeof f.x);
    check_apart("layers", n, first, second);
    check_apart("neighbours", n - 1, second, second + 1);
    check_apart("samples", n - widths[1], second, second + widths[1]);
    for (uint64_t seed = 7; seed < 9; seed++) {
        for (uint64_t s = 99; s < 102; s++) {
            train(&again, seed, s, BATCH);
            if (seed == 7 && s == 100) {
                assert_memory_equal(first, again.ws->dropouts[0].factors, BATCH * widths[0] * sizeof(real));
                assert_memory_equal(second, again.ws->dropouts[1].factors, n * sizeof(real));
                assert_memory_equal(noisy, again.ws->layers[0].x, sizeof f.x);
            } else {
                check_apart("seeds or steps", n, second, again.ws->dropouts[1].factors);
                assert_memory_not_equal(noisy, again.ws->layers[0].x, sizeof f.x);
            }
        }
    }
    train(&again, 7, 100, 3); /* a smaller batch is the same batch's beginning */
    assert_memory_equal(second, again.ws->dropouts[1].factors, 3 * widths[1] * sizeof(real));
    train(&again, 7 + (1ull << 40), 100, BATCH);
    check_apart("seeds beyond 2³²", n, second, again.ws->dropouts[1].factors);
    train(&again, 7, 100 + (1ull << 40), BATCH);
    check_apart("steps beyond 2³²", n, second, again.ws->dropouts[1].factors);
    free(first);
    free(second);
    free(noisy);
    end(&f);
    end(&again);
}

/* Noise of deviation σ on n numbers: their mean deviates by σ/√n, their variance by σ² √(2/n), a share p of them by √(p (1 − p)/n). */
static void test_noise(void **state)
{
    (void)state;
    enum { STEPS = 20, N = BATCH * INPUTS };
    const double sigma = 0.25;
    fixture f;
    make(&f, 0, 0, sigma);
    real offset[INPUTS], scale[INPUTS], noise[STEPS + 1][N];
    for (size_t i = 0; i < INPUTS; i++) {
        offset[i] = (real)0.5;
        scale[i] = 2; /* exact */
    }
    must(REAL(bp_net_set_input_scaling)(f.net, offset, scale));
    double sum = 0, squares = 0, beyond = 0, n = STEPS * N;
    for (size_t s = 0; s < STEPS; s++) {
        train(&f, 7, s, BATCH);
        for (size_t i = 0; i < N; i++) {
            noise[s][i] = ((const real *)f.ws->layers[0].x)[i] - (f.x[i] - offset[0]) * scale[0];
            sum += (double)noise[s][i];
            squares += (double)noise[s][i] * (double)noise[s][i];
            beyond += fabs((double)noise[s][i]) > sigma;
        }
        check_apart("steps", s ? N : N - 1, noise[s], s ? noise[s - 1] : noise[s] + 1);
    }
    const double share = 0.31731050786291415; /* of a normal number's distances beyond its deviation */
    assert_true(fabs(sum / n) <= 5 * sigma / sqrt(n));
    assert_true(fabs(squares / n - sigma * sigma) <= 5 * sigma * sigma * sqrt(2 / n));
    assert_true(fabs(beyond / n - share) <= 5 * sqrt(share * (1 - share) / n));
    train(&f, 8, 0, BATCH);
    for (size_t i = 0; i < N; i++) {
        noise[STEPS][i] = ((const real *)f.ws->layers[0].x)[i] - (f.x[i] - offset[0]) * scale[0];
    }
    check_apart("seeds", N, noise[0], noise[STEPS]);
    end(&f);
}

typedef struct results {
    real y[BATCH * OUTPUTS], predicted[BATCH * OUTPUTS], delta_input[2][BATCH * INPUTS], loss, *gradient[2];
} results;

static results *run(fixture *f, size_t batch)
{
    results *r = calloc(1, sizeof *r);
    r->gradient[0] = calloc(bp_net_parameter_count(f->net), sizeof(real));
    r->gradient[1] = calloc(bp_net_parameter_count(f->net), sizeof(real));
    must(REAL(bp_net_predict)(f->net, f->ws, batch, f->x, r->predicted));
    must(REAL(bp_net_forward)(f->net, f->ws, batch, f->x, r->y));
    must(REAL(bp_net_backward)(f->net, f->ws, f->target, r->gradient[0], r->delta_input[0]));
    must(REAL(bp_net_backward)(f->net, f->ws, f->target, NULL, r->delta_input[1]));
    must(REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_MSE, batch, f->x, f->target, r->gradient[1], &r->loss));
    return r;
}

/* Each call gives the bits of a net that has no dropout and no noise, also right after a step of training on the workspace. */
static void test_only_in_training(void **state)
{
    (void)state;
    for (int rule = 0; rule < 2; rule++) {
        for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
            fixture with, without;
            make(&with, 0.5, 0.3, 0.2);
            make(&without, 0, 0, 0);
            must(bp_net_set_rule(with.net, (bp_rule)rule));
            must(bp_net_set_rule(without.net, (bp_rule)rule));
            for (int i = 0; i < 2; i++) {
                results *a = run(&with, batch), *b = run(&without, batch);
                assert_memory_equal(a->y, b->y, sizeof a->y);
                assert_memory_equal(a->predicted, b->predicted, sizeof a->predicted);
                assert_memory_equal(a->delta_input, b->delta_input, sizeof a->delta_input);
                assert_memory_equal(&a->loss, &b->loss, sizeof a->loss);
                for (int k = 0; k < 2; k++) {
                    assert_memory_equal(a->gradient[k], b->gradient[k], bp_net_parameter_count(with.net) * sizeof(real));
                    free(a->gradient[k]);
                    free(b->gradient[k]);
                }
                free(a);
                free(b);
                train(&with, 7, 0, i ? batch : BATCH + 1 - batch);
                must(bp_net_copy_parameters(without.net, with.net));
            }
            end(&with);
            end(&without);
        }
    }
}

/* Dropout that was taken back: a step gives the bits of a net that never had it, though the workspace has room for it. */
static void test_taken_back(void **state)
{
    (void)state;
    fixture with, without;
    make(&with, 0.5, 0.5, 0.5);
    make(&without, 0, 0, 0);
    must(bp_net_set_dropout(with.net, 0, 0));
    must(bp_net_set_dropout(with.net, 1, 0));
    must(bp_net_set_input_noise(with.net, 0));
    train(&with, 1, 0, BATCH);
    train(&without, 2, 0, BATCH);
    for (size_t l = 0; l < LAYERS; l++) {
        assert_memory_equal(with.net->layers[l]->weights, without.net->layers[l]->weights,
                            widths[l] * with.net->layers[l]->ld * sizeof(real));
    }
    must(bp_net_set_dropout(with.net, 1, 0.5));
    train(&with, 1, 0, BATCH);
    end(&with);
    end(&without);
}

static void test_refused(void **state)
{
    (void)state;
    fixture f;
    bp_net *raw;
    make(&f, 0.25, 0, 0.125);
    must(bp_net_create(&raw, REAL_DTYPE, 2));
    must(bp_net_add_dense(raw, 2, BP_ACTIVATION_TANH, 1));
    const double bad[] = {-0.001, 0.991, 1, NAN, INFINITY, -INFINITY};
    REFUSED(bp_net_set_dropout(NULL, 0, 0.5), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_set_dropout(raw, 0, 0.5), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_set_dropout(f.net, LAYERS, 0.5), BP_ERROR_ARGUMENT, "index is 3; the net has 3 layers");
    REFUSED(bp_net_set_dropout(f.net, SIZE_MAX, 0.5), BP_ERROR_ARGUMENT, "index is 18446744073709551615");
    REFUSED(bp_net_set_dropout(f.net, LAYERS - 1, 0.5), BP_ERROR_UNSUPPORTED, "layer 2 is the last one");
    must(bp_net_set_dropout(f.net, LAYERS - 1, 0));
    for (size_t i = 0; i < 6; i++) {
        REFUSED(bp_net_set_dropout(f.net, 0, bad[i]), BP_ERROR_ARGUMENT, "it can be 0 to 0.99");
    }
    REFUSED(bp_net_set_input_noise(NULL, 0.5), BP_ERROR_ARGUMENT, "net is NULL");
    const double bad_noise[] = {-0.001, NAN, INFINITY, -INFINITY, 1e39};
    for (size_t i = 0; i < 5; i++) {
        REFUSED(bp_net_set_input_noise(f.net, bad_noise[i]), BP_ERROR_ARGUMENT, "deviation is");
    }
    assert_true(bp_net_dropout(f.net, 0) == 0.25 && bp_net_dropout(f.net, 1) == 0 && bp_net_dropout(f.net, 2) == 0);
    assert_true(bp_net_input_noise(f.net) == 0.125);
    assert_true(bp_net_dropout(NULL, 0) == 0 && bp_net_dropout(f.net, LAYERS) == 0 && bp_net_input_noise(NULL) == 0);
    must(bp_net_set_input_noise(raw, 0.5)); /* needs no parameters */
    bp_net_destroy(raw);
    end(&f);
}

/* A workspace from before: calls that train are refused and change nothing, the others go on. */
static void test_old_workspace(void **state)
{
    (void)state;
    fixture f;
    real y[BATCH * OUTPUTS], loss = 42;
    for (int has_other = 0; has_other < 2; has_other++) {
        make(&f, has_other ? 0.5 : 0, 0, 0);
        must(bp_net_set_dropout(f.net, 1, 0.5));
        size_t n = bp_net_parameter_count(f.net);
        real *before = malloc(n * sizeof *before), *after = malloc(n * sizeof *after);
        must(REAL(bp_net_get_parameters)(f.net, before));
        for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
            REFUSED(REAL(bp_net_train_step)(f.net, f.ws, f.sgd, BP_LOSS_MSE, batch, f.x, f.target, &loss), BP_ERROR_STATE,
                    "layer 1 was given dropout after the workspace was made");
            REFUSED(REAL(bp_net_train_online)(f.net, f.ws, f.sgd, BP_LOSS_MSE, batch, f.x, f.target, &loss), BP_ERROR_STATE,
                    "layer 1 was given dropout after the workspace was made");
        }
        must(REAL(bp_net_get_parameters)(f.net, after));
        assert_memory_equal(before, after, n * sizeof *before);
        assert_true(loss == 42 && f.sgd->n_steps == 0);
        must(REAL(bp_net_predict)(f.net, f.ws, BATCH, f.x, y));
        must(REAL(bp_net_gradient)(f.net, f.ws, BP_LOSS_MSE, BATCH, f.x, f.target, after, NULL));
        must(bp_net_set_dropout(f.net, 1, 0));
        train(&f, 1, 0, BATCH);
        free(before);
        free(after);
        end(&f);
    }
}

static void test_clone(void **state)
{
    (void)state;
    fixture f, of_clone;
    make(&f, 0.25, 0.5, 0.125);
    must(bp_net_set_frozen(f.net, 0, 1));
    make(&of_clone, 0, 0, 0);
    end(&of_clone);
    must(bp_net_clone(&of_clone.net, f.net));
    assert_true(bp_net_dropout(of_clone.net, 0) == 0.25 && bp_net_dropout(of_clone.net, 1) == 0.5);
    assert_true(bp_net_input_noise(of_clone.net) == 0.125);
    assert_int_equal(bp_net_is_frozen(of_clone.net, 0), 1);
    assert_int_equal(bp_net_is_frozen(of_clone.net, 1), 0);
    must(bp_workspace_create(&of_clone.ws, of_clone.net, BATCH));
    must(bp_optimizer_create(&of_clone.sgd, BP_METHOD_SGD, of_clone.net));
    train(&f, 7, 3, BATCH);
    train(&of_clone, 7, 3, BATCH);
    for (size_t l = 0; l < LAYERS; l++) {
        assert_memory_equal(f.net->layers[l]->weights, of_clone.net->layers[l]->weights, widths[l] * f.net->layers[l]->ld * sizeof(real));
    }
    end(&f);
    end(&of_clone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),         cmocka_unit_test(test_what_draws_depend_on),
        cmocka_unit_test(test_noise),         cmocka_unit_test(test_only_in_training),
        cmocka_unit_test(test_taken_back),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_old_workspace), cmocka_unit_test(test_clone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
