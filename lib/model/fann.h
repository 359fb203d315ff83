/* The net of a FANN file that is in memory: bp_net_import_fann without the file. path is for sentences. */
#ifndef BP_MODEL_FANN_H
#define BP_MODEL_FANN_H

#include "bp/fann.h"

bp_status bp_fann_net(const char *function, const char *path, const void *bytes, size_t size, bp_dtype dtype, bp_net **net);

#endif
