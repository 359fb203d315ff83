/* Layers by themselves, and those that nets lend. */
#include "fuzz/api.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct layer_slot {
    bp_layer *layer;
    bool f64, is_ready;
    size_t n_inputs, n_outputs;
    bp_activation activation;
    int bias;
    net_slot *net; /* that lends it; NULL: none */
} layer_slot;

static layer_slot layers[LAYERS];

void clear_layers(void)
{
    for (int i = 0; i < LAYERS; i++) {
        bp_layer_destroy(layers[i].layer);
        layers[i] = (layer_slot){0};
    }
}

/* One of the layers made here, or of a net's. */
static layer_slot take_layer(void)
{
    unsigned byte = take();
    if (byte >= 0xF8) {
        return (layer_slot){0};
    }
    if (byte % 4 < LAYERS) {
        return layers[byte % 4];
    }
    net_slot *n = &nets[byte / 4 % NETS];
    size_t l = n->n_layers ? byte / 16 % n->n_layers : 0;
    layer_slot borrowed = {0};
    if (n->n_layers && !n->giant) {
        UNTYPED(0, 0, bp_net_layer, n->net, l, &borrowed.layer);
        borrowed.f64 = n->f64;
        borrowed.is_ready = n->identity;
        borrowed.n_inputs = l ? n->layers[l - 1].n_units : n->n_inputs;
        borrowed.n_outputs = n->layers[l].n_units;
        borrowed.activation = n->layers[l].activation;
        borrowed.bias = n->layers[l].bias;
        borrowed.net = n;
    }
    check(bp_layer_input_count(borrowed.layer) == borrowed.n_inputs, "that a lent layer has its inputs");
    return borrowed;
}

static unsigned wrong_layer(const layer_slot *l, bool f64)
{
    return IF(!l->layer, BP_ERROR_ARGUMENT) | IF(l->layer && l->f64 != f64, BP_ERROR_DTYPE) | IF(l->layer && !l->is_ready, BP_ERROR_STATE);
}

void call_layer_create(void)
{
    layer_slot *l = &layers[take() % LAYERS];
    int dtype = take_enum(BP_F32, 2), activation = take_enum(BP_ACTIVATION_IDENTITY, BP_ACTIVATION_SOFTMAX + 1);
    unsigned odd = take_odd();
    size_t n_inputs = take_size(MOST_UNITS), n_outputs = take_size(MOST_UNITS);
    int bias = odd == 3 ? 2 : n_outputs % 2 != 0;
    bp_layer *made = NULL;
    bp_layer_destroy(l->layer);
    *l = (layer_slot){0};
    unsigned wrong = IF(dtype < BP_F32 || dtype > BP_F64 || activation < 0 || activation > BP_ACTIVATION_SOFTMAX || odd == ODD_NULL ||
                            n_inputs < 1 || n_inputs > MOST_UNITS || n_outputs < 1 || n_outputs > MOST_UNITS || bias > 1,
                        BP_ERROR_ARGUMENT);
    if (UNTYPED(wrong, 0, bp_layer_create, odd == ODD_NULL ? NULL : &made, (bp_dtype)dtype, n_inputs, n_outputs, (bp_activation)activation,
                bias)) {
        *l = (layer_slot){.layer = made,
                          .f64 = dtype == BP_F64,
                          .is_ready = true,
                          .n_inputs = n_inputs,
                          .n_outputs = n_outputs,
                          .activation = (bp_activation)activation,
                          .bias = bias};
    }
    check(bp_layer_dtype(l->layer) == (l->layer ? (bp_dtype)dtype : (bp_dtype)0) && bp_layer_has_bias(l->layer) == l->bias,
          "that a layer is as it was made");
}

void call_layer_set_weights(void)
{
    layer_slot l = take_layer();
    unsigned odd = take_odd();
    bool f64 = l.f64 ^ (odd == ODD_DTYPE), gives_bias = odd == 4 || l.bias;
    size_t n = l.n_outputs * l.n_inputs;
    void *W = odd == ODD_NULL ? NULL : take_numbers(f64, n, NULL),
         *b = odd == 3 || !gives_bias ? NULL : take_numbers(f64, l.n_outputs, NULL);
    unsigned wrong = wrong_layer(&l, f64) | IF(b && !l.bias, BP_ERROR_ARGUMENT) |
                     IF((W && !all_finite(f64, W, n)) || (b && !all_finite(f64, b, l.n_outputs)), BP_ERROR_NONFINITE);
    if (TYPED(f64, wrong, 0, bp_layer_set_weights, l.layer, W, b)) {
        void *W_kept = room(f64, n), *b_kept = b ? room(f64, l.n_outputs) : NULL;
        TYPED(f64, 0, 0, bp_layer_get_weights, l.layer, W_kept, b_kept);
        check((!W || memcmp(W, W_kept, n * element(f64)) == 0) && (!b || memcmp(b, b_kept, l.n_outputs * element(f64)) == 0),
              "that weights are what was set");
        if (l.net) {
            read_parameters(l.net);
        }
    }
}

