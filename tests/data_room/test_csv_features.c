/* CSV files whose cells are not all numbers: missing values, texts, the inputs of a net by their names; and hostile files. */
#define _GNU_SOURCE

#include "data/stream.h"
#include "data_room/files.h"
#include "support/check.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bp_csv_reader *new_reader(bp_csv_header header, bp_csv_missing missing, int one_hot)
{
    bp_csv_reader *reader;
    must(bp_csv_reader_create(&reader));
    must(bp_csv_reader_set_header(reader, header));
    must(bp_csv_reader_set_missing(reader, missing));
    must(bp_csv_reader_set_one_hot_inputs(reader, one_hot));
    return reader;
}

/* The inputs are these rows × columns. */
static void must_have(const bp_dataset *dataset, size_t rows, size_t columns, const double *expected)
{
    const double *x;
    must(bp_dataset_inputs_f64(dataset, &x));
    assert_int_equal(bp_dataset_sample_count(dataset), rows);
    assert_int_equal(bp_dataset_input_count(dataset), columns);
    for (size_t i = 0; i < rows * columns; i++) {
        if (x[i] != expected[i]) {
            fail_msg("row %zu, column %zu is %g, not %g", i / columns, i % columns, x[i], expected[i]);
        }
    }
}

static bp_dataset *read_text(const bp_csv_reader *reader, const char *text)
{
    bp_dataset *dataset;
    must(bp_csv_reader_read_memory(reader, BP_F64, text, strlen(text), &dataset));
    return dataset;
}

static void must_refuse_text(const bp_csv_reader *reader, const char *text, const char *word)
{
    bp_dataset *const untouched = (bp_dataset *)16, *dataset = untouched;
    must_refuse(text, bp_csv_reader_read_memory(reader, BP_F64, text, strlen(text), &dataset), BP_ERROR_FORMAT, word);
    assert_ptr_equal(dataset, untouched);
}

static const char holes[] = "a,b\n1,2\n,4\n3,NA\n5,?\n7,6\nNaN,n/a\n3,null\n";

static void test_missing_error(void **state)
{
    (void)state;
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NAMES, BP_CSV_MISSING_ERROR, 0);
    must_refuse_text(reader, holes, "row 3, column 1: the field is empty");
    must_refuse_text(reader, "a,b\n1,NA\n", "row 2, column 2: \"NA\" is not a number");
    must(bp_csv_reader_set_target_columns(reader, 1, (int[]){1}));
    must_refuse_text(reader, "a,b\n1,\n", "row 2, column 2: the target is empty");
    bp_csv_reader_destroy(reader);
}

static void test_missing_drop(void **state)
{
    (void)state;
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NAMES, BP_CSV_MISSING_DROP, 1);
    bp_dataset *dataset = read_text(reader, holes);
    must_have(dataset, 2, 2, (double[]){1, 2, 7, 6});
    assert_true(isnan(bp_dataset_input_mean(dataset, 0)));
    bp_dataset_destroy(dataset);
    must_refuse_text(reader, "a,b\n1,\n,2\n", "no row of data without missing values");

    /* a text or a class that only dropped rows have is none */
    must(bp_csv_reader_set_class_column(reader, 2));
    dataset = read_text(reader, "a,b,c\nred,1,x\nblue,,y\ngreen,2,z\n?,1,w\ngreen,1,\n");
    must_have(dataset, 2, 3, (double[]){0, 1, 1, 1, 0, 2});
    assert_int_equal(bp_dataset_class_count(dataset), 2);
    assert_string_equal(bp_dataset_class_name(dataset, 1), "z");
    assert_memory_equal(bp_dataset_classes(dataset), ((uint32_t[]){0, 1}), 2 * sizeof(uint32_t));
    assert_string_equal(bp_dataset_input_name(dataset, 0), "a=green");
    assert_string_equal(bp_dataset_input_name(dataset, 2), "b");
    bp_dataset_destroy(dataset);
    /* rows are still counted in sentences */
    must_refuse_text(reader, "a,b,c\nred,,x\nred,1,x\nred,z,x\n", "row 4, column 2: \"z\"");
    bp_csv_reader_destroy(reader);
}

