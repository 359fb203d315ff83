#include "set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIMENSIONS = 3, MAX_SAMPLES = 1000000 };

/* The bytes of an IDX file, behind its header. */
typedef struct idx {
    char path[4096];
    size_t sizes[MAX_DIMENSIONS];
    unsigned char *bytes;
} idx;

static bool complain(const idx *file, const char *what)
{
    fprintf(stderr, "bp-mnist: %s: %s\n", file->path, what);
    return false;
}

/* A header: two zeros, 8 for unsigned bytes, the number of dimensions, then each size, big-endian in 4 bytes. */
static bool read_header(idx *file, FILE *stream, size_t dimensions)
{
    unsigned char head[4 + 4 * MAX_DIMENSIONS];
    if (fread(head, 1, 4 + 4 * dimensions, stream) != 4 + 4 * dimensions) {
        return complain(file, "it is shorter than its header");
    }
    if (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != dimensions) {
        return complain(file, dimensions == 3 ? "it is no IDX file of images" : "it is no IDX file of labels");
    }
    for (size_t i = 0; i < dimensions; i++) {
        const unsigned char *at = head + 4 + 4 * i;
        file->sizes[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    return true;
}

static bool read_bytes(idx *file, FILE *stream, size_t dimensions)
{
    if (file->sizes[0] == 0 || file->sizes[0] > MAX_SAMPLES) {
        return complain(file, "it says that it has no sample, or more than a million");
    }
    if (dimensions == 3 && (file->sizes[1] != 28 || file->sizes[2] != 28)) {
        return complain(file, "its images are not 28 x 28");
    }
    size_t n = file->sizes[0] * (dimensions == 3 ? MNIST_PIXELS : 1);
    file->bytes = malloc(n);
    if (!file->bytes) {
        return complain(file, "no memory to read it");
    }
    if (fread(file->bytes, 1, n, stream) != n) {
        return complain(file, "it is cut short");
    }
    return fgetc(stream) == EOF || complain(file, "it is longer than it says");
}

static bool read_idx(idx *file, const char *folder, const char *name, size_t dimensions)
{
    if (snprintf(file->path, sizeof file->path, "%s/%s", folder, name) >= (int)sizeof file->path) {
        return complain(file, "the path is too long");
    }
    FILE *stream = fopen(file->path, "rb");
    if (!stream) {
        fprintf(stderr, "bp-mnist: %s: %s (bench/fetch-mnist fetches it)\n", file->path, strerror(errno));
        return false;
    }
    bool good = read_header(file, stream, dimensions) && read_bytes(file, stream, dimensions);
    fclose(stream);
    return good;
}

static bool make_dataset(const idx *images, const idx *labels, bp_dataset **dataset)
{
    size_t n = images->sizes[0];
    if (labels->sizes[0] != n) {
        return complain(labels, "it has another number of samples than the images");
    }
    float *x = malloc(n * MNIST_PIXELS * sizeof *x);
    uint32_t *classes = malloc(n * sizeof *classes);
    bool good = x && classes;
    if (!good) {
        complain(images, "no memory to convert it");
    }
    for (size_t i = 0; good && i < n * MNIST_PIXELS; i++) {
        x[i] = (float)images->bytes[i] / 255;
    }
    for (size_t i = 0; good && i < n; i++) {
        classes[i] = labels->bytes[i];
    }
    if (good && bp_dataset_create_classes_f32(dataset, n, MNIST_PIXELS, MNIST_CLASSES, x, classes) != BP_OK) {
        good = complain(labels, bp_last_error());
    }
    free(x);
    free(classes);
    return good;
}

static bool read_part(const char *folder, const char *images_name, const char *labels_name, bp_dataset **dataset)
{
    idx images = {.bytes = NULL}, labels = {.bytes = NULL};
    bool good =
        read_idx(&images, folder, images_name, 3) && read_idx(&labels, folder, labels_name, 1) && make_dataset(&images, &labels, dataset);
    free(images.bytes);
    free(labels.bytes);
    return good;
}

bool mnist_set_read(mnist_set *set, const char *folder)
{
    return read_part(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", &set->train) &&
           read_part(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", &set->test);
}

void mnist_set_destroy(mnist_set *set)
{
    bp_dataset_destroy(set->train);
    bp_dataset_destroy(set->test);
}

double mnist_accuracy(size_t n, const float *y, const uint32_t *classes)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        const float *outputs = y + i * MNIST_CLASSES;
        uint32_t best = 0;
        for (uint32_t j = 1; j < MNIST_CLASSES; j++) {
            best = outputs[j] > outputs[best] ? j : best;
        }
        right += best == classes[i];
    }
    return (double)right / (double)n;
}
