/* What is not the same on all ranks is refused on all of them, by name and with both values; arguments and settings. */
#include "replica.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the last rank has otherwise. */
typedef enum difference {
    NOTHING,
    WIDTH,
    LAYERS,
    DTYPE,
    ACTIVATION,
    BIAS,
    DROPOUT,
    NOISE,
    FROZEN,
    RULE,
    LOSS,
    METHOD,
    SETTING,
    SEED,
    WEIGHTS,
    OVERLAP,
    BUCKETS,
    COUNT
} difference;

static const char *const words[COUNT][2] = {
    [WIDTH] = {"layer 0 is 4 tanh", "5 tanh"},
    [LAYERS] = {"the number of layers is 2", "3"},
    [DTYPE] = {"the net's element type is", "but"},
    [ACTIVATION] = {"layer 0 is 4 tanh", "4 relu"},
    [BIAS] = {"with bias", "without bias"},
    [DROPOUT] = {"dropout 0 ", "dropout 0.5"},
    [NOISE] = {"input noise is 0 ", "0.25"},
    [FROZEN] = {"layer 0", "frozen"},
    [RULE] = {"the net's rule is gradient", "error_signal"},
    [LOSS] = {"the loss is mse", "huber"},
    [METHOD] = {"method is sgd", "adam"},
    [SETTING] = {"learning_rate is 0.5", "0.25"},
    [SEED] = {"seed is 1152921504606846976", "1152921504606846977"},
    [WEIGHTS] = {"whether samples have weights is no", "yes"},
    [OVERLAP] = {"overlap is 1", "0"},
    [BUCKETS] = {"bucket_bytes is 1048576", "4096"},
};

typedef struct parts {
    bp_net *net;
    bp_optimizer *opt;
    bp_dataset *samples;
    bp_loss loss;
} parts;

static bp_dataset *few_samples(bp_dtype dtype)
{
    const float x[6] = {0, 1, 1, 0, 1, 1}, z[3] = {1, 1, 0};
    const double x64[6] = {0, 1, 1, 0, 1, 1}, z64[3] = {1, 1, 0};
    bp_dataset *made;
    must(dtype == BP_F32 ? bp_dataset_create_f32(&made, 3, 2, 1, x, z) : bp_dataset_create_f64(&made, 3, 2, 1, x64, z64));
    return made;
}

static parts make_parts(difference d)
{
    const double weights[3] = {1, 2, 3};
    bp_dtype dtype = (d == DTYPE) != (REAL_DTYPE == BP_F32) ? BP_F32 : BP_F64;
    parts p = {.loss = d == LOSS ? BP_LOSS_HUBER : BP_LOSS_MSE, .samples = few_samples(dtype)};
    must(bp_net_create(&p.net, dtype, 2));
    must(bp_net_add_dense(p.net, d == WIDTH ? 5 : 4, d == ACTIVATION ? BP_ACTIVATION_RELU : BP_ACTIVATION_TANH, d != BIAS));
    if (d == LAYERS) {
        must(bp_net_add_dense(p.net, 4, BP_ACTIVATION_TANH, 1));
    }
    must(bp_net_add_dense(p.net, 1, BP_ACTIVATION_SIGMOID, 1));
    must(bp_net_initialize(p.net, BP_INITIALIZER_GLOROT_UNIFORM, 1 + world_rank()));
    must(bp_net_set_dropout(p.net, 0, d == DROPOUT ? 0.5 : 0));
    must(bp_net_set_input_noise(p.net, d == NOISE ? 0.25 : 0));
    must(bp_net_set_frozen(p.net, 0, d == FROZEN));
    must(bp_net_set_rule(p.net, d == RULE ? BP_RULE_ERROR_SIGNAL : BP_RULE_GRADIENT));
    must(bp_optimizer_create(&p.opt, d == METHOD ? BP_METHOD_ADAM : BP_METHOD_SGD, p.net));
    must(bp_optimizer_set(p.opt, BP_OPTIMIZER_LEARNING_RATE, d == SETTING ? 0.25 : 0.5));
    must(bp_optimizer_set_seed(p.opt, ((uint64_t)1 << 60) + (d == SEED)));
    must(bp_dataset_set_weights(p.samples, d == WEIGHTS ? weights : NULL));
    must(bp_mpi_set(mpi, BP_MPI_OVERLAP, d != OVERLAP));
    must(bp_mpi_set(mpi, BP_MPI_BUCKET_BYTES, d == BUCKETS ? 4096 : 1 << 20));
    return p;
}

