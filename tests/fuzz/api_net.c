/* Building nets and looking into them. */
#include "fuzz/api.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the model ---- */

size_t output_count(const net_slot *n)
{
    return n->n_layers ? n->layers[n->n_layers - 1].n_units : n->n_inputs;
}

unsigned dropout_bits(const net_slot *n)
{
    unsigned bits = 0;
    for (size_t l = 0; l < n->n_layers && l < MOST_LAYERS; l++) {
        bits |= (unsigned)(n->layers[l].dropout > 0) << l;
    }
    return bits;
}

unsigned new_identity(void)
{
    static unsigned latest;
    return ++latest;
}

void *copy_of(const void *numbers, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);
    check(copy, "that there is memory");
    return numbers ? memcpy(copy, numbers, bytes) : copy;
}

static size_t layer_parameters(const net_slot *n, size_t l)
{
    size_t n_inputs = l ? n->layers[l - 1].n_units : n->n_inputs;
    return n->layers[l].n_units * (n_inputs + (size_t)n->layers[l].bias);
}

/* The net has its shape: room for its parameters. */
static void model_shape(net_slot *n)
{
    n->identity = new_identity();
    n->n_parameters = 0;
    for (size_t l = 0; l < n->n_layers; l++) {
        n->n_parameters += layer_parameters(n, l);
    }
    n->theta = copy_of(NULL, n->n_parameters * element(n->f64));
}

static void get_parameters(const net_slot *n, void *theta)
{
    TYPED(n->f64, 0, 0, bp_net_get_parameters, n->net, theta);
}

void read_parameters(net_slot *n)
{
    get_parameters(n, n->theta);
}

void check_parameters(const net_slot *n)
{
    if (n->net && n->identity) {
        size_t bytes = n->n_parameters * element(n->f64);
        void *theta = scratch(bytes);
        get_parameters(n, theta);
        check(memcmp(theta, n->theta, bytes) == 0, "that only what is to change parameters changes them");
    }
}

void check_frozen(const net_slot *n, const void *before)
{
    size_t at = 0;
    for (size_t l = 0; l < n->n_layers; l++) {
        size_t bytes = layer_parameters(n, l) * element(n->f64);
        check(!n->layers[l].frozen || memcmp((const char *)n->theta + at, (const char *)before + at, bytes) == 0,
              "that a frozen layer stays");
        at += bytes;
    }
}

static void release_scaling(scaling *s)
{
    free(s->offset);
    free(s->scale);
    *s = (scaling){0};
}

static scaling copy_scaling(const scaling *s, size_t bytes)
{
    return s->offset ? (scaling){copy_of(s->offset, bytes), copy_of(s->scale, bytes)} : (scaling){0};
}

void model_copy(net_slot *copy, const net_slot *n, bp_net *made, bool trains)
{
    *copy = *n;
    copy->net = made;
    copy->users = 0;
    copy->input = copy_scaling(&n->input, n->n_inputs * element(n->f64));
    copy->output = copy_scaling(&n->output, output_count(n) * element(n->f64));
    copy->theta = NULL;
    if (n->identity) {
        model_shape(copy);
        memcpy(copy->theta, n->theta, n->n_parameters * element(n->f64));
    }
    if (!trains) {
        copy->noise = 0;
        for (size_t l = 0; l < n->n_layers; l++) {
            copy->layers[l].dropout = 0;
            copy->layers[l].frozen = 0;
        }
    }
}

bool clear_net(net_slot *n)
{
    if (n->users) {
        return false;
    }
    bp_net_destroy(n->net);
    free(n->theta);
    release_scaling(&n->input);
    release_scaling(&n->output);
    *n = (net_slot){0};
    return true;
}

static void check_scaling(const net_slot *n, const scaling *s, size_t count, bool is_output)
{
    void *offset = scratch(count * element(n->f64)), *scale = scratch(count * element(n->f64));
    if (is_output) {
        TYPED(n->f64, 0, 0, bp_net_get_output_scaling, n->net, offset, scale);
    } else {
        TYPED(n->f64, 0, 0, bp_net_get_input_scaling, n->net, offset, scale);
    }
    for (size_t i = 0; i < count; i++) {
        check(number_at(n->f64, offset, i) == (s->offset ? number_at(n->f64, s->offset, i) : 0) &&
                  number_at(n->f64, scale, i) == (s->scale ? number_at(n->f64, s->scale, i) : 1),
              "that a scaling is what was set");
    }
}

