/*
 * The thread pool: who runs, in which order, how it waits, and that nothing is left behind. What it asks of the system is counted, and
 * pthread_create made to fail, by functions that the linker puts in between (--wrap).
 */
#define _GNU_SOURCE

#include "core/pool.h"
#include "support/check.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#define THREAD_SANITIZER __has_feature(thread_sanitizer)
#else
#define THREAD_SANITIZER 0
#endif

enum { MAX_THREADS = 8, MILLISECOND = 1000000 };

static const size_t counts[] = {1, 2, 3, 8};
enum { N_COUNTS = sizeof counts / sizeof *counts };

static atomic_bool sleeps_late; /* who falls asleep takes some milliseconds for it */
static atomic_int system_calls; /* that may have been made: to sleep, to wake */
static int creates_before_failure = -1, create_error;
static bool only_with_attributes;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
int __real_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __real_pthread_cond_broadcast(pthread_cond_t *condition);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    if (creates_before_failure == 0 && (attributes || !only_with_attributes)) {
        return create_error;
    }
    if (creates_before_failure > 0) {
        creates_before_failure--;
    }
    return __real_pthread_create(thread, attributes, start, argument);
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    system_calls++;
    if (sleeps_late) {
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    return __real_pthread_cond_wait(condition, mutex);
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
    system_calls++;
    return __real_pthread_cond_broadcast(condition);
}

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 * MILLISECOND + t.tv_nsec;
}

static void sleep_milliseconds(int n)
{
    nanosleep(&(struct timespec){n / 1000, n % 1000 * MILLISECOND}, NULL);
}

static bp_pool *make_pool(size_t n_threads)
{
    bp_pool *pool;
    must(bp_pool_create("test", &pool, n_threads));
    assert_int_equal(bp_pool_threads(pool), n_threads);
    return pool;
}

static int threads_at_start;

/* How many threads this process has; −1 where the system does not tell, or where a sanitizer starts some of its own. */
static int count_threads(void)
{
    DIR *tasks = THREAD_SANITIZER ? NULL : opendir("/proc/self/task");
    if (!tasks) {
        return -1;
    }
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(tasks));) {
        n += entry->d_name[0] != '.';
    }
    closedir(tasks);
    return n;
}

/* One that is joined may still be seen for a moment. */
static void must_have_threads(int n_helpers)
{
    const int expected = threads_at_start < 0 ? -1 : threads_at_start + n_helpers;
    for (int i = 0; i < 5000 && count_threads() != expected; i++) {
        sleep_milliseconds(1);
    }
    assert_int_equal(count_threads(), expected);
}

/* Counts how often each thread has run. Not atomic: the pool has to order them. */
typedef struct tally {
    size_t n_threads, runs[MAX_THREADS];
    bool wrong;
} tally;

static void count_run(void *argument, size_t thread, size_t n_threads)
{
    tally *t = argument;
    t->runs[thread]++;
    if (n_threads != t->n_threads) {
        t->wrong = true;
    }
}

static void test_every_thread_runs_once(void **state)
{
    (void)state;
    for (size_t c = 0; c < N_COUNTS; c++) {
        bp_pool *pool = make_pool(counts[c]);
        for (size_t run = 1; run <= 1000; run++) {
            tally t = {.n_threads = run % counts[c] + 1}; /* 1 … all of them, in turn */
            bp_pool_run(pool, t.n_threads, count_run, &t);
            for (size_t i = 0; i < MAX_THREADS; i++) {
                if (t.wrong || t.runs[i] != (i < t.n_threads)) {
                    fail_msg("pool of %zu, run with %zu: thread %zu ran %zu times", counts[c], t.n_threads, i, t.runs[i]);
                }
            }
        }
        tally t = {.n_threads = counts[c]};
        bp_pool_run(pool, MAX_THREADS + 1, count_run, &t); /* more than it has */
        assert_true(!t.wrong && t.runs[counts[c] - 1] == 1);
        bp_pool_destroy(pool);
    }
    bp_pool_destroy(NULL);
}

