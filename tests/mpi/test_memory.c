/*
 * Memory that one rank has not: each allocation of libbp and libbp_mpi fails once, in turn, on the last rank, and every call ends on all ranks with
 * the same status and sentence. The libraries are linked statically here, so that MPI's own allocations are none of this.
 */
#include "replica.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

static bool is_counting;
static long left; /* allocations until the one that fails; negative: it has */

static bool fails(void)
{
    return is_counting && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

typedef enum call { CREATE_MPI, CREATE_TRAINER, RUN, SAVE, LOAD, CALLS } call;

static const char *const names[CALLS] = {"bp_mpi_create", "bp_mpi_trainer_create", "bp_trainer_run", "bp_mpi_trainer_save",
                                         "bp_mpi_trainer_load"};

/* The call with the nth allocation failing on the rank; whether there was such an allocation. */
static bool fail_once(call c, size_t rank, long n, bp_mpi_trainer *trainer, replica *r, const char *path)
{
    bp_mpi *made = NULL;
    bp_mpi_trainer *made_trainer = NULL;
    bp_status status = BP_OK;
    left = n;
    is_counting = world_rank() == rank;
    switch (c) {
    case CREATE_MPI:
        status = bp_mpi_create(&made, MPI_COMM_WORLD);
        break;
    case CREATE_TRAINER:
        status = bp_mpi_trainer_create(&made_trainer, mpi, r->net, r->opt, BP_LOSS_CROSS_ENTROPY, r->training);
        break;
    case RUN:
        status = bp_trainer_run(bp_mpi_trainer_trainer(trainer));
        break;
    case SAVE:
        status = bp_mpi_trainer_save(trainer, path);
        break;
    default:
        status = bp_mpi_trainer_load(trainer, path);
    }
    is_counting = false;
    int has_failed = world_rank() == rank && left < 0;
    MPI_Allreduce(MPI_IN_PLACE, &has_failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (has_failed) {
        must_refuse(names[c], status, BP_ERROR_MEMORY, "memory");
        expect_one_sentence(names[c], MPI_COMM_WORLD);
    } else {
        must(status);
    }
    bp_mpi_trainer_destroy(made_trainer);
    bp_mpi_destroy(made);
    return has_failed;
}

static replica settled(void)
{
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 61, 20);
    set(&r, BP_TRAINER_BATCH_SIZE, 20);
    set(&r, BP_TRAINER_EPOCHS, 2);
    set(&r, BP_TRAINER_TRAINING_METRICS, 1);
    return r;
}

static void test_memory(void **state)
{
    (void)state;
    const char *path = shared_path("checkpoint"), *unused = shared_path("unused");
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 1));
    must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, 4096));
    replica whole = settled();
    run(&whole, BP_STOP_EPOCHS);
    must(bp_mpi_trainer_save(whole.shared, path));
    for (size_t end = 0; end < 2; end++) {
        size_t rank = end ? world_size() - 1 : 0;
        for (int c = 0; c < CALLS; c++) {
            long n = 0;
            replica r = settled();
            for (bool failed = true; failed; n += failed) {
                if (c == CREATE_TRAINER) {
                    bp_mpi_trainer_destroy(r.shared);
                    r.shared = NULL;
                }
                failed = fail_once((call)c, rank, n, r.shared, &r, c == SAVE ? unused : path);
                if (c == CREATE_TRAINER) {
                    must(bp_mpi_trainer_create(&r.shared, mpi, r.net, r.opt, BP_LOSS_CROSS_ENTROPY, r.training));
                    r.trainer = bp_mpi_trainer_trainer(r.shared);
                }
                if (failed && c == LOAD) {
                    assert_int_equal(bp_trainer_epoch_count(r.trainer), 0); /* nothing has changed */
                }
                assert_true(n < 5000);
            }
            if (world_rank() == 0) {
                print_message("%s: %ld allocations of rank %zu\n", names[c], n, rank);
            }
            assert_true(n > 0 || (rank != 0 && c == SAVE));
            if (c == RUN || c == LOAD) {
                expect_same(names[c], &whole, &r);
            }
            destroy_replica(&r);
        }
    }
    destroy_replica(&whole);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_memory, begin_mpi, end_mpi)};
    return run_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
