/* bp_trainer_save and bp_trainer_load: the marked part of a trainer, its net and its optimizer as the tensors of a safetensors file. */
#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "data/dataset.h"
#include "model/net_tensors.h"
#include "net/packing.h"
#include "train/trainer.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char version[] = "1";

enum {
    PLACE_COUNT = sizeof(bp_trainer_place) / sizeof(uint64_t),
    VALUE_COUNT = sizeof(bp_trainer_values) / sizeof(double),
    NAME_SIZE = 64,
};

/* Blocks of memory that live as long as a file is written or read. */
typedef struct blocks {
    size_t n;
    void *block[3 + 2 * BP_MAX_STATES];
} blocks;

static void *keep(blocks *kept, size_t bytes)
{
    return kept->block[kept->n++] = bp_allocate(bytes ? bytes : 1, 1);
}

static void release(blocks *kept)
{
    while (kept->n > 0) {
        free(kept->block[--kept->n]);
    }
}

static bp_tensor_type element_type(const bp_net *net)
{
    return net->dtype == BP_F32 ? BP_TENSOR_F32 : BP_TENSOR_F64;
}

/* What a net is, for comparing: "f32 64 inputs, 32 tanh with bias, 10 softmax with bias, gradient rule". Freed by free; NULL without memory. */
static char *describe(const bp_net *net)
{
    enum { LAYER_SIZE = 80 };
    char *text = malloc((net->n_layers + 2) * LAYER_SIZE), *at = text;
    if (text) {
        at += sprintf(at, "%s %zu inputs", bp_dtype_name(net->dtype), net->n_inputs);
        for (size_t l = 0; l < net->n_layers; l++) {
            const bp_layer *layer = net->layers[l];
            at += sprintf(at, ", %zu %s%s", layer->n_outputs, bp_activation_name(layer->activation), layer->has_bias ? " with bias" : "");
        }
        sprintf(at, ", %s rule", bp_rule_name(net->rule));
    }
    return text;
}

/* ---- save ---- */

static bool add_f64(bp_tensors *file, const char *name, size_t n, const void *numbers)
{
    return bp_tensors_add(file, name, BP_TENSOR_F64, 1, &n, numbers);
}

static bool add_u64(bp_tensors *file, const char *name, size_t n, const void *numbers)
{
    return bp_tensors_add(file, name, BP_TENSOR_U64, 1, &n, numbers);
}

/* A packed copy of a vector that is stored as the net's parameters are. */
static bool add_packed(bp_tensors *file, const char *name, const bp_net *net, const void *stored, blocks *kept)
{
    void *packed = keep(kept, net->parameter_count * bp_dtype_size(net->dtype));
    if (!packed) {
        return false;
    }
    bp_parameters_pack(net, stored, packed);
    return bp_tensors_add(file, name, element_type(net), 1, &net->parameter_count, packed);
}

/* A method's states, from the optimizer or from a snapshot of it. */
static bool add_states(bp_tensors *file, const char *prefix, const bp_trainer *t, void *const *states, blocks *kept)
{
    char name[NAME_SIZE];
    bool done = true;
    for (size_t i = 0; done && i < BP_MAX_STATES; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(t->opt, i);
        const void *elements = states ? states[i] : state.elements;
        sprintf(name, "%s.state.%zu", prefix, i);
        if (state.n > 0 && state.is_stored) {
            done = add_packed(file, name, t->net, elements, kept);
        } else if (state.n > 0) {
            done = bp_tensors_add(file, name, element_type(t->net), 1, &state.n, elements);
        }
    }
    return done;
}

