/* What an evaluation adds up while the net goes over a dataset. */
#ifndef BP_TRAIN_EVALUATION_H
#define BP_TRAIN_EVALUATION_H

#include "bp/metric.h"

/* Of one output. */
typedef struct bp_output_sums {
    double mean;      /* of the targets so far */
    double deviation; /* Σ (z − mean)² */
    double residual;  /* Σ (z − y)² */
} bp_output_sums;

typedef struct bp_evaluation {
    const char *function; /* in whose name a number that is not finite is refused */
    const bp_net *net;
    bp_workspace *ws;
    bp_loss loss;
    const bp_dataset *dataset;
    size_t top_k;
    /* the sums */
    double loss_sum;
    double absolute_error;   /* Σ |z − y| */
    size_t right;            /* samples whose class is the answer */
    size_t among_first;      /* and those whose class is among the top_k largest outputs */
    bp_output_sums *outputs; /* of each */
    uint64_t *confusion;     /* n_classes × n_classes; NULL: not wanted */
} bp_evaluation;

/* Runs the net over the dataset and fills in the sums, which begin as zeros. The arguments have been checked. */
bp_status bp_evaluate_f32(bp_evaluation *evaluation);
bp_status bp_evaluate_f64(bp_evaluation *evaluation);

#endif