void check_net(const net_slot *n)
{
    const bp_net *net = n->net;
    check(bp_net_dtype(net) == (net ? n->f64 ? BP_F64 : BP_F32 : (bp_dtype)0) && bp_net_rule(net) == n->rule,
          "that a net has its type and rule");
    check(bp_net_input_count(net) == n->n_inputs && bp_net_layer_count(net) == n->n_layers && bp_net_output_count(net) == output_count(n),
          "that a net has its sizes");
    check(bp_net_is_initialized(net) == (n->identity != 0), "that a net is initialized or not");
    check(bp_net_has_input_scaling(net) == (n->input.offset != NULL) && bp_net_has_output_scaling(net) == (n->output.offset != NULL),
          "that a net scales or not");
    check(bp_net_input_noise(net) == n->noise, "that the noise is what was set");
    size_t n_parameters = 0;
    for (size_t l = 0; l < n->n_layers; l++) {
        const net_layer *expected = &n->layers[l];
        bp_layer *layer = NULL;
        UNTYPED(0, 0, bp_net_layer, n->net, l, &layer);
        check(bp_net_dropout(net, l) == expected->dropout && bp_net_is_frozen(net, l) == expected->frozen,
              "that dropout and freezing are what was set");
        check(bp_layer_output_count(layer) == expected->n_units && bp_layer_activation(layer) == expected->activation &&
                  bp_layer_has_bias(layer) == expected->bias,
              "that layers are as they were added");
        n_parameters += layer_parameters(n, l);
    }
    check(bp_net_dropout(net, n->n_layers) == 0 && bp_net_is_frozen(net, n->n_layers) == 0, "that there are no more layers");
    check(bp_net_parameter_count(net) == n_parameters, "that parameters are counted");
    if (net && !n->giant) {
        check_scaling(n, &n->input, n->n_inputs, false);
        check_scaling(n, &n->output, output_count(n), true);
        check_labels(n);
    }
}

void check_same_predictions(const net_slot *a, const net_slot *b)
{
    enum { SAMPLES = 3 };
    size_t bytes = SAMPLES * output_count(a) * element(a->f64);
    void *x = take_numbers(a->f64, SAMPLES * a->n_inputs, NULL), *y[2] = {scratch(bytes), scratch(bytes)};
    for (int i = 0; i < 2; i++) {
        const net_slot *n = i ? b : a;
        bp_workspace *ws = NULL;
        UNTYPED(0, 0, bp_workspace_create, &ws, n->net, SAMPLES);
        TYPED(n->f64, 0, 0, bp_net_predict, n->net, ws, SAMPLES, x, y[i]);
        bp_workspace_destroy(ws);
    }
    check(same_numbers(a->f64, y[0], y[1], SAMPLES * output_count(a)), "that a copy answers the same");
}

/* ---- build ---- */

void call_net_create(void)
{
    net_slot *n = &nets[take() % NETS];
    int dtype = take_enum(BP_F32, 2);
    unsigned odd = take_odd();
    size_t n_inputs = odd == 3 ? (size_t)1 << 30 : take_size(MOST_UNITS);
    bp_net *net = NULL;
    unsigned wrong =
        IF((dtype != BP_F32 && dtype != BP_F64) || odd == ODD_NULL || n_inputs < 1 || n_inputs > (size_t)1 << 30, BP_ERROR_ARGUMENT);
    if (!clear_net(n)) {
        return;
    }
    if (UNTYPED(wrong, 0, bp_net_create, odd == ODD_NULL ? NULL : &net, (bp_dtype)dtype, n_inputs)) {
        *n = (net_slot){
            .net = net, .f64 = dtype == BP_F64, .giant = n_inputs > MOST_UNITS, .n_inputs = n_inputs, .input_names = -1, .class_names = -1};
    } else {
        check(!net, "that a failed call makes nothing");
    }
}

