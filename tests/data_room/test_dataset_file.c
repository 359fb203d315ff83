/* Datasets from files of all kinds, good and hostile. */
#define _GNU_SOURCE

#include "data_room/files.h"
#include "support/check.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bp_dataset *const untouched = (bp_dataset *)16;

/* ---- making files ---- */

/* Bytes put together piece by piece. */
typedef struct bytes {
    unsigned char at[4096];
    size_t n;
} bytes;

static void put(bytes *b, const void *from, size_t n)
{
    assert_in_range(b->n + n, 0, sizeof b->at);
    memcpy(b->at + b->n, from, n);
    b->n += n;
}

/* A number of this size, its first byte first or last. */
static void put_integer(bytes *b, uint64_t value, size_t size, bool big)
{
    for (size_t i = 0; i < size; i++) {
        b->at[b->n++] = (unsigned char)(value >> 8 * (big ? size - 1 - i : i));
    }
}

/* A number of a type that is written as numpy does: u1, i2, f8. */
static void put_number(bytes *b, const char *type, bool big, double value)
{
    size_t size = (size_t)(type[1] - '0');
    float single = (float)value;
    uint64_t bits = (uint64_t)(int64_t)value;
    if (type[0] == 'f' && size == 4) {
        uint32_t low;
        memcpy(&low, &single, 4);
        bits = low;
    } else if (type[0] == 'f') {
        memcpy(&bits, &value, 8);
    }
    put_integer(b, bits, size, big);
}

static bytes npy_header(int version, const char *text)
{
    bytes b = {.n = 0};
    put(&b, "\x93NUMPY", 6);
    put_integer(&b, (uint64_t)version, 1, false);
    put_integer(&b, 0, 1, false);
    put_integer(&b, strlen(text), version == 1 ? 2 : 4, false);
    put(&b, text, strlen(text));
    return b;
}

static bytes idx_header(unsigned type, size_t n_dimensions, const unsigned *dimensions)
{
    bytes b = {.n = 0};
    put_integer(&b, type, 3, true);
    put_integer(&b, n_dimensions, 1, true);
    for (size_t i = 0; i < n_dimensions; i++) {
        put_integer(&b, dimensions[i], 4, true);
    }
    return b;
}

/* ---- good files ---- */

/* Reads and looks: two rows of three numbers, −1 … or 0 … where the type has no sign; plain and packed, from a file and from memory. */
static void must_have_six(const char *what, const bytes *b, bool is_signed)
{
    static const size_t order[] = {1, 0};
    for (int way = 0; way < 4; way++) {
        const char *path = way % 2 ? write_gzip("six", b->at, b->n) : write_file("six", b->at, b->n);
        bp_dataset *dataset;
        unsigned char packed[8192];
        size_t n = 0;
        if (way >= 2) {
            FILE *stream = fopen(path, "rb");
            assert_non_null(stream);
            n = fread(packed, 1, sizeof packed, stream);
            fclose(stream);
        }
        bp_status status = way < 2 ? bp_dataset_read(&dataset, path, BP_F64) : bp_dataset_read_memory(&dataset, packed, n, BP_F64);
        if (status != BP_OK) {
            fail_msg("%s, way %d: %s", what, way, bp_last_error());
        }
        double x[6];
        assert_int_equal(bp_dataset_sample_count(dataset), 2);
        assert_int_equal(bp_dataset_input_count(dataset), 3);
        assert_int_equal(bp_dataset_output_count(dataset), 0);
        must(bp_dataset_gather_f64(dataset, 2, order, x, NULL));
        for (int i = 0; i < 6; i++) {
            double expected = (i + 3) % 6 - is_signed;
            if (x[i] != expected) {
                fail_msg("%s, way %d: number %d is %g, not %g", what, way, i, x[i], expected);
            }
        }
        bp_dataset_destroy(dataset);
    }
}

