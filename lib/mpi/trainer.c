#define _POSIX_C_SOURCE 200809L /* the strerror_r that returns a number */

#include "mpi/trainer.h"

#include "bp/data_parallel.h"
#include "bp/gradient_hook.h"
#include "mpi/compare.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 1 << 20 };

static const char creating[] = "bp_mpi_trainer_create";

/* ---- all alike ---- */

static void note_layer(bp_mpi_notes *notes, const bp_net *net, size_t index)
{
    char name[40], value[160];
    bp_layer *layer;
    bp_net_layer((bp_net *)(uintptr_t)net, index, &layer); /* lent for reading */
    snprintf(name, sizeof name, "layer %zu", index);
    snprintf(value, sizeof value, "%zu %s%s, dropout %.17g%s", bp_layer_output_count(layer), bp_activation_name(bp_layer_activation(layer)),
             bp_layer_has_bias(layer) ? " with bias" : " without bias", bp_net_dropout(net, index),
             bp_net_is_frozen(net, index) ? ", frozen" : "");
    bp_mpi_note(notes, name, value);
}

static bp_status compare(const bp_mpi_trainer *t, bp_loss loss)
{
    bp_mpi_notes notes = {0};
    const bp_net *net = t->net;
    bp_mpi_note(&notes, "the net's element type", bp_dtype_name(t->dtype));
    bp_mpi_note_count(&notes, "the number of inputs", bp_net_input_count(net));
    bp_mpi_note_count(&notes, "the number of layers", bp_net_layer_count(net));
    for (size_t l = 0; l < bp_net_layer_count(net); l++) {
        note_layer(&notes, net, l);
    }
    bp_mpi_note(&notes, "the net's rule", bp_rule_name(bp_net_rule(net)));
    bp_mpi_note_number(&notes, "the input noise", bp_net_input_noise(net));
    bp_mpi_note(&notes, "the loss", bp_loss_name(loss));
    bp_mpi_note(&notes, "the optimization method", bp_method_name(bp_optimizer_method(t->opt)));
    for (int s = 0; bp_optimizer_setting_name((bp_optimizer_setting)s); s++) {
        double value = 0;
        bp_optimizer_get(t->opt, (bp_optimizer_setting)s, &value);
        bp_mpi_note_number(&notes, bp_optimizer_setting_name((bp_optimizer_setting)s), value);
    }
    bp_mpi_note_count(&notes, "the optimizer's seed", bp_optimizer_seed(t->opt));
    bp_mpi_note_count(&notes, "the optimizer's number of steps", bp_optimizer_step_count(t->opt));
    bp_mpi_note_count(&notes, "the training set's number of classes", bp_dataset_class_count(t->training));
    bp_mpi_note(&notes, "whether samples have weights", bp_dataset_weights(t->training) ? "yes" : "no");
    for (int s = 0; s < BP_MPI_SETTING_COUNT; s++) {
        if (s != BP_MPI_TIMEOUT) {
            bp_mpi_note_number(&notes, bp_mpi_setting_name((bp_mpi_setting)s), t->settings[s]);
        }
    }
    return bp_mpi_compare_notes(creating, t->mpi, &notes);
}

/* Of rank 0, two vectors that a net has or not. */
typedef struct scaling {
    bool is_there;
    size_t n;
    void *numbers; /* offset, then scale */
} scaling;

static bp_status get_scaling(const bp_mpi_trainer *t, const scaling *s, bool input)
{
    float *f32 = s->numbers;
    double *f64 = s->numbers;
    if (t->dtype == BP_F32) {
        return (input ? bp_net_get_input_scaling_f32 : bp_net_get_output_scaling_f32)(t->net, f32, f32 + s->n);
    }
    return (input ? bp_net_get_input_scaling_f64 : bp_net_get_output_scaling_f64)(t->net, f64, f64 + s->n);
}

