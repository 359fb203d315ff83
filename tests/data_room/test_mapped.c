/* Data sets of mapped files in use: the same numbers come out as of arrays, next to no memory is taken, and bad numbers are found. */
#define _GNU_SOURCE

#include "data_room/files.h"
#include "support/check.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES = 500, INPUTS = 6, CLASSES = 3 };

/* Pixels and labels as IDX files, and the same as arrays. */
static void write_samples(bp_dataset **mapped, bp_dataset **plain)
{
    static unsigned char images[16 + SAMPLES * INPUTS], labels[8 + SAMPLES];
    static float x[SAMPLES * INPUTS];
    static uint32_t classes[SAMPLES];
    memcpy(images, "\0\0\x8\3\0\0\x1\xF4\0\0\0\2\0\0\0\3", 16);
    memcpy(labels, "\0\0\x8\1\0\0\x1\xF4", 8);
    for (uint64_t i = 0; i < SAMPLES * INPUTS; i++) {
        images[16 + i] = (unsigned char)(128 + 127 * number(i));
        x[i] = images[16 + i];
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        classes[i] = images[16 + i * INPUTS] / 86;
        labels[8 + i] = (unsigned char)classes[i];
    }
    must(bp_dataset_read_pair(mapped, write_file("images", images, sizeof images), write_file("labels", labels, sizeof labels), BP_F32, 0));
    must(bp_dataset_create_classes_f32(plain, SAMPLES, INPUTS, CLASSES, x, classes));
    assert_int_equal(bp_dataset_class_count(*mapped), CLASSES);
}

/* Trains a net on a dataset with validation, weights of samples and of classes, and gives its parameters and history. */
static void train(bp_dataset *dataset, bp_method method, double batch, double smoothing, float *parameters, double *metrics)
{
    static const size_t widths[] = {8, CLASSES};
    bp_net *net = make_net(BP_F32, INPUTS, 2, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 5);
    bp_dataset *training, *validation;
    bp_optimizer *opt;
    bp_trainer *trainer;
    bp_workspace *ws;
    float offset[INPUTS], scale[INPUTS];
    double weights[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        weights[i] = 1 + (double)(i % 3);
    }
    must(bp_dataset_set_weights(dataset, weights));
    must(bp_dataset_split(dataset, 0.2, 9, &training, &validation));
    must(bp_dataset_fit_scaling_f32(training, BP_SCALING_STANDARD, offset, scale));
    must(bp_net_set_input_scaling_f32(net, offset, scale));
    must(bp_optimizer_create(&opt, method, net));
    must(bp_trainer_create(&trainer, net, opt, BP_LOSS_CROSS_ENTROPY, training));
    must(bp_trainer_set_validation(trainer, validation));
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 3));
    must(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, batch));
    must(bp_trainer_set(trainer, BP_TRAINER_LABEL_SMOOTHING, smoothing));
    must(bp_trainer_set_class_weights(trainer, (double[]){1, 2, 0.5}));
    must(bp_trainer_run(trainer));
    must(bp_net_get_parameters_f32(net, parameters));
    must(bp_workspace_create(&ws, net, 33));
    must(bp_net_evaluate(net, ws, BP_LOSS_CROSS_ENTROPY, dataset, 2, 6, metrics, NULL));
    if (method != BP_METHOD_LBFGS) {
        must(bp_learning_rate_range_test(net, opt, BP_LOSS_CROSS_ENTROPY, training, 20, 1e-4, 1, 50, 3, NULL, NULL, &metrics[6]));
    } else {
        metrics[6] = 0;
    }
    bp_workspace_destroy(ws);
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    bp_net_destroy(net);
}

static bool has_lbfgs(void)
{
    bp_net *net = make_net(BP_F32, 1, 1, (const size_t[]){1}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 0, 1);
    bp_optimizer *opt = NULL;
    bp_status status = bp_optimizer_create(&opt, BP_METHOD_LBFGS, net);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    return status == BP_OK;
}

