#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */

/* A checkpoint of ranks is that of one process with all samples: whoever loads it, from a file or from memory, comes to the same. */
#include "train/ranks.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 70, EPOCHS = 4 };

static bp_dataset *training, *validation;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(20, 2);
    return 0;
}

static int free_data(void **state)
{
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return remove_files(state);
}

static void prepare(session *s)
{
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, BP_SCHEDULE_ONE_CYCLE));
    must(bp_trainer_set_schedule(s->trainer, schedule));
    bp_schedule_destroy(schedule);
    must(bp_net_set_dropout(s->net, 0, 0.3));
    set(s, BP_TRAINER_EPOCHS, EPOCHS);
    set(s, BP_TRAINER_BATCH_SIZE, 16);
    set(s, BP_TRAINER_TRAINING_METRICS, 1);
}

static const plan of_gradients = {.method = BP_METHOD_ADAM, .prepare = prepare};

static plan with_data(size_t average_every)
{
    plan of = of_gradients;
    of.training = training;
    of.validation = validation;
    of.average_every = average_every;
    return of;
}

/* Saves at a batch of the second epoch, or behind the last at its end. */
typedef struct saver {
    const session *s;
    const char *path;
    uint64_t batch;
    bp_status status;
} saver;

static int save(void *context, const bp_progress *progress)
{
    saver *s = context;
    if (progress->epoch == 2 && progress->batch == s->batch) {
        s->status = bp_trainer_save(s->s->trainer, s->path);
    }
    return 0;
}

enum { MIDDLE = 3, END = 5 };

static void save_at(saver *s, const session *from, const char *name, uint64_t batch)
{
    *s = (saver){.s = from, .path = file_path(name), .batch = batch, .status = BP_ERROR_ARGUMENT};
    must(bp_trainer_set_progress(from->trainer, save, s, BP_PROGRESS_BATCH));
}

/* The whole run, by one process and by three ranks, each of which leaves two checkpoints. */
typedef struct past {
    plan of;
    session one;
    ranks three;
    saver saver;
} past;

static void make_past(past *p, uint64_t batch, bool by_ranks)
{
    p->of = with_data(0);
    p->one = open_one(&p->of);
    open_ranks(&p->three, &p->of, 3);
    save_at(&p->saver, by_ranks ? &p->three.rank[0].s : &p->one, "past", batch);
    run(&p->one, BP_STOP_EPOCHS);
    run_together("past", &p->three, BP_STOP_EPOCHS);
    must(p->saver.status);
    expect_alike("past", &p->one, &p->three.rank[0].s);
}

static void end_past(past *p)
{
    close_ranks(&p->three);
    close_session(&p->one);
}

/* The settings of who loads are those of the file. */
static void prepare_little(session *s)
{
    must(bp_net_set_dropout(s->net, 0, 0.3));
}

static void test_go_on(void **state)
{
    (void)state;
    static const uint64_t batches[] = {MIDDLE, END};
    for (int i = 0; i < 2 * 2; i++) {
        past p;
        make_past(&p, batches[i % 2], i / 2);
        plan later = p.of;
        later.prepare = prepare_little;
        session alone = open_one(&later);
        must(bp_trainer_load(alone.trainer, p.saver.path));
        run(&alone, BP_STOP_EPOCHS);
        expect_alike("alone", &p.one, &alone);
        close_session(&alone);
        for (size_t n = 1; n <= 5; n += n < 3 ? 1 : 2) {
            ranks r;
            open_ranks(&r, &later, n);
            size_t size;
            unsigned char *bytes = read_bytes(p.saver.path, &size);
            for (size_t k = 0; k < n; k++) {
                must(k % 2 ? bp_trainer_load_memory(r.rank[k].s.trainer, bytes, size) : bp_trainer_load(r.rank[k].s.trainer, p.saver.path));
            }
            free(bytes);
            run_together("ranks", &r, BP_STOP_EPOCHS);
            expect_alike("ranks", &p.one, &r.rank[0].s);
            close_ranks(&r);
        }
        end_past(&p);
    }
}