static bp_status set_scaling(const bp_mpi_trainer *t, const scaling *s, bool input)
{
    const float *f32 = s->is_there ? s->numbers : NULL;
    const double *f64 = s->is_there ? s->numbers : NULL;
    if (t->dtype == BP_F32) {
        return (input ? bp_net_set_input_scaling_f32 : bp_net_set_output_scaling_f32)(t->net, f32, f32 ? f32 + s->n : NULL);
    }
    return (input ? bp_net_set_input_scaling_f64 : bp_net_set_output_scaling_f64)(t->net, f64, f64 ? f64 + s->n : NULL);
}

/* Scaling of inputs or outputs becomes rank 0's. */
static bp_status broadcast_scaling(bp_mpi_trainer *t, bool input)
{
    size_t bytes = bp_mpi_element_bytes(t->dtype);
    scaling s = {.n = input ? bp_net_input_count(t->net) : bp_net_output_count(t->net)};
    s.is_there = input ? bp_net_has_input_scaling(t->net) : bp_net_has_output_scaling(t->net);
    s.numbers = malloc(2 * s.n * bytes);
    bp_status status = s.numbers ? get_scaling(t, &s, input) : bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", creating);
    status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, status);
    if (status == BP_OK) {
        status = bp_mpi_broadcast(t->mpi, sizeof s.is_there, &s.is_there);
    }
    if (status == BP_OK) {
        status = bp_mpi_broadcast(t->mpi, 2 * s.n * bytes, s.numbers);
    }
    if (status == BP_OK) {
        status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, set_scaling(t, &s, input));
    }
    free(s.numbers);
    return status;
}

bp_status bp_mpi_get_parameters(const bp_mpi_trainer *t, void *theta)
{
    return t->dtype == BP_F32 ? bp_net_get_parameters_f32(t->net, theta) : bp_net_get_parameters_f64(t->net, theta);
}

bp_status bp_mpi_set_parameters(bp_mpi_trainer *t, const void *theta)
{
    return t->dtype == BP_F32 ? bp_net_set_parameters_f32(t->net, theta) : bp_net_set_parameters_f64(t->net, theta);
}

static bp_status broadcast_parameters(bp_mpi_trainer *t)
{
    size_t bytes = t->n_parameters * bp_mpi_element_bytes(t->dtype);
    void *theta = malloc(bytes);
    bp_status status = bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", creating);
    if (theta) {
        status = bp_mpi_get_parameters(t, theta);
    }
    status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, status);
    if (status == BP_OK) {
        status = bp_mpi_broadcast(t->mpi, bytes, theta);
    }
    if (status == BP_OK) {
        status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, bp_mpi_set_parameters(t, theta));
    }
    free(theta);
    return status;
}

/* Where the samples of each rank begin among all. */
static bp_status count_samples(bp_mpi_trainer *t)
{
    size_t ranks = (size_t)t->mpi->n_ranks, own = bp_dataset_sample_count(t->training);
    size_t inputs = bp_dataset_input_count(t->training), outputs = bp_dataset_output_count(t->training);
    size_t widest = (inputs > outputs ? inputs : outputs) * bp_mpi_element_bytes(t->dtype);
    double *counts = calloc(ranks, sizeof *counts);
    t->offsets = calloc(ranks + 1, sizeof *t->offsets);
    bp_status status = BP_OK;
    if (!counts || !t->offsets) {
        status = bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", creating);
    } else if (widest > INT_MAX) {
        status = bp_mpi_fail(BP_ERROR_UNSUPPORTED, "%s: a sample's inputs or targets have %zu bytes; they can have %d", creating, widest,
                             INT_MAX);
    } else if (own > INT_MAX) {
        status = bp_mpi_fail(BP_ERROR_UNSUPPORTED, "%s: the training set has %zu samples; a rank's can have %d", creating, own, INT_MAX);
    }
    status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, status);
    if (status == BP_OK) {
        counts[t->mpi->rank] = (double)own;
        status = bp_mpi_sum(t->mpi, ranks, counts);
    }
    for (size_t rank = 0; status == BP_OK && rank < ranks; rank++) {
        t->offsets[rank + 1] = t->offsets[rank] + (size_t)counts[rank];
    }
    free(counts);
    return status;
}

