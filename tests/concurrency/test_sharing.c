/*
 * What many threads may do at once: use one net, each with its own workspace; train one net while others read its clone; make and end objects. And
 * what is refused. CMocka's checks are made by the first thread alone.
 */
#define _POSIX_C_SOURCE 200809L

#include "concurrency/scene.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READERS = 8, ROUNDS = THREAD_SANITIZER ? 4 : 20, LIVES = THREAD_SANITIZER ? 5 : 40 };

/* All that is read-only on a net. */
typedef struct answers {
    real y[BATCH * OUTPUTS], predicted[BATCH * OUTPUTS], delta_input[BATCH * INPUTS], loss;
    real *gradient, *backward; /* PARAMETERS */
} answers;

static bool ask(const bp_net *net, bp_workspace *ws, size_t batch, answers *a)
{
    memset(a->y, 0, sizeof a->y);
    memset(a->predicted, 0, sizeof a->predicted);
    memset(a->delta_input, 0, sizeof a->delta_input);
    return REAL(bp_net_forward)(net, ws, batch, x, a->y) == BP_OK &&
           REAL(bp_net_backward)(net, ws, target, a->backward, a->delta_input) == BP_OK &&
           REAL(bp_net_predict)(net, ws, BATCH, x, a->predicted) == BP_OK &&
           REAL(bp_net_gradient)(net, ws, BP_LOSS_MSE, batch, x, target, a->gradient, &a->loss) == BP_OK;
}

static bool same(const answers *a, const answers *b)
{
    size_t bytes = PARAMETERS * sizeof(real);
    return memcmp(a->y, b->y, sizeof a->y) == 0 && memcmp(a->predicted, b->predicted, sizeof a->predicted) == 0 &&
           memcmp(a->delta_input, b->delta_input, sizeof a->delta_input) == 0 && memcmp(&a->loss, &b->loss, sizeof a->loss) == 0 &&
           memcmp(a->gradient, b->gradient, bytes) == 0 && memcmp(a->backward, b->backward, bytes) == 0;
}

static answers new_answers(void)
{
    return (answers){.gradient = malloc(PARAMETERS * sizeof(real)), .backward = malloc(PARAMETERS * sizeof(real))};
}

static void free_answers(answers *a)
{
    free(a->gradient);
    free(a->backward);
}

typedef struct reader {
    const bp_net *net;
    bp_workspace *ws;
    size_t batch;
    const answers *expected;
    answers got;
    bool right;
} reader;

static void *read_net(void *element)
{
    reader *r = element;
    r->right = true;
    for (int i = 0; i < ROUNDS && r->right; i++) {
        r->right = ask(r->net, r->ws, r->batch, &r->got) && same(&r->got, r->expected);
    }
    return NULL;
}

static void test_one_net(void **state)
{
    (void)state;
    bp_net *net = make_wide_net();
    answers expected[2] = {new_answers(), new_answers()};
    reader readers[READERS];
    bp_workspace *ws = make_workspace(net, 1);
    for (int i = 0; i < 2; i++) {
        assert_true(ask(net, ws, i ? BATCH : 1, &expected[i]));
    }
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (reader){.net = net,
                              .ws = make_workspace(net, i % 4 == 3 ? 2 : 1),
                              .batch = i % 2 ? BATCH : 1,
                              .expected = &expected[i % 2],
                              .got = new_answers()};
    }
    on_threads(READERS, read_net, readers, sizeof *readers);
    for (size_t i = 0; i < READERS; i++) {
        if (!readers[i].right) {
            fail_msg("reader %zu has other numbers, or a failure", i);
        }
        free_answers(&readers[i].got);
        bp_workspace_destroy(readers[i].ws);
    }
    free_answers(&expected[0]);
    free_answers(&expected[1]);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
}

/* ---- a trainer, and readers of a clone that it renews ---- */

typedef struct service {
    bp_net *net, *clone;
    bp_workspace *ws;            /* of the net, in the progress function */
    pthread_rwlock_t clone_lock; /* held by the one who writes the clone alone */
    atomic_bool has_ended;
    atomic_int n_renewed;
    bool failed; /* by the progress function */
} service;

static int renew(void *context, const bp_progress *progress)
{
    service *s = context;
    real y[OUTPUTS];
    (void)progress;
    pthread_rwlock_wrlock(&s->clone_lock);
    s->failed |= bp_net_copy_parameters(s->clone, s->net) != BP_OK;
    pthread_rwlock_unlock(&s->clone_lock);
    s->failed |= s->ws && REAL(bp_net_predict)(s->net, s->ws, 1, x, y) != BP_OK; /* between steps the net can be read */
    s->n_renewed++;
    return 0;
}

typedef struct client {
    service *service;
    bp_workspace *ws;
    bool right;
} client;

