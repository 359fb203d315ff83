/* What a FANN file says before its connections, checked. */
#ifndef BP_MODEL_FANN_FILE_H
#define BP_MODEL_FANN_FILE_H

#include "bp/activation.h"

#include "model/fann_text.h"

/* One of FANN's functions as one of ours: factor f(steepness_factor s e + shift) + offset. */
typedef struct bp_fann_function {
    const char *name;
    int activation; /* −1: none of ours */
    double steepness_factor, shift, factor, offset;
} bp_fann_function;

typedef struct bp_fann_neuron {
    size_t n_inputs; /* 0 in the first layer and for bias neurons, the last of each layer */
    const bp_fann_function *function;
    double steepness;
} bp_fann_neuron;

/* Numbers of a scaling: ((x − mean) / deviation + 1) factor + new_min. */
typedef enum bp_fann_scale { MEAN, DEVIATION, NEW_MIN, FACTOR, FANN_SCALE_COUNT } bp_fann_scale;

typedef struct bp_fann_file {
    bool is_1_1; /* the old version, which has numbers without keys */
    bool is_sparse;
    size_t n_layers; /* with the inputs' */
    size_t *sizes;   /* their neurons, with the bias neuron */
    bp_fann_neuron *neurons;
    bool has_scaling;
    float *input_scales[FANN_SCALE_COUNT], *output_scales[FANN_SCALE_COUNT];
} bp_fann_file;

/* Reads up to the first connection. The caller ends what is in *file, which is zeros before, even after a failure. */
bp_status bp_fann_file_read(bp_fann_text *text, bp_fann_file *file);

void bp_fann_file_release(bp_fann_file *file);

#endif
