/*
 * What bp_samples says of a training step's samples: an order gives the bits of the samples gathered by it, weights are factors of their losses,
 * label smoothing gives the bits of targets smoothed by hand, and no row is written beyond its place.
 */
#include "core/memory.h"
#include "core/real.h"
#include "net/net.h"
#include "support/check.h"
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 37, ROWS = 11, BATCH = 7, FIRST = 2, OUTPUTS = 5, HIDDEN = 9, ROOM = 2000 };

static const size_t order[FIRST + BATCH] = {4, 5, 10, 3, 3, 0, 7, 3, 9};

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *sgd;
    bp_loss loss;
    size_t n_inputs, count;
    real *x, *target, weights[ROWS];
} fixture;

static real *numbers(size_t n, uint64_t first)
{
    real *made = bp_allocate(n, sizeof *made);
    assert_non_null(made);
    for (size_t i = 0; i < n; i++) {
        made[i] = (real)number(first + i);
    }
    return made;
}

/* max_batch is the largest batch there will be, so that the last row of one is at the end of its room. */
static fixture make(size_t n_inputs, size_t max_batch, bp_activation output, bp_loss loss)
{
    fixture f = {.n_inputs = n_inputs, .loss = loss, .x = numbers(ROWS * n_inputs, 0), .target = numbers(ROWS * OUTPUTS, 5000)};
    f.net = make_net(REAL_DTYPE, n_inputs, 2, (const size_t[]){HIDDEN, OUTPUTS}, BP_ACTIVATION_TANH, output, 1, 3);
    f.count = bp_net_parameter_count(f.net);
    must(bp_workspace_create(&f.ws, f.net, max_batch));
    must(bp_optimizer_create(&f.sgd, BP_METHOD_SGD, f.net));
    must(bp_optimizer_set(f.sgd, BP_OPTIMIZER_LEARNING_RATE, 1));
    f.sgd->seed = 8;
    for (size_t i = 0; i < ROWS; i++) {
        f.weights[i] = (real)(1 + number(9000 + i));
    }
    for (size_t i = 0; i < ROWS * OUTPUTS; i++) {
        f.target[i] = (real)fabs((double)f.target[i]);
    }
    return f;
}

static void end(fixture *f)
{
    bp_optimizer_destroy(f->sgd);
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->net);
    free(f->x);
    free(f->target);
}

static void scale_inputs(fixture *f)
{
    real *offset = numbers(f->n_inputs, 300), *scale = numbers(f->n_inputs, 400);
    must(REAL(bp_net_set_input_scaling)(f->net, offset, scale));
    free(offset);
    free(scale);
}

/* The first step of a net that is initialized anew: its loss, and the parameters after it. */
static real step(fixture *f, const REAL(bp_samples) * samples, size_t first, size_t batch, real *theta)
{
    real loss = -1;
    must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 3));
    f->sgd->n_steps = 0;
    must(REAL(bp_train_step)("step", f->net, f->ws, f->sgd, f->loss, samples, first, batch, &loss));
    must(REAL(bp_net_get_parameters)(f->net, theta));
    return loss;
}

/* The parameters' change by a step. */
static real change(fixture *f, const REAL(bp_samples) * samples, size_t first, size_t batch, real *by)
{
    real theta[ROOM], loss = step(f, samples, first, batch, by);
    must(bp_net_initialize(f->net, BP_INITIALIZER_GLOROT_UNIFORM, 3));
    must(REAL(bp_net_get_parameters)(f->net, theta));
    for (size_t i = 0; i < f->count; i++) {
        by[i] -= theta[i];
    }
    return loss;
}

static void same(const char *what, const fixture *f, size_t batch, const real *a, real loss_a, const real *b, real loss_b)
{
    if (loss_a != loss_b || memcmp(a, b, f->count * sizeof *a) != 0) {
        fail_msg("%s, %zu inputs, batch %zu: other bits; losses %.9g and %.9g", what, f->n_inputs, batch, (double)loss_a, (double)loss_b);
    }
}

