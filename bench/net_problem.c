#include "net_problem.h"

#include "memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* From a linear congruential generator (Knuth's MMIX). */
real *REAL(bench_random)(size_t n)
{
    real *numbers = bench_allocate(n, sizeof *numbers);
    uint64_t state = n;
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (real)((double)(state >> 32) * 0x1p-32 - 0.5);
    }
    return numbers;
}

/* θ with weights uniform in ±√(6 / (n_in + n_out)) (Glorot, Bengio 2010) and biases 0. */
static void make_theta(REAL(net_problem) * problem)
{
    const bench_shape *shape = &problem->c->shape;
    for (size_t l = 0; l + 1 < shape->n_widths; l++) {
        problem->n_theta += (shape->widths[l] + 1) * shape->widths[l + 1];
    }
    problem->theta = REAL(bench_random)(problem->n_theta);
    real *at = problem->theta;
    for (size_t l = 0; l + 1 < shape->n_widths; l++) {
        size_t n_in = shape->widths[l], n_out = shape->widths[l + 1];
        real scale = (real)(2 * sqrt(6 / (double)(n_in + n_out)));
        for (size_t i = 0; i < n_out * n_in; i++) {
            *at++ *= scale;
        }
        for (size_t i = 0; i < n_out; i++) {
            *at++ = 0;
        }
    }
}

REAL(net_problem) REAL(net_problem_create)(const bench_case *c, size_t n_samples)
{
    const bench_shape *shape = &c->shape;
    REAL(net_problem) problem = {.c = c, .n_in = shape->widths[0], .n_out = shape->widths[shape->n_widths - 1], .n_samples = n_samples};
    problem.x = REAL(bench_random)(n_samples * problem.n_in);
    problem.target = REAL(bench_random)(n_samples * problem.n_out);
    make_theta(&problem);
    return problem;
}

bp_status REAL(net_problem_build)(const REAL(net_problem) * problem, bp_net **net, bp_optimizer **opt)
{
    const bench_shape *shape = &problem->c->shape;
    bp_status status = bp_net_create(net, REAL_DTYPE, problem->n_in);
    for (size_t l = 1; status == BP_OK && l < shape->n_widths; l++) {
        status = bp_net_add_dense(*net, shape->widths[l], l + 1 < shape->n_widths ? BP_ACTIVATION_TANH : BP_ACTIVATION_IDENTITY, 1);
    }
    if (status == BP_OK) {
        status = bp_net_initialize(*net, BP_INITIALIZER_ZEROS, 0);
    }
    if (status == BP_OK) {
        status = REAL(bp_net_set_parameters)(*net, problem->theta);
    }
    bp_method method = BP_METHOD_SGD;
    if (status == BP_OK && problem->c->method) {
        status = bp_method_from_name(problem->c->method, &method);
    }
    return status == BP_OK ? bp_optimizer_create(opt, method, *net) : status;
}

void REAL(net_problem_destroy)(REAL(net_problem) * problem)
{
    free(problem->x);
    free(problem->target);
    free(problem->theta);
}
