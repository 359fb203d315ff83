/* An optimizer: a method's settings, and its state, which is laid out as the net's parameters are, rows of weights padded. */
#ifndef BP_TRAIN_OPTIMIZER_H
#define BP_TRAIN_OPTIMIZER_H

#include "bp/optimizer.h"

#include "core/handle.h"
#include "net/identity.h"

#include <stdbool.h>
#include <stdint.h>

enum { BP_OPTIMIZER_SETTING_COUNT = 16, BP_MAX_STATES = 2, BP_NUMBERS_BYTES = 256 };

/* A custom method's function and its vectors; θ and gradient are packed. */
typedef struct bp_custom_method {
    void (*function)(void); /* a bp_optimizer_function of the dtype */
    void *context;
    size_t n_state;
    void *state, *theta, *gradient;
} bp_custom_method;

/* What sees a gradient before the optimizer does; without complete there is none. */
typedef struct bp_gradient_hook {
    void (*ready)(void), (*complete)(void); /* functions of the dtype */
    void *context;
    void *gradient;          /* laid out as θ */
    size_t told_layer, told; /* within a layer that is told of in pieces: which, and from which of its elements on */
} bp_gradient_hook;

struct bp_optimizer {
    bp_handle handle;
    bp_method method;
    bp_dtype dtype;
    bp_identity *identity;
    double settings[BP_OPTIMIZER_SETTING_COUNT];
    uint64_t n_steps;            /* made so far */
    uint64_t seed;               /* of what is random in a training step */
    size_t storage;              /* elements of each state and of gradient: those of the net's parameters */
    void *states[BP_MAX_STATES]; /* those that the method has, in the order of its formulas; of L-BFGS the best parameters */
    void *gradient;              /* where a gradient is summed; NULL for SGD until it needs one: it sums in the weights */
    bp_custom_method custom;
    bp_gradient_hook hook;
    bool plain; /* a step is θ ← θ − η g and nothing else, and sums in the weights */
    bool whole; /* a step needs all of the gradient before it moves the first parameter */
    /* of the step that has begun, unless it is plain */
    void *numbers; /* two REAL(bp_method_step): of weights and, if they differ, of biases */
    double clip;   /* what clipping leaves of the gradient, as a factor */
};

/* A vector that steps leave to those after them. */
typedef struct bp_optimizer_state {
    void *elements;
    size_t n;
    bool is_stored; /* it is laid out as the net's parameters */
} bp_optimizer_state;

/* State i, below BP_MAX_STATES; n is 0 if there is none. */
bp_optimizer_state bp_optimizer_get_state(const bp_optimizer *opt, size_t i);

/* Makes an optimizer with a method's settings, states and room for a gradient, in the name of function, which has checked the rest. */
bp_status bp_optimizer_make(const char *function, bp_optimizer **opt, bp_method method, const bp_net *net);

/* That the optimizer is there and was made for this net. */
bp_status bp_check_optimizer(const char *function, const bp_optimizer *opt, const bp_net *net);

/* The states of a method, and its settings before any is set. */
size_t bp_method_state_count(bp_method method);
void bp_method_defaults(bp_method method, double settings[BP_OPTIMIZER_SETTING_COUNT]);

/* That these can be an optimizer's settings. Room for a gradient is made if they need it, and nothing else changes. */
bp_status bp_optimizer_check_settings(const char *function, bp_optimizer *opt, const double *settings);

/* Says in an optimizer what follows from its settings: whether it is plain, and needs the whole gradient. */
void bp_optimizer_settle_kind(bp_optimizer *opt);

#endif
