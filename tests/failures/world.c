#define _GNU_SOURCE

#include "failures/world.h"

#include "data_room/files.h"
#include "train/trainer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

real world_x[SAMPLES * INPUTS], world_target[SAMPLES * OUTPUTS];
uint32_t world_classes[SAMPLES];
const char *const world_input_names[INPUTS] = {"a", "b=x", "b=y"}, *const world_class_names[OUTPUTS] = {"k", "l"};

static const char old_content[] = "what was there before";

const char *world_path(const char *name)
{
    return path_of(name);
}

void *world_bytes(const char *name, size_t *size)
{
    FILE *file = fopen(path_of(name), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

int world_method(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state, real *state)
{
    (void)context;
    (void)step;
    (void)n_state;
    for (size_t i = 0; i < n; i++) {
        state[i] += gradient[i];
        theta[i] -= (real)rate * state[i];
    }
    return 0;
}

/* ---- make ---- */

static void label(bp_net *net)
{
    static const real offset[INPUTS] = {1, 2, 3}, scale[INPUTS] = {1, 1, 2};
    must(bp_net_set_input_names(net, world_input_names));
    must(bp_net_set_class_names(net, OUTPUTS, world_class_names));
    must(REAL(bp_net_set_input_scaling)(net, offset, scale));
    must(bp_net_set_metadata(net, "input_scaling", "standard"));
}

static void make_nets(world *w)
{
    static const size_t widths[] = {HIDDEN, OUTPUTS};
    static const real offset[OUTPUTS] = {1, -1}, scale[OUTPUTS] = {2, (real)0.5};
    w->net = make_net(REAL_DTYPE, INPUTS, 2, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 1);
    label(w->net);
    must(bp_net_set_dropout(w->net, 0, 0.25));
    must(bp_net_set_input_noise(w->net, 0.01));
    w->curve = make_net(REAL_DTYPE, INPUTS, 2, widths, BP_ACTIVATION_SIGMOID, BP_ACTIVATION_IDENTITY, 1, 2);
    must(REAL(bp_net_set_output_scaling)(w->curve, offset, scale));
    must(bp_net_create(&w->bare, REAL_DTYPE, INPUTS));
    must(bp_net_add_dense(w->bare, HIDDEN, BP_ACTIVATION_RELU, 0));
    must(bp_layer_create(&w->layer, REAL_DTYPE, INPUTS, OUTPUTS, BP_ACTIVATION_TANH, 1));
    must(REAL(bp_layer_set_weights)(w->layer, world_x, world_target));
    must(bp_net_layer(w->net, 0, &w->lent));
    must(bp_workspace_create(&w->ws, w->net, BATCH));
    must(bp_workspace_create(&w->curve_ws, w->curve, BATCH));
}

static void make_optimizers(world *w)
{
    must(bp_optimizer_create(&w->opt, BP_METHOD_ADAM, w->net));
    must(bp_optimizer_create(&w->sgd, BP_METHOD_SGD, w->net));
    must(REAL(bp_optimizer_create_custom)(&w->custom, w->net, bp_net_parameter_count(w->net), world_method, NULL));
    if (bp_has_feature("lbfgs")) {
        must(bp_optimizer_create(&w->lbfgs, BP_METHOD_LBFGS, w->curve));
    }
    must(bp_schedule_create(&w->schedule, BP_SCHEDULE_PLATEAU));
}

static void make_datasets(world *w)
{
    static const double weights[SAMPLES] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
    must(REAL(bp_dataset_create_classes)(&w->training, SAMPLES, INPUTS, OUTPUTS, world_x, world_classes));
    must(bp_dataset_set_weights(w->training, weights));
    must(REAL(bp_dataset_create)(&w->curves, SAMPLES, INPUTS, OUTPUTS, world_x, world_target));
    must(bp_dataset_read_pair(&w->mapped, path_of("images"), path_of("labels"), REAL_DTYPE, OUTPUTS));
    must(bp_csv_reader_create(&w->reader));
    must(bp_csv_reader_set_header(w->reader, BP_CSV_HEADER_NAMES));
    must(bp_csv_reader_set_one_hot_inputs(w->reader, 1));
    must(bp_csv_reader_set_missing(w->reader, BP_CSV_MISSING_MEAN));
    must(bp_csv_reader_set_class_column(w->reader, -1));
}

static void make_trainer(world *w)
{
    static const double weights[OUTPUTS] = {1, 3};
    must(bp_trainer_create(&w->trainer, w->net, w->opt, BP_LOSS_CROSS_ENTROPY, w->training));
    must(bp_trainer_set_validation(w->trainer, w->mapped));
    must(bp_trainer_set_class_weights(w->trainer, weights));
    must(bp_trainer_set_schedule(w->trainer, w->schedule));
    must(bp_trainer_set(w->trainer, BP_TRAINER_EPOCHS, 3));
    must(bp_trainer_set(w->trainer, BP_TRAINER_BATCH_SIZE, 5));
    must(bp_trainer_set(w->trainer, BP_TRAINER_PATIENCE, 100));
}

void world_open(world *w)
{
    *w = (world){.value = 0};
    make_nets(w);
    make_optimizers(w);
    make_datasets(w);
    make_trainer(w);
    if (access(path_of("checkpoint"), F_OK) == 0) { /* always the same seconds */
        must(bp_trainer_load(w->trainer, path_of("checkpoint")));
    }
    const char *const written[] = {"out", "new", "log"};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) { /* some file systems wait for the disk where a file is made shorter */
        remove(path_of(written[i]));
    }
    write_text("out", old_content);
    assert_int_equal(chmod(path_of("out"), 0640), 0);
    w->log = fopen(path_of("log"), "w");
    assert_non_null(w->log);
    if (access(path_of("model"), F_OK) == 0) {
        w->model = world_bytes("model", &w->model_size);
        w->onnx = bp_has_feature("onnx") ? world_bytes("model.onnx", &w->onnx_size) : NULL;
    }
}

void world_close(world *w)
{
    fclose(w->log);
    bp_trainer_destroy(w->made_trainer);
    bp_trainer_destroy(w->trainer);
    bp_schedule_destroy(w->made_schedule);
    bp_schedule_destroy(w->schedule);
    bp_csv_reader_destroy(w->made_reader);
    bp_csv_reader_destroy(w->reader);
    bp_dataset *const datasets[] = {w->made[0], w->made[1], w->mapped, w->curves, w->training};
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++) {
        bp_dataset_destroy(datasets[i]);
    }
    bp_optimizer *const optimizers[] = {w->made_opt, w->lbfgs, w->custom, w->sgd, w->opt};
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        bp_optimizer_destroy(optimizers[i]);
    }
    bp_workspace_destroy(w->made_ws);
    bp_workspace_destroy(w->curve_ws);
    bp_workspace_destroy(w->ws);
    bp_layer_destroy(w->made_layer);
    bp_layer_destroy(w->layer);
    bp_net_destroy(w->made_net);
    bp_net_destroy(w->bare);
    bp_net_destroy(w->curve);
    bp_net_destroy(w->net);
    bp_free(w->bytes);
    free(w->model);
    free(w->onnx);
}

