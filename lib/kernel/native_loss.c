/*
 * Each loss on vectors: its value for an output, beside it its error signal −∂L/∂y, and −∂L/∂e for the cross-entropies, which are computed
 * from e. Comparisons are written so that NaN takes the branch that keeps it.
 */
#include "kernel/native.h"
#include "kernel/vector_math.h"

/* ½ d², d = z − y */
static vector mse(vector e, vector y, vector z)
{
    (void)e;
    vector d = z - y;
    return (real)0.5 * d * d;
}

/* z − y; for the cross-entropies this is −∂L/∂e */
static vector difference(vector e, vector y, vector z)
{
    (void)e;
    return z - y;
}

/* |d| */
static vector mae(vector e, vector y, vector z)
{
    (void)e;
    return absolute(z - y);
}

/* sign d */
static vector mae_signal(vector e, vector y, vector z)
{
    (void)e;
    return choose(z > y, broadcast(1), choose(z < y, broadcast(-1), broadcast(0)));
}

/* ½ d² where |d| ≤ 1, else |d| − ½ */
static vector huber(vector e, vector y, vector z)
{
    (void)e;
    vector d = absolute(z - y);
    return choose(d <= 1, (real)0.5 * d * d, d - (real)0.5);
}

/* d, held to [−1, 1] */
static vector huber_signal(vector e, vector y, vector z)
{
    (void)e;
    vector d = z - y;
    return choose(d > 1, broadcast(1), choose(d < -1, broadcast(-1), d));
}

/* −z ln σ(e) − (1 − z) ln(1 − σ(e)) = max(e, 0) − e z + ln(1 + exp(−|e|)) */
static vector binary_cross_entropy(vector e, vector y, vector z)
{
    (void)y;
    return choose(e < 0, broadcast(0), e) - e * z + vector_log1p(vector_exp(-absolute(e)));
}

/* z/y − (1 − z)/(1 − y) with 1/y = 1 + exp(−e), 1/(1 − y) = 1 + exp(e) */
static vector binary_cross_entropy_signal(vector e, vector y, vector z)
{
    (void)y;
    return choose(z == 0, broadcast(0), z * (1 + vector_exp(-e))) - choose(z == 1, broadcast(0), (1 - z) * (1 + vector_exp(e)));
}

typedef vector of_output(vector e, vector y, vector z);

static const struct {
    of_output *value;
    of_output *by_output; /* −∂L/∂y */
    of_output *by_sum;    /* −∂L/∂e, where there is a simpler formula */
} losses[] = {
    [BP_LOSS_MSE] = {mse, difference, NULL},
    [BP_LOSS_MAE] = {mae, mae_signal, NULL},
    [BP_LOSS_HUBER] = {huber, huber_signal, NULL},
    [BP_LOSS_BINARY_CROSS_ENTROPY] = {binary_cross_entropy, binary_cross_entropy_signal, difference},
};

/* The sum over n outputs; NaN if a delta is not finite. whole: delta has room for whole vectors. */
INLINE double elementwise(of_output *value, of_output *signal, size_t n, const real *e, const real *y, const real *z, real *delta,
                          bool whole)
{
    vector total = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vector e_i = load(e + i), y_i = load(y + i), z_i = load(z + i), d = signal(e_i, y_i, z_i);
        total += value(e_i, y_i, z_i) + d * 0;
        store(delta + i, d);
    }
    if (i < n) {
        vector e_i = load_partial(e + i, n - i), y_i = load_partial(y + i, n - i), z_i = load_partial(z + i, n - i);
        vector d = keep_below(signal(e_i, y_i, z_i), n - i);
        total += keep_below(value(e_i, y_i, z_i), n - i) + d * 0;
        if (whole) {
            store(delta + i, d);
        } else {
            store_partial(delta + i, d, n - i);
        }
    }
    return (double)sum(total);
}

/* −Σ z_i ln y_i with ln y_i = e_i − max e − ln Σ exp(e_j − max e), and −∂L/∂e_i = z_i − y_i Σ z_j, which is z − y for a distribution z */
static double cross_entropy(size_t n, const real *e, const real *y, const real *z, real *delta, bool whole)
{
    real maximum = e[0];
    for (size_t i = 1; i < n; i++) {
        maximum = e[i] > maximum ? e[i] : maximum;
    }
    vector exponentials = {0}, targets = {0};
    for (size_t i = 0; i < n; i += LANES) {
        size_t rest = at_most(LANES, n - i);
        vector t = vector_exp(keep_below(load_partial(e + i, rest) - maximum, rest)); /* else lanes that stand for no e may overflow */
        exponentials += rest < LANES ? keep_below(t, rest) : t;
        targets += load_partial(z + i, rest);
    }
    real logarithm = maximum + (real)log((double)sum(exponentials)), sum_z = sum(targets);
    vector total = {0};
    for (size_t i = 0; i < n; i += LANES) {
        size_t rest = at_most(LANES, n - i);
        vector z_i = load_partial(z + i, rest), d = z_i - load_partial(y + i, rest) * sum_z;
        total += z_i * (logarithm - load_partial(e + i, rest)) + d * 0;
        if (whole || rest == LANES) {
            store(delta + i, d);
        } else {
            store_partial(delta + i, d, rest);
        }
    }
    return (double)sum(total);
}

/* One sample by any loss but cross_entropy's. */
SEPARATE double loss_of(bp_loss loss, bool local, size_t n, const real *e, const real *y, const real *z, real *delta, bool whole)
{
    return elementwise(losses[loss].value, local ? losses[loss].by_sum : losses[loss].by_output, n, e, y, z, delta, whole);
}

/* A sample's loss, and its delta, times its weight. */
SEPARATE double weigh(size_t n, real weight, double value, real *delta)
{
    value *= (double)weight;
    for (size_t i = 0; i < n; i++) {
        delta[i] *= weight;
        value += (double)delta[i] * 0;
    }
    return value;
}

double NATIVE(bp_loss)(bp_loss loss, bool local, size_t batch, size_t n, const real *e, const real *y, const real *target,
                       const real *weights, real *delta)
{
    bool whole = batch == 1;
    double total = 0;
    for (size_t s = 0; s < batch * n; s += n) {
        double value;
        if (loss == BP_LOSS_MSE) { /* inlined, for it may be most of a small net's work */
            value = elementwise(mse, difference, n, e + s, y + s, target + s, delta + s, whole);
        } else if (loss == BP_LOSS_CROSS_ENTROPY) {
            value = cross_entropy(n, e + s, y + s, target + s, delta + s, whole);
        } else {
            value = loss_of(loss, local, n, e + s, y + s, target + s, delta + s, whole);
        }
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): n is 1 at least */
        total += weights ? weigh(n, weights[s / n], value, delta + s) : value;
    }
    return total;
}
