#include "shapes.h"

#include <stdlib.h>

/* From what call overhead decides to what memory bandwidth decides. */
static const char *const names[] = {
    "2-3-2-1",        "8-16-16-1",           "64-32-10",         "120-20-3",     "784-100-10",
    "784-300-100-10", "256-256-256-256-256", "784-1024-1024-10", "4096-4096-10",
};

size_t bench_shape_count(void)
{
    return sizeof names / sizeof *names;
}

bench_shape bench_shape_at(size_t index)
{
    bench_shape shape = {.name = names[index]};
    const char *text = names[index];
    while (*text && shape.n_widths < BENCH_MAX_WIDTHS) {
        char *end;
        shape.widths[shape.n_widths++] = strtoul(text, &end, 10);
        text = *end == '-' ? end + 1 : end;
    }
    return shape;
}