int world_prepare(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    unsigned char images[16 + SAMPLES * INPUTS] = {0, 0, 8, 2, 0, 0, 0, SAMPLES, 0, 0, 0, INPUTS};
    unsigned char labels[8 + SAMPLES] = {0, 0, 8, 1, 0, 0, 0, SAMPLES};
    for (size_t i = 0; i < SAMPLES; i++) {
        world_classes[i] = i % 3 == 1;
        labels[8 + i] = (unsigned char)world_classes[i];
        for (size_t j = 0; j < INPUTS; j++) {
            world_x[i * INPUTS + j] = (real)number(i * INPUTS + j);
            images[12 + i * INPUTS + j] = (unsigned char)((7 * i + 3 * j) % 5);
        }
        for (size_t k = 0; k < OUTPUTS; k++) {
            world_target[i * OUTPUTS + k] = world_classes[i] == k;
        }
    }
    write_file("images", images, 12 + SAMPLES * INPUTS);
    write_gzip("labels", labels, sizeof labels);
    write_text("table", "a,b,c,d\n1,x,2,k\n,y,3,l\n4,?,5,k\n7,x,1,l\n");
    write_text("numbers", "1,2,3\n4,5,6\n");
    write_text("training", "2 3 2\n1 2 3\n0 1\n4 5 6\n1 0\n");
    static const char npy[] = "\x93NUMPY\1\0\x3D\0{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }   abcd";
    write_gzip("column_major", npy, sizeof npy - 1);
    world w;
    world_open(&w);
    must(bp_net_save(w.net, path_of("model")));
    if (bp_has_feature("onnx")) {
        must(bp_net_export_onnx(w.net, path_of("model.onnx")));
    }
    must(bp_trainer_run(w.trainer));
    must(bp_trainer_save(w.trainer, path_of("checkpoint")));
    world_close(&w);
    return symlink("out", path_of("link"));
}

int world_remove(void **state)
{
    return remove_folder(state);
}

/* ---- look ---- */

static void add(view *v, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    uint64_t *sight = &v->sights[v->n - 1];
    for (size_t i = 0; i < size; i++) { /* FNV-1a */
        *sight = (*sight ^ from[i]) * 0x100000001b3;
    }
}

static void begin(view *v, const char *name, const void *there)
{
    assert_true(v->n < SIGHTS);
    v->names[v->n] = name;
    v->sights[v->n++] = there ? 0xcbf29ce484222325 : 1;
}

