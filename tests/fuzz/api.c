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

/* Objects with which the calls that need many can begin at once. */
void call_ready(void)
{
    unsigned how = take();
    (void)how;
}

static void (*const calls[API_CALL_COUNT])(void) = {
#define CALL(name) call_##name,
    API_CALLS(CALL)
#undef CALL
};

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
    enum { MOST_CALLS = 100 };
    begin_input(bytes, size);
    for (int i = 0; i < MOST_CALLS && has_input(); i++) {
        calls[take() % API_CALL_COUNT]();
        for (int k = 0; k < NETS; k++) {
            check_parameters(&nets[k]);
        }
        free_scratch();
    }
    clear_all();
    return 0;
}
