/* Initial weights: a distribution times a scale that depends on the layer's widths (sources in bp/initializer.h). */
#include "bp/initializer.h"

#include "core/random.h"
#include "core/real.h"
#include "net/net.h"
#include "net/parameters.h"

#include <math.h>
#include <string.h>

/* In (−1, 1). */
static double symmetric_uniform(uint64_t seed, uint32_t stream, uint64_t index)
{
    return 2 * bp_random_uniform(seed, stream, index) - 1;
}

/* scale = √(numerator / (n_in, or n_in + n_out)) */
static const struct {
    double (*distribution)(uint64_t seed, uint32_t stream, uint64_t index);
    double numerator;
    int with_outputs;
} initializers[] = {
    [BP_INITIALIZER_ZEROS] = {NULL, 0, 0},
    [BP_INITIALIZER_UNIFORM] = {symmetric_uniform, 1, 0},
    [BP_INITIALIZER_GLOROT_UNIFORM] = {symmetric_uniform, 6, 1},
    [BP_INITIALIZER_GLOROT_NORMAL] = {bp_random_normal, 2, 1},
    [BP_INITIALIZER_HE_UNIFORM] = {symmetric_uniform, 6, 0},
    [BP_INITIALIZER_HE_NORMAL] = {bp_random_normal, 2, 0},
    [BP_INITIALIZER_LECUN_NORMAL] = {bp_random_normal, 1, 0},
};

void REAL(bp_initialize_layer)(bp_layer *layer, bp_initializer initializer, uint64_t seed, uint32_t stream)
{
    double fan = (double)layer->n_inputs + (initializers[initializer].with_outputs ? (double)layer->n_outputs : 0);
    double scale = sqrt(initializers[initializer].numerator / fan);
    real *W = layer->weights;
    REAL(bp_layer_clear_padding)(layer);
    for (size_t i = 0; i < layer->n_outputs; i++) {
        for (size_t j = 0; j < layer->n_inputs; j++) {
            uint64_t index = (uint64_t)i * layer->n_inputs + j;
            double unit = initializers[initializer].distribution ? initializers[initializer].distribution(seed, stream, index) : 0;
            W[i * layer->ld + j] = (real)(scale * unit);
        }
    }
    if (layer->has_bias) {
        memset(layer->bias, 0, layer->n_outputs * sizeof *W);
    }
}
