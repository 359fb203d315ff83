/* libfann's training data, as it writes it. Without libfann the program says so, and is skipped. */
#include <stdio.h>

#ifdef BP_TEST_HAVE_FANN
#include "core/random.h"
#include "data_room/files.h"
#include "support/check.h"

#include <fann.h>
#include <string.h>

enum { SAMPLES = 60, INPUTS = 5, TARGETS = 2 };

static void fill(unsigned sample, unsigned n_inputs, unsigned n_outputs, fann_type *input, fann_type *output)
{
    for (unsigned i = 0; i < n_inputs; i++) {
        input[i] = (fann_type)number(sample * 7 + i);
    }
    for (unsigned i = 0; i < n_outputs; i++) {
        output[i] = (fann_type)number(sample * 7 + n_inputs + i);
    }
}

static void test_saved_data(void **state)
{
    (void)state;
    struct fann_train_data *data = fann_create_train_from_callback(SAMPLES, INPUTS, TARGETS, fill);
    const char *path = path_of("data.train");
    assert_int_equal(fann_save_train(data, path), 0);
    fann_destroy_train(data);
    data = fann_read_train_from_file(path); /* what it makes of its own digits */
    assert_non_null(data);
    bp_dataset *dataset;
    const float *x, *z;
    must(bp_dataset_read(&dataset, path, BP_F32));
    must(bp_dataset_inputs_f32(dataset, &x));
    must(bp_dataset_targets_f32(dataset, &z));
    assert_int_equal(bp_dataset_sample_count(dataset), SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_memory_equal(x + i * INPUTS, data->input[i], INPUTS * sizeof *x);
        assert_memory_equal(z + i * TARGETS, data->output[i], TARGETS * sizeof *z);
    }
    bp_dataset_destroy(dataset);
    fann_destroy_train(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_saved_data)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
#else
int main(void)
{
    puts("skipped: libfann is not installed");
    return 77;
}
#endif
