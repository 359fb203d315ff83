#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */

/* Ranks that train together come to what one process with all samples and the same batches comes to, but for rounding; and all to the same bits. */
#include "data/dataset.h"
#include "train/ranks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 103, VALIDATION = 41 };

static bp_dataset *classes, *weighed, *curves, *other_classes, *other_curves;

static int make_data(void **state)
{
    (void)state;
    classes = make_classes(SAMPLES, 1);
    weighed = make_classes(SAMPLES, 1);
    weigh(weighed);
    curves = make_curves(SAMPLES, 3);
    other_classes = make_classes(VALIDATION, 2);
    other_curves = make_curves(VALIDATION, 4);
    return 0;
}

static int free_data(void **state)
{
    bp_dataset_destroy(classes);
    bp_dataset_destroy(weighed);
    bp_dataset_destroy(curves);
    bp_dataset_destroy(other_classes);
    bp_dataset_destroy(other_curves);
    return remove_files(state);
}

/* Each number of ranks against one process. */
static void follow(const char *what, const plan *of, bp_stop expected)
{
    static const size_t numbers[] = {1, 2, 3, 5};
    session one = open_one(of);
    run(&one, expected);
    for (size_t i = 0; i < 4; i++) {
        char text[120];
        ranks r;
        sprintf(text, "%s, %zu ranks", what, numbers[i]);
        open_ranks(&r, of, numbers[i]);
        run_together(text, &r, expected);
        expect_alike(text, &one, &r.rank[0].s);
        close_ranks(&r);
    }
    close_session(&one);
}

/* 103 = 5 × 20 + 3: of the last batch, two of five ranks have nothing. */
static void prepare(session *s)
{
    set(s, BP_TRAINER_EPOCHS, 4);
    set(s, BP_TRAINER_BATCH_SIZE, 20);
    set(s, BP_TRAINER_SEED, 5);
}

static void prepare_random(session *s)
{
    prepare(s);
    must(bp_net_set_dropout(s->net, 0, 0.3));
    must(bp_net_set_input_noise(s->net, 0.2));
    bp_optimizer_set_seed(s->opt, 77);
}

static void prepare_all(session *s)
{
    static const double weights[CLASSES] = {1, 0.5, 2};
    bp_schedule *schedule;
    prepare_random(s);
    must(bp_schedule_create(&schedule, BP_SCHEDULE_COSINE));
    must(bp_trainer_set_schedule(s->trainer, schedule));
    bp_schedule_destroy(schedule);
    must(bp_trainer_set_class_weights(s->trainer, weights));
    set(s, BP_TRAINER_LABEL_SMOOTHING, 0.1);
    set(s, BP_TRAINER_TRAINING_METRICS, 1);
    set(s, BP_TRAINER_TOP_K, 2);
    set(s, BP_TRAINER_THREADS, 2);
    must(bp_optimizer_set(s->opt, BP_OPTIMIZER_CLIP_NORM, 0.3));
    must(bp_optimizer_set(s->opt, BP_OPTIMIZER_WEIGHT_DECAY, 0.01));
}

static void prepare_plateau(session *s)
{
    bp_schedule *schedule;
    prepare(s);
    must(bp_schedule_create(&schedule, BP_SCHEDULE_PLATEAU));
    must(bp_schedule_set(schedule, BP_SCHEDULE_PATIENCE, 0));
    must(bp_schedule_set(schedule, BP_SCHEDULE_THRESHOLD, 0.5));
    must(bp_trainer_set_schedule(s->trainer, schedule));
    bp_schedule_destroy(schedule);
    must(bp_net_set_frozen(s->net, 0, 1));
    set(s, BP_TRAINER_SHUFFLE, 0);
    set(s, BP_TRAINER_BATCH_SIZE, 7);
    set(s, BP_TRAINER_TRAINING_METRICS, 1);
}

/* A batch of all samples. */
static void prepare_whole(session *s)
{
    prepare(s);
    set(s, BP_TRAINER_BATCH_SIZE, SAMPLES);
}

static void test_follow(void **state)
{
    (void)state;
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_MOMENTUM, BP_METHOD_ADAM, BP_METHOD_ADAMW, BP_METHOD_CUSTOM};
    for (size_t i = 0; i < 5; i++) {
        follow(bp_method_name(methods[i]), &(plan){.training = classes, .method = methods[i], .prepare = prepare}, BP_STOP_EPOCHS);
    }
    follow("whole", &(plan){.training = curves, .method = BP_METHOD_ADAM, .prepare = prepare_whole}, BP_STOP_EPOCHS);
    follow("random", &(plan){.training = curves, .method = BP_METHOD_ADAM, .prepare = prepare_random}, BP_STOP_EPOCHS);
    follow("all", &(plan){.training = weighed, .validation = other_classes, .method = BP_METHOD_ADAM, .prepare = prepare_all},
           BP_STOP_EPOCHS);
    follow("plateau", &(plan){.training = curves, .validation = other_curves, .method = BP_METHOD_MOMENTUM, .prepare = prepare_plateau},
           BP_STOP_EPOCHS);
}