/* A trainer in the middle of an epoch does not become one of several, nor alone. */
static void test_middle(void **state)
{
    (void)state;
    past p;
    make_past(&p, MIDDLE, true);
    session one = open_one(&p.of);
    must(bp_trainer_load(one.trainer, p.saver.path));
    REFUSED(bp_trainer_set_data_parallel(one.trainer, &p.three.rank[0].parallel), BP_ERROR_STATE, "in the middle of epoch 2");
    close_session(&one);
    ranks r;
    open_ranks(&r, &p.of, 2);
    must(bp_trainer_load(r.rank[0].s.trainer, p.saver.path));
    REFUSED(bp_trainer_set_data_parallel(r.rank[0].s.trainer, NULL), BP_ERROR_STATE, "in the middle of epoch 2");
    run_ranks(&r); /* the other has not loaded */
    expect_all("one has loaded", &r, BP_ERROR_STATE, "the epoch is 1 on rank 0, but 0 on rank 1");
    close_ranks(&r);
    end_past(&p);
}

/* With averages there is no checkpoint but of an epoch's end, neither to be saved nor to be loaded. */
static void test_averages(void **state)
{
    (void)state;
    plan of = with_data(2);
    static const char *const names[] = {"averages 0", "averages 1", "averages 2"};
    for (int i = 0; i < 2; i++) {
        ranks r, again;
        saver s[3];
        open_ranks(&r, &of, 3);
        open_ranks(&again, &of, 3);
        for (size_t k = 0; k < 3; k++) {
            save_at(&s[k], &r.rank[k].s, names[k], i ? END : MIDDLE);
        }
        run_together("averages", &r, BP_STOP_EPOCHS);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(s[k].status, i ? BP_OK : BP_ERROR_STATE);
            if (i) {
                must(bp_trainer_load(again.rank[k].s.trainer, s[k].path));
            }
        }
        run_together("averages again", &again, BP_STOP_EPOCHS);
        expect_same("averages again", &r.rank[0].s, &again.rank[0].s);
        close_ranks(&again);
        close_ranks(&r);
    }
    past p;
    make_past(&p, MIDDLE, true);
    ranks r;
    open_ranks(&r, &of, 3);
    REFUSED(bp_trainer_load(r.rank[0].s.trainer, p.saver.path), BP_ERROR_STATE, "in the middle of epoch 2; with after_step");
    run_together("nothing was loaded", &r, BP_STOP_EPOCHS);
    close_ranks(&r);
    end_past(&p);
}

static int load_from_within(void *context, const bp_progress *progress)
{
    const session *s = context;
    (void)progress;
    return bp_trainer_load_memory(s->trainer, "", 1) == BP_ERROR_STATE ? 0 : 1;
}

static void test_load_memory(void **state)
{
    (void)state;
    past p;
    make_past(&p, MIDDLE, false);
    size_t size;
    unsigned char *bytes = read_bytes(p.saver.path, &size);
    session a = open_one(&p.of), b = open_one(&p.of);
    REFUSED(bp_trainer_load_memory(NULL, bytes, size), BP_ERROR_ARGUMENT, "trainer is NULL");
    REFUSED(bp_trainer_load_memory(a.trainer, NULL, size), BP_ERROR_ARGUMENT, "bytes is NULL");
    for (size_t n = 0; n < size; n += n < 1000 ? 7 : 501) {
        unsigned char *exact = malloc(n ? n : 1); /* behind whose end a sanitizer looks */
        assert_non_null(exact);
        memcpy(exact, bytes, n);
        REFUSED(bp_trainer_load_memory(a.trainer, exact, n), BP_ERROR_FORMAT, "the checkpoint");
        free(exact);
    }
    bytes[size / 2] ^= 1;
    REFUSED(bp_trainer_load_memory(a.trainer, bytes, size), BP_ERROR_FORMAT, "the checkpoint");
    bytes[size / 2] ^= 1;
    must(bp_trainer_set_progress(a.trainer, load_from_within, &a, BP_PROGRESS_BATCH));
    run(&a, BP_STOP_EPOCHS);
    run(&b, BP_STOP_EPOCHS);
    expect_same("refusals change nothing", &a, &b);
    must(bp_trainer_set_progress(a.trainer, NULL, NULL, BP_PROGRESS_EPOCH));
    must(bp_trainer_load_memory(a.trainer, bytes, size));
    free(bytes);
    must(bp_trainer_load(b.trainer, p.saver.path));
    expect_same("loaded", &a, &b);
    run(&a, BP_STOP_EPOCHS);
    expect_same("gone on", &a, &p.one);
    close_session(&a);
    close_session(&b);
    end_past(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_go_on),
        cmocka_unit_test(test_middle),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_load_memory),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
