/* What bp predict and bp evaluate share: a net that is there, and a file as samples for it. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <bp/bp.h>

#include <stdbool.h>

typedef struct samples_options {
    const char *model, *data;
    size_t n_threads;
    /* how to read the file, where the net does not say it */
    bool has_header, has_missing;
    bp_csv_header header;   /* if has_header */
    bp_csv_missing missing; /* if has_missing */
    bool with_target;       /* what the net is to answer is in the file, too */
    const char *target;     /* its column; NULL: the net knows it, or it is the last */
    const char *targets;    /* another file that has it, for IDX and NPY; NULL: none */
} samples_options;

/* Takes --header ('b'), --missing ('u') and --threads ('j') from the command line; false for another option. */
bool samples_option(samples_options *o, int option, const char *name, const char *value);

/* Takes MODEL and DATA, which are behind the options. */
void samples_arguments(samples_options *o, int argc, char **argv);

/* Whether the net's outputs are classes: it names them, or ends with softmax. */
bool is_classifier(bp_net *net);

/* In the net's element type; false with a sentence on stderr and *exit_status. The dataset is the caller's. */
bool samples_read(const samples_options *o, bp_net *net, bp_dataset **dataset, int *exit_status);

#endif
