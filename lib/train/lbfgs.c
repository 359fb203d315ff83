#include "train/lbfgs.h"

#include "core/status.h"

#include <float.h>
#include <lbfgs.h>
#include <math.h>
#include <string.h>

/* ‖gradient‖ ≤ tolerance max(1, ‖θ‖) is a minimum, for what rounding leaves of a gradient. */
#define TOLERANCE (REAL_DTYPE == BP_F32 ? 1e-6 : 1e-10)

typedef struct problem {
    const bp_training *training;
    REAL(bp_evaluate) * evaluate;
    void *context;
    uint64_t n_steps; /* before this one: all evaluations are of the same step */
    double least;     /* objective so far, at the parameters in the optimizer's state */
    /* of the first evaluation, which is where θ was before */
    bool started;
    bp_status status;
    real loss;
} problem;

static void load_parameters(const bp_training *training, const double *theta)
{
    for (size_t l = 0; l < training->net->n_layers; theta += bp_layer_parameter_count(training->net->layers[l++])) {
        const bp_layer *layer = training->net->layers[l];
        size_t n_in = layer->n_inputs, n_out = layer->n_outputs;
        real *W = layer->weights, *b = layer->bias;
        for (size_t i = 0; i < n_out * n_in; i++) {
            W[i / n_in * layer->ld + i % n_in] = (real)theta[i];
        }
        for (size_t i = 0; b && i < n_out; i++) {
            b[i] = (real)theta[n_out * n_in + i];
        }
    }
}

/* What a vector laid out as the net's parameters has, in the order of θ. */
static void store(const bp_training *training, void *vector, double *theta)
{
    for (size_t l = 0; l < training->net->n_layers; theta += bp_layer_parameter_count(training->net->layers[l++])) {
        const bp_layer *layer = training->net->layers[l];
        size_t n_in = layer->n_inputs, n_out = layer->n_outputs;
        const real *W = REAL(bp_optimizer_place)(training, vector, layer->weights);
        const real *b = layer->has_bias ? REAL(bp_optimizer_place)(training, vector, layer->bias) : NULL;
        for (size_t i = 0; i < n_out * n_in; i++) {
            theta[i] = (double)W[i / n_in * layer->ld + i % n_in];
        }
        for (size_t i = 0; b && i < n_out; i++) {
            theta[n_out * n_in + i] = (double)b[i];
        }
    }
}

/* A frozen layer has no gradient: where it would be is what was there before the layer was frozen. */
static void clear_frozen(const bp_net *net, double *gradient)
{
    for (size_t l = 0; l < net->n_layers; gradient += bp_layer_parameter_count(net->layers[l++])) {
        if (net->layers[l]->frozen) {
            memset(gradient, 0, bp_layer_parameter_count(net->layers[l]) * sizeof *gradient);
        }
    }
}

/* Returns ½ λ ‖θ‖², and adds its gradient. */
static double penalty(const bp_training *training, const double *theta, double *gradient)
{
    const double *settings = training->opt->settings;
    double decay = settings[BP_OPTIMIZER_WEIGHT_DECAY], sum = 0;
    size_t at = 0;
    for (size_t l = 0; l < training->net->n_layers; at += bp_layer_parameter_count(training->net->layers[l++])) {
        const bp_layer *layer = training->net->layers[l];
        size_t n = settings[BP_OPTIMIZER_BIAS_DECAY] > 0 ? bp_layer_parameter_count(layer) : layer->n_outputs * layer->n_inputs;
        for (size_t i = at; i < at + n && !layer->frozen; i++) {
            sum += theta[i] * theta[i];
            gradient[i] += decay * theta[i];
        }
    }
    return decay / 2 * sum;
}

/* The objective and its gradient at theta. A point where they are not finite is infinitely bad; the line search takes a shorter step. */
static double evaluate(void *argument, const double *theta, double *gradient, int n, double step)
{
    (void)n;
    (void)step;
    problem *p = argument;
    const bp_training *training = p->training;
    real loss = 0;
    load_parameters(training, theta);
    training->opt->n_steps = p->n_steps;
    bp_status status = p->evaluate(p->context, &loss);
    if (!p->started) {
        p->started = true;
        p->status = status;
        p->loss = loss;
    }
    if (status != BP_OK) {
        return HUGE_VAL;
    }
    store(training, training->opt->gradient, gradient);
    clear_frozen(training->net, gradient);
    double objective = (double)loss + penalty(training, theta, gradient);
    if (objective < p->least) {
        p->least = objective;
        memcpy(training->opt->states[0], training->net->parameters, training->net->storage * sizeof(real));
    }
    return objective;
}

/* With the settings of the optimizer; what liblbfgs returns. */
static int minimize(problem *p, double *theta)
{
    const double *settings = p->training->opt->settings;
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = (int)settings[BP_OPTIMIZER_ITERATIONS];
    /* an iteration leaves a pair, and room for more would only be taken */
    parameters.m = (int)fmin(settings[BP_OPTIMIZER_HISTORY], settings[BP_OPTIMIZER_ITERATIONS]);
    parameters.epsilon = TOLERANCE;
    /* the first step is as long as 1 / ‖gradient‖; how often it is halved has a limit of its own */
    parameters.min_step = 0;
    parameters.max_step = DBL_MAX;
    /* Moré and Thuente's search interpolates, which infinity does not let it; this one halves the step until the objective is less */
    parameters.linesearch = LBFGS_LINESEARCH_BACKTRACKING_WOLFE;
    return lbfgs((int)p->training->net->parameter_count, theta, NULL, evaluate, NULL, p, &parameters);
}

bp_status REAL(bp_lbfgs_minimize)(const char *function, const bp_training *training, REAL(bp_evaluate) * evaluate_loss, void *context,
                                  real *mean_loss)
{
    bp_optimizer *opt = training->opt;
    bp_net *net = training->net;
    problem p = {.training = training, .evaluate = evaluate_loss, .context = context, .n_steps = opt->n_steps, .least = HUGE_VAL};
    double *theta = lbfgs_malloc((int)net->parameter_count);
    if (!theta) {
        return bp_fail_memory(function);
    }
    memcpy(opt->states[0], net->parameters, net->storage * sizeof(real));
    store(training, net->parameters, theta);
    int result = minimize(&p, theta);
    lbfgs_free(theta);
    memcpy(net->parameters, opt->states[0], net->storage * sizeof(real));
    opt->n_steps = p.n_steps;
    if (result == LBFGSERR_OUTOFMEMORY) {
        return bp_fail_memory(function);
    }
    if (p.status != BP_OK) {
        return p.status;
    }
    opt->n_steps++;
    if (mean_loss) {
        *mean_loss = p.loss;
    }
    return BP_OK;
}
