/* Ranks that train one net together (data_parallel.h), as threads of this process: a transport through memory, and a thread for each rank's run. */
#ifndef BP_TESTS_RANKS_H
#define BP_TESTS_RANKS_H

#include "train/session.h"

#include <pthread.h>

enum { MOST_RANKS = 5, SENTENCE = 512 };

/* What is trained with, by one process or by ranks. */
typedef struct plan {
    const bp_dataset *training, *validation; /* all samples; validation may be NULL */
    bp_method method;
    void (*prepare)(session *s); /* net, optimizer, settings; may be NULL */
    size_t average_every;        /* steps after which parameters are averaged; 0: gradients are summed */
} plan;

/* Where ranks meet. */
typedef enum place { AT_NONE, AT_BEGIN, AT_AGREE, AT_GRADIENT, AT_AVERAGE, AT_END, PLACES } place;

typedef struct rank {
    struct ranks *all;
    size_t number;
    session s;
    bp_data_parallel parallel; /* as the trainer has it */
    bp_dataset *own, *validation, *epoch;
    size_t steps, calls[PLACES];
    /* to go wrong: this call, from 1, of this place fails; a begin_epoch that gives this */
    place fault_at;
    size_t fault_call;
    bp_status fault;
    bool gives_other;
    const bp_dataset *other;
    /* of the latest run */
    bp_status status;
    char sentence[SENTENCE];
} rank;

typedef struct ranks {
    const plan *plan;
    size_t n;
    rank rank[MOST_RANKS];
    pthread_barrier_t barrier;
    struct {
        place at;
        bp_status status;
        char sentence[SENTENCE];
        size_t n;
        const double *values;
    } posts[MOST_RANKS];
} ranks;

/* A trainer that is alone. */
session open_one(const plan *of);

/* Ranks with a net, an optimizer and a trainer each, and a part of the samples. */
void open_ranks(ranks *r, const plan *of, size_t n);
void close_ranks(ranks *r);

/* bp_trainer_run on all, each on a thread of its own. */
void run_ranks(ranks *r);

/* The same, and all are to end well for this reason, with the same bits. */
void run_together(const char *what, ranks *r, bp_stop expected);

/* All ended with this status and a sentence with the word, whichever rank it was that failed. */
void expect_all(const char *what, const ranks *r, bp_status status, const char *word);

/* The same but for rounding: reason to stop, epochs, best epoch, steps, history but seconds, parameters. */
void expect_alike(const char *what, const session *a, const session *b);

/* A dataset of these samples of another. NULL: the library's sentence says why. */
bp_dataset *pick(const bp_dataset *from, size_t n, const size_t *indices);

/* Every k-th sample counts 1 + k % 3 / 2. */
void weigh(bp_dataset *dataset);

#endif
