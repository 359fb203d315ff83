/* Workspaces, and what runs and differentiates a net. */
#include "fuzz/api.h"

#include "net/workspace.h"

#include <float.h>
#include <math.h>
#include <string.h>

unsigned wrong_workspace(const net_slot *n, const workspace_slot *w, bool f64)
{
    bool are_there = n->net && w->ws;
    return IF(!are_there, BP_ERROR_ARGUMENT) | IF(n->net && n->f64 != f64, BP_ERROR_DTYPE) |
           IF(n->net && (!n->identity || (w->ws && n->identity != w->identity)), BP_ERROR_STATE);
}

bool is_batch(const workspace_slot *w, size_t batch)
{
    return batch >= 1 && batch <= w->max_batch;
}

size_t take_batch(const workspace_slot *w)
{
    size_t most = w->max_batch ? w->max_batch : 1;
    unsigned byte = take();
    return byte >= 0xF0 ? take_size(most + 1) : 1 + byte % most;
}

/* Samples that arrays are made for: as many as are asked for, where that can be. */
static size_t samples_of(const workspace_slot *w, size_t batch)
{
    return is_batch(w, batch) ? batch : 1;
}

/* ---- workspaces ---- */

void clear_workspace(workspace_slot *w)
{
    bp_workspace_destroy(w->ws);
    *w = (workspace_slot){0};
}

static void check_workspace(const workspace_slot *w)
{
    check(bp_workspace_max_batch(w->ws) == w->max_batch && bp_workspace_threads(w->ws) == w->threads, "that a workspace has its sizes");
}

void call_workspace_create(void)
{
    workspace_slot *w = &workspaces[take() % WORKSPACES];
    const net_slot *n = take_net();
    unsigned odd = take_odd();
    size_t max_batch = take_size(MOST_BATCH);
    bp_workspace *ws = NULL;
    clear_workspace(w);
    if (max_batch == (size_t)1 << 30) {
        return; /* it could be had */
    }
    unsigned wrong = IF(!n->net || odd == ODD_NULL || max_batch < 1 || max_batch > (size_t)1 << 30, BP_ERROR_ARGUMENT) |
                     IF(n->net && !n->identity, BP_ERROR_STATE);
    if (UNTYPED(wrong, 0, bp_workspace_create, odd == ODD_NULL ? NULL : &ws, n->net, max_batch)) {
        *w = (workspace_slot){.ws = ws,
                              .identity = n->identity,
                              .max_batch = max_batch,
                              .threads = 1,
                              .n_inputs = n->n_inputs,
                              .n_outputs = output_count(n),
                              .dropouts = dropout_bits(n)};
    } else {
        check(!ws, "that a failed call makes nothing");
    }
    check_workspace(w);
}

void make_threads_eager(bp_workspace *ws)
{
    ws->hand_over = 0;
}

void call_workspace_set_threads(void)
{
    enum { MOST_THREADS = 3 };
    workspace_slot *w = take_workspace();
    size_t n_threads = take_threads();
    if (UNTYPED(IF(!w->ws || n_threads < 1 || n_threads > MOST_THREADS, BP_ERROR_ARGUMENT), 0, bp_workspace_set_threads, w->ws,
                n_threads)) {
        w->threads = n_threads;
        make_threads_eager(w->ws);
    }
    check_workspace(w);
}

void call_workspace_destroy(void)
{
    clear_workspace(take_workspace());
}

/* ---- forward and backward ---- */

void call_net_forward(void)
{
    const net_slot *n = take_net();
    workspace_slot *w = take_workspace();
    unsigned odd = take_odd();
    size_t batch = take_batch(w), samples = samples_of(w, batch);
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    if (n->giant) {
        return;
    }
    void *x = take_numbers(f64, samples * n->n_inputs, NULL), *y = room(f64, samples * output_count(n));
    const void *given = odd == ODD_NULL ? NULL : x;
    unsigned wrong = wrong_workspace(n, w, f64) | IF(!given || !is_batch(w, batch), BP_ERROR_ARGUMENT);
    if (TYPED(f64, wrong, 0, bp_net_forward, n->net, w->ws, batch, given, y)) {
        w->forward_batch = batch;
    } else {
        check(is_untouched(f64, y, samples * output_count(n)), "that a failed call writes nothing");
    }
}