static void test_idx(void **state)
{
    (void)state;
    static const struct {
        unsigned code;
        const char *type;
    } types[] = {{8, "u1"}, {9, "i1"}, {11, "i2"}, {12, "i4"}, {13, "f4"}, {14, "f8"}};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (size_t dimensions = 2; dimensions < 5; dimensions++) {
            bytes b = idx_header(types[t].code, dimensions, dimensions == 4 ? (unsigned[]){2, 1, 3, 1} : (unsigned[]){2, 3, 1});
            for (int i = 0; i < 6; i++) {
                put_number(&b, types[t].type, true, i - (t > 0));
            }
            must_have_six(types[t].type, &b, t > 0);
        }
    }
}

static void test_npy(void **state)
{
    (void)state;
    static const char *const types[] = {"b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"};
    static const char *const shapes[] = {"(2, 3)", "(2, 3, 1)", "(2L, 1, 3,)"};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (int form = 0; form < 24; form++) {
            int version = 1 + form / 8;
            bool big = form & 1, fortran = form & 2;
            char text[128], descr[8];
            const char *shape = shapes[form % 3], *order = fortran ? "True" : "False";
            snprintf(descr, sizeof descr, "%c%s", types[t][1] == '1' ? '|' : big ? '>' : '<', types[t]);
            if (form & 4) {
                snprintf(text, sizeof text, "{\"shape\": %s, \"descr\":\"%s\",\"fortran_order\":%s }\n", shape, descr, order);
            } else {
                snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }     \n", descr, order, shape);
            }
            bytes b = npy_header(version, text);
            for (int i = 0; i < 6; i++) {
                int at = fortran ? i % 2 * 3 + i / 2 : i;
                put_number(&b, types[t], big, at - (t >= 5));
            }
            must_have_six(text, &b, t >= 5);
        }
    }
}

/* Three dimensions in Fortran's order: the first index is the fastest, then the second. */
static void test_fortran_order(void **state)
{
    (void)state;
    bytes b = npy_header(1, "{'descr': '<u2', 'fortran_order': True, 'shape': (70, 3, 4), }\n");
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned j = 0; j < 3; j++) {
            for (unsigned i = 0; i < 70; i++) {
                put_integer(&b, 100 * i + 10 * j + k, 2, false);
            }
        }
    }
    bp_dataset *dataset;
    float x[12];
    must(bp_dataset_read(&dataset, write_file("f.npy", b.at, b.n), BP_F32));
    for (size_t i = 0; i < 70; i++) {
        must(bp_dataset_gather_f32(dataset, 1, &i, x, NULL));
        for (unsigned j = 0; j < 12; j++) {
            assert_true(x[j] == (float)(100 * i + 10 * (j / 4) + j % 4));
        }
    }
    bp_dataset_destroy(dataset);
}

static void test_fann_data(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "2 3 1\n0 1 2\n-1\n3 4 5\n-2\n",
        "2 3 1 \r\n0 1 2\r\n-1\r\n3 4 5\r\n-2",
        "  2\t3 1\n0\n1 2 -1 3\n\n\n4.0 5e0\n-2\n\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (int packed = 0; packed < 2; packed++) {
            bp_dataset *dataset;
            const float *x, *z;
            must(bp_dataset_read(&dataset, packed ? write_gzip("t", texts[i], strlen(texts[i])) : write_text("t", texts[i]), BP_F32));
            must(bp_dataset_inputs_f32(dataset, &x));
            must(bp_dataset_targets_f32(dataset, &z));
            assert_int_equal(bp_dataset_sample_count(dataset), 2);
            assert_memory_equal(x, ((float[]){0, 1, 2, 3, 4, 5}), 6 * sizeof *x);
            assert_memory_equal(z, ((float[]){-1, -2}), 2 * sizeof *z);
            bp_dataset_destroy(dataset);
        }
    }
}

