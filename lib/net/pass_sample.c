/* Passes of one sample: each thread takes its panels of every layer's rows. */
#include "net/pass_part.h"

#include "core/memory.h"

#include <string.h>

static const real one = 1;

static bp_range own_rows(const bp_layer *layer, const bp_team *team)
{
    return bp_team_share(team, layer->n_outputs, layer->panel_rows);
}

/* b + first, or NULL without a bias */
static inline real *bias_at(const bp_layer *layer, size_t first)
{
    return layer->bias ? (real *)layer->bias + first : NULL;
}

/* e = W x + b, y = f(e) */
static inline void forward(bp_activation f, const bp_layer *layer, bp_range rows, const real *x, const bp_layer_pass *out)
{
    REAL(bp_kernel)
    ()->gemv_activation(f, rows.n, layer->n_inputs, (real *)layer->weights + rows.first * layer->ld, layer->ld, x,
                        bias_at(layer, rows.first), (real *)out->e + rows.first, (real *)out->y + rows.first);
}

/* g = δ ⊙ f′(e), in the place of δ */
static void local_gradient(const bp_layer *layer, bp_range rows, const bp_layer_pass *out)
{
    real *delta = (real *)out->delta + rows.first;
    if (layer->activation != BP_ACTIVATION_IDENTITY && rows.n > 0) {
        REAL(bp_kernel)
        ()->local_gradient(layer->activation, 1, rows.n, (real *)out->e + rows.first, (real *)out->y + rows.first, delta, delta);
    }
}

/* δ_prev = Wᵀ g, and of these rows W += alpha g xᵀ, b += alpha g; then g_prev = δ_prev ⊙ f′(e_prev) for f of the layer before */
static inline void backward_update(bp_activation before, bp_layer *layer, bp_range rows, real alpha, const bp_layer_pass *in,
                                   const bp_layer_pass *out, real *delta_prev)
{
    REAL(bp_kernel)
    ()->gemv_t_ger(before, rows.n, layer->n_inputs, alpha, (real *)out->delta + rows.first, in->y, in->e,
                   (real *)layer->weights + rows.first * layer->ld, layer->ld, bias_at(layer, rows.first), delta_prev);
}

/* δ_prev = Wᵀ δ */
static void backward(const bp_layer *layer, bp_range rows, const bp_layer_pass *out, real *delta_prev)
{
    REAL(bp_kernel)
    ()->gemv_t(rows.n, layer->n_inputs, (real *)layer->weights + rows.first * layer->ld, layer->ld, (real *)out->delta + rows.first,
               delta_prev);
}

/* Softmax is of all rows of a layer together: with several threads e is there before one of them goes on. */
static void softmax_of_all(const bp_layer *layer, const bp_team *team, const bp_layer_pass *out)
{
    bp_team_wait(team);
    if (team->thread == 0) {
        REAL(bp_kernel)()->activation(BP_ACTIVATION_SOFTMAX, 1, layer->n_outputs, out->e, out->y);
    }
}

void REAL(bp_sample_forward)(const REAL(bp_pass) * pass, const bp_team *team, size_t l)
{
    for (; l < pass->net->n_layers; l++) {
        const bp_layer *layer = pass->net->layers[l];
        const bp_layer_pass *out = REAL(bp_pass_out)(pass, l);
        bool apart = layer->activation == BP_ACTIVATION_SOFTMAX && team->n_threads > 1;
        bp_range rows = own_rows(layer, team);
        if (rows.n > 0) {
            forward(apart ? BP_ACTIVATION_IDENTITY : layer->activation, layer, rows, REAL(bp_pass_in)(pass, l)->y, out);
        }
        if (apart) {
            softmax_of_all(layer, team, out);
        }
        bp_team_wait(team);
    }
}

/* What rows of layer l give to δ_prev, which may be NULL, and what becomes of their g. */
static void backward_rows(const REAL(bp_pass) * pass, const REAL(bp_pass_sink) * sink, size_t l, bp_range rows, real *delta_prev)
{
    const bp_layer *layer = pass->net->layers[l];
    const bp_layer_pass *in = REAL(bp_pass_in)(pass, l), *out = REAL(bp_pass_out)(pass, l);
    bool exact = pass->net->rule == BP_RULE_GRADIENT;
    if (sink->net && exact && l > 0) {
        backward_update(BP_ACTIVATION_IDENTITY, sink->net->layers[l], rows, sink->alpha, in, out, delta_prev);
        return;
    }
    if (delta_prev) {
        backward(layer, rows, out, delta_prev);
    }
    if (!exact) {
        local_gradient(layer, rows, out);
    }
    if (!(l == 0 && sink->first_left)) {
        REAL(bp_pass_deliver)(pass, sink, l, rows);
    }
}

/* This thread's panels of layer l; where there is one thread, their parts of δ_prev are added at once. */
static void backward_panels(const REAL(bp_pass) * pass, const bp_team *team, const REAL(bp_pass_sink) * sink, size_t l)
{
    const bp_layer *layer = pass->net->layers[l];
    real *delta_prev = REAL(bp_pass_in)(pass, l)->delta;
    bp_range own = own_rows(layer, team);
    for (size_t i = own.first; i < own.first + own.n; i += layer->panel_rows) {
        size_t rest = own.first + own.n - i;
        bp_range rows = {i, rest < layer->panel_rows ? rest : layer->panel_rows};
        real *part = !delta_prev           ? NULL
                     : team->n_threads > 1 ? bp_workspace_part(pass->ws, l % 2, i / layer->panel_rows)
                     : i == 0              ? delta_prev
                                           : bp_workspace_part(pass->ws, 0, 0);
        backward_rows(pass, sink, l, rows, part);
        if (part && part != delta_prev && team->n_threads == 1) {
            REAL(bp_kernel)()->ger(1, layer->n_inputs, 1, &one, part, delta_prev, layer->n_inputs);
        }
    }
}

