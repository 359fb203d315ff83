/* Steps of optimization methods, on vectors: each method is what it makes of one vector of elements, and one sweep serves them all. */
#include "kernel/native.h"

typedef REAL(bp_method_step) numbers;

/* Returns what θ becomes with gradient g, and changes the state of this place. */
typedef vector update(const numbers *step, vector g, vector theta, real *first, real *second, size_t at);

/* −1, 0 or 1 */
INLINE vector sign(vector v)
{
    return (vector)((integer_vector)broadcast(1) & (v > 0)) - (vector)((integer_vector)broadcast(1) & (v < 0));
}

INLINE vector update_sgd(const numbers *step, vector g, vector theta, real *first, real *second, size_t at)
{
    (void)first;
    (void)second;
    (void)at;
    return multiply_add(broadcast(-step->learning_rate), g, theta);
}

/* v = μ v + g */
INLINE vector velocity(const numbers *step, vector g, real *v, size_t at)
{
    vector v_i = multiply_add(broadcast(step->momentum), load(v + at), g);
    store(v + at, v_i);
    return v_i;
}

INLINE vector update_momentum(const numbers *step, vector g, vector theta, real *v, real *second, size_t at)
{
    return update_sgd(step, velocity(step, g, v, at), theta, v, second, at);
}

INLINE vector update_nesterov(const numbers *step, vector g, vector theta, real *v, real *second, size_t at)
{
    return update_sgd(step, multiply_add(broadcast(step->momentum), velocity(step, g, v, at), g), theta, v, second, at);
}

INLINE vector update_adagrad(const numbers *step, vector g, vector theta, real *s, real *second, size_t at)
{
    (void)second;
    vector s_i = multiply_add(g, g, load(s + at));
    store(s + at, s_i);
    return theta - step->learning_rate * g / (vector_sqrt(s_i) + step->epsilon);
}

/* v = β₂ v + (1 − β₂) g² */
INLINE vector mean_square(const numbers *step, vector g, real *v, size_t at)
{
    vector v_i = multiply_add(broadcast(step->beta2), load(v + at), (1 - step->beta2) * g * g);
    store(v + at, v_i);
    return v_i;
}

INLINE vector update_rmsprop(const numbers *step, vector g, vector theta, real *v, real *second, size_t at)
{
    (void)second;
    return theta - step->learning_rate * g / (vector_sqrt(mean_square(step, g, v, at)) + step->epsilon);
}

/* With shrinkage also AdamW. */
INLINE vector update_adam(const numbers *step, vector g, vector theta, real *m, real *v, size_t at)
{
    vector m_i = multiply_add(broadcast(step->beta1), load(m + at), (1 - step->beta1) * g);
    store(m + at, m_i);
    vector denominator = multiply_add(vector_sqrt(mean_square(step, g, v, at)), broadcast(step->v_scale), broadcast(step->epsilon));
    return multiply_add(broadcast(-step->shrinkage), theta, theta) - step->learning_rate * m_i / denominator;
}

/* first: the sign of the gradient before, or 0 where that has been taken back; second: Δ, 0 before the first step */
INLINE vector update_irprop_minus(const numbers *step, vector g, vector theta, real *before, real *delta, size_t at)
{
    vector direction = sign(g), turned = direction * load(before + at), delta_i = load(delta + at);
    delta_i = choose(delta_i > 0, delta_i, broadcast(step->learning_rate));
    delta_i *= choose(turned > 0, broadcast(step->increase), choose(turned < 0, broadcast(step->decrease), broadcast(1)));
    delta_i = choose(delta_i < step->minimum, broadcast(step->minimum), delta_i);
    delta_i = choose(delta_i > step->maximum, broadcast(step->maximum), delta_i);
    direction = choose(turned < 0, (vector){0}, direction);
    store(before + at, direction);
    store(delta + at, delta_i);
    return theta - direction * delta_i;
}

INLINE void sweep(update *moved, size_t n, const numbers *step, real scale, const real *direction, real *first, real *second, real *theta)
{
    const numbers s = *step; /* so that the compiler knows that no store changes it */
    for (size_t i = 0; i < n; i += LANES) {
        vector theta_i = load(theta + i);
        vector g = multiply_add(broadcast(s.decay), theta_i, scale * load(direction + i));
        if (s.l1 != 0) {
            g = multiply_add(broadcast(s.l1), sign(theta_i), g);
        }
        store(theta + i, moved(&s, g, theta_i, first, second, i));
    }
}

void NATIVE(bp_method)(bp_method method, size_t n, const REAL(bp_method_step) * step, real scale, const real *direction, real *first,
                       real *second, real *theta)
{
    switch (method) {
    case BP_METHOD_MOMENTUM:
        sweep(update_momentum, n, step, scale, direction, first, second, theta);
        break;
    case BP_METHOD_NESTEROV:
        sweep(update_nesterov, n, step, scale, direction, first, second, theta);
        break;
    case BP_METHOD_ADAGRAD:
        sweep(update_adagrad, n, step, scale, direction, first, second, theta);
        break;
    case BP_METHOD_RMSPROP:
        sweep(update_rmsprop, n, step, scale, direction, first, second, theta);
        break;
    case BP_METHOD_ADAM:
    case BP_METHOD_ADAMW:
        sweep(update_adam, n, step, scale, direction, first, second, theta);
        break;
    case BP_METHOD_IRPROP_MINUS:
        sweep(update_irprop_minus, n, step, scale, direction, first, second, theta);
        break;
    default:
        sweep(update_sgd, n, step, scale, direction, first, second, theta);
    }
}

/* The double elements of half a vector of floats, or a vector of doubles as it is. */
#if BP_REAL_BITS == 32
typedef double doubles __attribute__((vector_size(2 * BP_VECTOR_BYTES)));
#define TO_DOUBLES(v) __builtin_convertvector(v, doubles)
#else
typedef vector doubles;
#define TO_DOUBLES(v) (v)
#endif

double NATIVE(bp_clip)(size_t n, real limit, real *x)
{
    doubles sums = {0};
    for (size_t i = 0; i < n; i += LANES) {
        vector x_i = load(x + i);
        x_i = choose(x_i > limit, broadcast(limit), choose(x_i < -limit, broadcast(-limit), x_i));
        store(x + i, x_i);
        doubles d = TO_DOUBLES(x_i);
        sums += d * d;
    }
    double sum = 0;
    for (int i = 0; i < LANES; i++) {
        sum += sums[i];
    }
    return sum;
}