static bool add_texts(bp_tensors *file, const bp_trainer *t)
{
    char samples[NAME_SIZE];
    sprintf(samples, "%zu", bp_trainer_samples(t));
    bool done = bp_tensors_add_text(file, "checkpoint", version) && bp_tensors_add_text(file, "method", bp_method_name(t->opt->method)) &&
                bp_tensors_add_text(file, "loss", bp_loss_name(t->loss)) && bp_tensors_add_text(file, "samples", samples);
    if (done && t->has_schedule) {
        done = bp_tensors_add_text(file, "schedule", bp_schedule_kind_name(t->schedule.kind));
    }
    return done;
}

static bool add_all(bp_tensors *file, const bp_trainer *t, const uint64_t *steps, blocks *kept)
{
    const size_t history[2] = {(size_t)t->place.epoch, BP_HISTORY_COUNT};
    bool done = bp_net_to_tensors("bp_trainer_save", t->net, file, &kept->block[kept->n]) == BP_OK;
    kept->n += done;
    done = done && add_texts(file, t) && add_states(file, "optimizer", t, NULL, kept) &&
           add_f64(file, "optimizer.settings", BP_OPTIMIZER_SETTING_COUNT, t->opt->settings) &&
           add_u64(file, "optimizer.steps", 2, steps) && add_f64(file, "trainer.settings", BP_TRAINER_SETTING_COUNT, t->settings) &&
           add_u64(file, "trainer.place", PLACE_COUNT, &t->place) && add_f64(file, "trainer.values", VALUE_COUNT, &t->values) &&
           bp_tensors_add(file, "history", BP_TENSOR_F64, 2, history, t->history);
    if (done && t->has_schedule) {
        done = add_f64(file, "schedule.settings", BP_SCHEDULE_SETTING_COUNT, t->schedule.settings) &&
               add_f64(file, "schedule.state", BP_SCHEDULE_STATE_COUNT, t->schedule.state);
    }
    if (done && t->place.best_epoch != UINT64_MAX) {
        done = add_packed(file, "best.parameters", t->net, t->best, kept);
    }
    if (done && t->place.sample > 0) {
        done = add_packed(file, "epoch_start.parameters", t->net, t->start.parameters, kept) &&
               add_states(file, "epoch_start", t, t->start.states, kept) && add_u64(file, "epoch_start.steps", 1, &t->start.n_steps);
    }
    return done;
}

bp_status bp_trainer_save(const bp_trainer *t, const char *path)
{
    if (!bp_is(t, BP_HANDLE_TRAINER)) {
        return bp_fail_handle(__func__, "trainer", t, BP_HANDLE_TRAINER);
    }
    if (!path) {
        return bp_fail_null(__func__, "path");
    }
    if (bp_trainer_is_whole_at_epochs(t) && t->place.sample > 0) {
        return bp_fail(BP_ERROR_STATE, "%s: in the middle of epoch %llu, where parameters differ between ranks", __func__,
                       (unsigned long long)t->place.epoch + 1);
    }
    if (!bp_trainer_is_finite(t)) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: a parameter of the net is NaN or infinite; nothing is written", __func__);
    }
    const uint64_t steps[2] = {t->opt->n_steps, t->opt->seed};
    blocks kept = {0};
    bp_tensors *file = bp_tensors_create();
    bp_status status = file && add_all(file, t, steps, &kept) ? bp_tensors_save(__func__, file, path) : bp_fail_memory(__func__);
    bp_tensors_destroy(file);
    release(&kept);
    return status;
}

/* ---- load ---- */

/* What a file holds, before anything is changed. */
typedef struct loaded {
    const char *function, *path;
    bp_tensors *file;
    bp_snapshot latest, start;
    void *best;
    double optimizer_settings[BP_OPTIMIZER_SETTING_COUNT], settings[BP_TRAINER_SETTING_COUNT];
    uint64_t steps[2];
    bp_trainer_place place;
    bp_trainer_values values;
    bool has_schedule;
    bp_schedule schedule;
    double *history;
} loaded;

static bp_status fail_format(const loaded *in, const char *name)
{
    return bp_fail(BP_ERROR_FORMAT, "%s: %.200s: %s is missing or not as a checkpoint of this version has it", in->function, in->path,
                   name);
}

