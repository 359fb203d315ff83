/*
 * Models with inputs and outputs, to compare this library with others (judge); FORMAT is onnx or safetensors:
 *
 *     samples write FORMAT FOLDER      writes nets of every activation, each as NAME.FORMAT with NAME.x and NAME.y, what it is given and gives
 *     samples compare FORMAT FOLDER    reads each NAME.FORMAT there, and compares what it gives for NAME.x with NAME.y
 *
 * NAME.x and NAME.y hold SAMPLES rows of numbers in the model's element type.
 */
#include <bp/bp.h>

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 32, N_INPUTS = 7, N_HIDDEN = 16, N_OUTPUTS = 5, PATH_SIZE = 512 };

static const double tolerance = 1e-5;

/* A format's name, which its files end with, and its calls. */
typedef struct format {
    const char *name;
    bp_status (*write)(const bp_net *net, const char *path);
    bp_status (*read)(bp_net **net, const char *path);
} format;

static const format formats[] = {{"onnx", bp_net_export_onnx, bp_net_import_onnx}, {"safetensors", bp_net_save, bp_net_load}};

static void must(bp_status status)
{
    if (status != BP_OK) {
        fprintf(stderr, "samples: %s\n", bp_last_error());
        exit(1);
    }
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        fprintf(stderr, "samples: out of memory\n");
        exit(1);
    }
    return memory;
}

static FILE *open_file(const char *folder, const char *name, const char *suffix, const char *mode)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    FILE *file = fopen(path, mode);
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void write_numbers(const char *folder, const char *name, const char *suffix, const void *numbers, size_t size)
{
    FILE *file = open_file(folder, name, suffix, "wb");
    if (fwrite(numbers, 1, size, file) != size || fclose(file) != 0) {
        perror(name);
        exit(1);
    }
}

static void read_numbers(const char *folder, const char *name, const char *suffix, void *numbers, size_t size)
{
    FILE *file = open_file(folder, name, suffix, "rb");
    if (fread(numbers, 1, size, file) != size || getc(file) != EOF) {
        fprintf(stderr, "samples: %s%s has not %zu bytes\n", name, suffix, size);
        exit(1);
    }
    fclose(file);
}

static void predict(const bp_net *net, const void *x, void *y)
{
    bp_workspace *ws;
    must(bp_workspace_create(&ws, net, SAMPLES));
    if (bp_net_dtype(net) == BP_F32) {
        must(bp_net_predict_f32(net, ws, SAMPLES, x, y));
    } else {
        must(bp_net_predict_f64(net, ws, SAMPLES, x, y));
    }
    bp_workspace_destroy(ws);
}

static void put(bp_dtype dtype, void *numbers, size_t index, double number)
{
    if (dtype == BP_F32) {
        ((float *)numbers)[index] = (float)number;
    } else {
        ((double *)numbers)[index] = number;
    }
}

static double get(bp_dtype dtype, const void *numbers, size_t index)
{
    return dtype == BP_F32 ? (double)((const float *)numbers)[index] : ((const double *)numbers)[index];
}

/* Numbers from −3 to 3 that every machine computes alike. */
static double sample(size_t index)
{
    return (double)(index * 7919 % 601) / 100 - 3;
}

