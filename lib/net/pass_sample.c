/* Passes of one sample: each thread takes its panels of every layer's rows. */
#include "net/pass_part.h"

#include "core/memory.h"
#include "net/dropout.h"

#include <string.h>

static bp_range own_rows(const bp_layer *layer, const bp_team *team)
{
    return bp_team_share(team, layer->n_outputs, layer->panel_rows);
}

/* These rows of a layer as a layer. */
static bp_layer_step rows_of(const bp_layer_step *layer, bp_range rows)
{
    bp_layer_step part = *layer;
    part.m = rows.n;
    part.A = (real *)layer->A + rows.first * layer->lda;
    part.b = layer->b ? (real *)layer->b + rows.first : NULL;
    part.e = (real *)layer->e + rows.first;
    part.y = (real *)layer->y + rows.first;
    part.g = (real *)layer->g + rows.first;
    return part;
}

/* g = δ ⊙ f′(e), in the place of δ */
static void local_gradient(const bp_layer_step *layer)
{
    if (layer->f != BP_ACTIVATION_IDENTITY && layer->m > 0) {
        REAL(bp_kernel)()->local_gradient(layer->f, 1, layer->m, layer->e, layer->y, layer->g, layer->g);
    }
}

/* Softmax is of all rows of a layer together: with several threads e is there before one of them goes on. */
static void softmax_of_all(const bp_layer_step *layer, const bp_team *team)
{
    bp_team_wait(team);
    if (team->thread == 0) {
        REAL(bp_kernel)()->activation(BP_ACTIVATION_SOFTMAX, 1, layer->m, layer->e, layer->y);
    }
}

/* e = W x + b, y = f(e), by the threads of a team */
static void forward_together(const REAL(bp_pass) * pass, const bp_team *team, size_t l)
{
    const bp_layer_step *layer = &pass->ws->layers[l];
    bp_layer_step own = rows_of(layer, own_rows(pass->net->layers[l], team));
    own.f = layer->f == BP_ACTIVATION_SOFTMAX ? BP_ACTIVATION_IDENTITY : layer->f;
    if (own.m > 0) {
        REAL(bp_kernel)()->gemv_activation(&own);
    }
    if (layer->f == BP_ACTIVATION_SOFTMAX) {
        softmax_of_all(layer, team);
    }
    if (REAL(bp_dropout_is_on)(pass)) {
        REAL(bp_dropout_forward)(pass, l, own_rows(pass->net->layers[l], team));
    }
    bp_team_wait(team);
}

void REAL(bp_sample_forward)(const REAL(bp_pass) * pass, const bp_team *team, size_t l)
{
    for (; l < pass->net->n_layers; l++) {
        if (team->n_threads == 1) {
            REAL(bp_kernel)()->gemv_activation(&pass->ws->layers[l]);
            if (REAL(bp_dropout_is_on)(pass)) {
                REAL(bp_dropout_forward)(pass, l, (bp_range){0, pass->ws->layers[l].m});
            }
        } else {
            forward_together(pass, team, l);
        }
    }
}

/* What rows of layer l give to δ_prev, which may be NULL, and what becomes of their g. */
static void backward_rows(const REAL(bp_pass) * pass, const REAL(bp_pass_sink) * sink, size_t l, bp_range rows, real *delta_prev)
{
    bp_layer_step own = rows_of(&pass->ws->layers[l], rows);
    bool exact = pass->net->rule == BP_RULE_GRADIENT;
    if (sink->net && exact && l > 0 && !pass->net->layers[l]->frozen) {
        REAL(bp_kernel)()->gemv_t_ger(&own, sink->alpha, NULL, delta_prev);
        return;
    }
    if (delta_prev) {
        REAL(bp_kernel)()->gemv_t(own.m, own.n, own.A, own.lda, own.g, delta_prev);
    }
    if (!exact) {
        local_gradient(&own);
    }
    if (!(l == 0 && sink->first_left)) {
        REAL(bp_pass_deliver)(pass, sink, l, rows, BP_PASS_BOTH);
    }
}

/* Whether threads leave parts of δ_prev of layer l that are to be added: else one of them, or the only one, writes δ_prev itself. */
static bool leaves_parts(const bp_layer *layer, const bp_team *team)
{
    return team->n_threads > 1 && layer->panel_rows < layer->n_outputs;
}

/* This thread's panels of layer l. */
static void backward_panels(const REAL(bp_pass) * pass, const bp_team *team, const REAL(bp_pass_sink) * sink, size_t l)
{
    const bp_layer *layer = pass->net->layers[l];
    real *delta_prev = REAL(bp_pass_delta_prev)(pass, l);
    bp_range own = own_rows(layer, team);
    for (size_t i = own.first; i < own.first + own.n; i += layer->panel_rows) {
        size_t rest = own.first + own.n - i;
        bp_range rows = {i, rest < layer->panel_rows ? rest : layer->panel_rows};
        real *part = !delta_prev                 ? NULL
                     : leaves_parts(layer, team) ? bp_workspace_part(pass->ws, l % 2, i / layer->panel_rows)
                     : i == 0                    ? delta_prev
                                                 : bp_workspace_part(pass->ws, 0, 0);
        backward_rows(pass, sink, l, rows, part);
        if (part && part != delta_prev && team->n_threads == 1) {
            REAL(bp_kernel)()->axpy(layer->n_inputs, 1, part, delta_prev);
        }
    }
}