static void test_csv(void **state)
{
    (void)state;
    static const char text[] = "1,2\n3,4\n";
    bp_dataset *dataset;
    must(bp_dataset_read(&dataset, write_text("t", text), BP_F64));
    assert_int_equal(bp_dataset_sample_count(dataset), 2);
    bp_dataset_destroy(dataset);
    must(bp_dataset_read_memory(&dataset, text, strlen(text), BP_F64));
    assert_int_equal(bp_dataset_input_count(dataset), 2);
    bp_dataset_destroy(dataset);
}

static void test_pair(void **state)
{
    (void)state;
    bytes images = idx_header(8, 2, (unsigned[]){4, 2}), labels = idx_header(8, 1, (unsigned[]){4});
    put(&images, "\1\2\3\4\5\6\7\x8", 8);
    put(&labels, "\2\0\1\2", 4);
    const char *x_path = write_file("x", images.at, images.n), *z_path = write_gzip("z", labels.at, labels.n);
    bp_dataset *dataset;
    for (size_t given = 0; given < 5; given += 4) {
        must(bp_dataset_read_pair(&dataset, x_path, z_path, BP_F32, given));
        size_t n = given ? given : 3;
        assert_int_equal(bp_dataset_class_count(dataset), n);
        assert_int_equal(bp_dataset_output_count(dataset), n);
        assert_memory_equal(bp_dataset_classes(dataset), ((uint32_t[]){2, 0, 1, 2}), 4 * sizeof(uint32_t));
        assert_string_equal(bp_dataset_class_name(dataset, 2), "2");
        float x[8], z[16], expected[16] = {0};
        must(bp_dataset_gather_f32(dataset, 4, (size_t[]){0, 1, 2, 3}, x, z));
        expected[2] = expected[n] = expected[2 * n + 1] = expected[3 * n + 2] = 1;
        assert_memory_equal(z, expected, 4 * n * sizeof *z);
        const float *array = (const float *)untouched;
        REFUSED(bp_dataset_inputs_f32(dataset, &array), BP_ERROR_UNSUPPORTED, "bp_dataset_gather");
        REFUSED(bp_dataset_targets_f32(dataset, &array), BP_ERROR_UNSUPPORTED, "the classes");
        assert_ptr_equal(array, untouched);
        bp_dataset_destroy(dataset);
    }
    REFUSED(bp_dataset_read_pair(&dataset, x_path, z_path, BP_F32, 2), BP_ERROR_FORMAT, "row 0 (counted from 0) is 2; it can be 0 to 1");
    REFUSED(bp_dataset_read_pair(&dataset, x_path, z_path, BP_F32, 65537), BP_ERROR_ARGUMENT, "65537");
    REFUSED(bp_dataset_read_pair(&dataset, x_path, NULL, BP_F32, 0), BP_ERROR_ARGUMENT, "targets_path");
    REFUSED(bp_dataset_read_pair(&dataset, x_path, write_text("c", "1\n2\n"), BP_F32, 0), BP_ERROR_FORMAT, "neither an IDX nor an NPY");
    bytes few = idx_header(8, 1, (unsigned[]){3});
    put(&few, "\1\1\1", 3);
    REFUSED(bp_dataset_read_pair(&dataset, x_path, write_file("few", few.at, few.n), BP_F32, 0), BP_ERROR_FORMAT, "targets of 3 samples");
    bytes negative = npy_header(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }");
    for (int i = 0; i < 4; i++) {
        put_number(&negative, "i8", false, -i);
    }
    REFUSED(bp_dataset_read_pair(&dataset, x_path, write_file("negative", negative.at, negative.n), BP_F32, 0), BP_ERROR_FORMAT,
            "row 1 (counted from 0) is -1");

    /* numbers are targets, and so are integers where a sample has several */
    bytes numbers = npy_header(2, "{'descr': '>f8', 'fortran_order': False, 'shape': (4,), }");
    bytes rows = npy_header(3, "{'descr': '<i2', 'fortran_order': False, 'shape': (4, 2), }");
    for (int i = 0; i < 8; i++) {
        if (i < 4) {
            put_number(&numbers, "f8", true, 0.5 * i);
        }
        put_number(&rows, "i2", false, -i);
    }
    double z[8];
    must(bp_dataset_read_pair(&dataset, x_path, write_file("n", numbers.at, numbers.n), BP_F64, 0));
    assert_int_equal(bp_dataset_class_count(dataset), 0);
    must(bp_dataset_gather_f64(dataset, 2, (size_t[]){3, 1}, NULL, z));
    assert_true(z[0] == 1.5 && z[1] == 0.5);
    bp_dataset_destroy(dataset);
    must(bp_dataset_read_pair(&dataset, x_path, write_file("r", rows.at, rows.n), BP_F64, 0));
    assert_int_equal(bp_dataset_output_count(dataset), 2);
    must(bp_dataset_gather_f64(dataset, 1, (size_t[]){3}, NULL, z));
    assert_true(z[0] == -6 && z[1] == -7);
    bp_dataset_destroy(dataset);
}

