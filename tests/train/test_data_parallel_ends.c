#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */

/* How the run of several ranks ends: refusals, one rank that fails or stops; all end alike, and can begin again. */
#include "train/optimizer.h"
#include "train/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 60, N = 3 };

static bp_dataset *training, *validation, *curves;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(20, 2);
    curves = make_curves(SAMPLES, 3);
    return 0;
}

static int free_data(void **state)
{
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    bp_dataset_destroy(curves);
    return remove_files(state);
}

static void prepare(session *s)
{
    set(s, BP_TRAINER_EPOCHS, 3);
    set(s, BP_TRAINER_BATCH_SIZE, 10);
}

static const plan *of_classes(void)
{
    static plan of;
    of = (plan){.training = training, .validation = validation, .method = BP_METHOD_ADAM, .prepare = prepare};
    return &of;
}

/* ---- what the setter refuses ---- */

static void test_setter(void **state)
{
    (void)state;
    ranks r;
    open_ranks(&r, of_classes(), N);
    bp_trainer *trainer = r.rank[1].s.trainer;
    const bp_data_parallel good = r.rank[1].parallel;
    REFUSED(bp_trainer_set_data_parallel(NULL, &good), BP_ERROR_ARGUMENT, "trainer is NULL");
    bp_data_parallel bad = good;
    bad.size--;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "size is ");
    bad = good;
    bad.begin_epoch = NULL;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "begin_epoch is NULL");
    bad = good;
    bad.agree = NULL;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "agree is NULL");
    bad = good;
    bad.end_run = NULL;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "end_run is NULL");
    bad = good;
    bad.rank = N;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "rank is 3 of 3");
    bad.rank = 0;
    bad.n_ranks = 0;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "rank is 0 of 0");
    bad = good;
    bad.n_samples = SAMPLES / N - 1;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "n_samples is 19");
    bad.n_samples = UINT64_MAX;
    REFUSED(bp_trainer_set_data_parallel(trainer, &bad), BP_ERROR_ARGUMENT, "n_samples is 18446744073709551615");
    /* what was set stays */
    run_together("after refusals", &r, BP_STOP_EPOCHS);
    close_ranks(&r);
}

/* Alone again; a batch of more samples than this rank has is refused before. */
static void test_alone_again(void **state)
{
    (void)state;
    ranks r;
    open_ranks(&r, of_classes(), N);
    run_together("together", &r, BP_STOP_EPOCHS);
    session *s = &r.rank[1].s;
    set(s, BP_TRAINER_BATCH_SIZE, SAMPLES);
    REFUSED(bp_trainer_set_data_parallel(s->trainer, NULL), BP_ERROR_STATE, "batch_size is 60, and there will be 20 samples");
    set(s, BP_TRAINER_BATCH_SIZE, 7);
    must(bp_trainer_set_data_parallel(s->trainer, NULL));
    must(REAL(bp_optimizer_set_gradient_hook)(s->opt, NULL, NULL, NULL));
    bp_dataset_destroy(r.rank[1].epoch); /* is not needed any more */
    r.rank[1].epoch = NULL;
    set(s, BP_TRAINER_EPOCHS, 5);
    run(s, BP_STOP_EPOCHS);
    assert_int_equal(bp_optimizer_step_count(s->opt), 3 * 6 + 2 * 3);
    close_ranks(&r);
}

static void test_lbfgs(void **state)
{
    (void)state;
    if (!has_method(BP_METHOD_LBFGS)) {
        skip();
    }
    ranks r;
    open_ranks(&r, of_classes(), 1);
    session s = open_session(training, BP_METHOD_LBFGS, 3);
    REFUSED(bp_trainer_set_data_parallel(s.trainer, &r.rank[0].parallel), BP_ERROR_UNSUPPORTED, "lbfgs");
    close_session(&s);
    close_ranks(&r);
}

/* ---- what a run refuses, on all ranks ---- */

