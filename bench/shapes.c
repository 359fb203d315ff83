#include "shapes.h"

#include <stdlib.h>

bench_shape bench_shape_parse(const char *name)
{
    bench_shape shape = {.name = name};
    const char *text = name;
    while (*text && shape.n_widths < BENCH_MAX_WIDTHS) {
        char *end;
        shape.widths[shape.n_widths++] = strtoul(text, &end, 10);
        text = *end == '-' ? end + 1 : end;
    }
    return shape;
}

size_t bench_shape_weight_count(const bench_shape *shape)
{
    size_t count = 0;
    for (size_t l = 0; l + 1 < shape->n_widths; l++) {
        count += shape->widths[l] * shape->widths[l + 1];
    }
    return count;
}
