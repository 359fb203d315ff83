/*
 * Exported C, compiled by the compiler of the build with every warning an error, loaded, and compared with bp_net_predict.
 */
#define _GNU_SOURCE

#include "core/real.h"
#include "net/net.h"
#include "support/check.h"

#include <dlfcn.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SAMPLES = 20 };

static const double tolerance = BP_REAL_BITS == 32 ? 1e-6 : 1e-12;

static char folder[] = "/tmp/bp-c-source-XXXXXX";
static char file[64], object[64], output[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/net.c", folder);
    snprintf(object, sizeof object, "%s/net.so", folder);
    snprintf(output, sizeof output, "%s/output", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(file);
    remove(object);
    remove(output);
    return rmdir(folder);
}

static char *content(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    ssize_t got = getdelim(&text, &size, '\0', stream);
    fclose(stream);
    if (got < 0) {
        free(text);
        text = calloc(1, 1);
    }
    assert_non_null(text);
    return text;
}

/* Compiles the file, silently as compilers are when all is well. */
static void compile(void)
{
    char command[800];
    snprintf(
        command, sizeof command,
        "'%s' -std=c99 -Wall -Wextra -Werror -pedantic -Wconversion -Wmissing-prototypes -O1 -fPIC -shared '%s' -o '%s' -lm >'%s' 2>&1",
        BP_TEST_COMPILER, file, object, output);
    int result = system(command);
    char *said = content(output);
    if (result != 0 || *said) {
        fail_msg("%s: status %d\n%s", command, result, said);
    }
    free(said);
}

/* Exports, compiles and compares. */
static void compare(const char *what, const bp_net *net, const char *name)
{
    must(bp_net_export_c(net, file, name));
    compile();
    void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    void (*function)(const real *x, real *y);
    *(void **)&function = dlsym(library, name);
    assert_non_null(function);

    size_t n_inputs = bp_net_input_count(net), n_outputs = bp_net_output_count(net);
    real *x = calloc(n_inputs, sizeof *x), *y = calloc(n_outputs, sizeof *y), *expected = calloc(n_outputs, sizeof *y);
    assert_true(x && y && expected);
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, 1));
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        for (size_t i = 0; i < n_inputs; i++) {
            x[i] = (real)(3 * number(sample * n_inputs + i));
        }
        must(REAL(bp_net_predict)(net, ws, 1, x, expected));
        function(x, y);
        for (size_t i = 0; i < n_outputs; i++) {
            if (!(fabs((double)y[i] - (double)expected[i]) <= tolerance * fmax(1, fabs((double)expected[i])))) {
                fail_msg("%s, sample %zu, output %zu: expected %.17g, got %.17g", what, sample, i, (double)expected[i], (double)y[i]);
            }
        }
    }
    bp_workspace_destroy(ws);
    free(x);
    free(y);
    free(expected);
    assert_int_equal(dlclose(library), 0);
}

static void set_scaling(bp_net *net)
{
    size_t n_inputs = bp_net_input_count(net), n_outputs = bp_net_output_count(net), n = n_inputs > n_outputs ? n_inputs : n_outputs;
    real *offset = calloc(n, sizeof *offset), *scale = calloc(n, sizeof *scale);
    assert_true(offset && scale);
    for (size_t i = 0; i < n; i++) {
        offset[i] = (real)number(1000 + i);
        scale[i] = (real)(1.5 + number(2000 + i));
    }
    must(REAL(bp_net_set_input_scaling)(net, offset, scale));
    must(REAL(bp_net_set_output_scaling)(net, offset, scale));
    free(offset);
    free(scale);
}

/* Biases that are not 0. */
static void set_biases(bp_net *net)
{
    real b[64];
    for (size_t l = 0; l < bp_net_layer_count(net); l++) {
        bp_layer *layer;
        must(bp_net_layer(net, l, &layer));
        assert_true(bp_layer_output_count(layer) <= 64);
        for (size_t i = 0; i < bp_layer_output_count(layer); i++) {
            b[i] = (real)number(64 * l + i);
        }
        if (bp_layer_has_bias(layer)) {
            must(REAL(bp_layer_set_weights)(layer, NULL, b));
        }
    }
}