/* Changes rank 1 of those that could run. */
static void expect_refused(const char *what, const plan *of, void (*change)(rank *r), bp_status status, const char *word)
{
    ranks r;
    open_ranks(&r, of, N);
    real *before = parameters(r.rank[0].s.net);
    change(&r.rank[1]);
    run_ranks(&r);
    expect_all(what, &r, status, word);
    for (size_t i = 0; i < N; i++) {
        real *after = parameters(r.rank[i].s.net);
        assert_memory_equal(before, after, bp_net_parameter_count(r.rank[i].s.net) * sizeof *before);
        free(after);
        assert_int_equal(bp_trainer_stop(r.rank[i].s.trainer), BP_STOP_NONE);
        assert_int_equal(bp_trainer_epoch_count(r.rank[i].s.trainer), 0);
    }
    free(before);
    close_ranks(&r);
}

static void other_batch(rank *r)
{
    set(&r->s, BP_TRAINER_BATCH_SIZE, 12);
}

static void other_rate(rank *r)
{
    must(bp_optimizer_set(r->s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.25));
}

static void other_seed(rank *r)
{
    must(bp_optimizer_set_seed(r->s.opt, 9));
}

static void no_validation(rank *r)
{
    must(bp_trainer_set_validation(r->s.trainer, NULL));
}

static void other_samples(rank *r)
{
    r->parallel.n_samples++;
    must(bp_trainer_set_data_parallel(r->s.trainer, &r->parallel));
}

static void one_step_more(rank *r)
{
    r->s.opt->n_steps = 1;
}

static void no_hook(rank *r)
{
    must(REAL(bp_optimizer_set_gradient_hook)(r->s.opt, NULL, NULL, NULL));
}

static void small_batch(rank *r)
{
    for (size_t i = 0; i < r->all->n; i++) {
        set(&r->all->rank[i].s, BP_TRAINER_BATCH_SIZE, N - 1);
    }
}

static void bad_monitor(rank *r)
{
    set(&r->s, BP_TRAINER_MONITOR, BP_METRIC_R2);
    must(bp_trainer_set_validation(r->s.trainer, NULL));
}

static void gives_null(rank *r)
{
    r->gives_other = true;
}

static void gives_wide(rank *r)
{
    r->gives_other = true;
    r->other = curves;
}

static void gives_many(rank *r)
{
    r->gives_other = true;
    r->other = training;
}

static void gives_few(rank *r)
{
    r->gives_other = true;
    r->other = r->validation;
}

static void test_run_refuses(void **state)
{
    (void)state;
    const plan *of = of_classes();
    expect_refused("batch", of, other_batch, BP_ERROR_STATE, "batch_size is 10 on rank 0, but 12 on rank 1");
    expect_refused("rate", of, other_rate, BP_ERROR_STATE, "learning_rate is 0.001");
    expect_refused("seed", of, other_seed, BP_ERROR_STATE, "the optimizer's seed is 0 on rank 0, but 9 on rank 1");
    expect_refused("validation", of, no_validation, BP_ERROR_STATE, "the number of validation sets is 1 on rank 0, but 0 on rank 1");
    expect_refused("samples", of, other_samples, BP_ERROR_STATE, "n_samples is 60 on rank 0, but 61 on rank 1");
    expect_refused("steps", of, one_step_more, BP_ERROR_STATE, "step count is 0 on rank 0, but 1 on rank 1");
    expect_refused("hook", of, no_hook, BP_ERROR_STATE, "the optimizer has no gradient hook");
    expect_refused("small batch", of, small_batch, BP_ERROR_ARGUMENT, "batch_size is 2; with 3 ranks");
    expect_refused("monitor", of, bad_monitor, BP_ERROR_ARGUMENT, "monitor is r2");
    expect_refused("NULL", of, gives_null, BP_ERROR_ARGUMENT, "dataset is NULL");
    expect_refused("width", of, gives_wide, BP_ERROR_ARGUMENT, "the dataset has 2 targets");
    expect_refused("many", of, gives_many, BP_ERROR_STATE, "this rank has 60 samples of 3 classes; it needs 18 of 3");
    expect_refused("few", of, gives_few, BP_ERROR_STATE, "this rank has 7 samples of 3 classes; it needs 18 of 3");
}