/* An array that lies in the file as it would in memory is lent; the parts of a dataset have only a list of its rows. */
static void test_lent_and_shared(void **state)
{
    (void)state;
    static float data[100][3];
    for (size_t i = 0; i < 300; i++) {
        data[i / 3][i % 3] = (float)i;
    }
    const char *path = path_of("lent.npy");
    must(bp_write_npy_f32(path, 100, 3, data[0]));
    bp_dataset *dataset, *train, *test, *first, *second;
    const float *x;
    must(bp_dataset_read(&dataset, path, BP_F32));
    must(bp_dataset_inputs_f32(dataset, &x));
    assert_memory_equal(x, data, sizeof data);
    must(bp_dataset_targets_f32(dataset, &x));
    assert_null(x);
    must(bp_dataset_split(dataset, 0.3, 1, &train, &test));
    bp_dataset_destroy(dataset);
    must(bp_dataset_fold(train, 7, 2, 3, &first, &second));
    bp_dataset_destroy(train);
    REFUSED(bp_dataset_inputs_f32(first, &x), BP_ERROR_UNSUPPORTED, "bp_dataset_gather");
    int seen[100] = {0};
    bp_dataset *const parts[] = {test, first, second};
    for (size_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < bp_dataset_sample_count(parts[p]); i++) {
            float row[3];
            must(bp_dataset_gather_f32(parts[p], 1, &i, row, NULL));
            assert_true(row[1] == row[0] + 1 && row[2] == row[0] + 2);
            seen[(int)row[0] / 3]++;
        }
        bp_dataset_destroy(parts[p]);
    }
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(seen[i], 1);
    }
    must(bp_dataset_read(&dataset, path, BP_F64));
    REFUSED(bp_dataset_inputs_f32(dataset, &x), BP_ERROR_DTYPE, "f64");
    bp_dataset_destroy(dataset);
}

/* ---- hostile files ---- */

static void must_refuse_file(const char *name, const void *content, size_t n, bp_status expected, const char *word)
{
    for (int way = 0; way < 3; way++) {
        bp_dataset *dataset = untouched;
        bp_status status = way == 0   ? bp_dataset_read(&dataset, write_file("bad", content, n), BP_F32)
                           : way == 1 ? bp_dataset_read_memory(&dataset, content, n, BP_F32)
                                      : bp_dataset_read(&dataset, write_gzip("bad", content, n), BP_F32);
        if (status != expected || dataset != untouched || !strstr(bp_last_error(), word)) {
            fail_msg("%s, way %d: expected %s and \"%s\", got %s: %s", name, way, bp_status_name(expected), word, bp_status_name(status),
                     status == BP_OK ? "" : bp_last_error());
        }
        if (way != 1 && !strstr(bp_last_error(), path_of("bad"))) {
            fail_msg("%s: no file in \"%s\"", name, bp_last_error());
        }
    }
}

