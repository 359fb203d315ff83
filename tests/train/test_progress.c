/* What a progress function is told, and when; the one that prints; the history as CSV. */
#define _POSIX_C_SOURCE 200809L /* fmemopen, setenv */

#include "train/session.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 300, EPOCHS = 3 };

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
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return remove_files(state);
}

/* ---- what it is told ---- */

typedef struct watcher {
    const session *s;
    uint64_t calls, batches, samples_of_batch, first_step;
    double seconds;
    bool validates;
} watcher;

static void check_metrics(const watcher *w, const bp_progress *p)
{
    assert_int_equal(p->n_metrics, METRICS);
    size_t epochs = bp_trainer_epoch_count(w->s->trainer);
    assert_int_equal(epochs, p->epoch - !p->is_epoch_end);
    for (int m = 0; m < METRICS; m++) { /* those of the latest complete epoch */
        double first = (double)NAN, second = (double)NAN;
        if (epochs > 0) {
            first = history(w->s, (bp_history)(BP_HISTORY_TRAINING_LOSS + m), epochs - 1);
            second = history(w->s, (bp_history)(BP_HISTORY_VALIDATION_LOSS + m), epochs - 1);
        }
        assert_true(same_number(first, p->training[m]) && same_number(second, p->validation[m]));
        assert_int_equal(isnan(p->training[m]), epochs == 0 || m != BP_METRIC_LOSS);
        assert_int_equal(isnan(p->validation[m]), epochs == 0 || !w->validates);
    }
}

static int watch(void *context, const bp_progress *p)
{
    watcher *w = context;
    uint64_t in_epoch = w->calls % w->batches + 1;
    assert_int_equal(p->size, sizeof *p);
    assert_int_equal(p->epoch, w->calls / w->batches + 1);
    assert_int_equal(p->epochs, EPOCHS);
    assert_int_equal(p->batches, w->batches);
    assert_int_equal(p->batch, in_epoch);
    assert_int_equal(p->is_epoch_end, in_epoch == w->batches);
    uint64_t samples = p->is_epoch_end ? SAMPLES : p->batch * w->samples_of_batch;
    uint64_t steps_of_epoch = w->samples_of_batch == 256 ? SAMPLES : w->batches, steps = w->samples_of_batch == 256 ? samples : in_epoch;
    assert_int_equal(p->step, w->first_step + (p->epoch - 1) * steps_of_epoch + steps);
    assert_int_equal(p->step, bp_optimizer_step_count(w->s->opt));
    assert_true(p->learning_rate == 0.01);
    assert_true(isfinite(p->training_loss) && p->training_loss > 0);
    assert_true(p->seconds >= w->seconds && p->samples_per_second > 0);
    double done = (double)((p->epoch - 1) * SAMPLES + samples), all = EPOCHS * SAMPLES;
    assert_true(fabs(p->samples_per_second * p->seconds - done) < 1e-6 * done);
    assert_true(fabs(p->seconds_left * p->samples_per_second - (all - done)) < 1e-6 * all);
    check_metrics(w, p);
    if (p->is_epoch_end) {
        assert_true(same_number(p->training_loss, p->training[BP_METRIC_LOSS]));
    }
    w->seconds = p->seconds;
    w->calls++;
    return 0;
}

static void test_fields(void **state)
{
    (void)state;
    const double batches[] = {1, 7, 100, 150, SAMPLES};
    for (int i = 0; i < 10; i++) {
        double batch = batches[i / 2];
        session s = open_session(training, BP_METHOD_SGD, 3);
        watcher watcher = {.s = &s, .validates = i % 2};
        watcher.samples_of_batch = batch == 1 ? 256 : (uint64_t)batch;
        watcher.batches = (SAMPLES + watcher.samples_of_batch - 1) / watcher.samples_of_batch;
        must(bp_trainer_set_validation(s.trainer, watcher.validates ? validation : NULL));
        must(bp_trainer_set_progress(s.trainer, watch, &watcher, BP_PROGRESS_BATCH));
        set(&s, BP_TRAINER_EPOCHS, EPOCHS);
        set(&s, BP_TRAINER_BATCH_SIZE, batch);
        run(&s, BP_STOP_EPOCHS);
        assert_int_equal(watcher.calls, EPOCHS * watcher.batches);
        close_session(&s);
    }
}

static int count_ends(void *context, const bp_progress *p)
{
    int *calls = context;
    assert_true(p->is_epoch_end && p->batch == p->batches);
    ++*calls;
    return 0;
}