static void destroy_parts(parts *p)
{
    bp_optimizer_destroy(p->opt);
    bp_net_destroy(p->net);
    bp_dataset_destroy(p->samples);
}

static void test_differences(void **state)
{
    (void)state;
    bool is_last = world_rank() + 1 == world_size();
    for (int d = WIDTH; d < COUNT; d++) {
        parts p = make_parts(is_last ? (difference)d : NOTHING);
        bp_mpi_trainer *made = NULL;
        REFUSED(bp_mpi_trainer_create(&made, mpi, p.net, p.opt, p.loss, p.samples), BP_ERROR_STATE, words[d][0]);
        REFUSED(BP_ERROR_STATE, BP_ERROR_STATE, words[d][1]);
        expect_one_sentence(words[d][0], MPI_COMM_WORLD);
        assert_null(made);
        destroy_parts(&p);
    }
    parts p = make_parts(NOTHING);
    bp_mpi_trainer *made;
    must(bp_mpi_trainer_create(&made, mpi, p.net, p.opt, p.loss, p.samples));
    bp_mpi_trainer_destroy(made);
    destroy_parts(&p);
}

/* Numbers on the last rank, and two classes on the others. */
static void test_classes(void **state)
{
    (void)state;
    bool is_last = world_rank() + 1 == world_size();
    bp_dataset *of_two = make_samples(OF_TWO_CLASSES, 1, 0, 10), *numbers;
    real *copy = malloc(10 * INPUTS * sizeof *copy), targets[10] = {0};
    const real *inputs;
    must(REAL(bp_dataset_inputs)(of_two, &inputs));
    memcpy(copy, inputs, 10 * INPUTS * sizeof *copy);
    must(REAL(bp_dataset_create)(&numbers, 10, INPUTS, 1, copy, targets));
    bp_net *net = make_net(OF_TWO_CLASSES, 1);
    bp_optimizer *opt;
    bp_mpi_trainer *made;
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
    REFUSED(bp_mpi_trainer_create(&made, mpi, net, opt, BP_LOSS_BINARY_CROSS_ENTROPY, is_last ? numbers : of_two), BP_ERROR_STATE,
            "number of classes is 2 on rank 0, but 0 on rank");
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    bp_dataset_destroy(numbers);
    bp_dataset_destroy(of_two);
    free(copy);
}

/* What is wrong on one rank by itself is what all are told. */
static void test_one_alone(void **state)
{
    (void)state;
    bool is_last = world_rank() + 1 == world_size();
    parts p = make_parts(NOTHING);
    bp_mpi_trainer *made = NULL;
    REFUSED(bp_mpi_trainer_create(&made, mpi, is_last ? NULL : p.net, p.opt, p.loss, p.samples), BP_ERROR_ARGUMENT, "net is NULL");
    expect_one_sentence("net", MPI_COMM_WORLD);
    REFUSED(bp_mpi_trainer_create(&made, mpi, p.net, is_last ? NULL : p.opt, p.loss, p.samples), BP_ERROR_ARGUMENT, "opt is NULL");
    REFUSED(bp_mpi_trainer_create(&made, mpi, p.net, p.opt, p.loss, is_last ? NULL : p.samples), BP_ERROR_ARGUMENT, "training is NULL");
    REFUSED(bp_mpi_trainer_create(is_last ? NULL : &made, mpi, p.net, p.opt, p.loss, p.samples), BP_ERROR_ARGUMENT, "trainer is NULL");
    REFUSED(bp_mpi_trainer_create(&made, mpi, p.net, p.opt, is_last ? BP_LOSS_CROSS_ENTROPY : p.loss, p.samples), BP_ERROR_UNSUPPORTED,
            "cross_entropy");
    REFUSED(bp_mpi_agree(mpi, is_last ? (bp_status)77 : BP_OK), BP_ERROR_ARGUMENT, "status is 77");
    assert_null(made);
    must(bp_mpi_agree(mpi, BP_OK));
    bp_mpi *another;
    REFUSED(bp_mpi_create(is_last ? NULL : &another, MPI_COMM_WORLD), BP_ERROR_ARGUMENT, "mpi is NULL");
    bp_optimizer *lbfgs;
    if (bp_has_feature("lbfgs")) {
        must(bp_optimizer_create(&lbfgs, BP_METHOD_LBFGS, p.net));
        REFUSED(bp_mpi_trainer_create(&made, mpi, p.net, lbfgs, p.loss, p.samples), BP_ERROR_UNSUPPORTED, "lbfgs");
        bp_optimizer_destroy(lbfgs);
    }
    destroy_parts(&p);
}

