/* Model files: what is saved comes back, in either element type, from disk and from memory; nothing else is taken for a net. */
#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "model/safetensors.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/bp-model-XXXXXX";

static const char *path(const char *name)
{
    static char text[4][64];
    static unsigned turn;
    char *at = text[turn++ % 4];
    snprintf(at, sizeof *text, "%s/%s", folder, name);
    return at;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b", "bad"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        remove(path(names[i]));
    }
    return rmdir(folder);
}

/* With all that a net can have. */
static bp_net *full_net(bp_dtype dtype)
{
    bp_net *net;
    must(bp_net_create(&net, dtype, 3));
    must(bp_net_add_dense(net, 5, BP_ACTIVATION_TANH, 1));
    must(bp_net_add_dense(net, 4, BP_ACTIVATION_RELU, 0));
    must(bp_net_add_dense(net, 2, BP_ACTIVATION_SOFTMAX, 1));
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 11));
    const float offset32[3] = {1, -2, 0.1f}, scale32[3] = {2, 3, 0.5f};
    const double offset64[3] = {1, -2, 0.1}, scale64[3] = {2, 3, 0.5};
    must(dtype == BP_F32 ? bp_net_set_input_scaling_f32(net, offset32, scale32) : bp_net_set_input_scaling_f64(net, offset64, scale64));
    must(dtype == BP_F32 ? bp_net_set_output_scaling_f32(net, offset32, scale32) : bp_net_set_output_scaling_f64(net, offset64, scale64));
    must(bp_net_set_input_names(net, (const char *const[]){"length", "größe", "\"quoted\"\n"}));
    must(bp_net_set_class_names(net, 2, (const char *const[]){"", "ja"}));
    must(bp_net_set_metadata(net, "note", "first"));
    must(bp_net_set_metadata(net, "author", "nobody"));
    must(bp_net_set_metadata(net, "note", "second"));
    return net;
}

static void *read_all(const char *name, size_t *size)
{
    FILE *file = fopen(path(name), "rb");
    assert_non_null(file);
    static unsigned char bytes[1 << 16];
    *size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return bytes;
}

