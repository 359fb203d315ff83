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

/* Elements of a gradient that are worth telling of: a product that is as fast by itself as with the rest, and a message that is not all overhead. */
enum { PIECE = 1 << 17 };

/* This thread's part of a layer's gradient, of all samples, whose g is there; in pieces from the last rows on where somebody is told of them. */
static void deliver(const REAL(bp_pass) * pass, const bp_team *team, const REAL(bp_pass_sink) * sink, size_t l)
{
    size_t m = pass->ws->layers[l].m, rows = bp_round_up(PIECE / pass->ws->layers[l].n + 1, LINE);
    if (!sink->rows_done || m <= rows) {
        REAL(bp_pass_deliver)(pass, sink, l, bp_team_share(team, m, LINE), BP_PASS_BOTH);
        REAL(bp_pass_rows_done)(sink, team, l, 0);
        return;
    }
    REAL(bp_pass_deliver)(pass, sink, l, bp_team_share(team, m, LINE), BP_PASS_BIASES);
    for (size_t end = m; end > 0; end = (end - 1) / rows * rows) {
        size_t first = (end - 1) / rows * rows;
        bp_range own = bp_team_share(team, end - first, LINE);
        REAL(bp_pass_deliver)(pass, sink, l, (bp_range){first + own.first, own.n}, BP_PASS_WEIGHTS);
        REAL(bp_pass_rows_done)(sink, team, l, first);
    }
}

void REAL(bp_batch_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink)
{
    bp_range samples = own_samples(pass, team);
    bool exact = pass->net->rule == BP_RULE_GRADIENT;
    bool at_once = sink->rows_done; /* each layer's gradient as soon as its g is there */
    size_t lowest = REAL(bp_pass_lowest)(pass);
    for (size_t l = pass->net->n_layers; l-- > lowest; is_local = false) {
        const bp_layer_step *layer = &pass->ws->layers[l];
        real *delta_prev = REAL(bp_pass_delta_prev)(pass, l);
        if (REAL(bp_dropout_is_on)(pass)) {
            REAL(bp_dropout_backward)(pass, l, (bp_range){samples.first * layer->m, samples.n * layer->m});
        }
        if (exact && !is_local) {
            local_gradient(layer, samples);
        }
        if (at_once && exact) {
            bp_team_wait(team);
            deliver(pass, team, sink, l);
        }
        if (delta_prev) {
            backward(layer, samples, delta_prev);
        }
        if (!exact) {
            local_gradient(layer, samples);
        }
        if (at_once && !exact) {
            bp_team_wait(team);
            deliver(pass, team, sink, l);
        }
    }
    bp_team_wait(team); /* from here on, weights change, and g of all samples is needed */
    for (size_t l = pass->net->n_layers; !at_once && l-- > lowest;) {
        deliver(pass, team, sink, l);
    }
}
