/* Steps of optimization methods with state, on vectors. */
#include "kernel/native.h"

/* v = momentum v + g, θ = θ − learning_rate v */
void NATIVE(bp_momentum)(size_t n, const REAL(bp_method_step) * step, real scale, const real *direction, real *v, real *theta)
{
    vector momentum = broadcast(step->momentum), rate = broadcast(-step->learning_rate);
    for (size_t i = 0; i < n; i += LANES) {
        vector v_i = multiply_add(momentum, load(v + i), scale * load(direction + i));
        store(v + i, v_i);
        store(theta + i, multiply_add(rate, v_i, load(theta + i)));
    }
}

/* m = β₁ m + (1 − β₁) g, v = β₂ v + (1 − β₂) g², θ = θ − learning_rate m / (√v v_scale + ε) */
void NATIVE(bp_adam)(size_t n, const REAL(bp_method_step) * step, real scale, const real *direction, real *m, real *v, real *theta)
{
    vector beta1 = broadcast(step->beta1), beta2 = broadcast(step->beta2), v_scale = broadcast(step->v_scale);
    for (size_t i = 0; i < n; i += LANES) {
        vector g = scale * load(direction + i);
        vector m_i = multiply_add(beta1, load(m + i), (1 - beta1) * g);
        vector v_i = multiply_add(beta2, load(v + i), (1 - beta2) * g * g);
        store(m + i, m_i);
        store(v + i, v_i);
        vector denominator = multiply_add(vector_sqrt(v_i), v_scale, broadcast(step->epsilon));
        store(theta + i, load(theta + i) - step->learning_rate * m_i / denominator);
    }
}