static void write_all(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void expect_same(const bp_net *a, const bp_net *b)
{
    assert_int_equal(bp_net_dtype(a), bp_net_dtype(b));
    assert_int_equal(bp_net_rule(a), bp_net_rule(b));
    assert_int_equal(bp_net_layer_count(a), bp_net_layer_count(b));
    assert_int_equal(bp_net_metadata_count(b), 2);
    assert_string_equal(bp_net_metadata(b, "note"), "second");
    assert_string_equal(bp_net_metadata_key(b, 1), "author");
    assert_string_equal(bp_net_input_name(b, 1), "größe");
    assert_string_equal(bp_net_class_name(b, 0), "");
    assert_int_equal(bp_net_class_count(b), 2);
    void *bytes[2];
    size_t size[2];
    must(bp_net_save_memory(a, &bytes[0], &size[0]));
    must(bp_net_save_memory(b, &bytes[1], &size[1]));
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    bp_free(bytes[0]);
    bp_free(bytes[1]);
}

static void test_round_trip(void **state)
{
    (void)state;
    const bp_dtype dtypes[] = {BP_F32, BP_F64};
    for (size_t i = 0; i < 2; i++) {
        bp_net *net = full_net(dtypes[i]), *loaded, *from_memory, *clone;
        must(bp_net_save(net, path("a")));
        must(bp_net_load(&loaded, path("a")));
        expect_same(net, loaded);
        must(bp_net_save(loaded, path("b")));
        size_t size_a, size_b;
        void *bytes = malloc(1 << 16);
        memcpy(bytes, read_all("a", &size_a), 1 << 16);
        assert_memory_equal(bytes, read_all("b", &size_b), size_a);
        assert_int_equal(size_a, size_b);
        must(bp_net_load_memory(&from_memory, bytes, size_a));
        memset(bytes, 0, size_a); /* is not needed any more */
        expect_same(net, from_memory);
        must(bp_net_clone(&clone, from_memory));
        expect_same(net, clone);
        free(bytes);
        bp_net_destroy(net);
        bp_net_destroy(loaded);
        bp_net_destroy(from_memory);
        bp_net_destroy(clone);
    }
}

static void test_error_signal_rule(void **state)
{
    (void)state;
    bp_net *net = make_net(BP_F32, 2, 1, (size_t[]){3}, BP_ACTIVATION_TANH, BP_ACTIVATION_SINE, 0, 1), *loaded;
    must(bp_net_set_rule(net, BP_RULE_ERROR_SIGNAL));
    must(bp_net_save(net, path("a")));
    must(bp_net_load(&loaded, path("a")));
    assert_int_equal(bp_net_rule(loaded), BP_RULE_ERROR_SIGNAL);
    assert_int_equal(bp_net_metadata_count(loaded), 0);
    assert_null(bp_net_input_name(loaded, 0));
    bp_net_destroy(net);
    bp_net_destroy(loaded);
}

/* f32 to f64 is exact, and back gives the same; f64 is rounded to the nearest. */
static void test_other_dtype(void **state)
{
    (void)state;
    bp_net *net = full_net(BP_F32), *wide, *narrow;
    float theta32[64], again[64];
    double theta64[64];
    must(bp_net_save(net, path("a")));
    must(bp_net_load_as(&wide, path("a"), BP_F64, 0));
    must(bp_net_get_parameters_f32(net, theta32));
    must(bp_net_get_parameters_f64(wide, theta64));
    for (size_t i = 0; i < bp_net_parameter_count(net); i++) {
        assert_true(theta64[i] == (double)theta32[i]);
    }
    theta64[3] = 1.0 + 0x1p-30;
    must(bp_net_set_parameters_f64(wide, theta64));
    must(bp_net_save(wide, path("b")));
    must(bp_net_load_as(&narrow, path("b"), BP_F32, 0));
    must(bp_net_get_parameters_f32(narrow, again));
    theta32[3] = 1;
    assert_memory_equal(theta32, again, bp_net_parameter_count(net) * sizeof *again);
    bp_net_destroy(narrow);
    theta64[3] = 1e39;
    must(bp_net_set_parameters_f64(wide, theta64));
    must(bp_net_save(wide, path("b")));
    narrow = NULL;
    REFUSED(bp_net_load_as(&narrow, path("b"), BP_F32, 0), BP_ERROR_NONFINITE, "element 3 of layers.0.weight");
    assert_null(narrow);
    bp_net_destroy(net);
    bp_net_destroy(wide);
}

/* Every cut and every flipped byte is noticed. */
static void test_damage(void **state)
{
    (void)state;
    bp_net *net = full_net(BP_F32), *none = NULL;
    must(bp_net_save(net, path("a")));
    size_t size;
    unsigned char bytes[1 << 13];
    unsigned char *file = read_all("a", &size);
    assert_true(size < sizeof bytes);
    for (size_t n = 0; n < size; n++) {
        memcpy(bytes, file, size);
        if (bp_net_load_memory(&none, bytes, n) == BP_OK) {
            fail_msg("%zu of %zu bytes were taken", n, size);
        }
        bytes[n] ^= 1;
        bool of_key =
            n > 8 && memcmp(file + 8, "{\"__metadata__\":{\"crc32\"", 24) == 0 && n >= 26 && n < 31; /* then there is no checksum */
        if (!of_key && bp_net_load_memory(&none, bytes, size) == BP_OK) {
            fail_msg("byte %zu of %zu was another, and taken", n, size);
        }
    }
    assert_null(none);
    bp_net_destroy(net);
}

/* A file of tensors with a valid checksum, one thing in it not as in the others. */
typedef struct part {
    const char *key, *value; /* a text instead of the right one; NULL value: none */
    const char *tensor;      /* left out, or with another shape */
    size_t rows;
    bool nan;
    bp_status status;
    const char *word;
} part;

static void write_part(const part *p)
{
    static const char *const texts[][2] = {{"format", "libbp"},
                                           {"version", "1"},
                                           {"activations", "[\"tanh\",\"identity\"]"},
                                           {"rule", "gradient"},
                                           {"input_names", "[\"a\",\"b\"]"}};
    static const struct {
        const char *name;
        size_t n_dimensions, shape[2];
    } tensors[] = {{"layers.0.weight", 2, {3, 2}}, {"layers.0.bias", 1, {3, 0}}, {"layers.1.weight", 2, {1, 3}},
                   {"input.offset", 1, {2, 0}},    {"input.scale", 1, {2, 0}},   {"output.offset", 1, {1, 0}},
                   {"output.scale", 1, {1, 0}}};
    static float numbers[64];
    static const float ones[3] = {1, 1, 1}, bad[64] = {0, NAN};
    bp_tensors *file = bp_tensors_create();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool other = p->key && strcmp(p->key, texts[i][0]) == 0;
        if (!other || p->value) {
            assert_true(bp_tensors_add_text(file, texts[i][0], other ? p->value : texts[i][1]));
        }
    }
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        bool other = p->tensor && strcmp(p->tensor, tensors[i].name) == 0;
        size_t shape[2] = {other && p->rows ? p->rows : tensors[i].shape[0], tensors[i].shape[1]};
        if (!other || p->rows || p->nan) {
            const float *data = other && p->nan ? bad : strcmp(tensors[i].name, "output.scale") == 0 ? ones : numbers;
            assert_true(bp_tensors_add(file, tensors[i].name, BP_TENSOR_F32, tensors[i].n_dimensions, shape, data));
        }
    }
    must(bp_tensors_save("test", file, path("bad")));
    bp_tensors_destroy(file);
}

