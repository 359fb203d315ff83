#define _GNU_SOURCE /* mkdtemp */

#include "replica.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void must(bp_status status)
{
    if (status != BP_OK) {
        fail_msg("%s: %s", bp_status_name(status), bp_last_error());
    }
}

void must_refuse(const char *what, bp_status status, bp_status expected, const char *word)
{
    if (status != expected) {
        fail_msg("%s: expected %s, got %s (%s)", what, bp_status_name(expected), bp_status_name(status), bp_last_error());
    }
    if (!strstr(bp_last_error(), word)) {
        fail_msg("%s: no \"%s\" in \"%s\"", what, word, bp_last_error());
    }
}

/* ---- samples ---- */

/* A number in [0, 1) that depends on seed and index alone. */
static double number(uint64_t seed, uint64_t index)
{
    uint64_t x = (seed << 40) + index + 0x9e3779b97f4a7c15;
    for (int round = 0; round < 3; round++) {
        x = (x ^ (x >> 31)) * 0xbf58476d1ce4e5b9;
    }
    return (double)(x >> 11) * 0x1p-53;
}

static size_t class_of(size_t i, size_t n_classes)
{
    return (i * 7 + i / 5) % n_classes;
}

static real input(kind kind, uint64_t seed, size_t i, size_t k)
{
    double x = number(seed, i * INPUTS + k);
    if (kind != OF_NUMBERS && kind != OF_NPY) {
        x = (x + (k % CLASSES == class_of(i, kind == OF_TWO_CLASSES ? 2 : CLASSES))) / 2;
    }
    return (real)(kind == OF_IDX ? (double)(int)(x * 255) : x);
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* An NPY file of rows × columns. */
static void write_npy(const char *path, size_t rows, size_t columns, const real *numbers)
{
    char header[129] = "\x93NUMPY\1\0\x76", dictionary[118];
    snprintf(dictionary, sizeof dictionary, "{'descr': '<f%zu', 'fortran_order': False, 'shape': (%zu, %zu), }", sizeof(real), rows,
             columns);
    snprintf(header + 10, sizeof header - 10, "%-117s\n", dictionary);
    size_t size = rows * columns * sizeof *numbers;
    unsigned char *bytes = malloc(128 + size);
    memcpy(bytes, header, 128);
    memcpy(bytes + 128, numbers, size);
    write_bytes(path, bytes, 128 + size);
    free(bytes);
}

/* IDX files of bytes: images of INPUTS pixels, and labels. */
static void write_idx(const char *images, const char *labels, size_t n, const real *x, const uint32_t *classes)
{
    unsigned char *bytes = calloc(12 + n * INPUTS, 1);
    memcpy(bytes, "\0\0\x08\x02", 4);
    bytes[6] = (unsigned char)(n >> 8);
    bytes[7] = (unsigned char)n;
    bytes[11] = INPUTS;
    for (size_t i = 0; i < n * INPUTS; i++) {
        bytes[12 + i] = (unsigned char)x[i];
    }
    write_bytes(images, bytes, 12 + n * INPUTS);
    bytes[3] = 1;
    for (size_t i = 0; i < n; i++) {
        bytes[8 + i] = (unsigned char)classes[i];
    }
    write_bytes(labels, bytes, 8 + n);
    free(bytes);
}

/* As lines of CSV, which alone can have two classes and one output. */
static bp_dataset *read_two_classes(size_t n, const real *x, const uint32_t *classes)
{
    size_t size = n * (INPUTS + 1) * 32, length = 0;
    char *text = malloc(size);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < INPUTS; k++) {
            length += (size_t)snprintf(text + length, size - length, "%.17g,", (double)x[i * INPUTS + k]);
        }
        length += (size_t)snprintf(text + length, size - length, "%c\n", classes[i] ? 'b' : 'a');
    }
    static const char *const names[] = {"a", "b"};
    bp_csv_reader *reader;
    bp_dataset *made;
    must(bp_csv_reader_create(&reader));
    must(bp_csv_reader_set_class_column(reader, -1));
    must(bp_csv_reader_set_class_names(reader, 2, names));
    must(bp_csv_reader_set_one_hot(reader, 0));
    must(bp_csv_reader_read_memory(reader, REAL_DTYPE, text, length, &made));
    bp_csv_reader_destroy(reader);
    free(text);
    return made;
}

