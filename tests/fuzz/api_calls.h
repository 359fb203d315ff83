/* The calls of the target "api", by the byte that stands for each. New ones come at the end, so that inputs keep their meaning. */
#ifndef BP_TESTS_FUZZ_API_CALLS_H
#define BP_TESTS_FUZZ_API_CALLS_H

#define API_CALLS(X)                                                                                                                       \
    X(net_create)                                                                                                                          \
    X(net_add_dense)                                                                                                                       \
    X(net_initialize)                                                                                                                      \
    X(net_set_rule)                                                                                                                        \
    X(net_set_scaling)                                                                                                                     \
    X(net_set_dropout)                                                                                                                     \
    X(net_set_noise)                                                                                                                       \
    X(net_set_frozen)                                                                                                                      \
    X(net_set_parameters)                                                                                                                  \
    X(net_get_parameters)                                                                                                                  \
    X(net_set_input_names)                                                                                                                 \
    X(net_set_class_names)                                                                                                                 \
    X(net_set_metadata)                                                                                                                    \
    X(net_clone)                                                                                                                           \
    X(net_copy_parameters)                                                                                                                 \
    X(net_destroy)                                                                                                                         \
    X(workspace_create)                                                                                                                    \
    X(workspace_set_threads)                                                                                                               \
    X(workspace_destroy)                                                                                                                   \
    X(net_forward)                                                                                                                         \
    X(net_backward)                                                                                                                        \
    X(net_predict)                                                                                                                         \
    X(net_gradient)                                                                                                                        \
    X(net_train_step)                                                                                                                      \
    X(net_train_online)                                                                                                                    \
    X(twin_training)                                                                                                                       \
    X(optimizer_create)                                                                                                                    \
    X(optimizer_set)                                                                                                                       \
    X(optimizer_get)                                                                                                                       \
    X(optimizer_set_seed)                                                                                                                  \
    X(optimizer_step)                                                                                                                      \
    X(optimizer_destroy)                                                                                                                   \
    X(dataset_create)                                                                                                                      \
    X(dataset_create_classes)                                                                                                              \
    X(dataset_set_weights)                                                                                                                 \
    X(dataset_divide)                                                                                                                      \
    X(dataset_fit_scaling)                                                                                                                 \
    X(dataset_gather)                                                                                                                      \
    X(dataset_destroy)                                                                                                                     \
    X(net_evaluate)                                                                                                                        \
    X(range_test)                                                                                                                          \
    X(cross_validate)                                                                                                                      \
    X(trainer_create)                                                                                                                      \
    X(trainer_set)                                                                                                                         \
    X(trainer_set_parts)                                                                                                                   \
    X(trainer_set_progress)                                                                                                                \
    X(trainer_run)                                                                                                                         \
    X(trainer_resume)                                                                                                                      \
    X(trainer_load)                                                                                                                        \
    X(trainer_destroy)                                                                                                                     \
    X(schedule_create)                                                                                                                     \
    X(schedule_set)                                                                                                                        \
    X(schedule_use)                                                                                                                        \
    X(net_save_load)                                                                                                                       \
    X(net_save_load_file)                                                                                                                  \
    X(net_export_import)                                                                                                                   \
    X(net_export_c)                                                                                                                        \
    X(layer_create)                                                                                                                        \
    X(layer_set_weights)                                                                                                                   \
    X(layer_run)                                                                                                                           \
    X(layer_update)                                                                                                                        \
    X(names)                                                                                                                               \
    X(ready)                                                                                                                               \
    X(frozen_backward)

enum {
#define NUMBER_CALL(name) API_##name,
    API_CALLS(NUMBER_CALL)
#undef NUMBER_CALL
        API_CALL_COUNT
};

#endif