static void test_each_epoch(void **state)
{
    (void)state;
    int calls = 0;
    session s = open_session(training, BP_METHOD_SGD, 3);
    must(bp_trainer_set_progress(s.trainer, count_ends, &calls, BP_PROGRESS_EPOCH));
    set(&s, BP_TRAINER_EPOCHS, EPOCHS);
    run(&s, BP_STOP_EPOCHS);
    assert_int_equal(calls, EPOCHS);
    must(bp_trainer_set_progress(s.trainer, NULL, &calls, BP_PROGRESS_BATCH));
    set(&s, BP_TRAINER_EPOCHS, EPOCHS + 1);
    run(&s, BP_STOP_EPOCHS);
    assert_int_equal(calls, EPOCHS);
    close_session(&s);
}

/* ---- bp_progress_print ---- */

static void print_to(FILE *file, bool validates)
{
    session s = open_session(training, BP_METHOD_ADAM, 3);
    must(bp_trainer_set_validation(s.trainer, validates ? validation : NULL));
    must(bp_trainer_set_progress(s.trainer, bp_progress_print, file, BP_PROGRESS_BATCH));
    set(&s, BP_TRAINER_EPOCHS, 12);
    run(&s, BP_STOP_EPOCHS);
    close_session(&s);
}

static void test_print(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bool validates = i == 1;
        FILE *file = fopen(file_path("printed"), "w");
        assert_non_null(file);
        print_to(file, validates);
        fclose(file);
        size_t size, lines = 0;
        char *text = (char *)read_bytes(file_path("printed"), &size), *line = text;
        for (char *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            char start[80];
            sprintf(start, "epoch %2zu/12 [====================]  loss ", ++lines);
            if (strncmp(line, start, strlen(start)) != 0 || !strstr(line, " samples/s  ") || !strstr(line, " left") ||
                (strstr(line, "  validation ") != NULL) != validates || (strstr(line, "%  ") != NULL) != validates) {
                fail_msg("\"%s\"", line);
            }
            for (const char *c = line; *c; c++) {
                assert_in_range(*c, 32, 126);
            }
        }
        assert_int_equal(lines, 12);
        assert_string_equal(line, "");
        free(text);
    }
}

