/* One public call each, of which every allocation, every call to a file and every start of a thread fails in turn. */
#ifndef BP_TESTS_FLOW_H
#define BP_TESTS_FLOW_H

#include "failures/world.h"

/* Which kinds of calls to the system a public call depends on, what not every build has, and what is not as it was: bits. */
enum {
    NOTHING = 0,
    MEMORY = 1 << FAILING_MEMORY,
    FILES = 1 << FAILING_FILES,
    THREADS = 1 << FAILING_THREADS,
    LBFGS = 1 << FAILING_KINDS,
    ONNX = 2 << FAILING_KINDS,
    GOES_ON = 4 << FAILING_KINDS /* what was done before the failure stays, and the next call goes on from there */
};

typedef struct flow {
    const char *calls; /* its name; of calls that only read, some with spaces between them */
    bp_status (*run)(world *w);
    int kinds;                 /* whose failures it reports; of the others it makes no call, or does without */
    void (*prepare)(world *w); /* makes the world what the call needs; NULL: it is */
} flow;

#define SUFFIX_OF(bits) "_f" #bits
#define SUFFIX(bits) SUFFIX_OF(bits)
/* "name_f32" or "name_f64" */
#define REAL_CALL(name) name SUFFIX(BP_REAL_BITS)

/* The flows of a room of the library; the last has no name. */
extern const flow net_flows[], model_flows[], data_flows[], train_flows[], reading_flows[];

#endif
