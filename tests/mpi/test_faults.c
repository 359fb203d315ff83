/* What fails on one rank ends on all, with the same status and sentence, and the trainers can go on together. */
#include "replica.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_last_rank(void)
{
    return world_rank() + 1 == world_size();
}

/* A file that one rank has not. */
static void test_agree(void **state)
{
    (void)state;
    const unsigned char idx[] = {0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7};
    bp_dataset *samples = NULL;
    bp_status own =
        is_last_rank() ? bp_dataset_read(&samples, "/nowhere/samples", BP_F32) : bp_dataset_read_memory(&samples, idx, sizeof idx, BP_F32);
    REFUSED(bp_mpi_agree(mpi, own), BP_ERROR_IO, "/nowhere/samples");
    expect_one_sentence("a file", MPI_COMM_WORLD);
    must(bp_mpi_agree(mpi, BP_OK));
    bp_dataset_destroy(samples);
}

/* A sample whose loss is not finite is on one rank in each step that takes it. */
static void test_not_finite(void **state)
{
    (void)state;
    for (int overlap = 0; overlap <= 1; overlap++) {
        for (int fixed = 0; fixed <= 1; fixed++) {
            for (int halvings = 0; halvings <= 3; halvings += 3) {
                must(bp_mpi_set(mpi, BP_MPI_OVERLAP, overlap));
                must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, fixed));
                must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, 4096));
                replica r = make_replica(mpi, OF_NUMBERS, BP_METHOD_SGD, 60, 0);
                bp_mpi_trainer_destroy(r.shared);
                if (is_last_rank()) {
                    bp_dataset *huge;
                    const real x[INPUTS] = {0}, z[2] = {(real)(sizeof(real) == sizeof(float) ? 1e30 : 1e200), 0};
                    must(REAL(bp_dataset_create)(&huge, 1, INPUTS, 2, x, z));
                    bp_dataset_destroy(r.training);
                    r.training = huge;
                }
                must(bp_mpi_trainer_create(&r.shared, mpi, r.net, r.opt, BP_LOSS_MSE, r.training));
                r.trainer = bp_mpi_trainer_trainer(r.shared);
                set(&r, BP_TRAINER_BATCH_SIZE, 8);
                set(&r, BP_TRAINER_EPOCHS, 3);
                set(&r, BP_TRAINER_HALVINGS, halvings);
                REFUSED(bp_trainer_run(r.trainer), BP_ERROR_DIVERGED, "rank 0: bp_trainer_run: epoch 1, batch");
                expect_one_sentence("not finite", MPI_COMM_WORLD);
                expect_all_same("not finite", MPI_COMM_WORLD, &r);
                double rate;
                must(bp_optimizer_get(r.opt, BP_OPTIMIZER_LEARNING_RATE, &rate));
                assert_true(rate == 0.05 / (halvings ? 8 : 1));
                destroy_replica(&r);
            }
        }
    }
}

static int stop(void *context, const bp_progress *progress)
{
    const uint64_t *batch = context;
    return is_last_rank() && progress->epoch == 2 && progress->batch == *batch;
}

/* Where one rank's progress function stops, all stop, at that epoch's end, and go on from there. */
static void test_stop(void **state)
{
    (void)state;
    for (uint64_t batch = 1; batch <= 3; batch++) {
        replica whole = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 60, 20), r = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 60, 20);
        set(&whole, BP_TRAINER_EPOCHS, 4);
        set(&whole, BP_TRAINER_BATCH_SIZE, 20);
        run(&whole, BP_STOP_EPOCHS);
        must(bp_trainer_set_progress(r.trainer, stop, &batch, BP_PROGRESS_BATCH));
        set(&r, BP_TRAINER_EPOCHS, 4);
        set(&r, BP_TRAINER_BATCH_SIZE, 20);
        run(&r, BP_STOP_CALLBACK);
        assert_int_equal(bp_trainer_epoch_count(r.trainer), 2);
        run(&r, BP_STOP_EPOCHS);
        expect_near("stopped on the way", &whole, &r, rounding());
        destroy_replica(&r);
        destroy_replica(&whole);
    }
}

/* Plain descent that fails in one step, on the last rank. */
static int custom_method(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state,
                         real *state)
{
    uint64_t *bad_step = context;
    (void)n_state;
    (void)state;
    for (size_t i = 0; i < n; i++) {
        theta[i] -= (real)rate * gradient[i];
    }
    if (is_last_rank() && step == *bad_step) {
        *bad_step = 0;
        return 1;
    }
    return 0;
}