/* ---- make ---- */

static bp_status agree(void *context, bp_status status, size_t n, double *values)
{
    bp_mpi_trainer *t = context;
    status = bp_mpi_meet(t->mpi, BP_MPI_SUM, status);
    return status == BP_OK ? bp_mpi_sum(t->mpi, n, values) : status;
}

static bp_status set_hook(bp_mpi_trainer *t)
{
    return t->dtype == BP_F32 ? bp_optimizer_set_gradient_hook_f32(t->opt, bp_mpi_ready_f32, bp_mpi_complete_f32, t)
                              : bp_optimizer_set_gradient_hook_f64(t->opt, bp_mpi_ready_f64, bp_mpi_complete_f64, t);
}

/* What is left when ranks are alike, by each rank. */
static bp_status connect(bp_mpi_trainer *t)
{
    bool averages = t->settings[BP_MPI_AVERAGING_STEPS] > 0;
    const bp_data_parallel parallel = {
        .size = sizeof parallel,
        .n_ranks = (size_t)t->mpi->n_ranks,
        .rank = (size_t)t->mpi->rank,
        .n_samples = t->offsets[t->mpi->n_ranks],
        .context = t,
        .begin_epoch = bp_mpi_begin_epoch,
        .agree = agree,
        .after_step = averages ? bp_mpi_after_step : NULL,
        .end_run = bp_mpi_end_run,
    };
    bp_status status = bp_mpi_buckets_plan(t);
    if (status == BP_OK) {
        status = bp_trainer_set_data_parallel(t->trainer, &parallel);
    }
    if (status == BP_OK) { /* by the number of all samples, where ranks have made it by their own's */
        status = bp_trainer_set(t->trainer, BP_TRAINER_BATCH_SIZE, parallel.n_samples < 32 ? (double)parallel.n_samples : 32);
    }
    return status == BP_OK && !averages ? set_hook(t) : status;
}

bp_status bp_mpi_trainer_create(bp_mpi_trainer **trainer, bp_mpi *mpi, bp_net *net, bp_optimizer *opt, bp_loss loss,
                                const bp_dataset *training)
{
    if (!mpi) {
        return bp_mpi_fail_null(creating, "mpi");
    }
    bp_mpi_trainer *t = trainer ? calloc(1, sizeof *t) : NULL;
    bp_status status;
    if (t) {
        *t = (bp_mpi_trainer){.mpi = mpi, .net = net, .opt = opt, .training = training};
        t->dtype = bp_net_dtype(net);
        t->n_parameters = bp_net_parameter_count(net);
        memcpy(t->settings, mpi->settings, sizeof t->settings);
        status = bp_trainer_create(&t->trainer, net, opt, loss, training);
    } else {
        status = trainer ? bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", creating) : bp_mpi_fail_null(creating, "trainer");
    }
    status = bp_mpi_meet(mpi, BP_MPI_AGREE, status);
    if (status == BP_OK) {
        status = compare(t, loss);
    }
    if (status == BP_OK) {
        status = count_samples(t);
    }
    if (status == BP_OK) {
        status = bp_mpi_meet(mpi, BP_MPI_AGREE, connect(t));
    }
    if (status == BP_OK) {
        status = broadcast_scaling(t, true);
    }
    if (status == BP_OK) {
        status = broadcast_scaling(t, false);
    }
    if (status == BP_OK) {
        status = broadcast_parameters(t);
    }
    if (status != BP_OK) {
        bp_mpi_trainer_destroy(t);
        return status;
    }
    *trainer = t;
    return BP_OK;
}

