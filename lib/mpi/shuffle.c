/* Samples of an epoch go from the ranks that hold them to those that train with them. */
#include "mpi/trainer.h"

#include "bp/data_parallel.h"
#include "bp/random.h"

#include <stdlib.h>
#include <string.h>

static const char function[] = "bp_trainer_run";

/* Memory for the time of a shuffle. Counts and places are of samples, and of the ranks that they go to or come from. */
typedef struct shuffle {
    size_t n_sent, n_taken;
    size_t *order;   /* of all samples */
    size_t *sent;    /* indices of own samples, by the rank that they go to */
    size_t *sources; /* of each sample that is taken, in the order of use: the rank that it comes from */
    int *counts_sent, *places_sent, *counts_taken, *places_taken;
    int *next;      /* of those that came from each rank */
    void *out, *in; /* rows of one array */
    void *inputs, *targets;
    uint32_t *classes;
    double *weights;
} shuffle;

static void release(shuffle *s)
{
    void *const blocks[] = {s->order, s->sent, s->sources, s->counts_sent, s->out, s->in, s->inputs, s->targets, s->classes, s->weights};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        free(blocks[i]);
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t owner_of(const bp_mpi_trainer *t, size_t sample)
{
    size_t low = 0, high = (size_t)t->mpi->n_ranks;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(t->offsets[middle] <= sample ? &low : &high) = middle;
    }
    return low;
}

/* Calls visit for each place in the epoch's order, with the rank that trains with it (data_parallel.h). */
typedef void visit_function(const bp_mpi_trainer *t, shuffle *s, size_t rank, size_t sample);

static void visit_all(const bp_mpi_trainer *t, shuffle *s, size_t batch, visit_function *visit)
{
    size_t n = t->offsets[t->mpi->n_ranks], ranks = (size_t)t->mpi->n_ranks;
    for (size_t first = 0; first < n; first += batch) {
        size_t b = n - first < batch ? n - first : batch;
        for (size_t rank = 0; rank < ranks; rank++) {
            for (size_t i = b * rank / ranks; i < b * (rank + 1) / ranks; i++) {
                visit(t, s, rank, s->order[first + i]);
            }
        }
    }
}

static bool is_own(const bp_mpi_trainer *t, size_t sample)
{
    return sample >= t->offsets[t->mpi->rank] && sample < t->offsets[t->mpi->rank + 1];
}

static void count(const bp_mpi_trainer *t, shuffle *s, size_t rank, size_t sample)
{
    if (is_own(t, sample)) {
        s->counts_sent[rank]++;
    }
    if (rank == (size_t)t->mpi->rank) {
        s->counts_taken[owner_of(t, sample)]++;
        s->n_taken++;
    }
}

static void list(const bp_mpi_trainer *t, shuffle *s, size_t rank, size_t sample)
{
    if (is_own(t, sample)) {
        s->sent[s->places_sent[rank] + s->next[rank]++] = sample - t->offsets[t->mpi->rank];
    }
    if (rank == (size_t)t->mpi->rank) {
        s->sources[s->n_taken++] = owner_of(t, sample);
    }
}

/* Who sends what to whom; false without memory. */
static bool plan(const bp_mpi_trainer *t, shuffle *s, uint64_t epoch, const double settings[3])
{
    size_t n = t->offsets[t->mpi->n_ranks], ranks = (size_t)t->mpi->n_ranks, batch = (size_t)settings[1];
    s->n_sent = bp_dataset_sample_count(t->training);
    s->order = malloc(n * sizeof *s->order);
    s->counts_sent = calloc(5 * ranks, sizeof *s->counts_sent);
    s->sent = malloc(s->n_sent * sizeof *s->sent);
    if (!s->order || !s->counts_sent || !s->sent) {
        return false;
    }
    s->places_sent = s->counts_sent + ranks;
    s->counts_taken = s->places_sent + ranks;
    s->places_taken = s->counts_taken + ranks;
    s->next = s->places_taken + ranks;
    for (size_t i = 0; i < n; i++) {
        s->order[i] = i;
    }
    if (settings[2] >= 0) {
        bp_random_permutation((uint64_t)settings[0], epoch, n, s->order);
    }
    visit_all(t, s, batch, count);
    for (size_t rank = 1; rank < ranks; rank++) {
        s->places_sent[rank] = s->places_sent[rank - 1] + s->counts_sent[rank - 1];
        s->places_taken[rank] = s->places_taken[rank - 1] + s->counts_taken[rank - 1];
    }
    s->sources = malloc((s->n_taken ? s->n_taken : 1) * sizeof *s->sources);
    if (!s->sources) {
        return false;
    }
    s->n_taken = 0;
    visit_all(t, s, batch, list);
    return true;
}

/* Room for the largest row of an array, and for all arrays of the samples that are taken; false without memory. */
static bool reserve(const bp_mpi_trainer *t, shuffle *s)
{
    size_t element = bp_mpi_element_bytes(t->dtype), n = larger(s->n_taken, 1);
    size_t input = bp_dataset_input_count(t->training) * element, target = bp_dataset_output_count(t->training) * element;
    size_t row = larger(larger(input, target), sizeof(double));
    s->out = malloc(s->n_sent * row);
    s->in = malloc(n * row);
    s->inputs = malloc(n * input);
    s->targets = malloc(n * target);
    s->classes = malloc(n * sizeof *s->classes);
    s->weights = malloc(n * sizeof *s->weights);
    return s->out && s->in && s->inputs && s->targets && s->classes && s->weights;
}

