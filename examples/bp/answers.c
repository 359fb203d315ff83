#define _XOPEN_SOURCE 700 /* realpath */

#include "answers.h"

#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256 };

/* ---- make ---- */

static bp_status predict_f32(answers *a, bp_workspace *ws, const bp_dataset *dataset, size_t n, const size_t *rows, void *inputs, double *y)
{
    float *outputs = (float *)inputs + BATCH * bp_net_input_count(a->net);
    bp_status status = bp_dataset_gather_f32(dataset, n, rows, inputs, NULL);
    if (status == BP_OK) {
        status = bp_net_predict_f32(a->net, ws, n, inputs, outputs);
    }
    for (size_t i = 0; status == BP_OK && i < n * a->n_outputs; i++) {
        y[i] = (double)outputs[i];
    }
    return status;
}

static bp_status predict_f64(answers *a, bp_workspace *ws, const bp_dataset *dataset, size_t n, const size_t *rows, void *inputs, double *y)
{
    bp_status status = bp_dataset_gather_f64(dataset, n, rows, inputs, NULL);
    return status == BP_OK ? bp_net_predict_f64(a->net, ws, n, inputs, y) : status;
}

/* Once a second, where somebody looks on; the caller clears the line. */
static void show_progress(size_t done, size_t n, time_t *last)
{
    time_t now = time(NULL);
    if (now != *last && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%3.0f%% of %zu samples", 100 * (double)done / (double)n, n);
        *last = now;
    }
}

/* A batch at a time, for a mapped file may be larger than memory. */
static bp_status predict(answers *a, bp_workspace *ws, const bp_dataset *dataset, void *numbers)
{
    bp_status status = BP_OK;
    size_t rows[BATCH];
    time_t start = time(NULL), last = start;
    for (size_t first = 0; status == BP_OK && first < a->n; first += BATCH) {
        size_t n = a->n - first < BATCH ? a->n - first : BATCH;
        for (size_t i = 0; i < n; i++) {
            rows[i] = first + i;
        }
        double *y = a->outputs + first * a->n_outputs;
        status = bp_net_dtype(a->net) == BP_F64 ? predict_f64(a, ws, dataset, n, rows, numbers, y)
                                                : predict_f32(a, ws, dataset, n, rows, numbers, y);
        show_progress(first + n, a->n, &last);
    }
    if (last != start) {
        fputs("\r\033[K", stderr);
    }
    return status;
}

bp_status answers_make(answers *a, bp_net *net, const bp_dataset *dataset, size_t n_threads)
{
    bp_workspace *ws = NULL;
    *a = (answers){.net = net, .n = bp_dataset_sample_count(dataset), .n_outputs = bp_net_output_count(net)};
    a->outputs = calloc(a->n, a->n_outputs * sizeof *a->outputs);
    void *numbers = calloc(BATCH, (bp_net_input_count(net) + a->n_outputs) * sizeof(double));
    bp_status status = a->outputs && numbers ? bp_workspace_create(&ws, net, BATCH) : BP_ERROR_MEMORY;
    if (status == BP_OK) {
        status = bp_workspace_set_threads(ws, n_threads);
    }
    if (status == BP_OK) {
        status = predict(a, ws, dataset, numbers);
    }
    bp_workspace_destroy(ws);
    free(numbers);
    return status;
}

void answers_release(answers *a)
{
    free(a->outputs);
}

/* ---- classes ---- */

size_t answers_class(const answers *a, size_t row, double *probability)
{
    const double *y = a->outputs + row * a->n_outputs;
    size_t best = 0;
    if (a->n_outputs == 1) {
        best = *y >= 0.5;
        *probability = best ? *y : 1 - *y;
        return best;
    }
    for (size_t k = 1; k < a->n_outputs; k++) {
        best = y[k] > y[best] ? k : best;
    }
    *probability = y[best];
    return best;
}

/* ---- CSV ---- */

/* A text as a field. */
static void write_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
    }
    fputc('"', file);
}

static void write_classes(const answers *a, FILE *file)
{
    fputs("class,probability\n", file);
    for (size_t i = 0; i < a->n; i++) {
        double probability;
        size_t k = answers_class(a, i, &probability);
        const char *name = bp_net_class_name(a->net, k);
        if (name) {
            write_text(file, name);
        } else {
            fprintf(file, "%zu", k);
        }
        fprintf(file, ",%.6g\n", probability);
    }
}

/* The outputs' names: those of the classes, or of the target, or their numbers. */
static void write_output_name(const answers *a, FILE *file, size_t k)
{
    const char *target = bp_net_metadata(a->net, "target"), *name = bp_net_class_name(a->net, a->n_outputs == 1 ? 1 : k);
    if (!name && a->n_outputs == 1 && target && strtol(target, NULL, 10) == 0) {
        name = target;
    }
    if (name) {
        write_text(file, name);
    } else {
        fprintf(file, "output_%zu", k + 1);
    }
}

