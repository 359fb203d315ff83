/* Passes of several samples: each thread takes its samples through all layers, then its rows of every layer's weights. */
#include "net/pass_part.h"

#include "core/memory.h"
#include "net/dropout.h"

#include <string.h>

enum { LINE = BP_ALIGNMENT / sizeof(real) };

static bp_range own_samples(const REAL(bp_pass) * pass, const bp_team *team)
{
    return bp_team_share(team, pass->batch, pass->batch < 4 * LINE ? 1 : LINE);
}

/* E = X Wᵀ + b, Y = f(E), a row for each of these samples */
static void forward(const bp_layer_step *layer, bp_range samples)
{
    size_t n_out = layer->m, n_in = layer->n;
    const real *x = (const real *)layer->x + samples.first * n_in;
    real *e = (real *)layer->e + samples.first * n_out, *y = (real *)layer->y + samples.first * n_out;
    for (size_t s = 0; layer->b && s < samples.n; s++) {
        memcpy(e + s * n_out, layer->b, n_out * sizeof *e);
    }
    REAL(bp_kernel)
    ()->gemm(BP_NO_TRANSPOSE, BP_TRANSPOSE, samples.n, n_out, n_in, 1, x, n_in, layer->A, layer->lda, layer->b ? 1 : 0, e, n_out);
    REAL(bp_kernel)()->activation(layer->f, samples.n, n_out, e, y);
}

/* G = Δ ⊙ f′(E), in the place of Δ */
static void local_gradient(const bp_layer_step *layer, bp_range samples)
{
    size_t first = samples.first * layer->m;
    real *delta = (real *)layer->g + first;
    REAL(bp_kernel)()->local_gradient(layer->f, samples.n, layer->m, (real *)layer->e + first, (real *)layer->y + first, delta, delta);
}

/* Δ_prev = Δ W */
static void backward(const bp_layer_step *layer, bp_range samples, real *delta_prev)
{
    REAL(bp_kernel)
    ()->gemm(BP_NO_TRANSPOSE, BP_NO_TRANSPOSE, samples.n, layer->n, layer->m, 1, (const real *)layer->g + samples.first * layer->m,
             layer->m, layer->A, layer->lda, 0, delta_prev + samples.first * layer->n, layer->n);
}

void REAL(bp_batch_forward)(const REAL(bp_pass) * pass, const bp_team *team)
{
    bp_range samples = own_samples(pass, team);
    for (size_t l = 0; samples.n > 0 && l < pass->net->n_layers; l++) {
        forward(&pass->ws->layers[l], samples);
        if (REAL(bp_dropout_is_on)(pass)) {
            REAL(bp_dropout_forward)(pass, l, (bp_range){samples.first * pass->ws->layers[l].m, samples.n * pass->ws->layers[l].m});
        }
    }
    bp_team_wait(team);
}

void REAL(bp_batch_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink)
{
    bp_range samples = own_samples(pass, team);
    bool exact = pass->net->rule == BP_RULE_GRADIENT;
    size_t lowest = REAL(bp_pass_lowest)(pass);
    for (size_t l = pass->net->n_layers; samples.n > 0 && l-- > lowest; is_local = false) {
        const bp_layer_step *layer = &pass->ws->layers[l];
        real *delta_prev = REAL(bp_pass_delta_prev)(pass, l);
        if (REAL(bp_dropout_is_on)(pass)) {
            REAL(bp_dropout_backward)(pass, l, (bp_range){samples.first * layer->m, samples.n * layer->m});
        }
        if (exact && !is_local) {
            local_gradient(layer, samples);
        }
        if (delta_prev) {
            backward(layer, samples, delta_prev);
        }
        if (!exact) {
            local_gradient(layer, samples);
        }
    }
    bp_team_wait(team); /* from here on, weights change, and g of all samples is needed */
    for (size_t l = pass->net->n_layers; l-- > lowest;) {
        REAL(bp_pass_deliver)(pass, sink, l, bp_team_share(team, pass->ws->layers[l].m, LINE));
    }
}
