#define _POSIX_C_SOURCE 200809L /* mkdtemp */

#include "misuse/world.h"

#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUTS = 2, OUTPUTS = 2, SAMPLES = 4, BATCH = 4, PARAMETERS = 17 };

static const char *const types[KIND_COUNT] = {"bp_csv_reader", "bp_dataset",  "bp_layer",   "bp_net",
                                              "bp_optimizer",  "bp_schedule", "bp_trainer", "bp_workspace"};
static const char *const names[] = {"first", "second"};

static const float x_f32[SAMPLES * INPUTS] = {0.1f, 0.2f, 0.3f, -0.4f, 0.5f, 0.6f, -0.7f, 0.8f};
static const double x_f64[SAMPLES * INPUTS] = {0.1, 0.2, 0.3, -0.4, 0.5, 0.6, -0.7, 0.8};
static const uint32_t classes[SAMPLES] = {0, 1, 0, 1};

struct world {
    void *objects[2][KIND_COUNT], *others[2][KIND_COUNT];
    bp_net *empty_net[2];
    bp_layer *empty_layer[2];
    FILE *stream;
    bp_progress progress;
};

/* ---- files ---- */

enum { CSV, NPY, MODEL, CHECKPOINT, FANN, ONNX, FILE_COUNT };

static const char *const file_names[FILE_COUNT] = {"csv", "npy", "model", "checkpoint", "fann", "onnx"};
static char folder[] = "/tmp/bp_misuse_XXXXXX";
static char paths[FILE_COUNT][64];
static void *file_bytes[FILE_COUNT];
static size_t file_sizes[FILE_COUNT];

static const char csv_text[] = "1,2\n3,4\n5,7\n";
static const char fann_text[] =
    "FANN_FLO_2.1\nnum_layers=2\nconnection_rate=1\nnetwork_type=0\nlayer_sizes=2 2 \nscale_included=0\n"
    "neurons (num_inputs, activation_function, activation_steepness)=(0, 0, 0) (0, 0, 0) (2, 0, 0.5) (0, 0, 0) \n"
    "connections (connected_to_neuron, weight)=(0, 2.5e+0) (1, -1) \n";

static void write_text(int file, const char *text)
{
    FILE *f = fopen(paths[file], "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void read_bytes(int file)
{
    FILE *f = fopen(paths[file], "rb");
    if (!f) {
        return; /* onnx, in a build without it */
    }
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    file_sizes[file] = (size_t)ftell(f);
    rewind(f);
    file_bytes[file] = malloc(file_sizes[file]);
    assert_non_null(file_bytes[file]);
    assert_int_equal(fread(file_bytes[file], 1, file_sizes[file], f), file_sizes[file]);
    fclose(f);
}

int folder_begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    for (int i = 0; i < FILE_COUNT; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, file_names[i]);
    }
    write_text(CSV, csv_text);
    write_text(FANN, fann_text);
    must(bp_write_npy_f32(paths[NPY], SAMPLES, INPUTS, x_f32));
    world *w = world_create();
    must(bp_net_save(w->objects[0][NET], paths[MODEL]));
    must(bp_trainer_save(w->objects[0][TRAINER], paths[CHECKPOINT]));
    if (bp_has_feature("onnx")) {
        must(bp_net_export_onnx(w->objects[0][NET], paths[ONNX]));
    }
    world_destroy(w);
    for (int i = 0; i < FILE_COUNT; i++) {
        read_bytes(i);
    }
    return 0;
}

int folder_end(void **state)
{
    (void)state;
    for (int i = 0; i < FILE_COUNT; i++) {
        remove(paths[i]);
        free(file_bytes[i]);
    }
    return rmdir(folder);
}

const char *new_file(void)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/new", folder);
    return path;
}

/* ---- objects ---- */

static bp_net *named_net(bp_dtype dtype, uint64_t seed)
{
    bp_net *net = make_net(dtype, INPUTS, 2, (const size_t[]){3, OUTPUTS}, BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, 1, seed);
    must(bp_net_set_input_names(net, names));
    must(bp_net_set_class_names(net, OUTPUTS, names));
    must(bp_net_set_metadata(net, "name", "text"));
    return net;
}