/* W x + b, plainly; whether all of it is so small that rounding is. */
static bool sums(const layer_slot *l, const void *x, double *e)
{
    size_t n = l->n_outputs * l->n_inputs;
    void *W = scratch(n * element(l->f64)), *b = l->bias ? scratch(l->n_outputs * element(l->f64)) : NULL;
    TYPED(l->f64, 0, 0, bp_layer_get_weights, l->layer, W, b);
    bool small = true;
    for (size_t i = 0; i < l->n_outputs; i++) {
        e[i] = b ? number_at(l->f64, b, i) : 0;
        small = small && fabs(e[i]) < 10;
        for (size_t k = 0; k < l->n_inputs; k++) {
            double w = number_at(l->f64, W, i * l->n_inputs + k), xk = number_at(l->f64, x, k);
            e[i] += w * xk;
            small = small && fabs(w) < 10 && fabs(xk) < 10;
        }
    }
    return small;
}

void call_layer_run(void)
{
    layer_slot l = take_layer();
    unsigned odd = take_odd();
    bool f64 = l.f64 ^ (odd == ODD_DTYPE);
    void *x = take_numbers(f64, l.n_inputs, NULL), *delta = take_numbers(f64, l.n_outputs, NULL);
    void *e = room(f64, l.n_outputs), *y = odd == 3 ? e : room(f64, l.n_outputs), *g = room(f64, l.n_outputs),
         *delta_prev = room(f64, l.n_inputs);
    unsigned wrong = wrong_layer(&l, f64);
    if (!TYPED(f64, wrong | IF(odd == ODD_NULL, BP_ERROR_ARGUMENT), 0, bp_layer_forward, l.layer, odd == ODD_NULL ? NULL : x, e, y)) {
        check(is_untouched(f64, e, l.n_outputs) && is_untouched(f64, y, l.n_outputs), "that a failed call writes nothing");
        return;
    }
    double *plain = scratch(l.n_outputs * sizeof *plain), epsilon = f64 ? DBL_EPSILON : (double)FLT_EPSILON;
    if (sums(&l, x, plain) && y != e) {
        for (size_t i = 0; i < l.n_outputs; i++) {
            check(fabs(number_at(f64, e, i) - plain[i]) <= 100 * epsilon * 100 * (double)(l.n_inputs + 1), "that a layer sums");
        }
    }
    TYPED(f64, 0, 0, bp_layer_local_gradient, l.layer, delta, e, g);
    TYPED(f64, 0, 0, bp_layer_backward, l.layer, delta, delta_prev);
    TYPED(f64, 0, 0, bp_layer_local_gradient, l.layer, delta, e, delta);
    check(same_numbers(f64, g, delta, l.n_outputs), "that a local gradient may take the place of delta");
}

/* W + eta g xᵀ with the g of bp_layer_local_gradient. */
void call_layer_update(void)
{
    layer_slot l = take_layer();
    unsigned odd = take_odd();
    bool f64 = l.f64 ^ (odd == ODD_DTYPE), tame[3];
    double eta = take_number();
    eta = f64 ? eta : (double)(float)eta;
    size_t n = l.n_outputs * l.n_inputs;
    void *delta = take_numbers(f64, l.n_outputs, &tame[0]), *e = take_numbers(f64, l.n_outputs, &tame[1]),
         *x = take_numbers(f64, l.n_inputs, &tame[2]);
    void *g = room(f64, l.n_outputs), *before = room(f64, n), *after = room(f64, n);
    unsigned wrong = wrong_layer(&l, f64);
    bool is_wrong = wrong || odd == ODD_NULL;
    if (!is_wrong) {
        TYPED(f64, 0, 0, bp_layer_get_weights, l.layer, before, NULL);
        TYPED(f64, 0, 0, bp_layer_local_gradient, l.layer, delta, e, g);
    }
    wrong |= IF(odd == ODD_NULL || !isfinite(eta), BP_ERROR_ARGUMENT);
    const void *given = odd == ODD_NULL ? NULL : x;
    bool done = f64 ? returned("bp_layer_update_f64", bp_layer_update_f64(l.layer, eta, delta, e, given), wrong, 0)
                    : returned("bp_layer_update_f32", bp_layer_update_f32(l.layer, (float)eta, delta, e, given), wrong, 0);
    if (!done) {
        return;
    }
    if (l.net) {
        read_parameters(l.net);
    }
    TYPED(f64, 0, 0, bp_layer_get_weights, l.layer, after, NULL);
    double epsilon = f64 ? DBL_EPSILON : (double)FLT_EPSILON, least = f64 ? DBL_MIN : (double)FLT_MIN;
    for (size_t i = 0; tame[0] && tame[1] && tame[2] && fabs(eta) < 100 && i < n; i++) {
        double was = number_at(f64, before, i), change = eta * number_at(f64, g, i / l.n_inputs) * number_at(f64, x, i % l.n_inputs);
        check(!(fabs(was) < 1e6) || fabs(number_at(f64, after, i) - was - change) <= 100 * epsilon * (fabs(was) + fabs(eta)) + least,
              "that a layer moves by its gradient");
    }
}
