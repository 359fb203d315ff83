/* Any sequence of calls, each of which must return what the model of its objects says, and change nothing else. */
#include "fuzz/api.h"

net_slot nets[NETS];
workspace_slot workspaces[WORKSPACES];
optimizer_slot optimizers[OPTIMIZERS];
dataset_slot datasets[DATASETS];
trainer_slot trainers[TRAINERS];

/* The NULL of each kind is a slot that stays empty. */
#define TAKE(name, slots, count)                                                                                                           \
    name##_slot *take_##name(void)                                                                                                         \
    {                                                                                                                                      \
        static name##_slot none;                                                                                                           \
        unsigned byte = take();                                                                                                            \
        none = (name##_slot){0};                                                                                                           \
        return byte >= 0xF8 ? &none : &slots[byte % (count)];                                                                              \
    }

TAKE(net, nets, NETS)
TAKE(workspace, workspaces, WORKSPACES)
TAKE(optimizer, optimizers, OPTIMIZERS)
TAKE(dataset, datasets, DATASETS)
TAKE(trainer, trainers, TRAINERS)

static void (*const calls[API_CALL_COUNT])(void) = {
#define CALL(name) call_##name,
    API_CALLS(CALL)
#undef CALL
};

static void make_call(void)
{
    calls[take() % API_CALL_COUNT]();
    for (int i = 0; i < NETS; i++) {
        check_parameters(&nets[i]);
    }
    free_scratch();
}

static void make_calls(const uint8_t *bytes, size_t size)
{
    const uint8_t *rest;
    size_t rest_size = rest_of_input(&rest);
    begin_input(bytes, size);
    while (has_input()) {
        make_call();
    }
    begin_input(rest, rest_size);
}

/* What most calls need: a net of two layers with a workspace, an optimizer, data and a trainer. */
void call_ready(void)
{
    enum { SAMPLES = 11, GLOROT = BP_INITIALIZER_GLOROT_UNIFORM, WITH_TARGETS = 0x20, ZERO_OR_ONE = 10 };
    static const uint8_t outputs[] = {BP_ACTIVATION_SOFTMAX, BP_ACTIVATION_SIGMOID, BP_ACTIVATION_IDENTITY, BP_ACTIVATION_TANH};
    uint8_t how = (uint8_t)take(), hidden = (uint8_t)(take() % BP_ACTIVATION_SOFTMAX), method = (uint8_t)take(), sizes = (uint8_t)take();
    uint8_t slot = how % NETS, f64 = how >> 2 & 1, output = outputs[how >> 3 & 3], trainer = slot % TRAINERS;
    uint8_t n_inputs = sizes % 7, n_hidden = sizes / 7 % 6, n_outputs = sizes / 42,
            style = output == BP_ACTIVATION_SIGMOID ? ZERO_OR_ONE : 0;
    const uint8_t of_net[] = {
        API_trainer_destroy,
        trainer,
        API_net_create,
        slot,
        f64,
        0,
        n_inputs,
        API_net_add_dense,
        slot,
        hidden,
        0,
        n_hidden,
        API_net_add_dense,
        slot,
        output,
        0,
        n_outputs,
        API_net_initialize,
        slot,
        GLOROT,
        how,
        API_workspace_create,
        slot,
        slot,
        0,
        SAMPLES,
        API_optimizer_create,
        slot,
        slot,
        0,
        method,
        method,
    };
    const uint8_t of_numbers[] = {API_dataset_create, slot, f64, 0, WITH_TARGETS, SAMPLES, n_inputs, n_outputs, 0, how, style, how};
    const uint8_t of_classes[] = {API_dataset_create_classes, slot, f64, 0, SAMPLES, n_inputs, n_outputs, how, 0, how};
    const uint8_t of_trainer[] = {API_trainer_create, trainer, slot, slot, slot, 1, 0};
    make_calls(of_net, sizeof of_net);
    how >> 5 & 1 ? make_calls(of_classes, sizeof of_classes) : make_calls(of_numbers, sizeof of_numbers);
    make_calls(of_trainer, sizeof of_trainer);
}

static void clear_all(void)
{
    for (int i = 0; i < TRAINERS; i++) {
        clear_trainer(&trainers[i]);
    }
    for (int i = 0; i < NETS; i++) { /* the others may live longer than their net */
        check_net(&nets[i]);
        clear_net(&nets[i]);
    }
    for (int i = 0; i < WORKSPACES; i++) {
        clear_workspace(&workspaces[i]);
    }
    for (int i = 0; i < OPTIMIZERS; i++) {
        clear_optimizer(&optimizers[i]);
    }
    for (int i = 0; i < DATASETS; i++) {
        clear_dataset(&datasets[i]);
    }
    clear_schedules();
    clear_layers();
    free_scratch();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { MOST_CALLS = 50 };
    begin_input(bytes, size);
    allow_threads(bytes, size);
    for (int i = 0; i < MOST_CALLS && has_input(); i++) {
        make_call();
    }
    clear_all();
    return 0;
}