static void write_outputs(const answers *a, FILE *file)
{
    int digits = bp_net_dtype(a->net) == BP_F64 ? 17 : 9;
    for (size_t k = 0; k < a->n_outputs; k++) {
        write_output_name(a, file, k);
        fputc(k + 1 < a->n_outputs ? ',' : '\n', file);
    }
    for (size_t i = 0; i < a->n * a->n_outputs; i++) {
        fprintf(file, "%.*g%c", digits, a->outputs[i], (i + 1) % a->n_outputs ? ',' : '\n');
    }
}

static void write_csv(const answers *a, answers_content content, FILE *file)
{
    if (content == ANSWERS_CLASSES) {
        write_classes(a, file);
    } else {
        write_outputs(a, file);
    }
}

/* The file that is written: path, or what the link there leads to; NULL with errno. */
static char *resolve(const char *path)
{
    struct stat about;
    bool is_link = lstat(path, &about) == 0 && S_ISLNK(about.st_mode);
    return is_link ? realpath(path, NULL) : strdup(path);
}

/* A new file in the folder of this one, with its permissions, or if there is none yet with those that open gives; NULL with errno. */
static FILE *open_beside(const char *path, char **temporary)
{
    static const char name[] = ".bp-XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
    *temporary = calloc(1, folder + sizeof name);
    if (!*temporary) {
        return NULL;
    }
    memcpy(*temporary, path, folder);
    memcpy(*temporary + folder, name, sizeof name);
    struct stat about;
    mode_t mask = umask(0), mode = stat(path, &about) == 0 ? about.st_mode & 0777 : 0666 & ~mask;
    umask(mask);
    int descriptor = mkstemp(*temporary);
    FILE *file = descriptor >= 0 && fchmod(descriptor, mode) == 0 ? fdopen(descriptor, "w") : NULL;
    if (descriptor >= 0 && !file) {
        remove(*temporary);
        close(descriptor);
    }
    return file;
}

static bool write_and_close(const answers *a, answers_content content, FILE *file)
{
    write_csv(a, content, file);
    bool done = fflush(file) == 0 && !ferror(file);
    done = done && (fsync(fileno(file)) == 0 || errno == EINVAL); /* the disk has it before it is in its place; a pipe has none */
    int error = errno;
    done = fclose(file) == 0 && done;
    errno = done ? errno : error;
    return done;
}

/* Takes the place of the old file when it is whole. */
static bool replace_csv(const answers *a, answers_content content, const char *path)
{
    char *temporary = NULL;
    FILE *file = open_beside(path, &temporary);
    bool done = file && write_and_close(a, content, file) && rename(temporary, path) == 0;
    int error = errno;
    if (file && !done) {
        remove(temporary);
    }
    free(temporary);
    errno = error;
    return done;
}

/* A device or a pipe is written to. */
static bool write_csv_file(const answers *a, answers_content content, const char *path)
{
    struct stat about;
    bool is_special = stat(path, &about) == 0 && !S_ISREG(about.st_mode), done;
    if (is_special) {
        FILE *file = fopen(path, "w");
        done = file && write_and_close(a, content, file);
    } else {
        char *resolved = resolve(path);
        done = resolved && replace_csv(a, content, resolved);
        int error = errno;
        free(resolved);
        errno = error;
    }
    if (!done) {
        complain("%s: %s", path, strerror(errno));
    }
    return done;
}

/* ---- NPY ---- */

/* Classes by their numbers, outputs in the net's element type. */
static bool write_npy(const answers *a, answers_content content, const char *path)
{
    size_t width = content == ANSWERS_CLASSES ? 1 : a->n_outputs, n = a->n * width;
    double *wide = calloc(n, sizeof *wide);
    float *narrow = calloc(n, sizeof *narrow);
    bp_status status = wide && narrow ? BP_OK : BP_ERROR_MEMORY;
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        double probability;
        wide[i] = content == ANSWERS_CLASSES ? (double)answers_class(a, i, &probability) : a->outputs[i];
        narrow[i] = (float)wide[i];
    }
    if (status == BP_OK) {
        status = bp_net_dtype(a->net) == BP_F64 ? bp_write_npy_f64(path, a->n, width, wide) : bp_write_npy_f32(path, a->n, width, narrow);
    }
    free(wide);
    free(narrow);
    if (status != BP_OK) {
        complain_of(status);
    }
    return status == BP_OK;
}

bool answers_write(const answers *a, answers_content content, const char *path)
{
    const char *ending = path ? strrchr(path, '.') : NULL;
    if (ending && strcmp(ending, ".npy") == 0) {
        return write_npy(a, content, path);
    }
    if (path) {
        return write_csv_file(a, content, path);
    }
    write_csv(a, content, stdout);
    return true;
}
