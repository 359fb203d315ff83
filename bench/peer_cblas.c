#include "peer_cblas.h"

#include "cblas_real.h"
#include "memory.h"
#include "net_problem.h"

#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

/* W: n_out × n_in, its rows unpadded; each array aligned. e becomes y in place, delta becomes g. */
typedef struct dense {
    int n_in, n_out;
    real *W, *b, *y, *delta;
} dense;

typedef struct peer {
    const REAL(net_problem) * problem;
    real eta;
    size_t n_layers;
    dense layers[BENCH_MAX_WIDTHS];
} peer;

static void *create(const void *problem)
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

/* W += η g xᵀ, b += η g */
static void update(const dense *layer, real eta, const real *x)
{
    CBLAS(ger)(CblasRowMajor, layer->n_out, layer->n_in, eta, layer->delta, 1, x, 1, layer->W, layer->n_in);
    for (int i = 0; i < layer->n_out; i++) {
        layer->b[i] += eta * layer->delta[i];
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
        CBLAS(gemv)(CblasRowMajor, CblasTrans, layer->n_out, layer->n_in, 1, layer->W, layer->n_in, layer->delta, 1, 0, below->delta, 1);
        local_gradient(below);
        update(layer, side->eta, below->y);
    }
    update(&side->layers[0], side->eta, x);
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

const REAL(bench_side) REAL(cblas_online) = {
    .name = "cblas",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = online,
    .result = weights,
};