static bp_dataset *make_dataset(bp_dtype dtype, size_t n_inputs)
{
    bp_dataset *dataset;
    must(dtype == BP_F32 ? bp_dataset_create_classes_f32(&dataset, SAMPLES, n_inputs, OUTPUTS, x_f32, classes)
                         : bp_dataset_create_classes_f64(&dataset, SAMPLES, n_inputs, OUTPUTS, x_f64, classes));
    return dataset;
}

static bp_trainer *trained_trainer(bp_net *net, bp_optimizer *opt, const bp_dataset *dataset)
{
    bp_trainer *trainer;
    must(bp_trainer_create(&trainer, net, opt, BP_LOSS_MSE, dataset));
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 1));
    must(bp_trainer_run(trainer));
    return trainer;
}

world *world_create(void)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (int i = 0; i < 2; i++) {
        bp_dtype dtype = i ? BP_F64 : BP_F32;
        void **objects = w->objects[i], **others = w->others[i];
        objects[NET] = named_net(dtype, 1);
        others[NET] = named_net(dtype, 2);
        must(bp_net_create(&w->empty_net[i], dtype, INPUTS));
        must(bp_net_add_dense(w->empty_net[i], OUTPUTS, BP_ACTIVATION_TANH, 1));
        must(bp_net_layer(w->empty_net[i], 0, &w->empty_layer[i]));
        must(bp_workspace_create((bp_workspace **)&objects[WORKSPACE], objects[NET], BATCH));
        must(bp_workspace_create((bp_workspace **)&others[WORKSPACE], others[NET], BATCH));
        must(bp_optimizer_create((bp_optimizer **)&objects[OPTIMIZER], BP_METHOD_ADAM, objects[NET]));
        must(bp_optimizer_create((bp_optimizer **)&others[OPTIMIZER], BP_METHOD_ADAM, others[NET]));
        must(bp_layer_create((bp_layer **)&objects[LAYER], dtype, INPUTS, OUTPUTS, BP_ACTIVATION_TANH, 1));
        objects[DATASET] = make_dataset(dtype, INPUTS);
        others[DATASET] = make_dataset(dtype, 1);
        objects[TRAINER] = trained_trainer(objects[NET], objects[OPTIMIZER], objects[DATASET]);
        objects[SCHEDULE] = object_create(w, SCHEDULE);
        objects[CSV_READER] = object_create(w, CSV_READER);
    }
    w->stream = fopen("/dev/null", "w");
    assert_non_null(w->stream);
    static const double metrics[BP_METRIC_R2 + 1];
    w->progress = (bp_progress){.size = sizeof w->progress, .is_epoch_end = 1, .batches = 1, .n_metrics = BP_METRIC_R2 + 1};
    w->progress.training = w->progress.validation = metrics;
    return w;
}

void world_destroy(world *w)
{
    static const int order[] = {TRAINER, OPTIMIZER, WORKSPACE, NET, LAYER, DATASET, SCHEDULE, CSV_READER};
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < KIND_COUNT; k++) {
            object_destroy(order[k], w->objects[i][order[k]]);
            object_destroy(order[k], w->others[i][order[k]]);
        }
        bp_net_destroy(w->empty_net[i]);
    }
    fclose(w->stream);
    free(w);
}

int kind_of(const char *type)
{
    const char *name = strncmp(type, "const ", 6) == 0 ? type + 6 : type;
    int kind = 0;
    while (kind < KIND_COUNT && (strncmp(name, types[kind], strlen(types[kind])) != 0 || name[strlen(types[kind])] != ' ')) {
        kind++;
    }
    return kind;
}

void *world_object(const world *w, bool is_f64, int kind)
{
    return w->objects[is_f64][kind];
}

void *world_other(const world *w, bool is_f64, int kind)
{
    return w->others[is_f64][kind];
}

void *world_empty(const world *w, bool is_f64, int kind)
{
    return kind == NET ? (void *)w->empty_net[is_f64] : kind == LAYER ? (void *)w->empty_layer[is_f64] : NULL;
}

