/* f and f′ side by side, on vectors. Comparisons are written so that NaN takes the branch that keeps it. */
#include "kernel/native.h"
#include "kernel/vector_math.h"

#include <stdbool.h>

static const real leaky_slope = (real)0.01;
static const real selu_scale = (real)1.0507009873554804934193349852946; /* Klambauer et al. 2017 */
static const real selu_alpha = (real)1.6732632423543772848170429916717;
static const real sqrt_half = (real)0.70710678118654752440084436210485;
static const real inverse_sqrt_two_pi = (real)0.39894228040143267793994605993438;

/* where condition (all bits of a lane 1 or 0) a, else b */
INLINE vector choose(integer_vector condition, vector a, vector b)
{
    return (vector)((condition & (integer_vector)a) | (~condition & (integer_vector)b));
}

INLINE vector absolute(vector e)
{
    return choose(e < 0, -e, e);
}

INLINE vector logistic(vector e)
{
    vector t = vector_exp(-absolute(e));
    return choose(e < 0, t, broadcast(1)) / (1 + t);
}

/* Φ(e), the normal distribution function: ½ erfc(−e/√2) keeps its precision where Φ is near 0 */
INLINE vector normal_distribution(vector e)
{
    return (real)0.5 * vector_erfc(-e * sqrt_half);
}

INLINE vector identity(vector e)
{
    return e;
}

INLINE vector identity_gradient(vector e, vector y, vector delta)
{
    (void)e;
    (void)y;
    return delta;
}

INLINE vector sigmoid(vector e)
{
    return logistic(e);
}

INLINE vector sigmoid_gradient(vector e, vector y, vector delta)
{
    (void)e;
    return delta * (y * (1 - y));
}

INLINE vector hyperbolic_tangent(vector e)
{
    return vector_tanh(e);
}

INLINE vector hyperbolic_tangent_gradient(vector e, vector y, vector delta)
{
    (void)e;
    return delta * (1 - y * y);
}

INLINE vector relu(vector e)
{
    return choose(e < 0, broadcast(0), e);
}

INLINE vector relu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return choose(e <= 0, broadcast(0), delta);
}

INLINE vector leaky_relu(vector e)
{
    return choose(e < 0, leaky_slope * e, e);
}

INLINE vector leaky_relu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return choose(e <= 0, leaky_slope * delta, delta);
}

INLINE vector elu(vector e)
{
    return choose(e < 0, vector_expm1(choose(e < 0, e, broadcast(0))), e);
}

/* below 0: exp(e) = y + 1 */
INLINE vector elu_gradient(vector e, vector y, vector delta)
{
    return delta * choose(e < 0, y + 1, broadcast(1));
}

INLINE vector selu(vector e)
{
    return selu_scale * choose(e < 0, selu_alpha * vector_expm1(choose(e < 0, e, broadcast(0))), e);
}

/* below 0: scale alpha exp(e) = y + scale alpha */
INLINE vector selu_gradient(vector e, vector y, vector delta)
{
    return delta * choose(e < 0, y + selu_scale * selu_alpha, broadcast(selu_scale));
}

INLINE vector gelu(vector e)
{
    return e * normal_distribution(e);
}

/* Φ(e) + e φ(e) */
INLINE vector gelu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    vector density = inverse_sqrt_two_pi * vector_exp((real)-0.5 * e * e);
    return delta * (normal_distribution(e) + e * density);
}

INLINE vector silu(vector e)
{
    return e * logistic(e);
}

/* σ (1 + e (1 − σ)) */
INLINE vector silu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    vector s = logistic(e);
    return delta * (s * (1 + e * (1 - s)));
}

/* max(e, 0) + ln(1 + exp(−|e|)) */
INLINE vector softplus(vector e)
{
    return choose(e < 0, broadcast(0), e) + vector_log1p(vector_exp(-absolute(e)));
}

INLINE vector softplus_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return delta * logistic(e);
}

INLINE vector softsign(vector e)
{
    return e / (1 + absolute(e));
}

INLINE vector softsign_gradient(vector e, vector y, vector delta)
{
    (void)y;
    vector d = 1 + absolute(e);
    return delta / d / d;
}

INLINE vector gaussian(vector e)
{
    return vector_exp(-e * e);
}

INLINE vector gaussian_gradient(vector e, vector y, vector delta)
{
    return delta * (-2 * (e * y));
}

INLINE vector sine(vector e)
{
    return vector_sin(e);
}

INLINE vector sine_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return delta * vector_cos(e);
}

/* y_i = f(e_i); f is inlined */
INLINE void map(size_t n, const real *e, real *y, vector (*f)(vector))
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        store(y + i, f(load(e + i)));
    }
    if (i < n) {
        store_partial(y + i, f(load_partial(e + i, n - i)), n - i);
    }
}

/* g_i = f(e_i, y_i, δ_i); f is inlined */
INLINE void map_gradient(size_t n, const real *e, const real *y, const real *delta, real *g, vector (*f)(vector, vector, vector))
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        store(g + i, f(load(e + i), load(y + i), load(delta + i)));
    }
    if (i < n) {
        size_t rest = n - i;
        store_partial(g + i, f(load_partial(e + i, rest), load_partial(y + i, rest), load_partial(delta + i, rest)), rest);
    }
}