static void test_bad_npy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
        bp_status status;
    } cases[] = {
        {"", "has not {", BP_ERROR_FORMAT},
        {"{}", "all of descr", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", ", or }", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False}", "all of descr", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "each once", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", "one of the keys", BP_ERROR_FORMAT},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3)}", ", or }", BP_ERROR_FORMAT},
        {"{'descr' '<f4'}", "has not :", BP_ERROR_FORMAT},
        {"{'descr': <f4}", "a string", BP_ERROR_FORMAT},
        {"{'descr': '<f4}", "a string", BP_ERROR_FORMAT},
        {"{'descr': '", "a string", BP_ERROR_FORMAT},
        {"{'des\\x63r': '<f4'}", "a string", BP_ERROR_FORMAT},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3)}", "<f2", BP_ERROR_UNSUPPORTED},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}", "|O", BP_ERROR_UNSUPPORTED},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}", "<c8", BP_ERROR_UNSUPPORTED},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3)}", "byte order", BP_ERROR_FORMAT},
        {"{'descr': '', 'fortran_order': False, 'shape': (2, 3)}", "numbers are", BP_ERROR_UNSUPPORTED},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "structures", BP_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", "True or False", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 6}", "has not (", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "a single number", BP_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6)}", "a comma", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}", "a number", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}", ", or )", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)}", "is 0", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", "is 0", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3)}", "a number that can be", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "an address", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4294967296, 4294967296)}", "an address", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}", "an address", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
         "1, 1, 1, 1, 1, 1, 1)}",
         "32 dimensions", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", "its end", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", "only 24 follow", BP_ERROR_FORMAT},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 3)}", "only 24 follow", BP_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", "which are 16 bytes", BP_ERROR_FORMAT},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 4)}", "which are 8 bytes", BP_ERROR_FORMAT},
    };
    static const unsigned char numbers[24];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes b = npy_header(1, cases[i].text);
        put(&b, numbers, sizeof numbers);
        must_refuse_file(cases[i].text, b.at, b.n, cases[i].status, cases[i].word);
    }
    bytes b = npy_header(4, "{}");
    must_refuse_file("version 4", b.at, b.n, BP_ERROR_UNSUPPORTED, "NPY 4.0");
    b = npy_header(2, "{}");
    b.at[10] = 0xFF;
    must_refuse_file("a header beyond its limit", b.at, b.n, BP_ERROR_FORMAT, "it can have 65536");
    /* cut anywhere */
    b = npy_header(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n");
    put(&b, numbers, sizeof numbers);
    for (size_t n = 6; n < b.n; n++) {
        must_refuse_file("cut", b.at, n, BP_ERROR_FORMAT, "");
    }
    put(&b, numbers, 1);
    must_refuse_file("a byte more", b.at, b.n, BP_ERROR_FORMAT, "which are 24 bytes; 25 follow");
}

static void test_bad_idx(void **state)
{
    (void)state;
    bytes b = idx_header(10, 1, (unsigned[]){1});
    put(&b, "\0\0\0\0", 4);
    must_refuse_file("type", b.at, b.n, BP_ERROR_FORMAT, "byte 2 is 0x0a");
    b = idx_header(8, 0, NULL);
    must_refuse_file("no dimension", b.at, b.n, BP_ERROR_FORMAT, "dimensions, is 0");
    b = idx_header(8, 33, (unsigned[33]){1});
    must_refuse_file("33 dimensions", b.at, b.n, BP_ERROR_FORMAT, "is 33; it can be 1 to 32");
    b = idx_header(8, 3, (unsigned[]){2, 2, 2});
    must_refuse_file("in the header", b.at, 12, BP_ERROR_FORMAT, "ends within");
    must_refuse_file("no numbers", b.at, b.n, BP_ERROR_FORMAT, "only 0 follow");
    b = idx_header(14, 4, (unsigned[]){4294967295, 4294967295, 4294967295, 4294967295});
    must_refuse_file("huge", b.at, b.n, BP_ERROR_FORMAT, "an address");
    b = idx_header(8, 2, (unsigned[]){4294967295, 4294967295});
    must_refuse_file("huge, but within an address", b.at, b.n, BP_ERROR_FORMAT, "an address");
    b = idx_header(8, 2, (unsigned[]){1, 1073741825});
    must_refuse_file("wide", b.at, b.n, BP_ERROR_FORMAT, "only 0 follow");
    b = idx_header(8, 2, (unsigned[]){0, 4});
    must_refuse_file("no sample", b.at, b.n, BP_ERROR_FORMAT, "is 0");
    b = idx_header(8, 1, (unsigned[]){2});
    put(&b, "\1\2\3", 3);
    must_refuse_file("a byte more", b.at, b.n, BP_ERROR_FORMAT, "3 follow");
}

