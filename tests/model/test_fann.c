/*
 * FANN's network files without FANN: the numbers of a small net worked out by hand, files that libfann has made, and files that must be
 * refused. Memory is made to run out by functions that the linker puts in between (--wrap).
 */
#define _GNU_SOURCE

#include "model/fann.h"
#include "support/check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int allocations_before = -1; /* the one that fails; −1: none does */
static size_t largest_allocation;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

static bool runs_out(size_t size)
{
    largest_allocation = size > largest_allocation ? size : largest_allocation;
    return allocations_before >= 0 && allocations_before-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return runs_out(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return runs_out(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return runs_out(size) ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return runs_out(size) ? NULL : __real_aligned_alloc(alignment, size);
}

/* 2-2-1, FANN_ELLIOT and FANN_SIGMOID with a steepness of its own for each neuron, scaling of inputs and outputs. */
static const char small[] =
    "FANN_FLO_2.1\n"
    "num_layers=3\n"
    "learning_rate=0.700000\n"
    "connection_rate=1.000000\n"
    "network_type=0\n"
    "cascade_activation_functions=3 5 7 8 \n"
    "layer_sizes=3 3 2 \n"
    "scale_included=1\n"
    "scale_mean_in=10.000000 0.000000 \n"
    "scale_deviation_in=4.000000 1.000000 \n"
    "scale_new_min_in=-2.000000 -1.000000 \n"
    "scale_factor_in=2.000000 1.000000 \n"
    "scale_mean_out=100.000000 \n"
    "scale_deviation_out=8.000000 \n"
    "scale_new_min_out=0.000000 \n"
    "scale_factor_out=0.500000 \n"
    "neurons (num_inputs, activation_function, activation_steepness)=(0, 0, 0.0e+00) (0, 0, 0.0e+00) (0, 0, 0.0e+00) "
    "(3, 10, 5.0e-01) (3, 10, 1.0e+00) (0, 10, 0.0e+00) (3, 3, 2.5e-01) (0, 3, 0.0e+00) \n"
    "connections (connected_to_neuron, weight)=(0, 1.0e+00) (1, -2.0e+00) (2, 4.0e+00) (0, 3.0e+00) (1, 5.0e-01) "
    "(2, -1.0e+00) (3, 8.0e+00) (4, -4.0e+00) (5, 1.0e+00) \n";

static bp_status read_net(const char *bytes, size_t size, bp_net **net)
{
    char *exact = malloc(size ? size : 1); /* it ends where its block does, so that AddressSanitizer sees who reads on */
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    bp_status status = bp_fann_net("test", "small.net", exact, size, BP_F64, net);
    free(exact);
    return status;
}

static void test_numbers_by_hand(void **state)
{
    (void)state;
    bp_net *net;
    must(read_net(small, sizeof small - 1, &net));

    /* ((x − 10) / 4 + 1) 2 − 2 = (x − 10) ½ */
    double offset[2], scale[2];
    must(bp_net_get_input_scaling_f64(net, offset, scale));
    assert_true(offset[0] == 10 && scale[0] == 0.5 && offset[1] == 0 && scale[1] == 1);

    /*
     * Layer 0: s × weights. Layer 1: 2 s = ½ × weights, those of the neurons before halved, as these give ½ softsign + ½: bias (1 + 8/2 −
     * 4/2) / 2. Outputs: (y / 0.5 − 1) 8 + 100 = y / (1/16) + 92.
     */
    static const double expected[] = {0.5, -1, 3, 0.5, 2, -1, 2, -1, 1.5};
    double theta[9];
    assert_int_equal(bp_net_parameter_count(net), 9);
    must(bp_net_get_parameters_f64(net, theta));
    for (int i = 0; i < 9; i++) {
        if (theta[i] != expected[i]) {
            fail_msg("theta[%d]: expected %.17g, got %.17g", i, expected[i], theta[i]);
        }
    }
    must(bp_net_get_output_scaling_f64(net, offset, scale));
    assert_true(offset[0] == 92 && scale[0] == 0.0625);
    static const bp_activation activations[] = {BP_ACTIVATION_SOFTSIGN, BP_ACTIVATION_SIGMOID};
    assert_int_equal(bp_net_layer_count(net), 2);
    for (size_t l = 0; l < 2; l++) {
        bp_layer *layer;
        must(bp_net_layer(net, l, &layer));
        assert_int_equal(bp_layer_activation(layer), activations[l]);
    }
    bp_net_destroy(net);
}

static void check_outputs(const char *path, size_t n, const float (*x)[2], const float *expected, float tolerance)
{
    bp_net *net;
    bp_workspace *ws;
    must(bp_net_import_fann(&net, path, BP_F32));
    must(bp_workspace_create(&ws, net, n));
    float y[4];
    must(bp_net_predict_f32(net, ws, n, x[0], y));
    for (size_t i = 0; i < n; i++) {
        if (!(fabsf(y[i] - expected[i]) <= tolerance)) {
            fail_msg("%s, sample %zu: expected %.9g, got %.9g", path, i, (double)expected[i], (double)y[i]);
        }
    }
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* What fann_scale_input, fann_run and fann_descale_output gave. */
static void test_files_of_libfann(void **state)
{
    (void)state;
    static const float xor_x[4][2] = {{-1, -1}, {1, -1}, {-1, 1}, {1, 1}};
    static const float xor_y[4] = {-0.998782754F, 0.978699148F, 0.979809523F, -0.998642743F};
    check_outputs(BP_TEST_DATA "/xor.net", 4, xor_x, xor_y, 1e-6F);
    static const float plane_x[3][2] = {{10, 0}, {14, 400}, {11.5F, 130}};
    static const float plane_y[3] = {994.246216F, 1398.81018F, 1047.35999F};
    check_outputs(BP_TEST_DATA "/plane.net", 3, plane_x, plane_y, 1e-3F);
}

static void test_line_ends_of_windows(void **state)
{
    (void)state;
    char text[2 * sizeof small];
    size_t size = 0;
    for (const char *c = small; *c; c++) {
        if (*c == '\n') {
            text[size++] = '\r';
        }
        text[size++] = *c;
    }
    bp_net *net;
    must(read_net(text, size, &net));
    bp_net_destroy(net);
}

static const char neurons_key[] = "neurons (num_inputs, activation_function, activation_steepness)=";

/* The small file with a part of it in another wording. */
static const struct {
    const char *part, *instead;
    bp_status status;
    const char *word;
} bad[] = {
    {"FANN_FLO_2.1", "FANN_FIX_2.0", BP_ERROR_UNSUPPORTED, "fixed-point"},
    {"FANN_FLO_2.1", "FANN_FLO_2.2", BP_ERROR_UNSUPPORTED, "version"},
    {"FANN_FLO_2.1", "FANN_FLO_2.10", BP_ERROR_UNSUPPORTED, "version"},
    {"FANN_FLO_2.1", "PK", BP_ERROR_FORMAT, "no net of FANN"},
    {"FANN_FLO_2.1\n", "FANN_FLO_1.1\n", BP_ERROR_FORMAT, "byte 13, parameters: a count expected"},
    {"num_layers=3", "num_layers=1", BP_ERROR_FORMAT, "num_layers: 1 layers"},
    {"num_layers=3", "num_layers=-3", BP_ERROR_FORMAT, "found \"-3\""},
    {"num_layers=3", "num_layers=4", BP_ERROR_FORMAT, "layer_sizes"},
    {"num_layers=3", "num_layers=2", BP_ERROR_FORMAT, "key=value"},
    {"num_layers=3", "num_layers=4294967295", BP_ERROR_FORMAT, "more than there can be"},
    {"num_layers=3", "num_layers=99999999999999999999", BP_ERROR_FORMAT, "count expected"},
    {"num_layers=3", "num_layers=3.0", BP_ERROR_FORMAT, "count expected"},
    {"num_layers=3\n", "", BP_ERROR_FORMAT, "num_layers is not there"},
    {"network_type=0\n", "", BP_ERROR_FORMAT, "network_type is not there"},
    {"connection_rate=1.000000\n", "", BP_ERROR_FORMAT, "connection_rate is not there"},
    {"layer_sizes=3 3 2 \n", "", BP_ERROR_FORMAT, "layer_sizes is not there"},
    {"scale_included=1\n", "", BP_ERROR_FORMAT, "scale_included=1 is not there"},
    {"scale_included=1", "scale_included=0", BP_ERROR_FORMAT, "scale_included=1 is not there"},
    {"scale_included=1", "scale_included=2", BP_ERROR_FORMAT, "scale_included"},
    {"scale_new_min_in=-2.000000 -1.000000 \n", "", BP_ERROR_FORMAT, "scale_new_min_in is not there"},
    {"network_type=0", "network_type=1", BP_ERROR_UNSUPPORTED, "SHORTCUT"},
    {"network_type=0", "network_type=2", BP_ERROR_FORMAT, "network_type: 2"},
    {"network_type=0", "network_type=0\nnetwork_type=0", BP_ERROR_FORMAT, "twice"},
    {"connection_rate=1.000000", "connection_rate=1,000000", BP_ERROR_FORMAT, "key=value"},
    {"connection_rate=1.000000", "connection_rate=nan", BP_ERROR_NONFINITE, "connection_rate"},
    {"learning_rate=0.700000", "learning rate", BP_ERROR_FORMAT, "key=value"},
    {"learning_rate=0.700000", "=", BP_ERROR_FORMAT, "key=value"},
    {"layer_sizes=3 3 2", "layer_sizes=3 1 2", BP_ERROR_FORMAT, "layer 1 has 1 neurons"},
    {"layer_sizes=3 3 2", "layer_sizes=0 3 2", BP_ERROR_FORMAT, "layer 0 has 0 neurons"},
    {"layer_sizes=3 3 2", "layer_sizes=3 4000000000 2", BP_ERROR_FORMAT, "more than there can be"},
    {"layer_sizes=3 3 2", "layer_sizes=3 18446744073709551615 2", BP_ERROR_FORMAT, "count expected"},
    {"layer_sizes=3 3 2", "layer_sizes=3 3", BP_ERROR_FORMAT, "layer_sizes: a count expected"},
    {"layer_sizes=3 3 2", "layer_sizes=3 4 2", BP_ERROR_FORMAT, "\"(\" expected, found \"connections\""},
    {"(3, 10, 1.0e+00)", "(0, 10, 1.0e+00)", BP_ERROR_FORMAT, "neuron 1 of layer 1 has no inputs"},
    {"scale_mean_in=10.000000 0.000000", "scale_mean_in=10.000000", BP_ERROR_FORMAT, "scale_mean_in: a finite number"},
    {"scale_mean_in=10.000000 0.000000", "scale_mean_in=10.000000 -nan", BP_ERROR_NONFINITE, "found \"-nan\""},
    {"scale_mean_in=10.000000 0.000000", "scale_mean_in=0 0 0", BP_ERROR_FORMAT, "key=value"},
    {"scale_deviation_in=4.000000", "scale_deviation_in=0.000000", BP_ERROR_NONFINITE, "scaling of input 0, with deviation 0"},
    {"scale_factor_in=2.000000", "scale_factor_in=0.000000", BP_ERROR_NONFINITE, "scaling of input 0"},
    {"scale_factor_out=0.500000", "scale_factor_out=0.000000", BP_ERROR_NONFINITE, "scaling of outputs"},
    {neurons_key, "neurons=", BP_ERROR_FORMAT, "neurons (num_inputs"},
    {"(0, 0, 0.0e+00) (3, 10", "(1, 0, 0.0e+00) (3, 10", BP_ERROR_FORMAT, "neuron 2 of layer 0, an input, has 1"},
    {"(3, 10, 5.0e-01)", "(2, 10, 5.0e-01)", BP_ERROR_FORMAT, "neuron 0 of layer 1 has 2 inputs"},
    {"(3, 10, 5.0e-01)", "(99999, 10, 5.0e-01)", BP_ERROR_FORMAT, "more than there can be"},
    {"(3, 10, 5.0e-01)", "(3, 18, 5.0e-01)", BP_ERROR_FORMAT, "18 is no activation function"},
    {"(3, 10, 5.0e-01)", "(3, 4294967295, 5.0e-01)", BP_ERROR_FORMAT, "no activation function"},
    {"(3, 10, 5.0e-01)", "(3, 4, 5.0e-01)", BP_ERROR_UNSUPPORTED, "FANN_SIGMOID_STEPWISE"},
    {"(3, 10, 1.0e+00)", "(3, 3, 1.0e+00)", BP_ERROR_UNSUPPORTED, "FANN_ELLIOT and FANN_SIGMOID"},
    {"(3, 10, 5.0e-01)", "(3, 10, -5.0e-01)", BP_ERROR_UNSUPPORTED, "has a steepness of"},
    {"(3, 10, 5.0e-01)", "(3, 10, inf)", BP_ERROR_NONFINITE, "found \"inf)\""},
    {"(3, 10, 5.0e-01)", "(3, 10, 1e999)", BP_ERROR_NONFINITE, "1e999"},
    {"(3, 10, 5.0e-01)", "(3, 10, 0x1p3)", BP_ERROR_FORMAT, "0x1p3"},
    {"(3, 10, 5.0e-01)", "(3 10, 5.0e-01)", BP_ERROR_FORMAT, "\",\" expected"},
    {"(0, 3, 0.0e+00) \n", "(3, 3, 0.0e+00) \n", BP_ERROR_FORMAT, "neuron 1 of layer 2, the bias, has 3"},
    {"(0, 3, 0.0e+00) \n", "(0, 3, 0.0e+00) (0, 3, 0.0e+00) \n", BP_ERROR_FORMAT, "key=value"},
    {"(3, 8.0e+00)", "(2, 8.0e+00)", BP_ERROR_FORMAT, "connected to neuron 2; the layer before has 3 to 5"},
    {"(3, 8.0e+00)", "(6, 8.0e+00)", BP_ERROR_FORMAT, "connected to neuron 6"},
    {"(3, 8.0e+00)", "(18446744073709551616, 8.0e+00)", BP_ERROR_FORMAT, "count expected"},
    {"(3, 8.0e+00)", "(4, 8.0e+00)", BP_ERROR_FORMAT, "connected to neuron 4 where 3 is in turn"},
    {"(3, 8.0e+00)", "(3, nan)", BP_ERROR_NONFINITE, "found \"nan)\""},
    {"(3, 8.0e+00)", "(3, 8,0e+00)", BP_ERROR_FORMAT, "\")\" expected, found \",0e+00)\""},
    {"(3, 8.0e+00)", "(3, \x01\x7f\xff)", BP_ERROR_FORMAT, "found \"?\?\?)\""},
    {"(3, 3, 2.5e-01)", "(3, 3, 1e308)", BP_ERROR_NONFINITE, "weights of layer 2"},
    {"(5, 1.0e+00) \n", "(5, 1.0e+00) (5, 1.0e+00)\n", BP_ERROR_FORMAT, "goes on"},
    {"(5, 1.0e+00) \n", "\n", BP_ERROR_FORMAT, "the file ends"},
};

static size_t reword(const char *from, const char *part, const char *instead, char *to)
{
    const char *at = strstr(from, part);
    assert_non_null(at);
    return (size_t)sprintf(to, "%.*s%s%s", (int)(at - from), from, instead, at + strlen(part));
}

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[sizeof small + 100];
        size_t size = reword(small, bad[i].part, bad[i].instead, text);
        bp_net *net = NULL;
        largest_allocation = 0;
        must_refuse(bad[i].instead, read_net(text, size, &net), bad[i].status, bad[i].word);
        assert_null(net);
        assert_true(largest_allocation < 100000);
    }
}

static void test_sentence(void **state)
{
    (void)state;
    char text[sizeof small + 100];
    bp_net *net;
    size_t size = reword(small, "(4, -4.0e+00)", "(4; -4.0e+00)", text);
    assert_int_equal(read_net(text, size, &net), BP_ERROR_FORMAT);
    char expected[200];
    snprintf(expected, sizeof expected,
             "test: small.net: byte %td, connections (connected_to_neuron, weight): a count expected, found \"4;\"",
             strstr(text, "4; -4") - text);
    assert_string_equal(bp_last_error(), expected);
}

/* Connections that are not there would make the net much larger than its file. */
static void test_memory_is_bounded_by_the_size_of_the_file(void **state)
{
    (void)state;
    enum { WIDTH = 20000 };
    char *text = malloc(40 * WIDTH);
    assert_non_null(text);
    int size = sprintf(text, "FANN_FLO_2.0\nnum_layers=3\nconnection_rate=0.1\nnetwork_type=0\nlayer_sizes=%d %d 2 \n%s", WIDTH, WIDTH,
                       neurons_key);
    for (int i = 0; i < 2 * WIDTH + 2; i++) {
        bool has_none = i < WIDTH || i == 2 * WIDTH - 1 || i == 2 * WIDTH + 1;
        size += sprintf(text + size, "(%d,0,1)", has_none ? 0 : 1);
    }
    size += sprintf(text + size, "\nconnections (connected_to_neuron, weight)=");
    bp_net *net;
    largest_allocation = 0;
    REFUSED(read_net(text, (size_t)size, &net), BP_ERROR_FORMAT, "more than the file has bytes");
    assert_true(largest_allocation < 20 * (size_t)size);
    free(text);
}

static void test_cut_at_every_position(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof small - 3; size++) { /* without the last ")", newline and NUL */
        bp_net *net = NULL;
        bp_status status = read_net(small, size, &net);
        if (status == BP_OK || net) {
            fail_msg("cut to %zu bytes it is taken", size);
        }
    }
}