enum { SCALING = 1, WEIGHTS = 2, SMOOTHING = 4, NOISE = 8, DROPOUT = 16, OPTIONS = 32 };

static void check_order(size_t n_inputs, size_t batch, unsigned options)
{
    fixture f = make(n_inputs, batch, BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY);
    if (options & SCALING) {
        scale_inputs(&f);
    }
    must(bp_net_set_input_noise(f.net, options & NOISE ? 0.1 : 0));
    if (options & DROPOUT) {
        must(bp_net_set_dropout(f.net, 0, 0.5));
        bp_workspace_destroy(f.ws);
        must(bp_workspace_create(&f.ws, f.net, batch));
    }
    real *x = numbers(BATCH * n_inputs, 0), target[BATCH * OUTPUTS], weights[BATCH], theta[2][ROOM];
    for (size_t s = 0; s < batch; s++) {
        size_t row = order[FIRST + s];
        memcpy(x + s * n_inputs, f.x + row * n_inputs, n_inputs * sizeof *x);
        memcpy(target + s * OUTPUTS, f.target + row * OUTPUTS, OUTPUTS * sizeof *target);
        weights[s] = f.weights[row];
    }
    REAL(bp_samples) samples = {.x = f.x, .target = f.target, .order = order, .weights = options & WEIGHTS ? f.weights : NULL};
    REAL(bp_samples) gathered = {.x = x, .target = target, .weights = options & WEIGHTS ? weights : NULL};
    samples.label_smoothing = gathered.label_smoothing = options & SMOOTHING ? (real)0.125 : 0;
    real loss[2] = {step(&f, &samples, FIRST, batch, theta[0]), step(&f, &gathered, 0, batch, theta[1])};
    same("an order", &f, batch, theta[0], loss[0], theta[1], loss[1]);

    /* without an order, the samples from number first on are those of an array that begins there */
    samples.order = NULL;
    gathered = samples;
    gathered.x += FIRST * n_inputs;
    gathered.target += FIRST * OUTPUTS;
    gathered.weights = samples.weights ? samples.weights + FIRST : NULL;
    loss[0] = step(&f, &samples, FIRST, batch, theta[0]);
    loss[1] = step(&f, &gathered, 0, batch, theta[1]);
    same("a later first sample", &f, batch, theta[0], loss[0], theta[1], loss[1]);
    free(x);
    end(&f);
}

/* One sample of 16 or 32 inputs is read where it lies, in whole cache lines, one of another number, or with scaling or noise, is copied. */
static void test_order(void **state)
{
    (void)state;
    const size_t inputs[] = {1, 3, 16, 17, 32, MOST_INPUTS}, batches[] = {1, 2, BATCH};
    for (size_t i = 0; i < 6; i++) {
        for (size_t b = 0; b < 3; b++) {
            for (unsigned options = 0; options < OPTIONS; options++) {
                check_order(inputs[i], batches[b], options);
            }
        }
    }
}

/* Samples that lie at other than whole cache lines. */
static void test_unaligned_rows(void **state)
{
    (void)state;
    fixture f = make(16, 1, BP_ACTIVATION_IDENTITY, BP_LOSS_MSE);
    real *moved = numbers(ROWS * 16 + 1, 0), theta[2][ROOM];
    memcpy(moved + 1, f.x, ROWS * 16 * sizeof *moved);
    const REAL(bp_samples) aligned = {.x = f.x, .target = f.target, .order = order};
    const REAL(bp_samples) unaligned = {.x = moved + 1, .target = f.target, .order = order};
    for (size_t s = 0; s < BATCH; s++) {
        real a = step(&f, &aligned, s, 1, theta[0]);
        assert_ptr_equal(f.ws->layers[0].x, f.x + order[s] * 16);
        real b = step(&f, &unaligned, s, 1, theta[1]);
        assert_ptr_equal(f.ws->layers[0].x, f.ws->input);
        same("unaligned", &f, 1, theta[0], a, theta[1], b);
    }
    free(moved);
    end(&f);
}