/* A rank alone may train on-line, whose 256 samples at a time are no batch. */
static void prepare_online(session *s)
{
    prepare(s);
    set(s, BP_TRAINER_BATCH_SIZE, 1);
}

static void test_online(void **state)
{
    (void)state;
    const plan of = {.training = classes, .method = BP_METHOD_ADAM, .prepare = prepare_online};
    session one = open_one(&of);
    run(&one, BP_STOP_EPOCHS);
    ranks r;
    open_ranks(&r, &of, 1);
    run_together("on-line", &r, BP_STOP_EPOCHS);
    expect_alike("on-line", &one, &r.rank[0].s);
    close_ranks(&r);
    close_session(&one);
}

/* ---- metrics: of a net that stays as it is ---- */

static void prepare_frozen(session *s)
{
    must(bp_net_set_frozen(s->net, 0, 1));
    must(bp_net_set_frozen(s->net, 1, 1));
    set(s, BP_TRAINER_EPOCHS, 1);
    set(s, BP_TRAINER_BATCH_SIZE, 20);
    set(s, BP_TRAINER_TRAINING_METRICS, 1);
    set(s, BP_TRAINER_TOP_K, 2);
}

static void measure(const char *what, const bp_dataset *training, const bp_dataset *validation)
{
    static const double tolerance = REAL_DTYPE == BP_F32 ? 1e-5 : 1e-12;
    const plan of = {.training = training, .validation = validation, .method = BP_METHOD_ADAM, .prepare = prepare_frozen};
    session one = open_one(&of);
    run(&one, BP_STOP_EPOCHS);
    for (size_t n = 1; n <= MOST_RANKS; n++) {
        ranks r;
        open_ranks(&r, &of, n);
        run_together(what, &r, BP_STOP_EPOCHS);
        for (int column = BP_HISTORY_TRAINING_LOSS; column < COLUMNS; column++) {
            double a = history(&one, (bp_history)column, 0), b = history(&r.rank[0].s, (bp_history)column, 0);
            if (!(isnan(a) && isnan(b)) && !(fabs(a - b) <= tolerance * (1 + fabs(a)))) {
                fail_msg("%s, %zu ranks: %s is %.17g and %.17g", what, n, bp_history_name((bp_history)column), a, b);
            }
        }
        close_ranks(&r);
    }
    close_session(&one);
}

static void test_metrics(void **state)
{
    (void)state;
    measure("classes", classes, other_classes);
    measure("curves", curves, other_curves);
    /* targets that are far from 0, where sums of squares lose their digits, and one sample a rank */
    real x[MOST_RANKS * INPUTS], z[MOST_RANKS * 2];
    for (size_t i = 0; i < MOST_RANKS * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < MOST_RANKS; i++) {
        z[2 * i] = (real)(1000 + number(i));
        z[2 * i + 1] = 7;
    }
    bp_dataset *far_away;
    must(REAL(bp_dataset_create)(&far_away, MOST_RANKS, INPUTS, 2, x, z));
    measure("far away", curves, far_away);
    bp_dataset_destroy(far_away);
}

/* ---- early stopping, the best parameters ---- */

static void prepare_patience(session *s)
{
    prepare(s);
    must(bp_optimizer_set(s->opt, BP_OPTIMIZER_LEARNING_RATE, 0.05));
    set(s, BP_TRAINER_EPOCHS, 200);
    set(s, BP_TRAINER_PATIENCE, 3);
    set(s, BP_TRAINER_MINIMUM_IMPROVEMENT, 1e-3);
}

/* Stopped at the same epoch, and with the best epoch's parameters; then each goes on with its latest. */
static void test_patience(void **state)
{
    (void)state;
    const plan of = {.training = curves, .validation = other_curves, .method = BP_METHOD_ADAM, .prepare = prepare_patience};
    session one = open_one(&of);
    ranks r;
    open_ranks(&r, &of, 3);
    for (int i = 0; i < 2; i++) {
        run(&one, BP_STOP_PATIENCE);
        run_together("patience", &r, BP_STOP_PATIENCE);
        if (REAL_DTYPE == BP_F64) { /* f32's rounding may end a run an epoch earlier or later */
            expect_alike("patience", &one, &r.rank[0].s);
        }
        assert_true(bp_trainer_best_epoch(r.rank[0].s.trainer) + 1 < bp_trainer_epoch_count(r.rank[0].s.trainer));
    }
    close_ranks(&r);
    close_session(&one);
}