bp_dataset *make_samples(kind kind, uint64_t seed, size_t first, size_t end)
{
    size_t n = end - first;
    real *x = malloc(n * INPUTS * sizeof *x), *z = malloc(n * 2 * sizeof *z);
    uint32_t *classes = malloc(n * sizeof *classes);
    bp_dataset *made;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < INPUTS; k++) {
            x[i * INPUTS + k] = input(kind, seed, first + i, k);
        }
        z[2 * i] = x[i * INPUTS] * x[i * INPUTS + 1];
        z[2 * i + 1] = x[i * INPUTS + 2] - x[i * INPUTS + 3] / 2;
        classes[i] = (uint32_t)class_of(first + i, kind == OF_TWO_CLASSES ? 2 : CLASSES);
    }
    if (kind == OF_CLASSES) {
        must(REAL(bp_dataset_create_classes)(&made, n, INPUTS, CLASSES, x, classes));
    } else if (kind == OF_NUMBERS) {
        must(REAL(bp_dataset_create)(&made, n, INPUTS, 2, x, z));
    } else if (kind == OF_TWO_CLASSES) {
        made = read_two_classes(n, x, classes);
    } else if (kind == OF_IDX) {
        write_idx(file_path("images"), file_path("labels"), n, x, classes);
        must(bp_dataset_read_pair(&made, file_path("images"), file_path("labels"), REAL_DTYPE, CLASSES));
        remove(file_path("images")); /* it stays mapped */
    } else {
        write_npy(file_path("x.npy"), n, INPUTS, x);
        write_npy(file_path("z.npy"), n, 2, z);
        must(bp_dataset_read_pair(&made, file_path("x.npy"), file_path("z.npy"), REAL_DTYPE, 0));
        remove(file_path("x.npy"));
        remove(file_path("z.npy"));
    }
    free(x);
    free(z);
    free(classes);
    return made;
}

size_t first_of(size_t n, size_t rank, size_t n_ranks)
{
    return n * rank * (rank + 1) / (n_ranks * (n_ranks + 1));
}

/* ---- replicas ---- */

static bool has_numbers(kind kind)
{
    return kind == OF_NUMBERS || kind == OF_NPY;
}

bp_net *make_net(kind kind, uint64_t seed)
{
    static real offset[INPUTS], scale[INPUTS];
    bp_net *net;
    must(bp_net_create(&net, REAL_DTYPE, INPUTS));
    must(bp_net_add_dense(net, HIDDEN, BP_ACTIVATION_TANH, 1));
    must(bp_net_add_dense(net,
                          has_numbers(kind)        ? 2
                          : kind == OF_TWO_CLASSES ? 1
                                                   : CLASSES,
                          has_numbers(kind)        ? BP_ACTIVATION_IDENTITY
                          : kind == OF_TWO_CLASSES ? BP_ACTIVATION_SIGMOID
                                                   : BP_ACTIVATION_SOFTMAX,
                          1));
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, seed));
    for (size_t k = 0; k < INPUTS; k++) {
        offset[k] = (real)(kind == OF_IDX ? 127 : 0.5);
        scale[k] = (real)(kind == OF_IDX ? 1.0 / 64 : 3);
    }
    must(REAL(bp_net_set_input_scaling)(net, offset, scale));
    return net;
}

bp_loss loss_of(kind kind)
{
    return has_numbers(kind) ? BP_LOSS_MSE : kind == OF_TWO_CLASSES ? BP_LOSS_BINARY_CROSS_ENTROPY : BP_LOSS_CROSS_ENTROPY;
}

