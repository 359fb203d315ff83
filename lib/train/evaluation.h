/* What an evaluation adds up while the net goes over a dataset. */
#ifndef BP_TRAIN_EVALUATION_H
#define BP_TRAIN_EVALUATION_H

#include "bp/data_parallel.h"
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
    const bp_data_parallel *parallel; /* whose ranks each have a part of the samples; NULL: all are here */
    /* the sums */
    double n_samples;
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

/* bp_net_evaluate, in the name of evaluation->function, with the arguments that are in evaluation. Ranks make the call together. */
bp_status bp_evaluate(bp_evaluation *evaluation, size_t n_metrics, double *metrics, uint64_t *confusion);

#endif
