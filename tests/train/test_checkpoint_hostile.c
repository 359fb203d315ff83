/* Files with a valid checksum that somebody has made up: what does not belong together, or is out of range, is refused. */
#include "model/safetensors.h"
#include "train/refusal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const text_names[] = {"format",     "version", "library", "activations", "rule",
                                         "checkpoint", "method",  "loss",    "samples",     "schedule"};

static const char *const tensor_names[] = {
    "layers.0.weight",    "layers.0.bias",   "layers.1.weight",  "layers.1.bias",          "optimizer.state.0",   "optimizer.state.1",
    "optimizer.settings", "optimizer.steps", "trainer.settings", "trainer.place",          "trainer.values",      "history",
    "schedule.settings",  "schedule.state",  "best.parameters",  "epoch_start.parameters", "epoch_start.state.0", "epoch_start.state.1",
    "epoch_start.steps",
};

enum { TEXTS = sizeof text_names / sizeof *text_names, TENSORS = sizeof tensor_names / sizeof *tensor_names };

/* The good file again, with a valid checksum, but for what is done to the part of this name. */
typedef struct change {
    const char *name;
    enum { NOTHING, LEAVE_OUT, LONGER, FLATTEN, OTHER_TYPE, TEXT, NUMBER, COUNT } what;
    const char *text;
    size_t index; /* of the number */
    double number;
    uint64_t count;
} change;

static void add_changed(bp_tensors *file, const bp_tensor *tensor, const change *c, void *copy)
{
    size_t shape[BP_TENSOR_MAX_DIMENSIONS], n_dimensions = tensor->n_dimensions;
    bp_tensor_type type = tensor->type;
    memcpy(copy, tensor->data, tensor->size);
    memcpy(shape, tensor->shape, sizeof shape);
    if (c->what == LONGER) {
        shape[0]++;
    } else if (c->what == FLATTEN) {
        shape[n_dimensions++] = 1;
    } else if (c->what == OTHER_TYPE) {
        type = type == BP_TENSOR_F32 ? BP_TENSOR_I32 : BP_TENSOR_I64;
    } else if (c->what == COUNT) {
        ((uint64_t *)copy)[c->index] = c->count;
    } else if (c->what == NUMBER && type == BP_TENSOR_F32) {
        ((float *)copy)[c->index] = (float)c->number;
    } else if (c->what == NUMBER) {
        ((double *)copy)[c->index] = c->number;
    }
    assert_true(bp_tensors_add(file, tensor->name, type, n_dimensions, shape, copy));
}

static void write_changed(const change *c)
{
    bp_tensors *from, *to = bp_tensors_create();
    void *copies[TENSORS] = {0};
    must(bp_tensors_load("test", good(), true, &from));
    for (size_t i = 0; i < TEXTS; i++) {
        bool here = strcmp(text_names[i], c->name) == 0;
        if (!here || c->what != LEAVE_OUT) {
            assert_true(bp_tensors_add_text(to, text_names[i], here && c->what == TEXT ? c->text : bp_tensors_text(from, text_names[i])));
        }
    }
    for (size_t i = 0; i < TENSORS; i++) {
        bool here = strcmp(tensor_names[i], c->name) == 0;
        const bp_tensor *tensor = bp_tensors_get(from, tensor_names[i]);
        assert_non_null(tensor);
        if (!here || c->what != LEAVE_OUT) {
            copies[i] = calloc(1, tensor->size + 1024);
            add_changed(to, tensor, here ? c : &(change){0}, copies[i]);
        }
    }
    must(bp_tensors_save("test", to, file_path("bad")));
    bp_tensors_destroy(to);
    bp_tensors_destroy(from);
    for (size_t i = 0; i < TENSORS; i++) {
        free(copies[i]);
    }
}

static void refuse_changed(const change *c, bp_status status, const char *word)
{
    char what[120];
    write_changed(c);
    sprintf(what, "%s, change %d, index %zu, %g, %llx", c->name, (int)c->what, c->index, c->number, (unsigned long long)c->count);
    refuse(what, file_path("bad"), status, word);
}

