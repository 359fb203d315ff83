/* Training that diverges: the sentence, where net and optimizer are then, and going on with half the learning rate. */
#include "train/optimizer.h"
#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 300 };

static const double huge = REAL_DTYPE == BP_F32 ? 1e30 : 1e200;
static bp_dataset *curves;

static int make_data(void **state)
{
    (void)state;
    curves = make_curves(SAMPLES, 3);
    return 0;
}

static int free_data(void **state)
{
    bp_dataset_destroy(curves);
    return remove_files(state);
}

/* What a trainer has at an epoch's end. */
typedef struct epoch_end {
    const session *s;
    uint64_t wanted; /* the number of the last epoch that is to go well */
    real *theta;
    void *states[BP_MAX_STATES];
    uint64_t steps;
    uint64_t calls; /* behind it */
} epoch_end;

static void release(epoch_end *e)
{
    free(e->theta);
    for (size_t i = 0; i < BP_MAX_STATES; i++) {
        free(e->states[i]);
    }
}

static void take(epoch_end *e)
{
    release(e);
    e->theta = parameters(e->s->net);
    e->steps = bp_optimizer_step_count(e->s->opt);
    for (size_t i = 0; i < BP_MAX_STATES; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(e->s->opt, i);
        e->states[i] = malloc(state.n * sizeof(real) + 1);
        memcpy(e->states[i], state.n ? state.elements : "", state.n * sizeof(real));
    }
}

/* Takes it, and lets the next epoch diverge. */
static int break_off(void *context, const bp_progress *progress)
{
    epoch_end *e = context;
    e->calls++;
    if (progress->is_epoch_end) {
        take(e);
        e->calls = 0;
    }
    if (progress->is_epoch_end && progress->epoch == e->wanted) {
        must(bp_optimizer_set(e->s->opt, BP_OPTIMIZER_LEARNING_RATE, huge));
    }
    return 0;
}

static void expect_back(const char *what, epoch_end *e)
{
    real *theta = parameters(e->s->net);
    bool same = memcmp(theta, e->theta, bp_net_parameter_count(e->s->net) * sizeof *theta) == 0;
    for (size_t i = 0; i < BP_MAX_STATES; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(e->s->opt, i);
        same = same && (state.n == 0 || memcmp(state.elements, e->states[i], state.n * sizeof(real)) == 0);
    }
    free(theta);
    release(e);
    if (!same || bp_optimizer_step_count(e->s->opt) != e->steps) {
        fail_msg("%s: net or optimizer is not where the epoch began", what);
    }
}

static void check_divergence(bp_method method, double batch, uint64_t good_epochs)
{
    session s = open_session(curves, method, 3);
    epoch_end end = {.s = &s, .wanted = good_epochs};
    char word[80];
    set(&s, BP_TRAINER_EPOCHS, 5);
    set(&s, BP_TRAINER_BATCH_SIZE, batch);
    must(bp_trainer_set_progress(s.trainer, break_off, &end, BP_PROGRESS_BATCH));
    if (good_epochs == 0) {
        take(&end);
        must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, huge));
    }
    bp_status status = bp_trainer_run(s.trainer);
    int pieces = batch == 1 ? 2 : (SAMPLES + (int)batch - 1) / (int)batch;
    size_t epochs = bp_trainer_epoch_count(s.trainer);
    sprintf(word, "epoch %zu, batch %d of %d: ", epochs + 1, (int)end.calls + 1, pieces);
    must_refuse(bp_method_name(method), status, BP_ERROR_DIVERGED, word);
    assert_int_equal(bp_trainer_stop(s.trainer), BP_STOP_NONE);
    assert_int_equal(epochs, good_epochs + (batch == SAMPLES)); /* a single step is seen to be bad by the one after it */
    expect_back(bp_method_name(method), &end);

    /* and on */
    must(bp_trainer_set_progress(s.trainer, NULL, NULL, BP_PROGRESS_EPOCH));
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.001));
    if (batch < SAMPLES) {
        run(&s, BP_STOP_EPOCHS);
        assert_true(isfinite(history(&s, BP_HISTORY_TRAINING_LOSS, 4)));
    }
    close_session(&s);
}

static void test_huge_rate(void **state)
{
    (void)state;
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_MOMENTUM, BP_METHOD_ADAM, BP_METHOD_CUSTOM};
    const double batches[] = {1, 32, 300};
    for (size_t i = 0; i < 4 * 3 * 2; i++) {
        check_divergence(methods[i / 6], batches[i / 2 % 3], i % 2 * 2);
    }
}

/* A custom method that fails in the middle of a piece of on-line learning. */
static int fail_once(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state, real *state)
{
    (void)n_state;
    int *failures = context;
    if (step == 420 && (*failures)++ == 0) {
        return 7;
    }
    for (size_t i = 0; i < n; i++) {
        state[i] += gradient[i];
        theta[i] -= (real)rate * state[i];
    }
    return 0;
}

