/* Training steps on samples in any order. All has been checked, but the loss. */
#ifndef BP_TRAIN_TRAIN_H_
#define BP_TRAIN_TRAIN_H_

#include "net/pass.h"
#include "train/optimizer.h"

/* bp_net_train_step, on samples first … first + batch − 1; in the name of function. */
bp_status REAL(bp_train_step)(const char *function, bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss,
                              const REAL(bp_samples) * samples, size_t first, size_t batch, real *mean_loss);

/* bp_net_train_online, on samples first … first + n − 1. If it fails, *mean_loss is undefined. */
bp_status REAL(bp_train_online)(const char *function, bp_net *net, bp_workspace *ws, bp_optimizer *opt, bp_loss loss,
                                const REAL(bp_samples) * samples, size_t first, size_t n, double *mean_loss);

#endif
