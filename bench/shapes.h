/* The nets that are measured, by name: "784-100-10" has 784 inputs, 100 hidden units and 10 outputs. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stddef.h>

enum { BENCH_MAX_WIDTHS = 8 };

typedef struct bench_shape {
    const char *name;
    size_t n_widths;
    size_t widths[BENCH_MAX_WIDTHS]; /* inputs first, outputs last */
} bench_shape;

size_t bench_shape_count(void);

/* Shape index, 0 … bench_shape_count() − 1. */
bench_shape bench_shape_at(size_t index);

#endif
