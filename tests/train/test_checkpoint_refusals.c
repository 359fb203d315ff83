/* Files that bp_trainer_load refuses, with the reason, while trainer, net and optimizer stay as they were. */
#define _GNU_SOURCE /* truncate */

#include "model/safetensors.h"
#include "train/refusal.h"

#include <stdlib.h>
#include <unistd.h>

static void test_no_file(void **state)
{
    (void)state;
    refuse("missing", file_path("missing"), BP_ERROR_IO, "missing");
    refuse("folder", "/tmp", BP_ERROR_IO, "directory");
    write_bytes(file_path("empty"), "", 0);
    refuse("empty", file_path("empty"), BP_ERROR_FORMAT, "bp_trainer_load");
    write_bytes(file_path("text"), "epoch,loss\n1,2\n", 15);
    refuse("text", file_path("text"), BP_ERROR_FORMAT, "bp_trainer_load");
}

/* A safetensors file that is none of ours. */
static void test_other_safetensors(void **state)
{
    (void)state;
    const double numbers[3] = {1, 2, 3};
    const size_t n = 3;
    bp_tensors *file = bp_tensors_create();
    assert_true(bp_tensors_add(file, "layers.0.weight", BP_TENSOR_F64, 1, &n, numbers));
    must(bp_tensors_save("test", file, file_path("other")));
    bp_tensors_destroy(file);
    refuse("other safetensors", file_path("other"), BP_ERROR_FORMAT, "not a checkpoint");
}

/* ---- the checkpoint of something else ---- */

static void refuse_in(const char *what, bp_net *net, bp_method method, bp_loss loss, const bp_dataset *data, const char *word)
{
    bp_optimizer *opt;
    bp_trainer *trainer;
    must(bp_optimizer_create(&opt, method, net));
    must(bp_trainer_create(&trainer, net, opt, loss, data));
    must(bp_trainer_save(trainer, file_path("before")));
    must_refuse(what, bp_trainer_load(trainer, good()), BP_ERROR_STATE, word);
    must(bp_trainer_save(trainer, file_path("after")));
    expect_same_file(what, file_path("before"), file_path("after"));
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
}

static bp_net *net_of(size_t width, bp_activation hidden, bp_activation output, int bias)
{
    return make_net(REAL_DTYPE, INPUTS, 2, (const size_t[]){width, CLASSES}, hidden, output, bias, 9);
}

static void test_other_trainers(void **state)
{
    (void)state;
    const bp_activation tanh = BP_ACTIVATION_TANH, softmax = BP_ACTIVATION_SOFTMAX;
    const bp_loss loss = BP_LOSS_CROSS_ENTROPY;
    const bp_method adam = BP_METHOD_ADAM;
    bp_dataset *more = make_classes(SAMPLES + 1, 1);
    refuse_in("widths", net_of(8, tanh, softmax, 1), adam, loss, training, "the net is");
    refuse_in("activation", net_of(7, BP_ACTIVATION_RELU, softmax, 1), adam, loss, training, "7 relu");
    refuse_in("bias", net_of(7, tanh, softmax, 0), adam, loss, training, "with bias");
    refuse_in("method", net_of(7, tanh, softmax, 1), BP_METHOD_ADAMW, loss, training, "the method is adam; the trainer has adamw");
    refuse_in("loss", net_of(7, tanh, softmax, 1), adam, BP_LOSS_MSE, training, "the loss is cross_entropy; the trainer has mse");
    refuse_in("samples", net_of(7, tanh, softmax, 1), adam, loss, more, "the samples is 30; the trainer has 31");
    bp_net *net = net_of(7, tanh, BP_ACTIVATION_SIGMOID, 1);
    must(bp_net_set_rule(net, BP_RULE_ERROR_SIGNAL));
    refuse_in("rule", net, adam, BP_LOSS_MSE, training, "error_signal rule");
    net = make_net(REAL_DTYPE, INPUTS, 3, (const size_t[]){7, 7, CLASSES}, tanh, softmax, 1, 9);
    refuse_in("layers", net, adam, loss, training, "the net is");
    net = net_of(7, tanh, softmax, 1);
    must(REAL(bp_net_set_input_scaling)(net, (const real[INPUTS]){1}, (const real[INPUTS]){1, 1}));
    refuse_in("scaling", net, adam, loss, training, "the net scales its inputs in another way");
    bp_dataset_destroy(more);
}