void call_net_backward(void)
{
    const net_slot *n = take_net();
    workspace_slot *w = take_workspace();
    unsigned odd = take_odd();
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    if (n->giant) {
        return;
    }
    size_t samples = w->forward_batch ? w->forward_batch : 1, n_inputs = samples * n->n_inputs, n_outputs = samples * output_count(n);
    void *delta = take_numbers(f64, n_outputs, NULL), *gradient = odd == 3 ? NULL : room(f64, n->n_parameters);
    void *delta_input = odd == 4 ? NULL : odd == 5 && n_inputs == n_outputs ? delta : room(f64, n_inputs);
    void *again = room(f64, n->n_parameters);
    const void *given = odd == ODD_NULL ? NULL : delta;
    bool is_softmax = n->n_layers && n->layers[n->n_layers - 1].activation == BP_ACTIVATION_SOFTMAX;
    unsigned wrong = wrong_workspace(n, w, f64) | IF(!given, BP_ERROR_ARGUMENT) | IF(w->ws && !w->forward_batch, BP_ERROR_STATE) |
                     IF(is_softmax && n->rule == BP_RULE_ERROR_SIGNAL, BP_ERROR_UNSUPPORTED);
    if (TYPED(f64, wrong, 0, bp_net_backward, n->net, w->ws, given, gradient, delta_input)) {
        if (gradient && delta_input != delta) {
            TYPED(f64, 0, 0, bp_net_backward, n->net, w->ws, given, again, NULL);
            check(same_numbers(f64, gradient, again, n->n_parameters), "that backward can be called again");
        }
    } else {
        check(!gradient || is_untouched(f64, gradient, n->n_parameters), "that a failed call writes nothing");
        check(!delta_input || delta_input == delta || is_untouched(f64, delta_input, n_inputs), "that a failed call writes nothing");
    }
}

void call_net_predict(void)
{
    enum { MOST = 40 };
    const net_slot *n = take_net();
    workspace_slot *w = take_workspace();
    unsigned odd = take_odd();
    size_t samples = take() % (MOST + 1);
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    if (n->giant) {
        return;
    }
    size_t n_outputs = samples * output_count(n);
    void *x = take_numbers(f64, samples * n->n_inputs, NULL), *y = room(f64, n_outputs), *again = room(f64, n_outputs);
    const void *given = odd == ODD_NULL ? NULL : x;
    unsigned wrong = wrong_workspace(n, w, f64) | IF(!given, BP_ERROR_ARGUMENT);
    if (!TYPED(f64, wrong, 0, bp_net_predict, n->net, w->ws, samples, given, y)) {
        check(is_untouched(f64, y, n_outputs), "that a failed call writes nothing");
        return;
    }
    w->forward_batch = 0;
    if (is_batch(w, samples)) {
        TYPED(f64, 0, 0, bp_net_forward, n->net, w->ws, samples, x, again);
        check(same_numbers(f64, y, again, n_outputs), "that predict gives the bits of forward");
        w->forward_batch = samples;
    }
}

/* ---- gradients ---- */

unsigned wrong_loss(const net_slot *n, bp_loss loss)
{
    bool of_sigmoid = loss == BP_LOSS_BINARY_CROSS_ENTROPY, of_softmax = loss == BP_LOSS_CROSS_ENTROPY;
    if (!n->n_layers) {
        return IF(!bp_loss_name(loss), BP_ERROR_ARGUMENT);
    }
    bp_activation output = n->layers[n->n_layers - 1].activation;
    return IF(!bp_loss_name(loss), BP_ERROR_ARGUMENT) |
           IF((of_sigmoid && output != BP_ACTIVATION_SIGMOID) || (of_softmax && output != BP_ACTIVATION_SOFTMAX) ||
                  ((of_sigmoid || of_softmax) && n->output.offset) || (n->rule == BP_RULE_ERROR_SIGNAL && output == BP_ACTIVATION_SOFTMAX),
              BP_ERROR_UNSUPPORTED);
}

bp_loss take_loss(const net_slot *n)
{
    unsigned byte = take();
    if (byte >= 0xC0 || !n->n_layers) {
        return (bp_loss)take_enum(BP_LOSS_MSE, BP_LOSS_CROSS_ENTROPY + 1);
    }
    bp_activation output = n->layers[n->n_layers - 1].activation;
    if (byte % 2 && !n->output.offset) {
        return output == BP_ACTIVATION_SOFTMAX   ? BP_LOSS_CROSS_ENTROPY
               : output == BP_ACTIVATION_SIGMOID ? BP_LOSS_BINARY_CROSS_ENTROPY
                                                 : BP_LOSS_MSE;
    }
    return (bp_loss)(byte / 2 % 3);
}