/* The file's text under key is the expected one. */
static bp_status check_text(const loaded *in, const char *key, const char *expected)
{
    const char *text = bp_tensors_text(in->file, key);
    if (!text) {
        return fail_format(in, key);
    }
    return strcmp(text, expected) == 0 ? BP_OK
                                       : bp_fail(BP_ERROR_STATE, "%s: %.200s: the %s is %.160s; the trainer has %.160s", in->function,
                                                 in->path, key, text, expected);
}

static bp_status check_version(const loaded *in)
{
    const char *of_version = bp_tensors_text(in->file, "checkpoint");
    if (!of_version) {
        return bp_fail(BP_ERROR_FORMAT, "%s: %.200s: this file is not a checkpoint", in->function, in->path);
    }
    if (strcmp(of_version, version) != 0) {
        return bp_fail(BP_ERROR_FORMAT, "%s: %.200s: the checkpoint's version is %.20s; this library reads version %s", in->function,
                       in->path, of_version, version);
    }
    return BP_OK;
}

static bp_status check_texts(const loaded *in, const bp_trainer *t)
{
    char samples[NAME_SIZE];
    sprintf(samples, "%zu", bp_trainer_samples(t));
    bp_status status = check_text(in, "method", bp_method_name(t->opt->method));
    if (status == BP_OK) {
        status = check_text(in, "loss", bp_loss_name(t->loss));
    }
    if (status == BP_OK) {
        status = check_text(in, "samples", samples);
    }
    return status;
}

static bool are_same(const bp_net_scaling *a, const bp_net_scaling *b, size_t bytes)
{
    if (!a->offset || !b->offset) {
        return !a->offset && !b->offset;
    }
    return memcmp(a->offset, b->offset, bytes) == 0 && memcmp(a->scale, b->scale, bytes) == 0;
}

static bp_status compare_nets(const loaded *in, const bp_net *saved, const bp_net *net)
{
    char *of_file = describe(saved), *of_trainer = describe(net);
    size_t element = bp_dtype_size(net->dtype);
    bp_status status = of_file && of_trainer ? BP_OK : bp_fail_memory(in->function);
    if (status == BP_OK && strcmp(of_file, of_trainer) != 0) {
        status =
            bp_fail(BP_ERROR_STATE, "%s: %.200s: the net is %.120s; the trainer has %.120s", in->function, in->path, of_file, of_trainer);
    } else if (status == BP_OK && !are_same(&saved->input_scaling, &net->input_scaling, net->n_inputs * element)) {
        status = bp_fail(BP_ERROR_STATE, "%s: %.200s: the net scales its inputs in another way than the trainer's", in->function, in->path);
    } else if (status == BP_OK && !are_same(&saved->output_scaling, &net->output_scaling, bp_net_output_count(net) * element)) {
        status =
            bp_fail(BP_ERROR_STATE, "%s: %.200s: the net scales its outputs in another way than the trainer's", in->function, in->path);
    }
    free(of_file);
    free(of_trainer);
    return status;
}

/* The parameters of the file's net, which is like the trainer's. */
static bp_status read_net(const loaded *in, const bp_net *net, void *stored)
{
    bp_net *saved = NULL;
    bp_status status = bp_net_from_tensors(in->function, in->path, in->file, (bp_dtype)0, false, &saved);
    if (status == BP_OK) {
        status = compare_nets(in, saved, net);
    }
    if (status == BP_OK) {
        memcpy(stored, saved->parameters, bp_parameter_bytes(net));
    }
    bp_net_destroy(saved);
    return status;
}

static bp_status read_numbers(const loaded *in, const char *name, bp_tensor_type type, size_t n, void *numbers)
{
    const void *data = bp_tensors_find(in->file, name, type, 1, &n);
    if (!data) {
        return fail_format(in, name);
    }
    memcpy(numbers, data, n * sizeof(double));
    return BP_OK;
}

