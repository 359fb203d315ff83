/* Sums over ranks, in pieces that are on their way while others are still being computed. */
#include "mpi/trainer.h"

#include <stdlib.h>
#include <string.h>

static const char what[] = "summing a gradient";

size_t bp_mpi_element_bytes(bp_dtype dtype)
{
    return dtype == BP_F32 ? sizeof(float) : sizeof(double);
}

MPI_Datatype bp_mpi_element_type(bp_dtype dtype)
{
    return dtype == BP_F32 ? MPI_FLOAT : MPI_DOUBLE;
}

static void *element(const bp_mpi_trainer *t, void *vector, size_t i)
{
    return (char *)vector + i * bp_mpi_element_bytes(t->dtype);
}

/* ---- which elements, and who adds them ---- */

static void release_segments(bp_mpi_segments *s)
{
    free(s->counts);
    *s = (bp_mpi_segments){0};
}

/* n elements dealt out to the ranks; false without memory. */
static bool make_segments(bp_mpi_segments *s, size_t n, const bp_mpi *mpi)
{
    size_t ranks = (size_t)mpi->n_ranks, own = (size_t)mpi->rank;
    int *all = malloc(4 * ranks * sizeof *all);
    if (!all) {
        return false;
    }
    *s = (bp_mpi_segments){all, all + ranks, all + 2 * ranks, all + 3 * ranks};
    int n_own = (int)(n * (own + 1) / ranks - n * own / ranks);
    for (size_t rank = 0; rank < ranks; rank++) {
        s->places[rank] = (int)(n * rank / ranks);
        s->counts[rank] = (int)(n * (rank + 1) / ranks) - s->places[rank];
        s->own_counts[rank] = n_own;
        s->own_places[rank] = n_own * (int)rank;
    }
    return true;
}

void bp_mpi_buckets_release(bp_mpi_buckets *b)
{
    free(b->requests);
    free(b->parts);
    release_segments(&b->of_full);
    release_segments(&b->of_last);
    *b = (bp_mpi_buckets){0};
}

size_t bp_mpi_first_trained(const bp_net *net)
{
    size_t first = 0;
    for (size_t l = 0; l < bp_net_layer_count(net) && bp_net_is_frozen(net, l); l++) {
        bp_layer *layer;
        bp_net_layer((bp_net *)(uintptr_t)net, l, &layer); /* lent for reading */
        first += bp_layer_output_count(layer) * (bp_layer_input_count(layer) + (bp_layer_has_bias(layer) ? 1 : 0));
    }
    return first;
}

/* Elements of bucket i. */
static size_t bucket_end(const bp_mpi_buckets *b, size_t i)
{
    return b->end - i * b->size;
}

static size_t bucket_first(const bp_mpi_buckets *b, size_t i)
{
    return i + 1 < b->n ? bucket_end(b, i + 1) : b->first;
}

static const bp_mpi_segments *segments_of(const bp_mpi_buckets *b, size_t i)
{
    return i + 1 < b->n ? &b->of_full : &b->of_last;
}

bp_status bp_mpi_buckets_plan(bp_mpi_trainer *t)
{
    const bp_mpi *mpi = t->mpi;
    bp_mpi_buckets b = {.first = bp_mpi_first_trained(t->net), .end = t->n_parameters};
    size_t bytes = bp_mpi_element_bytes(t->dtype), n = b.end - b.first;
    if (t->settings[BP_MPI_AVERAGING_STEPS] > 0) {
        b.first = 0; /* of parameters, frozen ones included */
        n = b.end;
    }
    b.size = (size_t)t->settings[BP_MPI_BUCKET_BYTES] / bytes;
    b.n = (n + b.size - 1) / b.size;
    b.requests = malloc((b.n ? b.n : 1) * sizeof *b.requests);
    bool done = b.requests;
    if (done && t->settings[BP_MPI_FIXED_ORDER] == 1) {
        b.parts = malloc((n + b.n * (size_t)mpi->n_ranks) * bytes);
        done = b.parts && make_segments(&b.of_full, b.size, mpi) && make_segments(&b.of_last, b.n ? n - (b.n - 1) * b.size : 0, mpi);
    }
    void *scratch = NULL;
    if (done) {
        scratch = calloc(t->settings[BP_MPI_AVERAGING_STEPS] > 0 ? t->n_parameters : b.size, bytes);
        done = scratch;
    }
    if (!done) {
        bp_mpi_buckets_release(&b);
        return bp_mpi_fail(BP_ERROR_MEMORY, "libbp_mpi: out of memory for sums over ranks");
    }
    bp_mpi_buckets_release(&t->buckets);
    free(t->scratch);
    t->buckets = b;
    t->scratch = scratch;
    return BP_OK;
}

