/*
 * One step of backpropagation by hand: a 2-3-2-1 net with given weights learns from one sample, and every number on the way is printed,
 * first under the exact gradient, then under the error-signal rule. docs/mathematics.md explains the formulas.
 */
#include <bp/bp.h>

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 3, WIDEST = 3, PARAMETERS = 3 * 2 + 2 * 3 + 1 * 2 };

static const size_t widths[LAYERS + 1] = {2, 3, 2, 1};

/* For each layer its W row by row: the weights into its first unit, then into its second … */
static const double first_theta[PARAMETERS] = {
    0.1, 0.2,  -0.3, 0.4,  0.5, -0.4, /* layer 1: 3 × 2 */
    0.7, -0.8, 0.9,  -0.5, 0.3, 0.2,  /* layer 2: 2 × 3 */
    0.6, -0.4,                        /* layer 3: 1 × 2 */
};
static const double sample[2] = {1, 0.5};
static const double target[1] = {1};
static const double eta = 0.5;

static const char usage[] = "Usage: tutorial\n"
                            "Works one step of backpropagation on a 2-3-2-1 net, with every number, under both propagation rules.\n"
                            "\n"
                            "  --help   this text\n";

/* Everything that a step computes. Layer l, from 0, has the inputs y[l] and the outputs y[l + 1]. */
typedef struct step {
    double theta[PARAMETERS], y[LAYERS + 1][WIDEST];
    double e[LAYERS][WIDEST], delta[LAYERS][WIDEST], slope[LAYERS][WIDEST], g[LAYERS][WIDEST];
} step;

static void check(bp_status status)
{
    if (status != BP_OK) {
        fprintf(stderr, "tutorial: %s\n", bp_last_error());
        exit(1);
    }
}

/* Where layer l's W begins in theta. */
static size_t weights_at(size_t l)
{
    size_t at = 0;
    for (size_t i = 0; i < l; i++) {
        at += widths[i + 1] * widths[i];
    }
    return at;
}

/* Prints "a[0] b[0] + a[stride] b[1] + …", filled up to the width of three products. */
static void print_products(size_t n, const double *a, size_t stride, const double *b)
{
    int length = 0;
    for (size_t i = 0; i < n; i++) {
        length += printf("%s%9.6f * %9.6f", i ? " + " : "", a[i * stride], b[i]);
    }
    printf("%*s", 69 - length, "");
}

/* e = W x, y = f(e), from the first layer to the last */
static void forward(bp_layer *layers[], step *s)
{
    printf("Forward: e = W x, the weights into a unit times its inputs; y = f(e) = 1 / (1 + exp(-e))\n\n");
    memcpy(s->y[0], sample, sizeof sample);
    for (size_t l = 0; l < LAYERS; l++) {
        check(bp_layer_forward_f64(layers[l], s->y[l], s->e[l], s->y[l + 1]));
        for (size_t i = 0; i < widths[l + 1]; i++) {
            printf("layer %zu unit %zu   e = ", l + 1, i + 1);
            print_products(widths[l], s->theta + weights_at(l) + i * widths[l], 1, s->y[l]);
            printf(" = %9.6f   y = %9.6f\n", s->e[l][i], s->y[l + 1][i]);
        }
    }
    printf("\nloss = (z - y)^2 / 2 = %.6f\n\n", (target[0] - s->y[LAYERS][0]) * (target[0] - s->y[LAYERS][0]) / 2);
}

/* delta, f' and g = delta f', from the last layer to the first */
static void backward(bp_layer *layers[], bp_rule rule, step *s)
{
    const double ones[WIDEST] = {1, 1, 1};
    printf("Backward: delta = z - y at the output, before it W^T %s of the layer behind; f' = y (1 - y); g = delta f'\n\n",
           rule == BP_RULE_GRADIENT ? "g" : "delta");
    for (size_t l = LAYERS; l-- > 0;) {
        size_t n = widths[l + 1];
        const double *sent = NULL; /* what the layer behind sends back */
        if (l + 1 == LAYERS) {
            s->delta[l][0] = target[0] - s->y[LAYERS][0];
        } else {
            sent = rule == BP_RULE_GRADIENT ? s->g[l + 1] : s->delta[l + 1];
            check(bp_layer_backward_f64(layers[l + 1], sent, s->delta[l]));
        }
        check(bp_layer_local_gradient_f64(layers[l], ones, s->e[l], s->slope[l]));
        check(bp_layer_local_gradient_f64(layers[l], s->delta[l], s->e[l], s->g[l]));
        for (size_t i = 0; i < n; i++) {
            printf("layer %zu unit %zu   delta = ", l + 1, i + 1);
            if (sent) {
                print_products(widths[l + 2], s->theta + weights_at(l + 1) + i, n, sent);
            } else {
                printf("%-69s", "z - y");
            }
            printf(" = %9.6f   f' = %8.6f   g = %9.6f\n", s->delta[l][i], s->slope[l][i], s->g[l][i]);
        }
    }
    printf("\n");
}

