/*
 * Frozen layers, in every combination, under both rules: their parameters stay, bit for bit, with every method; their gradient is 0 and that of the
 * others what it was; nothing is computed below the lowest layer that learns, and −∂L/∂x is still right.
 */
#include "core/real.h"
#include "net/net.h"
#include "net/workspace.h"
#include "support/check.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 6, LAYERS = 3, OUTPUTS = 4, BATCH = 5, COUNT = 20 * 7 + 17 * 21 + OUTPUTS * 18, SENTINEL = 12345, METHODS = 16 };

static const size_t widths[LAYERS] = {20, 17, OUTPUTS};

/* What is trained. */
static const struct {
    bp_rule rule;
    bp_activation output;
    bp_loss loss;
} kinds[] = {
    {BP_RULE_GRADIENT, BP_ACTIVATION_IDENTITY, BP_LOSS_MSE},
    {BP_RULE_GRADIENT, BP_ACTIVATION_SOFTMAX, BP_LOSS_CROSS_ENTROPY},
    {BP_RULE_GRADIENT, BP_ACTIVATION_SOFTMAX, BP_LOSS_MSE},
    {BP_RULE_ERROR_SIGNAL, BP_ACTIVATION_TANH, BP_LOSS_MSE},
};

enum { KINDS = sizeof kinds / sizeof *kinds, MASKS = 1 << LAYERS };

static real x[BATCH * INPUTS], target[BATCH * OUTPUTS];

static int make_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < BATCH; i++) {
        target[i * OUTPUTS + i % OUTPUTS] = 1;
    }
    return 0;
}

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    bp_loss loss;
} fixture;

/* mask: bit l for layer l */
static void freeze(bp_net *net, unsigned mask)
{
    for (size_t l = 0; l < LAYERS; l++) {
        must(bp_net_set_frozen(net, l, mask >> l & 1));
    }
}

static fixture make(size_t kind, unsigned mask)
{
    fixture f = {.loss = kinds[kind].loss};
    f.net = make_net(REAL_DTYPE, INPUTS, LAYERS, widths, BP_ACTIVATION_TANH, kinds[kind].output, 1, 3);
    assert_int_equal(bp_net_parameter_count(f.net), COUNT);
    must(bp_net_set_rule(f.net, kinds[kind].rule));
    freeze(f.net, mask);
    must(bp_workspace_create(&f.ws, f.net, BATCH));
    return f;
}

static void end(fixture *f)
{
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->net);
}

/* The first of a layer's parameters in θ. */
static size_t place_of(size_t layer)
{
    size_t at = 0;
    for (size_t l = 0, n = INPUTS; l < layer; n = widths[l++]) {
        at += widths[l] * (n + 1);
    }
    return at;
}

typedef enum { STEP_OF_ONE, STEP_OF_BATCH, ONLINE, OPTIMIZER_STEP, CALLS } call;

static bp_status train(fixture *f, bp_optimizer *opt, call which, real *loss)
{
    static real gradient[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        gradient[i] = (real)number(1000 + i);
    }
    switch (which) {
    case ONLINE:
        return REAL(bp_net_train_online)(f->net, f->ws, opt, f->loss, BATCH, x, target, loss);
    case OPTIMIZER_STEP:
        return REAL(bp_optimizer_step)(opt, f->net, gradient);
    default:
        return REAL(bp_net_train_step)(f->net, f->ws, opt, f->loss, which == STEP_OF_ONE ? 1 : BATCH, x, target, loss);
    }
}

