/*
 * Every public call with every call to the system failing that it depends on, one at a time: the first, the second, … until the call does
 * without a failure. A failure is reported by its status and a sentence, leaves everything as it was, and the same call then does what it
 * does where nothing has failed; nothing is leaked.
 *
 * With an argument the program prints the names of all calls that it makes, for failures/covered.
 */
#include "failures/flow.h"

#include <stdlib.h>
#include <string.h>

/* Of many calls of a kind not all fail, unless the environment has BP_FAILURES_ALL: after these ever fewer do. */
enum { ALL_OF_THE_FIRST = 64, MOST_CALLS = 100000 };

static const flow *const rooms[] = {net_flows, model_flows, data_flows, train_flows, reading_flows};

static const bp_status expected[FAILING_KINDS] = {
    [FAILING_MEMORY] = BP_ERROR_MEMORY, [FAILING_FILES] = BP_ERROR_IO, [FAILING_THREADS] = BP_ERROR_MEMORY};

static void must_be_same(const flow *f, const char *kind, long n, const char *when, const world *w, const view *expected_view)
{
    view seen;
    world_look(w, &seen);
    const char *difference = world_difference(&seen, expected_view);
    if (difference) {
        fail_msg("%s, %s %ld: %s: another %s", f->calls, kind, n, when, difference);
    }
}

/*
 * Nothing has changed. There is one exception: where a new file is in its place already when the folder cannot be flushed to the disk, files may
 * be as after a success.
 */
static void must_be_untouched(const flow *f, const char *kind, long n, const world *w, const view *before, const view *after)
{
    if (f->kinds & GOES_ON) {
        return;
    }
    view replaced = f->kinds & FILES ? world_with_files(before, after) : *before, seen;
    world_look(w, &seen);
    must_be_same(f, kind, n, "after the failure", w, world_difference(&seen, &replaced) ? before : &replaced);
}

static void prepare(const flow *f, world *w)
{
    world_open(w);
    if (f->prepare) {
        f->prepare(w);
    }
}

static void must_hold(const flow *f, const char *kind, long n, failing_balance held)
{
    failing_balance now = failing_held();
    if (now.blocks != held.blocks || now.files != held.files || now.mappings != held.mappings || now.threads != held.threads) {
        fail_msg("%s, %s %ld: it leaks %ld blocks, %ld files, %ld mappings, %ld threads", f->calls, kind, n, now.blocks - held.blocks,
                 now.files - held.files, now.mappings - held.mappings, now.threads - held.threads);
    }
}

/* The call's n-th call to the system fails. Whether it made so many; *reported, whether it said that it could not. */
static bool fail_once(const flow *f, failing_kind kind, long n, const view *before, const view *after, bool *reported)
{
    const char *name = failing_kind_names[kind];
    failing_balance held = failing_held();
    world w;
    prepare(f, &w);
    failing_arm(kind, n);
    bp_status status = f->run(&w);
    bool has_failed = failing_disarm();
    *reported = status != BP_OK;
    if (*reported) {
        const char *sentence = bp_last_error();
        if (!has_failed || status != expected[kind] || !*sentence || (kind == FAILING_MEMORY && !strstr(sentence, "memory"))) {
            fail_msg("%s, %s %ld: %s: %s", f->calls, name, n, bp_status_name(status), sentence);
        }
        must_be_untouched(f, name, n, &w, before, after);
        must(f->run(&w));
    }
    must_be_same(f, name, n, *reported ? "when called again" : "without a failure", &w, after);
    world_close(&w);
    must_hold(f, name, n, held);
    return has_failed;
}

static void fail_each(void **state)
{
    const flow *f = *state;
    if ((f->kinds & LBFGS && !bp_has_feature("lbfgs")) || (f->kinds & ONNX && !bp_has_feature("onnx"))) {
        skip();
    }
    view before, after;
    world w;
    prepare(f, &w);
    world_look(&w, &before);
    must(f->run(&w));
    world_look(&w, &after);
    world_close(&w);
    for (failing_kind kind = FAILING_MEMORY; kind < FAILING_KINDS; kind++) {
        long n = 0, n_failed = 0, n_reported = 0;
        bool reported;
        while (fail_once(f, kind, n, &before, &after, &reported)) {
            n_reported += reported;
            n_failed++;
            n += getenv("BP_FAILURES_ALL") || n < ALL_OF_THE_FIRST ? 1 : 1 + n / 16;
            assert_true(n < MOST_CALLS);
        }
        if ((n_reported > 0) != ((f->kinds >> kind & 1) != 0)) {
            fail_msg("%s: %ld failures of %s are reported", f->calls, n_reported, failing_kind_names[kind]);
        }
        if (n) {
            print_message("%s: %ld of %s fail, %ld are reported\n", f->calls, n_failed, failing_kind_names[kind], n_reported);
        }
    }
}

/*
 * The process's first threads: what they need is made once, and a failure there is none for ever. Has to be called before any other test.
 */
static void test_first_threads(void **state)
{
    (void)state;
    world w;
    world_open(&w);
    bp_status status = BP_ERROR_MEMORY;
    long n = 0;
    for (; status != BP_OK && n < MOST_CALLS; n++) {
        failing_arm(FAILING_THREADS, n);
        status = bp_workspace_set_threads(w.ws, 2);
        failing_disarm();
        assert_true(status == BP_OK || status == BP_ERROR_MEMORY);
    }
    must(status);
    assert_int_equal(bp_workspace_threads(w.ws), 2);
    world_close(&w);
}

enum { MOST_TESTS = 200 };

int main(int argc, char **argv)
{
    (void)argv;
    struct CMUnitTest tests[MOST_TESTS] = {cmocka_unit_test(test_first_threads)};
    size_t n = 1;
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        for (const flow *f = rooms[i]; f->calls && n < MOST_TESTS; f++) {
            tests[n++] = (struct CMUnitTest){.name = f->calls, .test_func = fail_each, .initial_state = (void *)(uintptr_t)f};
            if (argc > 1) {
                puts(f->calls);
            }
        }
    }
    return argc > 1 ? 0 : _cmocka_run_group_tests("failures", tests, n, world_prepare, world_remove);
}