static void test_bad_fann_data(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"2 1 1\n1\n2\n3\n", "it ends at target 1 of sample 2 of 2"},
        {"2 1 1\n", "it ends at input 1 of sample 1"},
        {"1 1 1\n1\n2\n3\n", "line 4: there are more numbers"},
        {"1 1 1\n1\nx\n", "line 3, target 1 of sample 1: \"x\" is not a number"},
        {"1 1 1\n1\nnan\n", "\"nan\" is not a number"},
        {"1 1 1\n1\n1e39\n", "beyond the range of f32"},
        {"1 1 1\n1\n0,5\n", "\"0,5\" is not a number"},
        {"0 1 1\n", "no dataset can have"},
        {"1 0 1\n1\n", "no dataset can have"},
        {"9999999999999 9999999 1\n1\n", "no dataset can have"},
        {"99999999999999999999 1 1\n1\n", "is no number of samples"},
        {"1000000 1000 1000\n1 2 3\n", "it ends at input 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        must_refuse_file(cases[i].text, cases[i].text, strlen(cases[i].text), BP_ERROR_FORMAT, cases[i].word);
    }
    must_refuse_file("NUL in a number", "1 1 1\n1\0 2\n", 11, BP_ERROR_FORMAT, "line 2: a NUL character");
    must_refuse_file("NUL", "1 1 1\n1 2\n\0", 11, BP_ERROR_FORMAT, "line 3: a NUL character");
    enum { LONG = 300000 };
    char *word = malloc(LONG);
    memset(word, '1', LONG);
    memcpy(word, "1 1 1\n", 6);
    must_refuse_file("a long word", word, LONG, BP_ERROR_FORMAT, "a word has more than");
    free(word);
}

static void test_bad_files(void **state)
{
    (void)state;
    bp_dataset *dataset = untouched;
    must_refuse_file("empty", "", 0, BP_ERROR_FORMAT, "no row of data");
    REFUSED(bp_dataset_read(&dataset, path_of("nothing"), BP_F32), BP_ERROR_IO, "No such file");
    REFUSED(bp_dataset_read(&dataset, "/", BP_F32), BP_ERROR_IO, "it is a directory");
    REFUSED(bp_dataset_read(&dataset, "/dev/zero", BP_F32), BP_ERROR_IO, "not a regular file");
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    REFUSED(bp_dataset_read(&dataset, path_of("fifo"), BP_F32), BP_ERROR_IO, "not a regular file");
    assert_int_equal(symlink("loop", path_of("loop")), 0);
    REFUSED(bp_dataset_read(&dataset, path_of("loop"), BP_F32), BP_ERROR_IO, "symbolic links");
    REFUSED(bp_dataset_read(NULL, "x", BP_F32), BP_ERROR_ARGUMENT, "dataset is NULL");
    REFUSED(bp_dataset_read(&dataset, NULL, BP_F32), BP_ERROR_ARGUMENT, "path is NULL");
    REFUSED(bp_dataset_read(&dataset, "x", (bp_dtype)9), BP_ERROR_ARGUMENT, "dtype is 9");
    REFUSED(bp_dataset_read_memory(&dataset, NULL, 0, BP_F32), BP_ERROR_ARGUMENT, "bytes is NULL");
    char path[5000];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    REFUSED(bp_dataset_read(&dataset, path, BP_F32), BP_ERROR_IO, "too long");
    assert_ptr_equal(dataset, untouched);
}

