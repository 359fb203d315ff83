/*
 * Training that is saved, and goes on from the file in a trainer of another net, comes to the bits of training without a break: for every method,
 * schedule and setting, saved anywhere. And a process that is killed again and again comes to them.
 */
#define _GNU_SOURCE /* kill, usleep */

#include "model/safetensors.h"
#include "train/session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLES = 300, MAX_FILES = 64 };

static bp_dataset *training, *validation, *curves, *other_curves;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(60, 2);
    curves = make_curves(SAMPLES, 3);
    other_curves = make_curves(60, 4);
    return 0;
}

static int free_data(void **state)
{
    (void)state;
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    bp_dataset_destroy(curves);
    bp_dataset_destroy(other_curves);
    return remove_files(state);
}

/* How training is set up; what is 0 is as it is. */
typedef struct scenario {
    const char *name;
    bp_method method;
    double batch, rate, patience, target, halvings, label_smoothing, clip_norm;
    bool is_regression, has_schedule, has_class_weights, drops, measures_training, keeps_order;
    bp_schedule_kind schedule;
    double threads;
    int stride; /* of the calls that save, 1 unless it is said */
} scenario;

/* What is the program's, and in no file. */
static session open_scenario(const scenario *c, uint64_t seed)
{
    static const double weights[CLASSES] = {1, 0.5, 3};
    session s = open_session(c->is_regression ? curves : training, c->method, seed);
    must(bp_trainer_set_validation(s.trainer, c->is_regression ? other_curves : validation));
    must(bp_trainer_set_class_weights(s.trainer, c->has_class_weights ? weights : NULL));
    if (c->drops) {
        must(bp_net_set_dropout(s.net, 0, 0.3));
        must(bp_net_set_input_noise(s.net, 0.2));
    }
    set(&s, BP_TRAINER_THREADS, c->threads > 0 ? c->threads : 1);
    return s;
}

static void set_scenario(session *s, const scenario *c)
{
    set(s, BP_TRAINER_EPOCHS, c->batch == 1 ? 3 : 5);
    set(s, BP_TRAINER_BATCH_SIZE, c->batch > 0 ? c->batch : 64);
    set(s, BP_TRAINER_SEED, 11);
    set(s, BP_TRAINER_SHUFFLE, !c->keeps_order);
    set(s, BP_TRAINER_PATIENCE, c->patience);
    set(s, BP_TRAINER_HALVINGS, c->halvings);
    set(s, BP_TRAINER_LABEL_SMOOTHING, c->label_smoothing);
    set(s, BP_TRAINER_TRAINING_METRICS, c->measures_training);
    must(bp_optimizer_set_seed(s->opt, 77));
    if (c->target > 0) {
        set(s, BP_TRAINER_MONITOR, BP_METRIC_ACCURACY);
        set(s, BP_TRAINER_TARGET, c->target);
    }
    if (c->rate > 0) {
        must(bp_optimizer_set(s->opt, BP_OPTIMIZER_LEARNING_RATE, c->rate));
    }
    if (c->clip_norm > 0) {
        must(bp_optimizer_set(s->opt, BP_OPTIMIZER_CLIP_NORM, c->clip_norm));
    }
    if (c->has_schedule) {
        bp_schedule *schedule;
        must(bp_schedule_create(&schedule, c->schedule));
        if (c->schedule == BP_SCHEDULE_PLATEAU) {
            must(bp_schedule_set(schedule, BP_SCHEDULE_PATIENCE, 0));
            must(bp_schedule_set(schedule, BP_SCHEDULE_THRESHOLD, 0.1));
            must(bp_schedule_set(schedule, BP_SCHEDULE_COOLDOWN, 1));
        } else if (c->schedule != BP_SCHEDULE_CONSTANT && c->schedule != BP_SCHEDULE_EXPONENTIAL) {
            must(bp_schedule_set(schedule, BP_SCHEDULE_PERIOD, 2));
        }
        must(bp_trainer_set_schedule(s->trainer, schedule));
        bp_schedule_destroy(schedule);
    }
}

/* Saves behind each batch, or some of them. */
typedef struct saver {
    bp_trainer *trainer;
    int stride, calls, n;
} saver;

static const char *checkpoint(int number)
{
    char name[40];
    sprintf(name, "%d.checkpoint", number);
    return file_path(name);
}

static int save_each(void *context, const bp_progress *progress)
{
    saver *s = context;
    (void)progress;
    if (++s->calls % s->stride == 0) {
        must(bp_trainer_save(s->trainer, checkpoint(s->n++)));
    }
    return s->n >= MAX_FILES;
}

