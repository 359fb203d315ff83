#include "train/refusal.h"

bp_dataset *training;

/* Trains for an epoch and two batches, with a schedule and patience, and stops. */
static int stop_in_third(void *context, const bp_progress *progress)
{
    (void)context;
    return progress->epoch == 2 && progress->batch == 2;
}

static void start(session *s)
{
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, BP_SCHEDULE_PLATEAU));
    must(bp_trainer_set_schedule(s->trainer, schedule));
    bp_schedule_destroy(schedule);
    set(s, BP_TRAINER_BATCH_SIZE, 10);
    must(bp_trainer_set_progress(s->trainer, stop_in_third, NULL, BP_PROGRESS_BATCH));
    run(s, BP_STOP_CALLBACK);
}

const char *good(void)
{
    return file_path("good");
}

int make_good(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    session s = open_session(training, BP_METHOD_ADAM, 3);
    start(&s);
    must(bp_trainer_save(s.trainer, good()));
    close_session(&s);
    return 0;
}

int free_good(void **state)
{
    bp_dataset_destroy(training);
    return remove_files(state);
}

session open_victim(void)
{
    session s = open_session(training, BP_METHOD_ADAM, 8);
    set(&s, BP_TRAINER_EPOCHS, 2);
    set(&s, BP_TRAINER_PATIENCE, 1);
    must(bp_trainer_run(s.trainer));
    must(bp_trainer_save(s.trainer, file_path("before")));
    return s;
}

void close_victim(session *s)
{
    must(bp_trainer_save(s->trainer, file_path("after")));
    expect_same_file("a refused file", file_path("before"), file_path("after"));
    close_session(s);
}

void refuse(const char *what, const char *path, bp_status status, const char *word)
{
    session s = open_victim();
    must_refuse(what, bp_trainer_load(s.trainer, path), status, word);
    close_victim(&s);
}
