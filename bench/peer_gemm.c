#include "peer_gemm.h"

#include "cblas_real.h"
#include "memory.h"
#include "net_problem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

/*
 * W: n_out × n_in; Y and Delta: batch × n_out. E becomes Y in place, Delta becomes G. The gradient and the moments are those of W and of b
 * behind it, which lies behind W; only Adam has them, and only for the check.
 */
typedef struct dense {
    int n_in, n_out;
    real *W, *b, *Y, *Delta;
    real *gradient, *m, *v;
} dense;

typedef struct peer {
    const REAL(net_problem) * problem;
    int batch;
    real eta;
    bool adam;
    int steps; /* of Adam, so far */
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
    side->batch = (int)p->c->batch;
    side->adam = p->c->method && strcmp(p->c->method, "adam") == 0;
    side->n_layers = shape->n_widths - 1;
    for (size_t l = 0; l < side->n_layers; l++) {
        size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
        dense *layer = &side->layers[l];
        layer->n_in = (int)n_in;
        layer->n_out = (int)n_out;
        size_t n = n_out * n_in + n_out;
        layer->W = bench_allocate(n, sizeof(real));
        layer->b = layer->W + n_out * n_in;
        layer->Y = bench_allocate(p->c->batch * n_out, sizeof(real));
        layer->Delta = bench_allocate(p->c->batch * n_out, sizeof(real));
        if (side->adam) {
            layer->gradient = bench_allocate(n, sizeof(real));
            layer->m = bench_allocate(n, sizeof(real));
            layer->v = bench_allocate(n, sizeof(real));
        }
        memcpy(layer->W, theta, n * sizeof(real));
        theta += n;
    }
    return side;
}

static void destroy(void *state)
{
    peer *side = state;
    for (size_t l = 0; side && l < side->n_layers; l++) {
        free(side->layers[l].W);
        free(side->layers[l].Y);
        free(side->layers[l].Delta);
        free(side->layers[l].gradient);
        free(side->layers[l].m);
        free(side->layers[l].v);
    }
    free(side);
}

static void set_rate(void *state, double eta)
{
    peer *side = state;
    side->eta = (real)eta;
}

/* Each row of Y = b */
static void put_bias(const dense *layer, int batch)
{
    for (int s = 0; s < batch; s++) {
        memcpy(layer->Y + s * layer->n_out, layer->b, (size_t)layer->n_out * sizeof(real));
    }
}

static void activate(const dense *layer, int batch)
{
    for (int i = 0; i < batch * layer->n_out; i++) {
        layer->Y[i] = tanh(layer->Y[i]);
    }
}

/* E = X Wᵀ + beta E */
static void multiply(const dense *layer, int batch, const real *X, real beta)
{
    CBLAS(gemm)
    (CblasRowMajor, CblasNoTrans, CblasTrans, batch, layer->n_out, layer->n_in, 1, X, layer->n_in, layer->W, layer->n_in, beta, layer->Y,
     layer->n_out);
}

/* Y = f(X Wᵀ + b) for all layers, or only the products. */
static void forward(const peer *side, const real *X, bool whole)
{
    for (size_t l = 0; l < side->n_layers; l++) {
        const dense *layer = &side->layers[l];
        if (whole) {
            put_bias(layer, side->batch);
        }
        multiply(layer, side->batch, l ? layer[-1].Y : X, whole);
        if (whole && l + 1 < side->n_layers) {
            activate(layer, side->batch);
        }
    }
}

static void output_error(const peer *side, const real *target)
{
    const dense *output = &side->layers[side->n_layers - 1];
    for (int i = 0; i < side->batch * output->n_out; i++) {
        output->Delta[i] = target[i] - output->Y[i];
    }
}

/* G = Delta ⊙ f′(E), in place */
static void local_gradient(const dense *layer, int batch)
{
    for (int i = 0; i < batch * layer->n_out; i++) {
        layer->Delta[i] *= 1 - layer->Y[i] * layer->Y[i];
    }
}

/* Delta_prev = G W */
static void multiply_back(const dense *layer, int batch, real *Delta_prev)
{
    CBLAS(gemm)
    (CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, layer->n_in, layer->n_out, 1, layer->Delta, layer->n_out, layer->W, layer->n_in, 0,
     Delta_prev, layer->n_in);
}

/* C = C + alpha Gᵀ X */
static void accumulate(const dense *layer, int batch, real alpha, const real *X, real *C)
{
    CBLAS(gemm)
    (CblasRowMajor, CblasTrans, CblasNoTrans, layer->n_out, layer->n_in, batch, alpha, layer->Delta, layer->n_out, X, layer->n_in, 1, C,
     layer->n_in);
}

/* c += alpha Gᵀ 1 */
static void accumulate_bias(const dense *layer, int batch, real alpha, real *c)
{
    for (int i = 0; i < batch * layer->n_out; i++) {
        c[i % layer->n_out] += alpha * layer->Delta[i];
    }
}

