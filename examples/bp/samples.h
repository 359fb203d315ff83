/* A file as samples for a net that is there. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <bp/bp.h>

#include <stdbool.h>

/* How to read the file, where the net does not say it. */
typedef struct samples_options {
    const char *data;
    bool has_header, has_missing;
    bp_csv_header header;   /* if has_header */
    bp_csv_missing missing; /* if has_missing */
    bool with_target;       /* what the net is to answer is in the file, too */
    const char *target;     /* its column; NULL: the net knows it, or it is the last */
    const char *targets;    /* another file that has it, for IDX and NPY; NULL: none */
} samples_options;

/* Takes --header ('b') and --missing ('u') from the command line; false for another option. */
bool samples_option(samples_options *o, int option, const char *name, const char *value);

/* Whether the net's outputs are classes: it names them, or ends with softmax. */
bool is_classifier(bp_net *net);

/* In the net's element type; false with a sentence on stderr and *exit_status. The dataset is the caller's. */
bool samples_read(const samples_options *o, bp_net *net, bp_dataset **dataset, int *exit_status);

#endif
