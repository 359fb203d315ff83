#include "bp/range_test.h"

#include "bp/random.h"
#include "bp/train.h"
#include "bp/workspace.h"

#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "data/dataset.h"
#include "net/check.h"
#include "train/dataset_check.h"
#include "train/optimizer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct range_run {
    /* copies of the caller's, and room for a batch */
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    void *x, *target;
    /* the samples' order, and how far it has been gone through */
    const bp_dataset *dataset;
    size_t batch, at;
    uint64_t seed, round;
    size_t *order;
    /* what comes out */
    double *rates, *losses;
    size_t n_done; /* steps whose loss was finite */
    size_t best;   /* where the smoothed loss was least */
} range_run;

/* Whether the method moves the parameters in proportion to a learning rate. */
static bool has_learning_rate(bp_method method)
{
    return method != BP_METHOD_IRPROP_MINUS && method != BP_METHOD_LBFGS && method != BP_METHOD_CUSTOM;
}

static bp_status check_numbers(const char *function, const range_run *run, double minimum, double maximum, size_t n_steps)
{
    double largest = run->dataset->dtype == BP_F32 ? (double)FLT_MAX : DBL_MAX;
    size_t n_samples = run->dataset->n_samples;
    if (!(minimum > 0 && minimum <= largest)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: minimum is %g; it is to be above 0 and at most %g", function, minimum, largest);
    }
    if (!(maximum > minimum && maximum <= largest)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: maximum is %g; it is to be above the minimum, %g, and at most %g", function, maximum,
                       minimum, largest);
    }
    if (n_steps < 2 || n_steps > BP_MAX_DIMENSION) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_steps is %zu; it can be 2 to %zu", function, n_steps, BP_MAX_DIMENSION);
    }
    if (run->batch < 1 || run->batch > n_samples) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: batch is %zu; the dataset has %zu samples, so it can be 1 to %zu", function, run->batch,
                       n_samples, n_samples);
    }
    return BP_OK;
}

static bp_status check(const char *function, const range_run *run, const bp_net *net, const bp_optimizer *opt, double minimum,
                       double maximum, size_t n_steps)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    bp_status status = bp_check_net(function, net, net->dtype);
    if (status == BP_OK) {
        status = bp_check_optimizer(function, opt, net);
    }
    if (status == BP_OK) {
        status = bp_check_dataset(function, net, run->dataset);
    }
    if (status == BP_OK) {
        status = check_numbers(function, run, minimum, maximum, n_steps);
    }
    if (status == BP_OK && !has_learning_rate(opt->method)) {
        status = bp_fail(BP_ERROR_UNSUPPORTED, "%s: %s has no learning rate that a step is in proportion to", function,
                         bp_method_name(opt->method));
    }
    return status;
}

/* The copies that the test is made on; those made are run's, also after a failure. */
static bp_status prepare(const char *function, range_run *run, const bp_net *net, const bp_optimizer *opt, bp_loss loss, size_t n_steps)
{
    size_t element = bp_dtype_size(net->dtype);
    run->order = bp_allocate(run->dataset->n_samples, sizeof *run->order);
    run->x = bp_allocate(run->batch * run->dataset->n_inputs, element);
    run->target = bp_allocate(run->batch * run->dataset->n_outputs, element);
    run->rates = bp_allocate(n_steps, sizeof *run->rates);
    run->losses = bp_allocate(n_steps, sizeof *run->losses);
    if (!run->order || !run->x || !run->target || !run->rates || !run->losses) {
        return bp_fail_memory(function);
    }
    bp_status status = bp_net_clone(&run->net, net);
    if (status == BP_OK) {
        status = bp_workspace_create(&run->ws, run->net, run->batch);
    }
    if (status == BP_OK) {
        status = bp_optimizer_create(&run->opt, opt->method, run->net);
    }
    if (status == BP_OK) {
        status = bp_optimizer_check_settings(function, run->opt, opt->settings);
    }
    if (status != BP_OK) {
        return status;
    }
    memcpy(run->opt->settings, opt->settings, sizeof opt->settings);
    bp_optimizer_settle_kind(run->opt);
    run->opt->seed = opt->seed;
    return bp_check_loss(function, run->net, run->ws, run->net->dtype, loss, run->batch, run->x, run->target);
}