/* A file that begins with this, and goes on with 300 MiB of one byte: the same piece of gzip data again and again. */
static void must_refuse_bomb(const void *begin, size_t size, char byte)
{
    enum { PIECE = 1 << 20 };
    char *piece = malloc(PIECE), packed[8192];
    assert_non_null(piece);
    memset(piece, byte, PIECE);
    FILE *stream = fopen(write_gzip("piece", piece, PIECE), "rb");
    assert_non_null(stream);
    size_t n = fread(packed, 1, sizeof packed, stream);
    fclose(stream);
    const char *path = write_gzip("bomb", begin, size);
    stream = fopen(path, "ab");
    for (int i = 0; i < 300; i++) {
        assert_int_equal(fwrite(packed, 1, n, stream), n);
    }
    fclose(stream);
    bp_dataset *dataset = untouched;
    REFUSED(bp_dataset_read(&dataset, path, BP_F32), BP_ERROR_IO, "more than 256 MiB");
    REFUSED(bp_dataset_read_pair(&dataset, path, path, BP_F32, 0), byte ? BP_ERROR_FORMAT : BP_ERROR_IO, path);
    assert_ptr_equal(dataset, untouched);
    free(piece);
}

static void test_gzip_bomb(void **state)
{
    (void)state;
    static const char npy[] = "\x93NUMPY\x01\0\x3f\0{'descr': '|u1', 'fortran_order': False, 'shape': (314572800,)}";
    bytes header = idx_header(8, 2, (unsigned[]){300, 1 << 20});
    must_refuse_bomb(header.at, header.n, '\0');
    must_refuse_bomb(npy, sizeof npy - 1, '\0');
    must_refuse_bomb("1 1 1\n", 6, ' ');
    must_refuse_bomb("", 0, '\n');
}

/* Every byte of a file changed to others, or the file cut: read whole, or refused with a sentence. */
static void test_changed_bytes(void **state)
{
    (void)state;
    bytes files[3];
    files[0] = npy_header(1, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n");
    files[1] = idx_header(11, 2, (unsigned[]){2, 3});
    put(&files[0], "\0\1\0\2\0\3\0\4\0\5\0\6", 12);
    put(&files[1], "\0\1\0\2\0\3\0\4\0\5\0\6", 12);
    files[2] = (bytes){.n = 0};
    put(&files[2], "2 2 1\n1 2\n3\n4 5\n6\n", 18);
    static const unsigned char changes[] = {0, 1, ' ', '9', '\'', ',', 0x7F, 0x80, 0xFF};
    for (size_t f = 0; f < 3; f++) {
        for (size_t at = 0; at < files[f].n; at++) {
            for (size_t c = 0; c < sizeof changes; c++) {
                bytes changed = files[f];
                changed.at[at] = changes[c];
                bp_dataset *dataset = untouched;
                bp_status status = bp_dataset_read_memory(&dataset, changed.at, changed.n, BP_F32);
                assert_true((status == BP_OK) == (dataset != untouched));
                if (status == BP_OK) {
                    size_t n = bp_dataset_sample_count(dataset) * bp_dataset_input_count(dataset);
                    float *x = malloc(n * sizeof *x);
                    for (size_t i = 0; i < bp_dataset_sample_count(dataset); i++) {
                        must(bp_dataset_gather_f32(dataset, 1, &i, x, NULL));
                    }
                    free(x);
                    bp_dataset_destroy(dataset);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_fortran_order),
        cmocka_unit_test(test_fann_data),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_lent_and_shared),
        cmocka_unit_test(test_bad_npy),
        cmocka_unit_test(test_bad_idx),
        cmocka_unit_test(test_bad_fann_data),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_gzip_bomb),
        cmocka_unit_test(test_changed_bytes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
