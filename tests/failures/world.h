/* One of every object, and files, made the same each time; and what can be seen of them, to be compared. */
#ifndef BP_TESTS_WORLD_H
#define BP_TESTS_WORLD_H

#include "core/real.h"
#include "failures/failing.h"
#include "support/check.h"

#include <stdio.h>

enum { INPUTS = 3, HIDDEN = 4, OUTPUTS = 2, SAMPLES = 12, BATCH = 6, NUMBERS = 64 };

/* What a call writes or makes begins as NULL, or as zeros. */
typedef struct world {
    bp_net *net;                              /* 3-4-2, softmax, with all that a net can have but output scaling */
    bp_net *curve;                            /* the same with linear outputs and output scaling */
    bp_net *bare;                             /* one layer, not initialized */
    bp_layer *layer, *lent;                   /* lent by net */
    bp_workspace *ws, *curve_ws;              /* of net, curve */
    bp_optimizer *opt, *sgd, *custom, *lbfgs; /* of net, lbfgs of curve, NULL in a build without */
    bp_dataset *training, *curves, *mapped;   /* mapped: a file's samples with the classes of another */
    bp_csv_reader *reader;
    bp_schedule *schedule;
    bp_trainer *trainer; /* of net, opt and training, after three epochs */
    FILE *log;
    void *model, *onnx; /* bytes of model files; onnx NULL in a build without */
    size_t model_size, onnx_size;

    bp_net *made_net;
    bp_layer *made_layer;
    bp_workspace *made_ws;
    bp_optimizer *made_opt;
    bp_dataset *made[2];
    bp_csv_reader *made_reader;
    bp_schedule *made_schedule;
    bp_trainer *made_trainer;
    void *bytes;
    size_t size;
    real numbers[NUMBERS], more_numbers[NUMBERS];
    double doubles[NUMBERS], more_doubles[NUMBERS];
    uint64_t counts[NUMBERS];
    int value;
} world;

/* Samples, one a row; their classes, one-hot and as indices. */
extern real world_x[SAMPLES * INPUTS], world_target[SAMPLES * OUTPUTS];
extern uint32_t world_classes[SAMPLES];
extern const char *const world_input_names[INPUTS], *const world_class_names[OUTPUTS];

/* A custom method: momentum without its factor. */
int world_method(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state, real *state);

/*
 * The folder and the files that calls read: a CMocka setup and teardown. images and labels (IDX, the labels packed), table (CSV), training
 * (FANN), column_major (NPY, packed), model, model.onnx, checkpoint. Calls write to the file out, which is there, to link, which leads to
 * it, and to new, which is not there.
 */
int world_prepare(void **state);
int world_remove(void **state);

const char *world_path(const char *name);

/* A file's bytes, to be freed. */
void *world_bytes(const char *name, size_t *size);

void world_open(world *w);
void world_close(world *w);

/* What can be seen of a world, a number for each part of it. */
enum { SIGHTS = 48 };
typedef struct view {
    size_t n, first_file; /* the files' are the last */
    const char *names[SIGHTS];
    uint64_t sights[SIGHTS];
} view;

void world_look(const world *w, view *v);

/* What would be seen if of all parts the files alone were as in `after`. */
view world_with_files(const view *before, const view *after);

/* The name of the first part that is not the same; NULL: all are. */
const char *world_difference(const view *a, const view *b);

#endif
