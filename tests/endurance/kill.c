/*
 * A process that learns from the data in tests/data, and saves a checkpoint behind each batch, is killed at random moments of its run. Whenever that
 * is, the checkpoint is whole, and is the last one that was saved or the one that was being saved; a new process goes on from it; and at the end the
 * parameters are those, bit for bit, of a process that was never killed.
 *
 *     kill_f32 [KILLS]    20 unless it is said
 *
 * The process is this program itself: kill_f32 learn FOLDER.
 */
#define _GNU_SOURCE /* mkdtemp, nanosleep */

#include "core/real.h"
#include "support/check.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EPOCHS = 12, BATCH = 32, MAX_STEPS = 256, PATH_SIZE = 96 };

static unsigned long kills = 20;

/* ---- what learns ---- */

typedef struct session {
    bp_dataset *training, *validation;
    bp_net *net;
    bp_optimizer *opt;
    bp_trainer *trainer;
} session;

static session open_session(void)
{
    session s;
    bp_csv_reader *reader;
    bp_dataset *all;
    bp_schedule *schedule;
    must(bp_csv_reader_create(&reader));
    must(bp_csv_reader_set_header(reader, BP_CSV_HEADER_SKIP));
    must(bp_csv_reader_set_class_column(reader, -1));
    must(bp_csv_reader_read(reader, REAL_DTYPE, BP_TEST_DATA "/wine_data.csv", &all));
    bp_csv_reader_destroy(reader);
    must(bp_dataset_split(all, 0.25, 5, &s.training, &s.validation));
    bp_dataset_destroy(all);

    size_t n_inputs = bp_dataset_input_count(s.training);
    real *offset = malloc(n_inputs * sizeof *offset), *scale = malloc(n_inputs * sizeof *scale);
    must(REAL(bp_dataset_fit_scaling)(s.training, BP_SCALING_STANDARD, offset, scale));
    s.net = make_net(REAL_DTYPE, n_inputs, 2, (const size_t[]){16, 3}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 9);
    must(REAL(bp_net_set_input_scaling)(s.net, offset, scale));
    must(bp_net_set_dropout(s.net, 0, 0.2));
    free(offset);
    free(scale);

    must(bp_optimizer_create(&s.opt, BP_METHOD_ADAM, s.net));
    must(bp_trainer_create(&s.trainer, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, s.training));
    must(bp_trainer_set_validation(s.trainer, s.validation));
    must(bp_trainer_set(s.trainer, BP_TRAINER_EPOCHS, EPOCHS));
    must(bp_trainer_set(s.trainer, BP_TRAINER_BATCH_SIZE, BATCH));
    must(bp_schedule_create(&schedule, BP_SCHEDULE_COSINE));
    must(bp_schedule_set(schedule, BP_SCHEDULE_PERIOD, EPOCHS));
    must(bp_trainer_set_schedule(s.trainer, schedule));
    bp_schedule_destroy(schedule);
    return s;
}

static void close_session(session *s)
{
    bp_trainer_destroy(s->trainer);
    bp_optimizer_destroy(s->opt);
    bp_net_destroy(s->net);
    bp_dataset_destroy(s->training);
    bp_dataset_destroy(s->validation);
}

/* ---- the process that is killed ---- */

static char checkpoint[PATH_SIZE];

static void name_checkpoint(const char *folder)
{
    snprintf(checkpoint, sizeof checkpoint, "%s/wine.checkpoint", folder);
}

/* Standard output is told each step whose checkpoint is saved. */
static int save(void *context, const bp_progress *progress)
{
    if (bp_trainer_save(context, checkpoint) != BP_OK) {
        fprintf(stderr, "%s\n", bp_last_error());
        return 1;
    }
    return write(STDOUT_FILENO, &progress->step, sizeof progress->step) != sizeof progress->step;
}

static int learn(const char *folder)
{
    session s = open_session();
    name_checkpoint(folder);
    if (access(checkpoint, F_OK) == 0) {
        must(bp_trainer_load(s.trainer, checkpoint));
    }
    must(bp_trainer_set_progress(s.trainer, save, s.trainer, BP_PROGRESS_BATCH));
    must(bp_trainer_run(s.trainer));
    bool done = bp_trainer_stop(s.trainer) == BP_STOP_EPOCHS;
    close_session(&s);
    return done ? 0 : 1;
}

/* ---- who kills ---- */

static char folder[] = "/tmp/bp-kill-XXXXXX";

/* The parameters behind each step of a run that nobody kills; the last step is n_steps. */
typedef struct record {
    const bp_net *net;
    size_t n_parameters;
    uint64_t n_steps;
    real *parameters;
} record;

static int note(void *context, const bp_progress *progress)
{
    record *r = context;
    if (progress->step >= MAX_STEPS) {
        return 1;
    }
    r->n_steps = progress->step;
    must(REAL(bp_net_get_parameters)(r->net, r->parameters + progress->step * r->n_parameters));
    return 0;
}

static record learn_undisturbed(session *s)
{
    record r = {.net = s->net, .n_parameters = bp_net_parameter_count(s->net)};
    r.parameters = malloc(MAX_STEPS * r.n_parameters * sizeof *r.parameters);
    must(REAL(bp_net_get_parameters)(s->net, r.parameters));
    must(bp_trainer_set_progress(s->trainer, note, &r, BP_PROGRESS_BATCH));
    must(bp_trainer_run(s->trainer));
    assert_int_equal(bp_trainer_stop(s->trainer), BP_STOP_EPOCHS);
    return r;
}

