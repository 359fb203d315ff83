/* Ranks that train together follow one process with all samples, and end with the same bits. */
#include "replica.h"

#include <stdlib.h>

typedef struct scene {
    const char *name;
    kind kind;
    bp_method method;
    size_t n, n_validation, batch;
    double shuffle, dropout, smoothing, training_metrics;
    bool has_weights, has_class_weights, has_schedule;
} scene;

static const scene scenes[] = {
    {"classes, Adam", OF_CLASSES, BP_METHOD_ADAM, 101, 23, 16, 1, 0, 0, 0, false, false, false},
    {"classes, momentum, dropout", OF_CLASSES, BP_METHOD_MOMENTUM, 101, 23, 24, 1, 0.3, 0.1, 1, false, false, true},
    {"classes, weights of samples and classes", OF_CLASSES, BP_METHOD_SGD, 64, 0, 16, 1, 0, 0, 1, true, true, false},
    {"classes, in order", OF_CLASSES, BP_METHOD_MOMENTUM, 101, 23, 16, 0, 0, 0, 0, true, false, false},
    {"numbers", OF_NUMBERS, BP_METHOD_ADAM, 77, 30, 20, 1, 0, 0, 1, false, false, false},
    {"two classes, one output", OF_TWO_CLASSES, BP_METHOD_ADAM, 90, 40, 16, 1, 0, 0, 1, true, true, false},
    {"all samples in a batch", OF_NUMBERS, BP_METHOD_IRPROP_MINUS, 50, 0, 50, 1, 0, 0, 0, false, false, false},
    {"IDX", OF_IDX, BP_METHOD_ADAM, 101, 23, 16, 1, 0, 0, 1, false, true, false},
    {"IDX, in order", OF_IDX, BP_METHOD_SGD, 101, 23, 16, 0, 0.2, 0, 0, false, false, false},
    {"NPY", OF_NPY, BP_METHOD_MOMENTUM, 101, 23, 16, 1, 0, 0, 1, true, false, true},
    {"few samples", OF_CLASSES, BP_METHOD_ADAM, 12, 12, 4, 1, 0, 0, 1, false, false, false},
};

/* Some are 0; those of a sample do not depend on whose it is. */
static void weigh(bp_dataset *data, size_t first)
{
    size_t n = bp_dataset_sample_count(data);
    double *weights = malloc(n * sizeof *weights);
    for (size_t i = 0; i < n; i++) {
        weights[i] = (first + i) % 4 == 1 ? 0 : 0.5 + (double)((first + i) % 3);
    }
    must(bp_dataset_set_weights(data, weights));
    free(weights);
}

/* As make_replica, with what the scene says. */
static replica stage(bp_mpi *of, const scene *s)
{
    static const double class_weights[CLASSES] = {1, 0.25, 2};
    size_t rank = of ? bp_mpi_rank(of) : 0, n_ranks = of ? bp_mpi_rank_count(of) : 1;
    replica r = make_replica(NULL, s->kind, s->method, s->n, s->n_validation); /* of the same seed */
    if (of) {
        destroy_replica(&r);
        r = make_replica(of, s->kind, s->method, s->n, s->n_validation);
    }
    if (s->has_weights || s->dropout > 0) { /* both have to be there before the trainer is made */
        bp_optimizer *opt = r.opt;
        if (r.shared) {
            bp_mpi_trainer_destroy(r.shared);
        } else {
            bp_trainer_destroy(r.trainer);
        }
        if (s->has_weights) {
            weigh(r.training, first_of(s->n, rank, n_ranks));
        }
        must(bp_net_set_dropout(r.net, 0, s->dropout));
        if (of) {
            must(bp_mpi_trainer_create(&r.shared, of, r.net, opt, loss_of(s->kind), r.training));
            r.trainer = bp_mpi_trainer_trainer(r.shared);
        } else {
            must(bp_trainer_create(&r.trainer, r.net, opt, loss_of(s->kind), r.training));
        }
        must(bp_trainer_set_validation(r.trainer, r.validation));
    }
    if (s->has_schedule) {
        bp_schedule *schedule;
        must(bp_schedule_create(&schedule, BP_SCHEDULE_COSINE));
        must(bp_trainer_set_schedule(r.trainer, schedule));
        bp_schedule_destroy(schedule);
    }
    if (s->has_class_weights) {
        must(bp_trainer_set_class_weights(r.trainer, class_weights));
    }
    set(&r, BP_TRAINER_SEED, 5);
    set(&r, BP_TRAINER_SHUFFLE, s->shuffle);
    set(&r, BP_TRAINER_BATCH_SIZE, (double)s->batch);
    set(&r, BP_TRAINER_TRAINING_METRICS, s->training_metrics);
    if (s->smoothing > 0) {
        set(&r, BP_TRAINER_LABEL_SMOOTHING, s->smoothing);
    }
    set(&r, BP_TRAINER_EPOCHS, 4);
    return r;
}

