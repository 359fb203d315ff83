/* Checkpoints, loaded into a small trainer: it is as before, or goes on from there. */
#include "fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 6, INPUTS = 2, HIDDEN = 2, CLASSES = 2, PARAMETERS = HIDDEN * (INPUTS + 1) + CLASSES * (HIDDEN + 1) };

static void must(bp_status status)
{
    check(status == BP_OK, "that the trainer can be made");
}

typedef struct session {
    bp_dataset *data;
    bp_net *net;
    bp_optimizer *opt;
    bp_trainer *trainer;
} session;

static session open_session(void)
{
    static const float x[SAMPLES * INPUTS] = {0, 0, 0, 1, 1, 0, 1, 1, -1, 0, 0, -1};
    static const uint32_t classes[SAMPLES] = {0, 1, 1, 0, 1, 1};
    session s;
    must(bp_dataset_create_classes_f32(&s.data, SAMPLES, INPUTS, CLASSES, x, classes));
    must(bp_net_create(&s.net, BP_F32, INPUTS));
    must(bp_net_add_dense(s.net, HIDDEN, BP_ACTIVATION_TANH, 1));
    must(bp_net_add_dense(s.net, CLASSES, BP_ACTIVATION_SOFTMAX, 1));
    must(bp_net_initialize(s.net, BP_INITIALIZER_GLOROT_UNIFORM, 1));
    must(bp_optimizer_create(&s.opt, BP_METHOD_ADAM, s.net));
    must(bp_trainer_create(&s.trainer, s.net, s.opt, BP_LOSS_CROSS_ENTROPY, s.data));
    return s;
}

static void close_session(const session *s)
{
    bp_trainer_destroy(s->trainer);
    bp_optimizer_destroy(s->opt);
    bp_net_destroy(s->net);
    bp_dataset_destroy(s->data);
}

static bool load(const session *s, const uint8_t *bytes, size_t size)
{
    memory_file file = open_file(bytes, size);
    bool done = succeeded("bp_trainer_load", bp_trainer_load(s->trainer, file.path));
    close_file(&file);
    return done;
}

/* It can train for one epoch, be saved, and what is saved be loaded. */
static void go_on(const session *s)
{
    size_t n = bp_trainer_epoch_count(s->trainer);
    for (size_t epoch = 0; epoch < n; epoch++) {
        for (int column = 0; bp_history_name((bp_history)column); column++) {
            double value;
            must(bp_trainer_history(s->trainer, (bp_history)column, epoch, &value));
        }
    }
    must(bp_trainer_set(s->trainer, BP_TRAINER_EPOCHS, (double)n + 1));
    must(bp_trainer_set(s->trainer, BP_TRAINER_HALVINGS, 1)); /* any number of them could be in the file, and be used */
    if (!succeeded("bp_trainer_run", bp_trainer_run(s->trainer))) {
        check(bp_trainer_stop(s->trainer) == BP_STOP_NONE, "that a run that failed has no reason to stop");
    }
    must(bp_trainer_save(s->trainer, path_of("checkpoint")));
    session other = open_session();
    must(bp_trainer_load(other.trainer, path_of("checkpoint")));
    close_session(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = repair_tensors(bytes, size);
    session s = open_session();
    float before[PARAMETERS], after[PARAMETERS];
    must(bp_net_get_parameters_f32(s.net, before));
    if (load(&s, copy, size)) {
        go_on(&s);
    } else {
        must(bp_net_get_parameters_f32(s.net, after));
        check(memcmp(before, after, sizeof before) == 0 && bp_trainer_epoch_count(s.trainer) == 0, "that a refused file changes nothing");
    }
    close_session(&s);
    free(copy);
    return 0;
}