/* Settings of the trainer, when a run begins. */
static void test_run(void **state)
{
    (void)state;
    bool is_last = world_rank() + 1 == world_size();
    replica r = make_replica(mpi, OF_CLASSES, BP_METHOD_SGD, 60, 20);
    set(&r, BP_TRAINER_EPOCHS, is_last ? 3 : 2);
    REFUSED(bp_trainer_run(r.trainer), BP_ERROR_STATE, "epochs is 2 on rank 0, but 3 on rank");
    expect_one_sentence("epochs", MPI_COMM_WORLD);
    set(&r, BP_TRAINER_EPOCHS, 2);
    must(bp_trainer_set_validation(r.trainer, is_last ? NULL : r.validation));
    REFUSED(bp_trainer_run(r.trainer), BP_ERROR_STATE, "the number of validation sets is 1 on rank 0, but 0 on rank");
    must(bp_trainer_set_validation(r.trainer, r.validation));
    set(&r, BP_TRAINER_BATCH_SIZE, 1);
    if (world_size() > 1) {
        REFUSED(bp_trainer_run(r.trainer), BP_ERROR_ARGUMENT, "batch_size is 1; with");
    }
    set(&r, BP_TRAINER_BATCH_SIZE, 20);
    run(&r, BP_STOP_EPOCHS);
    destroy_replica(&r);
}

static void test_settings(void **state)
{
    (void)state;
    static const struct {
        bp_mpi_setting setting;
        const char *name;
        double initial, good[2], bad[2];
    } known[] = {
        {BP_MPI_OVERLAP, "overlap", 1, {0, 1}, {-1, 2}},
        {BP_MPI_BUCKET_BYTES, "bucket_bytes", 1 << 18, {4096, 1 << 30}, {4095, (1 << 30) + 1.0}},
        {BP_MPI_FIXED_ORDER, "fixed_order", 0, {0, 1}, {-1, 0.5}},
        {BP_MPI_AVERAGING_STEPS, "averaging_steps", 0, {0, 1 << 30}, {-1, 1.5}},
        {BP_MPI_TIMEOUT, "timeout", 600, {0.001, 1e9}, {0.0009, 1.0001e9}},
    };
    bp_mpi *fresh;
    bp_mpi_setting found;
    double value;
    must(bp_mpi_create(&fresh, MPI_COMM_SELF));
    assert_int_equal(bp_mpi_rank(fresh), 0);
    assert_int_equal(bp_mpi_rank_count(fresh), 1);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_string_equal(bp_mpi_setting_name(known[i].setting), known[i].name);
        must(bp_mpi_setting_from_name(known[i].name, &found));
        assert_int_equal(found, known[i].setting);
        must(bp_mpi_get(fresh, found, &value));
        assert_true(value == known[i].initial);
        for (int k = 0; k < 2; k++) {
            must(bp_mpi_set(fresh, found, known[i].good[k]));
            REFUSED(bp_mpi_set(fresh, found, known[i].bad[k]), BP_ERROR_ARGUMENT, known[i].name);
            REFUSED(bp_mpi_set(fresh, found, NAN), BP_ERROR_ARGUMENT, known[i].name);
            must(bp_mpi_get(fresh, found, &value));
            assert_true(value == known[i].good[k]);
        }
    }
    assert_null(bp_mpi_setting_name((bp_mpi_setting)5));
    assert_null(bp_mpi_setting_name((bp_mpi_setting)-1));
    REFUSED(bp_mpi_setting_from_name("nothing", &found), BP_ERROR_ARGUMENT, "there is no \"nothing\"");
    REFUSED(bp_mpi_setting_from_name(NULL, &found), BP_ERROR_ARGUMENT, "name is NULL");
    REFUSED(bp_mpi_setting_from_name("overlap", NULL), BP_ERROR_ARGUMENT, "setting is NULL");
    REFUSED(bp_mpi_set(NULL, BP_MPI_OVERLAP, 1), BP_ERROR_ARGUMENT, "mpi is NULL");
    REFUSED(bp_mpi_set(fresh, (bp_mpi_setting)5, 1), BP_ERROR_ARGUMENT, "setting is 5");
    REFUSED(bp_mpi_get(fresh, (bp_mpi_setting)5, &value), BP_ERROR_ARGUMENT, "setting is 5");
    REFUSED(bp_mpi_get(fresh, BP_MPI_OVERLAP, NULL), BP_ERROR_ARGUMENT, "value is NULL");
    REFUSED(bp_mpi_get(NULL, BP_MPI_OVERLAP, &value), BP_ERROR_ARGUMENT, "mpi is NULL");
    bp_mpi_destroy(fresh);
}