static replica make_custom(uint64_t *bad_step, size_t n_validation)
{
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 60, n_validation);
    bp_mpi_trainer_destroy(r.shared);
    bp_optimizer_destroy(r.opt);
    must(REAL(bp_optimizer_create_custom)(&r.opt, r.net, 0, custom_method, bad_step));
    must(bp_optimizer_set(r.opt, BP_OPTIMIZER_LEARNING_RATE, 0.05));
    must(bp_mpi_trainer_create(&r.shared, mpi, r.net, r.opt, BP_LOSS_CROSS_ENTROPY, r.training));
    r.trainer = bp_mpi_trainer_trainer(r.shared);
    must(bp_trainer_set_validation(r.trainer, r.validation));
    set(&r, BP_TRAINER_BATCH_SIZE, 20);
    set(&r, BP_TRAINER_EPOCHS, 3);
    return r;
}

/* In each step of the second epoch, the last one included; all are back where it began, and go on to what they would have come to. */
static void test_custom_method(void **state)
{
    (void)state;
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 1));
    uint64_t none = 0;
    for (int overlap = 0; overlap <= 1; overlap++) {
        for (size_t n_validation = 0; n_validation <= 20; n_validation += 20) {
            must(bp_mpi_set(mpi, BP_MPI_OVERLAP, overlap));
            must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, 4096));
            replica whole = make_custom(&none, n_validation);
            run(&whole, BP_STOP_EPOCHS);
            for (uint64_t bad_step = 4; bad_step <= 6; bad_step++) {
                uint64_t step = bad_step;
                replica r = make_custom(&step, n_validation);
                bp_status status = bp_trainer_run(r.trainer);
                assert_int_not_equal(status, BP_OK);
                int statuses[2] = {(int)status, -(int)status};
                MPI_Allreduce(MPI_IN_PLACE, statuses, 2, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
                assert_int_equal(statuses[0], -statuses[1]);
                expect_one_sentence("custom method", MPI_COMM_WORLD);
                expect_all_same("custom method", MPI_COMM_WORLD, &r);
                run(&r, BP_STOP_EPOCHS);
                expect_same("gone on", &whole, &r);
                destroy_replica(&r);
            }
            destroy_replica(&whole);
        }
    }
}

static int end_too_early(void *context, const bp_progress *progress)
{
    (void)progress;
    bp_mpi_trainer_destroy(context);
    return strstr(bp_last_error(), "progress function") == NULL;
}

static void test_destroy_from_within(void **state)
{
    (void)state;
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 60, 0);
    must(bp_trainer_set_progress(r.trainer, end_too_early, r.shared, BP_PROGRESS_BATCH));
    set(&r, BP_TRAINER_EPOCHS, 2);
    run(&r, BP_STOP_EPOCHS);
    destroy_replica(&r);
}

/* Nothing but the time limit holds on one rank. */
static void test_time_limit(void **state)
{
    (void)state;
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 60, 0);
    set(&r, BP_TRAINER_TIME_LIMIT, is_last_rank() ? 1e-9 : 0);
    set(&r, BP_TRAINER_EPOCHS, 20);
    run(&r, BP_STOP_TIME);
    assert_int_equal(bp_trainer_epoch_count(r.trainer), 1);
    destroy_replica(&r);
}

/* A net that is unfrozen meanwhile is refused, also when sums are on their way. */
static void test_unfrozen(void **state)
{
    (void)state;
    for (int overlap = 0; overlap <= 1; overlap++) {
        must(bp_mpi_set(mpi, BP_MPI_OVERLAP, overlap));
        must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, 4096));
        replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 60, 0);
        bp_mpi_trainer_destroy(r.shared);
        must(bp_net_set_frozen(r.net, 0, 1));
        must(bp_mpi_trainer_create(&r.shared, mpi, r.net, r.opt, BP_LOSS_CROSS_ENTROPY, r.training));
        r.trainer = bp_mpi_trainer_trainer(r.shared);
        must(bp_net_set_frozen(r.net, 0, is_last_rank() ? 0 : 1));
        set(&r, BP_TRAINER_EPOCHS, 2);
        REFUSED(bp_trainer_run(r.trainer), BP_ERROR_STATE, "frozen");
        expect_one_sentence("frozen", MPI_COMM_WORLD);
        must(bp_net_set_frozen(r.net, 0, 1));
        run(&r, BP_STOP_EPOCHS);
        destroy_replica(&r);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_agree, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_not_finite, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_stop, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_custom_method, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_destroy_from_within, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_time_limit, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_unfrozen, begin_mpi, end_mpi),
    };
    return run_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