/* In every round each thread writes its number, and after a barrier reads all others'. */
typedef struct rounds {
    bp_pool *pool;
    size_t n_rounds, written[MAX_THREADS], wrong[MAX_THREADS];
    bool staggered; /* one thread, another in each round, is late */
} rounds;

static void run_rounds(void *argument, size_t thread, size_t n_threads)
{
    rounds *r = argument;
    for (size_t round = 1; round <= r->n_rounds; round++) {
        if (r->staggered && round % n_threads == thread) {
            sleep_milliseconds(2);
        }
        r->written[thread] = round;
        bp_pool_barrier(r->pool, thread);
        for (size_t i = 0; i < n_threads; i++) {
            r->wrong[thread] += r->written[i] != round;
        }
        bp_pool_barrier(r->pool, thread);
    }
}

static void check_rounds(bp_pool *pool, size_t n_threads, size_t n_rounds, bool staggered)
{
    rounds r = {.pool = pool, .n_rounds = n_rounds, .staggered = staggered};
    bp_pool_run(pool, n_threads, run_rounds, &r);
    for (size_t i = 0; i < n_threads; i++) {
        if (r.written[i] != n_rounds || r.wrong[i]) {
            fail_msg("thread %zu of %zu: %zu of %zu rounds, %zu times wrong", i, n_threads, r.written[i], n_rounds, r.wrong[i]);
        }
    }
}

static void test_barriers_order_phases(void **state)
{
    (void)state;
    for (size_t c = 0; c < N_COUNTS; c++) {
        bp_pool *pool = make_pool(counts[c]);
        check_rounds(pool, counts[c], counts[c] <= 2 ? 100000 : 1000, false);
        for (size_t n = 1; n <= counts[c]; n++) { /* those that were left out come back */
            check_rounds(pool, n, 50, false);
        }
        check_rounds(pool, counts[c], 50, false);
        check_rounds(pool, counts[c], 10, true);
        bp_pool_destroy(pool);
    }
}

static void test_sleeping_pool_wakes(void **state)
{
    (void)state;
    bp_pool *pool = make_pool(3);
    for (int i = 0; i < 100; i++) {
        nanosleep(&(struct timespec){0, i * MILLISECOND / 50}, NULL); /* from still spinning to asleep */
        check_rounds(pool, (size_t)(i % 3) + 1, 3, false);
    }
    bp_pool_destroy(pool);
}

/* Who is woken while it falls asleep is awake. */
static void test_wakes_who_falls_asleep(void **state)
{
    (void)state;
    bp_pool *pool = make_pool(2);
    alarm(20); /* a hang ends it */
    sleeps_late = true;
    for (int i = 0; i < 20; i++) {
        sleep_milliseconds(1);
        check_rounds(pool, 2, 1, false);
    }
    sleeps_late = false;
    alarm(0);
    bp_pool_destroy(pool);
}

static void test_idle_pool_uses_no_processor(void **state)
{
    (void)state;
    bp_pool *pool = make_pool(4);
    int64_t used = 0;
    for (int attempt = 0; attempt < 2; attempt++) { /* before the first run, after one */
        sleep_milliseconds(20);
        int64_t start = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
        sleep_milliseconds(100);
        used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start;
        if (used > 5 * MILLISECOND) {
            fail_msg("an idle pool used %lld ns in 100 ms", (long long)used);
        }
        check_rounds(pool, 4, 10, false);
    }
    bp_pool_destroy(pool);
}

/* Two threads can run at the same time here: there are processors for them, and valgrind is not there to run one after the other. */
static bool runs_in_parallel(void)
{
    cpu_set_t set;
    const char *preloaded = getenv("LD_PRELOAD");
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 1 && !(preloaded && strstr(preloaded, "vgpreload"));
}