void *object_create(const world *w, int kind)
{
    void *const *from = w->objects[0];
    void *made = NULL;
    switch (kind) {
    case CSV_READER:
        must(bp_csv_reader_create((bp_csv_reader **)&made));
        break;
    case DATASET:
        return make_dataset(BP_F32, INPUTS);
    case LAYER:
        must(bp_layer_create((bp_layer **)&made, BP_F32, INPUTS, OUTPUTS, BP_ACTIVATION_TANH, 1));
        break;
    case NET:
        return named_net(BP_F32, 3);
    case OPTIMIZER:
        must(bp_optimizer_create((bp_optimizer **)&made, BP_METHOD_ADAM, from[NET]));
        break;
    case SCHEDULE:
        must(bp_schedule_create((bp_schedule **)&made, BP_SCHEDULE_PLATEAU));
        break;
    case TRAINER:
        must(bp_trainer_create((bp_trainer **)&made, from[NET], from[OPTIMIZER], BP_LOSS_MSE, from[DATASET]));
        break;
    default:
        must(bp_workspace_create((bp_workspace **)&made, from[NET], BATCH));
    }
    return made;
}

void object_destroy(int kind, void *object)
{
    switch (kind) {
    case CSV_READER:
        bp_csv_reader_destroy(object);
        break;
    case DATASET:
        bp_dataset_destroy(object);
        break;
    case LAYER:
        bp_layer_destroy(object);
        break;
    case NET:
        bp_net_destroy(object);
        break;
    case OPTIMIZER:
        bp_optimizer_destroy(object);
        break;
    case SCHEDULE:
        bp_schedule_destroy(object);
        break;
    case TRAINER:
        bp_trainer_destroy(object);
        break;
    default:
        bp_workspace_destroy(object);
    }
}

static bp_status begin_epoch(void *context, uint64_t epoch, const bp_dataset **samples)
{
    (void)context, (void)epoch, (void)samples;
    return BP_OK;
}

static bp_status agree(void *context, bp_status status, size_t n, double *values)
{
    (void)context, (void)n, (void)values;
    return status;
}

static bp_status end_run(void *context, bp_status status)
{
    (void)context;
    return status;
}

/* A single rank, with more samples than any dataset here has. */
static const bp_data_parallel parallel = {
    .size = sizeof parallel, .n_ranks = 1, .n_samples = 1000, .begin_epoch = begin_epoch, .agree = agree, .end_run = end_run};

value world_thing(const world *w, bool is_f64, const char *name)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        size_t length = strlen(file_names[i]);
        if (strncmp(name, file_names[i], length) != 0) {
            continue;
        }
        if (!name[length]) {
            return (value){.pointer = paths[i]};
        }
        if (strcmp(name + length, "_bytes") == 0) {
            return (value){.pointer = file_bytes[i] ? file_bytes[i] : paths[i]};
        }
        if (strcmp(name + length, "_size") == 0) {
            return (value){.size = file_sizes[i]};
        }
    }
    if (strcmp(name, "null") == 0) {
        return (value){.pointer = NULL};
    }
    if (strcmp(name, "empty_net") == 0) {
        return (value){.pointer = w->empty_net[is_f64]};
    }
    if (strcmp(name, "stream") == 0) {
        return (value){.pointer = w->stream};
    }
    if (strcmp(name, "parallel") == 0) {
        return (value){.pointer = (void *)(uintptr_t)&parallel};
    }
    if (strcmp(name, "progress") == 0) {
        return (value){.pointer = (void *)(uintptr_t)&w->progress};
    }
    if (strcmp(name, "new_file") == 0) {
        return (value){.pointer = (void *)(uintptr_t)new_file()};
    }
    return (value){.pointer = (void *)(uintptr_t)name};
}

/* ---- digest ---- */

