#include "net/packing.h"

#include <string.h>

/* Where a layer's weights or bias are in a vector that is stored as the net's parameters are. */
static size_t place(const bp_net *net, const void *parameters)
{
    return (size_t)((const char *)parameters - (const char *)net->parameters);
}

void bp_parameters_pack(const bp_net *net, const void *stored, void *theta)
{
    size_t element = bp_dtype_size(net->dtype);
    char *to = theta;
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        const char *row = (const char *)stored + place(net, layer->weights);
        for (size_t i = 0; i < layer->n_outputs; i++, row += layer->ld * element, to += layer->n_inputs * element) {
            memcpy(to, row, layer->n_inputs * element);
        }
        if (layer->has_bias) {
            memcpy(to, (const char *)stored + place(net, layer->bias), layer->n_outputs * element);
            to += layer->n_outputs * element;
        }
    }
}

void bp_parameters_unpack(const bp_net *net, const void *theta, void *stored)
{
    size_t element = bp_dtype_size(net->dtype);
    const char *from = theta;
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        size_t n = layer->n_inputs * element, padding = layer->ld * element - n;
        char *row = (char *)stored + place(net, layer->weights);
        for (size_t i = 0; i < layer->n_outputs; i++, row += n + padding, from += n) {
            memcpy(row, from, n);
            memset(row + n, 0, padding);
        }
        if (layer->has_bias) {
            memcpy((char *)stored + place(net, layer->bias), from, layer->n_outputs * element);
            from += layer->n_outputs * element;
        }
    }
}
