/*
 * f and f′ side by side. Comparisons are written so that NaN takes the branch that keeps it. Exponentials are of numbers ≤ 0 only, so that
 * none overflows.
 */
#include "kernel/reference.h"

#include <stdbool.h>
#include <tgmath.h>

static const real leaky_slope = (real)0.01;
static const real selu_scale = (real)1.0507009873554804934193349852946; /* Klambauer et al. 2017 */
static const real selu_alpha = (real)1.6732632423543772848170429916717;
static const real sqrt_half = (real)0.70710678118654752440084436210485;
static const real inverse_sqrt_two_pi = (real)0.39894228040143267793994605993438;

static void identity(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i];
    }
}

static void identity_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)e;
    (void)y;
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i];
    }
}

static real logistic(real e)
{
    real t = exp(-fabs(e));
    return (e < 0 ? t : 1) / (1 + t);
}

static void sigmoid(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = logistic(e[i]);
    }
}

static void sigmoid_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * (y[i] * (1 - y[i]));
    }
}

static void hyperbolic_tangent(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = tanh(e[i]);
    }
}

static void hyperbolic_tangent_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * (1 - y[i] * y[i]);
    }
}

static void relu(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i] < 0 ? 0 : e[i];
    }
}

static void relu_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        g[i] = e[i] <= 0 ? 0 : delta[i];
    }
}

static void leaky_relu(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i] < 0 ? leaky_slope * e[i] : e[i];
    }
}

static void leaky_relu_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        g[i] = e[i] <= 0 ? leaky_slope * delta[i] : delta[i];
    }
}

static void elu(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i] < 0 ? expm1(e[i]) : e[i];
    }
}

/* below 0: exp(e) = y + 1 */
static void elu_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * (e[i] < 0 ? y[i] + 1 : 1);
    }
}

static void selu(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = selu_scale * (e[i] < 0 ? selu_alpha * expm1(e[i]) : e[i]);
    }
}

/* below 0: scale alpha exp(e) = y + scale alpha */
static void selu_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * (e[i] < 0 ? y[i] + selu_scale * selu_alpha : selu_scale);
    }
}

/* Φ(e), the normal distribution function: ½ erfc(−e/√2) keeps its precision where Φ is near 0 */
static real normal_distribution(real e)
{
    return (real)0.5 * erfc(-e * sqrt_half);
}

static void gelu(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i] * normal_distribution(e[i]);
    }
}

/* Φ(e) + e φ(e) */
static void gelu_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        real density = inverse_sqrt_two_pi * exp((real)-0.5 * e[i] * e[i]);
        g[i] = delta[i] * (normal_distribution(e[i]) + e[i] * density);
    }
}

static void silu(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i] * logistic(e[i]);
    }
}

/* σ (1 + e (1 − σ)) */
static void silu_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        real s = logistic(e[i]);
        g[i] = delta[i] * (s * (1 + e[i] * (1 - s)));
    }
}

/* max(e, 0) + ln(1 + exp(−|e|)) */
static void softplus(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = (e[i] < 0 ? 0 : e[i]) + log1p(exp(-fabs(e[i])));
    }
}

static void softplus_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * logistic(e[i]);
    }
}

static void softsign(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = e[i] / (1 + fabs(e[i]));
    }
}

static void softsign_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        real d = 1 + fabs(e[i]);
        g[i] = delta[i] / d / d;
    }
}

static void gaussian(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = exp(-e[i] * e[i]);
    }
}

static void gaussian_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * (-2 * (e[i] * y[i]));
    }
}

static void sine(size_t n, const real *e, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = sin(e[i]);
    }
}

static void sine_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        g[i] = delta[i] * cos(e[i]);
    }
}

/* y_i = exp(e_i − max e) / Σ_j exp(e_j − max e) */
static void softmax(size_t n, const real *e, real *y)
{
    real maximum = e[0];
    for (size_t i = 1; i < n; i++) {
        maximum = e[i] > maximum ? e[i] : maximum;
    }
    real sum = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] = exp(e[i] - maximum);
        sum += y[i];
    }
    for (size_t i = 0; i < n; i++) {
        y[i] /= sum;
    }
}

/* g = Jᵀδ with J_ij = y_i ([i = j] − y_j): g_i = y_i (δ_i − Σ_j y_j δ_j) */
static void softmax_gradient(size_t n, const real *e, const real *y, const real *delta, real *g)
{
    (void)e;
    real mean = 0;
    for (size_t i = 0; i < n; i++) {
        mean += y[i] * delta[i];
    }
    for (size_t i = 0; i < n; i++) {
        g[i] = y[i] * (delta[i] - mean);
    }
}

static const struct {
    void (*forward)(size_t n, const real *e, real *y);
    void (*local_gradient)(size_t n, const real *e, const real *y, const real *delta, real *g);
    bool per_sample; /* an output depends on all of its sample's e, so samples go one by one */
} activations[] = {
    [BP_ACTIVATION_IDENTITY] = {identity, identity_gradient, false},
    [BP_ACTIVATION_SIGMOID] = {sigmoid, sigmoid_gradient, false},
    [BP_ACTIVATION_TANH] = {hyperbolic_tangent, hyperbolic_tangent_gradient, false},
    [BP_ACTIVATION_RELU] = {relu, relu_gradient, false},
    [BP_ACTIVATION_LEAKY_RELU] = {leaky_relu, leaky_relu_gradient, false},
    [BP_ACTIVATION_ELU] = {elu, elu_gradient, false},
    [BP_ACTIVATION_SELU] = {selu, selu_gradient, false},
    [BP_ACTIVATION_GELU] = {gelu, gelu_gradient, false},
    [BP_ACTIVATION_SILU] = {silu, silu_gradient, false},
    [BP_ACTIVATION_SOFTPLUS] = {softplus, softplus_gradient, false},
    [BP_ACTIVATION_SOFTSIGN] = {softsign, softsign_gradient, false},
    [BP_ACTIVATION_GAUSSIAN] = {gaussian, gaussian_gradient, false},
    [BP_ACTIVATION_SINE] = {sine, sine_gradient, false},
    [BP_ACTIVATION_SOFTMAX] = {softmax, softmax_gradient, true},
};

void REAL(bp_activation_reference)(bp_activation activation, size_t batch, size_t n, const real *e, real *y)
{
    size_t calls = activations[activation].per_sample ? batch : 1;
    size_t length = activations[activation].per_sample ? n : batch * n;
    for (size_t i = 0; i < calls; i++) {
        activations[activation].forward(length, e + i * length, y + i * length);
    }
}

void REAL(bp_local_gradient_reference)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta,
                                       real *g)
{
    size_t calls = activations[activation].per_sample ? batch : 1;
    size_t length = activations[activation].per_sample ? n : batch * n;
    for (size_t i = 0; i < calls; i++) {
        size_t at = i * length;
        activations[activation].local_gradient(length, e + at, y + at, delta + at, g + at);
    }
}