/* Rows of an array of `bytes` each, which lie in s->out by the rank that they go to, come into rows in the order of use. */
static bp_status exchange(bp_mpi_trainer *t, shuffle *s, size_t bytes, void *rows)
{
    static const char what[] = "exchanging samples";
    MPI_Datatype type;
    MPI_Request request;
    bp_status status = bp_mpi_started(t->mpi, what, MPI_Type_contiguous((int)bytes, MPI_BYTE, &type));
    if (status != BP_OK) {
        return status;
    }
    MPI_Type_commit(&type);
    status = bp_mpi_started(t->mpi, what,
                            MPI_Ialltoallv(s->out, s->counts_sent, s->places_sent, type, s->in, s->counts_taken, s->places_taken, type,
                                           t->mpi->data, &request));
    if (status == BP_OK) {
        status = bp_mpi_wait(t->mpi, what, 1, &request);
    }
    MPI_Type_free(&type);
    memset(s->next, 0, (size_t)t->mpi->n_ranks * sizeof *s->next);
    for (size_t i = 0; status == BP_OK && i < s->n_taken; i++) {
        size_t source = s->sources[i];
        int row = s->places_taken[source] + s->next[source]++;
        memcpy((char *)rows + i * bytes, (char *)s->in + (size_t)row * bytes, bytes);
    }
    return status;
}

/* Rows `bytes` long of an array of this rank's samples, to where they go. */
static bp_status exchange_array(bp_mpi_trainer *t, shuffle *s, const void *array, size_t bytes, void *rows)
{
    for (size_t i = 0; i < s->n_sent; i++) {
        memcpy((char *)s->out + i * bytes, (const char *)array + s->sent[i] * bytes, bytes);
    }
    return exchange(t, s, bytes, rows);
}

static bp_status gather(const bp_mpi_trainer *t, shuffle *s, bool inputs)
{
    if (t->dtype == BP_F32) {
        return bp_dataset_gather_f32(t->training, s->n_sent, s->sent, inputs ? s->out : NULL, inputs ? NULL : s->out);
    }
    return bp_dataset_gather_f64(t->training, s->n_sent, s->sent, inputs ? s->out : NULL, inputs ? NULL : s->out);
}

/* Targets are one-hot, and need not be sent. */
static bool has_classes_alone(const bp_mpi_trainer *t)
{
    size_t n = bp_dataset_class_count(t->training);
    return n > 1 && n == bp_dataset_output_count(t->training);
}

static bp_status exchange_all(bp_mpi_trainer *t, shuffle *s)
{
    size_t element = bp_mpi_element_bytes(t->dtype);
    bp_status status = bp_mpi_meet(t->mpi, BP_MPI_SHUFFLE, gather(t, s, true));
    if (status == BP_OK) {
        status = exchange(t, s, bp_dataset_input_count(t->training) * element, s->inputs);
    }
    if (status == BP_OK && bp_dataset_classes(t->training)) {
        status = exchange_array(t, s, bp_dataset_classes(t->training), sizeof *s->classes, s->classes);
    }
    if (status == BP_OK && !has_classes_alone(t)) {
        status = bp_mpi_meet(t->mpi, BP_MPI_SHUFFLE, gather(t, s, false));
        if (status == BP_OK) {
            status = exchange(t, s, bp_dataset_output_count(t->training) * element, s->targets);
        }
    }
    if (status == BP_OK && bp_dataset_weights(t->training)) {
        status = exchange_array(t, s, bp_dataset_weights(t->training), sizeof *s->weights, s->weights);
    }
    return status;
}

/* A dataset of what has come. */
static bp_status make(const bp_mpi_trainer *t, const shuffle *s, bp_dataset **made)
{
    const bp_dataset *like = t->training;
    const void *targets = has_classes_alone(t) ? NULL : s->targets;
    const uint32_t *classes = bp_dataset_classes(like) ? s->classes : NULL;
    const double *weights = bp_dataset_weights(like) ? s->weights : NULL;
    return t->dtype == BP_F32 ? bp_dataset_create_like_f32(made, like, s->n_taken, s->inputs, targets, classes, weights)
                              : bp_dataset_create_like_f64(made, like, s->n_taken, s->inputs, targets, classes, weights);
}

bp_status bp_mpi_begin_epoch(void *context, uint64_t epoch, const bp_dataset **samples)
{
    bp_mpi_trainer *t = context;
    t->is_running = true;
    double key[3], shuffled;
    bp_trainer_get(t->trainer, BP_TRAINER_SEED, &key[0]);
    bp_trainer_get(t->trainer, BP_TRAINER_BATCH_SIZE, &key[1]);
    bp_trainer_get(t->trainer, BP_TRAINER_SHUFFLE, &shuffled);
    key[2] = shuffled == 1 ? (double)epoch : -1;
    if (t->samples && memcmp(key, t->samples_key, sizeof key) == 0) {
        *samples = t->samples;
        return BP_OK;
    }
    shuffle s = {0};
    bp_dataset *made = NULL;
    bool has_memory = plan(t, &s, epoch, key) && reserve(t, &s);
    bp_status status =
        bp_mpi_meet(t->mpi, BP_MPI_SHUFFLE, has_memory ? BP_OK : bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", function));
    if (status == BP_OK) {
        status = exchange_all(t, &s);
    }
    if (status == BP_OK) {
        status = bp_mpi_meet(t->mpi, BP_MPI_SHUFFLE, make(t, &s, &made));
    }
    if (!t->mpi->is_lost) { /* else MPI has it still */
        release(&s);
    }
    if (status != BP_OK) {
        bp_dataset_destroy(made);
        return status;
    }
    bp_dataset_destroy(t->samples);
    t->samples = made;
    memcpy(t->samples_key, key, sizeof key);
    *samples = made;
    return BP_OK;
}