/* Frozen layers stay through steps of this method, the others do not; also those that learned before they were frozen. */
static void check_method(size_t kind, unsigned mask, bp_method method, call which, bool learned_before)
{
    fixture f = make(kind, learned_before ? 0 : mask);
    bp_optimizer *opt;
    real before[COUNT], after[COUNT];
    if (bp_optimizer_create(&opt, method, f.net) != BP_OK) { /* it is made by a call of its own */
        end(&f);
        return;
    }
    if (learned_before) {
        bp_optimizer_set(opt, BP_OPTIMIZER_ITERATIONS, 2); /* of L-BFGS, so that something is left to learn */
        train(&f, opt, which, NULL);
        freeze(f.net, mask);
    }
    must(REAL(bp_net_get_parameters)(f.net, before));
    bp_status status = train(&f, opt, which, NULL);
    if (status != BP_ERROR_UNSUPPORTED) {
        must(status);
        must(train(&f, opt, which, NULL));
        must(REAL(bp_net_get_parameters)(f.net, after));
        for (size_t l = 0; l < LAYERS; l++) {
            size_t first = place_of(l), bytes = (place_of(l + 1) - first) * sizeof(real);
            bool stayed = memcmp(before + first, after + first, bytes) == 0;
            bool is_frozen = mask >> l & 1;
            if (is_frozen ? !stayed : stayed && !learned_before) { /* L-BFGS may have learned all there is */
                fail_msg("%s, call %d, kind %zu, frozen %x: layer %zu %s", bp_method_name(method), which, kind, mask, l,
                         stayed ? "stayed" : "moved");
            }
        }
    }
    bp_optimizer_destroy(opt);
    end(&f);
}

static void test_frozen_layers_stay(void **state)
{
    (void)state;
    size_t tried = 0;
    for (int method = 0; method < METHODS; method++) {
        for (unsigned mask = 0; bp_method_name((bp_method)method) && mask < MASKS; mask++) {
            for (size_t kind = 0; kind < KINDS; kind++) {
                for (int which = 0; which < CALLS; which++, tried++) {
                    check_method(kind, mask, (bp_method)method, (call)which, false);
                    check_method(kind, mask, (bp_method)method, (call)which, true);
                }
            }
        }
    }
    assert_true(tried >= 3 * MASKS * KINDS * CALLS);
}

/* A step moves the layers that learn as it would if none were frozen, and gives the same loss. */
static void test_others_move_as_before(void **state)
{
    (void)state;
    const double tolerance = REAL_DTYPE == BP_F32 ? 1e-6 : 1e-14;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (unsigned mask = 1; mask < MASKS; mask++) {
            for (call which = STEP_OF_ONE; which <= STEP_OF_BATCH; which++) {
                real theta[2][COUNT], loss[2];
                for (unsigned frozen = 0; frozen < 2; frozen++) {
                    fixture f = make(kind, frozen ? mask : 0);
                    bp_optimizer *sgd;
                    must(bp_optimizer_create(&sgd, BP_METHOD_SGD, f.net));
                    must(train(&f, sgd, which, &loss[frozen]));
                    must(REAL(bp_net_get_parameters)(f.net, theta[frozen]));
                    bp_optimizer_destroy(sgd);
                    end(&f);
                }
                assert_true(loss[0] == loss[1]);
                for (size_t l = 0; l < LAYERS; l++) {
                    for (size_t i = place_of(l); !(mask >> l & 1) && i < place_of(l + 1); i++) {
                        assert_true(fabs((double)theta[0][i] - (double)theta[1][i]) <= tolerance);
                    }
                }
            }
        }
    }
}

typedef struct derivatives {
    real by_loss[COUNT], by_delta[COUNT], delta_input[2][BATCH * INPUTS], loss;
} derivatives;

static void differentiate(fixture *f, size_t batch, derivatives *d)
{
    real y[BATCH * OUTPUTS];
    *d = (derivatives){.loss = 0};
    for (size_t i = 0; i < COUNT; i++) {
        d->by_loss[i] = d->by_delta[i] = SENTINEL;
    }
    must(REAL(bp_net_gradient)(f->net, f->ws, f->loss, batch, x, target, d->by_loss, &d->loss));
    must(REAL(bp_net_forward)(f->net, f->ws, batch, x, y));
    must(REAL(bp_net_backward)(f->net, f->ws, target, d->by_delta, d->delta_input[0]));
    must(REAL(bp_net_backward)(f->net, f->ws, target, NULL, d->delta_input[1]));
}

