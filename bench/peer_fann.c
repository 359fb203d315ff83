#include "peer_fann.h"

#include "memory.h"
#include "net_problem.h"

#include <fann.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * FANN's conventions are set so that its step is the step of the other sides: its symmetric sigmoid is tanh(steepness × e), its error
 * function is linear, its momentum 0. Left is that it takes y for at most 0.98 where it computes f′; the samples are small enough that no
 * y comes there.
 */
typedef struct peer {
    const REAL(net_problem) * problem;
    struct fann *net;
} peer;

/*
 * Copies θ (for each layer W row-major, then b) to FANN or back; there each unit's bias lies behind its row of W. FANN's own functions for
 * that search the whole net for each weight.
 */
static void copy_weights(const peer *side, real *theta, bool to_fann)
{
    const bench_shape *shape = &side->problem->c->shape;
    fann_type *weight = side->net->weights;
    for (size_t l = 0; l + 1 < shape->n_widths; l++) {
        size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
        real *W = theta, *b = theta + n_out * n_in;
        for (size_t i = 0; i < n_out * (n_in + 1); i++, weight++) {
            real *ours = i % (n_in + 1) < n_in ? W++ : b++;
            if (to_fann) {
                *weight = *ours;
            } else {
                *ours = *weight;
            }
        }
        theta = b;
    }
}

static void destroy(void *state)
{
    peer *side = state;
    if (side) {
        fann_destroy(side->net);
        free(side);
    }
}

static void *create(const void *problem)
{
    peer *side = bench_allocate(1, sizeof *side);
    side->problem = problem;
    const bench_shape *shape = &side->problem->c->shape;
    unsigned widths[BENCH_MAX_WIDTHS];
    for (size_t l = 0; l < shape->n_widths; l++) {
        widths[l] = (unsigned)shape->widths[l];
    }
    side->net = fann_create_standard_array((unsigned)shape->n_widths, widths);
    if (!side->net) {
        free(side);
        return NULL;
    }
    fann_set_training_algorithm(side->net, FANN_TRAIN_INCREMENTAL);
    fann_set_train_error_function(side->net, FANN_ERRORFUNC_LINEAR);
    fann_set_learning_momentum(side->net, 0);
    fann_set_activation_function_hidden(side->net, FANN_SIGMOID_SYMMETRIC);
    fann_set_activation_steepness_hidden(side->net, 1);
    fann_set_activation_function_output(side->net, FANN_LINEAR);
    fann_set_activation_steepness_output(side->net, 1);
    copy_weights(side, side->problem->theta, true);
    return side;
}

static void set_rate(void *state, double eta)
{
    peer *side = state;
    fann_set_learning_rate(side->net, (float)eta);
}

static void step(void *state, size_t steps)
{
    peer *side = state;
    const REAL(net_problem) *p = side->problem;
    for (size_t i = 0; i < steps; i++) {
        size_t s = i % p->n_samples;
        fann_train(side->net, p->x + s * p->n_in, p->target + s * p->n_out);
    }
}

static void weights(void *state, real *theta)
{
    copy_weights(state, theta, false);
}

const REAL(bench_side) REAL(fann_step) = {
    .name = "fann",
    .create = create,
    .destroy = destroy,
    .set_rate = set_rate,
    .run = step,
    .result = weights,
};