static void test_missing_mean(void **state)
{
    (void)state;
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NAMES, BP_CSV_MISSING_MEAN, 1);
    bp_dataset *dataset = read_text(reader, holes), *train, *test;
    must_have(dataset, 7, 2, (double[]){1, 2, 3.8, 4, 3, 4, 5, 4, 7, 6, 3.8, 4, 3, 4});
    assert_true(bp_dataset_input_mean(dataset, 0) == 3.8 && bp_dataset_input_mean(dataset, 1) == 4);
    assert_true(isnan(bp_dataset_input_mean(dataset, 2)) && isnan(bp_dataset_input_mean(NULL, 0)));
    must(bp_dataset_split(dataset, 0.5, 1, &train, &test));
    assert_true(bp_dataset_input_mean(test, 0) == 3.8);
    bp_dataset_destroy(train);
    bp_dataset_destroy(test);
    bp_dataset_destroy(dataset);

    dataset = read_text(reader, "color\nred\n\nblue\n?\nred\nred\n");
    must_have(dataset, 5, 2, (double[]){0, 1, 1, 0, 0.25, 0.75, 0, 1, 0, 1});
    assert_true(bp_dataset_input_mean(dataset, 1) == 0.75);
    bp_dataset_destroy(dataset);
    must_refuse_text(reader, "a,b\n1,\n2,?\n", "column 2 has no value");
    must(bp_csv_reader_set_class_column(reader, 1));
    must_refuse_text(reader, "a,b\n1,\n", "row 2, column 2: the class is empty");
    must_refuse_text(reader, "a,b\n1,NA\n", "row 2, column 2: \"NA\" is no class");
    must(bp_csv_reader_set_target_columns(reader, 1, (int[]){1}));
    must_refuse_text(reader, "a,b\n1,?\n", "row 2, column 2: \"?\"");
    REFUSED(bp_csv_reader_set_missing(reader, (bp_csv_missing)3), BP_ERROR_ARGUMENT, "missing is 3");
    REFUSED(bp_csv_reader_set_missing(NULL, BP_CSV_MISSING_DROP), BP_ERROR_ARGUMENT, "reader is NULL");
    REFUSED(bp_csv_reader_set_one_hot_inputs(reader, 2), BP_ERROR_ARGUMENT, "one_hot is 2");
    bp_csv_reader_destroy(reader);
}

static void test_one_hot(void **state)
{
    (void)state;
    static const char text[] = "1,red,x,0\n2,green,\"x, \"\"y\"\"\",1\n3,red,x,0\n";
    static const double expected[] = {1, 0, 1, 1, 0, 0, 2, 1, 0, 0, 1, 1, 3, 0, 1, 1, 0, 0};
    static const char *const names[] = {"1", "2=green", "2=red", "3=x", "3=x, \"y\"", "4"};
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 1);
    bp_dataset *dataset = read_text(reader, text);
    must_have(dataset, 3, 6, expected);
    for (size_t k = 0; k < 6; k++) {
        assert_string_equal(bp_dataset_input_name(dataset, k), names[k]);
    }
    bp_dataset_destroy(dataset);
    /* a first value decides */
    dataset = read_text(reader, "x\n1\nx\n");
    must_have(dataset, 3, 2, (double[]){0, 1, 1, 0, 0, 1});
    bp_dataset_destroy(dataset);
    must_refuse_text(reader, "1\nx\n", "row 2, column 1: \"x\" is not a number");
    /* but no word for a missing one */
    must_refuse_text(reader, "1,NA\n2,?\n\n3,4\n", "row 1, column 2: the value is missing, and others are numbers");
    must_refuse_text(reader, "1,x\n2,\"NA\"\n3,\"4\"\n?,y\n", "row 4, column 1: \"?\" is not a number");
    dataset = read_text(reader, "NA\n?\nx\n1\n");
    must_have(dataset, 4, 4, (double[]){0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0});
    bp_dataset_destroy(dataset);
    dataset = read_text(reader, "?\n?\n");
    must_have(dataset, 2, 1, (double[]){1, 1});
    bp_dataset_destroy(dataset);
    must(bp_csv_reader_set_one_hot_inputs(reader, 0));
    must_refuse_text(reader, text, "row 1, column 2: \"red\" is not a number");

    must(bp_csv_reader_set_one_hot_inputs(reader, 1));
    char *many = malloc(16 * 1001);
    size_t n = 0;
    for (int i = 0; i < 1000; i++) {
        n += (size_t)sprintf(many + n, "t%d\n", i);
    }
    dataset = read_text(reader, many);
    assert_int_equal(bp_dataset_input_count(dataset), 1000);
    bp_dataset_destroy(dataset);
    sprintf(many + n, "t1000\n");
    must_refuse_text(reader, many, "row 1001, column 1: more than 1000 different texts");
    free(many);
    bp_csv_reader_destroy(reader);
}

