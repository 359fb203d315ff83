#include "peer_cblas.h"

#include "cblas_real.h"
#include "memory.h"
#include "net_problem.h"

#include "kernel/cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

/* W: n_out × n_in, its rows unpadded; each array aligned. e becomes y in place, delta becomes g. */
typedef struct dense {
    int n_in, n_out;
    int panel; /* rows of W that gemv_t and ger go through at a time */
    real *W, *b, *y, *delta;
} dense;

typedef struct peer {
    const REAL(net_problem) * problem;
    real eta;
    size_t n_layers;
    dense layers[BENCH_MAX_WIDTHS];
} peer;

static void *create_with_panels(const void *problem, size_t panel_bytes)
{
    const REAL(net_problem) *p = problem;
    const bench_shape *shape = &p->c->shape;
    const real *theta = p->theta;
    peer *side = bench_allocate(1, sizeof *side);
    side->problem = p;
    side->n_layers = shape->n_widths - 1;
    for (size_t l = 0; l < side->n_layers; l++) {
        size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
        dense *layer = &side->layers[l];
        layer->n_in = (int)n_in;
        layer->n_out = (int)n_out;
        size_t rows = panel_bytes / (n_in * sizeof(real));
        layer->panel = (int)(rows < 1 ? 1 : rows < n_out ? rows : n_out);
        layer->W = bench_allocate(n_out * n_in, sizeof(real));
        layer->b = bench_allocate(n_out, sizeof(real));
        layer->y = bench_allocate(n_out, sizeof(real));
        layer->delta = bench_allocate(n_out, sizeof(real));
        memcpy(layer->W, theta, n_out * n_in * sizeof(real));
        memcpy(layer->b, theta + n_out * n_in, n_out * sizeof(real));
        theta += n_out * n_in + n_out;
    }
    return side;
}

static void *create(const void *problem)
{
    return create_with_panels(problem, SIZE_MAX);
}

static void *create_panels(const void *problem)
{
    return create_with_panels(problem, bp_cache_panel_bytes());
}

static void destroy(void *state)
{
    peer *side = state;
    for (size_t l = 0; side && l < side->n_layers; l++) {
        free(side->layers[l].W);
        free(side->layers[l].b);
        free(side->layers[l].y);
        free(side->layers[l].delta);
    }
    free(side);
}

static void set_rate(void *state, double eta)
{
    peer *side = state;
    side->eta = (real)eta;
}

/* y = f(W x + b) */
static void forward(const dense *layer, int is_output, const real *x)
{
    memcpy(layer->y, layer->b, (size_t)layer->n_out * sizeof(real));
    CBLAS(gemv)(CblasRowMajor, CblasNoTrans, layer->n_out, layer->n_in, 1, layer->W, layer->n_in, x, 1, 1, layer->y, 1);
    for (int i = 0; !is_output && i < layer->n_out; i++) {
        layer->y[i] = tanh(layer->y[i]);
    }
}

/* g = δ ⊙ f′(e), in place */
static void local_gradient(const dense *layer)
{
    for (int i = 0; i < layer->n_out; i++) {
        layer->delta[i] *= 1 - layer->y[i] * layer->y[i];
    }
}

/* b += η g */
static void update_bias(const dense *layer, real eta)
{
    for (int i = 0; i < layer->n_out; i++) {
        layer->b[i] += eta * layer->delta[i];
    }
}

/* δ_prev = Wᵀ g and W += η g xᵀ; without δ_prev for the first layer */
static void backward(const dense *layer, real eta, const real *x, real *delta_prev)
{
    for (int row = 0; row < layer->n_out; row += layer->panel) {
        int rows = row + layer->panel < layer->n_out ? layer->panel : layer->n_out - row;
        real *W = layer->W + (size_t)row * (size_t)layer->n_in, *g = layer->delta + row;
        if (delta_prev) {
            CBLAS(gemv)(CblasRowMajor, CblasTrans, rows, layer->n_in, 1, W, layer->n_in, g, 1, row > 0 ? 1 : 0, delta_prev, 1);
        }
        CBLAS(ger)(CblasRowMajor, rows, layer->n_in, eta, g, 1, x, 1, W, layer->n_in);
    }
}

/* One step down the gradient of ½‖target − y‖². */
static void train(peer *side, const real *x, const real *target)
{
    size_t last = side->n_layers - 1;
    for (size_t l = 0; l <= last; l++) {
        forward(&side->layers[l], l == last, l ? side->layers[l - 1].y : x);
    }

    dense *output = &side->layers[last];
    for (int i = 0; i < output->n_out; i++) {
        output->delta[i] = target[i] - output->y[i];
    }
    for (size_t l = last; l > 0; l--) {
        dense *layer = &side->layers[l], *below = layer - 1;
        backward(layer, side->eta, below->y, below->delta);
        update_bias(layer, side->eta);
        local_gradient(below);
    }
    backward(&side->layers[0], side->eta, x, NULL);
    update_bias(&side->layers[0], side->eta);
}

static void step(void *state, size_t steps)
{
    peer *side = state;
    const REAL(net_problem) *p = side->problem;
    for (size_t i = 0; i < steps; i++) {
        size_t s = i % p->n_samples;
        train(side, p->x + s * p->n_in, p->target + s * p->n_out);
    }
}

static void online(void *state, size_t runs)
{
    const peer *side = state;
    step(state, runs * side->problem->n_samples);
}

static void weights(void *state, real *theta)
{
    const peer *side = state;
    for (size_t l = 0; l < side->n_layers; l++) {
        const dense *layer = &side->layers[l];
        size_t n_out = (size_t)layer->n_out, n = n_out * (size_t)layer->n_in;
        memcpy(theta, layer->W, n * sizeof(real));
        memcpy(theta + n, layer->b, n_out * sizeof(real));
        theta += n + n_out;
    }
}

const REAL(bench_side) REAL(cblas_step) = {
    .name = "cblas",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = step,
    .result = weights,
};

const REAL(bench_side) REAL(panel_step) = {
    .name = "panel",
    .create = create_panels,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = step,
    .result = weights,
};

const REAL(bench_side) REAL(cblas_online) = {
    .name = "cblas",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = online,
    .result = weights,
};