replica make_replica(bp_mpi *mpi, kind kind, bp_method method, size_t n, size_t n_validation)
{
    size_t rank = mpi ? bp_mpi_rank(mpi) : 0, n_ranks = mpi ? bp_mpi_rank_count(mpi) : 1;
    replica r = {0};
    r.training = make_samples(kind, 1, first_of(n, rank, n_ranks), first_of(n, rank + 1, n_ranks));
    if (n_validation > 0) {
        r.validation = make_samples(kind, 2, first_of(n_validation, rank, n_ranks), first_of(n_validation, rank + 1, n_ranks));
    }
    r.net = make_net(kind, mpi ? 10 + rank : 10); /* rank 0's are everybody's */
    must(bp_optimizer_create(&r.opt, method, r.net));
    must(bp_optimizer_set(r.opt, BP_OPTIMIZER_LEARNING_RATE, method == BP_METHOD_ADAM ? 0.005 : 0.05));
    if (mpi) {
        must(bp_mpi_trainer_create(&r.shared, mpi, r.net, r.opt, loss_of(kind), r.training));
        r.trainer = bp_mpi_trainer_trainer(r.shared);
    } else {
        must(bp_trainer_create(&r.trainer, r.net, r.opt, loss_of(kind), r.training));
    }
    must(bp_trainer_set_validation(r.trainer, r.validation));
    set(&r, BP_TRAINER_SEED, 3);
    return r;
}

void destroy_replica(replica *r)
{
    if (r->shared) {
        bp_mpi_trainer_destroy(r->shared);
    } else {
        bp_trainer_destroy(r->trainer);
    }
    bp_optimizer_destroy(r->opt);
    bp_net_destroy(r->net);
    bp_dataset_destroy(r->training);
    bp_dataset_destroy(r->validation);
}

void set(replica *r, bp_trainer_setting setting, double value)
{
    must(bp_trainer_set(r->trainer, setting, value));
}

void run(replica *r, bp_stop expected)
{
    must(bp_trainer_run(r->trainer));
    assert_string_equal(bp_stop_name(bp_trainer_stop(r->trainer)), bp_stop_name(expected));
}

real *parameters(const replica *r)
{
    real *theta = malloc(bp_net_parameter_count(r->net) * sizeof *theta);
    must(REAL(bp_net_get_parameters)(r->net, theta));
    return theta;
}

/* ---- comparing ---- */

double rounding(void)
{
    return sizeof(real) == sizeof(float) ? 2e-4 : 1e-10;
}

static double history(const replica *r, int column, size_t epoch)
{
    double value;
    must(bp_trainer_history(r->trainer, (bp_history)column, epoch, &value));
    return value;
}

static bool is_near(double a, double b, double within)
{
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= within * (1 + fabs(a));
}

void expect_near(const char *what, const replica *a, const replica *b, double within)
{
    size_t n = bp_trainer_epoch_count(a->trainer);
    assert_int_equal(n, bp_trainer_epoch_count(b->trainer));
    assert_int_equal(bp_optimizer_step_count(a->opt), bp_optimizer_step_count(b->opt));
    assert_int_equal(bp_trainer_best_epoch(a->trainer), bp_trainer_best_epoch(b->trainer));
    for (size_t epoch = 0; epoch < n; epoch++) {
        for (int column = 0; column < COLUMNS; column++) {
            double u = history(a, column, epoch), v = history(b, column, epoch);
            if (column != BP_HISTORY_SECONDS && !is_near(u, v, within)) {
                fail_msg("%s: epoch %zu: %s is %.17g and %.17g", what, epoch, bp_history_name((bp_history)column), u, v);
            }
        }
    }
    real *theta_a = parameters(a), *theta_b = parameters(b);
    for (size_t i = 0; i < bp_net_parameter_count(a->net); i++) {
        if (!is_near((double)theta_a[i], (double)theta_b[i], within)) {
            fail_msg("%s: parameter %zu is %.17g and %.17g", what, i, (double)theta_a[i], (double)theta_b[i]);
        }
    }
    free(theta_a);
    free(theta_b);
}