static void *serve(void *element)
{
    client *c = element;
    real first[BATCH * OUTPUTS], again[BATCH * OUTPUTS];
    c->right = true;
    while (c->right && !c->service->has_ended) {
        pthread_rwlock_rdlock(&c->service->clone_lock);
        c->right = REAL(bp_net_predict)(c->service->clone, c->ws, BATCH, x, first) == BP_OK &&
                   REAL(bp_net_predict)(c->service->clone, c->ws, BATCH, x, again) == BP_OK && memcmp(first, again, sizeof first) == 0;
        pthread_rwlock_unlock(&c->service->clone_lock);
        sleep_microseconds(100); /* the lock is not fair */
    }
    return NULL;
}

static real *run_trainer(service *s, double threads)
{
    bp_dataset *data;
    bp_optimizer *opt = make_optimizer(s->net);
    bp_trainer *trainer;
    must(REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, x, target));
    must(bp_trainer_create(&trainer, s->net, opt, BP_LOSS_MSE, data));
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, ROUNDS));
    must(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, 8));
    must(bp_trainer_set(trainer, BP_TRAINER_THREADS, threads));
    if (s->clone) {
        must(bp_trainer_set_progress(trainer, renew, s, BP_PROGRESS_BATCH));
    }
    must(bp_trainer_run(trainer));
    s->has_ended = true;
    real *theta = malloc(PARAMETERS * sizeof *theta);
    must(REAL(bp_net_get_parameters)(s->net, theta));
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_dataset_destroy(data);
    return theta;
}

static void test_trainer_beside_readers(void **state)
{
    (void)state;
    service alone = {.net = make_wide_net()}, s = {.net = make_wide_net()};
    real *expected = run_trainer(&alone, 1);
    client clients[3];
    pthread_t threads[3];
    must(bp_net_clone(&s.clone, s.net));
    assert_int_equal(pthread_rwlock_init(&s.clone_lock, NULL), 0);
    s.ws = make_workspace(s.net, 1);
    for (size_t i = 0; i < 3; i++) {
        clients[i] = (client){.service = &s, .ws = make_workspace(s.clone, i == 2 ? 2 : 1)};
        assert_int_equal(pthread_create(&threads[i], NULL, serve, &clients[i]), 0);
    }
    real *theta = run_trainer(&s, 2);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(clients[i].right);
        bp_workspace_destroy(clients[i].ws);
    }
    assert_false(s.failed);
    assert_int_equal(s.n_renewed, 3 * ROUNDS);
    assert_memory_equal(theta, expected, PARAMETERS * sizeof *theta);
    assert_true(has_parameters(s.clone, expected));
    pthread_rwlock_destroy(&s.clone_lock);
    bp_workspace_destroy(s.ws);
    bp_net_destroy(s.clone);
    bp_net_destroy(s.net);
    bp_net_destroy(alone.net);
    free(theta);
    free(expected);
}

/* ---- refused: what a progress function does to its own trainer; another net's workspace and optimizer ---- */

typedef struct culprit {
    bp_trainer *trainer;
    bp_optimizer *opt;
    const bp_dataset *data;
    size_t n_calls, n_right;
} culprit;

static int offend(void *context, const bp_progress *progress)
{
    culprit *c = context;
    double value;
    (void)progress;
    bp_trainer_destroy(c->trainer); /* nothing happens */
    bp_status statuses[] = {bp_trainer_run(c->trainer),
                            bp_trainer_set(c->trainer, BP_TRAINER_EPOCHS, 5),
                            bp_trainer_set_validation(c->trainer, c->data),
                            bp_trainer_set_class_weights(c->trainer, NULL),
                            bp_trainer_set_schedule(c->trainer, NULL),
                            bp_trainer_set_progress(c->trainer, NULL, NULL, BP_PROGRESS_EPOCH),
                            bp_trainer_load(c->trainer, "no file")};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        c->n_calls++;
        c->n_right += statuses[i] == BP_ERROR_STATE || (i == 6 && !bp_has_feature("files"));
    }
    c->n_calls += 2;
    c->n_right += bp_trainer_get(c->trainer, BP_TRAINER_EPOCHS, &value) == BP_OK && value == 2;
    c->n_right += bp_optimizer_set(c->opt, BP_OPTIMIZER_LEARNING_RATE, 0.001) == BP_OK;
    return 0;
}

static void test_refusals(void **state)
{
    (void)state;
    bp_net *net = make_wide_net(), *clone;
    culprit c = {.opt = make_optimizer(net)};
    bp_dataset *data;
    real y[OUTPUTS];
    must(REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, x, target));
    c.data = data;
    must(bp_trainer_create(&c.trainer, net, c.opt, BP_LOSS_MSE, data));
    must(bp_trainer_set(c.trainer, BP_TRAINER_EPOCHS, 2));
    must(bp_trainer_set_progress(c.trainer, offend, &c, BP_PROGRESS_EPOCH));
    must(bp_trainer_run(c.trainer));
    assert_int_equal(c.n_calls, 2 * 9);
    assert_int_equal(c.n_right, c.n_calls);
    bp_trainer_destroy(c.trainer);

    must(bp_net_clone(&clone, net));
    bp_workspace *ws = make_workspace(net, 1);
    REFUSED(REAL(bp_net_predict)(clone, ws, 1, x, y), BP_ERROR_STATE, "another net");
    bp_workspace *own = make_workspace(clone, 1);
    REFUSED(train(clone, own, c.opt, 0), BP_ERROR_STATE, "another net");
    bp_workspace_destroy(own);
    bp_workspace_destroy(ws);
    bp_optimizer_destroy(c.opt);
    bp_net_destroy(clone);
    bp_net_destroy(net);
    bp_dataset_destroy(data);
}