/* layers.N.weight and .bias are the parameters. */
static void check_layers(const char *path, const session *s)
{
    bp_tensors *file;
    must(bp_tensors_load("test", path, true, &file));
    real *theta = parameters(s->net), *at = theta;
    const size_t shapes[4][2] = {{7, INPUTS}, {7, 0}, {bp_net_output_count(s->net), 7}, {bp_net_output_count(s->net), 0}};
    for (size_t i = 0; i < 4; i++) {
        char name[40];
        size_t n = i % 2 == 0 ? shapes[i][0] * shapes[i][1] : shapes[i][0];
        sprintf(name, "layers.%zu.%s", i / 2, i % 2 == 0 ? "weight" : "bias");
        const void *data = bp_tensors_find(file, name, REAL_DTYPE == BP_F32 ? BP_TENSOR_F32 : BP_TENSOR_F64, i % 2 == 0 ? 2 : 1, shapes[i]);
        assert_non_null(data);
        assert_memory_equal(data, at, n * sizeof *at);
        at += n;
    }
    free(theta);
    bp_tensors_destroy(file);
}

/* From one file to the end. */
static void resume(const scenario *c, const session *whole, int number)
{
    char what[120];
    sprintf(what, "%s, from file %d", c->name, number);
    session s = open_scenario(c, 1000 + (uint64_t)number);
    if (number % 2 == 1) { /* a trainer that has its own past */
        set(&s, BP_TRAINER_EPOCHS, 2);
        set(&s, BP_TRAINER_PATIENCE, 5);
        run(&s, BP_STOP_EPOCHS);
    }
    must(bp_trainer_load(s.trainer, checkpoint(number)));
    check_layers(checkpoint(number), &s);
    must(bp_trainer_save(s.trainer, file_path("again")));
    expect_same_file(what, checkpoint(number), file_path("again"));
    run(&s, bp_trainer_stop(whole->trainer));
    expect_same(what, whole, &s);
    close_session(&s);
}

static void check(const scenario *c)
{
    session whole = open_scenario(c, 3), uncut = open_scenario(c, 3);
    saver saver = {.trainer = whole.trainer, .stride = c->stride ? c->stride : 1};
    set_scenario(&whole, c);
    set_scenario(&uncut, c);
    must(bp_trainer_set_progress(whole.trainer, save_each, &saver, BP_PROGRESS_BATCH));
    must(bp_trainer_run(whole.trainer));
    must(bp_trainer_run(uncut.trainer));
    expect_same(c->name, &uncut, &whole); /* saving changes nothing */
    assert_in_range(saver.n, 3, MAX_FILES - 1);
    for (int i = 0; i < saver.n; i++) {
        resume(c, &whole, i);
    }

    /* at rest, perhaps with the best parameters in the net; on for two more epochs */
    must(bp_trainer_save(whole.trainer, checkpoint(0)));
    session s = open_scenario(c, 2000);
    must(bp_trainer_load(s.trainer, checkpoint(0)));
    check_layers(checkpoint(0), &whole);
    must(bp_trainer_save(s.trainer, checkpoint(1)));
    expect_same_file(c->name, checkpoint(0), checkpoint(1));
    expect_same(c->name, &whole, &s);
    double epochs = (double)bp_trainer_epoch_count(s.trainer) + 2;
    must(bp_trainer_set_progress(whole.trainer, NULL, NULL, BP_PROGRESS_EPOCH));
    set(&whole, BP_TRAINER_EPOCHS, epochs);
    set(&s, BP_TRAINER_EPOCHS, epochs);
    must(bp_trainer_run(whole.trainer));
    must(bp_trainer_run(s.trainer));
    expect_same(c->name, &whole, &s);
    close_session(&s);
    close_session(&whole);
    close_session(&uncut);
}

static void test_methods(void **state)
{
    (void)state;
    for (int method = 0; method <= BP_METHOD_CUSTOM; method++) {
        if (has_method((bp_method)method)) {
            const char *name = bp_method_name((bp_method)method);
            check(&(scenario){.name = name, .method = (bp_method)method, .batch = method == BP_METHOD_IRPROP_MINUS ? 300 : 64});
            check(&(scenario){.name = name, .method = (bp_method)method, .is_regression = true, .batch = 1, .patience = 2});
        }
    }
}

static void test_schedules(void **state)
{
    (void)state;
    for (int kind = 0; kind <= BP_SCHEDULE_PLATEAU; kind++) {
        check(&(scenario){.name = bp_schedule_kind_name((bp_schedule_kind)kind),
                          .method = BP_METHOD_MOMENTUM,
                          .has_schedule = true,
                          .schedule = (bp_schedule_kind)kind,
                          .batch = 100});
    }
}