/* A net that knows what it was trained on reads other files right. */
static void test_net(void **state)
{
    (void)state;
    static const size_t widths[] = {3};
    static const char training[] = "size,color,weight,kind\n1,red,2,c\n3,blue,4,a\n5,red,6,b\n";
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NAMES, BP_CSV_MISSING_MEAN, 1);
    must(bp_csv_reader_set_class_column(reader, -1));
    bp_dataset *dataset = read_text(reader, training);
    assert_int_equal(bp_dataset_input_count(dataset), 4);
    bp_net *net = make_net(BP_F64, 4, 1, widths, BP_ACTIVATION_TANH, BP_ACTIVATION_SOFTMAX, 1, 1);
    const char *names[4], *classes[3];
    double offset[4], scale[4];
    for (size_t i = 0; i < 4; i++) {
        names[i] = bp_dataset_input_name(dataset, i);
        classes[i % 3] = bp_dataset_class_name(dataset, i % 3);
    }
    REFUSED(bp_csv_reader_set_net(reader, net), BP_ERROR_ARGUMENT, "no names of its inputs");
    must(bp_net_set_input_names(net, names));
    must(bp_net_set_class_names(net, 3, classes));
    must(bp_dataset_fit_scaling_f64(dataset, BP_SCALING_STANDARD, offset, scale));
    must(bp_net_set_input_scaling_f64(net, offset, scale));
    bp_dataset_destroy(dataset);

    /* other order, other columns, other classes, in a new reader */
    bp_csv_reader *other = new_reader(BP_CSV_HEADER_NAMES, BP_CSV_MISSING_MEAN, 0);
    must(bp_csv_reader_set_net(other, net));
    dataset = read_text(other, "note,weight,color,size\nhello,8,blue,7\n\"with \"\"quotes\"\"\",10,red,9\n,1,red,2\n");
    must_have(dataset, 3, 4, (double[]){7, 1, 0, 8, 9, 0, 1, 10, 2, 0, 1, 1});
    assert_string_equal(bp_dataset_input_name(dataset, 1), "color=blue");
    assert_int_equal(bp_dataset_class_count(dataset), 0);
    bp_dataset_destroy(dataset);
    must(bp_csv_reader_set_class_column(other, 0));
    dataset = read_text(other, "kind,weight,color,size\nb,8,blue,7\n");
    assert_int_equal(bp_dataset_class_count(dataset), 3);
    assert_int_equal(bp_dataset_classes(dataset)[0], 1);
    bp_dataset_destroy(dataset);
    must_refuse_text(other, "kind,weight,color,size\nd,8,blue,7\n", "\"d\" is none of the 3 class names");
    must(bp_csv_reader_set_target_columns(other, 0, NULL));

    must_refuse_text(other, "weight,color\n1,red\n", "there is no column for the input \"size\"");
    must_refuse_text(other, "weight,size\n1,2\n", "there is no column for the input \"color=blue\"");
    must_refuse_text(other, "weight,color,size,size\n1,red,1,2\n", "two columns have the name \"size\"");
    must_refuse_text(other, "weight,color,size\n1,green,2\n", "row 2, column 2: \"green\" is none of the 2 values");
    must_refuse_text(other, "weight,color,size\n1,red,x\n", "row 2, column 3: \"x\" is not a number");

    /* a mean, if it is known to be one */
    static const char hole[] = "weight,color,size\n,,\n1,red,2\n";
    must_refuse_text(other, hole, "row 2, column 1: \"\" is a missing value, and the net has no mean");
    must(bp_net_set_metadata(net, "input_scaling", "min_max"));
    must(bp_csv_reader_set_net(other, net));
    must_refuse_text(other, hole, "the net has no mean");
    must(bp_net_set_metadata(net, "input_scaling", "standard"));
    must(bp_csv_reader_set_net(other, net));
    dataset = read_text(other, hole);
    must_have(dataset, 2, 4, (double[]){offset[0], offset[1], offset[2], offset[3], 2, 0, 1, 1});
    assert_true(bp_dataset_input_mean(dataset, 3) == offset[3] && offset[0] == 3);
    bp_dataset_destroy(dataset);
    must(bp_csv_reader_set_missing(other, BP_CSV_MISSING_DROP));
    dataset = read_text(other, hole);
    assert_int_equal(bp_dataset_sample_count(dataset), 1);
    bp_dataset_destroy(dataset);

    must(bp_csv_reader_set_net(other, NULL));
    dataset = read_text(other, "q\n5\n");
    must_have(dataset, 1, 1, (double[]){5});
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(other);

    /* names with signs, and columns without a header: their numbers */
    must(bp_net_set_input_names(net, (const char *[]){"3", "1=a=b", "1=", "2"}));
    other = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 0);
    must(bp_csv_reader_set_net(other, net));
    dataset = read_text(other, "a=b,2,3\na=b,5,6\n");
    must_have(dataset, 2, 4, (double[]){3, 1, 0, 2, 6, 1, 0, 5});
    bp_dataset_destroy(dataset);
    must(bp_net_set_input_names(net, (const char *[]){"3", "3=a", "1", "2"}));
    must(bp_csv_reader_set_net(other, net));
    must_refuse_text(other, "1,2,3\n", "both numbers and texts");
    bp_csv_reader_destroy(other);
    bp_csv_reader_destroy(reader);
    bp_net_destroy(net);
}