/* A batch's rows are copied by whole vectors, which go over into the next row's place: the last one's stays in the room for x. */
static void test_last_row(void **state)
{
    (void)state;
    enum { LINE = BP_ALIGNMENT / sizeof(real) };
    const size_t batches[] = {1, 2, 3, BATCH};
    for (size_t n_inputs = 1; n_inputs <= MOST_INPUTS; n_inputs++) {
        for (size_t b = 0; b < 4; b++) {
            fixture f = make(n_inputs, batches[b], BP_ACTIVATION_IDENTITY, BP_LOSS_MSE);
            real theta[ROOM], *input = f.ws->input, *after = f.ws->target; /* not written without order and smoothing */
            scale_inputs(&f);
            assert_true(after >= input + n_inputs * batches[b]);
            for (size_t i = 0; i < OUTPUTS; i++) {
                after[i] = 12345;
            }
            step(&f, &(REAL(bp_samples)){.x = f.x, .target = f.target}, 0, batches[b], theta);
            for (size_t i = 0; i < OUTPUTS; i++) {
                assert_true(after[i] == 12345);
            }
            for (size_t i = n_inputs; batches[b] == 1 && i % LINE != 0; i++) {
                assert_true(input[i] == 0); /* a single sample has zeros behind its end */
            }
            end(&f);
        }
    }
}