static void test_settings(void **state)
{
    (void)state;
    const double unstable = REAL_DTYPE == BP_F32 ? 1e10 : 1e60;
    const scenario scenarios[] = {
        {.name = "dropout and noise", .method = BP_METHOD_ADAM, .drops = true},
        {.name = "dropout and noise on-line", .batch = 1, .drops = true},
        {.name = "patience", .method = BP_METHOD_ADAM, .rate = 0.5, .patience = 1},
        {.name = "patience of two", .method = BP_METHOD_SGD, .rate = 3, .patience = 2, .measures_training = true},
        {.name = "target", .method = BP_METHOD_ADAM, .rate = 0.05, .target = 0.8},
        {.name = "halvings", .method = BP_METHOD_SGD, .rate = unstable, .is_regression = true, .halvings = 3000, .stride = 29},
        {.name = "halvings of a schedule",
         .method = BP_METHOD_SGD,
         .rate = unstable,
         .is_regression = true,
         .halvings = 3000,
         .stride = 31,
         .has_schedule = true,
         .schedule = BP_SCHEDULE_EXPONENTIAL},
        {.name = "class weights", .has_class_weights = true, .label_smoothing = 0.1},
        {.name = "clipping", .clip_norm = 0.1, .keeps_order = true},
        {.name = "threads", .method = BP_METHOD_ADAMW, .threads = 2, .drops = true},
        {.name = "all in one",
         .method = BP_METHOD_ADAM,
         .rate = 0.1,
         .patience = 2,
         .label_smoothing = 0.2,
         .drops = true,
         .has_class_weights = true,
         .measures_training = true,
         .has_schedule = true,
         .schedule = BP_SCHEDULE_COSINE},
    };
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        check(&scenarios[i]);
    }
}

/* A method's state need not be finite, where its parameters are: the squares of a large gradient are not. */
static void test_infinite_state(void **state)
{
    (void)state;
    const real huge = REAL_DTYPE == BP_F32 ? (real)1e25 : (real)1e180;
    session s = open_session(training, BP_METHOD_ADAM, 3), again = open_session(training, BP_METHOD_ADAM, 4);
    real *gradient = parameters(s.net);
    gradient[0] = huge;
    must(REAL(bp_optimizer_step)(s.opt, s.net, gradient));
    set(&s, BP_TRAINER_EPOCHS, 1);
    run(&s, BP_STOP_EPOCHS);
    must(bp_trainer_save(s.trainer, checkpoint(0)));
    must(bp_trainer_load(again.trainer, checkpoint(0)));
    set(&s, BP_TRAINER_EPOCHS, 3);
    set(&again, BP_TRAINER_EPOCHS, 3);
    run(&s, BP_STOP_EPOCHS);
    run(&again, BP_STOP_EPOCHS);
    expect_same("infinite state", &s, &again);
    free(gradient);
    close_session(&s);
    close_session(&again);
}

/* ---- killed ---- */

static int save_epoch(void *context, const bp_progress *progress)
{
    return progress->is_epoch_end && bp_trainer_save(context, file_path("killed")) != BP_OK;
}

/* In a child: from the file, or from the beginning, to the end. */
static void train_in_child(const scenario *c)
{
    session s = open_scenario(c, 3);
    set_scenario(&s, c);
    set(&s, BP_TRAINER_EPOCHS, 150);
    if (access(file_path("killed"), F_OK) == 0 && bp_trainer_load(s.trainer, file_path("killed")) != BP_OK) {
        _exit(2);
    }
    bp_trainer_set_progress(s.trainer, save_epoch, s.trainer, BP_PROGRESS_BATCH);
    bool done = bp_trainer_run(s.trainer) == BP_OK && bp_trainer_stop(s.trainer) == BP_STOP_EPOCHS;
    _exit(done ? 0 : 3);
}

static pid_t start_child(const scenario *c)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        train_in_child(c);
    }
    return child;
}

static void test_killed_process(void **state)
{
    (void)state;
    const scenario c = {.name = "killed", .method = BP_METHOD_ADAM, .drops = true, .has_schedule = true, .schedule = BP_SCHEDULE_COSINE};
    session whole = open_scenario(&c, 3), s = open_scenario(&c, 4);
    set_scenario(&whole, &c);
    set(&whole, BP_TRAINER_EPOCHS, 150);
    run(&whole, BP_STOP_EPOCHS);
    file_path("killed"); /* the folder is this process's */
    int killed = 0, status = 0;
    for (unsigned i = 0; killed < 50; i++) {
        pid_t child = start_child(&c);
        usleep((unsigned)(10000 * (1 + number(i))));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status)) {
            killed++;
        } else {
            assert_int_equal(WEXITSTATUS(status), 0);
            remove(file_path("killed")); /* it was done: from the beginning */
        }
    }
    pid_t child = start_child(&c);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    must(bp_trainer_load(s.trainer, file_path("killed")));
    expect_same("killed", &whole, &s);
    close_session(&s);
    close_session(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),        cmocka_unit_test(test_schedules),      cmocka_unit_test(test_settings),
        cmocka_unit_test(test_infinite_state), cmocka_unit_test(test_killed_process),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
