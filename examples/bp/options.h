/* The command line of bp train. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAX_HIDDEN = 16,
    METRIC_COUNT = BP_METRIC_R2 + 1,
    TRAINER_SETTINGS = BP_TRAINER_HALVINGS + 1,
    OPTIMIZER_SETTINGS = BP_OPTIMIZER_HISTORY + 1,
    SCHEDULE_SETTINGS = BP_SCHEDULE_COOLDOWN + 1
};

typedef struct options {
    const char *data, *target; /* target: name or number of a column */
    const char *targets;       /* the file that has them, or NULL: DATA itself */
    const char *model;         /* the file that is wanted, or NULL */
    model_format format;       /* its */
    bool regress, classes;     /* what the target is; neither: as its values say */
    bool has_header;
    bp_csv_header header; /* if has_header */
    bp_csv_missing missing;
    size_t n_hidden, hidden[MAX_HIDDEN];
    bp_activation activation;
    bool has_scaling;
    bp_scaling scaling;
    bp_method method;
    bool has_schedule;
    bp_schedule_kind schedule;
    double dropout, noise;
    double test_fraction;                      /* NaN: of a few none */
    double validation_fraction;                /* NaN: as the number of samples says */
    double trainer_settings[TRAINER_SETTINGS]; /* these three: NaN where not given */
    double optimizer_settings[OPTIMIZER_SETTINGS];
    double schedule_settings[SCHEDULE_SETTINGS];
    size_t folds; /* 0: no cross-validation */
    size_t threads;
    uint64_t seed;
    const char *plot, *history, *checkpoint, *resume; /* files, or NULL */
    double required[METRIC_COUNT];                    /* NaN: nothing is */
} options;

/* Reads the command line; the program ends with 2 if it is wrong. */
options options_parse(int argc, char **argv);

/* The settings of a net's training that were given, for those that have them. */
bp_status options_apply_to_optimizer(const options *o, bp_optimizer *opt);
bp_status options_apply_to_trainer(const options *o, bp_trainer *trainer);
bp_status options_apply_to_schedule(const options *o, bp_schedule *schedule);

#endif
