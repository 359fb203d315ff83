/*
 * After bp_workspace_create and bp_optimizer_create, 1,000 steps of every kind allocate nothing, counted by functions in the place of the
 * C library's; and make no system call, proven by running them where the kernel allows none.
 */
#define _GNU_SOURCE

#include "core/real.h"
#include "support/check.h"

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

static atomic_long allocations, bytes;

#if !SANITIZED

/* seen by the libraries, too */
#define EXPORTED __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

EXPORTED void *malloc(size_t size)
{
    allocations++;
    bytes += (long)(size);
    return __libc_malloc(size);
}

EXPORTED void *calloc(size_t n, size_t size)
{
    allocations++;
    bytes += (long)(n * size);
    return __libc_calloc(n, size);
}

EXPORTED void *realloc(void *memory, size_t size)
{
    allocations++;
    bytes += (long)(size);
    return __libc_realloc(memory, size);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    bytes += (long)(size);
    return __libc_memalign(alignment, size);
}

EXPORTED int posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations++;
    bytes += (long)(size);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12;
}

#endif

enum { INPUTS = 20, OUTPUTS = 4, BATCH = 32, STEPS = 1000 };

static real x[BATCH * INPUTS], target[BATCH * OUTPUTS], y[BATCH * OUTPUTS], delta_input[BATCH * INPUTS], gradient[1000];

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *sgd, *adam;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f = (fixture){0};
    for (size_t i = 0; i < BATCH * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < BATCH; i++) {
        target[i * OUTPUTS + i % OUTPUTS] = 1;
    }
    f.net = make_net(REAL_DTYPE, INPUTS, 3, (const size_t[]){16, 9, OUTPUTS}, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    bp_optimizer_destroy(f->sgd);
    bp_optimizer_destroy(f->adam);
    bp_workspace_destroy(f->ws);
    bp_net_destroy(f->net);
    return 0;
}

/* Steps of every kind; true if all went well. */
static bool run(fixture *f, int steps)
{
    bool ok = true;
    for (int i = 0; ok && i < steps; i++) {
        real loss;
        ok = REAL(bp_net_forward)(f->net, f->ws, BATCH, x, y) == BP_OK &&
             REAL(bp_net_backward)(f->net, f->ws, y, gradient, delta_input) == BP_OK &&
             REAL(bp_net_forward)(f->net, f->ws, 1, x, y) == BP_OK &&
             REAL(bp_net_backward)(f->net, f->ws, y, gradient, delta_input) == BP_OK &&
             REAL(bp_net_predict)(f->net, f->ws, BATCH, x, y) == BP_OK &&
             REAL(bp_net_gradient)(f->net, f->ws, BP_LOSS_CROSS_ENTROPY, BATCH, x, target, gradient, &loss) == BP_OK &&
             REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_CROSS_ENTROPY, 1, x, target, &loss) == BP_OK &&
             REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, BATCH, x, target, NULL) == BP_OK &&
             REAL(bp_net_train_online)(f->net, f->ws, f->sgd, BP_LOSS_CROSS_ENTROPY, BATCH, x, target, &loss) == BP_OK &&
             REAL(bp_optimizer_step)(f->sgd, f->net, gradient) == BP_OK &&
             REAL(bp_net_train_step)(f->net, f->ws, f->adam, BP_LOSS_CROSS_ENTROPY, 1, x, target, &loss) == BP_OK &&
             REAL(bp_net_train_step)(f->net, f->ws, f->adam, BP_LOSS_CROSS_ENTROPY, BATCH, x, target, &loss) == BP_OK &&
             REAL(bp_net_train_online)(f->net, f->ws, f->adam, BP_LOSS_CROSS_ENTROPY, BATCH, x, target, &loss) == BP_OK &&
             REAL(bp_optimizer_step)(f->adam, f->net, gradient) == BP_OK &&
             REAL(bp_net_train_step)(f->net, f->ws, f->sgd, BP_LOSS_MSE, BATCH + 1, x, target, NULL) == BP_ERROR_ARGUMENT;
    }
    return ok;
}

static void create(fixture *f)
{
    must(bp_optimizer_create(&f->sgd, BP_METHOD_SGD, f->net));
    must(bp_optimizer_create(&f->adam, BP_METHOD_ADAM, f->net));
    must(bp_workspace_create(&f->ws, f->net, BATCH));
}

static void regularize(fixture *f)
{
    must(bp_net_set_dropout(f->net, 0, 0.5));
    must(bp_net_set_input_noise(f->net, 0.1));
    must(bp_net_set_frozen(f->net, 1, 1));
}

static void check_no_allocation(fixture *f)
{
    if (strcmp(bp_kernel_name(), "blas") == 0) {
        print_message("skipped: OpenBLAS allocates in some of its small products\n");
        skip();
    }
    if (SANITIZED) {
        print_message("skipped: AddressSanitizer has the allocator\n");
        skip();
    }
    long start = allocations;
    create(f);
    assert_true(allocations > start); /* they are counted */
    start = allocations;
    bool ok = run(f, STEPS);
    long counted = allocations - start;
    assert_true(ok);
    assert_int_equal(counted, 0);
}

static void test_no_allocation(void **state)
{
    check_no_allocation(*state);
}

static void test_no_allocation_regularized(void **state)
{
    regularize(*state);
    check_no_allocation(*state);
}

/*
 * What bp/workspace.h says: at most 4 × (inputs + Σ widths) × max_batch elements, twice the width of a layer with dropout × max_batch, and 1 KiB for
 * each layer.
 */
static void test_workspace_memory(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: AddressSanitizer has the allocator\n");
        skip();
    }
    const size_t widths[][4] = {{1, 1, 1, 1}, {2, 3, 2, 1}, {784, 300, 100, 10}, {17, 2000, 5, 900}, {3000, 8, 8, 3000}};
    const size_t batches[] = {1, 2, 7, 128};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 4; j++) {
            bp_net *net = make_net(REAL_DTYPE, widths[i][0], 3, widths[i] + 1, BP_ACTIVATION_TANH, BP_ACTIVATION_IDENTITY, 1, 1);
            size_t sum = widths[i][0] + widths[i][1] + widths[i][2] + widths[i][3], elements = 4 * sum * batches[j];
            for (int with_dropout = 0; with_dropout < 2; with_dropout++) {
                bp_workspace *ws;
                long start = bytes;
                must(bp_net_set_dropout(net, 0, with_dropout ? 0.5 : 0));
                must(bp_workspace_create(&ws, net, batches[j]));
                elements += with_dropout ? 2 * widths[i][1] * batches[j] : 0;
                assert_in_range(bytes - start, 1, elements * sizeof(real) + 3 * 1024);
                bp_workspace_destroy(ws);
            }
            bp_net_destroy(net);
        }
    }
}

static void check_no_system_call(fixture *f)
{
    if (SANITIZED) {
        print_message("skipped: AddressSanitizer makes system calls of its own\n");
        skip();
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        create(f);
        /* from here only read, write and exit are allowed: anything else kills the process */
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
            _exit(77);
        }
        syscall(SYS_exit, run(f, STEPS) ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    if (WIFEXITED(result) && WEXITSTATUS(result) == 77) {
        print_message("skipped: this system has no seccomp\n");
        skip();
    }
    if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
        fail_msg("the child ended with status %d", result);
    }
}

static void test_no_system_call(void **state)
{
    check_no_system_call(*state);
}

static void test_no_system_call_regularized(void **state)
{
    regularize(*state);
    check_no_system_call(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_allocation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_allocation_regularized, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_system_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_system_call_regularized, set_up, tear_down),
        cmocka_unit_test(test_workspace_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
