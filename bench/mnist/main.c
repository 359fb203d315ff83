/* bp-mnist: how fast, and how well, libbp learns MNIST. */
#include "json.h"
#include "options.h"
#include "run.h"
#include "set.h"

#include <stdio.h>
#include <stdlib.h>

void mnist_result_destroy(mnist_result *result)
{
    free(result->loss);
    free(result->accuracy);
}

static bool make_run(const mnist_options *o, const mnist_set *set, mnist_result *result)
{
    result->loss = malloc(o->epochs * sizeof *result->loss);
    result->accuracy = malloc(o->epochs * sizeof *result->accuracy);
    if (!result->loss || !result->accuracy) {
        fputs("bp-mnist: out of memory\n", stderr);
        return false;
    }
    printf("784-300-100-10, f32, %s, B = %zu, learning rate %g, seed %llu, kernels %s, %zu thread%s\n", bp_method_name(o->method), o->batch,
           o->learning_rate, (unsigned long long)result->seed, bp_kernel_name(), o->threads, o->threads == 1 ? "" : "s");
    return (o->online ? mnist_train_online : mnist_train)(o, set, result->seed, result);
}

/* What a run came to, after its epochs. */
static void show(const mnist_options *o, const mnist_result *r)
{
    if (o->online) {
        printf("%.2f µs a digit (median; spread %.1f%%)", r->ns.median / 1e3, 100 * r->ns.spread);
        if (r->has_fann) {
            printf("; FANN %.2f µs: libbp is %.2f times as fast", r->fann_ns.median / 1e3, r->fann_ratio.median);
        }
    } else {
        printf("%.3f s an epoch (median; spread %.1f%%)", r->ns.median / 1e9, 100 * r->ns.spread);
    }
    if (r->reached) {
        printf("; %g%% test accuracy after %zu epoch%s", 100 * o->target_accuracy, r->reached, r->reached == 1 ? "" : "s");
    } else if (o->target_accuracy > 0 && !o->online) {
        printf("; %g%% test accuracy was not reached", 100 * o->target_accuracy);
    }
    printf("\n\n");
}

int main(int argc, char **argv)
{
    mnist_options o = mnist_options_parse(argc, argv);
    mnist_set set = {NULL, NULL};
    if (!mnist_set_read(&set, o.folder)) {
        mnist_set_destroy(&set);
        return 2;
    }
    mnist_result *results = calloc(o.runs, sizeof *results);
    bool good = results != NULL;
    size_t done = 0;
    for (; good && done < o.runs; done++) {
        results[done].seed = o.seed + done;
        good = make_run(&o, &set, &results[done]);
        if (good) {
            show(&o, &results[done]);
        }
    }
    good = good && (!o.json || mnist_json_write(&o, o.runs, results));
    for (size_t i = 0; i < done; i++) {
        good = good && (!o.require_target || results[i].reached > 0);
        mnist_result_destroy(&results[i]);
    }
    free(results);
    mnist_set_destroy(&set);
    return good ? 0 : 1;
}