/* n elements of the net's dtype. */
static bp_status find_elements(const loaded *in, const char *name, const bp_net *net, size_t n, const void **data)
{
    *data = bp_tensors_find(in->file, name, element_type(net), 1, &n);
    return *data ? BP_OK : fail_format(in, name);
}

static bp_status read_packed(const loaded *in, const char *name, const bp_net *net, void *stored)
{
    const void *data;
    bp_status status = find_elements(in, name, net, net->parameter_count, &data);
    if (status == BP_OK) {
        bp_parameters_unpack(net, data, stored);
    }
    return status;
}

/* Parameters are finite; a method's state need not be. */
static bp_status check_finite(const loaded *in, const char *name, const bp_net *net, const void *stored)
{
    return bp_parameters_are_finite(net, stored)
               ? BP_OK
               : bp_fail(BP_ERROR_NONFINITE, "%s: %.200s: %s has NaN or infinity", in->function, in->path, name);
}

static bp_status read_parameters(const loaded *in, const char *name, const bp_net *net, void *stored)
{
    bp_status status = read_packed(in, name, net, stored);
    return status == BP_OK ? check_finite(in, name, net, stored) : status;
}

static bp_status read_states(const loaded *in, const char *prefix, const bp_trainer *t, void *const *states)
{
    char name[NAME_SIZE];
    bp_status status = BP_OK;
    for (size_t i = 0; status == BP_OK && i < BP_MAX_STATES; i++) {
        bp_optimizer_state state = bp_optimizer_get_state(t->opt, i);
        sprintf(name, "%s.state.%zu", prefix, i);
        const void *data;
        if (state.n > 0 && state.is_stored) {
            status = read_packed(in, name, t->net, states[i]);
        } else if (state.n > 0) {
            status = find_elements(in, name, t->net, state.n, &data);
            if (status == BP_OK) {
                memcpy(states[i], data, state.n * bp_dtype_size(t->net->dtype));
            }
        }
    }
    return status;
}

static bp_status read_schedule(loaded *in)
{
    const char *kind = bp_tensors_text(in->file, "schedule");
    in->has_schedule = kind;
    in->schedule.handle = BP_HANDLE_SCHEDULE;
    if (!kind) {
        return BP_OK;
    }
    bp_status status = bp_schedule_kind_from_name(kind, &in->schedule.kind) == BP_OK ? BP_OK : fail_format(in, "schedule");
    if (status == BP_OK) {
        status = read_numbers(in, "schedule.settings", BP_TENSOR_F64, BP_SCHEDULE_SETTING_COUNT, in->schedule.settings);
    }
    if (status == BP_OK) {
        status = read_numbers(in, "schedule.state", BP_TENSOR_F64, BP_SCHEDULE_STATE_COUNT, in->schedule.state);
    }
    return status == BP_OK && !bp_schedule_is_valid(&in->schedule) ? fail_format(in, "schedule.settings") : status;
}

