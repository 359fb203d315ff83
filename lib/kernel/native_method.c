/* Steps of optimization methods, on vectors: each method is what it makes of one vector of elements, and one sweep serves them all. */
#include "kernel/native.h"

#include <float.h>

typedef REAL(bp_method_step) numbers;

/* Returns what θ becomes with gradient g, and changes the state of this place. */
typedef vector update(const numbers *step, vector g, vector theta, real *first, real *second, size_t at);

/* −1, 0 or 1 */
INLINE vector sign(vector v)
{
    return (vector)((integer_vector)broadcast(1) & (v > 0)) - (vector)((integer_vector)broadcast(1) & (v < 0));
}

/*
 * held: v ≥ 0 below infinity. scaled_root: ROOT_FACTOR √v, within 2 units in the last place. AVX-512 has an estimate of 1/√v to 14 bits,
 * and a step of Newton's method doubles them; what multiplies the result of each step is left in. That takes half the time of the
 * processor's square root, for which its divisions would wait. Numbers that are not negative have the order of their bits as integers. 0
 * gives 0, infinity infinity.
 */
#if BP_VECTOR_BYTES == 64 && BP_REAL_BITS == 32
enum { ROOT_FACTOR = 2 };

INLINE vector held(vector v)
{
    return (vector)_mm512_min_epi32((__m512i)v, (__m512i)broadcast(FLT_MAX));
}

INLINE vector scaled_root(vector v)
{
    vector r = (vector)_mm512_rsqrt14_ps((__m512)_mm512_max_epi32((__m512i)held(v), (__m512i)broadcast(FLT_TRUE_MIN)));
    vector root = v * r;
    return root * multiply_add(-root, r, broadcast(3));
}
#elif BP_VECTOR_BYTES == 64
enum { ROOT_FACTOR = 16 };

INLINE vector held(vector v)
{
    return (vector)_mm512_min_epi64((__m512i)v, (__m512i)broadcast(DBL_MAX));
}

INLINE vector scaled_root(vector v)
{
    vector r = (vector)_mm512_rsqrt14_pd((__m512d)_mm512_max_epi64((__m512i)held(v), (__m512i)broadcast(DBL_TRUE_MIN)));
    vector root = v * r, correction = multiply_add(-root, r, broadcast(3));
    root *= correction;
    r *= correction;
    return root * multiply_add(-root, r, broadcast(12));
}
#else
enum { ROOT_FACTOR = 1 };

INLINE vector held(vector v)
{
    return choose(v < REAL_MAX, v, broadcast(REAL_MAX));
}

INLINE vector scaled_root(vector v)
{
    return vector_sqrt(v);
}
#endif

/* θ − η numerator / (√v + ε) */
INLINE vector descend(const numbers *step, vector numerator, vector v, vector theta)
{
    vector denominator = scaled_root(v) + ROOT_FACTOR * step->epsilon;
    return multiply_add(broadcast(-ROOT_FACTOR * step->learning_rate), numerator / denominator, theta);
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
    return descend(step, g, s_i, theta);
}

/* v + (1 − β₂) (g² − v), which is β₂ v + (1 − β₂) g². It is kept finite: infinity would be NaN in the next step. */
INLINE vector mean_square(const numbers *step, vector g, real *v, size_t at)
{
    vector before = load(v + at), v_i = multiply_add(broadcast(step->rest2), multiply_add(g, g, -before), before);
    store(v + at, held(v_i));
    return v_i;
}

INLINE vector update_rmsprop(const numbers *step, vector g, vector theta, real *v, real *second, size_t at)
{
    (void)second;
    return descend(step, g, mean_square(step, g, v, at), theta);
}

INLINE vector update_adam(const numbers *step, vector g, vector theta, real *m, real *v, size_t at)
{
    vector before = load(m + at), m_i = multiply_add(broadcast(step->rest1), g - before, before);
    store(m + at, m_i);
    return descend(step, m_i, mean_square(step, g, v, at), theta);
}

/* before: the sign of the gradient before, or 0 where that has been taken back; delta: 0 before the first step */
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

INLINE void sweep(update *moved, const REAL(bp_method_rows) * rows, const numbers *step)
{
    /* copies, so that the compiler knows that no store changes them */
    const numbers s = *step;
    const REAL(bp_method_rows) r = *rows;
    int penalized = s.decay != 0 || s.l1 != 0 || s.shrinkage != 0;
    for (size_t i = 0, row = 0; i < r.m; i++, row += r.ld) {
        const real *direction = r.direction + i * r.direction_ld;
        vector scale = broadcast(r.g ? r.scale * r.g[i] : r.scale);
        for (size_t j = 0, at = row; j < r.n; j += LANES, at += LANES) {
            vector theta = load(r.theta + at), g = scale * load(direction + j);
            if (penalized) {
                g = multiply_add(broadcast(s.l1), sign(theta), multiply_add(broadcast(s.decay), theta, g));
                theta = multiply_add(broadcast(-s.shrinkage), theta, theta);
            }
            store(r.theta + at, moved(&s, g, theta, r.first, r.second, at));
        }
    }
}

void NATIVE(bp_method)(bp_method method, const REAL(bp_method_step) * step, const REAL(bp_method_rows) * rows)
{
    switch (method) {
    case BP_METHOD_MOMENTUM:
        sweep(update_momentum, rows, step);
        break;
    case BP_METHOD_NESTEROV:
        sweep(update_nesterov, rows, step);
        break;
    case BP_METHOD_ADAGRAD:
        sweep(update_adagrad, rows, step);
        break;
    case BP_METHOD_RMSPROP:
        sweep(update_rmsprop, rows, step);
        break;
    case BP_METHOD_ADAM:
    case BP_METHOD_ADAMW:
        sweep(update_adam, rows, step);
        break;
    case BP_METHOD_IRPROP_MINUS:
        sweep(update_irprop_minus, rows, step);
        break;
    default:
        sweep(update_sgd, rows, step);
    }
}

/* As many elements of a vector as make a vector of doubles, and these. */
enum { PARTS = sizeof(double) / sizeof(real), PART = LANES / PARTS };
typedef real part __attribute__((vector_size(PART * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef double doubles __attribute__((vector_size(PART * sizeof(double))));

double NATIVE(bp_clip)(size_t n, real limit, real *x)
{
    int clips = limit < (real)INFINITY;
    doubles sums[PARTS] = {{0}};
    for (size_t i = 0; i < n; i += LANES) {
        if (clips) {
            vector x_i = load(x + i);
            store(x + i, choose(x_i > limit, broadcast(limit), choose(x_i < -limit, broadcast(-limit), x_i)));
        }
        for (size_t p = 0; p < PARTS; p++) {
            doubles element = __builtin_convertvector(*(const part *)(x + i + p * PART), doubles);
            sums[p] += element * element;
        }
    }
    double total = 0;
    for (size_t i = 0; i < LANES; i++) {
        total += sums[i / PART][i % PART];
    }
    return total;
}
