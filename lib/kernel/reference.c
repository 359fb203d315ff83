/* Each operation as its formula says it. */
#include "kernel/reference.h"

#include "kernel/kernel.h"

#include <tgmath.h>

/* y_i = Σ_j A_ij x_j + b_i */
static void gemv(size_t m, size_t n, const real *A, size_t lda, const real *x, const real *b, real *y)
{
    for (size_t i = 0; i < m; i++) {
        real sum = 0;
        for (size_t j = 0; j < n; j++) {
            sum += A[i * lda + j] * x[j];
        }
        y[i] = b ? sum + b[i] : sum;
    }
}

/* y_j = Σ_i A_ij x_i */
static void gemv_t(size_t m, size_t n, const real *A, size_t lda, const real *x, real *y)
{
    for (size_t j = 0; j < n; j++) {
        y[j] = 0;
    }
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            y[j] += A[i * lda + j] * x[i];
        }
    }
}

/* A_ij = A_ij + alpha x_i z_j */
static void ger(size_t m, size_t n, real alpha, const real *x, const real *z, real *A, size_t lda)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            A[i * lda + j] += alpha * x[i] * z[j];
        }
    }
}

void REAL(bp_axpy_reference)(size_t n, real alpha, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += alpha * x[i];
    }
}

/* C_ij = alpha Σ_l op(A)_il op(B)_lj + beta C_ij */
static void gemm(bp_transpose transpose_a, bp_transpose transpose_b, size_t m, size_t n, size_t k, real alpha, const real *A, size_t lda,
                 const real *B, size_t ldb, real beta, real *C, size_t ldc)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            real sum = 0;
            for (size_t l = 0; l < k; l++) {
                real a = transpose_a == BP_TRANSPOSE ? A[l * lda + i] : A[i * lda + l];
                real b = transpose_b == BP_TRANSPOSE ? B[j * ldb + l] : B[l * ldb + j];
                sum += a * b;
            }
            real *c = &C[i * ldc + j];
            *c = beta == 0 ? alpha * sum : alpha * sum + beta * *c;
        }
    }
}

void REAL(bp_scale_reference)(size_t n, const real *x, const real *offset, const real *scale, real *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = offset ? (x[i] - offset[i]) * scale[i] : x[i];
    }
    REAL(bp_clear_end)(n, y);
}

static void update_bias(const bp_layer_step *layer, real alpha)
{
    if (layer->b) {
        REAL(bp_axpy_reference)(layer->m, alpha, layer->g, layer->b);
    }
}

static void gemv_activation(const bp_layer_step *layer)
{
    gemv(layer->m, layer->n, layer->A, layer->lda, layer->x, layer->b, layer->e);
    REAL(bp_activation_reference)(layer->f, 1, layer->m, layer->e, layer->y);
    REAL(bp_clear_end)(layer->m, layer->e);
    REAL(bp_clear_end)(layer->m, layer->y);
}

static void gemv_t_ger(const bp_layer_step *layer, real alpha, const bp_layer_step *before, real *delta_prev)
{
    if (delta_prev) {
        gemv_t(layer->m, layer->n, layer->A, layer->lda, layer->g, delta_prev);
        if (before) {
            REAL(bp_local_gradient_reference)(before->f, 1, layer->n, before->e, before->y, delta_prev, delta_prev);
        }
        REAL(bp_clear_end)(layer->n, delta_prev);
    }
    ger(layer->m, layer->n, alpha, layer->g, layer->x, layer->A, layer->lda);
    update_bias(layer, alpha);
}

static void ger_gemv_activation(const bp_layer_step *layer, real alpha, const real *z)
{
    ger(layer->m, layer->n, alpha, layer->g, z, layer->A, layer->lda);
    update_bias(layer, alpha);
    gemv_activation(layer);
}

static real sign(real value)
{
    return (real)((value > 0) - (value < 0));
}

/* v = β₂ v + (1 − β₂) g². It is kept finite, for infinity would be NaN in the next step; what it is in this one is returned. */
static real mean_square(const REAL(bp_method_step) * step, real g, real *v)
{
    real now = *v + step->rest2 * (g * g - *v);
    *v = now > REAL_MAX ? REAL_MAX : now;
    return now;
}

/* What one element becomes, with its gradient g; the formulas are in bp/optimizer.h. */
static real moved(bp_method method, const REAL(bp_method_step) * step, real g, real theta, real *first, real *second)
{
    switch (method) {
    case BP_METHOD_MOMENTUM:
        *first = step->momentum * *first + g;
        return theta - step->learning_rate * *first;
    case BP_METHOD_NESTEROV:
        *first = step->momentum * *first + g;
        return theta - step->learning_rate * (g + step->momentum * *first);
    case BP_METHOD_ADAGRAD:
        *first += g * g;
        return theta - step->learning_rate * g / (sqrt(*first) + step->epsilon);
    case BP_METHOD_RMSPROP:
        return theta - step->learning_rate * g / (sqrt(mean_square(step, g, first)) + step->epsilon);
    case BP_METHOD_ADAM:
    case BP_METHOD_ADAMW:
        *first += step->rest1 * (g - *first);
        return theta - step->learning_rate * *first / (sqrt(mean_square(step, g, second)) + step->epsilon);
    case BP_METHOD_IRPROP_MINUS: {
        real turned = sign(g) * *first, delta = *second > 0 ? *second : step->learning_rate;
        delta *= turned > 0 ? step->increase : turned < 0 ? step->decrease : 1;
        *second = delta < step->minimum ? step->minimum : delta > step->maximum ? step->maximum : delta;
        *first = turned < 0 ? 0 : sign(g);
        return theta - *first * *second;
    }
    default: /* stochastic gradient descent */
        return theta - step->learning_rate * g;
    }
}

void REAL(bp_method_reference)(bp_method method, const REAL(bp_method_step) * step, const REAL(bp_method_rows) * rows)
{
    for (size_t i = 0; i < rows->m; i++) {
        for (size_t j = 0; j < rows->n; j++) {
            size_t at = i * rows->ld + j;
            real *theta = rows->theta + at, scale = rows->g ? rows->scale * rows->g[i] : rows->scale;
            real g = scale * rows->direction[i * rows->direction_ld + j] + step->decay * *theta + step->l1 * sign(*theta);
            *theta -= step->shrinkage * *theta;
            *theta = moved(method, step, g, *theta, rows->first ? rows->first + at : NULL, rows->second ? rows->second + at : NULL);
        }
    }
}

double REAL(bp_clip_reference)(size_t n, real limit, real *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] > limit ? limit : x[i] < -limit ? -limit : x[i];
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

const REAL(bp_kernel_table) REAL(bp_kernel_reference) = {
    .name = "reference",
    .divisible = true,
    .gemv = gemv,
    .gemv_t = gemv_t,
    .ger = ger,
    .axpy = REAL(bp_axpy_reference),
    .gemm = gemm,
    .activation = REAL(bp_activation_reference),
    .local_gradient = REAL(bp_local_gradient_reference),
    .loss = REAL(bp_loss_reference),
    .scale = REAL(bp_scale_reference),
    .gemv_activation = gemv_activation,
    .gemv_t_ger = gemv_t_ger,
    .ger_gemv_activation = ger_gemv_activation,
    .method = REAL(bp_method_reference),
    .clip = REAL(bp_clip_reference),
};