void call_net_add_dense(void)
{
    net_slot *n = take_net();
    int activation = take_enum(BP_ACTIVATION_IDENTITY, BP_ACTIVATION_SOFTMAX + 1);
    unsigned odd = take_odd();
    size_t n_units = odd == 3 ? (size_t)1 << 30 : take_size(MOST_UNITS);
    int bias = odd == 4 ? -1 : odd == 5 ? 2 : n_units % 4 != 0;
    if (n->n_layers == MOST_LAYERS) {
        return;
    }
    size_t rows = (output_count(n) + 31) / 16 * 16; /* what a row can have at most, in elements */
    bool too_large = n->net && n_units <= (size_t)1 << 30 && (double)rows * (double)n_units * (double)element(n->f64) > 9e18;
    unsigned wrong = IF(!n->net || activation < 0 || activation > BP_ACTIVATION_SOFTMAX || bias < 0 || bias > 1 || n_units < 1 ||
                            n_units > (size_t)1 << 30 || too_large,
                        BP_ERROR_ARGUMENT) |
                     IF(n->identity, BP_ERROR_STATE) |
                     IF(n->n_layers && n->layers[n->n_layers - 1].activation == BP_ACTIVATION_SOFTMAX, BP_ERROR_UNSUPPORTED);
    /* a net of several such layers is too large as well */
    unsigned may = IF(n->giant && n_units > MOST_UNITS, BP_ERROR_ARGUMENT);
    if (UNTYPED(wrong, may, bp_net_add_dense, n->net, n_units, (bp_activation)activation, bias)) {
        n->layers[n->n_layers++] = (net_layer){.n_units = n_units, .activation = (bp_activation)activation, .bias = bias};
        n->giant = n->giant || n_units > MOST_UNITS;
    }
    check_net(n);
}

void call_net_initialize(void)
{
    net_slot *n = take_net();
    int initializer = take_enum(BP_INITIALIZER_ZEROS, BP_INITIALIZER_LECUN_NORMAL + 1);
    uint64_t seed = take_seed();
    if (n->giant) {
        return;
    }
    unsigned wrong = IF(!n->net || initializer < 0 || initializer > BP_INITIALIZER_LECUN_NORMAL, BP_ERROR_ARGUMENT) |
                     IF(n->net && n->n_layers == 0, BP_ERROR_STATE);
    if (UNTYPED(wrong, 0, bp_net_initialize, n->net, (bp_initializer)initializer, seed)) {
        if (!n->identity) {
            model_shape(n);
        }
        read_parameters(n);
        check(all_finite(n->f64, n->theta, n->n_parameters), "that what is drawn is finite");
    }
    check_net(n);
}

void call_net_set_rule(void)
{
    net_slot *n = take_net();
    int rule = take_enum(BP_RULE_GRADIENT, 2);
    if (UNTYPED(IF(!n->net || rule < 0 || rule > 1, BP_ERROR_ARGUMENT), 0, bp_net_set_rule, n->net, (bp_rule)rule)) {
        n->rule = (bp_rule)rule;
    }
    check_net(n);
}

static bool is_invertible(bool f64, const void *scale, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double s = number_at(f64, scale, i);
        if (!isfinite(f64 ? 1 / s : (double)(1 / (float)s))) {
            return false;
        }
    }
    return true;
}

/* Of the inputs or of the outputs; how is what take_numbers makes of it. */
void call_net_set_scaling(void)
{
    net_slot *n = take_net();
    unsigned odd = take_odd(), choice = take();
    bool is_output = choice & 1, f64 = n->f64 ^ (odd == ODD_DTYPE), removes = choice % 8 >= 6;
    if (n->giant) {
        return;
    }
    size_t count = is_output ? output_count(n) : n->n_inputs;
    void *offset = removes ? NULL : take_numbers(f64, count, NULL), *scale = removes ? NULL : take_numbers(f64, count, NULL);
    if (odd == ODD_NULL) {
        scale = NULL;
    }
    unsigned wrong = IF(!n->net || !offset != !scale, BP_ERROR_ARGUMENT) | IF(n->net && n->f64 != f64, BP_ERROR_DTYPE);
    if (offset) {
        wrong |= IF(!all_finite(f64, offset, count) || (scale && !all_finite(f64, scale, count)), BP_ERROR_NONFINITE);
    }
    if (is_output) {
        wrong |= IF(n->net && !n->identity, BP_ERROR_STATE) | IF(offset && scale && !is_invertible(f64, scale, count), BP_ERROR_ARGUMENT);
    }
    bool done = is_output ? TYPED(f64, wrong, 0, bp_net_set_output_scaling, n->net, offset, scale)
                          : TYPED(f64, wrong, 0, bp_net_set_input_scaling, n->net, offset, scale);
    if (done) {
        scaling *s = is_output ? &n->output : &n->input;
        release_scaling(s);
        if (offset) {
            *s = (scaling){copy_of(offset, count * element(f64)), copy_of(scale, count * element(f64))};
        }
    }
    check_net(n);
}

void call_net_set_dropout(void)
{
    net_slot *n = take_net();
    size_t index = take() % (n->n_layers + 1);
    double probability = take_number();
    bool is_last = index + 1 == n->n_layers;
    unsigned wrong = IF(!n->net || (n->identity && index >= n->n_layers) || !(probability >= 0 && probability <= 0.99), BP_ERROR_ARGUMENT) |
                     IF(n->net && !n->identity, BP_ERROR_STATE) | IF(is_last && probability != 0, BP_ERROR_UNSUPPORTED);
    if (UNTYPED(wrong, 0, bp_net_set_dropout, n->net, index, probability)) {
        n->layers[index].dropout = probability;
    }
    check_net(n);
}

