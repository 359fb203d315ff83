/* Rows of the suite io: data files as they are read. */
#include "memory.h"
#include "suites.h"

#include "bp/bp.h"
#include "core/random.h"
#include "core/real.h"

#include <csv.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLUMNS = 20, PIXELS = 784, BATCH = 128, MODEL_INPUTS = 4096 };

typedef struct problem {
    const bench_case *c;
    char folder[32], path[64];
    char *bytes; /* of the file */
    size_t size;
    bp_dataset *dataset; /* of a batch's rows */
    size_t *order;
    real *batch, *copy;
    size_t n_rows, n_fields; /* that libbp and libcsv found */
    const char *failure;
} problem;

/* ---- files ---- */

static void note(problem *p, bp_status status)
{
    p->failure = status == BP_OK ? p->failure : bp_last_error();
}

static int print_number(char *text, const char *digits, uint64_t i)
{
    double number = bp_random_normal(1, 0, i);
    if (strcmp(digits, "integers") == 0) {
        return snprintf(text, 32, "%d", bp_random_uniform(1, 1, i) < 0.8 ? 0 : (int)(255 * bp_random_uniform(1, 2, i)));
    }
    return snprintf(text, 32, strcmp(digits, "17 digits") == 0 ? "%.17g" : "%.4f", number);
}

static void make_csv(problem *p)
{
    size_t wanted = (size_t)p->c->bytes;
    p->bytes = bench_allocate(wanted + 32 * COLUMNS, 1);
    uint64_t i = 0;
    while (p->size < wanted) {
        for (int j = 0; j < COLUMNS; j++) {
            p->size += (size_t)print_number(p->bytes + p->size, p->c->shape.name, i++);
            p->bytes[p->size++] = j + 1 < COLUMNS ? ',' : '\n';
        }
    }
}

static void make_idx(problem *p)
{
    unsigned samples = (unsigned)(p->c->bytes / PIXELS);
    const unsigned char header[] = {0,
                                    0,
                                    8,
                                    2,
                                    (unsigned char)(samples >> 24),
                                    (unsigned char)(samples >> 16),
                                    (unsigned char)(samples >> 8),
                                    (unsigned char)samples,
                                    0,
                                    0,
                                    PIXELS >> 8,
                                    PIXELS & 0xFF};
    p->size = sizeof header + (size_t)samples * PIXELS;
    p->bytes = bench_allocate(p->size, 1);
    memcpy(p->bytes, header, sizeof header);
    for (size_t i = sizeof header; i < p->size; i++) {
        p->bytes[i] = (char)(i * 2654435761U >> 24);
    }
}

/* A net of one layer whose weights take so many bytes. */
static void save_model(problem *p)
{
    bp_net *net = NULL;
    note(p, bp_net_create(&net, REAL_DTYPE, MODEL_INPUTS));
    note(p, bp_net_add_dense(net, (size_t)p->c->bytes / MODEL_INPUTS / sizeof(real), BP_ACTIVATION_RELU, 1));
    note(p, bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 1));
    note(p, bp_net_save(net, p->path));
    bp_net_destroy(net);
    struct stat information;
    p->size = stat(p->path, &information) == 0 ? (size_t)information.st_size : 0;
}

static bool make_folder(problem *p)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(p->folder, sizeof p->folder, "%.16s/bp-io-XXXXXX", temporary && strlen(temporary) < 16 ? temporary : "/tmp");
    if (!mkdtemp(p->folder)) {
        p->folder[0] = '\0';
        return false;
    }
    snprintf(p->path, sizeof p->path, "%s/data", p->folder);
    return true;
}

static bool write_file(const problem *p)
{
    FILE *file = fopen(p->path, "wb");
    return file && fwrite(p->bytes, 1, p->size, file) == p->size && fclose(file) == 0;
}

/* ---- sides ---- */

/* As a CSV file is read whole, an array is opened. */
static void read_dataset(void *state, size_t times)
{
    problem *p = state;
    for (size_t i = 0; i < times; i++) {
        bp_dataset *dataset = NULL;
        note(p, bp_dataset_read(&dataset, p->path, REAL_DTYPE));
        p->n_rows = bp_dataset_sample_count(dataset);
        bp_dataset_destroy(dataset);
    }
}

static void load_model(void *state, size_t times)
{
    problem *p = state;
    for (size_t i = 0; i < times; i++) {
        bp_net *net = NULL;
        note(p, bp_net_load(&net, p->path));
        bp_net_destroy(net);
    }
}