static void test_method_that_fails(void **state)
{
    (void)state;
    for (double batch = 1; batch <= 2; batch++) {
        session s[2];
        int failures[] = {0, 1};
        for (int i = 0; i < 2; i++) {
            s[i] = open_session(curves, BP_METHOD_SGD, 3);
            bp_trainer_destroy(s[i].trainer);
            bp_optimizer_destroy(s[i].opt);
            must(REAL(bp_optimizer_create_custom)(&s[i].opt, s[i].net, bp_net_parameter_count(s[i].net), fail_once, &failures[i]));
            must(bp_optimizer_set(s[i].opt, BP_OPTIMIZER_LEARNING_RATE, 0.0001));
            must(bp_trainer_create(&s[i].trainer, s[i].net, s[i].opt, BP_LOSS_MSE, curves));
            set(&s[i], BP_TRAINER_BATCH_SIZE, batch);
            set(&s[i], BP_TRAINER_EPOCHS, 4);
        }
        REFUSED(bp_trainer_run(s[0].trainer), BP_ERROR_STATE, "returned 7");
        run(&s[0], BP_STOP_EPOCHS);
        run(&s[1], BP_STOP_EPOCHS);
        expect_same("once failed", &s[0], &s[1]);
        close_session(&s[0]);
        close_session(&s[1]);
    }
}

/* ---- parameters that are not finite, where the loss before the step was ---- */

typedef struct watcher {
    const session *s;
    int calls;
} watcher;

static int stop_and_save(void *context, const bp_progress *progress)
{
    watcher *w = context;
    (void)progress;
    w->calls++;
    REFUSED(bp_trainer_save(w->s->trainer, file_path("checkpoint")), BP_ERROR_NONFINITE, "NaN or infinite");
    return 1;
}

static void test_infinite_parameters(void **state)
{
    (void)state;
    double *weights = malloc(SAMPLES * sizeof *weights);
    for (size_t i = 0; i < SAMPLES; i++) {
        weights[i] = huge;
    }
    must(bp_dataset_set_weights(curves, weights));
    for (double batch = 32; batch <= 300; batch += 268) {
        session s = open_session(curves, BP_METHOD_SGD, 3);
        watcher watcher = {.s = &s};
        real *theta = parameters(s.net);
        must(bp_trainer_save(s.trainer, file_path("checkpoint")));
        must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, huge));
        must(bp_trainer_set_progress(s.trainer, stop_and_save, &watcher, BP_PROGRESS_BATCH));
        set(&s, BP_TRAINER_BATCH_SIZE, batch);
        REFUSED(bp_trainer_run(s.trainer), BP_ERROR_DIVERGED, "epoch 1");
        assert_non_null(strstr(bp_last_error(), "a parameter is not finite"));
        assert_int_equal(watcher.calls, batch == 32);
        real *after = parameters(s.net);
        assert_memory_equal(theta, after, bp_net_parameter_count(s.net) * sizeof *theta);
        must(bp_trainer_load(s.trainer, file_path("checkpoint"))); /* is the good one still */
        free(theta);
        free(after);
        close_session(&s);
    }
    free(weights);
    must(bp_dataset_set_weights(curves, NULL));
}

/* A validation set whose loss is beyond the type's range. */
static void test_infinite_validation(void **state)
{
    (void)state;
    const real x[INPUTS] = {1}, z[2] = {(real)huge, 0};
    bp_dataset *validation;
    must(REAL(bp_dataset_create)(&validation, 1, INPUTS, 2, x, z));
    session s = open_session(curves, BP_METHOD_MOMENTUM, 3);
    epoch_end end = {.s = &s};
    take(&end);
    must(bp_trainer_set_validation(s.trainer, validation));
    REFUSED(bp_trainer_run(s.trainer), BP_ERROR_DIVERGED, "epoch 1, batch 10 of 10: an output or the loss is not finite when measured");
    expect_back("validation", &end);
    assert_true(bp_trainer_best_epoch(s.trainer) == SIZE_MAX);
    must(bp_trainer_set_validation(s.trainer, NULL));
    set(&s, BP_TRAINER_EPOCHS, 2);
    run(&s, BP_STOP_EPOCHS);
    close_session(&s);
    bp_dataset_destroy(validation);
}

/* ---- halvings ---- */

static double rate_of(const session *s)
{
    double rate;
    must(bp_optimizer_get(s->opt, BP_OPTIMIZER_LEARNING_RATE, &rate));
    return rate;
}

