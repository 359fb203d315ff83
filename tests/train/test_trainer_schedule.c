/* Learning rates by a schedule: before each batch, in the history, and when the schedule goes. */
#include "train/session.h"

enum { SAMPLES = 100, EPOCHS = 7 };

static bp_dataset *training, *validation;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(50, 2);
    return 0;
}

static int free_data(void **state)
{
    (void)state;
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return 0;
}

/* The schedule by hand: a copy of its own that is shown the losses. */
typedef struct watcher {
    bp_schedule *schedule;
    double base, batch;
    size_t calls;
    bool validates;
} watcher;

static bp_schedule *make_schedule(bp_schedule_kind kind)
{
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, kind));
    if (kind == BP_SCHEDULE_PLATEAU) {
        must(bp_schedule_set(schedule, BP_SCHEDULE_PATIENCE, 0));
        must(bp_schedule_set(schedule, BP_SCHEDULE_THRESHOLD, 0.9));
    } else if (kind != BP_SCHEDULE_ONE_CYCLE) {
        must(bp_schedule_set(schedule, BP_SCHEDULE_WARM_UP, 1.5));
    }
    if (kind == BP_SCHEDULE_STEP) {
        must(bp_schedule_set(schedule, BP_SCHEDULE_PERIOD, 2));
    }
    return schedule;
}

static int watch(void *context, const bp_progress *progress)
{
    watcher *w = context;
    double rate, before = (double)(progress->batch - 1) * w->batch / SAMPLES;
    must(bp_schedule_learning_rate(w->schedule, w->base, (double)progress->epoch - 1 + before, &rate));
    if (!same_number(rate, progress->learning_rate)) {
        fail_msg("%s, epoch %d, batch %d: expected %.17g, got %.17g", bp_schedule_kind_name(bp_schedule_get_kind(w->schedule)),
                 (int)progress->epoch, (int)progress->batch, rate, progress->learning_rate);
    }
    if (progress->is_epoch_end) {
        must(bp_schedule_observe(w->schedule, (w->validates ? progress->validation : progress->training)[BP_METRIC_LOSS]));
    }
    w->calls++;
    return 0;
}

static double rate_of(const session *s)
{
    double rate;
    must(bp_optimizer_get(s->opt, BP_OPTIMIZER_LEARNING_RATE, &rate));
    return rate;
}

static void check(bp_schedule_kind kind, double batch, bool validates)
{
    session s = open_session(training, BP_METHOD_MOMENTUM, 3);
    watcher watcher = {.schedule = make_schedule(kind), .base = 0.3, .batch = batch == 1 ? 256 : batch, .validates = validates};
    bp_schedule *given = make_schedule(kind), *constant = make_schedule(BP_SCHEDULE_CONSTANT);
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, watcher.base));
    must(bp_trainer_set_schedule(s.trainer, given));
    bp_schedule_destroy(given); /* it was copied */
    must(bp_trainer_set_validation(s.trainer, validates ? validation : NULL));
    set(&s, BP_TRAINER_EPOCHS, EPOCHS);
    set(&s, BP_TRAINER_BATCH_SIZE, batch);
    must(bp_trainer_set_progress(s.trainer, watch, &watcher, BP_PROGRESS_BATCH));
    run(&s, BP_STOP_EPOCHS);
    assert_int_equal(watcher.calls, batch == 1 ? EPOCHS : EPOCHS * ((SAMPLES + (size_t)batch - 1) / (size_t)batch));
    assert_true(history(&s, BP_HISTORY_LEARNING_RATE, EPOCHS - 1) == rate_of(&s));
    assert_true(kind == BP_SCHEDULE_CONSTANT || rate_of(&s) != watcher.base); /* or the case shows nothing */

    /* another schedule has the same base rate; without one the rate is it again */
    must(bp_trainer_set_schedule(s.trainer, constant));
    assert_true(rate_of(&s) == watcher.base);
    must(bp_trainer_set_schedule(s.trainer, NULL));
    assert_true(rate_of(&s) == watcher.base);
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 0.125));
    must(bp_trainer_set_schedule(s.trainer, NULL)); /* there is none to take away */
    assert_true(rate_of(&s) == 0.125);
    set(&s, BP_TRAINER_EPOCHS, EPOCHS + 1);
    must(bp_trainer_set_progress(s.trainer, NULL, NULL, BP_PROGRESS_EPOCH));
    run(&s, BP_STOP_EPOCHS);
    assert_true(history(&s, BP_HISTORY_LEARNING_RATE, EPOCHS) == 0.125);
    bp_schedule_destroy(constant);
    bp_schedule_destroy(watcher.schedule);
    close_session(&s);
}

static void test_every_kind(void **state)
{
    (void)state;
    const double batches[] = {1, 30, 100};
    for (int kind = 0; kind <= BP_SCHEDULE_PLATEAU; kind++) {
        for (int i = 0; i < 6; i++) {
            check((bp_schedule_kind)kind, batches[i / 2], i % 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_kind)};
    return cmocka_run_group_tests(tests, make_data, free_data);
}