/* ---- sums ---- */

/* Where the ranks' parts of this rank's segment of bucket i lie. */
static void *parts_of(const bp_mpi_trainer *t, size_t i)
{
    size_t own = (size_t)t->buckets.of_full.own_counts[0] * (size_t)t->mpi->n_ranks;
    return element(t, t->buckets.parts, i * own);
}

static bp_status start(bp_mpi_trainer *t, void *bucket, size_t i)
{
    const bp_mpi_buckets *b = &t->buckets;
    int n = (int)(bucket_end(b, i) - bucket_first(b, i));
    MPI_Datatype type = bp_mpi_element_type(t->dtype);
    if (b->parts) {
        const bp_mpi_segments *s = segments_of(b, i);
        return bp_mpi_started(t->mpi, what,
                              MPI_Ialltoallv(bucket, s->counts, s->places, type, parts_of(t, i), s->own_counts, s->own_places, type,
                                             t->mpi->data, &b->requests[i]));
    }
    return bp_mpi_started(t->mpi, what, MPI_Iallreduce(MPI_IN_PLACE, bucket, n, type, MPI_SUM, t->mpi->data, &b->requests[i]));
}

bp_status bp_mpi_buckets_start(bp_mpi_trainer *t, void *vector, size_t ready)
{
    bp_mpi_buckets *b = &t->buckets;
    bp_status status = BP_OK;
    while (status == BP_OK && b->n_started < b->n && bucket_first(b, b->n_started) >= ready) {
        status = start(t, element(t, vector, bucket_first(b, b->n_started)), b->n_started);
        b->n_started += status == BP_OK;
    }
    if (status == BP_OK) {
        int done; /* MPI works when it is called */
        status = bp_mpi_started(t->mpi, what, MPI_Testall((int)b->n_started, b->requests, &done, MPI_STATUSES_IGNORE));
    }
    return status;
}

/* This rank's segments become the sums over ranks in their order, and go to all. */
static bp_status add_in_order(bp_mpi_trainer *t, void *vector)
{
    const bp_mpi_buckets *b = &t->buckets;
    MPI_Datatype type = bp_mpi_element_type(t->dtype);
    bp_status status = BP_OK;
    for (size_t i = 0; status == BP_OK && i < b->n; i++) {
        const bp_mpi_segments *s = segments_of(b, i);
        char *bucket = element(t, vector, bucket_first(b, i));
        void *sum = element(t, bucket, (size_t)s->places[t->mpi->rank]);
        size_t n = (size_t)s->own_counts[0];
        memcpy(sum, parts_of(t, i), n * bp_mpi_element_bytes(t->dtype));
        for (int rank = 1; rank < t->mpi->n_ranks; rank++) {
            MPI_Reduce_local(element(t, parts_of(t, i), (size_t)rank * n), sum, (int)n, type, MPI_SUM);
        }
        status = bp_mpi_started(t->mpi, what,
                                MPI_Iallgatherv(MPI_IN_PLACE, 0, type, bucket, s->counts, s->places, type, t->mpi->data, &b->requests[i]));
    }
    return status == BP_OK ? bp_mpi_wait(t->mpi, what, (int)b->n, b->requests) : status;
}

bp_status bp_mpi_buckets_finish(bp_mpi_trainer *t, void *vector)
{
    bp_mpi_buckets *b = &t->buckets;
    bp_status status = bp_mpi_wait(t->mpi, what, (int)b->n_started, b->requests);
    if (status == BP_OK && b->parts) {
        status = add_in_order(t, vector);
    }
    b->n_started = 0;
    double ranks = t->mpi->n_ranks, bytes = (double)((b->end - b->first) * bp_mpi_element_bytes(t->dtype));
    t->bytes += 2 * (ranks - 1) / ranks * bytes;
    return status;
}

bp_status bp_mpi_buckets_abandon(bp_mpi_trainer *t)
{
    bp_mpi_buckets *b = &t->buckets;
    bp_status status = bp_mpi_wait(t->mpi, what, (int)b->n_started, b->requests);
    for (size_t i = b->n_started; status == BP_OK && i < b->n; i++) { /* one after the other: there is one bucket of scratch for all */
        status = start(t, t->scratch, i);
        if (status == BP_OK) {
            status = bp_mpi_wait(t->mpi, what, 1, &b->requests[i]);
        }
    }
    b->n_started = 0;
    return status;
}