/* Each epoch is as if its rate had been set by hand. */
static void check_halvings(double batch, bool has_schedule)
{
    session s = open_session(curves, BP_METHOD_SGD, 3), hand = open_session(curves, BP_METHOD_SGD, 3);
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, BP_SCHEDULE_EXPONENTIAL));
    set(&s, BP_TRAINER_BATCH_SIZE, batch);
    set(&hand, BP_TRAINER_BATCH_SIZE, batch);
    set(&s, BP_TRAINER_EPOCHS, 6);
    set(&s, BP_TRAINER_HALVINGS, 3000);
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, huge));
    must(bp_trainer_set_schedule(s.trainer, has_schedule ? schedule : NULL));
    run(&s, BP_STOP_EPOCHS);
    for (size_t epoch = 0; epoch < 6; epoch++) {
        double rate = history(&s, BP_HISTORY_LEARNING_RATE, epoch), factor, halvings;
        must(bp_schedule_learning_rate(schedule, 1, has_schedule ? (double)epoch : 0, &factor));
        halvings = log2(huge * factor / rate);
        if (!(halvings > 1 && fabs(halvings - round(halvings)) < 1e-9)) {
            fail_msg("epoch %zu: rate %g is not %g halved", epoch, rate, huge * factor);
        }
        must(bp_optimizer_set(hand.opt, BP_OPTIMIZER_LEARNING_RATE, rate));
        set(&hand, BP_TRAINER_EPOCHS, (double)epoch + 1);
        run(&hand, BP_STOP_EPOCHS);
    }
    expect_same("halvings", &hand, &s);
    if (has_schedule) {
        must(bp_trainer_set_schedule(s.trainer, NULL));
        double halvings = log2(huge / rate_of(&s));
        assert_true(halvings == round(halvings) && halvings > 1);
    }
    bp_schedule_destroy(schedule);
    close_session(&s);
    close_session(&hand);
}

static void test_halvings(void **state)
{
    (void)state;
    const double batches[] = {1, 100, 300};
    /*
     * With tables that sum an f32 loss in double, the first epoch of one batch may end where the loss is finite but its gradient is not: then no rate
     * is small enough for the second.
     */
    bool sums_in_double = strcmp(bp_kernel_name(), "blas") == 0 || strcmp(bp_kernel_name(), "reference") == 0;
    for (size_t i = 0; i < (REAL_DTYPE == BP_F32 && sums_in_double ? 4 : 6); i++) {
        check_halvings(batches[i / 2], i % 2);
    }
}

static void test_too_few_halvings(void **state)
{
    (void)state;
    session s = open_session(curves, BP_METHOD_MOMENTUM, 3);
    epoch_end end = {.s = &s};
    take(&end);
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, huge));
    set(&s, BP_TRAINER_HALVINGS, 3);
    REFUSED(bp_trainer_run(s.trainer), BP_ERROR_DIVERGED, "epoch 1, batch");
    assert_true(rate_of(&s) == huge / 8);
    expect_back("three halvings", &end);
    close_session(&s);
}

/* Losses that are finite each, but not all together: their mean is a number, of a whole epoch there is none. */
static void test_sum_of_losses(void **state)
{
    (void)state;
    enum { N = 6 };
    const double root = REAL_DTYPE == BP_F32 ? 1.5e19 : 1.2e154;
    real x[N] = {0}, target[N], mean = 0;
    for (int i = 0; i < N; i++) {
        target[i] = (real)root;
    }
    bp_dataset *data;
    bp_workspace *ws;
    session s = {.net = make_net(REAL_DTYPE, 1, 1, (const size_t[]){1}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_IDENTITY, 0, 1)};
    must(REAL(bp_dataset_create)(&data, N, 1, 1, x, target));
    must(bp_optimizer_create(&s.opt, BP_METHOD_SGD, s.net));
    must(bp_trainer_create(&s.trainer, s.net, s.opt, BP_LOSS_MSE, data));
    must(bp_workspace_create(&ws, s.net, 1));
    must(REAL(bp_net_train_online)(s.net, ws, s.opt, BP_LOSS_MSE, N, x, target, &mean));
    assert_true(fabs((double)mean / (root * root / 2) - 1) < 1e-6);

    double loss = -1;
    bool has_sum = isfinite(N * (root * root / 2)); /* sums are in double */
    if (has_sum) {
        must(bp_net_evaluate(s.net, ws, BP_LOSS_MSE, data, 0, 1, &loss, NULL));
        run(&s, BP_STOP_EPOCHS);
    } else {
        REFUSED(bp_net_evaluate(s.net, ws, BP_LOSS_MSE, data, 0, 1, &loss, NULL), BP_ERROR_NONFINITE, "sum");
        for (double batch = 1; batch <= 2; batch++) { /* on-line, where all of the epoch is one call, and in batches */
            set(&s, BP_TRAINER_BATCH_SIZE, batch);
            REFUSED(bp_trainer_run(s.trainer), BP_ERROR_DIVERGED, "the sum of the losses");
        }
    }
    bp_workspace_destroy(ws);
    bp_dataset_destroy(data);
    close_session(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_huge_rate),           cmocka_unit_test(test_method_that_fails), cmocka_unit_test(test_infinite_parameters),
        cmocka_unit_test(test_infinite_validation), cmocka_unit_test(test_halvings),          cmocka_unit_test(test_too_few_halvings),
        cmocka_unit_test(test_sum_of_losses),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
