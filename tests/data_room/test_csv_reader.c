/* CSV files, good and bad: each case is a text, how it is read, and what must come of it. */
#define _GNU_SOURCE

#include <bp/bp.h>

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static char folder[] = "/tmp/bp-csv-XXXXXX";
static char file[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/data.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(file);
    return rmdir(folder);
}

static void write_file(const void *bytes, size_t size)
{
    FILE *stream = fopen(file, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

static bp_csv_reader *new_reader(void)
{
    bp_csv_reader *reader = NULL;
    assert_int_equal(bp_csv_reader_create(&reader), BP_OK);
    return reader;
}

enum { NO_CLASS = INT_MAX };

/* A text read with these settings gives status and, if that is not BP_OK, a sentence with each of the words. */
typedef struct bad_case {
    const char *name, *text;
    size_t size; /* 0: strlen(text) */
    bp_csv_header header;
    char delimiter;
    int class_column;
    bp_dtype dtype;
    bp_status status;
    const char *words[4];
} bad_case;

/* 320 characters, more than a sentence holds */
#define X16 "xxxxxxxxxxxxxxxx"
#define X80 X16 X16 X16 X16 X16
#define LONG_FIELD X80 X80 X80 X80

static const bad_case bad_cases[] = {
    {"empty file", "", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"data.csv", "no row"}},
    {"blank lines only", "\n\n\r\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"no row"}},
    {"header only", "a,b\n", 0, BP_CSV_HEADER_NAMES, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"no row"}},
    {"short row", "1,2,3\n4,5\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2", "2 columns", "have 3"}},
    {"long row", "1,2\n3,4\n5,6,7\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 3", "3 columns", "have 2"}},
    {"short row at the end", "1,2\n3", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2"}},
    {"header of another length", "a,b,c\n1,2\n", 0, BP_CSV_HEADER_NAMES, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2", "names 3"}},
    {"text in the first row", "1,x,3\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 1", "column 2", "\"x\""}},
    {"text later", "1,2\n3,4\nhello,6\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 3", "column 1", "hello"}},
    {"text behind a header", "a,b\n1,2\n3,?\n", 0, BP_CSV_HEADER_NAMES, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 3", "column 2"}},
    {"empty field", "1,2\n3,\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2", "column 2", "empty"}},
    {"decimal comma", "1;2\n3,14;4\n", 0, BP_CSV_HEADER_NONE, ';', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2", "3,14", "comma"}},
    {"decimal comma, quoted", "\"3,14\",4\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"column 1", "comma"}},
    {"number and text", "1.5kg\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"1.5kg"}},
    {"two numbers in a field", "1 2\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"1 2"}},
    {"nan", "1,nan\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"column 2", "nan"}},
    {"inf", "inf,1\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"column 1", "inf"}},
    {"hexadecimal", "0x10,1\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"0x10"}},
    {"sign alone", "-,1\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"\"-\""}},
    {"exponent alone", "1e,1\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"1e"}},
    {"beyond f32", "1,1e39\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F32, BP_ERROR_FORMAT, {"column 2", "1e39", "f32"}},
    {"beyond f64", "1e999,1\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"1e999", "f64"}},
    {"NUL in a field", "1,2\0003\n", 6, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 1", "column 2", "NUL"}},
    {"quote that stays open", "1,\"2\n3,4\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"quote"}},
    {"quote inside a field", "1,2\"3\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 1", "quote"}},
    {"class column beyond", "1,2\n", 0, BP_CSV_HEADER_NONE, ',', 2, BP_F64, BP_ERROR_FORMAT, {"class column is 2", "2 columns"}},
    {"class column before", "1,2\n", 0, BP_CSV_HEADER_NONE, ',', -3, BP_F64, BP_ERROR_FORMAT, {"class column is -3"}},
    {"class column only", "1\n2\n", 0, BP_CSV_HEADER_NONE, ',', 0, BP_F64, BP_ERROR_FORMAT, {"none for the inputs"}},
    {"empty class", "1,a\n2,\n", 0, BP_CSV_HEADER_NONE, ',', 1, BP_F64, BP_ERROR_FORMAT, {"row 2", "column 2", "class is empty"}},
    {"long field in a sentence",
     LONG_FIELD ",1\n",
     0,
     BP_CSV_HEADER_NONE,
     ',',
     NO_CLASS,
     BP_F64,
     BP_ERROR_FORMAT,
     {"\"xxxx", "not a number"}},
    {"quote behind a skipped row", "a\n1\"2\n", 0, BP_CSV_HEADER_SKIP, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2", "quote"}},
    {"NUL behind a skipped row", "a\n1\0002\n", 6, BP_CSV_HEADER_SKIP, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"row 2", "NUL"}},
    {"skipped row only", "a\"b\n", 0, BP_CSV_HEADER_SKIP, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"no row"}},
    {"wrong delimiter", "1;2\n", 0, BP_CSV_HEADER_NONE, ',', NO_CLASS, BP_F64, BP_ERROR_FORMAT, {"1;2"}},
};

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        const bad_case *c = &bad_cases[i];
        write_file(c->text, c->size ? c->size : strlen(c->text));
        bp_csv_reader *reader = new_reader();
        assert_int_equal(bp_csv_reader_set_header(reader, c->header), BP_OK);
        assert_int_equal(bp_csv_reader_set_delimiter(reader, c->delimiter), BP_OK);
        if (c->class_column != NO_CLASS) {
            assert_int_equal(bp_csv_reader_set_class_column(reader, c->class_column), BP_OK);
        }
        bp_dataset *untouched = (bp_dataset *)(uintptr_t)1, *dataset = untouched;
        bp_status status = bp_csv_reader_read(reader, c->dtype, file, &dataset);
        if (status != c->status || dataset != untouched) {
            fail_msg("%s: expected %s, got %s", c->name, bp_status_name(c->status), bp_status_name(status));
        }
        for (size_t w = 0; w < 4 && c->words[w]; w++) {
            if (!strstr(bp_last_error(), c->words[w])) {
                fail_msg("%s: no \"%s\" in \"%s\"", c->name, c->words[w], bp_last_error());
            }
        }
        bp_csv_reader_destroy(reader);
    }
}

static void read_fails(const char *path, bp_status expected, const char *words)
{
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset = NULL;
    assert_int_equal(bp_csv_reader_read(reader, BP_F32, path, &dataset), expected);
    assert_null(dataset);
    if (!strstr(bp_last_error(), words)) {
        fail_msg("no \"%s\" in \"%s\"", words, bp_last_error());
    }
    bp_csv_reader_destroy(reader);
}

static void test_unreadable(void **state)
{
    (void)state;
    read_fails("/no/such/file.csv", BP_ERROR_IO, "/no/such/file.csv");
    read_fails(folder, BP_ERROR_IO, "directory");
}

/* A gzip file cut at every length, and with every byte behind its header flipped: never data, and never taken for a mistake in the text. */
static void test_damaged_gzip(void **state)
{
    (void)state;
    unsigned char bytes[4096];
    gzFile out = gzopen(file, "wb9");
    for (int i = 0; i < 200; i++) {
        gzprintf(out, "%d,%d,%d\n", i, i * i, 7 * i % 13);
    }
    assert_int_equal(gzclose(out), Z_OK);
    FILE *stream = fopen(file, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    assert_in_range(size, 100, sizeof bytes - 1);

    bp_csv_reader *reader = new_reader();
    for (size_t cut = 1; cut < size; cut++) {
        write_file(bytes, cut);
        bp_dataset *dataset = NULL;
        bp_status status = bp_csv_reader_read(reader, BP_F64, file, &dataset);
        if (status == BP_OK || (cut > 20 && status != BP_ERROR_IO)) {
            fail_msg("cut to %zu of %zu bytes: got %s (%s)", cut, size, bp_status_name(status), bp_last_error());
        }
    }
    for (size_t at = 10; at < size; at++) {
        bytes[at] ^= 0x55;
        write_file(bytes, size);
        bytes[at] ^= 0x55;
        bp_dataset *dataset = NULL;
        bp_status status = bp_csv_reader_read(reader, BP_F64, file, &dataset);
        if (status != BP_ERROR_IO) {
            fail_msg("flipped byte %zu of %zu: expected io, got %s", at, size, bp_status_name(status));
        }
    }
    bp_csv_reader_destroy(reader);
}

/*
 * Damage that only the checksum at the end shows: in an uncompressed gzip, longer than the pieces in which a file is read, a digit of the
 * second row becomes a letter. Without damage the same letter is a mistake of the text.
 */
static void test_damage_or_mistake(void **state)
{
    (void)state;
    for (int damage = 0; damage < 2; damage++) {
        gzFile out = gzopen(file, "wb0");
        assert_non_null(out);
        gzprintf(out, damage ? "1,2\n3,4\n" : "1,2\n3,x\n");
        for (int i = 0; i < 50000; i++) {
            gzprintf(out, "%d,%d\n", i, i);
        }
        assert_int_equal(gzclose(out), Z_OK);
        if (damage) {
            char start[64];
            FILE *stream = fopen(file, "r+b");
            assert_non_null(stream);
            assert_int_equal(fread(start, 1, sizeof start, stream), sizeof start);
            char *row = memmem(start, sizeof start, "3,4\n", 4);
            assert_non_null(row);
            assert_int_equal(fseek(stream, (long)(row + 2 - start), SEEK_SET), 0);
            assert_int_equal(fputc('x', stream), 'x');
            assert_int_equal(fclose(stream), 0);
        }
        read_fails(file, damage ? BP_ERROR_IO : BP_ERROR_FORMAT, damage ? "damaged" : "row 2, column 2: \"x\"");
    }
}

static void test_forms_of_good_files(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1,2.5\n-3,4e-1\n",         "1,2.5\r\n-3,4e-1\r\n",
        "1,2.5\n-3,4e-1",           "\xEF\xBB\xBF\061,2.5\n-3,.4\n", /* \061 is 1: a digit behind \xBF would belong to it */
        "\n 1 , 2.5 \n\n-3,+0.4\n", "\"1\",\"2.5\"\n\"-3\",0.40\n",
        "1.,25e-1\n-3,4E-01\n",
    };
    static const double expected[] = {1, 2.5, -3, 0.4};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(texts[i], strlen(texts[i]));
        bp_csv_reader *reader = new_reader();
        bp_dataset *dataset;
        const double *inputs, *targets;
        if (bp_csv_reader_read(reader, BP_F64, file, &dataset) != BP_OK) {
            fail_msg("text %zu: %s", i, bp_last_error());
        }
        assert_int_equal(bp_dataset_sample_count(dataset), 2);
        assert_int_equal(bp_dataset_input_count(dataset), 2);
        assert_int_equal(bp_dataset_output_count(dataset), 0);
        assert_int_equal(bp_dataset_inputs_f64(dataset, &inputs), BP_OK);
        assert_int_equal(bp_dataset_targets_f64(dataset, &targets), BP_OK);
        assert_null(targets);
        assert_memory_equal(inputs, expected, sizeof expected);
        bp_dataset_destroy(dataset);
        bp_csv_reader_destroy(reader);
    }
}

/* The teardown of test_comma_locale, so that a failure there leaves neither the locale nor its folder. */
static int remove_locale(void **state)
{
    (void)state;
    char command[64];
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -rf %s/de_DE.UTF-8", folder);
    return system(command);
}

/* Numbers read the same in a locale with a decimal comma. */
static void test_comma_locale(void **state)
{
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "da_DK.UTF-8"};
    char command[256];
    /* none may be installed: make one */
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    bool made = system(command) == 0;
    if (made) {
        setenv("LOCPATH", folder, 1);
    }
    bool found = false;
    for (size_t i = 0; !found && i < sizeof commas / sizeof *commas; i++) {
        found = setlocale(LC_ALL, commas[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
    }
    if (found) {
        test_forms_of_good_files(state);
        test_bad_files(state);
        assert_string_equal(localeconv()->decimal_point, ",");
    }
    if (!found) {
        print_message("skipped: no locale with a decimal comma, and localedef could not make one\n");
        skip();
    }
}

static void test_classes(void **state)
{
    (void)state;
    /* text, classes expected in order, class of each of 4 rows */
    static const struct {
        const char *text, *names[3];
        uint32_t classes[4];
    } cases[] = {
        {"1,10\n2,9\n3,10\n4,-1\n", {"-1", "9", "10"}, {2, 1, 2, 0}},
        {"1,b\n2,a\n3,b\n4,c\n", {"a", "b", "c"}, {1, 0, 1, 2}},
        {"1,10\n2,9\n3,10\n4,x\n", {"10", "9", "x"}, {0, 1, 0, 2}},
        {"1,\"a, \"\"b\"\"\"\n2,z\n3,Z\n4,z\n", {"Z", "a, \"b\"", "z"}, {1, 2, 0, 2}},
        {"1,02\n2,1\n3,2\n4,3\n", {"1", NULL, "3"}, {1, 0, 1, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(cases[i].text, strlen(cases[i].text));
        bp_csv_reader *reader = new_reader();
        bp_dataset *dataset;
        const float *targets;
        assert_int_equal(bp_csv_reader_set_class_column(reader, -1), BP_OK);
        assert_int_equal(bp_csv_reader_read(reader, BP_F32, file, &dataset), BP_OK);
        assert_int_equal(bp_dataset_class_count(dataset), 3);
        assert_int_equal(bp_dataset_output_count(dataset), 3);
        assert_memory_equal(bp_dataset_classes(dataset), cases[i].classes, sizeof cases[i].classes);
        for (size_t k = 0; k < 3; k++) {
            if (cases[i].names[k]) {
                assert_string_equal(bp_dataset_class_name(dataset, k), cases[i].names[k]);
            }
        }
        assert_null(bp_dataset_class_name(dataset, 3));
        assert_int_equal(bp_dataset_targets_f32(dataset, &targets), BP_OK);
        for (size_t t = 0; t < 12; t++) {
            assert_true(targets[t] == (float)(t % 3 == cases[i].classes[t / 3]));
        }
        bp_dataset_destroy(dataset);

        assert_int_equal(bp_csv_reader_set_one_hot(reader, 0), BP_OK);
        assert_int_equal(bp_csv_reader_read(reader, BP_F32, file, &dataset), BP_OK);
        assert_int_equal(bp_dataset_output_count(dataset), 1);
        assert_int_equal(bp_dataset_targets_f32(dataset, &targets), BP_OK);
        for (size_t t = 0; t < 4; t++) {
            assert_true(targets[t] == (float)cases[i].classes[t]);
        }
        bp_dataset_destroy(dataset);
        bp_csv_reader_destroy(reader);
    }
}

static void test_given_class_names(void **state)
{
    (void)state;
    static const char *const names[] = {"virginica", "setosa", "versicolor", "unseen"};
    static const char text[] = "1,setosa\n2,versicolor\n3,virginica\n";
    static const uint32_t expected[] = {1, 2, 0};
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset;
    assert_int_equal(bp_csv_reader_set_class_column(reader, 1), BP_OK);
    assert_int_equal(bp_csv_reader_set_class_names(reader, 4, names), BP_OK);
    write_file(text, strlen(text));
    assert_int_equal(bp_csv_reader_read(reader, BP_F64, file, &dataset), BP_OK);
    assert_int_equal(bp_dataset_class_count(dataset), 4);
    assert_memory_equal(bp_dataset_classes(dataset), expected, sizeof expected);
    assert_string_equal(bp_dataset_class_name(dataset, 3), "unseen");
    bp_dataset_destroy(dataset);

    write_file("1,setosa\n2,rose\n", 16);
    assert_int_equal(bp_csv_reader_read(reader, BP_F64, file, &dataset), BP_ERROR_FORMAT);
    assert_non_null(strstr(bp_last_error(), "row 2, column 2: \"rose\""));
    assert_int_equal(bp_csv_reader_set_class_names(reader, 2, (const char *[]){"a", "a"}), BP_ERROR_ARGUMENT);
    assert_int_equal(bp_csv_reader_set_class_names(reader, 0, NULL), BP_OK);
    assert_int_equal(bp_csv_reader_read(reader, BP_F64, file, &dataset), BP_OK);
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
}

/* The text of a class that is written in several ways is the first in the file, however qsort orders equals. */
static void test_class_named_as_first_written(void **state)
{
    (void)state;
    enum { ROWS = 400 };
    char text[16 * ROWS] = "";
    for (int i = 0; i < ROWS; i++) {
        snprintf(text + strlen(text), 16, "1,%s\n", i == 0 ? "007" : i % 2 ? "7" : "+7");
    }
    write_file(text, strlen(text));
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset;
    assert_int_equal(bp_csv_reader_set_class_column(reader, 1), BP_OK);
    assert_int_equal(bp_csv_reader_read(reader, BP_F32, file, &dataset), BP_OK);
    assert_int_equal(bp_dataset_class_count(dataset), 1);
    assert_string_equal(bp_dataset_class_name(dataset, 0), "007");
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
}

/* A row to skip may hold anything; the rows behind it are read as ever. */
static void test_skipped_row(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {
        {"just text\n1,2\n", 14}, {"150,4,setosa,\n1,2\n", 18},  {"5\" pipe,b\n1,2\n", 14},
        {"a\0c\n1,2\n", 8},       {"\"two\nlines\"\n1,2\n", 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(cases[i].text, cases[i].size);
        bp_csv_reader *reader = new_reader();
        bp_dataset *dataset;
        const double *inputs;
        assert_int_equal(bp_csv_reader_set_header(reader, BP_CSV_HEADER_SKIP), BP_OK);
        if (bp_csv_reader_read(reader, BP_F64, file, &dataset) != BP_OK) {
            fail_msg("text %zu: %s", i, bp_last_error());
        }
        assert_int_equal(bp_dataset_sample_count(dataset), 1);
        assert_int_equal(bp_dataset_input_count(dataset), 2);
        assert_null(bp_dataset_input_name(dataset, 0));
        assert_int_equal(bp_dataset_inputs_f64(dataset, &inputs), BP_OK);
        assert_true(inputs[0] == 1 && inputs[1] == 2);
        bp_dataset_destroy(dataset);
        bp_csv_reader_destroy(reader);
    }
}

/* The greatest float, written with the nine digits that identify it, is above it as a double. */
static void test_limits_of_f32(void **state)
{
    (void)state;
    static const char text[] = "3.40282347e+38,-3.40282347e+38,1e-46\n";
    static const float expected[] = {FLT_MAX, -FLT_MAX, 0};
    write_file(text, strlen(text));
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset;
    const float *inputs;
    assert_int_equal(bp_csv_reader_read(reader, BP_F32, file, &dataset), BP_OK);
    assert_int_equal(bp_dataset_inputs_f32(dataset, &inputs), BP_OK);
    assert_memory_equal(inputs, expected, sizeof expected);
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
}

/* One row wider than the pieces in which a file is read, without a line end. */
static void test_long_row(void **state)
{
    (void)state;
    enum { COLUMNS = 100000 };
    FILE *stream = fopen(file, "wb");
    assert_non_null(stream);
    for (int i = 0; i < COLUMNS; i++) {
        fprintf(stream, i ? ",%d" : "%d", i);
    }
    assert_int_equal(fclose(stream), 0);
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset;
    const float *inputs;
    assert_int_equal(bp_csv_reader_read(reader, BP_F32, file, &dataset), BP_OK);
    assert_int_equal(bp_dataset_sample_count(dataset), 1);
    assert_int_equal(bp_dataset_input_count(dataset), COLUMNS);
    assert_int_equal(bp_dataset_inputs_f32(dataset, &inputs), BP_OK);
    for (int i = 0; i < COLUMNS; i++) {
        assert_true(inputs[i] == (float)i);
    }
    bp_dataset_destroy(dataset);
    bp_csv_reader_destroy(reader);
}

/* Classes and names go into both parts of a split, also the class of which a part has no sample. */
static void test_split_keeps_names(void **state)
{
    (void)state;
    static const char text[] = "size,kind\n1,a\n2,a\n3,a\n4,a\n5,rare\n";
    write_file(text, strlen(text));
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset, *parts[2];
    assert_int_equal(bp_csv_reader_set_header(reader, BP_CSV_HEADER_NAMES), BP_OK);
    assert_int_equal(bp_csv_reader_set_class_column(reader, 1), BP_OK);
    assert_int_equal(bp_csv_reader_read(reader, BP_F64, file, &dataset), BP_OK);
    assert_int_equal(bp_dataset_split(dataset, 0.25, 3, &parts[0], &parts[1]), BP_OK);
    bp_dataset_destroy(dataset);
    assert_int_equal(bp_dataset_sample_count(parts[0]), 4);
    assert_int_equal(bp_dataset_sample_count(parts[1]), 1);
    for (int p = 0; p < 2; p++) {
        assert_int_equal(bp_dataset_class_count(parts[p]), 2);
        assert_int_equal(bp_dataset_output_count(parts[p]), 2);
        assert_string_equal(bp_dataset_class_name(parts[p], 0), "a");
        assert_string_equal(bp_dataset_class_name(parts[p], 1), "rare");
        assert_string_equal(bp_dataset_input_name(parts[p], 0), "size");
        bp_dataset_destroy(parts[p]);
    }
    bp_csv_reader_destroy(reader);
}

static void test_target_columns_and_header(void **state)
{
    (void)state;
    static const char text[] = "size,price,\"age, years\",score\n1,2,3,4\n5,6,7,8\n";
    static const double inputs_expected[] = {1, 3, 5, 7}, targets_expected[] = {4, 2, 8, 6};
    const double *inputs, *targets;
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset;
    write_file(text, strlen(text));
    assert_int_equal(bp_csv_reader_set_header(reader, BP_CSV_HEADER_NAMES), BP_OK);
    assert_int_equal(bp_csv_reader_set_target_columns(reader, 2, (const int[]){-1, 1}), BP_OK);
    assert_int_equal(bp_csv_reader_read(reader, BP_F64, file, &dataset), BP_OK);
    assert_int_equal(bp_dataset_inputs_f64(dataset, &inputs), BP_OK);
    assert_int_equal(bp_dataset_targets_f64(dataset, &targets), BP_OK);
    assert_memory_equal(inputs, inputs_expected, sizeof inputs_expected);
    assert_memory_equal(targets, targets_expected, sizeof targets_expected);
    assert_string_equal(bp_dataset_input_name(dataset, 0), "size");
    assert_string_equal(bp_dataset_input_name(dataset, 1), "age, years");
    assert_null(bp_dataset_input_name(dataset, 2));
    bp_dataset_destroy(dataset);

    assert_int_equal(bp_csv_reader_set_target_columns(reader, 2, (const int[]){-1, 3}), BP_OK);
    assert_int_equal(bp_csv_reader_read(reader, BP_F64, file, &dataset), BP_ERROR_FORMAT);
    assert_non_null(strstr(bp_last_error(), "the same"));
    assert_int_equal(bp_csv_reader_set_target_columns(reader, 2, (const int[]){1, 1}), BP_ERROR_ARGUMENT);
    bp_csv_reader_destroy(reader);
}

static void test_shipped_sets(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bp_csv_header header;
        size_t samples, inputs, classes;
        double sum;        /* of all inputs, by awk */
        size_t counts[10]; /* samples of each class, by awk */
    } sets[] = {
        {BP_TEST_DATA "/digits.csv.gz", BP_CSV_HEADER_NONE, 1797, 64, 10, 561718, {178, 182, 177, 183, 181, 182, 181, 179, 174, 180}},
        {BP_TEST_DATA "/iris.csv", BP_CSV_HEADER_SKIP, 150, 4, 3, 2078.7, {50, 50, 50}},
        {BP_TEST_DATA "/wine_data.csv", BP_CSV_HEADER_SKIP, 178, 13, 3, 159975.295999, {59, 71, 48}},
        {BP_TEST_DATA "/breast_cancer.csv", BP_CSV_HEADER_SKIP, 569, 30, 2, 1056474.45964, {212, 357}},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        bp_csv_reader *reader = new_reader();
        bp_dataset *dataset;
        assert_int_equal(bp_csv_reader_set_header(reader, sets[i].header), BP_OK);
        assert_int_equal(bp_csv_reader_set_class_column(reader, -1), BP_OK);
        if (bp_csv_reader_read(reader, BP_F32, sets[i].file, &dataset) != BP_OK) {
            fail_msg("%s", bp_last_error());
        }
        assert_int_equal(bp_dataset_sample_count(dataset), sets[i].samples);
        assert_int_equal(bp_dataset_input_count(dataset), sets[i].inputs);
        assert_int_equal(bp_dataset_class_count(dataset), sets[i].classes);
        const float *inputs;
        double sum = 0;
        size_t counts[10] = {0};
        assert_int_equal(bp_dataset_inputs_f32(dataset, &inputs), BP_OK);
        for (size_t k = 0; k < sets[i].samples * sets[i].inputs; k++) {
            sum += (double)inputs[k];
        }
        for (size_t k = 0; k < sets[i].samples; k++) {
            counts[bp_dataset_classes(dataset)[k]]++;
        }
        if (fabs(sum - sets[i].sum) > 1e-6 * sets[i].sum) {
            fail_msg("%s: expected a sum of %.10g, got %.10g", sets[i].file, sets[i].sum, sum);
        }
        assert_memory_equal(counts, sets[i].counts, sizeof counts);
        bp_dataset_destroy(dataset);
        bp_csv_reader_destroy(reader);
    }
}

static void test_bad_arguments(void **state)
{
    (void)state;
    bp_csv_reader *reader = new_reader();
    bp_dataset *dataset = NULL;
    bp_csv_header header;
    const bp_status argument = BP_ERROR_ARGUMENT;
    assert_int_equal(bp_csv_reader_create(NULL), argument);
    assert_int_equal(bp_csv_reader_set_header(NULL, BP_CSV_HEADER_NONE), argument);
    assert_int_equal(bp_csv_reader_set_header(reader, (bp_csv_header)3), argument);
    assert_int_equal(bp_csv_reader_set_header(reader, (bp_csv_header)-1), argument);
    assert_int_equal(bp_csv_reader_set_delimiter(NULL, ','), argument);
    for (const char *c = "\"\n\r.-+0e"; *c; c++) {
        assert_int_equal(bp_csv_reader_set_delimiter(reader, *c), argument);
    }
    assert_int_equal(bp_csv_reader_set_delimiter(reader, '\0'), argument);
    assert_int_equal(bp_csv_reader_set_class_column(NULL, 0), argument);
    assert_int_equal(bp_csv_reader_set_class_names(NULL, 1, (const char *[]){"a"}), argument);
    assert_int_equal(bp_csv_reader_set_class_names(reader, 1, NULL), argument);
    assert_int_equal(bp_csv_reader_set_class_names(reader, 1, (const char *[]){NULL}), argument);
    assert_int_equal(bp_csv_reader_set_one_hot(NULL, 1), argument);
    assert_int_equal(bp_csv_reader_set_one_hot_inputs(NULL, 1), argument);
    assert_int_equal(bp_csv_reader_set_net(NULL, NULL), argument);
    assert_int_equal(bp_csv_reader_set_one_hot(reader, 2), argument);
    assert_int_equal(bp_csv_reader_set_target_columns(NULL, 0, NULL), argument);
    assert_int_equal(bp_csv_reader_set_target_columns(reader, 1, NULL), argument);
    assert_int_equal(bp_csv_reader_set_target_columns(reader, SIZE_MAX, (const int[]){1}), argument);
    assert_non_null(strstr(bp_last_error(), "; it can be 0 to"));
    assert_int_equal(bp_csv_reader_set_class_names(reader, SIZE_MAX, (const char *[]){"a"}), argument);
    assert_non_null(strstr(bp_last_error(), "; it can be 0 to"));
    assert_int_equal(bp_csv_header_from_name(NULL, &header), argument);
    assert_int_equal(bp_csv_header_from_name("none", NULL), argument);
    assert_int_equal(bp_csv_reader_read(NULL, BP_F32, file, &dataset), argument);
    assert_int_equal(bp_csv_reader_read(reader, (bp_dtype)0, file, &dataset), argument);
    assert_int_equal(bp_csv_reader_read(reader, (bp_dtype)3, file, &dataset), argument);
    assert_int_equal(bp_csv_reader_read(reader, BP_F32, NULL, &dataset), argument);
    assert_int_equal(bp_csv_reader_read(reader, BP_F32, file, NULL), argument);
    assert_null(dataset);
    for (int h = 0; h < 3; h++) {
        assert_int_equal(bp_csv_header_from_name(bp_csv_header_name((bp_csv_header)h), &header), BP_OK);
        assert_int_equal(header, h);
    }
    assert_null(bp_csv_header_name((bp_csv_header)3));
    assert_int_equal(bp_csv_header_from_name("nine", &header), argument);
    bp_csv_reader_destroy(reader);
    bp_csv_reader_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_damaged_gzip),
        cmocka_unit_test(test_forms_of_good_files),
        cmocka_unit_test(test_damage_or_mistake),
        cmocka_unit_test_teardown(test_comma_locale, remove_locale),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_given_class_names),
        cmocka_unit_test(test_target_columns_and_header),
        cmocka_unit_test(test_shipped_sets),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_class_named_as_first_written),
        cmocka_unit_test(test_skipped_row),
        cmocka_unit_test(test_limits_of_f32),
        cmocka_unit_test(test_long_row),
        cmocka_unit_test(test_split_keeps_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
