/*
 * Each loss: its value for one sample, summed over the outputs in double precision, and beside it its error signal −∂L/∂y. The
 * cross-entropies are computed from e and have −∂L/∂e as well.
 */
#include "kernel/reference.h"

#include "kernel/kernel.h"

#include <tgmath.h>

/* ½ Σ d², d = z − y */
static double mse(size_t n, const real *e, const real *y, const real *z)
{
    (void)e;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)z[i] - (double)y[i];
        sum += d * d;
    }
    return sum / 2;
}

/* z − y; for the cross-entropies this is −∂L/∂e */
static void difference(size_t n, const real *e, const real *y, const real *z, real *delta)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        delta[i] = z[i] - y[i];
    }
}

/* Σ |d| */
static double mae(size_t n, const real *e, const real *y, const real *z)
{
    (void)e;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += fabs((double)z[i] - (double)y[i]);
    }
    return sum;
}

/* sign d */
static void mae_signal(size_t n, const real *e, const real *y, const real *z, real *delta)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        delta[i] = (real)((z[i] > y[i]) - (z[i] < y[i]));
    }
}

/* Σ ½ d² where |d| ≤ 1, else |d| − ½ */
static double huber(size_t n, const real *e, const real *y, const real *z)
{
    (void)e;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)z[i] - (double)y[i]);
        sum += d <= 1 ? d * d / 2 : d - 0.5;
    }
    return sum;
}

/* d, held to [−1, 1] */
static void huber_signal(size_t n, const real *e, const real *y, const real *z, real *delta)
{
    (void)e;
    for (size_t i = 0; i < n; i++) {
        real d = z[i] - y[i];
        delta[i] = d > 1 ? 1 : d < -1 ? -1 : d;
    }
}

/* −Σ z ln σ(e) + (1 − z) ln(1 − σ(e)) = Σ max(e, 0) − e z + ln(1 + exp(−|e|)) */
static double binary_cross_entropy(size_t n, const real *e, const real *y, const real *z)
{
    (void)y;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double a = e[i];
        sum += (a < 0 ? 0 : a) - a * (double)z[i] + log1p(exp(-fabs(a)));
    }
    return sum;
}

/* z/y − (1 − z)/(1 − y) with 1/y = 1 + exp(−e), 1/(1 − y) = 1 + exp(e) */
static void binary_cross_entropy_signal(size_t n, const real *e, const real *y, const real *z, real *delta)
{
    (void)y;
    for (size_t i = 0; i < n; i++) {
        real positive = z[i] == 0 ? 0 : z[i] * (1 + exp(-e[i]));
        real negative = z[i] == 1 ? 0 : (1 - z[i]) * (1 + exp(e[i]));
        delta[i] = positive - negative;
    }
}

/* −Σ z_i ln y_i with ln y_i = e_i − max e − ln Σ exp(e_j − max e) */
static double cross_entropy(size_t n, const real *e, const real *y, const real *z)
{
    (void)y;
    double maximum = e[0];
    for (size_t i = 1; i < n; i++) {
        maximum = e[i] > maximum ? e[i] : maximum;
    }
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        total += exp((double)e[i] - maximum);
    }
    double log_total = log(total), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)z[i] * (maximum + log_total - (double)e[i]);
    }
    return sum;
}

/* −∂L/∂e_i = z_i − y_i Σ_j z_j, which is z − y for a distribution z */
static void cross_entropy_fused(size_t n, const real *e, const real *y, const real *z, real *delta)
{
    (void)e;
    real total = 0;
    for (size_t i = 0; i < n; i++) {
        total += z[i];
    }
    for (size_t i = 0; i < n; i++) {
        delta[i] = z[i] - y[i] * total;
    }
}

typedef void signal(size_t n, const real *e, const real *y, const real *z, real *delta);

static const struct {
    double (*value)(size_t n, const real *e, const real *y, const real *z);
    signal *by_output; /* −∂L/∂y; none for cross-entropy: softmax, which it needs, is not for the error-signal rule */
    signal *by_sum;    /* −∂L/∂e, where there is a simpler formula */
} losses[] = {
    [BP_LOSS_MSE] = {mse, difference, NULL},
    [BP_LOSS_MAE] = {mae, mae_signal, NULL},
    [BP_LOSS_HUBER] = {huber, huber_signal, NULL},
    [BP_LOSS_BINARY_CROSS_ENTROPY] = {binary_cross_entropy, binary_cross_entropy_signal, difference},
    [BP_LOSS_CROSS_ENTROPY] = {cross_entropy, NULL, cross_entropy_fused},
};

double REAL(bp_loss_reference)(bp_loss loss, bool local, size_t batch, size_t n, const real *e, const real *y, const real *target,
                               const real *weights, real *delta)
{
    signal *of_sample = local ? losses[loss].by_sum : losses[loss].by_output;
    double sum = 0;
    for (size_t s = 0; s < batch * n; s += n) {
        real weight = weights ? weights[s / n] : 1;
        sum += (double)weight * losses[loss].value(n, e + s, y + s, target + s);
        of_sample(n, e + s, y + s, target + s, delta + s);
        for (size_t i = 0; weights && i < n; i++) {
            delta[s + i] *= weight;
        }
    }
    for (size_t i = 0; i < batch * n; i++) {
        sum += (double)delta[i] * 0;
    }
    if (batch == 1) {
        REAL(bp_clear_end)(n, delta);
    }
    return sum;
}