void bp_mpi_trainer_destroy(bp_mpi_trainer *t)
{
    if (!t) {
        return;
    }
    if (t->is_running) {
        bp_mpi_fail(BP_ERROR_STATE, "%s: called from within the trainer's own progress function", __func__);
        return;
    }
    if (t->trainer && t->dtype == BP_F32) {
        bp_optimizer_set_gradient_hook_f32(t->opt, NULL, NULL, NULL);
    } else if (t->trainer) {
        bp_optimizer_set_gradient_hook_f64(t->opt, NULL, NULL, NULL);
    }
    bp_trainer_destroy(t->trainer);
    bp_dataset_destroy(t->samples);
    if (!t->mpi->is_lost) { /* else MPI has them still */
        bp_mpi_buckets_release(&t->buckets);
        free(t->scratch);
    }
    free(t->offsets);
    free(t);
}

bp_trainer *bp_mpi_trainer_trainer(const bp_mpi_trainer *t)
{
    return t ? t->trainer : NULL;
}

bp_status bp_mpi_trainer_traffic(const bp_mpi_trainer *t, double *bytes, double *seconds)
{
    if (!t) {
        return bp_mpi_fail_null(__func__, "trainer");
    }
    if (bytes) {
        *bytes = t->bytes;
    }
    if (seconds) {
        *seconds = t->seconds;
    }
    return BP_OK;
}

/* ---- checkpoints ---- */

bp_status bp_mpi_trainer_save(bp_mpi_trainer *t, const char *path)
{
    if (!t) {
        return bp_mpi_fail_null(__func__, "trainer");
    }
    bp_status status = BP_OK;
    if (t->mpi->rank == 0) {
        status = bp_trainer_save(t->trainer, path);
    }
    return bp_mpi_meet(t->mpi, BP_MPI_AGREE, status);
}

/* The bytes of a file, which the caller frees. */
static bp_status read_file(const char *function, const char *path, char **bytes, size_t *size)
{
    if (!path) {
        return bp_mpi_fail_null(function, "path");
    }
    FILE *file = fopen(path, "rb");
    size_t room = 0, n = file ? 1 : 0;
    bp_status status = BP_OK;
    for (*size = 0; n > 0; *size += n) {
        if (*size == room) {
            char *more = realloc(*bytes, room + READ_BYTES + room / 2);
            if (!more) {
                status = bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", function);
                break;
            }
            *bytes = more;
            room += READ_BYTES + room / 2;
        }
        n = fread(*bytes + *size, 1, room - *size, file);
    }
    if (!file || ferror(file)) {
        char words[100];
        status = bp_mpi_fail(BP_ERROR_IO, "%s: %.200s: cannot be %s: %s", function, path, file ? "read" : "opened",
                             strerror_r(errno, words, sizeof words) == 0 ? words : "unknown error");
    }
    if (file) {
        fclose(file);
    }
    return status;
}

bp_status bp_mpi_trainer_load(bp_mpi_trainer *t, const char *path)
{
    if (!t) {
        return bp_mpi_fail_null(__func__, "trainer");
    }
    char *bytes = NULL;
    size_t size = 0;
    bp_status status = t->mpi->rank == 0 ? read_file(__func__, path, &bytes, &size) : BP_OK;
    status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, status);
    if (status == BP_OK) {
        status = bp_mpi_broadcast(t->mpi, sizeof size, &size);
    }
    if (status == BP_OK && !bytes) {
        bytes = malloc(size + 1);
    }
    if (status == BP_OK) {
        status = bp_mpi_meet(t->mpi, BP_MPI_AGREE, bytes ? BP_OK : bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", __func__));
    }
    if (status == BP_OK) {
        status = bp_mpi_broadcast(t->mpi, size, bytes);
    }
    if (status == BP_OK) {
        status = bp_trainer_load_together(t->trainer, bytes, size);
    }
    free(bytes);
    return status;
}
