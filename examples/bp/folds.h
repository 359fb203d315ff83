/* Cross-validation: several nets, each judged by samples that it has not seen. */
#ifndef FOLDS_H
#define FOLDS_H

#include "report.h"

/* Trains and reports; returns the exit status. */
int folds_run(const options *o, const table *t);

#endif
