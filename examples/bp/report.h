/* What is said of a trained net. */
#ifndef REPORT_H
#define REPORT_H

#include "table.h"
#include "training.h"

/* Why and where training ended. */
void report_end(const bp_trainer *trainer);

/* The metrics of a net, or the means of several nets' with the deviations of those: n rows of METRIC_COUNT. */
void report_metrics(bool of_numbers, size_t n, const double *metrics);

/* How many samples of each class (row) had which answer (column). */
void report_confusion(size_t n_classes, const char *const *names, const uint64_t *confusion);

/* Some samples of the test set with the net's answers, those first that are wrong. */
bp_status report_samples(const table *t, const training *run, const bp_dataset *test);

/* Whether the mean metrics are as good as is required (NaN: nothing is); false with a sentence on stderr. */
bool report_is_enough(const double *required, size_t n, const double *metrics);

#endif
