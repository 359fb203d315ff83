/*
 * FANN's nets beside libfann itself (float for f32, double for f64): what fann_run gives for random inputs, our import of the file gives,
 * too. libfann makes each file, and reads it again, so that both have the same digits.
 */
#define _GNU_SOURCE

#include <bp/fann.h>

#include "core/real.h"
#include "support/check.h"

#if BP_REAL_BITS == 32
#include <floatfann.h>
#else
#include <doublefann.h>
#endif
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES = 50 };

static const double tolerance = BP_REAL_BITS == 32 ? 1e-5 : 1e-12;

static char folder[] = "/tmp/bp-fann-XXXXXX";
static char file[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/peer.net", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(file);
    return rmdir(folder);
}

/* Saves, and reads again in both libraries. */
static bp_net *import(struct fann **peer)
{
    assert_int_equal(fann_save(*peer, file), 0);
    fann_destroy(*peer);
    *peer = fann_create_from_file(file);
    assert_non_null(*peer);
    bp_net *net;
    must(bp_net_import_fann(&net, file, REAL_DTYPE));
    assert_int_equal(bp_net_input_count(net), fann_get_num_input(*peer));
    assert_int_equal(bp_net_output_count(net), fann_get_num_output(*peer));
    return net;
}

/* Inputs are in (−spread, spread) and, with scaling, as the data were. The error is relative to outputs above 1. */
static void compare(const char *what, bp_net *net, struct fann *peer, double spread, bool is_scaled)
{
    size_t n_inputs = bp_net_input_count(net), n_outputs = bp_net_output_count(net);
    real *x = calloc(n_inputs, sizeof *x), *scaled = calloc(n_inputs, sizeof *x), *y = calloc(n_outputs, sizeof *y);
    assert_true(x && scaled && y);
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, 1));
    double largest = 0;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        for (size_t i = 0; i < n_inputs; i++) {
            x[i] = (real)(spread * number(sample * n_inputs + i));
        }
        must(REAL(bp_net_predict)(net, ws, 1, x, y));
        memcpy(scaled, x, n_inputs * sizeof *x);
        if (is_scaled) {
            fann_scale_input(peer, scaled);
        }
        fann_type *expected = fann_run(peer, scaled);
        if (is_scaled) {
            fann_descale_output(peer, expected);
        }
        for (size_t i = 0; i < n_outputs; i++) {
            double error = fabs((double)y[i] - (double)expected[i]) / fmax(1, fabs((double)expected[i]));
            if (!(error <= tolerance)) {
                fail_msg("%s, sample %zu, output %zu: expected %.17g, got %.17g", what, sample, i, (double)expected[i], (double)y[i]);
            }
            largest = fmax(largest, fabs((double)expected[i]));
        }
    }
    assert_true(largest > 1e-3); /* a net that gives only zeros proves nothing */
    bp_workspace_destroy(ws);
    free(x);
    free(scaled);
    free(y);
}

static void give_weights(struct fann *peer, unsigned seed)
{
    srand(seed);
    fann_randomize_weights(peer, -1, 1);
}

/* A steepness of its own for every neuron, 0.2 to 1.4 (FANN keeps s e within ±150 / s). */
static void give_steepnesses(struct fann *peer, unsigned n_layers, const unsigned *widths)
{
    for (unsigned l = 1; l < n_layers; l++) {
        for (unsigned i = 0; i < widths[l]; i++) {
            fann_set_activation_steepness(peer, (fann_type)(0.8 + 0.6 * number(100 * l + i)), (int)l, (int)i);
        }
    }
}

static const enum fann_activationfunc_enum expressible[] = {
    FANN_LINEAR,           FANN_SIGMOID,       FANN_SIGMOID_SYMMETRIC, FANN_GAUSSIAN, FANN_GAUSSIAN_SYMMETRIC, FANN_ELLIOT, FANN_SIN,
    FANN_ELLIOT_SYMMETRIC, FANN_SIN_SYMMETRIC, FANN_COS_SYMMETRIC,     FANN_COS,
};

enum { EXPRESSIBLE = sizeof expressible / sizeof *expressible };