static void test_any_byte_changed(void **state)
{
    (void)state;
    static const char bytes[] = {'\0', ' ', '\n', '(', ',', '-', '0', '9', 'e', '=', '\x80', '\xff'};
    char text[sizeof small];
    memcpy(text, small, sizeof small);
    for (size_t i = 0; i < sizeof small - 1; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            text[i] = bytes[k];
            bp_net *net = NULL;
            largest_allocation = 0;
            bp_status status = read_net(text, sizeof small - 1, &net);
            assert_true((status == BP_OK) == (net != NULL));
            assert_true(largest_allocation < 100000);
            bp_net_destroy(net);
        }
        text[i] = small[i];
    }
}

static void test_memory_that_runs_out(void **state)
{
    (void)state;
    bp_net *net = NULL;
    bp_status status;
    int failing = 0;
    do {
        allocations_before = failing++;
        status = bp_fann_net("test", "small.net", small, sizeof small - 1, BP_F64, &net);
        if (allocations_before >= 0) {
            break; /* there were fewer allocations */
        }
        assert_int_equal(status, BP_ERROR_MEMORY);
        assert_null(net);
    } while (true);
    allocations_before = -1;
    must(status);
    bp_net_destroy(net);
    assert_true(failing > 10);
}

static void test_arguments(void **state)
{
    (void)state;
    bp_net *net = NULL;
    REFUSED(bp_net_import_fann(NULL, "x", BP_F32), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_import_fann(&net, NULL, BP_F32), BP_ERROR_ARGUMENT, "path is NULL");
    REFUSED(bp_net_import_fann(&net, "x", (bp_dtype)0), BP_ERROR_ARGUMENT, "dtype");
    REFUSED(bp_net_import_fann(&net, "/nowhere/x.net", BP_F32), BP_ERROR_IO, "/nowhere/x.net");
    REFUSED(bp_net_import_fann(&net, "/tmp", BP_F32), BP_ERROR_IO, "directory");
    REFUSED(bp_net_import_fann(&net, BP_TEST_DATA "/iris.csv", BP_F32), BP_ERROR_FORMAT, "iris.csv: byte 0, version");
    assert_null(net);
}

int main(void)
{
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed: numbers are to look the same */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_by_hand),
        cmocka_unit_test(test_files_of_libfann),
        cmocka_unit_test(test_line_ends_of_windows),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_sentence),
        cmocka_unit_test(test_memory_is_bounded_by_the_size_of_the_file),
        cmocka_unit_test(test_cut_at_every_position),
        cmocka_unit_test(test_any_byte_changed),
        cmocka_unit_test(test_memory_that_runs_out),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