static void write_one(const format *f, const char *folder, bp_activation activation, bp_dtype dtype)
{
    bp_activation hidden = activation == BP_ACTIVATION_SOFTMAX ? BP_ACTIVATION_TANH : activation;
    size_t width = bp_dtype_size(dtype);
    bp_net *net;
    must(bp_net_create(&net, dtype, N_INPUTS));
    must(bp_net_add_dense(net, N_HIDDEN, hidden, 1));
    must(bp_net_add_dense(net, N_HIDDEN, hidden, 0));
    must(bp_net_add_dense(net, N_OUTPUTS, activation, 1));
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 7));
    void *theta = allocate(bp_net_parameter_count(net) * width), *x = allocate(SAMPLES * N_INPUTS * width);
    void *y = allocate(SAMPLES * N_OUTPUTS * width), *offset = allocate(N_INPUTS * width),
         *scale = allocate(N_INPUTS * width); /* of outputs, which are fewer, as well */
    must(dtype == BP_F32 ? bp_net_get_parameters_f32(net, theta) : bp_net_get_parameters_f64(net, theta));
    for (size_t i = 0; i < N_HIDDEN; i++) {
        put(dtype, theta, N_INPUTS * N_HIDDEN + i, sample(i) / 10); /* a bias that is not 0 */
    }
    must(dtype == BP_F32 ? bp_net_set_parameters_f32(net, theta) : bp_net_set_parameters_f64(net, theta));
    for (size_t i = 0; i < N_INPUTS; i++) {
        put(dtype, offset, i, 0.125 * (double)i - 0.3);
        put(dtype, scale, i, 0.5 + 0.3 * (double)i);
    }
    must(dtype == BP_F32 ? bp_net_set_input_scaling_f32(net, offset, scale) : bp_net_set_input_scaling_f64(net, offset, scale));
    must(dtype == BP_F32 ? bp_net_set_output_scaling_f32(net, offset, scale) : bp_net_set_output_scaling_f64(net, offset, scale));
    for (size_t i = 0; i < SAMPLES * N_INPUTS; i++) {
        put(dtype, x, i, sample(i));
    }
    predict(net, x, y);
    char name[64], path[PATH_SIZE];
    snprintf(name, sizeof name, "%s_%s", bp_activation_name(activation), bp_dtype_name(dtype));
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, f->name);
    must(f->write(net, path));
    write_numbers(folder, name, ".x", x, SAMPLES * N_INPUTS * width);
    write_numbers(folder, name, ".y", y, SAMPLES * N_OUTPUTS * width);
    free(theta);
    free(x);
    free(y);
    free(offset);
    free(scale);
    bp_net_destroy(net);
}

/* Whether the model in NAME.FORMAT gives what it should. */
static bool compare_one(const format *f, const char *folder, const char *name)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, f->name);
    bp_net *net;
    must(f->read(&net, path));
    bp_dtype dtype = bp_net_dtype(net);
    size_t width = bp_dtype_size(dtype), n_inputs = bp_net_input_count(net), n_outputs = bp_net_output_count(net);
    void *x = allocate(SAMPLES * n_inputs * width), *y = allocate(SAMPLES * n_outputs * width),
         *expected = allocate(SAMPLES * n_outputs * width);
    read_numbers(folder, name, ".x", x, SAMPLES * n_inputs * width);
    read_numbers(folder, name, ".y", expected, SAMPLES * n_outputs * width);
    predict(net, x, y);
    double worst = 0;
    for (size_t i = 0; i < SAMPLES * n_outputs; i++) {
        double difference = fabs(get(dtype, y, i) - get(dtype, expected, i)) / fmax(1, fabs(get(dtype, expected, i)));
        worst = difference <= worst ? worst : difference; /* NaN, too */
    }
    printf("%-32s %s %zu layers %.2g\n", name, bp_dtype_name(dtype), bp_net_layer_count(net), worst);
    free(x);
    free(y);
    free(expected);
    bp_net_destroy(net);
    return worst <= tolerance;
}

static int compare_all(const format *f, const char *folder)
{
    DIR *directory = opendir(folder);
    size_t n = 0, bad = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory)) != NULL;) {
        char *ending = strrchr(entry->d_name, '.');
        if (ending && strcmp(ending + 1, f->name) == 0) {
            *ending = '\0';
            n++;
            bad += !compare_one(f, folder, entry->d_name);
        }
    }
    if (directory) {
        closedir(directory);
    }
    printf("%zu models, %zu of them differ by more than %g\n", n, bad, tolerance);
    return n == 0 || bad > 0;
}

static int write_all(const format *f, const char *folder)
{
    for (int activation = 0; bp_activation_name((bp_activation)activation); activation++) {
        write_one(f, folder, (bp_activation)activation, BP_F32);
        write_one(f, folder, (bp_activation)activation, BP_F64);
    }
    return 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 4 && i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(argv[2], formats[i].name) == 0 && strcmp(argv[1], "write") == 0) {
            return write_all(&formats[i], argv[3]);
        }
        if (strcmp(argv[2], formats[i].name) == 0 && strcmp(argv[1], "compare") == 0) {
            return compare_all(&formats[i], argv[3]);
        }
    }
    fprintf(stderr, "usage: samples write|compare onnx|safetensors FOLDER\n");
    return 2;
}