/* The product over layers of the greatest sum of a row: how much an error of x can grow to the outputs, about. */
static double gain(const net_slot *n)
{
    double product = 1;
    size_t at = 0;
    for (size_t l = 0; l < n->n_layers; l++) {
        size_t n_inputs = l ? n->layers[l - 1].n_units : n->n_inputs, n_units = n->layers[l].n_units;
        double greatest = 1;
        for (size_t i = 0; i < n_units; i++) {
            double sum = n->layers[l].bias ? fabs(number_at(n->f64, n->theta, at + n_units * n_inputs + i)) : 0;
            for (size_t k = 0; k < n_inputs; k++) {
                sum += fabs(number_at(n->f64, n->theta, at + i * n_inputs + k));
            }
            greatest = fmax(greatest, sum);
        }
        product *= greatest;
        at += n_units * (n_inputs + (size_t)n->layers[l].bias);
    }
    return product;
}

/* Rounding moves the gradient by little: no kinks, no large numbers. */
static bool is_smooth(const net_slot *n, bp_loss loss)
{
    bool smooth = !n->input.offset && !n->output.offset && loss != BP_LOSS_MAE && n->rule == BP_RULE_GRADIENT;
    for (size_t l = 0; smooth && l < n->n_layers; l++) {
        bp_activation f = n->layers[l].activation;
        smooth = f != BP_ACTIVATION_RELU && f != BP_ACTIVATION_LEAKY_RELU && f != BP_ACTIVATION_SELU;
    }
    return smooth && all_finite(n->f64, n->theta, n->n_parameters);
}

/* A batch's gradient and loss are the means of its samples'. */
static void check_mean(const net_slot *n, workspace_slot *w, bp_loss loss, size_t batch, const void *x, const void *target,
                       const void *gradient, double mean_loss)
{
    enum { MOST_GAIN = 40 };
    double g = gain(n);
    if (!is_smooth(n, loss) || !(g < MOST_GAIN)) {
        return;
    }
    double *sum = scratch(n->n_parameters * sizeof *sum), loss_sum = 0;
    memset(sum, 0, n->n_parameters * sizeof *sum);
    void *single = scratch(n->n_parameters * element(n->f64)), *single_loss = scratch(element(n->f64));
    for (size_t s = 0; s < batch; s++) {
        const char *xs = (const char *)x + s * n->n_inputs * element(n->f64);
        const char *zs = (const char *)target + s * output_count(n) * element(n->f64);
        TYPED(n->f64, 0, 0, bp_net_gradient, n->net, w->ws, loss, 1, (const void *)xs, (const void *)zs, single, single_loss);
        for (size_t i = 0; i < n->n_parameters; i++) {
            sum[i] += number_at(n->f64, single, i);
        }
        loss_sum += number_at(n->f64, single_loss, 0);
    }
    double epsilon = n->f64 ? DBL_EPSILON : (double)FLT_EPSILON, bound = 1000 * epsilon * g * g * (double)output_count(n);
    for (size_t i = 0; i < n->n_parameters; i++) {
        check(fabs(number_at(n->f64, gradient, i) - sum[i] / (double)batch) <= bound,
              "that a batch's gradient is the mean of its samples'");
    }
    check(fabs(mean_loss - loss_sum / (double)batch) <= bound * g, "that a batch's loss is the mean of its samples'");
}

/* The same on a workspace of one thread. */
static void check_threads(const net_slot *n, const workspace_slot *w, bp_loss loss, size_t batch, const void *x, const void *target,
                          const void *gradient)
{
    bp_workspace *ws = NULL;
    void *alone = scratch(n->n_parameters * element(n->f64));
    UNTYPED(0, 0, bp_workspace_create, &ws, n->net, w->max_batch);
    TYPED(n->f64, 0, 0, bp_net_gradient, n->net, ws, loss, batch, x, target, alone, NULL);
    bp_workspace_destroy(ws);
    check(same_numbers(n->f64, gradient, alone, n->n_parameters), "that threads do not change a gradient's bits");
}

