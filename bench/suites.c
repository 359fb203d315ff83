#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(bench_cases *list, bench_case c)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->cases = realloc(list->cases, list->capacity * sizeof *list->cases);
        if (!list->cases) {
            fputs("bp-bench: no memory for the list of rows\n", stderr);
            exit(1);
        }
    }
    list->cases[list->n++] = c;
}

/* From what call overhead decides to what memory bandwidth decides. */
static void list_online(bench_cases *list, const bench_case *prototype)
{
    static const char *const shapes[] = {
        "2-3-2-1",        "8-16-16-1",           "64-32-10",         "120-20-3",     "784-100-10",
        "784-300-100-10", "256-256-256-256-256", "784-1024-1024-10", "4096-4096-10", "784-2500-2000-1500-1000-500-10",
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        bench_case c = *prototype;
        c.shape = bench_shape_parse(shapes[i]);
        c.method = "sgd";
        add(list, c);
    }
}

static const bench_suite suites[] = {
    {
        .name = "step",
        .what = "One on-line training step: forward, backward, update with one sample; tanh hidden layers, identity output, bias, MSE.\n"
                "libbp: bp_net_train_step, which checks its arguments and that the loss is finite.",
        .peers = {"cblas"},
        .peer_notes = "cblas: the same formulas by plain cblas calls (gemv, gemv_t, ger), and libm's tanh.",
        .list = list_online,
        .row_f32 = bench_step_f32,
        .row_f64 = bench_step_f64,
    },
    {
        .name = "online",
        .what = "On-line training over many samples in one call, a sample; nets as in step.\n"
                "libbp: bp_net_train_online.",
        .peers = {"cblas"},
        .peer_notes = "cblas: the same formulas by plain cblas calls, sample after sample, and libm's tanh.",
        .list = list_online,
        .row_f32 = bench_online_f32,
        .row_f64 = bench_online_f64,
    },
};

const bench_suite *bench_suite_at(size_t index)
{
    return index < sizeof suites / sizeof *suites ? &suites[index] : NULL;
}

const bench_suite *bench_suite_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (strlen(suites[i].name) == length && memcmp(suites[i].name, name, length) == 0) {
            return &suites[i];
        }
    }
    return NULL;
}