/* All that is to be the same: parameters, then history without seconds, then steps and the best epoch. */
static double *describe(const replica *r, size_t *n)
{
    size_t n_parameters = bp_net_parameter_count(r->net), n_epochs = bp_trainer_epoch_count(r->trainer);
    double *all = calloc(n_parameters + n_epochs * COLUMNS + 3, sizeof *all);
    real *theta = parameters(r);
    for (*n = 0; *n < n_parameters; ++*n) {
        all[*n] = (double)theta[*n];
    }
    free(theta);
    for (size_t epoch = 0; epoch < n_epochs; epoch++) {
        for (int column = 0; column < COLUMNS; column++) {
            double value = column == BP_HISTORY_SECONDS ? 0 : history(r, column, epoch);
            all[(*n)++] = isnan(value) ? 1e300 : value;
        }
    }
    all[(*n)++] = (double)bp_optimizer_step_count(r->opt);
    all[(*n)++] = (double)bp_trainer_best_epoch(r->trainer);
    all[(*n)++] = (double)n_epochs;
    return all;
}

void expect_same(const char *what, const replica *a, const replica *b)
{
    size_t n_a, n_b;
    double *all_a = describe(a, &n_a), *all_b = describe(b, &n_b);
    bool same = n_a == n_b && memcmp(all_a, all_b, n_a * sizeof *all_a) == 0;
    free(all_a);
    free(all_b);
    if (!same) {
        fail_msg("%s: the bits are not the same", what);
    }
}

void expect_all_same(const char *what, MPI_Comm communicator, const replica *r)
{
    size_t n;
    double *own = describe(r, &n), *first = malloc(n * sizeof *first);
    unsigned long sizes[2] = {n, n};
    MPI_Allreduce(MPI_IN_PLACE, &sizes[0], 1, MPI_UNSIGNED_LONG, MPI_MIN, communicator);
    MPI_Allreduce(MPI_IN_PLACE, &sizes[1], 1, MPI_UNSIGNED_LONG, MPI_MAX, communicator);
    assert_int_equal(sizes[0], sizes[1]);
    memcpy(first, own, n * sizeof *first);
    MPI_Bcast(first, (int)n, MPI_DOUBLE, 0, communicator);
    int differ = memcmp(own, first, n * sizeof *own) != 0;
    MPI_Allreduce(MPI_IN_PLACE, &differ, 1, MPI_INT, MPI_SUM, communicator);
    free(own);
    free(first);
    if (differ) {
        fail_msg("%s: %d ranks have other bits than rank 0", what, differ);
    }
}

void expect_one_sentence(const char *what, MPI_Comm communicator)
{
    char first[512] = "";
    strncpy(first, bp_last_error(), sizeof first - 1);
    MPI_Bcast(first, sizeof first, MPI_CHAR, 0, communicator);
    if (strcmp(first, bp_last_error()) != 0) {
        fail_msg("%s: \"%s\" here, \"%s\" on rank 0", what, bp_last_error(), first);
    }
}

/* ---- ranks and files ---- */

MPI_Comm first_ranks(int n)
{
    MPI_Comm made;
    MPI_Comm_split(MPI_COMM_WORLD, (int)world_rank() < n ? 0 : MPI_UNDEFINED, 0, &made);
    return made;
}

size_t world_rank(void)
{
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return (size_t)rank;
}

size_t world_size(void)
{
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return (size_t)size;
}

static char folder[] = "/tmp/bp-mpi-XXXXXX";
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

const char *shared_path(const char *name)
{
    static char paths[4][320];
    static int next;
    char *path = paths[next++ % 4];
    if (world_rank() == 0) {
        snprintf(path, sizeof paths[0], "%s", file_path(name));
    }
    MPI_Bcast(path, sizeof paths[0], MPI_CHAR, 0, MPI_COMM_WORLD);
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

bp_mpi *mpi;

int begin_mpi(void **state)
{
    (void)state;
    must(bp_mpi_create(&mpi, MPI_COMM_WORLD));
    must(bp_mpi_set(mpi, BP_MPI_TIMEOUT, 30));
    return 0;
}

int end_mpi(void **state)
{
    (void)state;
    bp_mpi_destroy(mpi);
    return 0;
}

int run_program(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests)
{
    MPI_Init(&argc, &argv);
    int failed = _cmocka_run_group_tests("mpi", tests, n_tests, NULL, remove_files);
    if (failed > 0) { /* others may wait for this rank */
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Finalize();
    return 0;
}