/* ---- objects made and ended by all threads at once, some of them from objects that they share ---- */

typedef struct life {
    const bp_net *net;
    const bp_dataset *data;
    size_t number;
    bool right;
} life;

static bool live(const life *l, size_t round)
{
    bp_net *net = NULL, *clone = NULL;
    bp_workspace *ws = NULL, *shared = NULL;
    bp_optimizer *opt = NULL;
    bp_dataset *first = NULL, *second = NULL;
    bp_layer *layer = NULL;
    real y[BATCH * OUTPUTS];
    bool right = bp_net_create(&net, REAL_DTYPE, INPUTS) == BP_OK && bp_net_add_dense(net, 9, BP_ACTIVATION_SILU, 1) == BP_OK &&
                 bp_net_add_dense(net, OUTPUTS, BP_ACTIVATION_IDENTITY, 1) == BP_OK &&
                 bp_net_initialize(net, BP_INITIALIZER_HE_NORMAL, l->number) == BP_OK && bp_net_clone(&clone, l->net) == BP_OK &&
                 bp_workspace_create(&shared, l->net, BATCH) == BP_OK && bp_workspace_create(&ws, net, BATCH) == BP_OK &&
                 bp_workspace_set_threads(ws, round % 3 + 1) == BP_OK && bp_optimizer_create(&opt, BP_METHOD_RMSPROP, net) == BP_OK &&
                 bp_dataset_split(l->data, 0.25, round, &first, &second) == BP_OK &&
                 bp_layer_create(&layer, REAL_DTYPE, 3, 4, BP_ACTIVATION_TANH, 1) == BP_OK && train(net, ws, opt, round) == BP_OK &&
                 REAL(bp_net_predict)(l->net, shared, BATCH, x, y) == BP_OK;
    bp_layer_destroy(layer);
    bp_dataset_destroy(second);
    bp_dataset_destroy(first);
    bp_net_destroy(net); /* before what was made for it */
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_workspace_destroy(shared);
    bp_net_destroy(clone);
    return right;
}

static void *live_often(void *element)
{
    life *l = element;
    l->right = true;
    for (size_t i = 0; i < LIVES && l->right; i++) {
        l->right = live(l, i + l->number);
    }
    return NULL;
}

static void test_lives(void **state)
{
    (void)state;
    bp_net *net = make_wide_net();
    bp_dataset *data;
    life lives[READERS];
    must(REAL(bp_dataset_create)(&data, BATCH, INPUTS, OUTPUTS, x, target));
    for (size_t i = 0; i < READERS; i++) {
        lives[i] = (life){.net = net, .data = data, .number = i};
    }
    on_threads(READERS, live_often, lives, sizeof *lives);
    for (size_t i = 0; i < READERS; i++) {
        assert_true(lives[i].right);
    }
    bp_dataset_destroy(data);
    bp_net_destroy(net);
}

/* ---- the sentence of the latest failure is each thread's own ---- */

static pthread_barrier_t all_failed;

static void *fail_and_look(void *element)
{
    size_t *number = element;
    char sentence[512], own[64];
    bool right = strcmp(bp_last_error(), "") == 0;
    bp_net *none = NULL;
    snprintf(own, sizeof own, "dtype is %zu", *number + 2000);
    right &= bp_net_create(&none, (bp_dtype)(*number + 2000), 1) == BP_ERROR_ARGUMENT;
    snprintf(sentence, sizeof sentence, "%s", bp_last_error());
    pthread_barrier_wait(&all_failed);
    right &= strstr(sentence, own) && strcmp(sentence, bp_last_error()) == 0;
    *number = right;
    return NULL;
}

static void test_last_error(void **state)
{
    (void)state;
    size_t numbers[READERS];
    char before[512];
    REFUSED(bp_net_create(NULL, REAL_DTYPE, 1), BP_ERROR_ARGUMENT, "net is NULL");
    snprintf(before, sizeof before, "%s", bp_last_error());
    assert_int_equal(pthread_barrier_init(&all_failed, NULL, READERS), 0);
    for (size_t i = 0; i < READERS; i++) {
        numbers[i] = i;
    }
    on_threads(READERS, fail_and_look, numbers, sizeof *numbers);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(numbers[i], 1);
    }
    pthread_barrier_destroy(&all_failed);
    assert_string_equal(before, bp_last_error());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_net),    cmocka_unit_test(test_trainer_beside_readers),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_lives),
        cmocka_unit_test(test_last_error),
    };
    return cmocka_run_group_tests(tests, make_samples, NULL);
}
