/*
 * libbp.so as a plugin: loaded by dlopen, used, and unloaded, again and again; and two copies of it in one process. This program is not linked to
 * libbp; it has only the declarations of the headers.
 */
#define _POSIX_C_SOURCE 200809L

#include <bp/bp.h>

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef BP_TEST_SANITIZED
enum { LOADS = 20, FIRST_LOADS = 20 }; /* the sanitizers keep memory for each load */
#else
enum { LOADS = 1000, FIRST_LOADS = 100 }; /* the dynamic linker's own memory grows during the first */
#endif

enum { INPUTS = 96, UNITS = 128, BATCH = 64, STEPS = 2, PARAMETERS = (INPUTS + 1) * UNITS + UNITS + 1 };

typedef struct library {
    void *handle;
    __typeof__(bp_last_error) *last_error;
    __typeof__(bp_kernel_name) *kernel_name;
    __typeof__(bp_net_create) *net_create;
    __typeof__(bp_net_add_dense) *net_add_dense;
    __typeof__(bp_net_initialize) *net_initialize;
    __typeof__(bp_net_get_parameters_f32) *net_get_parameters;
    __typeof__(bp_net_train_step_f32) *net_train_step;
    __typeof__(bp_net_destroy) *net_destroy;
    __typeof__(bp_workspace_create) *workspace_create;
    __typeof__(bp_workspace_set_threads) *workspace_set_threads;
    __typeof__(bp_workspace_destroy) *workspace_destroy;
    __typeof__(bp_optimizer_create) *optimizer_create;
    __typeof__(bp_optimizer_destroy) *optimizer_destroy;
} library;

static void find(const library *of, const char *name, void *function)
{
    *(void **)function = dlsym(of->handle, name);
    if (!*(void **)function) {
        fail_msg("%s", dlerror());
    }
}

static library open_library(const char *path)
{
    library l = {.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    if (!l.handle) {
        fail_msg("%s", dlerror());
    }
    find(&l, "bp_last_error", &l.last_error);
    find(&l, "bp_kernel_name", &l.kernel_name);
    find(&l, "bp_net_create", &l.net_create);
    find(&l, "bp_net_add_dense", &l.net_add_dense);
    find(&l, "bp_net_initialize", &l.net_initialize);
    find(&l, "bp_net_get_parameters_f32", &l.net_get_parameters);
    find(&l, "bp_net_train_step_f32", &l.net_train_step);
    find(&l, "bp_net_destroy", &l.net_destroy);
    find(&l, "bp_workspace_create", &l.workspace_create);
    find(&l, "bp_workspace_set_threads", &l.workspace_set_threads);
    find(&l, "bp_workspace_destroy", &l.workspace_destroy);
    find(&l, "bp_optimizer_create", &l.optimizer_create);
    find(&l, "bp_optimizer_destroy", &l.optimizer_destroy);
    return l;
}

typedef struct training {
    library of;
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    int is_ok;
} training;

static float x[BATCH * INPUTS], target[BATCH];

static void make_samples(void)
{
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        x[i] = (float)(i * 37 % 101) / 101;
    }
    for (size_t i = 0; i < BATCH; i++) {
        target[i] = (float)(i % 2);
    }
}

static training begin(library of)
{
    training t = {.of = of};
    t.is_ok = of.net_create(&t.net, BP_F32, INPUTS) == BP_OK && of.net_add_dense(t.net, UNITS, BP_ACTIVATION_TANH, 1) == BP_OK &&
              of.net_add_dense(t.net, 1, BP_ACTIVATION_SIGMOID, 1) == BP_OK &&
              of.net_initialize(t.net, BP_INITIALIZER_GLOROT_UNIFORM, 1) == BP_OK && of.workspace_create(&t.ws, t.net, BATCH) == BP_OK &&
              of.workspace_set_threads(t.ws, 2) == BP_OK && of.optimizer_create(&t.opt, BP_METHOD_ADAM, t.net) == BP_OK;
    return t;
}

static void step(training *t)
{
    float loss;
    t->is_ok = t->is_ok && t->of.net_train_step(t->net, t->ws, t->opt, BP_LOSS_BINARY_CROSS_ENTROPY, BATCH, x, target, &loss) == BP_OK;
}

/* Ends all that was made; the parameters are what was learned. */
static void end(training *t, float *parameters)
{
    t->is_ok = t->is_ok && t->of.net_get_parameters(t->net, parameters) == BP_OK;
    t->of.optimizer_destroy(t->opt);
    t->of.workspace_destroy(t->ws);
    t->of.net_destroy(t->net);
}

static void load_train_and_unload(float *parameters)
{
    library l = open_library(BP_TEST_LIBRARY);
    training t = begin(l);
    for (int i = 0; i < STEPS; i++) {
        step(&t);
    }
    end(&t, parameters);
    assert_true(t.is_ok);
    assert_int_equal(dlclose(l.handle), 0);
    assert_null(dlopen(BP_TEST_LIBRARY, RTLD_NOW | RTLD_NOLOAD)); /* what follows would say nothing of a library that stays */
}

/* What a process has of each kind, read from /proc. */
typedef struct possession {
    size_t threads, files, mappings, resident_bytes, heap_bytes;
} possession;

static size_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t n = 0;
    while (readdir(folder)) {
        n++;
    }
    closedir(folder);
    return n - 2; /* "." and ".." */
}

static size_t count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = 0;
    for (int c = getc(file); c != EOF; c = getc(file)) {
        n += c == '\n';
    }
    fclose(file);
    return n;
}

static size_t count_resident_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*s %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A thread that was joined is in /proc for a moment more. */
static size_t count_threads(void)
{
    size_t n = count_entries("/proc/self/task");
    for (int wait = 0; n > 1 && wait < 1000; wait++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        n = count_entries("/proc/self/task");
    }
    return n;
}

