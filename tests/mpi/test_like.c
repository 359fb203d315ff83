#define _GNU_SOURCE /* mkstemp */

/* What data_parallel.h has for those who carry samples and checkpoints between ranks, without any: datasets like another one, loading together. */
#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 4, INPUTS = 2 };

static const real x[N * INPUTS] = {1, 2, 3, 4, 5, 6, 7, 8}, z[N * INPUTS] = {0, 1, 1, 0, 1, 1, 0, 0};
static const uint32_t classes[N] = {0, 1, 1, 0};

static bp_dataset *of_numbers(void)
{
    bp_dataset *made;
    must(REAL(bp_dataset_create)(&made, N, INPUTS, 2, x, z));
    return made;
}

static bp_dataset *of_classes(void)
{
    bp_dataset *made;
    must(REAL(bp_dataset_create_classes)(&made, N, INPUTS, 2, x, classes));
    return made;
}

/* Two classes and one output. */
static bp_dataset *of_one_output(void)
{
    static const char text[] = "1,2,a\n3,4,b\n";
    static const char *const names[] = {"a", "b"};
    bp_csv_reader *reader;
    bp_dataset *made;
    must(bp_csv_reader_create(&reader));
    must(bp_csv_reader_set_class_column(reader, -1));
    must(bp_csv_reader_set_class_names(reader, 2, names));
    must(bp_csv_reader_set_one_hot(reader, 0));
    must(bp_csv_reader_read_memory(reader, REAL_DTYPE, text, sizeof text - 1, &made));
    bp_csv_reader_destroy(reader);
    return made;
}

static void expect_targets(const bp_dataset *data, const real *expected)
{
    const real *inputs, *targets;
    must(REAL(bp_dataset_inputs)(data, &inputs));
    must(REAL(bp_dataset_targets)(data, &targets));
    assert_memory_equal(inputs, x, bp_dataset_sample_count(data) * INPUTS * sizeof *x);
    assert_memory_equal(targets, expected, bp_dataset_sample_count(data) * bp_dataset_output_count(data) * sizeof *expected);
}

static void test_like(void **state)
{
    (void)state;
    static const real one_hot[2 * N] = {1, 0, 0, 1, 0, 1, 1, 0}, index[N] = {0, 1, 1, 0};
    static const double weights[N] = {0, 0, 0, 0};
    bp_dataset *numbers = of_numbers(), *labels = of_classes(), *output = of_one_output(), *made;
    must(REAL(bp_dataset_create_like)(&made, numbers, N, x, z, NULL, NULL));
    expect_targets(made, z);
    assert_null(bp_dataset_weights(made));
    bp_dataset_destroy(made);
    must(REAL(bp_dataset_create_like)(&made, labels, N, x, NULL, classes, weights));
    expect_targets(made, one_hot);
    assert_int_equal(bp_dataset_class_count(made), 2);
    assert_memory_equal(bp_dataset_classes(made), classes, sizeof classes);
    assert_memory_equal(bp_dataset_weights(made), weights, sizeof weights);
    bp_dataset_destroy(made);
    must(REAL(bp_dataset_create_like)(&made, output, N, x, index, classes, NULL));
    expect_targets(made, index);
    assert_int_equal(bp_dataset_class_count(made), 2);
    bp_dataset_destroy(made);
    bp_dataset_destroy(numbers);
    bp_dataset_destroy(labels);
    bp_dataset_destroy(output);
}