static void add_number(view *v, double number)
{
    add(v, &number, sizeof number);
}

static void add_text(view *v, const char *text)
{
    add(v, text ? text : "(none)", text ? strlen(text) + 1 : 6);
}

static void look_at_net(view *v, const char *name, const bp_net *net)
{
    begin(v, name, net);
    if (!net) {
        return;
    }
    void *bytes;
    size_t size;
    if (bp_net_is_initialized(net)) { /* parameters, scaling, rule and texts */
        must(bp_net_save_memory(net, &bytes, &size));
        add(v, bytes, size);
        bp_free(bytes);
    }
    add_number(v, (double)bp_net_input_count(net));
    add_number(v, bp_net_input_noise(net));
    add_number(v, bp_net_rule(net));
    for (size_t l = 0; l < bp_net_layer_count(net); l++) {
        add_number(v, bp_net_dropout(net, l));
        add_number(v, bp_net_is_frozen(net, l));
    }
    for (size_t i = 0; i < bp_net_input_count(net); i++) {
        add_text(v, bp_net_input_name(net, i));
    }
    for (size_t i = 0; i < bp_net_metadata_count(net); i++) {
        add_text(v, bp_net_metadata_key(net, i));
        add_text(v, bp_net_metadata(net, bp_net_metadata_key(net, i)));
    }
}

static void look_at_layer(view *v, const char *name, const bp_layer *layer)
{
    begin(v, name, layer);
    if (layer) {
        real W[NUMBERS] = {0}, b[NUMBERS] = {0};
        must(REAL(bp_layer_get_weights)(layer, W, bp_layer_has_bias(layer) ? b : NULL));
        add(v, W, sizeof W);
        add(v, b, sizeof b);
        add_number(v, bp_layer_activation(layer));
    }
}

/* It works with a copy's parameters as with the net's own, so what it answers is the net's. */
static void look_at_workspace(view *v, const char *name, bp_workspace *ws, const bp_net *net)
{
    begin(v, name, ws);
    if (ws) {
        real y[SAMPLES * OUTPUTS];
        must(REAL(bp_net_predict)(net, ws, SAMPLES, world_x, y));
        add(v, y, sizeof y);
        add_number(v, (double)bp_workspace_max_batch(ws));
        add_number(v, (double)bp_workspace_threads(ws));
    }
}

static void look_at_optimizer(view *v, const char *name, const bp_optimizer *opt)
{
    begin(v, name, opt);
    if (opt) {
        add_number(v, opt->method);
        add(v, opt->settings, sizeof opt->settings);
        add(v, &opt->n_steps, sizeof opt->n_steps);
        add(v, &opt->seed, sizeof opt->seed);
        add_number(v, opt->plain);
        add_number(v, opt->whole);
        for (size_t i = 0; i < BP_MAX_STATES; i++) {
            bp_optimizer_state state = bp_optimizer_get_state(opt, i);
            add(v, state.elements,
                opt->method == BP_METHOD_LBFGS ? 0 : state.n * sizeof(real)); /* what L-BFGS leaves there is of no meaning */
        }
    }
}

static void look_at_dataset(view *v, const char *name, const bp_dataset *dataset)
{
    begin(v, name, dataset);
    if (!dataset) {
        return;
    }
    size_t n = bp_dataset_sample_count(dataset), n_inputs = bp_dataset_input_count(dataset), n_outputs = bp_dataset_output_count(dataset);
    for (size_t i = 0; i < n; i++) {
        real x[NUMBERS] = {0}, z[NUMBERS] = {0};
        must(REAL(bp_dataset_gather)(dataset, 1, &i, x, n_outputs ? z : NULL));
        add(v, x, sizeof x);
        add(v, z, sizeof z);
        add_number(v, bp_dataset_classes(dataset) ? (double)bp_dataset_classes(dataset)[i] : -1);
        add_number(v, bp_dataset_weights(dataset) ? bp_dataset_weights(dataset)[i] : -1);
    }
    for (size_t i = 0; i < n_inputs; i++) {
        add_text(v, bp_dataset_input_name(dataset, i));
        add_number(v, bp_dataset_input_mean(dataset, i));
    }
    for (size_t i = 0; i < bp_dataset_class_count(dataset); i++) {
        add_text(v, bp_dataset_class_name(dataset, i));
    }
    add_number(v, (double)n_outputs);
}

/* By what it reads, or by the sentence with which it refuses. */
static void look_at_reader(view *v, const char *name, const bp_csv_reader *reader)
{
    begin(v, name, reader);
    if (reader) {
        bp_dataset *dataset = NULL;
        bp_status status = bp_csv_reader_read(reader, REAL_DTYPE, path_of("table"), &dataset);
        if (status == BP_OK) {
            v->n--;
            look_at_dataset(v, name, dataset);
            bp_dataset_destroy(dataset);
        } else {
            add_text(v, strrchr(bp_last_error(), '/'));
        }
    }
}

