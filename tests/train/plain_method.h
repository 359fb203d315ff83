/* The methods as their papers have them, element by element in double: what the tests hold the library to. */
#ifndef BP_TESTS_PLAIN_METHOD_H
#define BP_TESTS_PLAIN_METHOD_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>

enum { PLAIN_MAX = 1000 };

typedef struct plain_method {
    bp_method method;
    double rate, momentum, beta1, beta2, epsilon;
    double decay, l1, clip_value, clip_norm;
    double increase, decrease, minimum, maximum;
    bool bias_decay;
    size_t n;
    bool is_bias[PLAIN_MAX]; /* by the net's layers */
    double theta[PLAIN_MAX], first[PLAIN_MAX], second[PLAIN_MAX];
    int steps;
} plain_method;

/* A method at the net's parameters, with every setting that it has at a value which is not its default, penalties and clipping off. */
plain_method plain_method_of(bp_method method, bp_net *net);

/* An optimizer with these settings. */
bp_optimizer *make_optimizer(const plain_method *plain, const bp_net *net);

/* A step with this gradient, n elements. */
void plain_step(plain_method *plain, const double *gradient);

#endif
