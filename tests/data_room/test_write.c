/* What is written is read back as it was. */
#define _GNU_SOURCE

#include "core/random.h"
#include "data_room/files.h"
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 200, COLUMNS = 3 };

static void fill(double *data)
{
    for (uint64_t i = 0; i < ROWS * COLUMNS; i++) {
        data[i] = ldexp(2 * bp_random_uniform(3, 0, i) - 1, (int)(i % 200) - 100);
    }
    data[0] = 0.1;
    data[1] = -0.0;
    data[2] = 1e22;
}

static void test_csv(void **state)
{
    (void)state;
    double data[ROWS * COLUMNS];
    float single[ROWS * COLUMNS];
    const double *x;
    const float *y;
    bp_dataset *dataset;
    fill(data);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        single[i] = (float)data[i];
    }
    const char *path = path_of("y.csv");
    must(bp_write_csv_f64(path, ROWS, COLUMNS, NULL, data));
    must(bp_dataset_read(&dataset, path, BP_F64));
    must(bp_dataset_inputs_f64(dataset, &x));
    assert_int_equal(bp_dataset_input_count(dataset), COLUMNS);
    assert_memory_equal(x, data, sizeof data);
    bp_dataset_destroy(dataset);
    must(bp_write_csv_f32(path, ROWS, COLUMNS, NULL, single));
    must(bp_dataset_read(&dataset, path, BP_F32));
    must(bp_dataset_inputs_f32(dataset, &y));
    assert_memory_equal(y, single, sizeof single);
    bp_dataset_destroy(dataset);
}

static void must_hold(const char *path, const char *expected)
{
    char text[512] = "";
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_in_range(fread(text, 1, sizeof text - 1, stream), 1, sizeof text - 1);
    fclose(stream);
    assert_string_equal(text, expected);
}

static void test_text(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b, \"c\"", " d"};
    const char *path = path_of("t.csv");
    must(bp_write_csv_f32(path, 2, 3, names, (float[]){0.1F, -2, 1e-30F, (float)NAN, INFINITY, -INFINITY}));
    must_hold(path, "a,\"b, \"\"c\"\"\",\" d\"\n0.1,-2,1e-30\nnan,inf,-inf\n");
    must(bp_write_csv_f64(path, 1, 2, NULL, (double[]){1.0 / 3, 1e300}));
    must_hold(path, "0.3333333333333333,1e+300\n");
    /* the names come back */
    bp_csv_reader *reader;
    bp_dataset *dataset;
    must(bp_csv_reader_create(&reader));
    must(bp_csv_reader_set_header(reader, BP_CSV_HEADER_NAMES));
    must(bp_write_csv_f64(path, 1, 3, names, (double[]){1, 2, 3}));
    must(bp_csv_reader_read(reader, BP_F64, path, &dataset));
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(bp_dataset_input_name(dataset, i), names[i]);
    }
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
}

static void test_npy(void **state)
{
    (void)state;
    double data[ROWS * COLUMNS];
    const double *x;
    bp_dataset *dataset;
    fill(data);
    const char *path = path_of("y.npy");
    must(bp_write_npy_f64(path, ROWS, COLUMNS, data));
    must(bp_dataset_read(&dataset, path, BP_F64));
    must(bp_dataset_inputs_f64(dataset, &x));
    assert_int_equal(bp_dataset_sample_count(dataset), ROWS);
    assert_memory_equal(x, data, sizeof data);
    assert_int_equal((uintptr_t)x % 64, 0);
    bp_dataset_destroy(dataset);
}

static void test_bad_input(void **state)
{
    (void)state;
    float one = 1;
    double two = 2;
    REFUSED(bp_write_csv_f32(NULL, 1, 1, NULL, &one), BP_ERROR_ARGUMENT, "path is NULL");
    REFUSED(bp_write_csv_f64("x", 1, 1, NULL, NULL), BP_ERROR_ARGUMENT, "data is NULL");
    REFUSED(bp_write_csv_f32("x", 0, 1, NULL, &one), BP_ERROR_ARGUMENT, "rows is 0");
    REFUSED(bp_write_npy_f32("x", 1, 0, &one), BP_ERROR_ARGUMENT, "columns is 0");
    REFUSED(bp_write_npy_f64("x", SIZE_MAX, 2, &two), BP_ERROR_ARGUMENT, "an address");
    REFUSED(bp_write_csv_f32("x", 1, 1, (const char *[]){NULL}, &one), BP_ERROR_ARGUMENT, "names[0] is NULL");
    REFUSED(bp_write_npy_f64("/", 1, 1, &two), BP_ERROR_IO, "a directory");
    REFUSED(bp_write_csv_f64("/no/such/folder/x", 1, 1, NULL, &two), BP_ERROR_IO, "folder");
    assert_int_equal(access("x", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