/* FNV-1a (Fowler, Noll, Vo) */
static void add(uint64_t *digest, size_t size, const void *bytes)
{
    for (size_t i = 0; i < size; i++) {
        *digest = (*digest ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    }
}

static void add_number(uint64_t *digest, double number)
{
    add(digest, sizeof number, &number);
}

static void add_text(uint64_t *digest, const char *text)
{
    add(digest, text ? strlen(text) + 1 : 0, text);
}

static void add_net(uint64_t *digest, const bp_net *net, bp_workspace *ws)
{
    float theta_f32[PARAMETERS], y_f32[SAMPLES * OUTPUTS];
    double theta_f64[PARAMETERS], y_f64[SAMPLES * OUTPUTS], offset[INPUTS], scale[INPUTS];
    assert_int_equal(bp_net_parameter_count(net), PARAMETERS);
    if (bp_net_dtype(net) == BP_F32) {
        must(bp_net_get_parameters_f32(net, theta_f32));
        must(bp_net_predict_f32(net, ws, SAMPLES, x_f32, y_f32));
        add(digest, sizeof theta_f32, theta_f32);
        add(digest, sizeof y_f32, y_f32);
    } else {
        must(bp_net_get_parameters_f64(net, theta_f64));
        must(bp_net_predict_f64(net, ws, SAMPLES, x_f64, y_f64));
        must(bp_net_get_input_scaling_f64(net, offset, scale));
        add(digest, sizeof theta_f64, theta_f64);
        add(digest, sizeof y_f64, y_f64);
        add(digest, sizeof offset, offset);
        add(digest, sizeof scale, scale);
    }
    add_number(digest, bp_net_rule(net));
    add_number(digest, bp_net_has_input_scaling(net) + 2 * bp_net_has_output_scaling(net));
    add_number(digest, bp_net_dropout(net, 0));
    add_number(digest, bp_net_input_noise(net));
    add_number(digest, bp_net_is_frozen(net, 0) + 2 * bp_net_is_frozen(net, 1));
    add_text(digest, bp_net_input_name(net, 0));
    add_text(digest, bp_net_class_name(net, 1));
    add_text(digest, bp_net_metadata_key(net, 0));
    add_text(digest, bp_net_metadata(net, "name"));
    add_number(digest, (double)bp_net_metadata_count(net));
    add_number(digest, (double)bp_workspace_max_batch(ws));
    add_number(digest, (double)bp_workspace_threads(ws));
}

static void add_empty(uint64_t *digest, const bp_net *net)
{
    add_number(digest, bp_net_is_initialized(net));
    add_number(digest, (double)bp_net_layer_count(net));
    add_number(digest, (double)bp_net_output_count(net));
    add_number(digest, bp_net_has_input_scaling(net));
    add_number(digest, bp_net_input_noise(net));
    add_number(digest, (double)bp_net_metadata_count(net));
    add_text(digest, bp_net_input_name(net, 0));
}

static void add_optimizer(uint64_t *digest, const bp_optimizer *opt)
{
    for (int s = BP_OPTIMIZER_LEARNING_RATE; s <= BP_OPTIMIZER_HISTORY; s++) {
        double value = 0;
        bp_optimizer_get(opt, (bp_optimizer_setting)s, &value);
        add_number(digest, value);
    }
    add_number(digest, (double)bp_optimizer_step_count(opt));
    add_number(digest, (double)bp_optimizer_seed(opt));
}

static void add_layer(uint64_t *digest, const bp_layer *layer)
{
    float W_f32[OUTPUTS * INPUTS], b_f32[OUTPUTS];
    double W_f64[OUTPUTS * INPUTS], b_f64[OUTPUTS];
    if (bp_layer_dtype(layer) == BP_F32) {
        must(bp_layer_get_weights_f32(layer, W_f32, b_f32));
        add(digest, sizeof W_f32, W_f32);
        add(digest, sizeof b_f32, b_f32);
    } else {
        must(bp_layer_get_weights_f64(layer, W_f64, b_f64));
        add(digest, sizeof W_f64, W_f64);
        add(digest, sizeof b_f64, b_f64);
    }
}

static void add_dataset(uint64_t *digest, const bp_dataset *dataset)
{
    size_t n = bp_dataset_sample_count(dataset), n_inputs = bp_dataset_input_count(dataset), n_outputs = bp_dataset_output_count(dataset);
    if (bp_dataset_dtype(dataset) == BP_F32) {
        const float *inputs, *targets;
        must(bp_dataset_inputs_f32(dataset, &inputs));
        must(bp_dataset_targets_f32(dataset, &targets));
        add(digest, n * n_inputs * sizeof *inputs, inputs);
        add(digest, n * n_outputs * sizeof *targets, targets);
    } else {
        const double *inputs, *targets;
        must(bp_dataset_inputs_f64(dataset, &inputs));
        must(bp_dataset_targets_f64(dataset, &targets));
        add(digest, n * n_inputs * sizeof *inputs, inputs);
        add(digest, n * n_outputs * sizeof *targets, targets);
    }
    add(digest, bp_dataset_classes(dataset) ? n * sizeof(uint32_t) : 0, bp_dataset_classes(dataset));
    add(digest, bp_dataset_weights(dataset) ? n * sizeof(double) : 0, bp_dataset_weights(dataset));
}

static void add_trainer(uint64_t *digest, const bp_trainer *trainer)
{
    double value;
    for (int s = BP_TRAINER_EPOCHS; s <= BP_TRAINER_HALVINGS; s++) {
        must(bp_trainer_get(trainer, (bp_trainer_setting)s, &value));
        add_number(digest, value);
    }
    for (int c = BP_HISTORY_LEARNING_RATE; c <= BP_HISTORY_VALIDATION_R2; c++) {
        must(bp_trainer_history(trainer, (bp_history)c, 0, &value));
        add_number(digest, c == BP_HISTORY_SECONDS || isnan(value) ? 0 : value);
    }
    add_number(digest, (double)bp_trainer_epoch_count(trainer));
    add_number(digest, (double)bp_trainer_best_epoch(trainer));
    add_number(digest, bp_trainer_stop(trainer));
}

static void add_schedule(uint64_t *digest, const bp_schedule *schedule)
{
    double value = 0;
    for (int s = BP_SCHEDULE_FACTOR; s <= BP_SCHEDULE_COOLDOWN; s++) {
        bp_schedule_get(schedule, (bp_schedule_setting)s, &value);
        add_number(digest, value);
    }
    must(bp_schedule_learning_rate(schedule, 0.1, 3, &value));
    add_number(digest, value);
}

static void add_reader(uint64_t *digest, const bp_csv_reader *reader)
{
    bp_dataset *dataset;
    must(bp_csv_reader_read_memory(reader, BP_F64, csv_text, sizeof csv_text - 1, &dataset));
    add_dataset(digest, dataset);
    bp_dataset_destroy(dataset);
}

uint64_t world_digest(world *w)
{
    uint64_t digest = 0xcbf29ce484222325u;
    for (int i = 0; i < 2; i++) {
        add_net(&digest, w->objects[i][NET], w->objects[i][WORKSPACE]);
        add_net(&digest, w->others[i][NET], w->others[i][WORKSPACE]);
        add_empty(&digest, w->empty_net[i]);
        add_optimizer(&digest, w->objects[i][OPTIMIZER]);
        add_optimizer(&digest, w->others[i][OPTIMIZER]);
        add_layer(&digest, w->objects[i][LAYER]);
        add_dataset(&digest, w->objects[i][DATASET]);
        add_dataset(&digest, w->others[i][DATASET]);
        add_trainer(&digest, w->objects[i][TRAINER]);
        add_schedule(&digest, w->objects[i][SCHEDULE]);
        add_reader(&digest, w->objects[i][CSV_READER]);
    }
    return digest;
}

void world_forward(world *w)
{
    float y_f32[SAMPLES * OUTPUTS];
    double y_f64[SAMPLES * OUTPUTS];
    must(bp_net_forward_f32(w->objects[0][NET], w->objects[0][WORKSPACE], 2, x_f32, y_f32));
    must(bp_net_forward_f64(w->objects[1][NET], w->objects[1][WORKSPACE], 2, x_f64, y_f64));
}