/* ---- one rank fails ---- */

/* Call number `call` of a place fails on one rank; all end with its status and sentence; and the next run goes well. */
static void fail_at(place at, size_t call, size_t failing, size_t every)
{
    char what[80];
    sprintf(what, "place %d, call %zu, rank %zu, every %zu", (int)at, call, failing, every);
    plan of = *of_classes();
    of.average_every = every;
    ranks r;
    open_ranks(&r, &of, N);
    r.rank[failing].fault_at = at;
    r.rank[failing].fault_call = call;
    r.rank[failing].fault = BP_ERROR_IO;
    run_ranks(&r);
    char word[80];
    sprintf(word, "fault of rank %zu", failing);
    expect_all(what, &r, BP_ERROR_IO, word);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(bp_trainer_stop(r.rank[i].s.trainer), BP_STOP_NONE);
    }
    r.rank[failing].fault_at = AT_NONE;
    run_together(what, &r, BP_STOP_EPOCHS);
    close_ranks(&r);
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t failing = 0; failing < N; failing++) {
        for (size_t call = 1; call <= 2; call++) {
            fail_at(AT_BEGIN, call, failing, 0);
            fail_at(AT_BEGIN, call, failing, 4);
            fail_at(AT_GRADIENT, 7 * call, failing, 0); /* of 6 steps */
            fail_at(AT_AVERAGE, 7 * call, failing, 4);
            fail_at(AT_AVERAGE, 6 * call, failing, 4);
        }
        for (size_t call = 1; call <= 7; call++) { /* settings; then validation, stop; with averages the sum of losses before that */
            fail_at(AT_AGREE, call, failing, 0);
            fail_at(AT_AGREE, call, failing, 4);
        }
    }
}

/* A step that fails on one rank behind the hook, of which others learn where they wait: in the hook of the next step. */
static void test_step_fails(void **state)
{
    (void)state;
    plan of = *of_classes();
    of.method = BP_METHOD_CUSTOM; /* counts steps in the last element of its state, and returns 1 if the number is another */
    for (size_t every = 0; every <= 4; every += 4) {
        of.average_every = every;
        ranks r;
        open_ranks(&r, &of, N);
        bp_custom_method *custom = &r.rank[2].s.opt->custom;
        ((real *)custom->state)[custom->n_state - 1] = 5;
        real *before = parameters(r.rank[0].s.net);
        run_ranks(&r);
        expect_all("step", &r, BP_ERROR_STATE, "the function of the custom method returned 1");
        for (size_t i = 0; i < N; i++) {
            real *after = parameters(r.rank[i].s.net);
            assert_memory_equal(before, after, bp_net_parameter_count(r.rank[i].s.net) * sizeof *before);
            free(after);
        }
        free(before);
        close_ranks(&r);
    }
}

/* ---- one rank stops ---- */

/* A progress function that stops at a batch of an epoch (0: at its end), and says what else it was told. */
typedef struct stopper {
    uint64_t epoch, batch;
    rank *r;
    bp_status from_within; /* of the setter */
    double loss;
} stopper;

static int stop_there(void *context, const bp_progress *progress)
{
    stopper *s = context;
    s->from_within = bp_trainer_set_data_parallel(s->r->s.trainer, &s->r->parallel);
    s->loss = progress->is_epoch_end ? s->loss : progress->training_loss;
    return progress->epoch == s->epoch && progress->batch == (s->batch ? s->batch : progress->batches);
}

