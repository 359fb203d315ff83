/* A net by its name: "784-100-10" has 784 inputs, 100 hidden units and 10 outputs. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stddef.h>

enum { BENCH_MAX_WIDTHS = 8 };

typedef struct bench_shape {
    const char *name;
    size_t n_widths;
    size_t widths[BENCH_MAX_WIDTHS]; /* inputs first, outputs last */
} bench_shape;

/* The shape of this name, which lives on. */
bench_shape bench_shape_parse(const char *name);

/* Elements of all W. */
size_t bench_shape_weight_count(const bench_shape *shape);

#endif
