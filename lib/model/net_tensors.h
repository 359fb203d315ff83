/* A net as texts and tensors: what model files are, and checkpoints begin with. */
#ifndef BP_MODEL_NET_TENSORS_H
#define BP_MODEL_NET_TENSORS_H

#include "model/safetensors.h"
#include "net/net.h"

/* Adds them. *theta is the memory of the tensors, which the caller frees when the file has been written. */
bp_status bp_net_to_tensors(const char *function, const bp_net *net, bp_tensors *file, void **theta);

/* The net of a file, whose data is read (bp_tensors_read). dtype 0: the file's. */
bp_status bp_net_from_tensors(const char *function, const char *path, bp_tensors *file, bp_dtype dtype, bool allow_nonfinite, bp_net **net);

#endif