static const struct {
    unsigned n_layers, widths[4];
} shapes[] = {{2, {1, 1}}, {3, {2, 3, 1}}, {4, {5, 7, 4, 3}}, {3, {33, 17, 2}}, {2, {3, 20}}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static void test_every_activation_in_several_shapes(void **state)
{
    (void)state;
    for (unsigned s = 0; s < SHAPES; s++) {
        for (unsigned a = 0; a < EXPRESSIBLE; a++) {
            for (unsigned b = 0; b < EXPRESSIBLE; b += a == 0 ? 1 : 5) { /* the outputs' */
                struct fann *peer = fann_create_standard_array(shapes[s].n_layers, shapes[s].widths);
                give_weights(peer, 1 + s);
                if (shapes[s].n_layers > 2) {
                    fann_set_activation_function_hidden(peer, expressible[a]);
                }
                fann_set_activation_function_output(peer, expressible[b]);
                give_steepnesses(peer, shapes[s].n_layers, shapes[s].widths);
                bp_net *net = import(&peer);
                char what[200];
                snprintf(what, sizeof what, "shape %u, %s, %s", s, FANN_ACTIVATIONFUNC_NAMES[expressible[a]],
                         FANN_ACTIVATIONFUNC_NAMES[expressible[b]]);
                compare(what, net, peer, 2, false);
                bp_net_destroy(net);
                fann_destroy(peer);
            }
        }
    }
}

static void test_functions_of_one_activation_may_be_mixed(void **state)
{
    (void)state;
    struct fann *peer = fann_create_standard(4, 2, 3, 3, 2);
    give_weights(peer, 3);
    fann_set_activation_function_hidden(peer, FANN_SIN);
    fann_set_activation_function_output(peer, FANN_ELLIOT_SYMMETRIC);
    fann_set_activation_function(peer, FANN_COS, 1, 0);
    fann_set_activation_function(peer, FANN_COS_SYMMETRIC, 1, 1);
    fann_set_activation_function(peer, FANN_SIN_SYMMETRIC, 2, 2);
    fann_set_activation_function(peer, FANN_ELLIOT, 3, 1);
    bp_net *net = import(&peer);
    compare("mixed", net, peer, 2, false);
    bp_net_destroy(net);
    fann_destroy(peer);
}

static void test_sparse_nets(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 5; seed++) {
        srand(seed); /* which connections there are */
        struct fann *peer = fann_create_sparse(0.4F, 4, 6, 8, 7, 3);
        give_weights(peer, seed);
        fann_set_activation_function_hidden(peer, FANN_ELLIOT);
        fann_set_activation_function_output(peer, FANN_SIGMOID_SYMMETRIC);
        bp_net *net = import(&peer);
        compare("sparse", net, peer, 2, false);
        bp_net_destroy(net);
        fann_destroy(peer);
    }
}

static void test_scaling(void **state)
{
    (void)state;
    static const enum fann_activationfunc_enum outputs[] = {FANN_LINEAR, FANN_SIGMOID_SYMMETRIC, FANN_ELLIOT};
    struct fann_train_data *data = fann_create_train(20, 3, 2);
    for (unsigned n = 0; n < 20; n++) {
        for (unsigned i = 0; i < 3; i++) {
            data->input[n][i] = (fann_type)(10 * (i + 1) * number(10 * n + i) + 7);
        }
        data->output[n][0] = (fann_type)(200 + 30 * number(10 * n + 5));
        data->output[n][1] = (fann_type)(-0.5 + 0.2 * number(10 * n + 6));
    }
    for (unsigned k = 0; k < 3; k++) {
        struct fann *peer = fann_create_standard(3, 3, 5, 2);
        give_weights(peer, 11);
        fann_set_activation_function_hidden(peer, FANN_SIGMOID);
        fann_set_activation_function_output(peer, outputs[k]);
        fann_set_scaling_params(peer, data, -0.7F, 0.9F, 0.1F, 0.8F);
        bp_net *net = import(&peer);
        assert_true(bp_net_has_input_scaling(net));
        assert_true(bp_net_has_output_scaling(net));
        assert_int_equal(bp_net_layer_count(net), 2);
        compare("scaling", net, peer, 20, true);
        bp_net_destroy(net);
        fann_destroy(peer);
    }
    fann_destroy_train(data);
}

