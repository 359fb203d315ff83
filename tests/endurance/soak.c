/*
 * A net that learns on-line for as long as one likes: memory and the time of a step stay what they were, parameters stay finite.
 *
 *     soak_f32 [STEPS]    1,000,000 unless it is said
 *
 * Blocks of steps are timed by the thread's own clock, and the median of the last tenth is held against that of the first. A moment at which the
 * machine is slower passes, and what is wrong with the library does not: so a difference counts only when more blocks confirm it.
 */
#define _GNU_SOURCE /* mallinfo2, nanosleep */

#include "core/real.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
#define HAVE_MALLINFO2 1
#else
#define HAVE_MALLINFO2 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

enum { TENTHS = 10, BLOCKS = 100, CALL = 64, MAX_PARAMETERS = 64 }; /* BLOCKS in a tenth; CALL steps in one call */

static const size_t kept = 4096;        /* of allocated bytes: freed blocks that the allocator keeps at hand count among them */
static const size_t slack = 128 * 1024; /* of resident memory: pages of code and tables that are touched late */
static const double most = 1.5;         /* times as slow */
static uint64_t steps = 1000000;

static real x[CALL * 2], target[CALL];

typedef struct fixture {
    bp_net *net;
    bp_optimizer *opt;
    bp_workspace *ws;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    for (size_t i = 0; i < CALL; i++) {
        x[2 * i] = (real)number(2 * i);
        x[2 * i + 1] = (real)number(2 * i + 1);
        target[i] = (real)(x[2 * i] * x[2 * i + 1] > 0);
    }
    f.net = make_net(REAL_DTYPE, 2, 3, (const size_t[]){3, 2, 1}, BP_ACTIVATION_TANH, BP_ACTIVATION_SIGMOID, 1, 1);
    must(bp_optimizer_create(&f.opt, BP_METHOD_SGD, f.net));
    must(bp_optimizer_set(f.opt, BP_OPTIMIZER_LEARNING_RATE, 0.05));
    must(bp_workspace_create(&f.ws, f.net, 1));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    bp_workspace_destroy(f->ws);
    bp_optimizer_destroy(f->opt);
    bp_net_destroy(f->net);
    return 0;
}

static size_t allocated(void)
{
#if HAVE_MALLINFO2
    struct mallinfo2 information = mallinfo2();
    return information.uordblks + information.hblkhd;
#else
    return 0;
#endif
}

static size_t resident(void)
{
    unsigned long total, pages;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &total, &pages), 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* So many steps, half of them in calls of one; the second workspace is another one each time. */
static void learn(const fixture *f, uint64_t n)
{
    static size_t round;
    const size_t sizes[] = {1, 2, 7, 64, 300};
    while (n > 0) {
        size_t many = n < CALL ? (size_t)n : CALL;
        if (round % 16 == 0) {
            bp_workspace *other;
            must(bp_workspace_create(&other, f->net, sizes[round / 16 % 5]));
            must(REAL(bp_net_train_online)(f->net, other, f->opt, BP_LOSS_BINARY_CROSS_ENTROPY, many, x, target, NULL));
            bp_workspace_destroy(other);
        } else if (round % 2 == 0) {
            must(REAL(bp_net_train_online)(f->net, f->ws, f->opt, BP_LOSS_BINARY_CROSS_ENTROPY, many, x, target, NULL));
        } else {
            for (size_t i = 0; i < many; i++) {
                real loss;
                must(REAL(bp_net_train_step)(f->net, f->ws, f->opt, BP_LOSS_BINARY_CROSS_ENTROPY, 1, x + 2 * i, target + i, &loss));
            }
        }
        round++;
        n -= many;
    }
}

static int compare(const void *a, const void *b)
{
    double u = *(const double *)a, v = *(const double *)b;
    return (u > v) - (u < v);
}

/* The median time of a step in a tenth of all. */
static double learn_tenth(const fixture *f)
{
    double seconds[BLOCKS];
    uint64_t n = steps / TENTHS / BLOCKS;
    for (size_t i = 0; i < BLOCKS; i++) {
        double start = thread_seconds();
        learn(f, n);
        seconds[i] = (thread_seconds() - start) / (double)n;
    }
    qsort(seconds, BLOCKS, sizeof *seconds, compare);
    return seconds[BLOCKS / 2];
}

static void check_finite(const fixture *f)
{
    real theta[MAX_PARAMETERS];
    size_t n = bp_net_parameter_count(f->net);
    assert_in_range(n, 1, MAX_PARAMETERS);
    must(REAL(bp_net_get_parameters)(f->net, theta));
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(theta[i]));
    }
}

static void say(uint64_t done, double seconds)
{
    print_message("soak: %llu steps, %.1f ns a step, %zu bytes allocated, %zu KiB resident\n", (unsigned long long)done, 1e9 * seconds,
                  allocated(), resident() / 1024);
}

static void test_soak(void **state)
{
    const fixture *f = *state;
    learn_tenth(f); /* to warm up: what is made at the first use, and the first lines of output */
    double first = learn_tenth(f), last = first;
    say(2 * steps / TENTHS, first);
    size_t allocated_before = allocated(), resident_before = resident();
    for (uint64_t tenth = 3; tenth <= TENTHS; tenth++) {
        last = learn_tenth(f);
        say(tenth * steps / TENTHS, last);
        check_finite(f);
        if (!SANITIZED) {
            assert_in_range(allocated(), 0, allocated_before + kept);
            assert_in_range(resident(), 0, resident_before + slack);
        }
    }
    for (int i = 0; i < 40 && last > most * first; i++) {
        nanosleep(&(struct timespec){0, 250000000}, NULL);
        last = learn_tenth(f);
    }
    print_message("soak: the last steps took %.2f times as long as the first\n", last / first);
    assert_true(last <= most * first);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        steps = strtoull(argv[1], NULL, 10);
    }
    if (argc > 2 || steps < (uint64_t)TENTHS * BLOCKS) {
        fprintf(stderr, "usage: %s [STEPS]    %d or more\n", argv[0], TENTHS * BLOCKS);
        return 2;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_soak, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