static void test_missing_parts(void **state)
{
    (void)state;
    write_changed(&(change){.name = ""}); /* these are all parts */
    expect_same_file("rewritten", good(), file_path("bad"));
    const char *const words[TEXTS - 1] = {"not a net",        "not a net", NULL,   "no layer", "rule",
                                          "not a checkpoint", "method",    "loss", "samples"};
    for (size_t i = 0; i < TEXTS - 1; i++) {
        if (words[i]) { /* the library's version may be missing */
            refuse_changed(&(change){.name = text_names[i], .what = LEAVE_OUT}, BP_ERROR_FORMAT, words[i]);
        }
    }
    const struct {
        bp_status status;
        const char *word;
    } of_layers[4][4] = {
        {{BP_ERROR_FORMAT, "missing"}, {BP_ERROR_FORMAT, "layers.1"}, {BP_ERROR_FORMAT, "dimensions"}, {BP_ERROR_UNSUPPORTED, "neither"}},
        {{BP_ERROR_STATE, "the net is"}, {BP_ERROR_FORMAT, "elements"}, {BP_ERROR_FORMAT, "dimensions"}, {BP_ERROR_UNSUPPORTED, "neither"}},
        {{BP_ERROR_FORMAT, "missing"}, {BP_ERROR_FORMAT, "layers.1"}, {BP_ERROR_FORMAT, "dimensions"}, {BP_ERROR_UNSUPPORTED, "neither"}},
        {{BP_ERROR_STATE, "the net is"}, {BP_ERROR_FORMAT, "elements"}, {BP_ERROR_FORMAT, "dimensions"}, {BP_ERROR_UNSUPPORTED, "neither"}},
    };
    for (size_t i = 0; i < 4; i++) {
        for (unsigned what = LEAVE_OUT; what <= OTHER_TYPE; what++) {
            refuse_changed(&(change){.name = tensor_names[i], .what = what}, of_layers[i][what - LEAVE_OUT].status,
                           of_layers[i][what - LEAVE_OUT].word);
        }
    }
    for (size_t i = 4; i < TENSORS; i++) {
        for (unsigned what = LEAVE_OUT; what <= OTHER_TYPE; what++) {
            bool of_schedule = strncmp(tensor_names[i], "schedule", 8) == 0;
            refuse_changed(&(change){.name = tensor_names[i], .what = what}, BP_ERROR_FORMAT, of_schedule ? "schedule" : tensor_names[i]);
        }
    }
}

