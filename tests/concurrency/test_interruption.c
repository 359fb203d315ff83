/*
 * Threads that are cancelled, and signals, in the middle of calls: no call is a cancellation point, so that each is made as a whole or not at all,
 * and handlers run on the application's threads alone. Bits, files and what is held are as without them.
 */
#define _GNU_SOURCE

#include "concurrency/scene.h"

#include <bp/model.h>

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { STEPS = 400, CANCELS = THREAD_SANITIZER ? 10 : 60, SAVES = 20 };

/* ---- cancelled threads ---- */

typedef struct victim {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    const char *path; /* of a model file, or NULL: it trains */
    atomic_bool failed;
} victim;

static void *train_until_cancelled(void *argument)
{
    victim *v = argument;
    for (;;) {
        v->failed = v->failed || train(v->net, v->ws, v->opt, bp_optimizer_step_count(v->opt)) != BP_OK;
        pthread_testcancel();
    }
    return NULL;
}

static void *use_file_until_cancelled(void *argument)
{
    victim *v = argument;
    for (;;) {
        bp_net *loaded = NULL;
        v->failed = v->failed || bp_net_save(v->net, v->path) != BP_OK || bp_net_load(&loaded, v->path) != BP_OK;
        bp_net_destroy(loaded);
        pthread_testcancel();
    }
    return NULL;
}

static void cancel_after(long microseconds, void *(*function)(void *), victim *v)
{
    pthread_t thread;
    void *result;
    assert_int_equal(pthread_create(&thread, NULL, function, v), 0);
    sleep_microseconds(microseconds);
    assert_int_equal(pthread_cancel(thread), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_false(v->failed);
}

static void test_cancelled_steps(void **state)
{
    (void)state;
    for (size_t n_threads = 1; n_threads <= 4; n_threads++) {
        victim v = {.net = make_wide_net()};
        v.ws = make_workspace(v.net, n_threads);
        v.opt = make_optimizer(v.net);
        for (long i = 0; i < CANCELS; i++) { /* one thread after the other goes on where the one before it was cancelled */
            cancel_after(i * 173 % 1500, train_until_cancelled, &v);
        }
        must(train(v.net, v.ws, v.opt, bp_optimizer_step_count(v.opt)));
        real *theta = train_alone(bp_optimizer_step_count(v.opt));
        assert_true(has_parameters(v.net, theta));
        free(theta);
        bp_optimizer_destroy(v.opt);
        bp_workspace_destroy(v.ws);
        bp_net_destroy(v.net);
    }
}

/* A thread that is to be cancelled already when it ends a workspace. */
static void *end_workspace(void *argument)
{
    victim *v = argument;
    pthread_cancel(pthread_self());
    bp_workspace_destroy(v->ws);
    v->ws = NULL;
    pthread_testcancel();
    return NULL;
}

static void test_cancelled_end(void **state)
{
    (void)state;
    bp_net *net = make_wide_net();
    victim v = {.net = net, .ws = make_workspace(net, 3)};
    cancel_after(0, end_workspace, &v);
    assert_null(v.ws);
    bp_net_destroy(net);
}

static int count_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    int n = 0;
    while (entries && readdir(entries)) {
        n++;
    }
    if (entries) {
        closedir(entries);
    }
    return n;
}

static char folder[] = "/tmp/bp-interruption-XXXXXX", path[64];

static void test_cancelled_files(void **state)
{
    (void)state;
    if (!bp_has_feature("files")) {
        skip();
    }
    victim v = {.net = make_wide_net(), .path = path};
    int n_open = count_entries("/proc/self/fd");
    for (long i = 0; i < CANCELS; i++) {
        cancel_after(i * 173 % 3000, use_file_until_cancelled, &v);
    }
    assert_int_equal(count_entries("/proc/self/fd"), n_open);
    assert_int_equal(count_entries(folder), 3); /* ".", ".." and the file */
    bp_net_destroy(v.net);
}

/* ---- signals ---- */

static _Thread_local bool is_own_thread;
static atomic_int n_handled, n_elsewhere;
static volatile double handled_sum;

static void handle(int signal)
{
    atomic_int *counter = is_own_thread ? &n_handled : &n_elsewhere;
    handled_sum += 1.0 / (signal + 3.0); /* the handler is free to compute */
    (*counter)++;
}

/* Has signals come to a thread until the storm has ended: of a timer, and by pthread_kill. */
typedef struct storm {
    pthread_t target, thread;
    atomic_bool ends;
} storm;

static void *send_signals(void *argument)
{
    storm *s = argument;
    while (!s->ends) {
        pthread_kill(s->target, SIGUSR1);
        sleep_microseconds(50);
    }
    return NULL;
}

static void begin_storm(storm *s)
{
    *s = (storm){.target = pthread_self()};
    is_own_thread = true;
    n_handled = n_elsewhere = 0;
    sigset_t all, before;
    struct sigaction action = {.sa_handler = handle}; /* no SA_RESTART: calls of the system are broken off */
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    const struct itimerval often = {{0, 200}, {0, 200}};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the sender gets none */
    assert_int_equal(pthread_create(&s->thread, NULL, send_signals, s), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void end_storm(storm *s)
{
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    s->ends = true;
    pthread_join(s->thread, NULL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGALRM, SIG_IGN);
#ifndef __SANITIZE_THREAD__ /* which keeps signals back while a thread computes */
    assert_true(n_handled > 0);
#endif
    assert_int_equal(n_elsewhere, 0);
}

static void test_signals_in_steps(void **state)
{
    (void)state;
    real *expected = train_alone(STEPS);
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        bp_net *net = make_wide_net();
        bp_workspace *ws = make_workspace(net, n_threads);
        bp_optimizer *opt = make_optimizer(net);
        storm s;
        begin_storm(&s);
        bool right = true;
        for (uint64_t i = 0; i < STEPS; i++) {
            right = right && train(net, ws, opt, i) == BP_OK;
        }
        end_storm(&s);
        assert_true(right && has_parameters(net, expected));
        bp_optimizer_destroy(opt);
        bp_workspace_destroy(ws);
        bp_net_destroy(net);
    }
    free(expected);
}

static void test_signals_in_files(void **state)
{
    (void)state;
    if (!bp_has_feature("files")) {
        skip();
    }
    bp_net *net = make_wide_net();
    real *theta = malloc(PARAMETERS * sizeof *theta);
    must(REAL(bp_net_get_parameters)(net, theta));
    storm s;
    begin_storm(&s);
    bool right = true;
    for (int i = 0; i < SAVES && right; i++) {
        bp_net *loaded = NULL;
        right = bp_net_save(net, path) == BP_OK && bp_net_load(&loaded, path) == BP_OK && has_parameters(loaded, theta);
        bp_net_destroy(loaded);
    }
    end_storm(&s);
    if (!right) {
        fail_msg("%s", bp_last_error());
    }
    free(theta);
    bp_net_destroy(net);
}

static int set_up(void **state)
{
    make_samples(state);
    if (!mkdtemp(folder)) {
        return 1;
    }
    snprintf(path, sizeof path, "%s/net.safetensors", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancelled_steps),  cmocka_unit_test(test_cancelled_end),    cmocka_unit_test(test_cancelled_files),
        cmocka_unit_test(test_signals_in_steps), cmocka_unit_test(test_signals_in_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