/* These elements of δ_prev, from the panels of layer l in their order: what one thread alone comes to. */
static void add_parts(const REAL(bp_pass) * pass, size_t l, bp_range columns)
{
    const bp_layer *layer = pass->net->layers[l];
    real *delta_prev = (real *)REAL(bp_pass_in)(pass, l)->delta + columns.first;
    for (size_t i = 0; columns.n > 0 && i < layer->n_outputs; i += layer->panel_rows) {
        const real *part = (real *)bp_workspace_part(pass->ws, l % 2, i / layer->panel_rows) + columns.first;
        if (i == 0) {
            memcpy(delta_prev, part, columns.n * sizeof *part);
        } else {
            REAL(bp_kernel)()->ger(1, columns.n, 1, &one, part, delta_prev, columns.n);
        }
    }
}

/* Layer l, whose δ is there, and then δ_prev, or with the exact gradient g_prev. */
static void backward_layer(const REAL(bp_pass) * pass, const bp_team *team, const REAL(bp_pass_sink) * sink, size_t l)
{
    const bp_net *net = pass->net;
    const bp_layer *layer = net->layers[l];
    const bp_layer_pass *in = REAL(bp_pass_in)(pass, l);
    backward_panels(pass, team, sink, l);
    if (!in->delta) {
        return;
    }
    bp_team_wait(team);
    bp_range columns = l ? own_rows(net->layers[l - 1], team) : bp_team_share(team, layer->n_inputs, layer->n_inputs);
    if (team->n_threads > 1) {
        add_parts(pass, l, columns);
    }
    if (l > 0 && net->rule == BP_RULE_GRADIENT) {
        local_gradient(net->layers[l - 1], columns, in);
    }
    if (l > 0 && columns.first + columns.n == layer->n_inputs) {
        REAL(bp_clear_end)(layer->n_inputs, in->delta);
    }
}

void REAL(bp_sample_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink)
{
    const bp_net *net = pass->net;
    if (net->rule == BP_RULE_GRADIENT && !is_local) {
        const bp_layer *last = net->layers[net->n_layers - 1];
        if (last->activation != BP_ACTIVATION_SOFTMAX) {
            local_gradient(last, own_rows(last, team), REAL(bp_pass_out)(pass, net->n_layers - 1));
        } else { /* of all rows together */
            bp_team_wait(team);
            if (team->thread == 0) {
                local_gradient(last, (bp_range){0, last->n_outputs}, REAL(bp_pass_out)(pass, net->n_layers - 1));
            }
            bp_team_wait(team);
        }
    }
    bool straight = sink->net && net->rule == BP_RULE_GRADIENT && team->n_threads == 1;
    for (size_t l = net->n_layers; l-- > 0;) {
        bp_layer *layer = net->layers[l];
        const bp_layer_pass *in = REAL(bp_pass_in)(pass, l);
        if (!straight || layer->panel_rows < layer->n_outputs || (l == 0 && (in->delta || sink->first_left))) {
            backward_layer(pass, team, sink, l);
        } else {
            backward_update(l ? net->layers[l - 1]->activation : BP_ACTIVATION_IDENTITY, layer, (bp_range){0, layer->n_outputs},
                            sink->alpha, in, REAL(bp_pass_out)(pass, l), in->delta);
        }
    }
}

void REAL(bp_pass_update_first)(const REAL(bp_pass) * pass, const bp_team *team, bp_net *net, real alpha)
{
    bp_layer *first = net->layers[0];
    bp_range rows = own_rows(first, team);
    if (rows.n > 0) {
        REAL(bp_pass_accumulate)(pass, 0, rows, alpha, first->weights, first->ld, first->bias);
    }
}

void REAL(bp_pass_update_forward)(const REAL(bp_pass) * pass, const bp_team *team, bp_net *net, real alpha, const real *before)
{
    bp_layer *first = net->layers[0];
    bool apart = first->activation == BP_ACTIVATION_SOFTMAX && team->n_threads > 1;
    bp_range rows = own_rows(first, team);
    if (rows.n > 0) {
        const bp_layer_pass *in = REAL(bp_pass_in)(pass, 0), *out = REAL(bp_pass_out)(pass, 0);
        REAL(bp_kernel)
        ()->ger_gemv_activation(apart ? BP_ACTIVATION_IDENTITY : first->activation, rows.n, first->n_inputs, alpha,
                                (real *)out->delta + rows.first, before, (real *)first->weights + rows.first * first->ld, first->ld,
                                bias_at(first, rows.first), in->y, (real *)out->e + rows.first, (real *)out->y + rows.first);
    }
    if (apart) {
        softmax_of_all(first, team, REAL(bp_pass_out)(pass, 0));
    }
    bp_team_wait(team);
    REAL(bp_sample_forward)(pass, team, 1);
}