/* W <- W + eta g x^T; now s->theta has the new weights */
static void update(bp_layer *layers[], step *s)
{
    printf("Update: W[i][j] <- W[i][j] + eta g[i] x[j], x being the layer's inputs\n\n");
    for (size_t l = 0; l < LAYERS; l++) {
        double *W = s->theta + weights_at(l), old[WIDEST * WIDEST];
        memcpy(old, W, widths[l + 1] * widths[l] * sizeof *W);
        check(bp_layer_update_f64(layers[l], eta, s->delta[l], s->e[l], s->y[l]));
        check(bp_layer_get_weights_f64(layers[l], W, NULL));
        for (size_t i = 0; i < widths[l + 1]; i++) {
            for (size_t j = 0; j < widths[l]; j++) {
                size_t at = i * widths[l] + j;
                printf("layer %zu W[%zu][%zu]   %9.6f + %g * %9.6f * %9.6f = %9.6f\n", l + 1, i + 1, j + 1, old[at], eta, s->g[l][i],
                       s->y[l][j], W[at]);
            }
        }
    }
    printf("\n");
}

/* The same step by bp_net_train_step, and what the net says afterwards. */
static void train_net(bp_rule rule, double *theta, double *y)
{
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    check(bp_net_create(&net, BP_F64, widths[0]));
    for (size_t l = 0; l < LAYERS; l++) {
        check(bp_net_add_dense(net, widths[l + 1], BP_ACTIVATION_SIGMOID, 0));
    }
    check(bp_net_set_rule(net, rule));
    check(bp_net_initialize(net, BP_INITIALIZER_ZEROS, 0));
    check(bp_net_set_parameters_f64(net, first_theta));
    check(bp_workspace_create(&ws, net, 1));
    check(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
    check(bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, eta));

    check(bp_net_train_step_f64(net, ws, opt, BP_LOSS_MSE, 1, sample, target, NULL));
    check(bp_net_get_parameters_f64(net, theta));
    check(bp_net_forward_f64(net, ws, 1, sample, y));

    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

static void show(bp_rule rule)
{
    step s = {0};
    bp_layer *layers[LAYERS];
    memcpy(s.theta, first_theta, sizeof first_theta);
    for (size_t l = 0; l < LAYERS; l++) {
        check(bp_layer_create(&layers[l], BP_F64, widths[l], widths[l + 1], BP_ACTIVATION_SIGMOID, 0));
        check(bp_layer_set_weights_f64(layers[l], s.theta + weights_at(l), NULL));
    }

    printf("---- rule: %s ----\n\n", bp_rule_name(rule));
    forward(layers, &s);
    backward(layers, rule, &s);
    update(layers, &s);
    for (size_t l = 0; l < LAYERS; l++) {
        bp_layer_destroy(layers[l]);
    }

    double theta[PARAMETERS], y;
    train_net(rule, theta, &y);
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!(fabs(theta[i] - s.theta[i]) <= 1e-14)) {
            fprintf(stderr, "tutorial: bp_net_train_step makes parameter %zu %.17g, the formulas %.17g\n", i, theta[i], s.theta[i]);
            exit(1);
        }
    }
    printf("bp_net_train_step gives the same weights; with them y = %.6f, loss = %.6f\n\n", y, (target[0] - y) * (target[0] - y) / 2);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option != 'h') {
            fputs("Try --help.\n", stderr);
            return 2;
        }
        fputs(usage, stdout);
        return 0;
    }
    if (optind < argc) {
        fprintf(stderr, "tutorial: \"%s\" is not an option\nTry --help.\n", argv[optind]);
        return 2;
    }
    printf("A net with 2 inputs, layers of 3, 2 and 1 sigmoid units and no bias learns one sample: x = (%g, %g), z = %g, eta = %g.\n"
           "Its first weights are in the first products of each line below.\n\n",
           sample[0], sample[1], target[0], eta);
    show(BP_RULE_GRADIENT);
    show(BP_RULE_ERROR_SIGNAL);
    return 0;
}