/* Other programs can take the processor from us at any time: what is asked is that, now and then, 1,000 runs need nothing of the system. */
static void test_warm_pool_makes_no_system_call(void **state)
{
    (void)state;
    if (!runs_in_parallel()) {
        print_message("skipped: two threads cannot run at the same time\n");
        skip();
    }
    bp_pool *pool = make_pool(2);
    int made = 0;
    for (int64_t end = nanoseconds(CLOCK_MONOTONIC) + 20000LL * MILLISECOND; nanoseconds(CLOCK_MONOTONIC) < end;) {
        rounds r = {.pool = pool, .n_rounds = 2};
        bp_pool_run(pool, 2, run_rounds, &r);
        int before = system_calls;
        for (int run = 0; run < 1000; run++) {
            bp_pool_run(pool, 2, run_rounds, &r);
        }
        made = system_calls - before;
        if (made == 0) {
            break;
        }
    }
    sleep_milliseconds(20);
    assert_true(system_calls > 0); /* they are counted */
    bp_pool_destroy(pool);
    assert_int_equal(made, 0);
}

/* With one processor for all of them, a round costs a few switches between threads, not a time slice for each thread. */
static void test_one_processor(void **state)
{
    (void)state;
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &one);
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int64_t start = nanoseconds(CLOCK_PROCESS_CPUTIME_ID); /* what others use of the processor is not our time */
    for (size_t n = 2; n <= 4; n++) {
        bp_pool *pool = make_pool(n);
        check_rounds(pool, n, 200, false);
        for (int i = 0; i < 200; i++) {
            check_rounds(pool, n, 1, false);
        }
        bp_pool_destroy(pool);
    }
    int64_t used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    if (used > 2000LL * MILLISECOND) {
        fail_msg("1,200 rounds on one processor took %lld ns", (long long)used);
    }
}

/* What a child forked from a pool's caller must be able to do; the number of the step that failed, 0 if all went well. */
static int use_in_child(bp_pool *pool)
{
    alarm(20); /* a hang ends it */
    tally t = {.n_threads = 1};
    rounds r = {.pool = pool, .n_rounds = 100};
    if (bp_pool_threads(pool) != 1) {
        return 1;
    }
    bp_pool_run(pool, 4, count_run, &t);
    if (t.wrong || t.runs[0] != 1) {
        return 2;
    }
    bp_pool_run(pool, 4, run_rounds, &r);
    if (r.written[0] != 100 || r.wrong[0]) {
        return 3;
    }
    bp_pool_destroy(pool);
    if (THREAD_SANITIZER) {
        return 0; /* it allows no threads in a child of several threads */
    }
    if (bp_pool_create("test", &pool, 2) != BP_OK || bp_pool_threads(pool) != 2) {
        return 4;
    }
    r = (rounds){.pool = pool, .n_rounds = 100};
    bp_pool_run(pool, 2, run_rounds, &r);
    bp_pool_destroy(pool);
    return r.written[1] == 100 && !r.wrong[0] && !r.wrong[1] ? 0 : 5;
}

static void test_fork(void **state)
{
    (void)state;
    for (int asleep = 0; asleep <= 1; asleep++) {
        bp_pool *pool = make_pool(4);
        check_rounds(pool, 4, 10, false);
        if (asleep) {
            sleep_milliseconds(20);
        }
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(use_in_child(pool));
        }
        check_rounds(pool, 4, 10, false); /* the parent goes on */
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
            fail_msg("the child of %s pool ended with status %d", asleep ? "a sleeping" : "an awake", result);
        }
        assert_int_equal(bp_pool_threads(pool), 4);
        bp_pool_destroy(pool);
    }
}

static void test_bad_counts(void **state)
{
    (void)state;
    static const size_t bad[] = {0, BP_POOL_MAX_THREADS + 1, SIZE_MAX};
    bp_pool *pool = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        must_refuse("n_threads", bp_pool_create("bp_workspace_set_threads", &pool, bad[i]), BP_ERROR_ARGUMENT, "n_threads");
        must_refuse("n_threads", bp_pool_create("bp_workspace_set_threads", &pool, bad[i]), BP_ERROR_ARGUMENT, "bp_workspace_set_threads");
        assert_null(pool);
    }
}

