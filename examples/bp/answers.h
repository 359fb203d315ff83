/* What a net says to samples. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct answers {
    bp_net *net; /* the caller's */
    size_t n, n_outputs;
    double *outputs; /* n × n_outputs */
} answers;

/* Runs the net over the dataset, whose element type is the net's; to be released also after a failure. */
bp_status answers_make(answers *a, bp_net *net, const bp_dataset *dataset, size_t n_threads);
void answers_release(answers *a);

/* The class that is sample row's answer, as bp_net_evaluate counts them; *probability says how sure the net is. */
size_t answers_class(const answers *a, size_t row, double *probability);

/* What is written of them: of a classifier the class, else the outputs. */
typedef enum answers_content { ANSWERS_OUTPUTS, ANSWERS_CLASSES } answers_content;

/* Writes to a .npy file, or as CSV to another one or to standard output (NULL); false with a sentence on stderr. */
bool answers_write(const answers *a, answers_content content, const char *path);

#endif