void call_net_gradient(void)
{
    const net_slot *n = take_net();
    workspace_slot *w = take_workspace();
    unsigned odd = take_odd();
    size_t batch = take_batch(w), samples = samples_of(w, batch);
    bp_loss loss = take_loss(n);
    bool f64 = n->f64 ^ (odd == ODD_DTYPE), tame_x, tame_target;
    if (n->giant) {
        return;
    }
    void *x = take_numbers(f64, samples * n->n_inputs, &tame_x), *target = take_numbers(f64, samples * output_count(n), &tame_target);
    void *gradient = odd == 3 ? NULL : room(f64, n->n_parameters), *mean_loss = odd == 4 ? NULL : room(f64, 1);
    const void *given = odd == ODD_NULL ? NULL : target;
    unsigned wrong = wrong_workspace(n, w, f64) | wrong_loss(n, loss) | IF(!given || !is_batch(w, batch), BP_ERROR_ARGUMENT);
    if (!TYPED(f64, wrong, 1u << BP_ERROR_NONFINITE, bp_net_gradient, n->net, w->ws, loss, batch, x, given, gradient, mean_loss)) {
        check(!wrong || !gradient || is_untouched(f64, gradient, n->n_parameters), "that a failed call writes nothing");
        check(!mean_loss || is_untouched(f64, mean_loss, 1), "that a failed call writes no loss");
        w->forward_batch = wrong ? w->forward_batch : 0;
        return;
    }
    w->forward_batch = 0;
    check(!mean_loss || isfinite(number_at(f64, mean_loss, 0)), "that a loss is finite");
    if (gradient && mean_loss && tame_x && tame_target) {
        check_mean(n, w, loss, batch, x, target, gradient, number_at(f64, mean_loss, 0));
    }
    if (gradient && w->threads > 1) {
        check_threads(n, w, loss, batch, x, target, gradient);
    }
}

/* ---- frozen layers ---- */

/* What a clone of n, with these layers frozen, gives for delta: the gradient by parameters and by inputs. */
static void differentiate(const net_slot *n, unsigned frozen, size_t batch, const void *x, const void *delta, void *gradient,
                          void *delta_input)
{
    bp_net *net = NULL;
    bp_workspace *ws = NULL;
    void *y = scratch(batch * output_count(n) * element(n->f64));
    UNTYPED(0, 0, bp_net_clone, &net, n->net);
    for (size_t l = 0; l < n->n_layers; l++) {
        UNTYPED(0, 0, bp_net_set_frozen, net, l, frozen >> l & 1);
    }
    UNTYPED(0, 0, bp_workspace_create, &ws, net, batch);
    TYPED(n->f64, 0, 0, bp_net_forward, net, ws, batch, x, y);
    TYPED(n->f64, 0, 0, bp_net_backward, net, ws, delta, gradient, delta_input);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* Freezing makes a part of the gradient 0 and changes nothing else. */
void call_frozen_backward(void)
{
    const net_slot *n = take_net();
    unsigned frozen = take();
    size_t batch = 1 + take() % MOST_BATCH;
    if (!n->identity || wrong_loss(n, BP_LOSS_MSE)) {
        return;
    }
    void *x = take_numbers(n->f64, batch * n->n_inputs, NULL), *delta = take_numbers(n->f64, batch * output_count(n), NULL);
    void *gradients[2] = {room(n->f64, n->n_parameters), room(n->f64, n->n_parameters)};
    void *deltas[2] = {room(n->f64, batch * n->n_inputs), room(n->f64, batch * n->n_inputs)};
    for (unsigned i = 0; i < 2; i++) {
        differentiate(n, i ? frozen : 0, batch, x, delta, gradients[i], deltas[i]);
    }
    check(same_numbers(n->f64, deltas[0], deltas[1], batch * n->n_inputs), "that freezing does not change the gradient by the inputs");
    size_t at = 0;
    for (size_t l = 0; l < n->n_layers; l++) {
        size_t n_inputs = l ? n->layers[l - 1].n_units : n->n_inputs,
               end = at + n->layers[l].n_units * (n_inputs + (size_t)n->layers[l].bias);
        for (; at < end; at++) {
            const char *free_one = (const char *)gradients[0] + at * element(n->f64),
                       *one = (const char *)gradients[1] + at * element(n->f64);
            check(frozen >> l & 1 ? number_at(n->f64, one, 0) == 0 : same_numbers(n->f64, free_one, one, 1),
                  "that freezing makes its layer's gradient 0");
        }
    }
}
