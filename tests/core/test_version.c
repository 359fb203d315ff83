/* What the library says of itself: its version, and what it was built with. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

static void test_version(void **state)
{
    (void)state;
    const unsigned number = bp_version_number(), major = number / 10000, minor = number / 100 % 100, patch = number % 100;
    char text[40];
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
    assert_string_equal(bp_version(), text);
    assert_int_equal(major, 1); /* as the library's SONAME */
}

static void test_unknown_features(void **state)
{
    (void)state;
    const char *const unknown[] = {NULL, "", "onn", "onnxruntime", "ONNX", " onnx", "lbfgs,onnx", "%s", "\xff"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(bp_has_feature(unknown[i]), 0);
    }
}

/* A feature is there where the calls that need it say so. */
static void test_features(void **state)
{
    (void)state;
    bp_net *net = make_net(BP_F32, 2, 1, (const size_t[]){1}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 1, 1);
    bp_optimizer *opt = NULL;
    bp_status status = bp_optimizer_create(&opt, BP_METHOD_LBFGS, net);
    assert_int_equal(status, bp_has_feature("lbfgs") ? BP_OK : BP_ERROR_UNSUPPORTED);
    void *bytes = NULL;
    size_t size;
    status = bp_net_export_onnx_memory(net, &bytes, &size);
    assert_int_equal(status, bp_has_feature("onnx") ? BP_OK : BP_ERROR_UNSUPPORTED);
    assert_int_equal(bp_has_feature("openblas"), BP_TEST_HAVE_OPENBLAS);
    assert_true(bp_has_feature("openblas") || strcmp(bp_kernel_name(), "blas") != 0);
    bp_free(bytes);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_version), cmocka_unit_test(test_unknown_features),
                                       cmocka_unit_test(test_features)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
