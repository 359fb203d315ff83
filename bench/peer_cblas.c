#include "peer_cblas.h"

#include "memory.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#if BP_REAL_BITS == 32
#define CBLAS(name) cblas_s##name
#else
#define CBLAS(name) cblas_d##name
#endif

/* W: n_out × n_in, its rows unpadded; each array aligned. e becomes y in place, delta becomes g. */
typedef struct dense {
    int n_in, n_out;
    real *W, *b, *y, *delta;
} dense;

struct REAL(peer_cblas) {
    size_t n_layers;
    dense layers[BENCH_MAX_WIDTHS];
};

REAL(peer_cblas) * REAL(peer_cblas_create)(const bench_shape *shape, const real *theta)
{
    REAL(peer_cblas) *peer = bench_allocate(1, sizeof *peer);
    peer->n_layers = shape->n_widths - 1;
    for (size_t l = 0; l < peer->n_layers; l++) {
        size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
        dense *layer = &peer->layers[l];
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
    return peer;
}

void REAL(peer_cblas_destroy)(REAL(peer_cblas) * peer)
{
    for (size_t l = 0; l < peer->n_layers; l++) {
        free(peer->layers[l].W);
        free(peer->layers[l].b);
        free(peer->layers[l].y);
        free(peer->layers[l].delta);
    }
    free(peer);
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

void REAL(peer_cblas_step)(REAL(peer_cblas) * peer, real eta, const real *x, const real *target)
{
    size_t last = peer->n_layers - 1;
    for (size_t l = 0; l <= last; l++) {
        forward(&peer->layers[l], l == last, l ? peer->layers[l - 1].y : x);
    }

    dense *output = &peer->layers[last];
    for (int i = 0; i < output->n_out; i++) {
        output->delta[i] = target[i] - output->y[i];
    }
    for (size_t l = last; l > 0; l--) {
        dense *layer = &peer->layers[l], *below = layer - 1;
        CBLAS(gemv)(CblasRowMajor, CblasTrans, layer->n_out, layer->n_in, 1, layer->W, layer->n_in, layer->delta, 1, 0, below->delta, 1);
        local_gradient(below);
        update(layer, eta, below->y);
    }
    update(&peer->layers[0], eta, x);
}

void REAL(peer_cblas_get)(const REAL(peer_cblas) * peer, real *theta)
{
    for (size_t l = 0; l < peer->n_layers; l++) {
        const dense *layer = &peer->layers[l];
        size_t n_out = (size_t)layer->n_out, n = n_out * (size_t)layer->n_in;
        memcpy(theta, layer->W, n * sizeof(real));
        memcpy(theta + n, layer->b, n_out * sizeof(real));
        theta += n + n_out;
    }
}
