/* Any number of threads gives the bits of one: parameters and history; also when it changes between runs, and with a checkpoint of another number. */
#include "net/workspace.h"
#include "train/session.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 150, WIDE = 160 };

static bp_dataset *training, *validation;

static int make_data(void **state)
{
    (void)state;
    training = make_classes(SAMPLES, 1);
    validation = make_classes(70, 2);
    return 0;
}

static int free_data(void **state)
{
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return remove_files(state);
}

/* A net of which every thread has its part. */
static session open_wide(bp_method method, double batch, uint64_t seed)
{
    session s = {
        .net = make_net(REAL_DTYPE, INPUTS, 3, (const size_t[]){WIDE, WIDE, CLASSES}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, seed)};
    must(bp_optimizer_create(&s.opt, method, s.net));
    must(bp_trainer_create(&s.trainer, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, training));
    must(bp_trainer_set_validation(s.trainer, validation));
    must(bp_net_set_dropout(s.net, 0, 0.2));
    must(bp_net_set_input_noise(s.net, 0.1));
    set(&s, BP_TRAINER_BATCH_SIZE, batch);
    set(&s, BP_TRAINER_TRAINING_METRICS, 1);
    set(&s, BP_TRAINER_PATIENCE, 1);
    set(&s, BP_TRAINER_LABEL_SMOOTHING, 0.1);
    return s;
}

/* On to this many epochs, on threads that are always worth it. */
static void run_on(session *s, double epochs, double threads)
{
    set(s, BP_TRAINER_THREADS, threads);
    set(s, BP_TRAINER_EPOCHS, 0);
    run(s, BP_STOP_EPOCHS); /* makes the workspace */
    assert_int_equal(bp_workspace_threads(s->trainer->ws), threads);
    s->trainer->ws->hand_over = 0;
    set(s, BP_TRAINER_EPOCHS, epochs);
    must(bp_trainer_run(s->trainer));
}

static void test_same_bits(void **state)
{
    (void)state;
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_ADAM, BP_METHOD_NESTEROV};
    const double batches[] = {1, 32, SAMPLES};
    for (size_t i = 0; i < 9; i++) {
        session alone = open_wide(methods[i / 3], batches[i % 3], 3);
        run_on(&alone, 3, 1);
        for (double threads = 2; threads <= 3; threads++) {
            char what[80];
            session s = open_wide(methods[i / 3], batches[i % 3], 3), resumed = open_wide(methods[i / 3], batches[i % 3], 4);
            sprintf(what, "%s, batch %g, %g threads", bp_method_name(methods[i / 3]), batches[i % 3], threads);
            run_on(&s, 1, 1);
            run_on(&s, 2, threads);
            must(bp_trainer_save(s.trainer, file_path("checkpoint")));
            run_on(&s, 3, threads);
            expect_same(what, &alone, &s);
            set(&resumed, BP_TRAINER_THREADS, 5 - threads);
            must(bp_trainer_load(resumed.trainer, file_path("checkpoint")));
            double kept;
            must(bp_trainer_get(resumed.trainer, BP_TRAINER_THREADS, &kept));
            assert_true(kept == 5 - threads);
            run_on(&resumed, 3, kept);
            expect_same(what, &alone, &resumed);
            close_session(&s);
            close_session(&resumed);
        }
        close_session(&alone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits)};
    return cmocka_run_group_tests(tests, make_data, free_data);
}
