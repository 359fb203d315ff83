/* bp_trainer_run allocates nothing for a batch: as often for many as for few, counted by functions in the place of the C library's. */
#include "train/session.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

static atomic_long allocations;

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
    return __libc_malloc(size);
}

EXPORTED void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

EXPORTED void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    allocations++;
    return __libc_memalign(alignment, size);
}

#endif

static int look(void *context, const bp_progress *progress)
{
    size_t *batches = context;
    *batches += progress->batch > 0;
    return 0;
}

/* Of a run of three epochs. */
static long count(bp_method method, size_t n_samples, double batch, size_t *batches)
{
    static const double weights[CLASSES] = {1, 2, 3};
    bp_dataset *training = make_classes(n_samples, 1), *validation = make_classes(20, 2);
    session s = open_session(training, method, 3);
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, BP_SCHEDULE_COSINE));
    must(bp_trainer_set_schedule(s.trainer, method == BP_METHOD_LBFGS ? NULL : schedule));
    must(bp_net_set_dropout(s.net, 0, 0.1));
    must(bp_trainer_set_validation(s.trainer, validation));
    must(bp_trainer_set_class_weights(s.trainer, weights));
    must(bp_trainer_set_progress(s.trainer, look, batches, BP_PROGRESS_BATCH));
    set(&s, BP_TRAINER_EPOCHS, 3);
    set(&s, BP_TRAINER_BATCH_SIZE, batch);
    set(&s, BP_TRAINER_PATIENCE, 1);
    set(&s, BP_TRAINER_LABEL_SMOOTHING, 0.1);
    *batches = 0;
    long start = allocations;
    must(bp_trainer_run(s.trainer));
    long counted = allocations - start;
    assert_int_equal(bp_trainer_epoch_count(s.trainer), 3);
    bp_schedule_destroy(schedule);
    close_session(&s);
    bp_dataset_destroy(training);
    bp_dataset_destroy(validation);
    return counted;
}

static void test_no_allocation(void **state)
{
    (void)state;
    const bp_method methods[] = {BP_METHOD_SGD, BP_METHOD_ADAM, BP_METHOD_CUSTOM};
    if (strcmp(bp_kernel_name(), "blas") == 0) {
        print_message("skipped: OpenBLAS allocates in some of its small products\n");
        skip();
    }
    if (SANITIZED) {
        print_message("skipped: a sanitizer has the allocator\n");
        skip();
    }
    for (size_t i = 0; i < 3; i++) {
        for (double batch = 1; batch <= 16; batch += 15) {
            size_t few, many;
            long of_few = count(methods[i], 32, batch, &few), of_many = count(methods[i], 3200, batch, &many);
            assert_true(of_few > 0 && many > 10 * few);
            assert_int_equal(of_few, of_many);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