/* Rows of one kind behind rows of another: those that go the short way, and those that libcsv reads, give the same. */
static void test_mixed_rows(void **state)
{
    (void)state;
    enum { ROWS = 60000 };
    static const char *const forms[] = {"%d,%s,%d\n",     "%d,%s,%d\r\n",  "\"%d\",\"%s\",\"%d\"\n", " %d , %s ,%d\n",  "\n%d,%s,%d\n",
                                        "  \n%d,%s,%d\n", "%d,%s,%d\r",    "%d,\"%s\",%d\r\n",       "+%d.0,%s,%de0\n", "%d,%s,%d \t\n",
                                        "%d,%s,%d\r\r\n", "\r\n%d,%s,%d\n"};
    static const char *const texts[] = {"a", "b b", "c"};
    char *text = malloc(64 * ROWS);
    size_t n = 0;
    for (int i = 0; i < ROWS; i++) {
        n += (size_t)sprintf(text + n, forms[(unsigned)i * 2654435761U % 12], i, texts[i % 3], -i);
    }
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 1);
    for (int as_class = 0; as_class < 2; as_class++) {
        if (as_class) {
            must(bp_csv_reader_set_class_column(reader, 1));
        }
        bp_dataset *dataset = read_text(reader, text);
        const double *x;
        must(bp_dataset_inputs_f64(dataset, &x));
        assert_int_equal(bp_dataset_sample_count(dataset), ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            const double *row = x + i * (as_class ? 2 : 5);
            assert_true(row[0] == (double)i && row[as_class ? 1 : 4] == -(double)i);
            if (as_class) {
                assert_int_equal(bp_dataset_classes(dataset)[i], i % 3);
            } else {
                assert_true(row[1 + i % 3] == 1 && row[1] + row[2] + row[3] == 1);
            }
        }
        bp_dataset_destroy(dataset);
    }
    free(text);
    bp_csv_reader_destroy(reader);
}