static void test_strange_files(void **state)
{
    (void)state;
    bp_net *net = NULL;
    write_part(&(part){0});
    must(bp_net_load(&net, path("bad")));
    bp_net_destroy(net);
    net = NULL;
    const bp_status format = BP_ERROR_FORMAT;
    const part parts[] = {
        {.key = "format", .status = format, .word = "not a net"},
        {.key = "format", .value = "pt", .status = format, .word = "not a net"},
        {.key = "version", .value = "7", .status = BP_ERROR_UNSUPPORTED, .word = "version is 7"},
        {.key = "activations", .status = format, .word = "no layer"},
        {.key = "activations", .value = "tanh", .status = format, .word = "activations"},
        {.key = "activations", .value = "{}", .status = format, .word = "activations"},
        {.key = "activations", .value = "[]", .status = format, .word = "no layer"},
        {.key = "activations", .value = "[\"tanh\",3]", .status = format, .word = "activations"},
        {.key = "activations", .value = "[\"tanh\",\"tanh\",\"tanh\"]", .status = format, .word = "layers.2.weight is missing"},
        {.key = "activations", .value = "[\"tanh\",\"mish\"]", .status = BP_ERROR_UNSUPPORTED, .word = "layer 1"},
        {.key = "activations", .value = "[\"softmax\",\"tanh\"]", .status = format, .word = "softmax"},
        {.key = "rule", .status = format, .word = "rule is missing"},
        {.key = "rule", .value = "x", .status = BP_ERROR_UNSUPPORTED, .word = "rule is x"},
        {.key = "input_names", .value = "[\"a\"]", .status = format, .word = "1 names for 2 inputs"},
        {.tensor = "layers.0.weight", .status = format, .word = "layers.0.weight is missing"},
        {.tensor = "layers.0.weight", .rows = 4, .status = format, .word = "layers.1.weight has 3 columns"},
        {.tensor = "layers.0.weight", .nan = true, .status = BP_ERROR_NONFINITE, .word = "element 1 of layers.0.weight"},
        {.tensor = "layers.0.bias", .rows = 2, .status = format, .word = "layers.0.bias has 2 elements"},
        {.tensor = "input.offset", .status = format, .word = "input.offset is missing"},
        {.tensor = "input.scale", .status = format, .word = "input.scale is missing"},
        {.tensor = "input.scale", .rows = 3, .status = format, .word = "input.scale has 3 elements"},
        {.tensor = "input.offset", .nan = true, .status = BP_ERROR_NONFINITE, .word = "input.offset"},
        {.tensor = "output.offset", .status = format, .word = "output.offset is missing"},
        {.tensor = "output.scale", .rows = 3, .status = format, .word = "output.scale has 3 elements, but the net 1 outputs"},
        {.tensor = "output.scale", .nan = true, .status = format, .word = "element 0 of output.scale has no finite inverse"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        write_part(&parts[i]);
        must_refuse(parts[i].word, bp_net_load(&net, path("bad")), parts[i].status, parts[i].word);
        assert_null(net);
    }
    write_part(&(part){.tensor = "layers.0.weight", .nan = true});
    must(bp_net_load_as(&net, path("bad"), BP_F64, 1)); /* because it was asked for */
    double theta[16];
    must(bp_net_get_parameters_f64(net, theta));
    assert_true(isnan(theta[1]) && !isnan(theta[0]));
    bp_net_destroy(net);
}

static void test_bad_input(void **state)
{
    (void)state;
    bp_net *net = full_net(BP_F32), *empty, *none = NULL;
    void *bytes = NULL;
    size_t size = 0;
    const bp_status argument = BP_ERROR_ARGUMENT;
    must(bp_net_create(&empty, BP_F32, 1));
    REFUSED(bp_net_save(NULL, path("a")), argument, "net is NULL");
    REFUSED(bp_net_save(net, NULL), argument, "path is NULL");
    REFUSED(bp_net_save(empty, path("a")), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_save(net, "/nowhere/at/all"), BP_ERROR_IO, "/nowhere/at/all");
    REFUSED(bp_net_save_memory(net, NULL, &size), argument, "bytes is NULL");
    REFUSED(bp_net_save_memory(net, &bytes, NULL), argument, "size is NULL");
    REFUSED(bp_net_save_memory(NULL, &bytes, &size), argument, "net is NULL");
    REFUSED(bp_net_load(NULL, path("a")), argument, "net is NULL");
    REFUSED(bp_net_load(&none, NULL), argument, "path is NULL");
    REFUSED(bp_net_load(&none, path("none")), BP_ERROR_IO, "none");
    REFUSED(bp_net_load_as(&none, path("a"), (bp_dtype)9, 0), argument, "dtype is 9");
    REFUSED(bp_net_load_as(&none, path("a"), BP_F32, 2), argument, "allow_nonfinite is 2");
    REFUSED(bp_net_load_memory(NULL, "", 1), argument, "net is NULL");
    REFUSED(bp_net_load_memory(&none, NULL, 1), argument, "bytes is NULL");
    write_all("bad", "epoch,loss\n", 11);
    REFUSED(bp_net_load(&none, path("bad")), BP_ERROR_FORMAT, "bad");
    REFUSED(bp_net_set_input_names(NULL, NULL), argument, "net is NULL");
    REFUSED(bp_net_set_input_names(net, (const char *const[]){"a", NULL, "c"}), argument, "names[1] is NULL");
    REFUSED(bp_net_set_input_names(net, (const char *const[]){"a", "b", "\xC3"}), argument, "names[2] is not UTF-8");
    REFUSED(bp_net_set_class_names(net, 3, (const char *const[]){"a", "b", "c"}), argument, "n_classes is 3");
    REFUSED(bp_net_set_class_names(net, 2, NULL), argument, "names is NULL");
    REFUSED(bp_net_set_class_names(empty, 1, (const char *const[]){"a"}), BP_ERROR_STATE, "not initialized");
    REFUSED(bp_net_set_metadata(NULL, "a", "b"), argument, "net is NULL");
    REFUSED(bp_net_set_metadata(net, NULL, "b"), argument, "key is NULL");
    REFUSED(bp_net_set_metadata(net, "", "b"), argument, "key is empty");
    REFUSED(bp_net_set_metadata(net, "a", "\xED\xA0\x80"), argument, "value is not UTF-8");
    REFUSED(bp_net_set_metadata(net, "\xF8", "b"), argument, "key is not UTF-8");
    char key[16];
    while (bp_net_metadata_count(net) < 4096) {
        snprintf(key, sizeof key, "k%zu", bp_net_metadata_count(net));
        must(bp_net_set_metadata(net, key, "v"));
    }
    REFUSED(bp_net_set_metadata(net, "one more", "v"), argument, "4096 metadata");
    must(bp_net_set_metadata(net, key, "another"));
    assert_string_equal(bp_net_input_name(net, 1), "größe");
    assert_string_equal(bp_net_class_name(net, 1), "ja");
    assert_true(!none && !bytes && size == 0);
    must(bp_net_set_metadata(net, "note", NULL));
    must(bp_net_set_metadata(net, "nothing", NULL));
    assert_null(bp_net_metadata(net, "note"));
    assert_string_equal(bp_net_metadata(net, "author"), "nobody");
    must(bp_net_set_input_names(net, NULL));
    must(bp_net_set_class_names(net, 0, NULL));
    assert_null(bp_net_input_name(net, 0));
    assert_int_equal(bp_net_class_count(net), 0);
    assert_null(bp_net_metadata(NULL, "a"));
    assert_null(bp_net_metadata(net, NULL));
    assert_int_equal(bp_net_metadata_count(NULL), 0);
    assert_null(bp_net_metadata_key(NULL, 0));
    assert_null(bp_net_input_name(NULL, 0));
    assert_null(bp_net_class_name(NULL, 0));
    assert_int_equal(bp_net_class_count(NULL), 0);
    bp_free(NULL);
    bp_net_destroy(net);
    bp_net_destroy(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_error_signal_rule), cmocka_unit_test(test_other_dtype),
        cmocka_unit_test(test_damage),     cmocka_unit_test(test_strange_files),     cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
