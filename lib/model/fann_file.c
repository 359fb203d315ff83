#define _POSIX_C_SOURCE 200809L /* locale_t */

#include "model/fann_file.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double half_pi = 1.57079632679489661923132169163975144;

/* In the order of FANN's numbers for them. cos e = sin(e + π/2). */
static const bp_fann_function functions[] = {
    {"FANN_LINEAR", BP_ACTIVATION_IDENTITY, 1, 0, 1, 0},
    {"FANN_THRESHOLD", -1, 0, 0, 0, 0},
    {"FANN_THRESHOLD_SYMMETRIC", -1, 0, 0, 0, 0},
    {"FANN_SIGMOID", BP_ACTIVATION_SIGMOID, 2, 0, 1, 0},
    {"FANN_SIGMOID_STEPWISE", -1, 0, 0, 0, 0},
    {"FANN_SIGMOID_SYMMETRIC", BP_ACTIVATION_TANH, 1, 0, 1, 0},
    {"FANN_SIGMOID_SYMMETRIC_STEPWISE", -1, 0, 0, 0, 0},
    {"FANN_GAUSSIAN", BP_ACTIVATION_GAUSSIAN, 1, 0, 1, 0},
    {"FANN_GAUSSIAN_SYMMETRIC", BP_ACTIVATION_GAUSSIAN, 1, 0, 2, -1},
    {"FANN_GAUSSIAN_STEPWISE", -1, 0, 0, 0, 0},
    {"FANN_ELLIOT", BP_ACTIVATION_SOFTSIGN, 1, 0, 0.5, 0.5},
    {"FANN_ELLIOT_SYMMETRIC", BP_ACTIVATION_SOFTSIGN, 1, 0, 1, 0},
    {"FANN_LINEAR_PIECE", -1, 0, 0, 0, 0},
    {"FANN_LINEAR_PIECE_SYMMETRIC", -1, 0, 0, 0, 0},
    {"FANN_SIN_SYMMETRIC", BP_ACTIVATION_SINE, 1, 0, 1, 0},
    {"FANN_COS_SYMMETRIC", BP_ACTIVATION_SINE, 1, half_pi, 1, 0},
    {"FANN_SIN", BP_ACTIVATION_SINE, 1, 0, 0.5, 0.5},
    {"FANN_COS", BP_ACTIVATION_SINE, 1, half_pi, 0.5, 0.5},
};

enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

static size_t left(const bp_fann_text *text)
{
    return (size_t)(text->end - text->at);
}

/* ---- one value ---- */

static bp_status read_layer_count(bp_fann_text *text, bp_fann_file *file)
{
    bp_status status = bp_fann_count(text, left(text) / 2, &file->n_layers); /* each has a size of one digit, and a space */
    if (status == BP_OK && file->n_layers < 2) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "%zu layers; a net has at least 2", file->n_layers);
    }
    return status;
}

static bp_status read_connection_rate(bp_fann_text *text, bp_fann_file *file)
{
    double rate;
    bp_status status = bp_fann_number(text, &rate);
    file->is_sparse = status == BP_OK && rate < 1;
    return status;
}

static bp_status read_network_type(bp_fann_text *text, bp_fann_file *file)
{
    (void)file;
    size_t type;
    bp_status status = bp_fann_count(text, SIZE_MAX, &type);
    if (status == BP_OK && type == 1) {
        return bp_fann_fail(text, BP_ERROR_UNSUPPORTED, "FANN_NETTYPE_SHORTCUT: a net of libbp has no shortcut connections");
    }
    if (status == BP_OK && type != 0) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "%zu is no type of a net of FANN", type);
    }
    return status;
}