/* These elements of δ_prev, from the panels of layer l in their order: what one thread alone comes to. */
static void add_parts(const REAL(bp_pass) * pass, size_t l, bp_range columns)
{
    const bp_layer *layer = pass->net->layers[l];
    real *delta_prev = REAL(bp_pass_delta_prev)(pass, l) + columns.first;
    for (size_t i = 0; columns.n > 0 && i < layer->n_outputs; i += layer->panel_rows) {
        const real *part = (real *)bp_workspace_part(pass->ws, l % 2, i / layer->panel_rows) + columns.first;
        if (i == 0) {
            memcpy(delta_prev, part, columns.n * sizeof *part);
        } else {
            REAL(bp_kernel)()->axpy(columns.n, 1, part, delta_prev);
        }
    }
}

/* Layer l, whose δ is there, and then δ_prev, or with the exact gradient g_prev. */
static void backward_layer(const REAL(bp_pass) * pass, const bp_team *team, const REAL(bp_pass_sink) * sink, size_t l)
{
    const bp_net *net = pass->net;
    size_t n_in = net->layers[l]->n_inputs;
    real *delta_prev = REAL(bp_pass_delta_prev)(pass, l);
    backward_panels(pass, team, sink, l);
    if (!delta_prev) {
        return;
    }
    bp_team_wait(team);
    bp_range columns = l ? own_rows(net->layers[l - 1], team) : bp_team_share(team, n_in, n_in);
    if (leaves_parts(net->layers[l], team)) {
        add_parts(pass, l, columns);
    }
    if (l > 0 && REAL(bp_dropout_is_on)(pass)) {
        REAL(bp_dropout_backward)(pass, l - 1, columns);
    }
    if (l > 0 && net->rule == BP_RULE_GRADIENT) {
        bp_layer_step before = rows_of(&pass->ws->layers[l - 1], columns);
        local_gradient(&before);
    }
    if (l > 0 && columns.first + columns.n == n_in) {
        REAL(bp_clear_end)(n_in, delta_prev);
    }
}

/* g of the last layer, from δ */
static void last_local_gradient(const REAL(bp_pass) * pass, const bp_team *team)
{
    size_t last = pass->net->n_layers - 1;
    const bp_layer_step *layer = &pass->ws->layers[last];
    if (layer->f != BP_ACTIVATION_SOFTMAX) {
        bp_layer_step own = rows_of(layer, own_rows(pass->net->layers[last], team));
        local_gradient(&own);
        return;
    }
    bp_team_wait(team); /* softmax: of all rows together */
    if (team->thread == 0) {
        local_gradient(layer);
    }
    bp_team_wait(team);
}

/* Whether a layer's δ_prev, g_prev and update can be one sweep over its weights. */
static bool is_straight(const REAL(bp_pass) * pass, const bp_team *team, const REAL(bp_pass_sink) * sink)
{
    return sink->net && pass->net->rule == BP_RULE_GRADIENT && team->n_threads == 1 && !pass->ws->delta_input && !pass->net->has_frozen &&
           !REAL(bp_dropout_is_on)(pass);
}

void REAL(bp_sample_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink)
{
    const bp_net *net = pass->net;
    const bp_layer_step *layers = pass->ws->layers;
    size_t l = net->n_layers;
    if (net->rule == BP_RULE_GRADIENT && !is_local && layers[l - 1].f != BP_ACTIVATION_IDENTITY) {
        last_local_gradient(pass, team);
    }
    if (!is_straight(pass, team, sink)) {
        for (size_t lowest = REAL(bp_pass_lowest)(pass); l-- > lowest;) {
            backward_layer(pass, team, sink, l);
            REAL(bp_pass_rows_done)(sink, team, l, 0);
        }
        return;
    }
    while (--l > 0) {
        if (net->layers[l]->panel_rows >= layers[l].m) { /* one panel */
            REAL(bp_kernel)()->gemv_t_ger(&layers[l], sink->alpha, &layers[l - 1], layers[l - 1].g);
        } else {
            backward_layer(pass, team, sink, l);
        }
    }
    if (!sink->first_left) {
        REAL(bp_kernel)()->gemv_t_ger(&layers[0], sink->alpha, NULL, NULL);
    }
}

void REAL(bp_pass_update_first)(const REAL(bp_pass) * pass, const bp_team *team, bp_net *net, real alpha)
{
    bp_layer *first = net->layers[0];
    bp_range rows = own_rows(first, team);
    if (rows.n > 0) {
        REAL(bp_pass_sum)(pass, 0, rows, alpha, 1, first->weights, first->ld, first->bias);
    }
}

void REAL(bp_pass_update_forward)(const REAL(bp_pass) * pass, const bp_team *team, real alpha, const real *before)
{
    const bp_layer_step *first = &pass->ws->layers[0];
    bool softmax = first->f == BP_ACTIVATION_SOFTMAX;
    bp_layer_step own = rows_of(first, own_rows(pass->net->layers[0], team));
    own.f = softmax ? BP_ACTIVATION_IDENTITY : first->f;
    if (own.m > 0) {
        REAL(bp_kernel)()->ger_gemv_activation(&own, alpha, before);
    }
    if (softmax) {
        softmax_of_all(first, team);
    }
    if (REAL(bp_dropout_is_on)(pass)) {
        REAL(bp_dropout_forward)(pass, 0, own_rows(pass->net->layers[0], team));
    }
    bp_team_wait(team);
    REAL(bp_sample_forward)(pass, team, 1);
}