static void test_refusals(void **state)
{
    (void)state;
    static const double bad_weights[2][N] = {{1, 1, -1, 1}, {1, 1, NAN, 1}};
    static const uint32_t bad_classes[N] = {0, 1, 2, 0};
    real bad[N * INPUTS];
    memcpy(bad, x, sizeof bad);
    bad[3] = (real)NAN;
    bp_dataset *numbers = of_numbers(), *labels = of_classes(), *output = of_one_output(), *made = NULL;
    REFUSED(REAL(bp_dataset_create_like)(NULL, numbers, N, x, z, NULL, NULL), BP_ERROR_ARGUMENT, "dataset is NULL");
    REFUSED(REAL(bp_dataset_create_like)(&made, NULL, N, x, z, NULL, NULL), BP_ERROR_ARGUMENT, "like is NULL");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, NULL, z, NULL, NULL), BP_ERROR_ARGUMENT, "inputs is NULL");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, x, NULL, NULL, NULL), BP_ERROR_ARGUMENT, "targets is NULL");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, x, z, classes, NULL), BP_ERROR_ARGUMENT, "classes is given");
    REFUSED(REAL(bp_dataset_create_like)(&made, labels, N, x, NULL, NULL, NULL), BP_ERROR_ARGUMENT, "classes is NULL");
    REFUSED(REAL(bp_dataset_create_like)(&made, output, N, x, NULL, classes, NULL), BP_ERROR_ARGUMENT, "targets is NULL");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, 0, x, z, NULL, NULL), BP_ERROR_ARGUMENT, "n_samples is 0");
    REFUSED(REAL(bp_dataset_create_like)(&made, labels, N, x, NULL, bad_classes, NULL), BP_ERROR_ARGUMENT, "classes[2] is 2");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, bad, z, NULL, NULL), BP_ERROR_NONFINITE, "row 1, column 1");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, x, bad, NULL, NULL), BP_ERROR_NONFINITE, "targets has");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, x, z, NULL, bad_weights[0]), BP_ERROR_ARGUMENT, "weights[2]");
    REFUSED(REAL(bp_dataset_create_like)(&made, numbers, N, x, z, NULL, bad_weights[1]), BP_ERROR_NONFINITE, "weights[2]");
    assert_null(made);
    bp_dataset_destroy(numbers);
    bp_dataset_destroy(labels);
    bp_dataset_destroy(output);
}

/* One rank, and another that there is not, which may refuse. */
typedef struct other {
    const bp_dataset *samples;
    bp_status status;
    size_t n_agreed;
} other;

static bp_status begin_epoch(void *context, uint64_t epoch, const bp_dataset **samples)
{
    (void)epoch;
    *samples = ((other *)context)->samples;
    return BP_OK;
}

static bp_status agree(void *context, bp_status status, size_t n, double *values)
{
    other *o = context;
    (void)n, (void)values;
    o->n_agreed++;
    return status != BP_OK || o->status == BP_OK ? status : bp_set_last_error(o->status, "the other rank has no memory");
}

static bp_status end_run(void *context, bp_status status)
{
    (void)context;
    return status;
}

static void test_load_together(void **state)
{
    (void)state;
    char path[] = "/tmp/bp-like-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    bp_dataset *samples = of_numbers();
    bp_net *net = make_net(REAL_DTYPE, INPUTS, 1, (const size_t[]){2}, BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, 1, 1);
    bp_optimizer *opt;
    bp_trainer *trainer;
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
    must(bp_trainer_create(&trainer, net, opt, BP_LOSS_MSE, samples));
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 2));
    must(bp_trainer_run(trainer));
    must(bp_trainer_save(trainer, path));
    static unsigned char bytes[1 << 16];
    FILE *saved = fopen(path, "rb");
    assert_non_null(saved);
    size_t size = fread(bytes, 1, sizeof bytes, saved);
    fclose(saved);
    close(file);
    unlink(path);
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 3));
    must(bp_trainer_run(trainer));

    other o = {.samples = samples, .status = BP_ERROR_MEMORY};
    const bp_data_parallel parallel = {.size = sizeof parallel,
                                       .n_ranks = 1,
                                       .n_samples = N,
                                       .context = &o,
                                       .begin_epoch = begin_epoch,
                                       .agree = agree,
                                       .end_run = end_run};
    must(bp_trainer_set_data_parallel(trainer, &parallel));
    REFUSED(bp_trainer_load_together(trainer, bytes, size), BP_ERROR_MEMORY, "the other rank has no memory");
    assert_int_equal(bp_trainer_epoch_count(trainer), 3);
    REFUSED(bp_trainer_load_together(trainer, bytes, size / 2), BP_ERROR_FORMAT, "the checkpoint");
    REFUSED(bp_trainer_load_together(trainer, NULL, 1), BP_ERROR_ARGUMENT, "bytes is NULL");
    assert_int_equal(o.n_agreed, 3);
    o.status = BP_OK;
    must(bp_trainer_load_together(trainer, bytes, size));
    assert_int_equal(bp_trainer_epoch_count(trainer), 2);
    must(bp_trainer_set_data_parallel(trainer, NULL));
    must(bp_trainer_load_together(trainer, bytes, size));
    assert_int_equal(o.n_agreed, 4);
    REFUSED(bp_trainer_load_together(NULL, bytes, size), BP_ERROR_ARGUMENT, "trainer is NULL");
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    bp_dataset_destroy(samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_load_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