static bp_status read_layer_sizes(bp_fann_text *text, bp_fann_file *file)
{
    size_t n_neurons = 0, limit = left(text) / 2; /* what follows has two bytes for each neuron at the least */
    file->sizes = calloc(file->n_layers, sizeof *file->sizes);
    if (!file->sizes) {
        return bp_fail_memory(text->function);
    }
    for (size_t l = 0; l < file->n_layers; l++) {
        bp_status status = bp_fann_count(text, limit - n_neurons, &file->sizes[l]);
        if (status != BP_OK) {
            return status;
        }
        if (file->sizes[l] < 2 || file->sizes[l] > BP_MAX_DIMENSION) {
            return bp_fann_fail(text, BP_ERROR_FORMAT, "layer %zu has %zu neurons; it can have 2, of which one is the bias, to %zu", l,
                                file->sizes[l], BP_MAX_DIMENSION);
        }
        n_neurons += file->sizes[l];
    }
    file->neurons = calloc(n_neurons, sizeof *file->neurons);
    return file->neurons ? BP_OK : bp_fail_memory(text->function);
}

static bp_status read_scale_included(bp_fann_text *text, bp_fann_file *file)
{
    size_t included;
    bp_status status = bp_fann_count(text, 1, &included);
    file->has_scaling = status == BP_OK && included == 1;
    return status;
}

/* FANN has these as float, also where its other numbers are double. */
static bp_status read_scales(bp_fann_text *text, size_t n, float **scales)
{
    *scales = malloc(n * sizeof **scales);
    bp_status status = *scales ? BP_OK : bp_fail_memory(text->function);
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        double scale = 0;
        status = bp_fann_number(text, &scale);
        (*scales)[i] = (float)scale;
    }
    return status;
}

/* ---- neurons ---- */

static bp_status set_function(const bp_fann_text *text, bp_fann_neuron *neuron, size_t number, double steepness)
{
    if (number >= FUNCTION_COUNT) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "%zu is no activation function of FANN; they are 0 to %d", number, FUNCTION_COUNT - 1);
    }
    neuron->function = &functions[number];
    neuron->steepness = steepness;
    return BP_OK;
}

/* A neuron of layer l ≥ 1 that is no bias. */
static bp_status check_neuron(const bp_fann_text *text, const bp_fann_file *file, const bp_fann_neuron *first, size_t l, size_t i)
{
    const bp_fann_neuron *neuron = first + i;
    if (neuron->n_inputs == 0) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "neuron %zu of layer %zu has no inputs", i, l);
    }
    if (!file->is_sparse && neuron->n_inputs != file->sizes[l - 1]) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "neuron %zu of layer %zu has %zu inputs, but the layer before has %zu neurons", i, l,
                            neuron->n_inputs, file->sizes[l - 1]);
    }
    if (neuron->function->activation < 0) {
        return bp_fann_fail(text, BP_ERROR_UNSUPPORTED, "layer %zu has %s, which libbp has not%s", l, neuron->function->name,
                            strstr(neuron->function->name, "SIGMOID") ? "; FANN can set and save what it approximates, without _STEPWISE"
                                                                      : "");
    }
    if (neuron->function->activation != first->function->activation) {
        return bp_fann_fail(text, BP_ERROR_UNSUPPORTED, "layer %zu has %s and %s; a layer of libbp has one activation", l,
                            first->function->name, neuron->function->name);
    }
    if (!(neuron->steepness >= 0)) {
        return bp_fann_fail(text, BP_ERROR_UNSUPPORTED, "neuron %zu of layer %zu has a steepness of %g; it can be 0 or more", i, l,
                            neuron->steepness);
    }
    return BP_OK;
}

static bp_status check_neurons(const bp_fann_text *text, const bp_fann_file *file)
{
    const bp_fann_neuron *first = file->neurons;
    for (size_t l = 0; l < file->n_layers; first += file->sizes[l], l++) {
        for (size_t i = 0; i < file->sizes[l]; i++) {
            bool has_none = l == 0 || i + 1 == file->sizes[l];
            if (has_none && first[i].n_inputs != 0) {
                return bp_fann_fail(text, BP_ERROR_FORMAT, "neuron %zu of layer %zu, %s, has %zu inputs", i, l,
                                    l == 0 ? "an input" : "the bias", first[i].n_inputs);
            }
            bp_status status = has_none ? BP_OK : check_neuron(text, file, first, l, i);
            if (status != BP_OK) {
                return status;
            }
        }
    }
    return BP_OK;
}