static const struct {
    bp_rule rule;
    bp_activation output;
    bp_loss loss;
} kinds[] = {
    {BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY, BP_LOSS_MSE},
    {BP_RULE_GRADIENT, BP_ACTIVATION_TANH, BP_LOSS_MAE},
    {BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY, BP_LOSS_HUBER},
    {BP_RULE_GRADIENT, BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY},
    {BP_RULE_GRADIENT, BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY},
    {BP_RULE_GRADIENT, BP_ACTIVATION_SOFTMAX, BP_LOSS_MSE},
    {BP_RULE_ERROR_SIGNAL, BP_ACTIVATION_TANH, BP_LOSS_MSE},
    {BP_RULE_ERROR_SIGNAL, BP_ACTIVATION_SIGMOID, BP_LOSS_BINARY_CROSS_ENTROPY},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static fixture make_kind(size_t kind)
{
    fixture f = make(17, BATCH, kinds[kind].output, kinds[kind].loss);
    must(bp_net_set_rule(f.net, kinds[kind].rule));
    return f;
}

/* A batch with weights w: loss and change are the mean of w times those of its samples alone; as is each of them with its own weight. */
static void test_weights(void **state)
{
    (void)state;
    const double tolerance = REAL_DTYPE == BP_F32 ? 4e-6 : 4e-15;
    for (size_t kind = 0; kind < KINDS; kind++) {
        fixture f = make_kind(kind);
        REAL(bp_samples) samples = {.x = f.x, .target = f.target, .order = order};
        real together[ROOM], alone[ROOM], weighted[ROOM];
        double mean[ROOM] = {0}, mean_loss = 0;
        for (size_t s = 0; s < BATCH; s++) {
            double w = (double)f.weights[order[FIRST + s]];
            samples.weights = NULL;
            double loss = (double)change(&f, &samples, FIRST + s, 1, alone);
            samples.weights = f.weights;
            double weighted_loss = (double)change(&f, &samples, FIRST + s, 1, weighted);
            assert_true(fabs(weighted_loss - w * loss) <= tolerance);
            mean_loss += w * loss / BATCH;
            for (size_t i = 0; i < f.count; i++) {
                assert_true(fabs((double)weighted[i] - w * (double)alone[i]) <= tolerance);
                mean[i] += w * (double)alone[i] / BATCH;
            }
        }
        double loss = (double)change(&f, &samples, FIRST, BATCH, together);
        assert_true(fabs(loss - mean_loss) <= tolerance);
        for (size_t i = 0; i < f.count; i++) {
            assert_true(fabs((double)together[i] - mean[i]) <= tolerance);
        }
        end(&f);
    }
}

/* Weights of 1 are none, and of a sample with weight 0 nothing comes through. */
static void test_weights_one_and_zero(void **state)
{
    (void)state;
    const real ones[ROWS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, some[ROWS] = {2, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1};
    for (size_t kind = 0; kind < KINDS; kind++) {
        fixture f = make_kind(kind);
        for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
            REAL(bp_samples) samples = {.x = f.x, .target = f.target};
            real a[ROOM], b[ROOM], loss[2] = {step(&f, &samples, 2, batch, a)};
            samples.weights = ones;
            loss[1] = step(&f, &samples, 2, batch, b);
            same("weights of 1", &f, batch, a, loss[0], b, loss[1]);

            samples.weights = some;
            loss[0] = step(&f, &samples, 2, batch, a);
            real kept[2] = {f.x[2 * f.n_inputs], f.target[5 * OUTPUTS + 1]};
            f.x[2 * f.n_inputs] = 3;
            f.target[5 * OUTPUTS + 1] = (real)0.75;
            loss[1] = step(&f, &samples, 2, batch, b);
            same("weights of 0", &f, batch, a, loss[0], b, loss[1]);
            f.x[2 * f.n_inputs] = kept[0];
            f.target[5 * OUTPUTS + 1] = kept[1];
            assert_true(batch > 1 || loss[0] == 0);
        }
        end(&f);
    }
}

/* A weight that makes the error signal infinite, though the loss is not: refused, nothing moved. */
static void test_infinite_by_weight(void **state)
{
    (void)state;
    fixture f = make_kind(KINDS - 1);
    real before[ROOM], after[ROOM], loss = 42, large[ROWS], e = REAL_DTYPE == BP_F32 ? 80 : 700;
    must(REAL(bp_net_get_parameters)(f.net, before));
    before[f.count - 1] = -e; /* the last bias: −∂L/∂y is near exp(80), the loss near 80 */
    must(REAL(bp_net_set_parameters)(f.net, before));
    for (size_t i = 0; i < ROWS; i++) {
        large[i] = REAL_DTYPE == BP_F32 ? (real)1e10 : (real)1e20;
    }
    REAL(bp_samples) samples = {.x = f.x, .target = f.target, .weights = large};
    for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
        REFUSED(REAL(bp_train_step)("step", f.net, f.ws, f.sgd, f.loss, &samples, 0, batch, &loss), BP_ERROR_NONFINITE, "not finite");
        must(REAL(bp_net_get_parameters)(f.net, after));
        assert_memory_equal(before, after, f.count * sizeof *before);
        assert_true(loss == 42 && f.sgd->n_steps == 0);
    }
    end(&f);
}

static void test_label_smoothing(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        fixture f = make_kind(kind);
        for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
            for (int options = 0; options < 4; options++) {
                const real s = (real)0.1;
                REAL(bp_samples)
                samples = {
                    .x = f.x,
                    .target = f.target,
                    .weights = options & 1 ? f.weights : NULL,
                    .order = options & 2 ? order : NULL,
                    .label_smoothing = s,
                };
                real by_hand[ROWS * OUTPUTS], a[ROOM], b[ROOM], loss[2] = {step(&f, &samples, 1, batch, a)};
                for (size_t i = 0; i < ROWS * OUTPUTS; i++) {
                    by_hand[i] = (1 - s) * f.target[i] + s / OUTPUTS;
                }
                samples.target = by_hand;
                samples.label_smoothing = 0;
                loss[1] = step(&f, &samples, 1, batch, b);
                same("label smoothing", &f, batch, a, loss[0], b, loss[1]);
            }
        }
        end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),           cmocka_unit_test(test_unaligned_rows),       cmocka_unit_test(test_last_row),
        cmocka_unit_test(test_weights),         cmocka_unit_test(test_weights_one_and_zero), cmocka_unit_test(test_infinite_by_weight),
        cmocka_unit_test(test_label_smoothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