static void test_every_activation(void **state)
{
    (void)state;
    for (bp_activation a = BP_ACTIVATION_IDENTITY; a <= BP_ACTIVATION_SOFTMAX; a++) {
        static const size_t widths[] = {9, 6};
        bp_activation hidden = a == BP_ACTIVATION_SOFTMAX ? BP_ACTIVATION_TANH : a;
        bp_net *net = make_net(REAL_DTYPE, 5, 2, widths, hidden, a, 1, 3);
        set_biases(net);
        if (a % 2 == 0) {
            set_scaling(net);
        }
        compare(bp_activation_name(a), net, "forward");
        bp_net_destroy(net);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        size_t n_inputs, n_layers, widths[4];
        int bias, is_scaled;
        const char *name;
    } shapes[] = {
        {1, 1, {1}, 0, 0, "x"},
        {1, 1, {1}, 0, 1, "y"},
        {7, 1, {5}, 1, 1, "i"},
        {3, 2, {17, 2}, 0, 0, "a"},
        {20, 3, {4, 33, 1}, 1, 1, "b"},
        {4, 4, {3, 16, 5, 8}, 1, 0, "layer"},
        {2, 2, {3, 2}, 1, 1, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ_012345678"},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        bp_net *net = make_net(REAL_DTYPE, shapes[s].n_inputs, shapes[s].n_layers, shapes[s].widths, BP_ACTIVATION_RELU,
                               s % 2 ? BP_ACTIVATION_IDENTITY : BP_ACTIVATION_SIGMOID, shapes[s].bias, 5 + s);
        set_biases(net);
        if (shapes[s].is_scaled) {
            set_scaling(net);
        }
        compare(shapes[s].name, net, shapes[s].name);
        bp_net_destroy(net);
    }
}

/* Scaled inputs and the second hidden layer are in one buffer. */
static void test_buffers_hold_the_widest(void **state)
{
    (void)state;
    bp_net *net = make_net(REAL_DTYPE, 30, 3, (const size_t[]){4, 3, 2}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 1);
    set_scaling(net);
    compare("buffers", net, "buffers");
    char *text = content(file), stack[64];
    snprintf(stack, sizeof stack, " %zu bytes of stack", 34 * sizeof(real));
    assert_non_null(strstr(text, stack));
    assert_non_null(strstr(text, " a[30];\n"));
    assert_non_null(strstr(text, " b[4];\n"));
    free(text);
    bp_net_destroy(net);
}

/* Numbers at the ends of the type and ones that look like integers: the compiler makes of them what was there. */
static void test_weights_come_back_bit_by_bit(void **state)
{
    (void)state;
    const real smallest = BP_REAL_BITS == 32 ? (real)FLT_TRUE_MIN : (real)DBL_TRUE_MIN;
    const real weights[] = {REAL_MAX,
                            -REAL_MAX,
                            smallest,
                            -smallest,
                            1,
                            -2,
                            0,
                            (real)-0.0,
                            (real)1e10,
                            (real)1e-10,
                            (real)0.1,
                            (real)(1 / 3.0),
                            (real)(1024 - (BP_REAL_BITS == 32 ? 0x1p-14 : 0x1p-43))};
    enum { N = sizeof weights / sizeof *weights };
    bp_net *net = make_net(REAL_DTYPE, 1, 1, (const size_t[]){N}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_IDENTITY, 0, 1);
    must(REAL(bp_net_set_parameters)(net, weights));
    must(bp_net_export_c(net, file, "product"));
    compile();
    void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    void (*function)(const real *x, real *y);
    *(void **)&function = dlsym(library, "product");
    assert_non_null(function);
    real y[N];
    function(&(const real){1}, y);
    for (size_t k = 0; k < N; k++) {
        if (y[k] != weights[k]) {
            fail_msg("%.17g came back as %.17g", (double)weights[k], (double)y[k]);
        }
    }
    dlclose(library);
    bp_net_destroy(net);
}

static void test_text_is_the_same_each_time_and_in_every_locale(void **state)
{
    (void)state;
    bp_net *net = make_net(REAL_DTYPE, 3, 2, (const size_t[]){4, 2}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 9);
    must(bp_net_export_c(net, file, "first"));
    char *first = content(file);
    bp_net *copy;
    must(bp_net_clone(&copy, net));
    char *before = strdup(setlocale(LC_ALL, NULL));
    assert_non_null(before);
    setlocale(LC_ALL, strstr(before, "de_DE") ? "C" : "de_DE.UTF-8");
    must(bp_net_export_c(copy, file, "first"));
    setlocale(LC_ALL, before);
    free(before);
    char *second = content(file);
    assert_string_equal(first, second);
    assert_non_null(
        strstr(first, REAL_DTYPE == BP_F32 ? "void first(const float *x, float *y);" : "void first(const double *x, double *y);"));
    assert_non_null(strstr(first, "layer: inputs, outputs, activation\n *     0: 3, 4, tanh\n *     1: 4, 2, softmax\n"));
    free(first);
    free(second);
    bp_net_destroy(net);
    bp_net_destroy(copy);
}

