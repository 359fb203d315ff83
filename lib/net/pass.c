#include "net/pass.h"

#include "core/memory.h"
#include "core/nonfinite.h"
#include "core/random.h"
#include "core/status.h"
#include "net/dropout.h"
#include "net/loss.h"
#include "net/pass_part.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The row of x, target and weights that sample number s is. */
static size_t row_of(const REAL(bp_samples) * samples, size_t s)
{
    return samples->order ? samples->order[s] : s;
}

/* x ← x + σ n, n normal (Sietsma, Dow 1991) */
static void add_noise(const REAL(bp_pass) * pass, real *x)
{
    uint64_t seed = bp_random_key(pass->seed, BP_RANDOM_NOISE, pass->step);
    double pair[2];
    size_t n = pass->net->n_inputs, first = pass->preceding * n;
    for (size_t i = first; i < first + pass->batch * n; i++) {
        if (i == first || i % 2 == 0) {
            bp_random_normal_pair(seed, 0, i / 2, pair);
        }
        x[i - first] += (real)(pass->net->input_noise * pair[i % 2]);
    }
}

/* A row of x as the first layer sees it. Its end may go over into the place of the row after it. */
static void copy_row(const REAL(bp_pass) * pass, const real *x, real *input)
{
    size_t n = pass->net->n_inputs;
    if (pass->batch > 1 && !pass->net->input_scaling.offset) {
        memcpy(input, x, n * sizeof *x);
    } else {
        REAL(bp_kernel)()->scale(n, x, pass->net->input_scaling.offset, pass->net->input_scaling.scale, input);
    }
}

/* bp_pass_begin, where the row of the first sample is known. */
static inline void begin(const REAL(bp_pass) * pass, const REAL(bp_samples) * samples, size_t first, size_t row, real *input)
{
    size_t n = pass->net->n_inputs;
    const real *x = samples->x + row * n;
    bool noisy = pass->trains && pass->net->input_noise > 0;
    bool together = pass->batch > 1 ? !samples->order : ((uintptr_t)x | n * sizeof *x) % BP_ALIGNMENT == 0;
    bool as_it_is = together && !pass->net->input_scaling.offset && !noisy;
    if (!as_it_is) {
        copy_row(pass, x, input);
        for (size_t s = 1; s < pass->batch; s++) {
            if (samples->order && s + 1 < pass->batch) {
                REAL(bp_samples_fetch)(samples, n, first + s + 1);
            }
            copy_row(pass, samples->x + row_of(samples, first + s) * n, input + s * n);
        }
    }
    if (noisy) {
        add_noise(pass, input);
    }
    pass->ws->delta_input = NULL;
    /* read only: the passes hold vectors that are written as well; NOLINTNEXTLINE(performance-no-int-to-ptr) */
    pass->ws->layers[0].x = as_it_is ? (real *)(uintptr_t)x : input;
    if (pass->ws->dropouts) {
        REAL(bp_dropout_begin)(pass);
    }
}

void REAL(bp_pass_begin)(const REAL(bp_pass) * pass, const REAL(bp_samples) * samples, size_t first, real *input)
{
    begin(pass, samples, first, row_of(samples, first), input);
}

/* Targets and weights of samples in the order of the batch, the targets as the last layer learns them: scaled, or smoothed. */
static void gather_targets(REAL(bp_job) * job, size_t first)
{
    const REAL(bp_samples) *samples = job->samples;
    size_t n = job->pass.ws->layers[job->pass.net->n_layers - 1].m;
    real s = samples->label_smoothing, *target = job->pass.ws->target, *weights = job->pass.ws->sample_weights;
    for (size_t i = 0; i < job->pass.batch; i++) {
        size_t row = row_of(samples, first + i);
        real *z = memcpy(target + i * n, samples->target + row * n, n * sizeof *target);
        REAL(bp_net_scale_targets)(job->pass.net, 1, z);
        for (size_t k = 0; k < n && s > 0; k++) {
            z[k] = (1 - s) * z[k] + s / (real)n;
        }
        weights[i] = samples->weights ? samples->weights[row] : 1;
    }
    job->target = target;
    job->weights = samples->weights ? weights : NULL;
}

void REAL(bp_job_begin)(REAL(bp_job) * job, size_t first, real *input)
{
    const REAL(bp_samples) *samples = job->samples;
    size_t row = row_of(samples, first);
    begin(&job->pass, samples, first, row, input);
    bool changes = samples->label_smoothing > 0 || job->pass.net->output_scaling.offset;
    if (changes || (samples->order && job->pass.batch > 1)) {
        gather_targets(job, first);
    } else {
        job->target = samples->target + row * job->pass.ws->layers[job->pass.net->n_layers - 1].m;
        job->weights = samples->weights ? samples->weights + row : NULL;
    }
}

