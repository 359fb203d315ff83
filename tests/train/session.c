#define _GNU_SOURCE /* mkdtemp */

#include "train/session.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bp_dataset *make_classes(size_t n, uint64_t seed)
{
    real *x = malloc(n * INPUTS * sizeof *x);
    uint32_t *classes = malloc(n * sizeof *classes);
    bp_dataset *data;
    for (size_t i = 0; i < n; i++) {
        classes[i] = (uint32_t)((i * 7 + i / 5) % CLASSES);
        for (size_t k = 0; k < INPUTS; k++) {
            x[i * INPUTS + k] = (real)(number(100000 * seed + i * INPUTS + k) + (k % CLASSES == classes[i] ? 0.8 : 0));
        }
    }
    must(REAL(bp_dataset_create_classes)(&data, n, INPUTS, CLASSES, x, classes));
    free(x);
    free(classes);
    return data;
}

bp_dataset *make_curves(size_t n, uint64_t seed)
{
    real *x = malloc(n * INPUTS * sizeof *x), *z = malloc(n * 2 * sizeof *z);
    bp_dataset *data;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < INPUTS; k++) {
            x[i * INPUTS + k] = (real)number(100000 * seed + i * INPUTS + k);
        }
        z[2 * i] = x[i * INPUTS] * x[i * INPUTS + 1];
        z[2 * i + 1] = x[i * INPUTS + 2] - x[i * INPUTS + 3] / 2;
    }
    must(REAL(bp_dataset_create)(&data, n, INPUTS, 2, x, z));
    free(x);
    free(z);
    return data;
}

/* Momentum, which counts its steps in the last element of its state as well. */
static int custom_method(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state,
                         real *state)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        state[i] = (real)0.9 * state[i] + gradient[i];
        theta[i] -= (real)rate * state[i];
    }
    state[n_state - 1]++;
    return (real)step == state[n_state - 1] ? 0 : 1;
}

static bp_status make_optimizer(bp_optimizer **opt, bp_method method, const bp_net *net)
{
    if (method == BP_METHOD_CUSTOM) {
        return REAL(bp_optimizer_create_custom)(opt, net, bp_net_parameter_count(net) + 1, custom_method, NULL);
    }
    return bp_optimizer_create(opt, method, net);
}

session open_session(const bp_dataset *training, bp_method method, uint64_t seed)
{
    bool classes = bp_dataset_class_count(training) > 0;
    const size_t widths[] = {7, bp_dataset_output_count(training)};
    session s;
    s.net = make_net(REAL_DTYPE, INPUTS, 2, widths, BP_ACTIVATION_TANH, classes ? BP_ACTIVATION_SOFTMAX : BP_ACTIVATION_IDENTITY, 1, seed);
    must(make_optimizer(&s.opt, method, s.net));
    must(bp_trainer_create(&s.trainer, s.net, s.opt, classes ? BP_LOSS_CROSS_ENTROPY : BP_LOSS_MSE, training));
    return s;
}

void close_session(session *s)
{
    bp_trainer_destroy(s->trainer);
    bp_optimizer_destroy(s->opt);
    bp_net_destroy(s->net);
}

bool has_method(bp_method method)
{
    bp_net *net = make_net(REAL_DTYPE, 1, 1, (const size_t[]){1}, BP_ACTIVATION_TANH, BP_ACTIVATION_TANH, 0, 1);
    bp_optimizer *opt = NULL;
    bp_status status = make_optimizer(&opt, method, net);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    return status == BP_OK;
}

void set(session *s, bp_trainer_setting setting, double value)
{
    must(bp_trainer_set(s->trainer, setting, value));
}

void run(session *s, bp_stop expected)
{
    must(bp_trainer_run(s->trainer));
    assert_string_equal(bp_stop_name(bp_trainer_stop(s->trainer)), bp_stop_name(expected));
}

real *parameters(const bp_net *net)
{
    real *theta = malloc(bp_net_parameter_count(net) * sizeof *theta);
    must(REAL(bp_net_get_parameters)(net, theta));
    return theta;
}

double history(const session *s, bp_history column, size_t epoch)
{
    double value;
    must(bp_trainer_history(s->trainer, column, epoch, &value));
    return value;
}

bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

void expect_same(const char *what, const session *a, const session *b)
{
    size_t n = bp_trainer_epoch_count(a->trainer);
    if (n != bp_trainer_epoch_count(b->trainer) || bp_trainer_best_epoch(a->trainer) != bp_trainer_best_epoch(b->trainer)) {
        fail_msg("%s: %zu epochs, best %zu; and %zu, best %zu", what, n, bp_trainer_best_epoch(a->trainer),
                 bp_trainer_epoch_count(b->trainer), bp_trainer_best_epoch(b->trainer));
    }
    for (size_t epoch = 0; epoch < n; epoch++) {
        for (int column = 0; column < COLUMNS; column++) {
            double u = history(a, (bp_history)column, epoch), v = history(b, (bp_history)column, epoch);
            if (column != BP_HISTORY_SECONDS && !same_number(u, v)) {
                fail_msg("%s: epoch %zu: %s is %.17g and %.17g", what, epoch, bp_history_name((bp_history)column), u, v);
            }
        }
    }
    real *theta_a = parameters(a->net), *theta_b = parameters(b->net);
    bool same = memcmp(theta_a, theta_b, bp_net_parameter_count(a->net) * sizeof *theta_a) == 0;
    free(theta_a);
    free(theta_b);
    if (!same || bp_optimizer_step_count(a->opt) != bp_optimizer_step_count(b->opt)) {
        fail_msg("%s: parameters are %s; steps %llu and %llu", what, same ? "the same" : "not the same",
                 (unsigned long long)bp_optimizer_step_count(a->opt), (unsigned long long)bp_optimizer_step_count(b->opt));
    }
}

static char folder[] = "/tmp/bp-train-XXXXXX";
static bool has_folder;

const char *file_path(const char *name)
{
    static char paths[4][320];
    static int next;
    if (!has_folder && !mkdtemp(folder)) {
        fail_msg("no temporary folder");
    }
    has_folder = true;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int remove_files(void **state)
{
    (void)state;
    DIR *files = has_folder ? opendir(folder) : NULL;
    for (struct dirent *file; files && (file = readdir(files));) {
        remove(file_path(file->d_name));
    }
    return files ? closedir(files) | rmdir(folder) : 0;
}

unsigned char *read_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    bytes[*size] = 0;
    fclose(file);
    return bytes;
}

void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void expect_same_file(const char *what, const char *a, const char *b)
{
    size_t n_a, n_b;
    unsigned char *bytes_a = read_bytes(a, &n_a), *bytes_b = read_bytes(b, &n_b);
    bool same = n_a == n_b && memcmp(bytes_a, bytes_b, n_a) == 0;
    free(bytes_a);
    free(bytes_b);
    if (!same) {
        fail_msg("%s: the files are not the same", what);
    }
}