void call_net_set_noise(void)
{
    net_slot *n = take_net();
    double deviation = take_number();
    unsigned wrong = IF(!n->net || !(deviation >= 0 && deviation <= (double)FLT_MAX), BP_ERROR_ARGUMENT);
    if (UNTYPED(wrong, 0, bp_net_set_input_noise, n->net, deviation)) {
        n->noise = deviation;
    }
    check_net(n);
}

void call_net_set_frozen(void)
{
    net_slot *n = take_net();
    size_t index = take() % (n->n_layers + 1);
    int frozen = take_enum(0, 2);
    unsigned wrong = IF(!n->net || (n->identity && index >= n->n_layers) || frozen < 0 || frozen > 1, BP_ERROR_ARGUMENT) |
                     IF(n->net && !n->identity, BP_ERROR_STATE);
    if (UNTYPED(wrong, 0, bp_net_set_frozen, n->net, index, frozen)) {
        n->layers[index].frozen = frozen;
    }
    check_net(n);
}

/* ---- parameters ---- */

void call_net_set_parameters(void)
{
    net_slot *n = take_net();
    unsigned odd = take_odd();
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    void *theta = odd == ODD_NULL ? NULL : take_numbers(f64, n->n_parameters, NULL);
    unsigned wrong = IF(!n->net || !theta, BP_ERROR_ARGUMENT) | IF(n->net && n->f64 != f64, BP_ERROR_DTYPE) |
                     IF(n->net && !n->identity, BP_ERROR_STATE) | IF(theta && !all_finite(f64, theta, n->n_parameters), BP_ERROR_NONFINITE);
    if (TYPED(f64, wrong, 0, bp_net_set_parameters, n->net, theta)) {
        memcpy(n->theta, theta, n->n_parameters * element(f64));
    }
}

void call_net_get_parameters(void)
{
    net_slot *n = take_net();
    unsigned odd = take_odd();
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    void *theta = odd == ODD_NULL ? NULL : room(f64, n->n_parameters);
    unsigned wrong =
        IF(!n->net || !theta, BP_ERROR_ARGUMENT) | IF(n->net && n->f64 != f64, BP_ERROR_DTYPE) | IF(n->net && !n->identity, BP_ERROR_STATE);
    if (!TYPED(f64, wrong, 0, bp_net_get_parameters, n->net, theta)) {
        check(!theta || is_untouched(f64, theta, n->n_parameters), "that a failed call writes nothing");
    }
    check_net(n);
}

/* ---- copy and end ---- */

void call_net_clone(void)
{
    net_slot *n = take_net(), *copy = &nets[take() % NETS];
    unsigned odd = take_odd();
    bp_net *made = NULL;
    if (copy == n || !clear_net(copy)) {
        return;
    }
    if (UNTYPED(IF(!n->net || odd == ODD_NULL, BP_ERROR_ARGUMENT), 0, bp_net_clone, odd == ODD_NULL ? NULL : &made, n->net)) {
        model_copy(copy, n, made, true);
        check_net(copy);
        if (n->identity) {
            check_parameters(copy);
            check_same_predictions(n, copy);
        }
    } else {
        check(!made, "that a failed call makes nothing");
    }
}

static bool same_widths(const net_slot *a, const net_slot *b)
{
    bool same = a->n_inputs == b->n_inputs && a->n_layers == b->n_layers;
    for (size_t l = 0; same && l < a->n_layers; l++) {
        same = a->layers[l].n_units == b->layers[l].n_units && a->layers[l].bias == b->layers[l].bias;
    }
    return same;
}

void call_net_copy_parameters(void)
{
    net_slot *destination = take_net(), *source = take_net();
    bool are_there = destination->net && source->net;
    unsigned wrong = IF(!are_there, BP_ERROR_ARGUMENT);
    if (are_there) {
        wrong |= IF(!same_widths(destination, source), BP_ERROR_ARGUMENT) | IF(destination->f64 != source->f64, BP_ERROR_DTYPE) |
                 IF(!destination->identity || !source->identity, BP_ERROR_STATE);
    }
    if (UNTYPED(wrong, 0, bp_net_copy_parameters, destination->net, source->net)) {
        memmove(destination->theta, source->theta, source->n_parameters * element(source->f64));
    }
}

void call_net_destroy(void)
{
    clear_net(take_net());
}