/* A quoted field that goes on over the ends of lines is no row's end, whatever lies in it. */
static void test_open_quotes(void **state)
{
    (void)state;
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 1);
    bp_dataset *dataset = read_text(reader, "1,a\n2,\"b\n3,a\n\"\n4,a\r5,\"c\n6,a\n\"\n7,a\n");
    static const char *const names[] = {"1", "2=a", "2=b\n3,a\n", "2=c\n6,a\n"};
    must_have(dataset, 5, 4, (double[]){1, 1, 0, 0, 2, 0, 1, 0, 4, 1, 0, 0, 5, 0, 0, 1, 7, 1, 0, 0});
    for (size_t k = 0; k < 4; k++) {
        assert_string_equal(bp_dataset_input_name(dataset, k), names[k]);
    }
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
}

/* ---- hostile files ---- */

static void must_refuse_bytes(const char *what, const char *text, size_t n, const char *word)
{
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 0);
    bp_dataset *dataset = NULL;
    must_refuse(what, bp_csv_reader_read_memory(reader, BP_F32, text, n, &dataset), BP_ERROR_FORMAT, word);
    bp_csv_reader_destroy(reader);
}

/* Lines of 100 MB: a single field, a quoted one, one that never ends, and ten million numbers. */
static void test_long_lines(void **state)
{
    (void)state;
    enum { LONG = 100 * 1000 * 1000 };
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, '1', LONG);
    must_refuse_bytes("a long field", text, LONG, "row 1, column 1: the field has more than 1048576 bytes");
    text[0] = '"';
    must_refuse_bytes("a long quoted field", text, LONG, "the field has more than 1048576 bytes");
    memset(text, ',', LONG);
    must_refuse_bytes("fields without anything", text, LONG, "row 1 has more than 16777216 columns");
    memset(text, '\0', LONG);
    text[0] = '1';
    must_refuse_bytes("NUL", text, LONG, "row 1, column 1: the field has");
    for (size_t i = 0; i < LONG; i++) {
        text[i] = i % 10 == 9 ? ',' : '1';
    }
    text[LONG - 1] = '\n';
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 0);
    bp_dataset *dataset;
    must(bp_csv_reader_read_memory(reader, BP_F32, text, LONG, &dataset));
    assert_int_equal(bp_dataset_input_count(dataset), LONG / 10);
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
    free(text);
}

/* Two pieces of gzip data of two rows each, where all of the second but its first byte is in another buffer: the first has a long file name. */
static void must_go_on_behind(const bp_csv_reader *reader, const char *packed, size_t n)
{
    enum { HEADER = 10, FLAGS = 3, HAS_NAME = 8 };
    static char bytes[3 * BP_STREAM_ROOM];
    size_t first = 2 * BP_STREAM_ROOM - 1;
    memset(bytes, 'n', first);
    memcpy(bytes, packed, HEADER);
    bytes[FLAGS] = HAS_NAME;
    bytes[first - (n - HEADER) - 1] = '\0';
    memcpy(bytes + first - (n - HEADER), packed + HEADER, n - HEADER);
    memcpy(bytes + first, packed, n);
    bp_dataset *dataset;
    must(bp_csv_reader_read_memory(reader, BP_F32, bytes, first + n, &dataset));
    assert_int_equal(bp_dataset_sample_count(dataset), 4);
    bp_dataset_destroy(dataset);
}

/* As many classes as rows, or 1000 texts in each of many columns: one-hot they are the square of the file. */
static void test_one_hot_bombs(void **state)
{
    (void)state;
    enum { CLASSES = 17000, ROWS = 1000, COLUMNS = 300, ROOM = 4 << 20 };
    char *text = malloc(ROOM);
    assert_non_null(text);
    size_t n = 0;
    for (size_t i = 0; i < CLASSES; i++) {
        n += (size_t)snprintf(text + n, ROOM - n, "1,%zu\n", i);
    }
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 1);
    bp_dataset *dataset = NULL;
    must(bp_csv_reader_set_class_column(reader, 1));
    REFUSED(bp_csv_reader_read_memory(reader, BP_F32, text, n, &dataset), BP_ERROR_FORMAT, "17000 rows of 1 inputs and 17000 targets are");
    must(bp_csv_reader_set_one_hot(reader, 0));
    must(bp_csv_reader_read_memory(reader, BP_F32, text, n, &dataset));
    bp_dataset_destroy(dataset);
    n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j <= COLUMNS; j++) {
            n += (size_t)snprintf(text + n, ROOM - n, "a%zu%c", i, j < COLUMNS ? ',' : '\n');
        }
    }
    must(bp_csv_reader_set_target_columns(reader, 0, NULL));
    dataset = NULL;
    REFUSED(bp_csv_reader_read_memory(reader, BP_F32, text, n, &dataset), BP_ERROR_FORMAT, "1024 MiB, and more than 100 times");
    assert_null(dataset);
    bp_csv_reader_destroy(reader);
    free(text);
}

