/* A net's parameters between two orders: as they are stored, and packed as net.h says, θ. Any vector of the net's dtype can have either. */
#ifndef BP_NET_PACKING_H
#define BP_NET_PACKING_H

#include "net/net.h"

/* theta: parameter_count elements, from stored: net->storage of them. */
void bp_parameters_pack(const bp_net *net, const void *stored, void *theta);

/* The reverse, with zeros in the padding. */
void bp_parameters_unpack(const bp_net *net, const void *theta, void *stored);

#endif