/* ---- divergence ---- */

/* A gradient that cannot be used once, at this call. */
typedef struct once {
    int calls, at;
} once;

static bp_status fail_once(void *context, bp_status status, real *mean_loss, size_t n, real *gradient)
{
    (void)status, (void)mean_loss, (void)n, (void)gradient;
    once *o = context;
    return ++o->calls == o->at ? bp_set_last_error(BP_ERROR_NONFINITE, "once") : BP_OK;
}

static void prepare_halvings(session *s)
{
    prepare_random(s);
    set(s, BP_TRAINER_HALVINGS, 1);
}

/* The epoch is tried again, by all, with half the rate. */
static void test_halving(void **state)
{
    (void)state;
    plan of = {.training = curves, .validation = NULL, .method = BP_METHOD_ADAM, .prepare = prepare_halvings};
    once o = {.at = 9}; /* of 6 batches an epoch */
    session one = open_one(&of);
    must(REAL(bp_optimizer_set_gradient_hook)(one.opt, NULL, fail_once, &o));
    run(&one, BP_STOP_EPOCHS);
    assert_true(history(&one, BP_HISTORY_LEARNING_RATE, 1) == history(&one, BP_HISTORY_LEARNING_RATE, 0) / 2);
    for (size_t failing = 0; failing < 3; failing++) {
        ranks r;
        open_ranks(&r, &of, 3);
        r.rank[failing].fault_at = AT_GRADIENT;
        r.rank[failing].fault_call = 9;
        r.rank[failing].fault = BP_ERROR_NONFINITE;
        run_together("halving", &r, BP_STOP_EPOCHS);
        expect_alike("halving", &one, &r.rank[0].s);
        assert_int_equal(r.rank[0].calls[AT_BEGIN], 4); /* the samples of an epoch stay */
        close_ranks(&r);
    }
    /* averaged parameters: a rank's failure ends the epoch of all, too */
    of.average_every = 4;
    ranks r;
    open_ranks(&r, &of, 3);
    r.rank[2].fault_at = AT_AVERAGE;
    r.rank[2].fault_call = 9;
    r.rank[2].fault = BP_ERROR_NONFINITE;
    run_together("halving of averages", &r, BP_STOP_EPOCHS);
    assert_true(history(&r.rank[0].s, BP_HISTORY_LEARNING_RATE, 1) == history(&r.rank[0].s, BP_HISTORY_LEARNING_RATE, 0) / 2);
    close_ranks(&r);
    close_session(&one);
}