static void gather(void *state, size_t times)
{
    problem *p = state;
    for (size_t i = 0; i < times; i++) {
        note(p, REAL(bp_dataset_gather)(p->dataset, BATCH, p->order, p->batch, NULL));
    }
}

static void count_field(void *text, size_t length, void *state)
{
    (void)text, (void)length;
    ((problem *)state)->n_fields++;
}

static void parse(void *state, size_t times)
{
    problem *p = state;
    for (size_t i = 0; i < times; i++) {
        struct csv_parser parser;
        p->n_fields = 0;
        if (csv_init(&parser, CSV_APPEND_NULL) == 0) {
            csv_parse(&parser, p->bytes, p->size, count_field, NULL, p);
            csv_fini(&parser, count_field, NULL, p);
            csv_free(&parser);
        }
    }
}

static void read_bytes(void *state, size_t times)
{
    problem *p = state;
    for (size_t i = 0; i < times; i++) {
        char *bytes = malloc(p->size);
        int file = open(p->path, O_RDONLY);
        if (!bytes || file < 0 || read(file, bytes, p->size) != (ssize_t)p->size) {
            p->failure = "the file cannot be read";
        }
        if (file >= 0) {
            close(file);
        }
        free(bytes);
    }
}

static void copy(void *state, size_t times)
{
    problem *p = state;
    for (size_t i = 0; i < times; i++) {
        memcpy(p->copy, p->batch, BATCH * PIXELS * sizeof(real));
        __asm__ volatile("" : : "r"(p->copy) : "memory"); /* it is not to be left out */
    }
}

/* ---- the row ---- */

/* What a row of an operation is: the file, made in memory or (NULL) a model; who reads it, and the peer beside. */
typedef struct kind {
    const char *operation;
    void (*make)(problem *p);
    void (*subject)(void *state, size_t times);
    const char *peer_name;
    void (*peer)(void *state, size_t times);
} kind;

static void prepare(problem *p, const kind *k)
{
    if (!make_folder(p)) {
        p->failure = "there can be no folder for the file";
        return;
    }
    if (k->make) {
        k->make(p);
        p->failure = write_file(p) ? NULL : "the file cannot be written";
    } else {
        save_model(p);
    }
    if (k->subject == gather && !p->failure) {
        note(p, bp_dataset_read(&p->dataset, p->path, REAL_DTYPE));
        size_t n = bp_dataset_sample_count(p->dataset);
        p->order = bench_allocate(n, sizeof *p->order);
        p->batch = bench_allocate(BATCH * PIXELS, sizeof *p->batch);
        p->copy = bench_allocate(BATCH * PIXELS, sizeof *p->copy);
        note(p, bp_random_permutation(1, 0, n, p->order));
    }
    if (k->peer == parse && !p->failure) {
        read_dataset(p, 1);
        parse(p, 1);
        if (p->n_rows * COLUMNS != p->n_fields && !p->failure) {
            p->failure = "libcsv does not find as many fields";
        }
    }
}

static void release(problem *p)
{
    bp_dataset_destroy(p->dataset);
    free(p->order);
    free(p->batch);
    free(p->copy);
    free(p->bytes);
    if (p->folder[0]) {
        remove(p->path);
        rmdir(p->folder);
    }
}

bench_result REAL(bench_io)(const bench_case *c, double seconds)
{
    static const kind kinds[] = {
        {"csv", make_csv, read_dataset, "libcsv", parse},
        {"open", make_idx, read_dataset, "read", read_bytes},
        {"batch", make_idx, gather, "memcpy", copy},
        {"model", NULL, load_model, "read", read_bytes},
    };
    const kind *k = kinds;
    while (strcmp(k->operation, c->operation) != 0) {
        k++;
    }
    bench_result result = {.names = {"libbp", k->peer_name, "read"}, .n_sides = k->peer == parse ? 3 : 2};
    bench_samples samples = {0};
    problem p = {.c = c};
    prepare(&p, k);
    const bench_contender sides[] = {{k->subject, &p}, {k->peer, &p}, {read_bytes, &p}};
    if (!p.failure) {
        bench_measure(result.n_sides, sides, seconds, BENCH_MAX_REPETITIONS, &samples);
        bench_times(result.n_sides, &samples, result.times);
        result.repetitions = samples.n;
    }
    if (p.failure) {
        snprintf(result.error, sizeof result.error, "%s", p.failure);
    }
    release(&p);
    return result;
}
