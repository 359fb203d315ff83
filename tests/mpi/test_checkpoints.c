/* A checkpoint of two ranks is one of any number, and of one process with all samples. */
#include "replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EPOCHS = 5 };

static void prepare(replica *r)
{
    set(r, BP_TRAINER_BATCH_SIZE, 24);
    set(r, BP_TRAINER_EPOCHS, EPOCHS);
}

static bp_mpi *open_mpi(MPI_Comm communicator)
{
    bp_mpi *mpi;
    must(bp_mpi_create(&mpi, communicator));
    must(bp_mpi_set(mpi, BP_MPI_TIMEOUT, 30));
    return mpi;
}

typedef struct saver {
    replica *r;
    const char *at_end, *in_epoch;
} saver;

/* Saves behind the second epoch, and behind the third batch of the next. */
static int save(void *context, const bp_progress *progress)
{
    saver *s = context;
    if (progress->is_epoch_end && progress->epoch == 2) {
        must(bp_mpi_trainer_save(s->r->shared, s->at_end));
    }
    if (!progress->is_epoch_end && progress->epoch == 3 && progress->batch == 3) {
        must(bp_mpi_trainer_save(s->r->shared, s->in_epoch));
    }
    return 0;
}

/* The ranks of a communicator go on from a checkpoint, made with other parameters and settings. */
static void go_on(const char *what, MPI_Comm communicator, const char *path, const replica *whole)
{
    if (communicator == MPI_COMM_NULL) {
        return;
    }
    bp_mpi *mpi = open_mpi(communicator);
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
    must(bp_mpi_trainer_load(r.shared, bp_mpi_rank(mpi) == 0 ? path : "the path is rank 0's"));
    run(&r, BP_STOP_EPOCHS);
    expect_near(what, whole, &r, rounding());
    expect_all_same(what, communicator, &r);
    destroy_replica(&r);
    bp_mpi_destroy(mpi);
    MPI_Comm_free(&communicator);
}

