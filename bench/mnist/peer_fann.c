#include "peer_fann.h"

#include <fann.h>
#include <stdlib.h>
#include <string.h>

struct mnist_fann {
    struct fann *ann;
    size_t n_widths;
    const unsigned *widths;
    float *input; /* FANN wants no const */
};

mnist_fann *mnist_fann_create(unsigned n_widths, const unsigned *widths, double learning_rate)
{
    mnist_fann *fann = malloc(sizeof *fann);
    if (!fann) {
        return NULL;
    }
    *fann = (mnist_fann){.ann = fann_create_standard_array(n_widths, widths),
                         .n_widths = n_widths,
                         .widths = widths,
                         .input = malloc(widths[0] * sizeof *fann->input)};
    if (!fann->ann || !fann->input) {
        mnist_fann_destroy(fann);
        return NULL;
    }
    /* FANN's symmetric sigmoid of steepness s is tanh(s e); its default error function is another than the squared error */
    fann_set_activation_function_hidden(fann->ann, FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_function_output(fann->ann, FANN_LINEAR);
    fann_set_activation_steepness_hidden(fann->ann, 1);
    fann_set_activation_steepness_output(fann->ann, 1);
    fann_set_train_error_function(fann->ann, FANN_ERRORFUNC_LINEAR);
    fann_set_training_algorithm(fann->ann, FANN_TRAIN_INCREMENTAL);
    fann_set_learning_rate(fann->ann, (float)learning_rate);
    fann_set_learning_momentum(fann->ann, 0);
    return fann;
}

void mnist_fann_destroy(mnist_fann *fann)
{
    if (fann) {
        if (fann->ann) {
            fann_destroy(fann->ann);
        }
        free(fann->input);
        free(fann);
    }
}

/* FANN holds for each unit its weights, then its bias. Copies them from source, or to theta if source is NULL. */
static void copy_weights(const mnist_fann *fann, float *theta, const float *source)
{
    float *at = fann->ann->weights;
    size_t layer = 0;
    for (size_t l = 0; l + 1 < fann->n_widths; l++) {
        size_t n_in = fann->widths[l], n_out = fann->widths[l + 1];
        for (size_t i = 0; i < n_out; i++) {
            size_t row = layer + i * n_in, bias = layer + n_out * n_in + i;
            if (source) {
                memcpy(at, source + row, n_in * sizeof *at);
                at[n_in] = source[bias];
            } else {
                memcpy(theta + row, at, n_in * sizeof *at);
                theta[bias] = at[n_in];
            }
            at += n_in + 1;
        }
        layer += n_out * (n_in + 1);
    }
}

void mnist_fann_set(mnist_fann *fann, const float *theta)
{
    copy_weights(fann, NULL, theta);
}

void mnist_fann_get(const mnist_fann *fann, float *theta)
{
    copy_weights(fann, theta, NULL);
}

void mnist_fann_train(mnist_fann *fann, size_t n, float *x, float *target)
{
    size_t n_in = fann->widths[0], n_out = fann->widths[fann->n_widths - 1];
    for (size_t i = 0; i < n; i++) {
        fann_train(fann->ann, x + i * n_in, target + i * n_out);
    }
}

void mnist_fann_run(mnist_fann *fann, size_t n, const float *x, float *y)
{
    size_t n_in = fann->widths[0], n_out = fann->widths[fann->n_widths - 1];
    for (size_t i = 0; i < n; i++) {
        memcpy(fann->input, x + i * n_in, n_in * sizeof *x);
        memcpy(y + i * n_out, fann_run(fann->ann, fann->input), n_out * sizeof *y);
    }
}