static void test_arguments(void **state)
{
    (void)state;
    bp_mpi *made = NULL;
    bp_mpi_trainer *trainer = NULL;
    REFUSED(bp_mpi_create(&made, MPI_COMM_NULL), BP_ERROR_ARGUMENT, "MPI_COMM_NULL");
    REFUSED(bp_mpi_agree(NULL, BP_OK), BP_ERROR_ARGUMENT, "mpi is NULL");
    REFUSED(bp_mpi_trainer_create(&trainer, NULL, NULL, NULL, BP_LOSS_MSE, NULL), BP_ERROR_ARGUMENT, "mpi is NULL");
    REFUSED(bp_mpi_trainer_save(NULL, "x"), BP_ERROR_ARGUMENT, "trainer is NULL");
    REFUSED(bp_mpi_trainer_load(NULL, "x"), BP_ERROR_ARGUMENT, "trainer is NULL");
    REFUSED(bp_mpi_trainer_traffic(NULL, NULL, NULL), BP_ERROR_ARGUMENT, "trainer is NULL");
    assert_null(bp_mpi_trainer_trainer(NULL));
    assert_int_equal(bp_mpi_rank(NULL), 0);
    assert_int_equal(bp_mpi_rank_count(NULL), 0);
    bp_mpi_destroy(NULL);
    bp_mpi_trainer_destroy(NULL);
    if (world_size() > 1) {
        MPI_Comm side, between;
        MPI_Comm_split(MPI_COMM_WORLD, world_rank() > 0, 0, &side);
        MPI_Intercomm_create(side, 0, MPI_COMM_WORLD, world_rank() > 0 ? 0 : 1, 1, &between);
        REFUSED(bp_mpi_create(&made, between), BP_ERROR_ARGUMENT, "intercommunicator");
        MPI_Comm_free(&between);
        MPI_Comm_free(&side);
    }
    assert_null(made);
}

/* Ranks in different calls are told, and after that nothing works any more, at once. (Within a run: faults.) */
static void test_different_calls(void **state)
{
    (void)state;
    bp_mpi *own;
    must(bp_mpi_create(&own, MPI_COMM_WORLD));
    must(bp_mpi_set(own, BP_MPI_TIMEOUT, 30));
    replica r = make_replica(own, OF_CLASSES, BP_METHOD_SGD, 60, 0);
    if (world_rank() == 0) {
        REFUSED(bp_mpi_agree(own, BP_OK), BP_ERROR_STATE, "different calls");
    } else {
        assert_int_equal(bp_trainer_run(r.trainer), BP_ERROR_CONNECTION);
    }
    REFUSED(bp_mpi_agree(own, BP_OK), BP_ERROR_CONNECTION, "lost before");
    REFUSED(bp_trainer_run(r.trainer), BP_ERROR_CONNECTION, "lost before");
    destroy_replica(&r);
    bp_mpi_destroy(own);
}

int main(int argc, char **argv)
{
    bp_mpi *made;
    if (bp_mpi_create(&made, MPI_COMM_WORLD) != BP_ERROR_STATE || !strstr(bp_last_error(), "MPI is not initialized")) {
        fprintf(stderr, "before MPI_Init: %s\n", bp_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_differences, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_classes, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_one_alone, begin_mpi, end_mpi),
        cmocka_unit_test_setup_teardown(test_run, begin_mpi, end_mpi),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_different_calls),
    };
    int result = run_program(argc, argv, tests, sizeof tests / sizeof *tests);
    if (result == 0 && (bp_mpi_create(&made, MPI_COMM_WORLD) != BP_ERROR_STATE || !strstr(bp_last_error(), "MPI is finalized"))) {
        fprintf(stderr, "behind MPI_Finalize: %s\n", bp_last_error());
        return 1;
    }
    return result;
}