static void test_any_number(void **state)
{
    (void)state;
    const char *at_end = shared_path("end"), *in_epoch = shared_path("in_epoch");
    replica whole = make_replica(NULL, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
    prepare(&whole);
    run(&whole, BP_STOP_EPOCHS);
    MPI_Comm two = first_ranks(2);
    if (two != MPI_COMM_NULL) {
        bp_mpi *mpi = open_mpi(two);
        replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
        saver s = {&r, at_end, in_epoch};
        prepare(&r);
        must(bp_trainer_set_progress(r.trainer, save, &s, BP_PROGRESS_BATCH));
        run(&r, BP_STOP_EPOCHS);
        expect_near("with saving", &whole, &r, rounding());
        destroy_replica(&r);
        bp_mpi_destroy(mpi);
        MPI_Comm_free(&two);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    const char *const paths[] = {at_end, in_epoch};
    for (int i = 0; i < 2; i++) {
        for (int n = 1; n <= (int)world_size(); n++) {
            go_on(i ? "from the middle of an epoch" : "from an epoch's end", first_ranks(n), paths[i], &whole);
        }
        replica alone = make_replica(NULL, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
        must(bp_trainer_load(alone.trainer, paths[i]));
        run(&alone, BP_STOP_EPOCHS);
        expect_near("alone", &whole, &alone, rounding());
        destroy_replica(&alone);
    }
    destroy_replica(&whole);
}

/* Of one process, for all ranks. */
static void test_of_one(void **state)
{
    (void)state;
    const char *path = shared_path("one");
    replica whole = make_replica(NULL, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
    prepare(&whole);
    set(&whole, BP_TRAINER_EPOCHS, 2);
    run(&whole, BP_STOP_EPOCHS);
    set(&whole, BP_TRAINER_EPOCHS, EPOCHS);
    if (world_rank() == 0) {
        must(bp_trainer_save(whole.trainer, path));
    }
    run(&whole, BP_STOP_EPOCHS);
    MPI_Barrier(MPI_COMM_WORLD);
    go_on("of one process", first_ranks((int)world_size()), path, &whole);
    destroy_replica(&whole);
}

static void cut(const char *from, const char *to, double part)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    fseek(in, 0, SEEK_END);
    size_t size = (size_t)((double)ftell(in) * part);
    rewind(in);
    char *bytes = malloc(size + 1);
    assert_int_equal(fread(bytes, 1, size, in), size);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    free(bytes);
    fclose(in);
    fclose(out);
}

/* Files that are none: the same on all ranks, and nothing changes. */
static void test_refusals(void **state)
{
    (void)state;
    bp_mpi *mpi = open_mpi(MPI_COMM_WORLD);
    const char *good = shared_path("good"), *bad = shared_path("bad");
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 23), same = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
    must(bp_mpi_trainer_save(r.shared, good));
    REFUSED(bp_mpi_trainer_save(r.shared, NULL), BP_ERROR_ARGUMENT, "rank 0: bp_trainer_save: path is NULL");
    REFUSED(bp_mpi_trainer_save(r.shared, "/nowhere/at/all"), BP_ERROR_IO, "rank 0: bp_trainer_save: /nowhere/at/all");
    REFUSED(bp_mpi_trainer_load(r.shared, NULL), BP_ERROR_ARGUMENT, "rank 0: bp_mpi_trainer_load: path is NULL");
    REFUSED(bp_mpi_trainer_load(r.shared, "/nowhere/at/all"), BP_ERROR_IO,
            "rank 0: bp_mpi_trainer_load: /nowhere/at/all: cannot be opened");
    REFUSED(bp_mpi_trainer_load(r.shared, "/"), BP_ERROR_IO, "rank 0: bp_mpi_trainer_load: /: cannot be read");
    expect_one_sentence("a folder", MPI_COMM_WORLD);
    for (double part = 0; part < 1; part += 0.19) {
        if (world_rank() == 0) {
            cut(good, bad, part);
        }
        REFUSED(bp_mpi_trainer_load(r.shared, bad), BP_ERROR_FORMAT, "rank 0: bp_trainer_load");
        expect_one_sentence("cut short", MPI_COMM_WORLD);
        expect_same("nothing has changed", &same, &r);
    }
    replica other = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 101, 23), more = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 102, 23);
    REFUSED(bp_mpi_trainer_load(other.shared, good), BP_ERROR_STATE, "adam");
    REFUSED(bp_mpi_trainer_load(more.shared, good), BP_ERROR_STATE, "101");
    must(bp_mpi_trainer_load(r.shared, good));
    expect_same("loaded", &same, &r);
    destroy_replica(&other);
    destroy_replica(&more);
    destroy_replica(&same);
    destroy_replica(&r);
    bp_mpi_destroy(mpi);
}

/* With averages, of an epoch's end. */
static void test_averaged(void **state)
{
    (void)state;
    const char *path = shared_path("averaged");
    bp_mpi *mpi = open_mpi(MPI_COMM_WORLD);
    must(bp_mpi_set(mpi, BP_MPI_AVERAGING_STEPS, 2));
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 1));
    replica whole = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 101, 23), r = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 101, 23);
    prepare(&whole);
    prepare(&r);
    run(&whole, BP_STOP_EPOCHS);
    set(&r, BP_TRAINER_EPOCHS, 2);
    run(&r, BP_STOP_EPOCHS);
    must(bp_mpi_trainer_save(r.shared, path));
    set(&r, BP_TRAINER_EPOCHS, 3);
    run(&r, BP_STOP_EPOCHS);
    must(bp_mpi_trainer_load(r.shared, path));
    set(&r, BP_TRAINER_EPOCHS, EPOCHS);
    run(&r, BP_STOP_EPOCHS);
    expect_same("with averages", &whole, &r);
    destroy_replica(&whole);
    destroy_replica(&r);
    bp_mpi_destroy(mpi);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_number),
        cmocka_unit_test(test_of_one),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_averaged),
    };
    return run_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