void REAL(bp_pass_output)(const REAL(bp_pass) * pass, real *y)
{
    const bp_layer_step *output = &pass->ws->layers[pass->net->n_layers - 1];
    memcpy(y, output->y, pass->batch * output->m * sizeof *y);
    REAL(bp_net_unscale_outputs)(pass->net, pass->batch, y);
}

void REAL(bp_pass_forward)(const REAL(bp_pass) * pass, const bp_team *team)
{
    if (pass->batch == 1) {
        REAL(bp_sample_forward)(pass, team, 0);
    } else {
        REAL(bp_batch_forward)(pass, team);
    }
}

/*
 * The first number of x that is a NaN or an infinity, which the first layer would hand to its weights, or where there is none the end of x: an
 * activation may hide one from the loss, as tanh does. Each is in all e of its sample, so that one e a sample tells; an e that is not finite may also
 * come from numbers that are.
 */
static size_t first_bad_input(const REAL(bp_job) * job)
{
    const bp_layer_step *first = &job->pass.ws->layers[0];
    const real *e = first->e;
    real zero = 0;
    for (size_t left = job->pass.batch; left > 0; left--, e += first->m) {
        zero += *e - *e;
    }
    size_t n = job->pass.batch * first->n;
    return zero == 0 ? n : REAL(bp_first_nonfinite)(n, first->x);
}

void REAL(bp_job_loss)(REAL(bp_job) * job)
{
    const bp_net *net = job->pass.net;
    const bp_layer_step *output = &job->pass.ws->layers[net->n_layers - 1];
    size_t batch = job->pass.batch;
    job->is_local = net->rule == BP_RULE_GRADIENT && bp_loss_is_fused(job->loss);
    double sum =
        REAL(bp_kernel)()->loss(job->loss, job->is_local, batch, output->m, output->e, output->y, job->target, job->weights, output->g);
    job->mean_loss = (real)(sum / (double)job->pass.step_batch);
    job->status = BP_OK;
    if (!isfinite(job->mean_loss)) {
        bool is_nan = isnan(job->mean_loss);
        job->status = bp_fail(BP_ERROR_NONFINITE, "%s: the loss is %g%s", job->function, is_nan ? (double)NAN : (double)job->mean_loss,
                              is_nan ? ", or its derivative by an output is not finite" : "");
        return;
    }
    const bp_layer_step *first = &job->pass.ws->layers[0];
    size_t bad = first_bad_input(job);
    if (bad < batch * first->n) {
        job->status = bp_fail(BP_ERROR_NONFINITE, "%s: x: input %zu of sample %zu is %g; inputs are finite", job->function, bad % first->n,
                              bad / first->n, (double)((const real *)first->x)[bad]);
    }
}

void REAL(bp_pass_sum)(const REAL(bp_pass) * pass, size_t l, bp_range rows, real alpha, real beta, real *W, size_t ld, real *b)
{
    const REAL(bp_kernel_table) *kernel = REAL(bp_kernel)();
    const bp_layer_step *layer = &pass->ws->layers[l];
    const real *g = (const real *)layer->g + rows.first;
    real *part = W ? W + rows.first * ld : NULL;
    if (part && pass->batch == 1) {
        if (beta == 0) {
            memset(part, 0, rows.n * ld * sizeof *part);
        }
        kernel->ger(rows.n, layer->n, alpha, g, layer->x, part, ld);
    } else if (part) {
        kernel->gemm(BP_TRANSPOSE, BP_NO_TRANSPOSE, rows.n, layer->n, pass->batch, alpha, g, layer->m, layer->x, layer->n, beta, part, ld);
    }
    if (b && beta == 0) {
        memset(b + rows.first, 0, rows.n * sizeof *b);
    }
    for (size_t s = 0; b && s < pass->batch; s++) {
        kernel->axpy(rows.n, alpha, g + s * layer->m, b + rows.first);
    }
}

void REAL(bp_pass_deliver)(const REAL(bp_pass) * pass, const REAL(bp_pass_sink) * sink, size_t l, bp_range rows, bp_pass_what what)
{
    if (rows.n == 0 || pass->net->layers[l]->frozen) {
        return;
    }
    if (sink->net) {
        bp_layer *layer = sink->net->layers[l];
        REAL(bp_pass_sum)(pass, l, rows, sink->alpha, 1, layer->weights, layer->ld, layer->bias);
    } else if (sink->take) {
        sink->take(sink->context, pass, l, rows, what);
    }
}

void REAL(bp_pass_rows_done)(const REAL(bp_pass_sink) * sink, const bp_team *team, size_t l, size_t row)
{
    if (sink->rows_done) {
        bp_team_wait(team);
        if (team->thread == 0) {
            sink->rows_done(sink->context, l, row);
        }
    }
}

void REAL(bp_pass_backward)(const REAL(bp_pass) * pass, const bp_team *team, bool is_local, const REAL(bp_pass_sink) * sink)
{
    if (pass->batch == 1) {
        REAL(bp_sample_backward)(pass, team, is_local, sink);
    } else {
        REAL(bp_batch_backward)(pass, team, is_local, sink);
    }
}