static void test_bad_files(void **state)
{
    (void)state;
    bp_csv_reader *reader = new_reader(BP_CSV_HEADER_NONE, BP_CSV_MISSING_ERROR, 0);
    bp_dataset *dataset = NULL;
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(symlink("loop", path_of("loop")), 0);
    REFUSED(bp_csv_reader_read(reader, BP_F32, path_of("fifo"), &dataset), BP_ERROR_IO, "not a regular file");
    REFUSED(bp_csv_reader_read(reader, BP_F32, path_of("loop"), &dataset), BP_ERROR_IO, "symbolic links");
    REFUSED(bp_csv_reader_read(reader, BP_F32, write_text("empty", ""), &dataset), BP_ERROR_FORMAT, "no row of data");
    REFUSED(bp_csv_reader_read_memory(reader, BP_F32, NULL, 0, &dataset), BP_ERROR_ARGUMENT, "bytes is NULL");
    assert_null(dataset);
    must_refuse_bytes("NUL", "1,2\n3,\0004\n", 9, "row 2, column 2: the field has a NUL");
    must_refuse_bytes("a NUL alone", "\0", 1, "NUL");
    must_refuse_bytes("a mark alone", "\xEF\xBB\xBF", 3, "no row of data");
    must_refuse_bytes("UTF-16", "\xFF\xFE\x31\0\n\0", 6, "row 1, column 1");
    must_refuse_bytes("another delimiter", "1,5;2,5\n", 8, "is another character between");
    must(bp_csv_reader_set_delimiter(reader, ';'));
    must_refuse_text(reader, "1,5;2,5\n", "row 1, column 1: \"1,5\" is not a number (a decimal comma?");
    /* what follows gzip data */
    char packed[256];
    FILE *stream = fopen(write_gzip("packed", "1\n2\n", 4), "rb");
    size_t n = fread(packed, 1, sizeof packed / 2, stream);
    fclose(stream);
    memcpy(packed + n, packed, n);
    must(bp_csv_reader_read_memory(reader, BP_F32, packed, 2 * n, &dataset));
    assert_int_equal(bp_dataset_sample_count(dataset), 4);
    bp_dataset_destroy(dataset);
    must_go_on_behind(reader, packed, n);
    packed[n] = 'x';
    REFUSED(bp_csv_reader_read_memory(reader, BP_F32, packed, n + 1, &dataset), BP_ERROR_IO, "no gzip data follow");
    REFUSED(bp_csv_reader_read_memory(reader, BP_F32, packed, n - 1, &dataset), BP_ERROR_IO, "cut short");
    bp_csv_reader_destroy(reader);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        bp_csv_missing missing = (bp_csv_missing)9;
        must(bp_csv_missing_from_name(bp_csv_missing_name((bp_csv_missing)i), &missing));
        assert_int_equal(missing, i);
    }
    assert_null(bp_csv_missing_name((bp_csv_missing)3));
    bp_csv_missing missing;
    REFUSED(bp_csv_missing_from_name("median", &missing), BP_ERROR_ARGUMENT, "median");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_error), cmocka_unit_test(test_missing_drop), cmocka_unit_test(test_missing_mean),
        cmocka_unit_test(test_one_hot),       cmocka_unit_test(test_net),          cmocka_unit_test(test_mixed_rows),
        cmocka_unit_test(test_open_quotes),   cmocka_unit_test(test_long_lines),   cmocka_unit_test(test_one_hot_bombs),
        cmocka_unit_test(test_bad_files),     cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