static void test_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        for (int overlap = 0; overlap <= 1; overlap++) {
            for (int fixed = 0; fixed <= 1; fixed++) {
                must(bp_mpi_set(mpi, BP_MPI_OVERLAP, overlap));
                must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, fixed));
                replica one = stage(NULL, &scenes[i]), shared = stage(mpi, &scenes[i]);
                run(&one, BP_STOP_EPOCHS);
                run(&shared, BP_STOP_EPOCHS);
                expect_near(scenes[i].name, &one, &shared, rounding());
                expect_all_same(scenes[i].name, MPI_COMM_WORLD, &shared);
                destroy_replica(&one);
                destroy_replica(&shared);
            }
        }
    }
    must(bp_mpi_set(mpi, BP_MPI_OVERLAP, 1));
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 0));
}

/* Ranks whose own samples would have made other batches than all samples do. */
static void test_initial_batch(void **state)
{
    (void)state;
    for (size_t n = 20; n <= 80; n += 60) {
        replica one = make_replica(NULL, OF_CLASSES, BP_METHOD_SGD, n, 0), shared = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, n, 0);
        set(&one, BP_TRAINER_EPOCHS, 2);
        set(&shared, BP_TRAINER_EPOCHS, 2);
        run(&one, BP_STOP_EPOCHS);
        run(&shared, BP_STOP_EPOCHS);
        expect_near("initial batch", &one, &shared, rounding());
        destroy_replica(&one);
        destroy_replica(&shared);
    }
}

/* Patience and target end all in the epoch in which they end one process, and the best epoch's parameters are restored. */
static void test_stops(void **state)
{
    (void)state;
    for (int target = 0; target <= 1; target++) {
        replica one = make_replica(NULL, OF_CLASSES, BP_METHOD_ADAM, 40, 30),
                shared = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 40, 30);
        replica *const both[2] = {&one, &shared};
        for (int i = 0; i < 2; i++) {
            must(bp_optimizer_set(both[i]->opt, BP_OPTIMIZER_LEARNING_RATE, 0.03));
            set(both[i], BP_TRAINER_BATCH_SIZE, 8);
            set(both[i], BP_TRAINER_EPOCHS, 100);
            set(both[i], BP_TRAINER_PATIENCE, 4);
            set(both[i], BP_TRAINER_MINIMUM_IMPROVEMENT, 0.02);
            if (target) {
                set(both[i], BP_TRAINER_MONITOR, BP_METRIC_ACCURACY);
                set(both[i], BP_TRAINER_TARGET, 0.7);
                set(both[i], BP_TRAINER_MINIMUM_IMPROVEMENT, 0);
            }
            run(both[i], target ? BP_STOP_TARGET : BP_STOP_PATIENCE);
        }
        expect_near("stopped", &one, &shared, 10 * rounding());
        expect_all_same("stopped", MPI_COMM_WORLD, &shared);
        destroy_replica(&one);
        destroy_replica(&shared);
    }
}

/* Another number of threads on each rank, and runs of an epoch each, make no difference. */
static void test_threads_and_breaks(void **state)
{
    (void)state;
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 1));
    replica whole = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 0), broken = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 101, 0);
    set(&whole, BP_TRAINER_EPOCHS, 3);
    run(&whole, BP_STOP_EPOCHS);
    set(&broken, BP_TRAINER_THREADS, (double)(1 + bp_mpi_rank(mpi) % 2));
    for (int epoch = 1; epoch <= 3; epoch++) {
        set(&broken, BP_TRAINER_EPOCHS, epoch);
        run(&broken, BP_STOP_EPOCHS);
    }
    expect_same("in three runs", &whole, &broken);
    destroy_replica(&whole);
    destroy_replica(&broken);
    must(bp_mpi_set(mpi, BP_MPI_FIXED_ORDER, 0));
}

/* Frozen layers stay as they are, wherever they are; the lowest are not sent. */
static void test_frozen(void **state)
{
    (void)state;
    for (size_t frozen = 0; frozen < 2; frozen++) {
        double bytes;
        replica one = make_replica(NULL, OF_CLASSES, BP_METHOD_ADAM, 60, 0);
        must(bp_net_set_frozen(one.net, frozen, 1));
        set(&one, BP_TRAINER_EPOCHS, 2);
        run(&one, BP_STOP_EPOCHS);
        replica shared = make_replica(mpi, OF_CLASSES, BP_METHOD_ADAM, 60, 0);
        bp_mpi_trainer_destroy(shared.shared);
        must(bp_net_set_frozen(shared.net, frozen, 1));
        must(bp_mpi_trainer_create(&shared.shared, mpi, shared.net, shared.opt, BP_LOSS_CROSS_ENTROPY, shared.training));
        shared.trainer = bp_mpi_trainer_trainer(shared.shared);
        set(&shared, BP_TRAINER_SEED, 3);
        set(&shared, BP_TRAINER_EPOCHS, 2);
        run(&shared, BP_STOP_EPOCHS);
        expect_near("frozen", &one, &shared, rounding());
        must(bp_mpi_trainer_traffic(shared.shared, &bytes, NULL));
        size_t n = frozen == 0 ? CLASSES * (HIDDEN + 1) : bp_net_parameter_count(shared.net);
        double ranks = (double)world_size();
        assert_true(bytes == 4 * 2 * (ranks - 1) / ranks * (double)(n * sizeof(real)));
        destroy_replica(&one);
        destroy_replica(&shared);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_same, begin_mpi),
        cmocka_unit_test(test_initial_batch),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_threads_and_breaks),
        cmocka_unit_test_teardown(test_frozen, end_mpi),
    };
    return run_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