static bp_status read_neurons(bp_fann_text *text, bp_fann_file *file)
{
    bp_fann_neuron *neuron = file->neurons;
    for (size_t l = 0; l < file->n_layers; l++) {
        for (size_t i = 0; i < file->sizes[l]; i++, neuron++) {
            size_t function = 0;
            double steepness = 0;
            bp_status status;
            if ((status = bp_fann_expect(text, "(")) != BP_OK || (status = bp_fann_count(text, left(text), &neuron->n_inputs)) != BP_OK ||
                (status = bp_fann_expect(text, ",")) != BP_OK || (status = bp_fann_count(text, SIZE_MAX, &function)) != BP_OK ||
                (status = bp_fann_expect(text, ",")) != BP_OK || (status = bp_fann_number(text, &steepness)) != BP_OK ||
                (status = bp_fann_expect(text, ")")) != BP_OK || (status = set_function(text, neuron, function, steepness)) != BP_OK) {
                return status;
            }
        }
    }
    return check_neurons(text, file);
}

/* ---- the versions ---- */

enum { LAYERS, SIZES, INCLUDED, NEURONS, CONNECTIONS, RATE, TYPE, SCALES };

static const char *const keys[] = {
    [LAYERS] = "num_layers",
    [SIZES] = "layer_sizes",
    [INCLUDED] = "scale_included",
    [NEURONS] = "neurons (num_inputs, activation_function, activation_steepness)",
    [CONNECTIONS] = "connections (connected_to_neuron, weight)",
    [RATE] = "connection_rate",
    [TYPE] = "network_type",
    [SCALES + MEAN] = "scale_mean_in",
    [SCALES + DEVIATION] = "scale_deviation_in",
    [SCALES + NEW_MIN] = "scale_new_min_in",
    [SCALES + FACTOR] = "scale_factor_in",
    [SCALES + FANN_SCALE_COUNT + MEAN] = "scale_mean_out",
    [SCALES + FANN_SCALE_COUNT + DEVIATION] = "scale_deviation_out",
    [SCALES + FANN_SCALE_COUNT + NEW_MIN] = "scale_new_min_out",
    [SCALES + FANN_SCALE_COUNT + FACTOR] = "scale_factor_out",
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

static size_t find_key(const char *key)
{
    size_t k = 0;
    while (k < KEY_COUNT && strcmp(keys[k], key) != 0) {
        k++;
    }
    return k;
}

static bp_status read_value(bp_fann_text *text, bp_fann_file *file, size_t key)
{
    switch (key) {
    case LAYERS:
        return read_layer_count(text, file);
    case SIZES:
        return read_layer_sizes(text, file);
    case INCLUDED:
        return read_scale_included(text, file);
    case NEURONS:
        return read_neurons(text, file);
    case CONNECTIONS:
        return BP_OK;
    case RATE:
        return read_connection_rate(text, file);
    case TYPE:
        return read_network_type(text, file);
    default:
        if (!file->has_scaling) {
            return bp_fann_fail(text, BP_ERROR_FORMAT, "scale_included=1 is not there before it");
        }
        return key < SCALES + FANN_SCALE_COUNT
                   ? read_scales(text, file->sizes[0] - 1, &file->input_scales[key - SCALES])
                   : read_scales(text, file->sizes[file->n_layers - 1] - 1, &file->output_scales[key - SCALES - FANN_SCALE_COUNT]);
    }
}

/* The first key that is to come before this one and has not; KEY_COUNT if there is none. */
static size_t missing_before(const bp_fann_file *file, size_t key, const bool *seen)
{
    static const size_t of_neurons[] = {LAYERS, SIZES, RATE, TYPE};
    size_t n = key == NEURONS ? sizeof of_neurons / sizeof *of_neurons : key == SIZES ? 1 : key >= SCALES ? 2 : 0;
    for (size_t i = 0; i < n; i++) {
        if (!seen[of_neurons[i]]) {
            return of_neurons[i];
        }
    }
    for (size_t k = SCALES; key == CONNECTIONS && file->has_scaling && k < KEY_COUNT; k++) {
        if (!seen[k]) {
            return k;
        }
    }
    return key == CONNECTIONS && !seen[NEURONS] ? NEURONS : KEY_COUNT;
}

/* Lines key=value. What training has for itself, and keys that are not known, are passed over. */
static bp_status read_lines(bp_fann_text *text, bp_fann_file *file)
{
    bool seen[KEY_COUNT] = {false};
    while (!seen[CONNECTIONS]) {
        bp_status status = bp_fann_next_key(text);
        if (status != BP_OK) {
            return status;
        }
        size_t key = find_key(text->key);
        if (key == KEY_COUNT) {
            bp_fann_skip_line(text);
            continue;
        }
        size_t missing = missing_before(file, key, seen);
        if (missing < KEY_COUNT) {
            return bp_fann_fail(text, BP_ERROR_FORMAT, "%s is not there before it", keys[missing]);
        }
        if (seen[key]) {
            return bp_fann_fail(text, BP_ERROR_FORMAT, "it is there twice");
        }
        seen[key] = true;
        if ((status = read_value(text, file, key)) != BP_OK) {
            return status;
        }
    }
    return BP_OK;
}

/* Version 1.1: layers, learning rate, connection rate, type, functions and steepnesses (hidden, output); sizes; inputs of each neuron. */
static bp_status read_1_1(bp_fann_text *text, bp_fann_file *file)
{
    double learning_rate, steepness[2];
    size_t function[2];
    bp_status status;
    strcpy(text->key, "parameters");
    if ((status = read_layer_count(text, file)) != BP_OK || (status = bp_fann_number(text, &learning_rate)) != BP_OK ||
        (status = read_connection_rate(text, file)) != BP_OK || (status = read_network_type(text, file)) != BP_OK ||
        (status = bp_fann_count(text, SIZE_MAX, &function[0])) != BP_OK ||
        (status = bp_fann_count(text, SIZE_MAX, &function[1])) != BP_OK || (status = bp_fann_number(text, &steepness[0])) != BP_OK ||
        (status = bp_fann_number(text, &steepness[1])) != BP_OK) {
        return status;
    }
    strcpy(text->key, keys[SIZES]);
    if ((status = read_layer_sizes(text, file)) != BP_OK) {
        return status;
    }
    strcpy(text->key, "neurons");
    bp_fann_neuron *neuron = file->neurons;
    for (size_t l = 0; l < file->n_layers; l++) {
        bool is_output = l + 1 == file->n_layers;
        for (size_t i = 0; i < file->sizes[l]; i++, neuron++) {
            if ((status = bp_fann_count(text, left(text), &neuron->n_inputs)) != BP_OK ||
                (status = set_function(text, neuron, function[is_output], steepness[is_output])) != BP_OK) {
                return status;
            }
        }
    }
    status = check_neurons(text, file);
    strcpy(text->key, "connections");
    return status;
}

bp_status bp_fann_file_read(bp_fann_text *text, bp_fann_file *file)
{
    strcpy(text->key, "version");
    if (bp_fann_take(text, "FANN_FIX_")) {
        return bp_fann_fail(text, BP_ERROR_UNSUPPORTED,
                            "FANN_FIX: the file is of fixed-point numbers; fann_save of a net of floats writes others");
    }
    if (!bp_fann_take(text, "FANN_FLO_")) {
        return bp_fann_fail(text, BP_ERROR_FORMAT, "the file does not begin with FANN_FLO_: it is no net of FANN");
    }
    file->is_1_1 = bp_fann_take(text, "1.1");
    bool is_known = file->is_1_1 || bp_fann_take(text, "2.0") || bp_fann_take(text, "2.1");
    if (!is_known || text->at == text->end || (*text->at != '\n' && *text->at != '\r')) {
        return bp_fann_fail(text, BP_ERROR_UNSUPPORTED, "a version of FANN_FLO that is not 1.1, 2.0 or 2.1");
    }
    return file->is_1_1 ? read_1_1(text, file) : read_lines(text, file);
}

void bp_fann_file_release(bp_fann_file *file)
{
    free(file->sizes);
    free(file->neurons);
    for (int i = 0; i < FANN_SCALE_COUNT; i++) {
        free(file->input_scales[i]);
        free(file->output_scales[i]);
    }
}
