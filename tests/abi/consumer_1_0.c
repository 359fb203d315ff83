/*
 * A program as it was compiled with the headers of libbp 1.0: their declarations are written out here as they were, with the symbol versions that
 * the linker then put into the program. It has to run with every later libbp.so.1. Nothing here is ever changed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef enum bp_status { BP_OK = 0, BP_ERROR_ARGUMENT = 1, BP_ERROR_DTYPE = 2, BP_ERROR_FORMAT = 6 } bp_status;
typedef enum bp_dtype { BP_F32 = 1, BP_F64 = 2 } bp_dtype;
typedef enum bp_activation { BP_ACTIVATION_SIGMOID = 1, BP_ACTIVATION_TANH = 2 } bp_activation;
typedef enum bp_initializer { BP_INITIALIZER_GLOROT_UNIFORM = 2 } bp_initializer;
typedef enum bp_loss { BP_LOSS_BINARY_CROSS_ENTROPY = 3 } bp_loss;
typedef enum bp_method { BP_METHOD_SGD = 0, BP_METHOD_ADAM = 5 } bp_method;
typedef enum bp_optimizer_setting { BP_OPTIMIZER_LEARNING_RATE = 0 } bp_optimizer_setting;
typedef enum bp_trainer_setting { BP_TRAINER_EPOCHS = 0 } bp_trainer_setting;
typedef enum bp_progress_when { BP_PROGRESS_EPOCH = 0 } bp_progress_when;
typedef enum bp_stop { BP_STOP_CALLBACK = 5 } bp_stop;

typedef struct bp_net bp_net;
typedef struct bp_workspace bp_workspace;
typedef struct bp_optimizer bp_optimizer;
typedef struct bp_dataset bp_dataset;
typedef struct bp_trainer bp_trainer;

typedef struct bp_progress {
    size_t size;
    int is_epoch_end;
    uint64_t epoch;
    uint64_t epochs;
    uint64_t batch;
    uint64_t batches;
    uint64_t step;
    double learning_rate;
    double training_loss;
    double seconds;
    double samples_per_second;
    double seconds_left;
    size_t n_metrics;
    const double *training;
    const double *validation;
} bp_progress;
typedef int bp_progress_function(void *context, const bp_progress *progress);

const char *bp_last_error(void);
uint32_t bp_version_number(void);
int bp_has_feature(const char *name);
bp_status bp_net_create(bp_net **net, bp_dtype dtype, size_t n_inputs);
bp_status bp_net_add_dense(bp_net *net, size_t n_units, bp_activation activation, int bias);
bp_status bp_net_initialize(bp_net *net, bp_initializer initializer, uint64_t seed);
bp_status bp_net_predict_f32(const bp_net *net, bp_workspace *ws, size_t n, const float *x, float *y);
bp_status bp_net_save_memory(const bp_net *net, void **bytes, size_t *size);
bp_status bp_net_load_memory(bp_net **net, const void *bytes, size_t size);
bp_status bp_net_train_step_f32(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss, size_t batch, const float *x,
                                const float *target, float *mean_loss);
void bp_net_destroy(bp_net *net);
void bp_free(void *memory);
bp_status bp_workspace_create(bp_workspace **ws, const bp_net *net, size_t max_batch);
void bp_workspace_destroy(bp_workspace *ws);
bp_status bp_optimizer_create(bp_optimizer **opt, bp_method method, const bp_net *net);
bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value);
void bp_optimizer_destroy(bp_optimizer *opt);
bp_status bp_dataset_create_f32(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const float *inputs,
                                const float *targets);
void bp_dataset_destroy(bp_dataset *dataset);
bp_status bp_trainer_create(bp_trainer **trainer, bp_net *net, bp_optimizer *opt, bp_loss loss, const bp_dataset *training);
bp_status bp_trainer_set(bp_trainer *trainer, bp_trainer_setting setting, double value);
bp_status bp_trainer_set_progress(bp_trainer *trainer, bp_progress_function *function, void *context, bp_progress_when when);
bp_status bp_trainer_run(bp_trainer *trainer);
bp_stop bp_trainer_stop(const bp_trainer *trainer);
void bp_trainer_destroy(bp_trainer *trainer);

__asm__(".symver bp_last_error, bp_last_error@BP_1.0\n"
        ".symver bp_version_number, bp_version_number@BP_1.0\n"
        ".symver bp_has_feature, bp_has_feature@BP_1.0\n"
        ".symver bp_net_create, bp_net_create@BP_1.0\n"
        ".symver bp_net_add_dense, bp_net_add_dense@BP_1.0\n"
        ".symver bp_net_initialize, bp_net_initialize@BP_1.0\n"
        ".symver bp_net_predict_f32, bp_net_predict_f32@BP_1.0\n"
        ".symver bp_net_save_memory, bp_net_save_memory@BP_1.0\n"
        ".symver bp_net_load_memory, bp_net_load_memory@BP_1.0\n"
        ".symver bp_net_train_step_f32, bp_net_train_step_f32@BP_1.0\n"
        ".symver bp_net_destroy, bp_net_destroy@BP_1.0\n"
        ".symver bp_free, bp_free@BP_1.0\n"
        ".symver bp_workspace_create, bp_workspace_create@BP_1.0\n"
        ".symver bp_workspace_destroy, bp_workspace_destroy@BP_1.0\n"
        ".symver bp_optimizer_create, bp_optimizer_create@BP_1.0\n"
        ".symver bp_optimizer_set, bp_optimizer_set@BP_1.0\n"
        ".symver bp_optimizer_destroy, bp_optimizer_destroy@BP_1.0\n"
        ".symver bp_dataset_create_f32, bp_dataset_create_f32@BP_1.0\n"
        ".symver bp_dataset_destroy, bp_dataset_destroy@BP_1.0\n"
        ".symver bp_trainer_create, bp_trainer_create@BP_1.0\n"
        ".symver bp_trainer_set, bp_trainer_set@BP_1.0\n"
        ".symver bp_trainer_set_progress, bp_trainer_set_progress@BP_1.0\n"
        ".symver bp_trainer_run, bp_trainer_run@BP_1.0\n"
        ".symver bp_trainer_stop, bp_trainer_stop@BP_1.0\n"
        ".symver bp_trainer_destroy, bp_trainer_destroy@BP_1.0\n");

enum { SAMPLES = 4 };

static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, target[] = {0, 1, 1, 0};

static int failures;

static void expect(int is_so, const char *what)
{
    if (!is_so) {
        fprintf(stderr, "consumer_1_0: not so: %s; the latest error is \"%s\"\n", what, bp_last_error());
        failures++;
    }
}

#define EXPECT(condition) expect(condition, #condition)

static void train(bp_net *net, bp_workspace *ws)
{
    bp_optimizer *sgd;
    float first = 0, loss = 0;
    EXPECT(bp_optimizer_create(&sgd, BP_METHOD_SGD, net) == BP_OK);
    EXPECT(bp_optimizer_set(sgd, BP_OPTIMIZER_LEARNING_RATE, 0.5) == BP_OK);
    EXPECT(bp_net_train_step_f32(net, ws, sgd, BP_LOSS_BINARY_CROSS_ENTROPY, SAMPLES, x, target, &first) == BP_OK);
    for (int step = 1; step < 2000; step++) {
        EXPECT(bp_net_train_step_f32(net, ws, sgd, BP_LOSS_BINARY_CROSS_ENTROPY, SAMPLES, x, target, &loss) == BP_OK);
    }
    EXPECT(first > 0.5f && loss < 0.01f);
    bp_optimizer_destroy(sgd);
}

static void predict(const bp_net *net, bp_workspace *ws)
{
    float y[SAMPLES];
    EXPECT(bp_net_predict_f32(net, ws, SAMPLES, x, y) == BP_OK);
    for (int i = 0; i < SAMPLES; i++) {
        EXPECT(y[i] > target[i] - 0.1f && y[i] < target[i] + 0.1f);
    }
}

static void fail(bp_net *net)
{
    bp_net *none = NULL;
    EXPECT(bp_net_add_dense(net, 0, BP_ACTIVATION_TANH, 1) == BP_ERROR_ARGUMENT);
    EXPECT(strstr(bp_last_error(), "bp_net_add_dense") && strstr(bp_last_error(), "units"));
    EXPECT(bp_net_load_memory(&none, "no model", 8) == BP_ERROR_FORMAT && !none);
}

static void save_and_load(const bp_net *net)
{
    void *bytes;
    size_t size;
    bp_net *loaded = NULL;
    bp_workspace *ws;
    EXPECT(bp_net_save_memory(net, &bytes, &size) == BP_OK);
    EXPECT(bp_net_load_memory(&loaded, bytes, size) == BP_OK);
    bp_free(bytes);
    EXPECT(bp_workspace_create(&ws, loaded, SAMPLES) == BP_OK);
    predict(loaded, ws);
    bp_workspace_destroy(ws);
    bp_net_destroy(loaded);
}

static int stop_at_third(void *context, const bp_progress *progress)
{
    EXPECT(progress->size >= sizeof *progress);
    EXPECT(progress->is_epoch_end == 1 && progress->epoch == 1 + *(uint64_t *)context && progress->epochs == 10);
    EXPECT(progress->batch == 1 && progress->batches == 1 && progress->step == progress->epoch);
    EXPECT(progress->learning_rate == 0.001 && progress->training_loss > 0 && progress->training_loss < 0.01);
    EXPECT(progress->seconds >= 0 && progress->samples_per_second > 0 && progress->seconds_left >= 0);
    EXPECT(progress->n_metrics >= 6 && progress->training[0] == progress->training_loss);
    return ++*(uint64_t *)context == 3;
}

static void run(bp_net *net)
{
    bp_dataset *dataset;
    bp_optimizer *adam;
    bp_trainer *trainer;
    uint64_t calls = 0;
    EXPECT(bp_dataset_create_f32(&dataset, SAMPLES, 2, 1, x, target) == BP_OK);
    EXPECT(bp_optimizer_create(&adam, BP_METHOD_ADAM, net) == BP_OK);
    EXPECT(bp_trainer_create(&trainer, net, adam, BP_LOSS_BINARY_CROSS_ENTROPY, dataset) == BP_OK);
    EXPECT(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 10) == BP_OK);
    EXPECT(bp_trainer_set_progress(trainer, stop_at_third, &calls, BP_PROGRESS_EPOCH) == BP_OK);
    EXPECT(bp_trainer_run(trainer) == BP_OK);
    EXPECT(calls == 3 && bp_trainer_stop(trainer) == BP_STOP_CALLBACK);
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(adam);
    bp_dataset_destroy(dataset);
}

int main(void)
{
    bp_net *net;
    bp_workspace *ws;
    EXPECT(bp_version_number() >= 10000 && bp_version_number() < 20000);
    EXPECT(bp_has_feature(NULL) == 0 && bp_has_feature("onnx") <= 1);
    EXPECT(bp_net_create(&net, BP_F32, 2) == BP_OK);
    fail(net);
    EXPECT(bp_net_add_dense(net, 8, BP_ACTIVATION_TANH, 1) == BP_OK);
    EXPECT(bp_net_add_dense(net, 1, BP_ACTIVATION_SIGMOID, 1) == BP_OK);
    EXPECT(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 42) == BP_OK);
    EXPECT(bp_workspace_create(&ws, net, SAMPLES) == BP_OK);
    train(net, ws);
    predict(net, ws);
    save_and_load(net);
    run(net);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    return failures > 0;
}
