#ifndef BP_TRAIN_DATASET_CHECK_H
#define BP_TRAIN_DATASET_CHECK_H

#include "bp/dataset.h"
#include "bp/net.h"

/*
 * That the dataset is there, of the net's dtype and widths, has targets, and has no more classes than the net can tell apart, in the name
 * of function. The net has been checked before.
 */
bp_status bp_check_dataset(const char *function, const bp_net *net, const bp_dataset *dataset);

#endif