static void test_as_arrays(void **state)
{
    (void)state;
    static const struct {
        bp_method method;
        double batch, smoothing;
    } cases[] = {
        {BP_METHOD_SGD, 1, 0}, {BP_METHOD_ADAM, 32, 0}, {BP_METHOD_ADAM, 7, 0.1}, {BP_METHOD_MOMENTUM, 400, 0}, {BP_METHOD_LBFGS, 400, 0}};
    bp_dataset *mapped, *plain;
    write_samples(&mapped, &plain);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        if (cases[c].method == BP_METHOD_LBFGS && !has_lbfgs()) {
            print_message("not tried with L-BFGS: the build has none\n");
            continue;
        }
        float a[83], b[83];
        double of_a[7], of_b[7];
        train(mapped, cases[c].method, cases[c].batch, cases[c].smoothing, a, of_a);
        train(plain, cases[c].method, cases[c].batch, cases[c].smoothing, b, of_b);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_equal(of_a, of_b, sizeof of_a);
    }
    bp_dataset_destroy(mapped);
    bp_dataset_destroy(plain);
}

/* A number of /proc/self/status in KiB; SIZE_MAX where there is none. */
static size_t memory_in_use(const char *name)
{
    char line[256];
    size_t found = SIZE_MAX, length = strlen(name);
    FILE *stream = fopen("/proc/self/status", "r");
    while (stream && fgets(line, sizeof line, stream)) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            found = strtoul(line + length + 1, NULL, 10);
        }
    }
    if (stream) {
        fclose(stream);
    }
    return found;
}

typedef struct peak {
    size_t largest;
} peak;

static int watch(void *context, const bp_progress *progress)
{
    (void)progress;
    peak *p = context;
    size_t now = memory_in_use("RssAnon");
    p->largest = now > p->largest ? now : p->largest;
    return 0;
}

/*
 * 200,000 samples of 784 pixels, 157 MB as they are and 627 MB as f32: memory of its own is bounded by the batch, and by the samples'
 * order.
 */
static void test_memory(void **state)
{
    (void)state;
    enum { N = 200000, WIDTH = 784 };
    size_t before = memory_in_use("RssAnon");
    if (before == SIZE_MAX) {
        print_message("skipped: /proc/self/status has no RssAnon\n");
        skip();
    }
    const char *x_path = path_of("large-x"), *z_path = path_of("large-z");
    int x = open(x_path, O_RDWR | O_CREAT | O_TRUNC, 0600), z = open(z_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(x >= 0 && z >= 0);
    assert_int_equal(write(x, "\0\0\x8\3\0\3\xD\x40\0\0\0\x1C\0\0\0\x1C", 16), 16);
    assert_int_equal(write(z, "\0\0\x8\1\0\3\xD\x40", 8), 8);
    assert_int_equal(ftruncate(x, 16 + (off_t)N * WIDTH), 0); /* holes: they cost no disk */
    assert_int_equal(ftruncate(z, 8 + N), 0);
    close(x);
    close(z);

    struct timespec start, end;
    bp_dataset *inputs, *dataset;
    clock_gettime(CLOCK_MONOTONIC, &start);
    must(bp_dataset_read(&inputs, x_path, BP_F32));
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    print_message("opened in %.3f ms\n", 1e3 * seconds);
    assert_true(seconds < 0.1); /* 5 ms on a machine that does nothing else */
    bp_dataset_destroy(inputs);

    must(bp_dataset_read_pair(&dataset, x_path, z_path, BP_F32, 10));
    static const size_t widths[] = {4, 10};
    bp_net *net = make_net(BP_F32, WIDTH, 2, widths, BP_ACTIVATION_RELU, BP_ACTIVATION_SOFTMAX, 1, 5);
    bp_optimizer *opt;
    bp_trainer *trainer;
    bp_dataset *training, *validation;
    float offset[WIDTH], scale[WIDTH];
    peak p = {0};
    must(bp_dataset_split(dataset, 0.9, 1, &training, &validation));
    must(bp_dataset_fit_scaling_f32(training, BP_SCALING_STANDARD, offset, scale));
    must(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
    must(bp_trainer_create(&trainer, net, opt, BP_LOSS_CROSS_ENTROPY, training));
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 1));
    must(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, 1000));
    must(bp_trainer_set_progress(trainer, watch, &p, BP_PROGRESS_BATCH));
    must(bp_trainer_run(trainer));
    watch(&p, NULL);
    /* 12 bytes a sample for its class and its row, 8 for its place in the order; 1000 samples of f32 twice; a net of 4 units */
    size_t bound = (N * 12 * 2 + N * 8 + 1000 * WIDTH * 4 * 3) / 1024 + 4096;
    print_message("%zu KiB of its own at most, of %zu KiB allowed; the file has %d KiB\n", p.largest - before, bound, N * WIDTH / 1024);