/* Each kind of line by itself. */
static void test_print_by_hand(void **state)
{
    (void)state;
    const double nan = (double)NAN, classes[] = {0.5, 0.25, 1, nan, nan, nan}, curves[] = {1.5, nan, nan, 0.1, 0.125, 0.5};
    const double none[] = {nan, nan, nan, nan, nan, nan};
    bp_progress p = {.size = sizeof p,
                     .is_epoch_end = 1,
                     .epoch = 3,
                     .epochs = 10,
                     .batch = 5,
                     .batches = 5,
                     .training_loss = 0.75,
                     .samples_per_second = 123456,
                     .seconds_left = 7,
                     .n_metrics = METRICS,
                     .training = none,
                     .validation = classes};
    const struct {
        const double *training, *validation;
        double left;
        const char *line;
    } cases[] = {
        {none, classes, 7,
         "epoch  3/10 [====================]  loss 0.7500  validation 0.5000  accuracy  25.0%  1.23e+05 samples/s  7 s left\n"},
        {none, curves, 120,
         "epoch  3/10 [====================]  loss 0.7500  validation 1.5000  rmse 0.125  1.23e+05 samples/s  2 min left\n"},
        {classes, none, 7200, "epoch  3/10 [====================]  loss 0.7500  accuracy  25.0%  1.23e+05 samples/s  2.0 h left\n"},
        {none, none, 0, "epoch  3/10 [====================]  loss 0.7500  1.23e+05 samples/s  0 s left\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400] = "";
        FILE *file = fmemopen(text, sizeof text, "w");
        p.training = cases[i].training;
        p.validation = cases[i].validation;
        p.seconds_left = cases[i].left;
        assert_int_equal(bp_progress_print(file, &p), 0);
        fclose(file);
        assert_string_equal(text, cases[i].line);
    }
    p.is_epoch_end = 0; /* no terminal: only whole epochs */
    char text[400] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_int_equal(bp_progress_print(file, &p), 0);
    assert_int_equal(bp_progress_print(file, NULL), 0);
    fclose(file);
    assert_string_equal(text, "");
    assert_int_equal(bp_progress_print(NULL, &p), 0);
}

static void test_print_to_full_disk(void **state)
{
    (void)state;
    FILE *file = fopen("/dev/full", "w");
    if (!file) {
        print_message("skipped: this system has no /dev/full\n");
        skip();
    }
    print_to(file, true);
    fclose(file);
}

/* ---- the history as CSV ---- */

/* The file has the header, and the numbers bit by bit. */
static void check_csv(const session *s)
{
    size_t size;
    char *text = (char *)read_bytes(file_path("history.csv"), &size), *at = text, expected[400] = "epoch";
    for (int column = 0; column < COLUMNS; column++) {
        strcat(strcat(expected, ","), bp_history_name((bp_history)column));
    }
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    at += strlen(expected);
    for (size_t epoch = 0; epoch < bp_trainer_epoch_count(s->trainer); epoch++) {
        assert_int_equal(*at++, '\n');
        assert_int_equal(strtoul(at, &at, 10), epoch + 1);
        for (int column = 0; column < COLUMNS; column++) {
            double value = history(s, (bp_history)column, epoch), got = (double)NAN;
            assert_int_equal(*at++, ',');
            if (*at != ',' && *at != '\n') {
                got = strtod(at, &at);
            }
            if (!same_number(value, got)) {
                fail_msg("epoch %zu, %s: %.17g is written as %.17g", epoch, bp_history_name((bp_history)column), value, got);
            }
        }
    }
    assert_string_equal(at, "\n");
    free(text);
}

/* The same in the C locale, whatever the locale was when it was written; which it still is. */
static void write_and_check(const session *s)
{
    locale_t of_thread = uselocale((locale_t)0);
    must(bp_trainer_write_history(s->trainer, file_path("history.csv")));
    assert_true(uselocale((locale_t)0) == of_thread);
    char *before = strdup(setlocale(LC_ALL, NULL));
    setlocale(LC_ALL, "C");
    check_csv(s);
    setlocale(LC_ALL, before);
    free(before);
}

static void write_histories(void)
{
    session s = open_session(training, BP_METHOD_SGD, 3);
    write_and_check(&s); /* of no epoch */
    set(&s, BP_TRAINER_EPOCHS, 2);
    run(&s, BP_STOP_EPOCHS);
    write_and_check(&s);
    must(bp_trainer_set_validation(s.trainer, validation));
    must(bp_optimizer_set(s.opt, BP_OPTIMIZER_LEARNING_RATE, 1e-30));
    set(&s, BP_TRAINER_TRAINING_METRICS, 1);
    set(&s, BP_TRAINER_EPOCHS, 200);
    run(&s, BP_STOP_EPOCHS);
    write_and_check(&s);
    close_session(&s);
}

static void test_csv(void **state)
{
    (void)state;
    write_histories();
}

static int remove_locale(void **state)
{
    (void)state;
    char command[400];
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -rf %s", file_path("de_DE.UTF-8"));
    return system(command);
}

static void test_csv_with_comma_locale(void **state)
{
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "da_DK.UTF-8"};
    char command[400];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s >/dev/null 2>&1", file_path("de_DE.UTF-8"));
    if (system(command) == 0) { /* none may be installed */
        setenv("LOCPATH", file_path(""), 1);
    }
    bool found = false;
    for (size_t i = 0; !found && i < sizeof commas / sizeof *commas; i++) {
        found = setlocale(LC_ALL, commas[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
    }
    if (!found) {
        print_message("skipped: no locale with a decimal comma, and localedef could not make one\n");
        skip();
    }
    write_histories();
    assert_string_equal(localeconv()->decimal_point, ",");
}

static void test_csv_to_bad_paths(void **state)
{
    (void)state;
    session s = open_session(training, BP_METHOD_SGD, 3);
    REFUSED(bp_trainer_write_history(s.trainer, "/tmp"), BP_ERROR_IO, "directory");
    REFUSED(bp_trainer_write_history(s.trainer, file_path("none/history.csv")), BP_ERROR_IO, "none/history.csv");
    REFUSED(bp_trainer_write_history(s.trainer, ""), BP_ERROR_IO, "bp_trainer_write_history");
    REFUSED(bp_trainer_save(s.trainer, "/tmp"), BP_ERROR_IO, "directory");
    REFUSED(bp_trainer_save(s.trainer, file_path("none/checkpoint")), BP_ERROR_IO, "none/checkpoint");
    REFUSED(bp_trainer_save(s.trainer, "/dev/full"), BP_ERROR_IO, "not a regular file");
    close_session(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_each_epoch),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_by_hand),
        cmocka_unit_test(test_print_to_full_disk),
        cmocka_unit_test(test_csv),
        cmocka_unit_test_teardown(test_csv_with_comma_locale, remove_locale),
        cmocka_unit_test(test_csv_to_bad_paths),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