static void release(range_run *run)
{
    bp_optimizer_destroy(run->opt);
    bp_workspace_destroy(run->ws);
    bp_net_destroy(run->net);
    free(run->order);
    free(run->x);
    free(run->target);
    free(run->rates);
    free(run->losses);
}

/* The next batch of the order, and of a new one when the rest does not fill it. */
static bp_status gather(const char *function, range_run *run)
{
    size_t n = run->dataset->n_samples;
    if (run->round == 0 || n - run->at < run->batch) {
        bp_random_permutation(run->seed, run->round++, n, run->order);
        run->at = 0;
    }
    bp_status status = bp_dataset_copy(function, run->dataset, run->at, run->batch, run->order, run->x, run->target);
    run->at += run->batch;
    return status;
}

static bp_status step(const char *function, range_run *run, bp_loss loss, double rate, double *mean_loss)
{
    bp_status status = gather(function, run);
    if (status == BP_OK) {
        status = bp_optimizer_set(run->opt, BP_OPTIMIZER_LEARNING_RATE, rate);
    }
    if (status != BP_OK) {
        return status;
    }
    if (run->net->dtype == BP_F64) {
        return bp_net_train_step_f64(run->net, run->ws, run->opt, loss, run->batch, run->x, run->target, mean_loss);
    }
    float mean = 0;
    status = bp_net_train_step_f32(run->net, run->ws, run->opt, loss, run->batch, run->x, run->target, &mean);
    if (status == BP_OK) {
        *mean_loss = (double)mean;
    }
    return status;
}

/* Steps until the loss is no number or much too large. */
static bp_status make_steps(const char *function, range_run *run, bp_loss loss, size_t n_steps)
{
    const double kept = 0.9, too_large = 4;
    double average = 0, share = 1; /* share: of the average that is still the 0 it began with */
    for (size_t i = 0; i < n_steps; i++) {
        double mean_loss;
        bp_status status = step(function, run, loss, run->rates[i], &mean_loss);
        if (status == BP_ERROR_NONFINITE) {
            return i > 0 ? BP_OK : bp_fail(status, "%s: the loss is NaN or infinite before the first step", function);
        }
        if (status != BP_OK) {
            return status;
        }
        average = kept * average + (1 - kept) * mean_loss;
        share *= kept;
        run->losses[i] = average / (1 - share);
        run->n_done++;
        if (run->losses[i] < run->losses[run->best]) {
            run->best = i;
        } else if (run->losses[i] > too_large * run->losses[run->best]) {
            return BP_OK;
        }
    }
    return BP_OK;
}

bp_status bp_learning_rate_range_test(const bp_net *net, const bp_optimizer *opt, bp_loss loss, const bp_dataset *dataset, size_t batch,
                                      double minimum, double maximum, size_t n_steps, uint64_t seed, double *rates, double *losses,
                                      double *suggested)
{
    range_run run = {.dataset = dataset, .batch = batch, .seed = seed};
    bp_status status = check(__func__, &run, net, opt, minimum, maximum, n_steps);
    if (status != BP_OK) {
        return status;
    }
    status = prepare(__func__, &run, net, opt, loss, n_steps);
    if (status == BP_OK) {
        for (size_t i = 0; i < n_steps; i++) {
            double part = (double)i / (double)(n_steps - 1);
            run.rates[i] = pow(minimum, 1 - part) * pow(maximum, part);
        }
        status = make_steps(__func__, &run, loss, n_steps);
    }
    if (status == BP_OK) {
        for (size_t i = 0; i < n_steps; i++) {
            if (rates) {
                rates[i] = run.rates[i];
            }
            if (losses) {
                losses[i] = i < run.n_done ? run.losses[i] : (double)NAN;
            }
        }
        if (suggested) {
            *suggested = run.rates[run.best] / 10;
        }
    }
    release(&run);
    return status;
}