/* y_i = exp(e_i − max e) / Σ_j exp(e_j − max e) */
static void softmax(size_t n, const real *e, real *y)
{
    real maximum = e[0];
    for (size_t i = 1; i < n; i++) {
        maximum = e[i] > maximum ? e[i] : maximum;
    }
    vector total = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vector t = vector_exp(load(e + i) - maximum);
        total += t;
        store(y + i, t);
    }
    if (i < n) {
        vector t = vector_exp(load_partial(e + i, n - i) - maximum);
        store_partial(y + i, t, n - i);
        total += choose(lanes_below(n - i), t, broadcast(0));
    }
    real scale = 1 / sum(total);
    for (i = 0; i < n; i++) {
        y[i] *= scale;
    }
}

/* g = Jᵀδ with J_ij = y_i ([i = j] − y_j): g_i = y_i (δ_i − Σ_j y_j δ_j) */
static void softmax_gradient(size_t n, const real *y, const real *delta, real *g)
{
    real mean = 0;
    for (size_t i = 0; i < n; i++) {
        mean += y[i] * delta[i];
    }
    for (size_t i = 0; i < n; i++) {
        g[i] = y[i] * (delta[i] - mean);
    }
}

void NATIVE(bp_activation)(bp_activation activation, size_t batch, size_t n, const real *e, real *y)
{
    size_t count = batch * n;
    switch (activation) {
    case BP_ACTIVATION_IDENTITY:
        map(count, e, y, identity);
        break;
    case BP_ACTIVATION_SIGMOID:
        map(count, e, y, sigmoid);
        break;
    case BP_ACTIVATION_TANH:
        map(count, e, y, hyperbolic_tangent);
        break;
    case BP_ACTIVATION_RELU:
        map(count, e, y, relu);
        break;
    case BP_ACTIVATION_LEAKY_RELU:
        map(count, e, y, leaky_relu);
        break;
    case BP_ACTIVATION_ELU:
        map(count, e, y, elu);
        break;
    case BP_ACTIVATION_SELU:
        map(count, e, y, selu);
        break;
    case BP_ACTIVATION_GELU:
        map(count, e, y, gelu);
        break;
    case BP_ACTIVATION_SILU:
        map(count, e, y, silu);
        break;
    case BP_ACTIVATION_SOFTPLUS:
        map(count, e, y, softplus);
        break;
    case BP_ACTIVATION_SOFTSIGN:
        map(count, e, y, softsign);
        break;
    case BP_ACTIVATION_GAUSSIAN:
        map(count, e, y, gaussian);
        break;
    case BP_ACTIVATION_SINE:
        map(count, e, y, sine);
        break;
    case BP_ACTIVATION_SOFTMAX:
        for (size_t s = 0; s < batch; s++) {
            softmax(n, e + s * n, y + s * n);
        }
        break;
    }
}

void NATIVE(bp_local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta, real *g)
{
    size_t count = batch * n;
    switch (activation) {
    case BP_ACTIVATION_IDENTITY:
        map_gradient(count, e, y, delta, g, identity_gradient);
        break;
    case BP_ACTIVATION_SIGMOID:
        map_gradient(count, e, y, delta, g, sigmoid_gradient);
        break;
    case BP_ACTIVATION_TANH:
        map_gradient(count, e, y, delta, g, hyperbolic_tangent_gradient);
        break;
    case BP_ACTIVATION_RELU:
        map_gradient(count, e, y, delta, g, relu_gradient);
        break;
    case BP_ACTIVATION_LEAKY_RELU:
        map_gradient(count, e, y, delta, g, leaky_relu_gradient);
        break;
    case BP_ACTIVATION_ELU:
        map_gradient(count, e, y, delta, g, elu_gradient);
        break;
    case BP_ACTIVATION_SELU:
        map_gradient(count, e, y, delta, g, selu_gradient);
        break;
    case BP_ACTIVATION_GELU:
        map_gradient(count, e, y, delta, g, gelu_gradient);
        break;
    case BP_ACTIVATION_SILU:
        map_gradient(count, e, y, delta, g, silu_gradient);
        break;
    case BP_ACTIVATION_SOFTPLUS:
        map_gradient(count, e, y, delta, g, softplus_gradient);
        break;
    case BP_ACTIVATION_SOFTSIGN:
        map_gradient(count, e, y, delta, g, softsign_gradient);
        break;
    case BP_ACTIVATION_GAUSSIAN:
        map_gradient(count, e, y, delta, g, gaussian_gradient);
        break;
    case BP_ACTIVATION_SINE:
        map_gradient(count, e, y, delta, g, sine_gradient);
        break;
    case BP_ACTIVATION_SOFTMAX:
        for (size_t s = 0; s < batch; s++) {
            softmax_gradient(n, y + s * n, delta + s * n, g + s * n);
        }
        break;
    }
}