/* One step of Adam (Kingma, Ba 2015, algorithm 1) with the gradient, for W and b. */
static void adam(const dense *layer, real eta, int t)
{
    const real beta1 = (real)0.9, beta2 = (real)0.999, epsilon = (real)1e-8;
    size_t n = (size_t)layer->n_out * ((size_t)layer->n_in + 1);
    for (size_t i = 0; i < n; i++) {
        real gradient = layer->gradient[i];
        layer->m[i] = beta1 * layer->m[i] + (1 - beta1) * gradient;
        layer->v[i] = beta2 * layer->v[i] + (1 - beta2) * gradient * gradient;
        real mean = layer->m[i] / (1 - pow(beta1, (real)t)), square = layer->v[i] / (1 - pow(beta2, (real)t));
        layer->W[i] -= eta * mean / (sqrt(square) + epsilon);
    }
}

/* Delta_prev = G W and W += alpha Gᵀ X, from the last layer to the first, which needs no Delta_prev. */
static void backward_bare(const peer *side, const real *X)
{
    for (size_t l = side->n_layers; l-- > 0;) {
        const dense *layer = &side->layers[l], *below = layer - 1;
        if (l > 0) {
            multiply_back(layer, side->batch, below->Delta);
        }
        accumulate(layer, side->batch, side->eta / (real)side->batch, l ? below->Y : X, layer->W);
    }
}

/* The same with f′, the bias and the method. */
static void backward_whole(peer *side, const real *X)
{
    real alpha = (side->adam ? -1 : side->eta) / (real)side->batch;
    side->steps++;
    for (size_t l = side->n_layers; l-- > 0;) {
        const dense *layer = &side->layers[l], *below = layer - 1;
        if (l > 0) {
            multiply_back(layer, side->batch, below->Delta);
            local_gradient(below, side->batch);
        }
        size_t n_weights = (size_t)layer->n_out * (size_t)layer->n_in;
        if (side->adam) {
            memset(layer->gradient, 0, (n_weights + (size_t)layer->n_out) * sizeof(real));
        }
        real *sum = side->adam ? layer->gradient : layer->W;
        accumulate(layer, side->batch, alpha, l ? below->Y : X, sum);
        accumulate_bias(layer, side->batch, alpha, sum + n_weights);
        if (side->adam) {
            adam(layer, side->eta, side->steps);
        }
    }
}

static void step_bare(void *state, size_t steps)
{
    const peer *side = state;
    const REAL(net_problem) *p = side->problem;
    for (size_t i = 0; i < steps; i++) {
        const real *X = p->x + i * p->c->batch % p->n_samples * p->n_in;
        forward(side, X, false);
        backward_bare(side, X);
    }
}

static void step_whole(void *state, size_t steps)
{
    peer *side = state;
    const REAL(net_problem) *p = side->problem;
    for (size_t i = 0; i < steps; i++) {
        size_t s = i * p->c->batch % p->n_samples;
        forward(side, p->x + s * p->n_in, true);
        output_error(side, p->target + s * p->n_out);
        backward_whole(side, p->x + s * p->n_in);
    }
}

static void weights(void *state, real *theta)
{
    const peer *side = state;
    for (size_t l = 0; l < side->n_layers; l++) {
        const dense *layer = &side->layers[l];
        size_t n = (size_t)layer->n_out * ((size_t)layer->n_in + 1);
        memcpy(theta, layer->W, n * sizeof(real));
        theta += n;
    }
}

/* y = f(W x + b) for all layers */
static void predict_one(const peer *side, const real *x)
{
    for (size_t l = 0; l < side->n_layers; l++) {
        const dense *layer = &side->layers[l];
        put_bias(layer, 1);
        CBLAS(gemv)
        (CblasRowMajor, CblasNoTrans, layer->n_out, layer->n_in, 1, layer->W, layer->n_in, l ? layer[-1].Y : x, 1, 1, layer->Y, 1);
        if (l + 1 < side->n_layers) {
            activate(layer, 1);
        }
    }
}

static void predict(void *state, size_t runs)
{
    const peer *side = state;
    const REAL(net_problem) *p = side->problem;
    for (size_t i = 0; i < runs; i++) {
        const real *X = p->x + i * p->c->batch % p->n_samples * p->n_in;
        if (side->batch == 1) {
            predict_one(side, X);
        } else {
            forward(side, X, true);
        }
    }
}

static void outputs(void *state, real *y)
{
    const peer *side = state;
    const REAL(net_problem) *p = side->problem;
    memcpy(y, side->layers[side->n_layers - 1].Y, p->c->batch * p->n_out * sizeof(real));
}

const REAL(bench_side) REAL(gemm_step) = {
    .name = "gemm",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = step_bare,
    .run_whole = step_whole,
    .result = weights,
};

const REAL(bench_side) REAL(gemm_predict) = {
    .name = "cblas",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = predict,
    .result = outputs,
};
