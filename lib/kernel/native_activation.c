/* f and f′ side by side, on vectors. Comparisons are written so that NaN takes the branch that keeps it. */
#include "kernel/native.h"
#include "kernel/vector_math.h"

static const real leaky_slope = (real)0.01;
static const real selu_scale = (real)1.0507009873554804934193349852946; /* Klambauer et al. 2017 */
static const real selu_alpha = (real)1.6732632423543772848170429916717;
static const real sqrt_half = (real)0.70710678118654752440084436210485;
static const real inverse_sqrt_two_pi = (real)0.39894228040143267793994605993438;

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

static vector sigmoid(vector e)
{
    return logistic(e);
}

static vector sigmoid_gradient(vector e, vector y, vector delta)
{
    (void)e;
    return delta * (y * (1 - y));
}

static vector hyperbolic_tangent(vector e)
{
    return vector_tanh(e);
}

static vector hyperbolic_tangent_gradient(vector e, vector y, vector delta)
{
    (void)e;
    return delta * (1 - y * y);
}

static vector relu(vector e)
{
    return choose(e < 0, broadcast(0), e);
}

static vector relu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return choose(e <= 0, broadcast(0), delta);
}

static vector leaky_relu(vector e)
{
    return choose(e < 0, leaky_slope * e, e);
}

static vector leaky_relu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return choose(e <= 0, leaky_slope * delta, delta);
}

static vector elu(vector e)
{
    return choose(e < 0, vector_expm1(choose(e < 0, e, broadcast(0))), e);
}

/* below 0: exp(e) = y + 1 */
static vector elu_gradient(vector e, vector y, vector delta)
{
    return delta * choose(e < 0, y + 1, broadcast(1));
}

static vector selu(vector e)
{
    return selu_scale * choose(e < 0, selu_alpha * vector_expm1(choose(e < 0, e, broadcast(0))), e);
}

/* below 0: scale alpha exp(e) = y + scale alpha */
static vector selu_gradient(vector e, vector y, vector delta)
{
    return delta * choose(e < 0, y + selu_scale * selu_alpha, broadcast(selu_scale));
}

static vector gelu(vector e)
{
    return e * normal_distribution(e);
}

/* Φ(e) + e φ(e) */
static vector gelu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    vector density = inverse_sqrt_two_pi * vector_exp((real)-0.5 * e * e);
    return delta * (normal_distribution(e) + e * density);
}

static vector silu(vector e)
{
    return e * logistic(e);
}

/* σ (1 + e (1 − σ)) */
static vector silu_gradient(vector e, vector y, vector delta)
{
    (void)y;
    vector s = logistic(e);
    return delta * (s * (1 + e * (1 - s)));
}

/* max(e, 0) + ln(1 + exp(−|e|)) */
static vector softplus(vector e)
{
    return choose(e < 0, broadcast(0), e) + vector_log1p(vector_exp(-absolute(e)));
}

static vector softplus_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return delta * logistic(e);
}

static vector softsign(vector e)
{
    return e / (1 + absolute(e));
}

static vector softsign_gradient(vector e, vector y, vector delta)
{
    (void)y;
    vector d = 1 + absolute(e);
    return delta / d / d;
}

static vector gaussian(vector e)
{
    return vector_exp(-e * e);
}

static vector gaussian_gradient(vector e, vector y, vector delta)
{
    return delta * (-2 * (e * y));
}

static vector sine(vector e)
{
    return vector_sin(e);
}

static vector sine_gradient(vector e, vector y, vector delta)
{
    (void)y;
    return delta * vector_cos(e);
}

const NATIVE(bp_vector_activation) NATIVE(bp_vector_activations)[] = {
    [BP_ACTIVATION_IDENTITY] = {NULL, NULL},
    [BP_ACTIVATION_SIGMOID] = {sigmoid, sigmoid_gradient},
    [BP_ACTIVATION_TANH] = {hyperbolic_tangent, hyperbolic_tangent_gradient},
    [BP_ACTIVATION_RELU] = {relu, relu_gradient},
    [BP_ACTIVATION_LEAKY_RELU] = {leaky_relu, leaky_relu_gradient},
    [BP_ACTIVATION_ELU] = {elu, elu_gradient},
    [BP_ACTIVATION_SELU] = {selu, selu_gradient},
    [BP_ACTIVATION_GELU] = {gelu, gelu_gradient},
    [BP_ACTIVATION_SILU] = {silu, silu_gradient},
    [BP_ACTIVATION_SOFTPLUS] = {softplus, softplus_gradient},
    [BP_ACTIVATION_SOFTSIGN] = {softsign, softsign_gradient},
    [BP_ACTIVATION_GAUSSIAN] = {gaussian, gaussian_gradient},
    [BP_ACTIVATION_SINE] = {sine, sine_gradient},
    [BP_ACTIVATION_SOFTMAX] = {NULL, NULL},
};

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
        vector t = vector_exp(keep_below(load_partial(e + i, n - i) - maximum, n - i)); /* else lanes that stand for no e may overflow */
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
    if (activation == BP_ACTIVATION_SOFTMAX) {
        for (size_t s = 0; s < batch; s++) {
            softmax(n, e + s * n, y + s * n);
        }
        return;
    }
    vector (*f)(vector) = NATIVE(bp_vector_activations)[activation].f;
    size_t count = batch * n, i = 0;
    if (!f) {
        memmove(y, e, count * sizeof *y);
        return;
    }
    for (; i + LANES <= count; i += LANES) {
        store(y + i, f(load(e + i)));
    }
    if (i < count) {
        store_partial(y + i, f(load_partial(e + i, count - i)), count - i);
    }
}

void NATIVE(bp_local_gradient)(bp_activation activation, size_t batch, size_t n, const real *e, const real *y, const real *delta, real *g)
{
    if (activation == BP_ACTIVATION_SOFTMAX) {
        for (size_t s = 0; s < batch; s++) {
            softmax_gradient(n, y + s * n, delta + s * n, g + s * n);
        }
        return;
    }
    vector (*gradient)(vector, vector, vector) = NATIVE(bp_vector_activations)[activation].gradient;
    size_t count = batch * n, i = 0;
    if (!gradient) {
        memmove(g, delta, count * sizeof *g);
        return;
    }
    for (; i + LANES <= count; i += LANES) {
        store(g + i, gradient(load(e + i), load(y + i), load(delta + i)));
    }
    if (i < count) {
        size_t rest = count - i;
        store_partial(g + i, gradient(load_partial(e + i, rest), load_partial(y + i, rest), load_partial(delta + i, rest)), rest);
    }
}