static void look_at_schedule(view *v, const char *name, const bp_schedule *schedule)
{
    begin(v, name, schedule);
    if (schedule) {
        add_number(v, schedule->kind);
        add(v, schedule->settings, sizeof schedule->settings);
        add(v, schedule->state, sizeof schedule->state);
    }
}

static void look_at_trainer(view *v, const char *name, const bp_trainer *t)
{
    begin(v, name, t);
    if (!t) {
        return;
    }
    add(v, t->settings, sizeof t->settings);
    add(v, &t->place, sizeof t->place);
    add_number(v, t->values.loss_sum);
    add_number(v, t->values.base_rate);
    add_number(v, t->has_schedule);
    add_number(v, t->validation != NULL);
    add_number(v, t->progress != NULL);
    add(v, t->class_weights, t->class_weights ? OUTPUTS * sizeof *t->class_weights : 0);
    if (t->place.best_epoch != UINT64_MAX) {
        add(v, t->best, t->net->storage * sizeof(real));
    }
    for (size_t epoch = 0; epoch < bp_trainer_epoch_count(t); epoch++) {
        for (int column = 0; column < BP_HISTORY_COUNT; column++) {
            double value;
            must(bp_trainer_history(t, (bp_history)column, epoch, &value));
            add_number(v, column == BP_HISTORY_SECONDS ? 0 : value);
        }
    }
    look_at_schedule(v, "trainer's schedule", t->has_schedule ? &t->schedule : NULL);
}

static void look_at_file(view *v, const char *name)
{
    struct stat information;
    bool is_there = lstat(path_of(name), &information) == 0;
    begin(v, name, is_there ? v : NULL);
    if (is_there) {
        size_t size;
        char *bytes = world_bytes(name, &size);
        add(v, bytes, size);
        free(bytes);
        add_number(v, information.st_mode);
    }
}

static void look_at_names(view *v)
{
    begin(v, "names of files", v);
    char folder[128];
    snprintf(folder, sizeof folder, "%s", path_of(""));
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        add_text(v, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

void world_look(const world *w, view *v)
{
    *v = (view){.n = 0};
    look_at_net(v, "net", w->net);
    look_at_net(v, "curve", w->curve);
    look_at_net(v, "bare", w->bare);
    look_at_net(v, "made net", w->made_net);
    look_at_layer(v, "layer", w->layer);
    look_at_layer(v, "lent layer", w->lent);
    look_at_layer(v, "made layer", w->made_layer);
    look_at_workspace(v, "workspace", w->ws, w->net);
    look_at_workspace(v, "curve's workspace", w->curve_ws, w->curve);
    look_at_workspace(v, "made workspace", w->made_ws, w->net);
    look_at_optimizer(v, "optimizer", w->opt);
    look_at_optimizer(v, "sgd", w->sgd);
    look_at_optimizer(v, "custom", w->custom);
    look_at_optimizer(v, "lbfgs", w->lbfgs);
    look_at_optimizer(v, "made optimizer", w->made_opt);
    look_at_dataset(v, "training", w->training);
    look_at_dataset(v, "curves", w->curves);
    look_at_dataset(v, "mapped", w->mapped);
    look_at_dataset(v, "made dataset", w->made[0]);
    look_at_dataset(v, "second made dataset", w->made[1]);
    look_at_reader(v, "reader", w->reader);
    look_at_reader(v, "made reader", w->made_reader);
    look_at_schedule(v, "schedule", w->schedule);
    look_at_schedule(v, "made schedule", w->made_schedule);
    look_at_trainer(v, "trainer", w->trainer);
    look_at_trainer(v, "made trainer", w->made_trainer);
    begin(v, "bytes", w->bytes);
    add(v, w->bytes, w->bytes ? w->size : 0);
    begin(v, "numbers", v);
    add(v, w->numbers, sizeof w->numbers);
    add(v, w->more_numbers, sizeof w->more_numbers);
    add(v, w->doubles, sizeof w->doubles);
    add(v, w->more_doubles, sizeof w->more_doubles);
    add(v, w->counts, sizeof w->counts);
    add_number(v, w->value);
    fflush(w->log);
    v->first_file = v->n;
    look_at_file(v, "out");
    look_at_file(v, "link");
    look_at_file(v, "new");
    look_at_file(v, "log");
    look_at_names(v);
}

view world_with_files(const view *before, const view *after)
{
    view v = *before;
    memcpy(v.sights + v.first_file, after->sights + v.first_file, (v.n - v.first_file) * sizeof *v.sights);
    return v;
}

const char *world_difference(const view *a, const view *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (a->sights[i] != b->sights[i]) {
            return a->names[i];
        }
    }
    return a->n == b->n ? NULL : "what there is";
}