/* Numbers by which training is steered are in their ranges, whoever wrote them. */
static bp_status check_numbers(const loaded *in, const bp_trainer *t)
{
    const bp_trainer_place *place = &in->place;
    const bp_trainer_values *values = &in->values;
    bool has_best = place->best_epoch != UINT64_MAX;
    bool good = place->sample <= bp_trainer_samples(t) && (!has_best || place->best_epoch < place->epoch) &&
                place->best_is_in_net <= has_best &&
                (place->pending == BP_STOP_NONE || place->pending == BP_STOP_PATIENCE || place->pending == BP_STOP_TARGET);
    if (!good) {
        return fail_format(in, "trainer.place");
    }
    if (!isfinite(values->loss_sum) || !(values->seconds >= 0) || !(values->base_rate >= 0 && values->base_rate <= DBL_MAX)) {
        return fail_format(in, "trainer.values");
    }
    if (bp_trainer_check_settings(in->function, t, in->settings) != BP_OK) {
        return fail_format(in, "trainer.settings");
    }
    bp_status status = bp_optimizer_check_settings(in->function, t->opt, in->optimizer_settings);
    if (status != BP_OK) {
        return status == BP_ERROR_MEMORY ? status : fail_format(in, "optimizer.settings");
    }
    if (bp_trainer_is_whole_at_epochs(t) && place->sample > 0) {
        return bp_fail(BP_ERROR_STATE, "%s: %.200s: the checkpoint is in the middle of epoch %llu; with after_step it is of an epoch's end",
                       in->function, in->path, (unsigned long long)place->epoch + 1);
    }
    /* the rate that a schedule changes will be the optimizer's */
    double scheduled[BP_OPTIMIZER_SETTING_COUNT];
    memcpy(scheduled, in->optimizer_settings, sizeof scheduled);
    scheduled[BP_OPTIMIZER_LEARNING_RATE] = values->base_rate;
    return bp_optimizer_check_settings(in->function, t->opt, scheduled) == BP_OK ? BP_OK : fail_format(in, "trainer.values");
}

static bp_status read_history(loaded *in)
{
    const size_t shape[2] = {(size_t)in->place.epoch, BP_HISTORY_COUNT};
    const void *data = bp_tensors_find(in->file, "history", BP_TENSOR_F64, 2, shape);
    if (!data) {
        return fail_format(in, "history");
    }
    size_t bytes = shape[0] * BP_HISTORY_COUNT * sizeof(double);
    in->history = malloc(bytes ? bytes : 1);
    if (!in->history) {
        return bp_fail_memory(in->function);
    }
    memcpy(in->history, data, bytes);
    return BP_OK;
}

static bp_status read_all(loaded *in, const bp_trainer *t)
{
    bp_status status = check_version(in);
    if (status == BP_OK) {
        status = read_net(in, t->net, in->latest.parameters);
    }
    if (status == BP_OK) {
        status = check_texts(in, t);
    }
    if (status == BP_OK) {
        status = read_numbers(in, "trainer.settings", BP_TENSOR_F64, BP_TRAINER_SETTING_COUNT, in->settings);
    }
    if (status == BP_OK) {
        status = read_numbers(in, "trainer.place", BP_TENSOR_U64, PLACE_COUNT, &in->place);
    }
    if (status == BP_OK) {
        status = read_numbers(in, "trainer.values", BP_TENSOR_F64, VALUE_COUNT, &in->values);
    }
    if (status == BP_OK) {
        status = read_numbers(in, "optimizer.settings", BP_TENSOR_F64, BP_OPTIMIZER_SETTING_COUNT, in->optimizer_settings);
    }
    if (status == BP_OK) {
        status = read_numbers(in, "optimizer.steps", BP_TENSOR_U64, 2, in->steps);
    }
    if (status == BP_OK) {
        status = read_schedule(in);
    }
    if (status == BP_OK) {
        status = check_numbers(in, t);
    }
    if (status == BP_OK) {
        status = read_history(in);
    }
    if (status == BP_OK) {
        status = read_states(in, "optimizer", t, in->latest.states);
    }
    if (status == BP_OK && in->place.best_epoch != UINT64_MAX) {
        status = read_parameters(in, "best.parameters", t->net, in->best);
    }
    if (status == BP_OK && in->place.sample > 0) {
        status = read_parameters(in, "epoch_start.parameters", t->net, in->start.parameters);
        if (status == BP_OK) {
            status = read_states(in, "epoch_start", t, in->start.states);
        }
        if (status == BP_OK) {
            status = read_numbers(in, "epoch_start.steps", BP_TENSOR_U64, 1, &in->start.n_steps);
        }
    }
    return status;
}

