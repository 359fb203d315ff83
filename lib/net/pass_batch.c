/* Passes of several samples: each thread takes its samples through all layers, then its rows of every layer's weights. */
#include "net/pass_part.h"

#include "core/memory.h"

#include <string.h>

enum { LINE = BP_ALIGNMENT / sizeof(real) };

static bp_range own_samples(const REAL(bp_pass) * pass, const bp_team *team)
{
    return bp_team_share(team, pass->batch, pass->batch < 4 * LINE ? 1 : LINE);
}

/* E = X Wᵀ + b, Y = f(E), a row for each of these samples */
static void forward(const bp_layer *layer, bp_range samples, const real *x, real *e, real *y)
{
    size_t n_out = layer->n_outputs, n_in = layer->n_inputs;
    x += samples.first * n_in;
    e += samples.first * n_out;
    y += samples.first * n_out;
    for (size_t s = 0; layer->has_bias && s < samples.n; s++) {
        memcpy(e + s * n_out, layer->bias, n_out * sizeof *e);
    }
    REAL(bp_kernel)
    ()->gemm(BP_NO_TRANSPOSE, BP_TRANSPOSE, samples.n, n_out, n_in, 1, x, n_in, layer->weights, layer->ld, layer->has_bias, e, n_out);
    REAL(bp_kernel)()->activation(layer->activation, samples.n, n_out, e, y);
}

/* G = Δ ⊙ f′(E), in the place of Δ */
static void local_gradient(const bp_layer *layer, bp_range samples, const bp_layer_pass *out)
{
    size_t n_out = layer->n_outputs, first = samples.first * n_out;
    real *delta = (real *)out->delta + first;
    REAL(bp_kernel)()->local_gradient(layer->activation, samples.n, n_out, (real *)out->e + first, (real *)out->y + first, delta, delta);
}

/* Δ_prev = Δ W */
static void backward(const bp_layer *layer, bp_range samples, const real *delta, real *delta_prev)
{
    size_t n_out = layer->n_outputs, n_in = layer->n_inputs;
    REAL(bp_kernel)
    ()->gemm(BP_NO_TRANSPOSE, BP_NO_TRANSPOSE, samples.n, n_in, n_out, 1, delta + samples.first * n_out, n_out, layer->weights, layer->ld,
             0, delta_prev + samples.first * n_in, n_in);
}

void REAL(bp_batch_forward)(const REAL(bp_pass) * pass, const bp_team *team)
{
    bp_range samples = own_samples(pass, team);
    for (size_t l = 0; samples.n > 0 && l < pass->net->n_layers; l++) {
        const bp_layer_pass *out = REAL(bp_pass_out)(pass, l);
        forward(pass->net->layers[l], samples, REAL(bp_pass_in)(pass, l)->y, out->e, out->y);
    }
    bp_team_wait(team);
}

void REAL(bp_batch_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink)
{
    bp_range samples = own_samples(pass, team);
    bool exact = pass->net->rule == BP_RULE_GRADIENT;
    for (size_t l = pass->net->n_layers; samples.n > 0 && l-- > 0; is_local = false) {
        const bp_layer *layer = pass->net->layers[l];
        const bp_layer_pass *in = REAL(bp_pass_in)(pass, l), *out = REAL(bp_pass_out)(pass, l);
        if (exact && !is_local) {
            local_gradient(layer, samples, out);
        }
        if (in->delta) {
            backward(layer, samples, out->delta, in->delta);
        }
        if (!exact) {
            local_gradient(layer, samples, out);
        }
    }
    bp_team_wait(team); /* from here on, weights change, and g of all samples is needed */
    for (size_t l = pass->net->n_layers; l-- > 0;) {
        REAL(bp_pass_deliver)(pass, sink, l, bp_team_share(team, pass->net->layers[l]->n_outputs, LINE));
    }
}