/* Another offset or another factor of one input, in the trainer or in the file. */
static void test_other_scaling(void **state)
{
    (void)state;
    static const real numbers[][2][INPUTS] = {{{1, 2}, {3, 4}}, {{1, 5}, {3, 4}}, {{1, 2}, {3, 5}}};
    for (size_t i = 0; i < 3; i++) {
        bp_net *net = net_of(7, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1);
        bp_optimizer *opt;
        bp_trainer *trainer;
        must(REAL(bp_net_set_input_scaling)(net, numbers[i][0], numbers[i][1]));
        must(bp_optimizer_create(&opt, BP_METHOD_ADAM, net));
        must(bp_trainer_create(&trainer, net, opt, BP_LOSS_CROSS_ENTROPY, training));
        if (i == 0) {
            must(bp_trainer_save(trainer, file_path("scaled")));
            must(bp_trainer_load(trainer, file_path("scaled")));
        } else {
            REFUSED(bp_trainer_load(trainer, file_path("scaled")), BP_ERROR_STATE, "the net scales its inputs in another way");
        }
        bp_trainer_destroy(trainer);
        bp_optimizer_destroy(opt);
        bp_net_destroy(net);
    }
}

static void test_other_dtype(void **state)
{
    (void)state;
    const float x32[SAMPLES * INPUTS] = {1};
    const double x64[SAMPLES * INPUTS] = {1};
    const uint32_t classes[SAMPLES] = {1};
    bp_dataset *data;
    bp_dtype other = REAL_DTYPE == BP_F32 ? BP_F64 : BP_F32;
    must(other == BP_F32 ? bp_dataset_create_classes_f32(&data, SAMPLES, INPUTS, CLASSES, x32, classes)
                         : bp_dataset_create_classes_f64(&data, SAMPLES, INPUTS, CLASSES, x64, classes));
    bp_net *net = make_net(other, INPUTS, 2, (const size_t[]){7, CLASSES}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 9);
    refuse_in("dtype", net, BP_METHOD_ADAM, BP_LOSS_CROSS_ENTROPY, data, bp_dtype_name(other));
    bp_dataset_destroy(data);
}

/* A custom method with another number of elements of state. */
static int do_nothing(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state, real *state)
{
    (void)context, (void)step, (void)rate, (void)n, (void)theta, (void)gradient, (void)n_state, (void)state;
    return 0;
}

static void test_other_state(void **state)
{
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        session s = open_session(training, BP_METHOD_SGD, 3);
        bp_optimizer *opt[2];
        bp_trainer *trainer[2];
        for (size_t i = 0; i < 2; i++) {
            must(REAL(bp_optimizer_create_custom)(&opt[i], s.net, i == 0 ? n : 2, do_nothing, NULL));
            must(bp_trainer_create(&trainer[i], s.net, opt[i], BP_LOSS_CROSS_ENTROPY, training));
        }
        must(bp_trainer_save(trainer[0], file_path("custom")));
        if (n == 2) {
            must(bp_trainer_load(trainer[1], file_path("custom")));
        } else {
            REFUSED(bp_trainer_load(trainer[1], file_path("custom")), BP_ERROR_FORMAT, "optimizer.state.0");
        }
        for (size_t i = 0; i < 2; i++) {
            bp_trainer_destroy(trainer[i]);
            bp_optimizer_destroy(opt[i]);
        }
        close_session(&s);
    }
}

/* ---- damage ---- */

static void test_cut_short(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_bytes(good(), &size);
    session s = open_victim();
    write_bytes(file_path("bad"), bytes, size);
    for (size_t n = size; n-- > 0;) {
        assert_int_equal(truncate(file_path("bad"), (off_t)n), 0);
        if (bp_trainer_load(s.trainer, file_path("bad")) != BP_ERROR_FORMAT) {
            fail_msg("%zu of %zu bytes: %s", n, size, bp_last_error());
        }
    }
    close_victim(&s);
    free(bytes);
}

static void test_longer(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_bytes(good(), &size);
    write_bytes(file_path("bad"), bytes, size + 1);
    refuse("a byte more", file_path("bad"), BP_ERROR_FORMAT, "bad");
    free(bytes);
}

static void test_flipped_bits(void **state)
{
    (void)state;
    size_t size;
    unsigned char *bytes = read_bytes(good(), &size);
    session s = open_victim();
    for (size_t i = 0; i < size; i++) {
        for (int bit = i < 64 ? 0 : (int)(i % 8); bit < 8; bit += i < 64 ? 1 : 8) {
            bytes[i] ^= (unsigned char)(1 << bit);
            write_bytes(file_path("bad"), bytes, size);
            if (bp_trainer_load(s.trainer, file_path("bad")) != BP_ERROR_FORMAT) {
                fail_msg("bit %d of byte %zu of %zu: %s", bit, i, size, bp_last_error());
            }
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    }
    close_victim(&s);
    must(bp_trainer_load((s = open_session(training, BP_METHOD_ADAM, 8)).trainer, good()));
    close_session(&s);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_file),        cmocka_unit_test(test_other_safetensors),
        cmocka_unit_test(test_other_trainers), cmocka_unit_test(test_other_scaling),
        cmocka_unit_test(test_other_dtype),    cmocka_unit_test(test_other_state),
        cmocka_unit_test(test_cut_short),      cmocka_unit_test(test_longer),
        cmocka_unit_test(test_flipped_bits),
    };
    return cmocka_run_group_tests(tests, make_good, free_good);
}