static void test_threads_that_cannot_be_had(void **state)
{
    (void)state;
    create_error = EAGAIN;
    for (int had = 0; had < 4; had++) {
        bp_pool *pool = NULL;
        creates_before_failure = had;
        bp_status status = bp_pool_create("bp_workspace_set_threads", &pool, 5);
        creates_before_failure = -1;
        char words[64];
        snprintf(words, sizeof words, "bp_workspace_set_threads: only %d of 5 threads", had + 1);
        must_refuse("pthread_create", status, BP_ERROR_MEMORY, words);
        assert_null(pool);
        must_have_threads(0);
    }
}

/* Where the pool's small stack is refused, the usual one serves. */
static void test_stack_too_small(void **state)
{
    (void)state;
    create_error = EINVAL;
    only_with_attributes = true;
    creates_before_failure = 0;
    bp_pool *pool;
    bp_status status = bp_pool_create("test", &pool, 3);
    creates_before_failure = -1;
    only_with_attributes = false;
    must(status);
    check_rounds(pool, 3, 10, false);
    bp_pool_destroy(pool);
}

static void test_no_thread_outlives_the_pool(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        bp_pool *pool = make_pool(4);
        check_rounds(pool, (size_t)(i % 4) + 1, 5, false);
        bp_pool_destroy(pool);
    }
    must_have_threads(0);
    bp_pool *pool = make_pool(4);
    must_have_threads(3);
    bp_pool_destroy(pool);
    must_have_threads(0);
}

static void look_at_signals(void *argument, size_t thread, size_t n_threads)
{
    (void)n_threads;
    pthread_sigmask(SIG_SETMASK, NULL, (sigset_t *)argument + thread);
}

static void test_signals(void **state)
{
    (void)state;
    static const struct {
        int signal, blocked;
    } cases[] = {{SIGINT, 1}, {SIGALRM, 1}, {SIGPROF, 1}, {SIGUSR1, 1}, {SIGCHLD, 1}, {SIGSEGV, 0}, {SIGFPE, 0}};
    sigset_t before, own, masks[2];
    sigemptyset(&own);
    sigaddset(&own, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &own, &before);
    bp_pool *pool = make_pool(2);
    bp_pool_run(pool, 2, look_at_signals, masks);
    bp_pool_destroy(pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sigismember(&masks[0], cases[i].signal), cases[i].signal == SIGUSR1);
        assert_int_equal(sigismember(&masks[1], cases[i].signal), cases[i].blocked);
    }
}

/* Several pools, each with a caller of its own, as several workspaces have. */
static void *use_pool(void *result)
{
    bp_pool *pool;
    if (bp_pool_create("test", &pool, 2) != BP_OK) {
        return NULL;
    }
    rounds r = {.pool = pool, .n_rounds = 2000};
    bp_pool_run(pool, 2, run_rounds, &r);
    bp_pool_destroy(pool);
    *(bool *)result = r.written[1] == 2000 && !r.wrong[0] && !r.wrong[1];
    return NULL;
}

static void test_several_pools(void **state)
{
    (void)state;
    pthread_t callers[3];
    bool well[3] = {false};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&callers[i], NULL, use_pool, &well[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(callers[i], NULL);
        assert_true(well[i]);
    }
}

int main(void)
{
    threads_at_start = count_threads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_thread_runs_once),
        cmocka_unit_test(test_barriers_order_phases),
        cmocka_unit_test(test_sleeping_pool_wakes),
        cmocka_unit_test(test_wakes_who_falls_asleep),
        cmocka_unit_test(test_idle_pool_uses_no_processor),
        cmocka_unit_test(test_warm_pool_makes_no_system_call),
        cmocka_unit_test(test_one_processor),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_bad_counts),
        cmocka_unit_test(test_threads_that_cannot_be_had),
        cmocka_unit_test(test_stack_too_small),
        cmocka_unit_test(test_no_thread_outlives_the_pool),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_several_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