static void check_gradient(const char *what, unsigned mask, const real *all, const real *got)
{
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t i = place_of(l); i < place_of(l + 1); i++) {
            real expected = mask >> l & 1 ? 0 : all[i];
            if (got[i] != expected) {
                fail_msg("%s, frozen %x: element %zu, of layer %zu, is %g, expected %g", what, mask, i, l, (double)got[i],
                         (double)expected);
            }
        }
    }
}

static void test_gradient(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (unsigned mask = 1; mask < MASKS; mask++) {
            for (size_t batch = 1; batch <= BATCH; batch += BATCH - 1) {
                fixture f = make(kind, 0);
                derivatives all, got;
                differentiate(&f, batch, &all);
                freeze(f.net, mask);
                differentiate(&f, batch, &got);
                check_gradient("bp_net_gradient", mask, all.by_loss, got.by_loss);
                check_gradient("bp_net_backward", mask, all.by_delta, got.by_delta);
                assert_memory_equal(all.delta_input, got.delta_input, sizeof all.delta_input);
                assert_true(all.loss == got.loss);
                freeze(f.net, 0); /* and all as it was */
                differentiate(&f, batch, &got);
                assert_memory_equal(&all, &got, sizeof all);
                end(&f);
            }
        }
    }
}

/* Below the lowest layer that learns, no error signal is written. */
static void test_nothing_below(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (unsigned mask = 1; mask < MASKS; mask += 2) {
            size_t lowest = 0;
            while (mask >> lowest & 1) {
                lowest++;
            }
            for (call which = STEP_OF_ONE; which <= ONLINE; which++) {
                fixture original = make(kind, mask), f = {.loss = original.loss};
                bp_optimizer *sgd;
                must(bp_net_clone(&f.net, original.net)); /* which has frozen layers as well */
                must(bp_workspace_create(&f.ws, f.net, BATCH));
                end(&original);
                must(bp_optimizer_create(&sgd, BP_METHOD_SGD, f.net));
                for (size_t l = 0; l < LAYERS; l++) {
                    real *g = f.ws->layers[l].g;
                    for (size_t i = 0; i < BATCH * widths[l]; i++) {
                        g[i] = SENTINEL;
                    }
                }
                must(train(&f, sgd, which, NULL));
                for (size_t l = 0; l + 1 < LAYERS; l++) {
                    const real *g = f.ws->layers[l].g;
                    for (size_t i = 0; i < widths[l]; i++) {
                        assert_true((g[i] == SENTINEL) == (l < lowest));
                    }
                }
                bp_optimizer_destroy(sgd);
                end(&f);
            }
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    fixture f = make(0, 0);
    bp_net *raw;
    must(bp_net_create(&raw, REAL_DTYPE, 2));
    must(bp_net_add_dense(raw, 2, BP_ACTIVATION_TANH, 1));
    must(bp_net_set_frozen(f.net, 1, 1));
    REFUSED(bp_net_set_frozen(NULL, 0, 1), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_set_frozen(raw, 0, 1), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_set_frozen(f.net, LAYERS, 1), BP_ERROR_ARGUMENT, "index is 3; the net has 3 layers");
    REFUSED(bp_net_set_frozen(f.net, SIZE_MAX, 1), BP_ERROR_ARGUMENT, "index is 18446744073709551615");
    REFUSED(bp_net_set_frozen(f.net, 1, 2), BP_ERROR_ARGUMENT, "frozen is 2; it can be 0 or 1");
    REFUSED(bp_net_set_frozen(f.net, 1, -1), BP_ERROR_ARGUMENT, "frozen is -1");
    for (size_t l = 0; l <= LAYERS; l++) {
        assert_int_equal(bp_net_is_frozen(f.net, l), l == 1);
    }
    assert_int_equal(bp_net_is_frozen(NULL, 0), 0);
    bp_net_destroy(raw);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frozen_layers_stay),
        cmocka_unit_test(test_others_move_as_before),
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_nothing_below),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_samples, NULL);
}
