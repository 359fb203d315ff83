/*
 * Memory that runs out while data is read, divided and written: each allocation fails in turn, by functions that the linker puts in between
 * (--wrap).
 */
#define _GNU_SOURCE

#include "data_room/files.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

static int allocations_before = -1; /* the one that fails; −1: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

static bool runs_out(void)
{
    return allocations_before >= 0 && allocations_before-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return runs_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return runs_out() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return runs_out() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return runs_out() ? NULL : __real_aligned_alloc(alignment, size);
}

/* A call that is made again and again, and frees what it made. */
typedef bp_status attempt(void);

static bp_dataset *mapped; /* 6 samples of 2 pixels with classes */
static bp_net *net;
static const char *images, *labels, *table, *training, *fortran;

static bp_status end(bp_status status, bp_dataset *const *dataset)
{
    assert_true((status == BP_OK) == (*dataset != NULL));
    bp_dataset_destroy(*dataset);
    return status;
}

static bp_status read_pair(void)
{
    bp_dataset *dataset = NULL;
    return end(bp_dataset_read_pair(&dataset, images, labels, BP_F32, 0), &dataset);
}

static bp_status read_training(void)
{
    bp_dataset *dataset = NULL;
    return end(bp_dataset_read(&dataset, training, BP_F64), &dataset);
}

static bp_status read_fortran(void)
{
    bp_dataset *dataset = NULL;
    return end(bp_dataset_read(&dataset, fortran, BP_F32), &dataset);
}

static bp_status read_table(bp_csv_header header, const bp_net *of)
{
    bp_csv_reader *reader = NULL;
    bp_dataset *dataset = NULL;
    bp_status status = bp_csv_reader_create(&reader);
    if (status == BP_OK) {
        must(bp_csv_reader_set_header(reader, header));
        must(bp_csv_reader_set_one_hot_inputs(reader, 1));
        must(bp_csv_reader_set_missing(reader, BP_CSV_MISSING_MEAN));
        must(bp_csv_reader_set_class_column(reader, 3));
        status = of ? bp_csv_reader_set_net(reader, of) : BP_OK;
    }
    if (status == BP_OK) {
        status = end(bp_csv_reader_read(reader, BP_F32, table, &dataset), &dataset);
    }
    bp_csv_reader_destroy(reader);
    return status;
}

static bp_status read_features(void)
{
    return read_table(BP_CSV_HEADER_NAMES, NULL);
}

static bp_status read_for_net(void)
{
    return read_table(BP_CSV_HEADER_NAMES, net);
}

static bp_status split(void)
{
    bp_dataset *train = NULL, *test = NULL;
    bp_status status = bp_dataset_split(mapped, 0.5, 1, &train, &test);
    assert_true((status == BP_OK) == (test != NULL));
    bp_dataset_destroy(test);
    return end(status, &train);
}

static bp_status fit(void)
{
    float offset[2] = {7, 7}, scale[2];
    bp_status status = bp_dataset_fit_scaling_f32(mapped, BP_SCALING_STANDARD, offset, scale);
    assert_true(status == BP_OK || offset[1] == 7);
    return status;
}

static bp_status write_csv(void)
{
    return bp_write_csv_f32(path_of("out.csv"), 2, 2, (const char *[]){"a", "b"}, (float[]){1, 2, 3, 4});
}

static bp_status write_npy(void)
{
    return bp_write_npy_f64(path_of("out.npy"), 2, 2, (double[]){1, 2, 3, 4});
}

static void prepare(void)
{
    static const size_t widths[] = {2};
    static const char *const names[] = {"a", "b=x", "b=y", "c"}, *const classes[] = {"k", "l"};
    images = strdup(write_file("images", "\0\0\x8\2\0\0\0\6\0\0\0\2abcdefghijkl", 24));
    labels = strdup(write_gzip("labels", "\0\0\x8\1\0\0\0\6\0\1\2\0\1\2", 14));
    table = strdup(write_text("table", "a,b,c,d\n1,x,2,k\n,y,3,l\n4,?,5,k\n"));
    training = strdup(write_text("training", "2 1 1\n1\n2\n3\n4\n"));
    fortran = strdup(write_gzip("fortran", "\x93NUMPY\1\0\x3D\0{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }   abcd", 75));
    must(bp_dataset_read_pair(&mapped, images, labels, BP_F32, 0));
    net = make_net(BP_F32, 4, 1, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 1);
    must(bp_net_set_input_names(net, names));
    must(bp_net_set_class_names(net, 2, classes));
    must(bp_net_set_input_scaling_f32(net, (float[]){1, 2, 3, 4}, (float[]){1, 1, 1, 1}));
    must(bp_net_set_metadata(net, "input_scaling", "standard"));
}

static void test_every_allocation(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        attempt *call;
    } cases[] = {
        {"pair", read_pair},
        {"fann", read_training},
        {"fortran", read_fortran},
        {"features", read_features},
        {"net", read_for_net},
        {"split", split},
        {"fit", fit},
        {"csv", write_csv},
        {"npy", write_npy},
    };
    prepare();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bp_status status = BP_ERROR_MEMORY;
        int n = 0;
        for (; status != BP_OK && n < 1000; n++) {
            allocations_before = n;
            status = cases[i].call();
            allocations_before = -1;
            if (status != BP_OK && (status != BP_ERROR_MEMORY || !strstr(bp_last_error(), "memory"))) {
                fail_msg("%s, allocation %d: %s: %s", cases[i].name, n, bp_status_name(status), bp_last_error());
            }
        }
        assert_int_equal(status, BP_OK);
    }
    bp_net_destroy(net);
    bp_dataset_destroy(mapped);
    const char *const paths[] = {images, labels, table, training, fortran};
    for (size_t i = 0; i < 5; i++) {
        free((char *)(uintptr_t)paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
