/* Sums in the order of ranks have the same bits every time, however they are divided; averages of parameters. */
#include "replica.h"

#include <stdlib.h>

static replica trained(kind kind, bp_method method)
{
    replica r = make_replica(mpi, kind, method, 101, 23);
    set(&r, BP_TRAINER_BATCH_SIZE, 24);
    set(&r, BP_TRAINER_EPOCHS, 3);
    run(&r, BP_STOP_EPOCHS);
    expect_all_same("one order", MPI_COMM_WORLD, &r);
    return r;
}

static void test_fixed_order(void **state)
{
    (void)state;
    static const double bytes[] = {4096, 5000, 8192, 1 << 20, 1 << 30};
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 1));
    for (int kind = OF_CLASSES; kind <= OF_NUMBERS; kind++) {
        must(bp_mpi_set(mpi, BP_MPI_OVERLAP, 1));
        must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, 1 << 20));
        replica first = trained((enum kind)kind, BP_METHOD_ADAM);
        for (int overlap = 0; overlap <= 1; overlap++) {
            must(bp_mpi_set(mpi, BP_MPI_OVERLAP, overlap));
            for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
                must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, bytes[i]));
                replica again = trained((enum kind)kind, BP_METHOD_ADAM);
                expect_same("fixed order", &first, &again);
                destroy_replica(&again);
            }
        }
        destroy_replica(&first);
    }
}

/* Whatever the order, all ranks are given the same. */
static void test_buckets(void **state)
{
    (void)state;
    replica one = make_replica(NULL, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
    set(&one, BP_TRAINER_BATCH_SIZE, 24);
    set(&one, BP_TRAINER_EPOCHS, 3);
    run(&one, BP_STOP_EPOCHS);
    for (int overlap = 0; overlap <= 1; overlap++) {
        must(bp_mpi_set(mpi, BP_MPI_OVERLAP, overlap));
        for (double bytes = 4096; bytes <= 16384; bytes += 4096) {
            must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, bytes));
            replica r = trained(OF_CLASSES, BP_METHOD_ADAM);
            expect_near("buckets", &one, &r, rounding());
            destroy_replica(&r);
        }
    }
    destroy_replica(&one);
}

/* At each epoch's end all ranks have the same parameters. */
static int look(void *context, const bp_progress *progress)
{
    (void)progress;
    expect_all_same("averaged", MPI_COMM_WORLD, context);
    return 0;
}

static void test_averages(void **state)
{
    (void)state;
    static const double steps[] = {1, 3, 1000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int fixed = 0; fixed <= 1; fixed++) {
            double first, last;
            must(bp_mpi_set(mpi, BP_MPI_AVERAGING_STEPS, steps[i]));
            must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, fixed));
            must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, 4096));
            replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 23);
            must(bp_trainer_set_progress(r.trainer, look, &r, BP_PROGRESS_EPOCH));
            set(&r, BP_TRAINER_BATCH_SIZE, 12);
            set(&r, BP_TRAINER_EPOCHS, 6);
            run(&r, BP_STOP_EPOCHS);
            must(bp_trainer_history(r.trainer, BP_HISTORY_TRAINING_LOSS, 0, &first));
            must(bp_trainer_history(r.trainer, BP_HISTORY_TRAINING_LOSS, 5, &last));
            assert_true(last < 0.8 * first);
            destroy_replica(&r);
        }
    }
}

/* With equal parts, the average behind each step of plain SGD is the step of the mean gradient. */
static void test_average_of_each_step(void **state)
{
    (void)state;
    replica one = make_replica(NULL, OF_NUMBERS, BP_METHOD_SGD, 96, 24);
    must(bp_mpi_set(mpi, BP_MPI_AVERAGING_STEPS, 1));
    replica r = make_replica(mpi, OF_NUMBERS, BP_METHOD_SGD, 96, 24);
    replica *const both[2] = {&one, &r};
    for (int i = 0; i < 2; i++) {
        set(both[i], BP_TRAINER_BATCH_SIZE, 24);
        set(both[i], BP_TRAINER_EPOCHS, 4);
        run(both[i], BP_STOP_EPOCHS);
    }
    expect_near("average of each step", &one, &r, rounding());
    destroy_replica(&one);
    destroy_replica(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed_order, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_buckets, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_averages, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_average_of_each_step, begin_mpi, end_mpi),
    };
    return run_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