/* A process, and what it has said. */
typedef struct process {
    pid_t id;
    int output;
} process;

static process start(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    process p = {fork(), ends[0]};
    assert_true(p.id >= 0);
    if (p.id == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "kill", "learn", folder, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    return p;
}

/* Its end; *saved is the last step it has said to be saved, unchanged if there is none. */
static int finish(process p, uint64_t *saved)
{
    int status;
    uint64_t step;
    while (read(p.output, &step, sizeof step) == sizeof step) {
        *saved = step;
    }
    close(p.output);
    assert_int_equal(waitpid(p.id, &status, 0), p.id);
    return status;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void wait_for(double duration)
{
    nanosleep(&(struct timespec){(time_t)duration, (long)(1e9 * (duration - floor(duration)))}, NULL);
}

/* Files in the folder that are not the checkpoint. */
static int count_others(void)
{
    int n = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        n += entry->d_name[0] != '.' && strcmp(entry->d_name, "wine.checkpoint") != 0;
    }
    closedir(directory);
    return n;
}

/* The step of the checkpoint, 0 if there is none; it has the parameters of that step. */
static uint64_t read_checkpoint(session *s, const record *r)
{
    if (access(checkpoint, F_OK) != 0) {
        return 0;
    }
    must(bp_trainer_load(s->trainer, checkpoint));
    uint64_t step = bp_optimizer_step_count(s->opt);
    assert_in_range(step, 1, r->n_steps);
    real *parameters = malloc(r->n_parameters * sizeof *parameters);
    must(REAL(bp_net_get_parameters)(s->net, parameters));
    assert_memory_equal(parameters, r->parameters + step * r->n_parameters, r->n_parameters * sizeof *parameters);
    free(parameters);
    return step;
}

/* The checkpoint is that of the end, and what is known of each epoch is what the run that nobody killed knows, but for the time. */
static void must_be_done(session *s, const record *r, const session *undisturbed)
{
    assert_int_equal(read_checkpoint(s, r), r->n_steps);
    assert_int_equal(bp_trainer_epoch_count(s->trainer), EPOCHS);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        for (int column = 0; bp_history_name((bp_history)column); column++) {
            double found, expected;
            must(bp_trainer_history(s->trainer, (bp_history)column, epoch, &found));
            must(bp_trainer_history(undisturbed->trainer, (bp_history)column, epoch, &expected));
            assert_true(column == BP_HISTORY_SECONDS || memcmp(&found, &expected, sizeof found) == 0);
        }
    }
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    name_checkpoint(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[sizeof folder + 256];
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        snprintf(path, sizeof path, "%s/%.255s", folder, entry->d_name);
        remove(path);
    }
    return directory ? closedir(directory) | rmdir(folder) : 0;
}

static void test_kill(void **state)
{
    (void)state;
    session undisturbed = open_session(), s = open_session();
    record r = learn_undisturbed(&undisturbed);
    uint64_t saved = 0;
    double began = seconds();
    assert_int_equal(finish(start(), &saved), 0); /* how long does it take? */
    double duration = seconds() - began;
    must_be_done(&s, &r, &undisturbed);
    remove(checkpoint);
    saved = 0;

    unsigned long killed = 0, within = 0, runs = 0;
    for (uint64_t i = 0; killed < kills; i++) {
        process p = start();
        wait_for(duration * (1 + number(i)) / 2);
        kill(p.id, SIGKILL);
        int status = finish(p, &saved), others = count_others();
        uint64_t step = read_checkpoint(&s, &r);
        assert_in_range(step, saved, saved + 1); /* what it has said to be saved is there, or the next */
        saved = step;
        assert_in_range(others, 0, 1);
        duration *= WIFSIGNALED(status) ? 1.05 : 0.9; /* as the disk is faster or slower: a third of the processes come to the end */
        if (WIFSIGNALED(status)) {
            assert_int_equal(WTERMSIG(status), SIGKILL);
            killed++;
            within += (unsigned long)others;
            if (killed % (kills < 10 ? 1 : kills / 10) == 0) {
                print_message("kill: %lu of %lu killed, %lu within a save; %lu whole runs\n", killed, kills, within, runs);
            }
            continue;
        }
        assert_int_equal(status, 0);
        must_be_done(&s, &r, &undisturbed);
        assert_int_equal(others, 0); /* the saves that were killed have left nothing */
        runs++;
        remove(checkpoint);
        saved = 0;
    }
    assert_int_equal(finish(start(), &saved), 0);
    must_be_done(&s, &r, &undisturbed);
    assert_int_equal(count_others(), 0);
    print_message("kill: %lu killed, %lu of them within a save; %lu runs came to the same bits; nothing is left\n", killed, within,
                  runs + 1);
    free(r.parameters);
    close_session(&s);
    close_session(&undisturbed);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "learn") == 0) {
        return learn(argv[2]);
    }
    if (argc > 1) {
        kills = strtoul(argv[1], NULL, 10);
    }
    if (argc > 2 || kills == 0) {
        fprintf(stderr, "usage: %s [KILLS]    1 or more\n", argv[0]);
        return 2;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_kill, make_folder, remove_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