/* A loss that is not finite on one rank alone: all are back where the epoch began. */
static void test_divergence(void **state)
{
    (void)state;
    real x[12 * INPUTS], z[12 * 2] = {0};
    for (size_t i = 0; i < 12 * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    z[2 * 7] = (real)(REAL_DTYPE == BP_F32 ? 3e38 : 1e308);
    bp_dataset *steep;
    must(REAL(bp_dataset_create)(&steep, 12, INPUTS, 2, x, z));
    plan of = {.training = steep, .method = BP_METHOD_ADAM};
    for (size_t every = 0; every < 3; every++) {
        of.average_every = every;
        ranks r;
        open_ranks(&r, &of, 3);
        for (size_t i = 0; i < 3; i++) {
            set(&r.rank[i].s, BP_TRAINER_BATCH_SIZE, 6);
            set(&r.rank[i].s, BP_TRAINER_HALVINGS, 2);
        }
        real *before = parameters(r.rank[0].s.net);
        for (int again = 0; again < 2; again++) {
            run_ranks(&r);
            expect_all("divergence", &r, BP_ERROR_DIVERGED, "epoch 1, batch");
            for (size_t i = 0; i < 3; i++) {
                real *after = parameters(r.rank[i].s.net);
                assert_memory_equal(before, after, bp_net_parameter_count(r.rank[i].s.net) * sizeof *before);
                assert_int_equal(bp_optimizer_step_count(r.rank[i].s.opt), 0);
                free(after);
            }
        }
        free(before);
        close_ranks(&r);
    }
    bp_dataset_destroy(steep);
}

/* ---- averages of parameters ---- */

static void test_average(void **state)
{
    (void)state;
    for (size_t every = 1; every <= 7; every += 3) {
        for (size_t n = 1; n <= MOST_RANKS; n += 2) {
            const plan of = {
                .training = weighed, .validation = other_classes, .method = BP_METHOD_ADAM, .prepare = prepare_all, .average_every = every};
            ranks r;
            open_ranks(&r, &of, n);
            run_together("average", &r, BP_STOP_EPOCHS);
            assert_true(history(&r.rank[0].s, BP_HISTORY_TRAINING_LOSS, 3) < history(&r.rank[0].s, BP_HISTORY_TRAINING_LOSS, 0));
            close_ranks(&r);
        }
    }
}

static void prepare_even(session *s)
{
    set(s, BP_TRAINER_EPOCHS, 3);
    set(s, BP_TRAINER_BATCH_SIZE, 6);
    must(bp_optimizer_set(s->opt, BP_OPTIMIZER_LEARNING_RATE, 0.1));
}

/* Averaging after every step of equal parts is what summing gradients is, for SGD. */
static void test_average_of_every_step(void **state)
{
    (void)state;
    bp_dataset *even = make_curves(90, 3);
    const plan of = {.training = even, .validation = other_curves, .method = BP_METHOD_SGD, .prepare = prepare_even, .average_every = 1};
    session one = open_one(&of);
    run(&one, BP_STOP_EPOCHS);
    for (size_t n = 1; n <= 3; n++) {
        ranks r;
        open_ranks(&r, &of, n);
        run_together("average of every step", &r, BP_STOP_EPOCHS);
        expect_alike("average of every step", &one, &r.rank[0].s);
        close_ranks(&r);
    }
    close_session(&one);
    bp_dataset_destroy(even);
}

/* ---- a dataset whose samples are converted when they are wanted ---- */

enum { PIXELS = 13, BATCH = 5 };

/* These samples, pixels as bytes, as an IDX pair of n_samples from first on, or as arrays. */
static bp_dataset *map_pixels(size_t n, const size_t *indices)
{
    unsigned char images[16 + PIXELS * INPUTS] = {0, 0, 8, 3, 0, 0, 0, (unsigned char)n, 0, 0, 0, 1, 0, 0, 0, INPUTS};
    unsigned char labels[8 + PIXELS] = {0, 0, 8, 1, 0, 0, 0, (unsigned char)n};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < INPUTS; k++) {
            images[16 + i * INPUTS + k] = (unsigned char)(2 + number(indices[i] * INPUTS + k));
        }
        labels[8 + i] = (unsigned char)(indices[i] % CLASSES);
    }
    bp_dataset *mapped;
    write_bytes(file_path("images"), images, 16 + n * INPUTS);
    write_bytes(file_path("labels"), labels, 8 + n);
    must(bp_dataset_read_pair(&mapped, file_path("images"), file_path("labels"), REAL_DTYPE, CLASSES));
    remove(file_path("images"));
    remove(file_path("labels"));
    return mapped;
}

static void prepare_pixels(session *s)
{
    set(s, BP_TRAINER_EPOCHS, 2);
    set(s, BP_TRAINER_BATCH_SIZE, BATCH);
    set(s, BP_TRAINER_SHUFFLE, 0);
}

static void test_mapped(void **state)
{
    (void)state;
    size_t all[PIXELS];
    for (size_t i = 0; i < PIXELS; i++) {
        all[i] = i;
    }
    for (int weighs = 0; weighs < 2; weighs++) {
        bp_dataset *training = map_pixels(PIXELS, all), *parts[MOST_RANKS];
        assert_false(bp_dataset_is_plain(training));
        if (weighs) {
            weigh(training);
        }
        const plan of = {.training = training, .method = BP_METHOD_ADAM, .prepare = prepare_pixels};
        session one = open_one(&of);
        run(&one, BP_STOP_EPOCHS);
        ranks r;
        open_ranks(&r, &of, MOST_RANKS);
        for (size_t i = 0; i < MOST_RANKS; i++) { /* of 5, 5 and 3 samples */
            size_t own[3] = {i, BATCH + i}, n_own = 2;
            double weights[3];
            if (3 * (i + 1) / MOST_RANKS > 3 * i / MOST_RANKS) {
                own[n_own++] = 2 * BATCH + 3 * i / MOST_RANKS;
            }
            parts[i] = map_pixels(n_own, own);
            for (size_t k = 0; k < n_own; k++) {
                weights[k] = weighs ? bp_dataset_weights(training)[own[k]] : 1;
            }
            must(bp_dataset_set_weights(parts[i], weighs ? weights : NULL));
            r.rank[i].gives_other = true;
            r.rank[i].other = parts[i];
        }
        run_together("mapped", &r, BP_STOP_EPOCHS);
        expect_alike("mapped", &one, &r.rank[0].s);
        close_ranks(&r);
        close_session(&one);
        for (size_t i = 0; i < MOST_RANKS; i++) {
            bp_dataset_destroy(parts[i]);
        }
        bp_dataset_destroy(training);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follow),  cmocka_unit_test(test_online),
        cmocka_unit_test(test_metrics), cmocka_unit_test(test_patience),
        cmocka_unit_test(test_halving), cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_average), cmocka_unit_test(test_average_of_every_step),
        cmocka_unit_test(test_mapped),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