#ifndef __SANITIZE_ADDRESS__
    assert_in_range(p.largest - before, 0, bound);
#endif
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    bp_dataset_destroy(dataset);
}

/* Each sample of the part, but for the bad one, has the inputs and the target of one row. */
static void check_part(const bp_dataset *part, size_t n, double x[][2], const double *z, size_t bad)
{
    for (size_t s = 0; s < bp_dataset_sample_count(part); s++) {
        float inputs[2], target;
        size_t row = 0;
        if (bp_dataset_gather_f32(part, 1, &s, inputs, &target) == BP_OK) {
            while (row < n && (row == bad || inputs[0] != (float)x[row][0])) {
                row++;
            }
            assert_true(row < n && inputs[1] == (float)x[row][1] && target == (float)z[row]);
        }
    }
}

/* NaN, and what only f64 can hold, where it is used: file, row and column; a trainer does not take it for divergence, and its net stays. */
static void test_bad_numbers(void **state)
{
    (void)state;
    static const double bad[] = {(double)NAN, INFINITY, 1e300};
    static const size_t widths[] = {1};
    for (size_t k = 0; k < 3; k++) {
        double x[40][2], z[40];
        for (size_t i = 0; i < 80; i++) {
            x[i / 2][i % 2] = number(i);
            z[i / 2] = number(i);
        }
        x[29][1] = bad[k];
        const char *x_path = path_of("nan-x.npy"), *z_path = path_of("nan-z.npy");
        must(bp_write_npy_f64(x_path, 40, 2, x[0]));
        must(bp_write_npy_f64(z_path, 40, 1, z));
        bp_dataset *dataset, *train, *test;
        must(bp_dataset_read_pair(&dataset, x_path, z_path, BP_F32, 0));
        bp_net *net = make_net(BP_F32, 2, 1, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 5);
        bp_workspace *ws;
        bp_optimizer *opt;
        bp_trainer *trainer;
        float row[2], offset[2] = {7, 7}, scale[2], before[3], after[3];
        double metrics[6], suggested;
        must(bp_dataset_gather_f32(dataset, 1, (size_t[]){28}, row, NULL));
        REFUSED(bp_dataset_gather_f32(dataset, 1, (size_t[]){29}, row, NULL), BP_ERROR_FORMAT, "nan-x.npy: the inputs of row 29");
        REFUSED(bp_dataset_fit_scaling_f32(dataset, BP_SCALING_MIN_MAX, offset, scale), BP_ERROR_FORMAT, "column 1 (counted from 0)");
        assert_true(offset[0] == 7);
        must(bp_workspace_create(&ws, net, 8));
        REFUSED(bp_net_evaluate(net, ws, BP_LOSS_MSE, dataset, 1, 6, metrics, NULL), BP_ERROR_FORMAT, "row 29");
        must(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
        REFUSED(bp_learning_rate_range_test(net, opt, BP_LOSS_MSE, dataset, 8, 1e-4, 1, 20, 3, NULL, NULL, &suggested), BP_ERROR_FORMAT,
                "row 29");
        must(bp_dataset_split(dataset, 0.5, 1, &train, &test));
        bp_dataset *const parts[] = {train, test, dataset};
        int refused = 0;
        for (int p = 0; p < 3; p++) {
            for (double batch = 1; batch < 9; batch += 7) {
                must(bp_net_get_parameters_f32(net, before));
                must(bp_trainer_create(&trainer, net, opt, BP_LOSS_MSE, parts[p]));
                must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 2));
                must(bp_trainer_set(trainer, BP_TRAINER_HALVINGS, 2));
                must(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, batch));
                bp_status status = bp_trainer_run(trainer);
                must(bp_net_get_parameters_f32(net, after));
                if (status != BP_OK) {
                    assert_int_equal(status, BP_ERROR_FORMAT);
                    assert_non_null(strstr(bp_last_error(), "row 29"));
                    assert_memory_equal(before, after, sizeof before);
                    refused++;
                }
                bp_trainer_destroy(trainer);
            }
        }
        assert_int_equal(refused, 4);
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
        bp_dataset_destroy(train);
        bp_dataset_destroy(dataset);
        check_part(test, 40, x, z, 29);
        bp_dataset_destroy(test);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_arrays),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_bad_numbers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