/* All end with the epoch in which one would stop, and go on. */
static void test_callback(void **state)
{
    (void)state;
    for (uint64_t batch = 0; batch <= 3; batch += 3) {
        ranks r;
        open_ranks(&r, of_classes(), N);
        stopper s = {.epoch = 2, .batch = batch, .r = &r.rank[1]};
        must(bp_trainer_set_progress(r.rank[1].s.trainer, stop_there, &s, batch ? BP_PROGRESS_BATCH : BP_PROGRESS_EPOCH));
        run_together("callback", &r, BP_STOP_CALLBACK);
        assert_int_equal(s.from_within, BP_ERROR_STATE);
        assert_int_equal(bp_trainer_epoch_count(r.rank[0].s.trainer), 2);
        run_together("going on", &r, BP_STOP_EPOCHS);
        assert_int_equal(bp_trainer_epoch_count(r.rank[0].s.trainer), 3);
        session one = open_one(of_classes());
        run(&one, BP_STOP_EPOCHS);
        expect_alike("callback", &one, &r.rank[0].s);
        close_session(&one);
        close_ranks(&r);
    }
}

static void test_time(void **state)
{
    (void)state;
    ranks r;
    open_ranks(&r, of_classes(), N);
    set(&r.rank[2].s, BP_TRAINER_TIME_LIMIT, 1e-9);
    run_together("time", &r, BP_STOP_TIME);
    assert_int_equal(bp_trainer_epoch_count(r.rank[0].s.trainer), 1);
    set(&r.rank[2].s, BP_TRAINER_TIME_LIMIT, 0);
    run_together("more time", &r, BP_STOP_EPOCHS);
    close_ranks(&r);
}

/* A rank would stop in an epoch that is then to be tried again: all stop before they try. */
static void test_stop_before_halving(void **state)
{
    (void)state;
    for (size_t every = 0; every <= 4; every += 4) {
        plan of = *of_classes();
        of.average_every = every;
        ranks r;
        open_ranks(&r, &of, N);
        for (size_t i = 0; i < N; i++) {
            set(&r.rank[i].s, BP_TRAINER_HALVINGS, 1);
        }
        stopper s = {.epoch = 2, .batch = 2, .r = &r.rank[1]};
        must(bp_trainer_set_progress(r.rank[1].s.trainer, stop_there, &s, BP_PROGRESS_BATCH));
        r.rank[2].fault_at = every ? AT_AVERAGE : AT_GRADIENT;
        r.rank[2].fault_call = 6 + 5;
        r.rank[2].fault = BP_ERROR_NONFINITE;
        run_together("before halving", &r, BP_STOP_CALLBACK);
        assert_int_equal(bp_trainer_epoch_count(r.rank[0].s.trainer), 1);
        must(bp_trainer_set_progress(r.rank[1].s.trainer, NULL, NULL, BP_PROGRESS_EPOCH));
        run_together("behind halving", &r, BP_STOP_EPOCHS);
        assert_true(history(&r.rank[0].s, BP_HISTORY_LEARNING_RATE, 1) == history(&r.rank[0].s, BP_HISTORY_LEARNING_RATE, 0) / 2);
        close_ranks(&r);
    }
}

/* The loss that a rank is told between batches is a mean of what it knows: of all samples, or with averages of its own. */
static void test_loss_between_batches(void **state)
{
    (void)state;
    double told[2];
    for (size_t every = 0; every <= 1; every++) {
        plan of = *of_classes();
        of.average_every = every;
        ranks r;
        open_ranks(&r, &of, N);
        stopper s = {.epoch = 1, .batch = 5, .r = &r.rank[1]};
        must(bp_trainer_set_progress(r.rank[1].s.trainer, stop_there, &s, BP_PROGRESS_BATCH));
        run_together("loss", &r, BP_STOP_CALLBACK);
        told[every] = s.loss / history(&r.rank[0].s, BP_HISTORY_TRAINING_LOSS, 0);
        close_ranks(&r);
    }
    assert_true(told[0] > 0.7 && told[0] < 1.4);
    assert_true(told[1] > 0.7 && told[1] < 1.4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setter),
        cmocka_unit_test(test_alone_again),
        cmocka_unit_test(test_lbfgs),
        cmocka_unit_test(test_run_refuses),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_step_fails),
        cmocka_unit_test(test_callback),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_stop_before_halving),
        cmocka_unit_test(test_loss_between_batches),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
