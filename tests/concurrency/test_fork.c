/*
 * After fork, both sides go on with the same bits: in the child a workspace has one thread, and can be given new ones. Also when another thread is
 * in the middle of a step of its own. What a child found is its exit status: 0, or the number of the check that failed.
 */
#define _POSIX_C_SOURCE 200809L

#include "concurrency/scene.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 12, FORKS = THREAD_SANITIZER ? 5 : 40, STUCK_SECONDS = 60 };

static real *expected; /* after 2 × STEPS */

static int set_up(void **state)
{
    make_samples(state);
    expected = train_alone(2 * STEPS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(expected);
    return 0;
}

static void expect_good_child(pid_t child)
{
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("the child ended with %s %d", WIFEXITED(status) ? "check" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : status);
    }
}

typedef struct scene {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
} scene;

static scene begin_scene(size_t n_threads)
{
    scene s = {.net = make_wide_net()};
    s.ws = make_workspace(s.net, n_threads);
    s.opt = make_optimizer(s.net);
    for (uint64_t i = 0; i < STEPS; i++) {
        must(train(s.net, s.ws, s.opt, i));
    }
    return s;
}

/* The other half of the steps. */
static bool go_on(const scene *s)
{
    bool right = true;
    for (uint64_t i = STEPS; i < 2 * STEPS && right; i++) {
        right = train(s->net, s->ws, s->opt, i) == BP_OK;
    }
    return right && has_parameters(s->net, expected);
}

static void end_scene(scene *s)
{
    bp_optimizer_destroy(s->opt);
    bp_workspace_destroy(s->ws);
    bp_net_destroy(s->net);
}

static int live_as_child(scene *s, bool with_threads, bool has_child)
{
    alarm(STUCK_SECONDS);
    if (bp_workspace_threads(s->ws) != 1) {
        return 1;
    }
    /* ThreadSanitizer allows no new threads in a child of several threads */
    if (with_threads && !THREAD_SANITIZER && (bp_workspace_set_threads(s->ws, 2) != BP_OK || bp_workspace_threads(s->ws) != 2)) {
        return 2;
    }
    if (has_child) {
        pid_t child = fork();
        if (child == 0) {
            _exit(live_as_child(s, with_threads, false));
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) {
            return 3;
        }
    }
    if (!go_on(s)) {
        return 4;
    }
    end_scene(s);
    return 0;
}

static void test_idle(void **state)
{
    (void)state;
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        for (int variant = 0; variant < 4; variant++) {
            scene s = begin_scene(n_threads);
            sleep_microseconds(variant % 2 ? 1000 : 0); /* the threads sleep, or spin */
            pid_t child = fork();
            if (child == 0) {
                _exit(live_as_child(&s, variant / 2, variant == 2));
            }
            expect_good_child(child);
            assert_int_equal(bp_workspace_threads(s.ws), n_threads);
            assert_true(go_on(&s));
            end_scene(&s);
        }
    }
}

/* A thread that trains while another forks. */
typedef struct worker {
    scene scene;
    atomic_bool ends;
    uint64_t n_steps;
    bool failed;
} worker;

static void *work(void *argument)
{
    worker *w = argument;
    while (!w->ends && !w->failed) {
        w->failed = train(w->scene.net, w->scene.ws, w->scene.opt, w->n_steps++) != BP_OK;
    }
    return NULL;
}

static int live_beside_interrupted(scene *own, worker *interrupted)
{
    alarm(STUCK_SECONDS);
    end_scene(&interrupted->scene); /* in whatever state it was */
    return live_as_child(own, false, false);
}

static void test_step_of_another_thread(void **state)
{
    (void)state;
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        worker w = {.scene = begin_scene(n_threads), .n_steps = STEPS};
        scene own = begin_scene(2);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, work, &w), 0);
        for (long i = 0; i < FORKS; i++) {
            sleep_microseconds(i * 37 % 500); /* at ever other places of a step */
            pid_t child = fork();
            if (child == 0) {
                _exit(live_beside_interrupted(&own, &w));
            }
            expect_good_child(child);
        }
        w.ends = true;
        pthread_join(thread, NULL);
        assert_false(w.failed);
        real *theta = train_alone(w.n_steps);
        assert_true(has_parameters(w.scene.net, theta));
        assert_true(go_on(&own));
        free(theta);
        end_scene(&own);
        end_scene(&w.scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_idle), cmocka_unit_test(test_step_of_another_thread)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