static void test_names_do_no_harm(void **state)
{
    (void)state;
    static const char *const inputs[] = {"*/ int x = 1; /*",
                                         "two\nlines\r\n*/",
                                         "?\?/",
                                         "?\?=?\?",
                                         "back\\",
                                         "*",
                                         "/",
                                         "//",
                                         "/*/*/",
                                         "*\\\n/",
                                         "a \xe2\x80\xae b",
                                         "Gr\303\266\303\237e",
                                         "\xf0\x9f\x8c\xb7",
                                         "",
                                         "\x7f\x01\x1b[31m",
                                         "@ # $ %s %n %"};
    enum { N = sizeof inputs / sizeof *inputs };
    static const char *const classes[] = {"*/", "/*"};
    bp_net *net = make_net(REAL_DTYPE, N, 1, (const size_t[]){2}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_SOFTMAX, 1, 1);
    must(bp_net_set_input_names(net, inputs));
    must(bp_net_set_class_names(net, 2, classes));
    compare("names", net, "named");
    char *text = content(file);
    for (const char *c = text; *c; c++) {
        assert_true((*c >= ' ' && *c <= '~') || *c == '\n');
    }
    assert_null(strstr(text, "?\?/"));
    assert_non_null(strstr(text, "Gr\\u00f6\\u00dfe\n"));
    assert_non_null(strstr(text, "\\U0001f337\n"));
    assert_non_null(strstr(text, "a \\u202e b\n"));
    assert_non_null(strstr(text, "@ # $ %s %n %\n"));
    assert_non_null(strstr(text, " * classes:\n *     0  *\\u002f\n *     1  /\\u002a\n */\n"));
    free(text);
    bp_net_destroy(net);
}

static void test_bad_input(void **state)
{
    (void)state;
    bp_net *net = make_net(REAL_DTYPE, 2, 1, (const size_t[]){1}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_TANH, 1, 1);
    must(bp_net_export_c(net, file, "old"));
    REFUSED(bp_net_export_c(NULL, file, "f"), BP_ERROR_ARGUMENT, "net is NULL");
    REFUSED(bp_net_export_c(net, NULL, "f"), BP_ERROR_ARGUMENT, "path is NULL");
    REFUSED(bp_net_export_c(net, file, NULL), BP_ERROR_ARGUMENT, "function_name is NULL");
    static const char *const names[] = {"",         "1a",
                                        "a-b",      "a b",
                                        "f\n",      "gr\303\266sse",
                                        "_f",       "__f",
                                        "if",       "double",
                                        "restrict", "while",
                                        "true",     "main",
                                        "size_t",   "tanhf",
                                        "sin",      "a;",
                                        "*",        "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        REFUSED(bp_net_export_c(net, file, names[i]), BP_ERROR_ARGUMENT, "function_name");
    }
    bp_net *raw;
    must(bp_net_create(&raw, REAL_DTYPE, 2));
    REFUSED(bp_net_export_c(raw, file, "f"), BP_ERROR_STATE, "not initialized");
    bp_net_destroy(raw);
    REFUSED(bp_net_export_c(net, "/nowhere/net.c", "f"), BP_ERROR_IO, "/nowhere");

    real *numbers[] = {net->layers[0]->weights, net->layers[0]->bias};
    static const char *const words[] = {"weights of layer 0", "bias of layer 0"};
    for (int k = 0; k < 2; k++) {
        real kept = numbers[k][0];
        numbers[k][0] = k == 0 ? (real)NAN : (real)INFINITY;
        REFUSED(bp_net_export_c(net, file, "f"), BP_ERROR_NONFINITE, words[k]);
        numbers[k][0] = kept;
    }
    char *text = content(file);
    assert_non_null(strstr(text, "void old(")); /* what was refused has left the file */
    free(text);
    bp_net_destroy(net);
}

/* The disk is full, as it seems, in the middle: the old file stays, and no other. */
static void test_write_that_fails(void **state)
{
    (void)state;
    bp_net *small = make_net(REAL_DTYPE, 2, 1, (const size_t[]){1}, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_TANH, 1, 1);
    bp_net *net = make_net(REAL_DTYPE, 60, 2, (const size_t[]){60, 60}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 1);
    must(bp_net_export_c(small, file, "old"));
    char *old = content(file);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    static const rlim_t limits[] = {0, 5000, 20000, 50000};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){limits[i], before.rlim_max}), 0);
        bp_status status = bp_net_export_c(net, file, "new");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        must_refuse("limited", status, BP_ERROR_IO, "cannot write");
        char *now = content(file);
        assert_string_equal(now, old);
        free(now);
    }
    signal(SIGXFSZ, SIG_DFL);
    free(old);
    bp_net_destroy(small);
    bp_net_destroy(net); /* the folder is removed when all is done, which fails if another file is in it */
}

int main(void)
{
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_activation),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_buffers_hold_the_widest),
        cmocka_unit_test(test_weights_come_back_bit_by_bit),
        cmocka_unit_test(test_text_is_the_same_each_time_and_in_every_locale),
        cmocka_unit_test(test_names_do_no_harm),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_write_that_fails),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