static void test_other_texts(void **state)
{
    (void)state;
    const struct {
        const char *name, *text;
        bp_status status;
        const char *word;
    } cases[] = {
        {"format", "pt", BP_ERROR_FORMAT, "not a net"},
        {"version", "2", BP_ERROR_UNSUPPORTED, "version is 2; this library reads version 1"},
        {"version", "", BP_ERROR_UNSUPPORTED, "version"},
        {"checkpoint", "2", BP_ERROR_FORMAT, "version is 2; this library reads version 1"},
        {"activations", "[\"relu\",\"softmax\"]", BP_ERROR_STATE, "7 relu"},
        {"activations", "[\"tanh\"", BP_ERROR_FORMAT, "activations"},
        {"activations", "[1,2]", BP_ERROR_FORMAT, "activations"},
        {"activations", "[\"swish\",\"softmax\"]", BP_ERROR_UNSUPPORTED, "activation"},
        {"rule", "hebb", BP_ERROR_UNSUPPORTED, "hebb"},
        {"method", "custom", BP_ERROR_STATE, "the method is custom"},
        {"loss", "huber", BP_ERROR_STATE, "the loss is huber"},
        {"samples", "30 ", BP_ERROR_STATE, "samples"},
        {"schedule", "sometimes", BP_ERROR_FORMAT, "schedule"},
        {"schedule", "cosine", BP_ERROR_FORMAT, "schedule"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse_changed(&(change){.name = cases[i].name, .what = TEXT, .text = cases[i].text}, cases[i].status, cases[i].word);
    }
}

/* In the order of bp_trainer_place. */
enum { EPOCH, SAMPLE, BEST_EPOCH, BAD_EPOCHS, HALVINGS, PENDING, BEST_IS_IN_NET };

static void test_hostile_place(void **state)
{
    (void)state;
    const struct {
        size_t index;
        uint64_t count;
    } cases[] = {
        {EPOCH, 0},
        {EPOCH, 2},
        {EPOCH, (uint64_t)1 << 60},
        {EPOCH, UINT64_MAX},
        {SAMPLE, SAMPLES + 1},
        {SAMPLE, UINT64_MAX},
        {BEST_EPOCH, 1},
        {BEST_EPOCH, (uint64_t)1 << 60},
        {PENDING, 1},
        {PENDING, 4},
        {PENDING, 99},
        {PENDING, UINT64_MAX},
        {BEST_IS_IN_NET, 2},
        {BEST_IS_IN_NET, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse_changed(&(change){.name = "trainer.place", .what = COUNT, .index = cases[i].index, .count = cases[i].count}, BP_ERROR_FORMAT,
                       cases[i].index == EPOCH && cases[i].count > 0 ? "history" : "trainer.place");
    }
}

static void test_hostile_numbers(void **state)
{
    (void)state;
    const double nan = (double)NAN, infinity = (double)INFINITY;
    const struct {
        const char *name;
        size_t index;
        double number;
        bp_status status;
    } cases[] = {
        {"trainer.settings", BP_TRAINER_EPOCHS, nan, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_BATCH_SIZE, 0, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_BATCH_SIZE, 31, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_SEED, 0.5, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_SHUFFLE, 2, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_LABEL_SMOOTHING, 1, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_MONITOR, 6, BP_ERROR_FORMAT},
        {"trainer.settings", BP_TRAINER_HALVINGS, -1, BP_ERROR_FORMAT},
        {"trainer.values", 0, nan, BP_ERROR_FORMAT},
        {"trainer.values", 1, nan, BP_ERROR_FORMAT},
        {"trainer.values", 1, -1, BP_ERROR_FORMAT},
        {"trainer.values", 2, nan, BP_ERROR_FORMAT},
        {"trainer.values", 2, -0.5, BP_ERROR_FORMAT},
        {"trainer.values", 2, infinity, BP_ERROR_FORMAT},
        {"optimizer.settings", BP_OPTIMIZER_LEARNING_RATE, nan, BP_ERROR_FORMAT},
        {"optimizer.settings", BP_OPTIMIZER_LEARNING_RATE, -1, BP_ERROR_FORMAT},
        {"optimizer.settings", BP_OPTIMIZER_BETA1, 1, BP_ERROR_FORMAT},
        {"optimizer.settings", BP_OPTIMIZER_EPSILON, 0, BP_ERROR_FORMAT},
        {"schedule.settings", BP_SCHEDULE_FACTOR, 2, BP_ERROR_FORMAT},
        {"schedule.settings", BP_SCHEDULE_PATIENCE, nan, BP_ERROR_FORMAT},
        {"schedule.settings", BP_SCHEDULE_WARM_UP, 1e300, BP_ERROR_FORMAT},
        {"schedule.settings", BP_SCHEDULE_DIVISOR, 0, BP_ERROR_FORMAT},
        {"schedule.state", 0, nan, BP_ERROR_FORMAT},
        {"schedule.state", 1, -1, BP_ERROR_FORMAT},
        {"schedule.state", 2, infinity, BP_ERROR_FORMAT},
        {"schedule.state", 3, -1e300, BP_ERROR_FORMAT},
        {"layers.0.weight", 0, nan, BP_ERROR_NONFINITE},
        {"layers.1.bias", 2, infinity, BP_ERROR_NONFINITE},
        {"best.parameters", 5, -infinity, BP_ERROR_NONFINITE},
        {"epoch_start.parameters", 1, nan, BP_ERROR_NONFINITE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *word = strncmp(cases[i].name, "schedule", 8) == 0 ? "schedule"
                           : strncmp(cases[i].name, "layers", 6) == 0 ? "layers"
                                                                      : cases[i].name;
        refuse_changed(&(change){.name = cases[i].name, .what = NUMBER, .index = cases[i].index, .number = cases[i].number},
                       cases[i].status, word);
    }
}

/* What cannot be known to be wrong is taken, and ends in a run that trains or says that it diverged. */
static void test_strange_state(void **state)
{
    (void)state;
    const change changes[] = {
        {.name = "optimizer.state.1", .what = NUMBER, .index = 3, .number = (double)NAN},
        {.name = "optimizer.state.0", .what = NUMBER, .index = 3, .number = (double)INFINITY},
        {.name = "optimizer.steps", .what = COUNT, .index = 0, .count = UINT64_MAX},
        {.name = "history", .what = NUMBER, .index = 2, .number = (double)NAN},
        {.name = "trainer.place", .what = COUNT, .index = SAMPLE, .count = 7},
        {.name = "trainer.place", .what = COUNT, .index = SAMPLE, .count = SAMPLES},
        {.name = "trainer.place", .what = COUNT, .index = BAD_EPOCHS, .count = UINT64_MAX},
        {.name = "trainer.place", .what = COUNT, .index = HALVINGS, .count = UINT64_MAX},
        {.name = "trainer.place", .what = COUNT, .index = BEST_IS_IN_NET, .count = 1},
        {.name = "schedule.state", .what = NUMBER, .index = 3, .number = 1e300},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        write_changed(&changes[i]);
        session s = open_session(training, BP_METHOD_ADAM, 8);
        must(bp_trainer_load(s.trainer, file_path("bad")));
        set(&s, BP_TRAINER_EPOCHS, 4);
        bp_status status = bp_trainer_run(s.trainer);
        if (status != BP_OK && status != BP_ERROR_DIVERGED) {
            fail_msg("change %zu: %s", i, bp_last_error());
        }
        must(bp_trainer_save(s.trainer, file_path("after"))); /* parameters are finite */
        close_session(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_parts),   cmocka_unit_test(test_other_texts),   cmocka_unit_test(test_hostile_place),
        cmocka_unit_test(test_hostile_numbers), cmocka_unit_test(test_strange_state),
    };
    return cmocka_run_group_tests(tests, make_good, free_good);
}