/* Nothing here can fail. */
static void take(bp_trainer *t, loaded *in)
{
    double threads = t->settings[BP_TRAINER_THREADS];
    in->latest.n_steps = in->steps[0];
    bp_snapshot_restore(&in->latest, t->net, t->opt);
    t->opt->seed = in->steps[1];
    memcpy(t->opt->settings, in->optimizer_settings, sizeof in->optimizer_settings);
    bp_optimizer_settle_kind(t->opt);
    memcpy(t->settings, in->settings, sizeof in->settings);
    t->settings[BP_TRAINER_THREADS] = threads;
    t->has_schedule = in->has_schedule;
    t->schedule = in->schedule;
    t->place = in->place;
    t->values = in->values;
    t->order_epoch = UINT64_MAX;
    t->stop = BP_STOP_NONE;
    bp_snapshot start = t->start;
    void *best = t->best;
    double *history = t->history;
    t->start = in->start;
    t->best = in->best;
    t->history = in->history;
    t->history_capacity = (size_t)in->place.epoch;
    in->start = start;
    in->best = best;
    in->history = history;
    if (t->place.epoch > 0) {
        const double *last = t->history + (t->place.epoch - 1) * BP_HISTORY_COUNT;
        memcpy(t->metrics[0], last + BP_HISTORY_TRAINING_LOSS, sizeof t->metrics[0]);
        memcpy(t->metrics[1], last + BP_HISTORY_VALIDATION_LOSS, sizeof t->metrics[1]);
    } else {
        bp_trainer_clear_metrics(t);
    }
}

/* The trainer is as the file says, which ends with this; together: if all ranks can. */
static bp_status load(const char *function, bp_trainer *t, const char *path, bp_tensors *file, bool together)
{
    loaded in = {.function = function, .path = path, .file = file};
    in.best = bp_allocate(bp_parameter_bytes(t->net), 1);
    bool room = bp_snapshot_allocate(&in.latest, t->net, t->opt) && bp_snapshot_allocate(&in.start, t->net, t->opt) && in.best;
    bp_status status = room ? read_all(&in, t) : bp_fail_memory(function);
    if (together) {
        status = t->parallel.agree(t->parallel.context, status, 0, NULL);
    }
    if (status == BP_OK) {
        take(t, &in);
    }
    bp_snapshot_release(&in.latest);
    bp_snapshot_release(&in.start);
    free(in.best);
    free(in.history);
    bp_tensors_destroy(file);
    return status;
}

bp_status bp_trainer_load(bp_trainer *t, const char *path)
{
    bp_status status = bp_trainer_check_idle(__func__, t);
    if (status == BP_OK && !path) {
        status = bp_fail_null(__func__, "path");
    }
    bp_tensors *file = NULL;
    if (status == BP_OK) {
        status = bp_tensors_load(__func__, path, true, &file);
    }
    return status == BP_OK ? load(__func__, t, path, file, false) : status;
}

static bp_status load_memory(const char *function, bp_trainer *t, const void *bytes, size_t size, bool together)
{
    static const char name[] = "the checkpoint";
    bp_status status = bp_trainer_check_idle(function, t);
    if (status == BP_OK && !bytes) {
        status = bp_fail_null(function, "bytes");
    }
    bp_tensors *file = NULL;
    if (status == BP_OK) {
        status = bp_tensors_load_memory(function, name, bytes, size, true, &file);
    }
    if (status != BP_OK) {
        return together ? t->parallel.agree(t->parallel.context, status, 0, NULL) : status;
    }
    return load(function, t, name, file, together);
}

bp_status bp_trainer_load_memory(bp_trainer *t, const void *bytes, size_t size)
{
    return load_memory(__func__, t, bytes, size, false);
}

bp_status bp_trainer_load_together(bp_trainer *t, const void *bytes, size_t size)
{
    return load_memory(__func__, t, bytes, size, bp_is(t, BP_HANDLE_TRAINER) && t->is_parallel);
}