/* FANN reads these, so we can ask it what they mean. */
static void test_old_versions(void **state)
{
    (void)state;
    static const char old[] = "FANN_FLO_1.1\n3 0.700000 1.000000 0 5 3 0.400000 0.900000\n3 3 2 \n0 0 0 3 3 0 3 0 \n"
                              "(0 0.5) (1 -0.25) (2 0.125) (0 1.5) (1 0.75) (2 -0.5) (3 1.25) (4 -2) (5 0.3) \n";
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(old, 1, sizeof old - 1, stream), sizeof old - 1);
    fclose(stream);
    struct fann *peer = fann_create_from_file(file);
    assert_non_null(peer);
    bp_net *net;
    must(bp_net_import_fann(&net, file, REAL_DTYPE));
    compare("1.1", net, peer, 2, false);
    bp_net_destroy(net);

    net = import(&peer); /* and as 2.0, which is 2.1 without scale_included */
    bp_net_destroy(net);
    char *text = NULL;
    size_t size = 0;
    stream = fopen(file, "r+");
    assert_non_null(stream);
    assert_true(getdelim(&text, &size, '\0', stream) > 0);
    char *included = strstr(text, "scale_included=0\n");
    assert_non_null(included);
    memmove(included, included + 17, strlen(included + 17) + 1);
    memcpy(text, "FANN_FLO_2.0", 12);
    rewind(stream);
    assert_int_equal(ftruncate(fileno(stream), 0), 0);
    assert_true(fputs(text, stream) >= 0);
    fclose(stream);
    free(text);
    fann_destroy(peer);
    peer = fann_create_from_file(file);
    assert_non_null(peer);
    must(bp_net_import_fann(&net, file, REAL_DTYPE));
    compare("2.0", net, peer, 2, false);
    bp_net_destroy(net);
    fann_destroy(peer);
}

static void must_not_import(struct fann *peer, const char *word)
{
    assert_int_equal(fann_save(peer, file), 0);
    bp_net *net = NULL;
    REFUSED(bp_net_import_fann(&net, file, REAL_DTYPE), BP_ERROR_UNSUPPORTED, word);
    assert_null(net);
    fann_destroy(peer);
}

static void test_what_cannot_be_expressed_is_refused_by_name(void **state)
{
    (void)state;
    for (unsigned f = FANN_LINEAR; f <= FANN_COS; f++) {
        bool can = false;
        for (unsigned a = 0; a < EXPRESSIBLE; a++) {
            can = can || expressible[a] == f;
        }
        if (!can) {
            struct fann *peer = fann_create_standard(3, 2, 3, 1);
            fann_set_activation_function_output(peer, FANN_LINEAR);
            fann_set_activation_function_hidden(peer, f);
            must_not_import(peer, FANN_ACTIVATIONFUNC_NAMES[f]);
        }
    }
    struct fann *peer = fann_create_standard(3, 2, 3, 1);
    fann_set_activation_function_hidden(peer, FANN_SIGMOID);
    fann_set_activation_function(peer, FANN_GAUSSIAN, 1, 2);
    must_not_import(peer, "FANN_SIGMOID and FANN_GAUSSIAN");
    must_not_import(fann_create_shortcut(3, 2, 3, 1), "FANN_NETTYPE_SHORTCUT");
    peer = fann_create_standard(2, 2, 1);
    fann_set_activation_function_output(peer, FANN_LINEAR);
    fann_set_activation_steepness_output(peer, (fann_type)-0.5);
    must_not_import(peer, "steepness of -0.5");

    peer = fann_create_standard(2, 2, 1);
    assert_true(fann_save_to_fixed(peer, file) >= 0);
    bp_net *net = NULL;
    REFUSED(bp_net_import_fann(&net, file, REAL_DTYPE), BP_ERROR_UNSUPPORTED, "FANN_FIX");
    fann_destroy(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_activation_in_several_shapes),
        cmocka_unit_test(test_functions_of_one_activation_may_be_mixed),
        cmocka_unit_test(test_sparse_nets),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_what_cannot_be_expressed_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