static possession count_possession(void)
{
    return (possession){count_threads(), count_entries("/proc/self/fd"), count_lines("/proc/self/maps"), count_resident_bytes(),
                        mallinfo2().uordblks};
}

static void expect_no_growth(possession before, possession now)
{
    printf("%d loads: resident %zu -> %zu KiB, heap %zu -> %zu KiB, mappings %zu -> %zu\n", LOADS, before.resident_bytes / 1024,
           now.resident_bytes / 1024, before.heap_bytes / 1024, now.heap_bytes / 1024, before.mappings, now.mappings);
    assert_int_equal(now.threads, 1);
    assert_int_equal(now.files, before.files);
    assert_true(now.mappings <= before.mappings + 2); /* the heap's own */
    assert_true(now.heap_bytes < before.heap_bytes + 32 * 1024);
    assert_true(now.resident_bytes < before.resident_bytes + 512 * 1024);
}

/* By turns with the kernels that BP_KERNEL or the library chooses, and with OpenBLAS, which has to end with its memory as well. */
static void choose_kernels(int load)
{
    static char *before;
    if (load == 0) {
        before = getenv("BP_KERNEL");
        before = before ? strdup(before) : NULL;
    }
    if (load % 2 == 1) {
        setenv("BP_KERNEL", "blas", 1);
    } else if (before) {
        setenv("BP_KERNEL", before, 1);
    } else {
        unsetenv("BP_KERNEL");
    }
}

static void test_many_loads(void **state)
{
    (void)state;
    static float learned[2][PARAMETERS], again[PARAMETERS];
    possession before = {0};
    for (int load = 0; load < LOADS; load++) {
        choose_kernels(load);
        load_train_and_unload(load < 2 ? learned[load] : again);
        assert_true(load < 2 || memcmp(learned[load % 2], again, sizeof again) == 0);
        if (load + 1 == FIRST_LOADS) {
            before = count_possession();
        }
    }
    choose_kernels(LOADS);
    expect_no_growth(before, count_possession());
}

/* The library wants to know of forks while it is loaded; once it is gone, nothing of it may be called. */
static void test_fork_after_unloading(void **state)
{
    (void)state;
    static float parameters[PARAMETERS];
    load_train_and_unload(parameters);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- two copies ---- */

static char copied[] = "/tmp/bp_test_loading.XXXXXX";

static int copy_library(void)
{
    char block[4096];
    int descriptor = mkstemp(copied);
    FILE *from = fopen(BP_TEST_LIBRARY, "rb"), *to = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    int is_ok = from && to;
    for (size_t n = 1; is_ok && n > 0;) {
        n = fread(block, 1, sizeof block, from);
        is_ok = fwrite(block, 1, n, to) == n;
    }
    is_ok = is_ok && !ferror(from) && fclose(to) == 0;
    if (from) {
        fclose(from);
    }
    return is_ok ? 0 : -1;
}

static int remove_copy(void **state)
{
    (void)state;
    return remove(copied);
}

static void expect_same_bits(training *a, training *b)
{
    static float of_a[PARAMETERS], of_b[PARAMETERS];
    end(a, of_a);
    end(b, of_b);
    assert_true(a->is_ok && b->is_ok);
    assert_memory_equal(of_a, of_b, sizeof of_a);
}

static void test_two_copies_by_turns(void **state)
{
    (void)state;
    library a = open_library(BP_TEST_LIBRARY), b = open_library(copied);
    assert_true(a.net_create != b.net_create);
    training of_a = begin(a), of_b = begin(b);
    for (int i = 0; i < 20; i++) {
        step(&of_a);
        step(&of_b);
    }
    /* each has its own latest error */
    assert_int_equal(a.net_create(NULL, BP_F32, 1), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(a.last_error(), "bp_net_create"));
    assert_string_equal(b.last_error(), "");
    assert_int_equal(b.workspace_set_threads(of_b.ws, 0), BP_ERROR_ARGUMENT);
    assert_non_null(strstr(a.last_error(), "bp_net_create"));
    assert_non_null(strstr(b.last_error(), "bp_workspace_set_threads"));
    expect_same_bits(&of_a, &of_b);

    /* one goes, the other stays */
    assert_int_equal(dlclose(a.handle), 0);
    of_b = begin(b);
    step(&of_b);
    static float parameters[PARAMETERS];
    end(&of_b, parameters);
    assert_true(of_b.is_ok);
    assert_int_equal(dlclose(b.handle), 0);
}

static void *make_steps(void *argument)
{
    for (int i = 0; i < 100; i++) {
        step(argument);
    }
    return NULL;
}

static void test_two_copies_at_once(void **state)
{
    (void)state;
    library a = open_library(BP_TEST_LIBRARY), b = open_library(copied);
    training of_a = begin(a), of_b = begin(b);
    if (strcmp(a.kernel_name(), "blas") == 0) {
        make_steps(&of_a); /* an OpenBLAS for one thread can only be locked within a copy (docs/abi.md) */
        make_steps(&of_b);
    } else {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, make_steps, &of_a), 0);
        make_steps(&of_b);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    expect_same_bits(&of_a, &of_b);
    assert_int_equal(dlclose(a.handle), 0);
    assert_int_equal(dlclose(b.handle), 0);
}

static int prepare(void **state)
{
    (void)state;
    make_samples();
    return copy_library();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_loads),
        cmocka_unit_test(test_fork_after_unloading),
        cmocka_unit_test(test_two_copies_by_turns),
        cmocka_unit_test(test_two_copies_at_once),
    };
    return cmocka_run_group_tests(tests, prepare, remove_copy);
}
