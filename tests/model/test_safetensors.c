/*
 * safetensors files: what is written, byte by byte; what comes back; and the files that must be refused. Memory is made to run out by functions
 * that the linker puts in between (--wrap), and that Jansson is given.
 */
#define _GNU_SOURCE

#include "model/safetensors.h"
#include "model/tensors.h"
#include "support/check.h"

#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int allocations_before = -1; /* the one that fails; −1: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);

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

char *__wrap_strdup(const char *text)
{
    return runs_out() ? NULL : __real_strdup(text);
}

static char folder[] = "/tmp/bp-tensors-XXXXXX";
static char file[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/tensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(file);
    return rmdir(folder);
}

/* A copy that ends where its block does, so that AddressSanitizer sees who reads on. */
static unsigned char *exactly(const void *bytes, size_t size)
{
    unsigned char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    return size ? memcpy(copy, bytes, size) : copy;
}

/* Two tensors and a text. Header 163 bytes, padded to 168 = 0xa8; the checksum is Python's zlib.crc32. */
static const char small_header[] = "{\"__metadata__\":{\"crc32\":\"7a3e9778\",\"k\":\"v \\\"\xc3\xa9\\\"\"},"
                                   "\"bias\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
                                   "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}     ";
static const unsigned char small_data[] = {0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x20, 0xc0, 1, 2, 255}; /* 1, −2.5; 1, 2, 255 */
enum { SMALL_HEADER = sizeof small_header - 1, SMALL_SIZE = 8 + SMALL_HEADER + sizeof small_data };

static unsigned char *small_file(void)
{
    unsigned char *bytes = calloc(1, SMALL_SIZE);
    assert_non_null(bytes);
    bytes[0] = 0xa8;
    memcpy(bytes + 8, small_header, SMALL_HEADER);
    memcpy(bytes + 8 + SMALL_HEADER, small_data, sizeof small_data);
    return bytes;
}

static bp_tensors *small_tensors(void)
{
    static const unsigned char bias[] = {1, 2, 255};
    static const float a[] = {1, -2.5F};
    bp_tensors *tensors = bp_tensors_create();
    assert_non_null(tensors);
    assert_true(bp_tensors_add_text(tensors, "k", "v \"\xc3\xa9\""));
    assert_true(bp_tensors_add(tensors, "bias", BP_TENSOR_U8, 1, (const size_t[]){3}, bias));
    assert_true(bp_tensors_add(tensors, "a", BP_TENSOR_F32, 2, (const size_t[]){1, 2}, a));
    return tensors;
}

static void must_save_as(const bp_tensors *tensors, const unsigned char *expected, size_t expected_size)
{
    unsigned char *bytes;
    size_t size;
    must(bp_tensors_save_memory("test", tensors, &bytes, &size));
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

static void test_bytes_of_a_small_file(void **state)
{
    (void)state;
    bp_tensors *tensors = small_tensors();
    unsigned char *expected = small_file();
    must_save_as(tensors, expected, SMALL_SIZE);

    must(bp_tensors_save("test", tensors, file));
    FILE *stream = fopen(file, "rb");
    assert_non_null(stream);
    unsigned char bytes[SMALL_SIZE + 1];
    assert_int_equal(fread(bytes, 1, sizeof bytes, stream), SMALL_SIZE);
    fclose(stream);
    assert_memory_equal(bytes, expected, SMALL_SIZE);

    bp_tensors *loaded;
    must(bp_tensors_load("test", file, true, &loaded));
    assert_string_equal(bp_tensors_text(loaded, "k"), "v \"\xc3\xa9\"");
    assert_null(bp_tensors_text(loaded, "K"));
    assert_null(bp_tensors_text(loaded, "crc32"));
    const float *a = bp_tensors_find(loaded, "a", BP_TENSOR_F32, 2, (const size_t[]){1, 2});
    assert_true(a && a[0] == 1 && a[1] == -2.5F);
    assert_null(bp_tensors_find(loaded, "a", BP_TENSOR_I32, 2, (const size_t[]){1, 2}));
    assert_null(bp_tensors_find(loaded, "a", BP_TENSOR_F32, 2, (const size_t[]){2, 1}));
    assert_null(bp_tensors_find(loaded, "a", BP_TENSOR_F32, 1, (const size_t[]){1, 2}));
    assert_null(bp_tensors_find(loaded, "b", BP_TENSOR_F32, 2, (const size_t[]){1, 2}));
    assert_null(bp_tensors_get(loaded, "__metadata__"));
    const bp_tensor *bias = bp_tensors_get(loaded, "bias");
    assert_true(bias && bias->type == BP_TENSOR_U8 && bias->n_dimensions == 1 && bias->shape[0] == 3 && bias->size == 3);
    must_save_as(loaded, expected, SMALL_SIZE);
    bp_tensors_destroy(loaded);
    bp_tensors_destroy(tensors);
    bp_tensors_destroy(NULL);
    free(expected);
}

/* Every type, in shapes from none to eight dimensions, one of them empty; each comes back aligned, and the order stays. */
static void test_round_trip(void **state)
{
    (void)state;
    static const struct {
        size_t n_dimensions, shape[8], n_elements;
    } shapes[] = {{0, {0}, 1}, {1, {8}, 8}, {2, {3, 8}, 24}, {3, {5, 0, 1}, 0}, {8, {1, 2, 1, 2, 1, 2, 1, 3}, 24}};
    enum { N_SHAPES = sizeof shapes / sizeof *shapes };
    unsigned char data[24 * 8];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (unsigned char)(i * 37 + 11);
    }
    bp_tensors *tensors = bp_tensors_create();
    const bp_tensor_type_info *info;
    for (int type = 0; (info = bp_tensor_type_find((bp_tensor_type)type)) != NULL; type++) {
        for (size_t s = 0; s < N_SHAPES; s++) {
            char name[32];
            snprintf(name, sizeof name, "%s.%zu", info->name, s);
            bool added = bp_tensors_add(tensors, name, (bp_tensor_type)type, shapes[s].n_dimensions, shapes[s].shape, data);
            assert_int_equal(added, shapes[s].n_elements * info->bits % 8 == 0); /* one element of four bits makes no byte */
        }
        assert_true(bp_tensors_add_text(tensors, info->name, type % 2 ? "" : "a\tb\n\x7f\xf0\x9f\x98\x80"));
    }
    must(bp_tensors_save("test", tensors, file));
    bp_tensors *loaded;
    must(bp_tensors_load("test", file, true, &loaded));
    assert_int_equal(loaded->n_tensors, tensors->n_tensors);
    assert_int_equal(loaded->n_texts, tensors->n_texts);
    for (size_t i = 0; i < tensors->n_tensors; i++) {
        const bp_tensor *was = &tensors->tensors[i], *is = &loaded->tensors[i];
        assert_string_equal(was->name, is->name);
        assert_int_equal(was->size, is->size);
        assert_ptr_equal(bp_tensors_find(loaded, was->name, was->type, was->n_dimensions, was->shape), is->data);
        assert_memory_equal(is->data, data, is->size);
        assert_int_equal((uintptr_t)is->data % bp_tensor_type_find(is->type)->width, 0);
    }
    for (size_t i = 0; i < tensors->n_texts; i++) {
        assert_string_equal(bp_tensors_text(loaded, tensors->texts[i].key), tensors->texts[i].value);
    }
    unsigned char *bytes;
    size_t size;
    must(bp_tensors_save_memory("test", tensors, &bytes, &size));
    must_save_as(loaded, bytes, size);
    free(bytes);
    bp_tensors_destroy(loaded);
    bp_tensors_destroy(tensors);
}

static void test_nothing_is_a_file_too(void **state)
{
    (void)state;
    bp_tensors *tensors = bp_tensors_create(), *loaded;
    for (size_t n = 0; n < 2; n++) {
        must(bp_tensors_save("test", tensors, file));
        must(bp_tensors_load("test", file, true, &loaded));
        assert_int_equal(loaded->n_tensors, n);
        assert_int_equal(loaded->n_texts, 0);
        bp_tensors_destroy(loaded);
        assert_true(bp_tensors_add(tensors, "a", BP_TENSOR_F32, 1, (const size_t[]){0}, NULL));
    }
    bp_tensors_destroy(tensors);
}

static bp_status load(const void *bytes, size_t size, bool checksum_required)
{
    unsigned char *block = exactly(bytes, size);
    bp_tensors *tensors = NULL;
    bp_status status = bp_tensors_load_memory("bp_net_load", "a.bp", block, size, checksum_required, &tensors);
    assert_int_equal(status == BP_OK, tensors != NULL);
    bp_tensors_destroy(tensors);
    free(block);
    return status;
}

/* Every other value of every byte; without a checksum being asked for, but for those of its key. */
static void test_a_flipped_byte_is_refused(void **state)
{
    (void)state;
    unsigned char *bytes = small_file();
    size_t key = 8 + (size_t)(strstr(small_header, "crc32") - small_header);
    must(load(bytes, SMALL_SIZE, true));
    for (size_t i = 0; i < SMALL_SIZE; i++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            bytes[i] ^= (unsigned char)flip;
            for (int required = i >= key && i < key + 5; required <= 1; required++) {
                bp_status status = load(bytes, SMALL_SIZE, required);
                if (status != BP_ERROR_FORMAT) {
                    fail_msg("byte %zu ^ %u%s: %s", i, flip, required ? ", required" : "", bp_status_name(status));
                }
            }
            bytes[i] ^= (unsigned char)flip;
        }
    }
    bytes[SMALL_SIZE - 1] ^= 1;
    REFUSED(load(bytes, SMALL_SIZE, false), BP_ERROR_FORMAT, "bp_net_load: a.bp: its checksum is 7a3e9778, but its content's is ");
    free(bytes);
}

static void test_a_cut_or_longer_file_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[SMALL_SIZE + 8] = {0};
    unsigned char *whole = small_file();
    memcpy(bytes, whole, SMALL_SIZE);
    free(whole);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        bp_status status = load(bytes, size, false);
        if (status != (size == SMALL_SIZE ? BP_OK : BP_ERROR_FORMAT)) {
            fail_msg("%zu bytes of %d: %s", size, SMALL_SIZE, bp_status_name(status));
        }
    }
}

/* A header and this many bytes of data; no words: it is taken, with these and without a checksum. */
typedef struct header_case {
    const char *name, *header;
    size_t header_size; /* 0: strlen(header) */
    size_t data_size;
    const char *words[3];
} header_case;

#define ONE(fields) "{\"a\":{" fields "}}"
#define TENSOR(name, type, shape, begin, end)                                                                                              \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define F32(shape, begin, end) "{" TENSOR("a", "F32", shape, begin, end) "}"
#define TWO(first, second) "{" first "," second "}"

static const header_case header_cases[] = {
    {"no tensors", "{}", 0, 0, {0}},
    {"padding", "{}   \n\t ", 0, 0, {0}},
    {"no shape, one element", F32("[]", "0", "4"), 0, 4, {0}},
    {"metadata behind", "{" TENSOR("a", "U8", "[1]", "0", "1") ",\"__metadata__\":{\"a\":\"b\"}}", 0, 1, {0}},
    {"order of its own", TWO(TENSOR("a", "U8", "[3]", "2", "5"), TENSOR("b", "U16", "[1]", "0", "2")), 0, 5, {0}},
    {"empty tensors at borders",
     "{" TENSOR("a", "U8", "[0]", "2", "2") "," TENSOR("b", "U8", "[2]", "0", "2") "," TENSOR("c", "U8", "[0,9]", "0", "0") "}",
     0,
     2,
     {0}},
    {"0 makes a large shape empty", F32("[4611686018427387904,4611686018427387904,0]", "0", "0"), 0, 0, {0}},
    {"largest name", ONE("\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]"), 0, 1, {0}},

    {"array", "[]", 0, 0, {"byte 8", "{"}},
    {"space in front", " {}", 0, 0, {"byte 8", "{"}},
    {"byte order mark", "\xef\xbb\xbf{}", 0, 0, {"byte 8"}},
    {"no JSON", "{a}", 0, 0, {"byte"}},
    {"not closed", "{\"a\":{", 0, 0, {"byte 14"}},
    {"text behind", "{} {}", 0, 0, {"byte"}},
    {"NUL behind", "{}\0", 3, 0, {"byte"}},
    {"NUL in a name", "{\"a\0b\":{}}", 10, 0, {"byte"}},
    {"escaped NUL in a name", "{\"a\\u0000b\":{}}", 0, 0, {"byte", "NUL"}},
    {"escaped NUL in a text", "{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, 0, {"byte", "\\u0000"}},
    {"invalid UTF-8 in a name", "{\"a\xff\":{}}", 0, 0, {"byte 11", "0xff"}},
    {"overlong UTF-8", "{\"a\xc0\x80\":{}}", 0, 0, {"byte", "0xc0"}},
    {"surrogate", "{\"__metadata__\":{\"a\":\"\\ud800\"}}", 0, 0, {"byte"}},
    {"duplicate tensor", TWO(TENSOR("a", "U8", "[1]", "0", "1"), TENSOR("a", "U8", "[1]", "0", "1")), 0, 1, {"duplicate", "byte"}},
    {"duplicate key", ONE("\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]"), 0, 1, {"duplicate"}},
    {"duplicate by escape", "{\"__metadata__\":{\"a\":\"\",\"\\u0061\":\"\"}}", 0, 0, {"duplicate"}},
    {"metadata array", "{\"__metadata__\":[]}", 0, 0, {"__metadata__", "object"}},
    {"metadata null", "{\"__metadata__\":null}", 0, 0, {"__metadata__", "object"}},
    {"metadata number", "{\"__metadata__\":{\"epoch\":1}}", 0, 0, {"epoch", "text"}},
    {"metadata object", "{\"__metadata__\":{\"epoch\":{}}}", 0, 0, {"epoch", "text"}},
    {"tensor number", "{\"a\":1}", 0, 0, {"\"a\"", "dtype"}},
    {"tensor text", "{\"a\":\"b\"}", 0, 0, {"\"a\"", "dtype"}},
    {"no dtype", ONE("\"shape\":[],\"data_offsets\":[0,1]"), 0, 1, {"\"a\"", "dtype"}},
    {"no shape", ONE("\"dtype\":\"U8\",\"data_offsets\":[0,1]"), 0, 1, {"\"a\"", "shape"}},
    {"no data_offsets", ONE("\"dtype\":\"U8\",\"shape\":[]"), 0, 1, {"\"a\"", "data_offsets"}},
    {"more", ONE("\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"stride\":[]"), 0, 1, {"\"a\"", "is not an object of"}},
    {"dtype number", ONE("\"dtype\":8,\"shape\":[],\"data_offsets\":[0,1]"), 0, 1, {"dtype", "text"}},
    {"dtype unknown", "{" TENSOR("a", "F128", "[1]", "0", "16") "}", 0, 16, {"\"a\"", "F128"}},
    {"dtype in small letters", "{" TENSOR("a", "f32", "[1]", "0", "4") "}", 0, 4, {"\"f32\""}},
    {"shape number", F32("1", "0", "4"), 0, 4, {"shape", "array"}},
    {"shape object", F32("{}", "0", "4"), 0, 4, {"shape", "array"}},
    {"shape negative", F32("[-1]", "0", "4"), 0, 4, {"shape[0]", "whole number"}},
    {"shape both negative", F32("[-1,-1]", "0", "4"), 0, 4, {"shape[0]"}},
    {"shape float", F32("[1,1.0]", "0", "4"), 0, 4, {"shape[1]", "whole number"}},
    {"shape exponent", F32("[1e0]", "0", "4"), 0, 4, {"shape[0]"}},
    {"shape text", F32("[\"1\"]", "0", "4"), 0, 4, {"shape[0]"}},
    {"shape true", F32("[true]", "0", "4"), 0, 4, {"shape[0]"}},
    {"shape beyond 64 bits", F32("[18446744073709551617]", "0", "4"), 0, 4, {"byte", "too big"}},
    {"shape beyond a double", F32("[1e999]", "0", "4"), 0, 4, {"byte", "overflow"}},
    {"shape wraps to 0", F32("[4294967296,4294967296]", "0", "0"), 0, 0, {"shape", "0 bytes"}},
    {"shape wraps with its type", F32("[4611686018427387905]", "0", "4"), 0, 4, {"shape", "4 bytes"}},
    {"shape wraps to its size", F32("[2147483648,2147483648,3]", "0", "0"), 0, 0, {"shape"}},
    {"shape that cannot be counted", F32("[4,9223372036854775807]", "0", "16"), 0, 16, {"shape", "16 bytes"}},
    {"nine dimensions", F32("[1,1,1,1,1,1,1,1,1]", "0", "4"), 0, 4, {"shape", "9 numbers", "up to 8"}},
    {"half a byte", "{" TENSOR("a", "F4", "[3]", "0", "1") "}", 0, 1, {"shape"}},
    {"too small for its shape", F32("[2]", "0", "4"), 0, 4, {"shape", "4 bytes"}},
    {"too large for its shape", F32("[2]", "0", "12"), 0, 12, {"shape", "12 bytes"}},
    {"offsets number", ONE("\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":1"), 0, 1, {"data_offsets", "array"}},
    {"one offset", ONE("\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0]"), 0, 0, {"data_offsets are not"}},
    {"three offsets", ONE("\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1,1]"), 0, 1, {"data_offsets", "3 numbers"}},
    {"offset negative", F32("[1]", "-4", "0"), 0, 4, {"data_offsets[0]"}},
    {"offset float", F32("[1]", "0", "4.0"), 0, 4, {"data_offsets[1]"}},
    {"end before begin", F32("[1]", "4", "0"), 0, 4, {"\"a\"", "data_offsets are not"}},
    {"end before begin, as a size", F32("[4611686018427387903]", "4", "0"), 0, 4, {"data_offsets are not"}},
    {"end beyond", F32("[1]", "0", "4"), 0, 3, {"data_offsets", "3 bytes of data"}},
    {"both beyond", F32("[1]", "4", "8"), 0, 4, {"data_offsets", "4 bytes of data"}},
    {"offsets of 63 bits", F32("[1]", "9223372036854775803", "9223372036854775807"), 0, 4, {"data_offsets"}},
    {"hole in front", F32("[1]", "4", "8"), 0, 8, {"\"a\"", "byte 4", "end at 0"}},
    {"hole between", TWO(TENSOR("a", "U8", "[1]", "0", "1"), TENSOR("b", "U8", "[1]", "2", "3")), 0, 3, {"\"b\"", "byte 2", "end at 1"}},
    {"overlap", TWO(TENSOR("a", "U8", "[2]", "0", "2"), TENSOR("b", "U8", "[2]", "1", "3")), 0, 3, {"\"b\"", "byte 1", "end at 2"}},
    {"twice the same", TWO(TENSOR("a", "U8", "[2]", "0", "2"), TENSOR("b", "U8", "[2]", "0", "2")), 0, 2, {"byte 0", "end at 2"}},
    {"empty within another", TWO(TENSOR("a", "U8", "[2]", "0", "2"), TENSOR("b", "U8", "[0]", "1", "1")), 0, 2, {"\"b\"", "byte 1"}},
    {"bytes behind", F32("[1]", "0", "4"), 0, 5, {"end at byte 4", "has 5"}},
    {"data without tensors", "{}", 0, 1, {"end at byte 0", "has 1"}},
    {"checksum number", "{\"__metadata__\":{\"crc32\":12345678}}", 0, 0, {"crc32", "text"}},
    {"checksum short", "{\"__metadata__\":{\"crc32\":\"1234567\"}}", 0, 0, {"checksum", "8 hexadecimal"}},
    {"checksum escaped", "{\"__metadata__\":{\"crc\\u00332\":\"12345678\"}}", 0, 0, {"checksum"}},
    {"checksum at the end", "{\"__metadata__\":{\"crc\\u00332\":\"12345678\"},\"crc32\":\"\"}", 0, 0, {"checksum"}},
    {"checksum is none", "{\"__metadata__\":{\"crc32\":\"checksum\"}}", 0, 0, {"its checksum is checksum"}},
    {"checksum of another file", "{\"__metadata__\":{\"crc32\":\"12345678\"}}", 0, 0, {"its checksum is 12345678"}},
    {"name that looks like it",
     "{\"__metadata__\":{\"a\\\"crc32\":\"12345678\",\"crc32\":\"00000000\"}}",
     0,
     0,
     {"its checksum is 00000000"}},
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_cases / sizeof *header_cases; i++) {
        const header_case *c = &header_cases[i];
        size_t header_size = c->header_size ? c->header_size : strlen(c->header), size = 8 + header_size + c->data_size;
        unsigned char *bytes = calloc(1, size);
        assert_non_null(bytes);
        bytes[0] = (unsigned char)header_size;
        bytes[1] = (unsigned char)(header_size >> 8);
        memcpy(bytes + 8, c->header, header_size);
        bp_status status = load(bytes, size, false);
        if (status != (c->words[0] ? BP_ERROR_FORMAT : BP_OK)) {
            fail_msg("%s: %s: %s", c->name, bp_status_name(status), bp_last_error());
        }
        for (size_t w = 0; w < 3 && c->words[w]; w++) {
            must_refuse(c->name, status, BP_ERROR_FORMAT, c->words[w]);
        }
        if (!c->words[0]) {
            REFUSED(load(bytes, size, true), BP_ERROR_FORMAT, "no checksum");
        }
        free(bytes);
    }
}

/* The first eight bytes of a file that goes on with "{}". */
static void test_header_lengths(void **state)
{
    (void)state;
    static const struct {
        unsigned char length[8];
        const char *words;
    } cases[] = {
        {{0}, "does not start with {"},
        {{1}, "byte"},
        {{3}, "3 bytes, but only 2 are there"},
        {{0x00, 0x24, 0xf4}, "16000000 bytes, but only 2"},
        {{0x01, 0x24, 0xf4}, "16000001 bytes, as its first bytes say"},
        {{0xff, 0xff, 0xff, 0xff}, "4294967295"},
        {{0, 0, 0, 0, 1}, "4294967296"},
        {{2, 0, 0, 0, 0, 0, 0, 0x80}, "9223372036854775810"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "18446744073709551615"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[10];
        memcpy(bytes, cases[i].length, 8);
        memcpy(bytes + 8, "{}", 2);
        must_refuse(cases[i].words, load(bytes, sizeof bytes, false), BP_ERROR_FORMAT, cases[i].words);
    }
}

/* Deeper than any tensor, as deep as a stack is not. */
static void test_depth(void **state)
{
    (void)state;
    static const char *const units[] = {"[", "{\"a\":"};
    for (size_t u = 0; u < 2; u++) {
        size_t depth = 200000, unit = strlen(units[u]), header_size = 5 + depth * unit;
        unsigned char *bytes = calloc(1, 8 + header_size);
        assert_non_null(bytes);
        for (size_t i = 0; i < 4; i++) {
            bytes[i] = (unsigned char)(header_size >> (8 * i));
        }
        memcpy(bytes + 8, "{\"a\":", 5);
        for (size_t i = 0; i < depth; i++) {
            memcpy(bytes + 13 + i * unit, units[u], unit);
        }
        REFUSED(load(bytes, 8 + header_size, false), BP_ERROR_FORMAT, "maximum parsing depth");
        free(bytes);
    }
}

/* Many tensors are found as quickly as few. */
static void test_many_tensors(void **state)
{
    (void)state;
    enum { N = 20000 };
    bp_tensors *written = bp_tensors_create(), *read = NULL;
    char name[16];
    unsigned char *bytes;
    size_t size;
    for (size_t i = 0; i < N; i++) {
        snprintf(name, sizeof name, "%zu", i);
        assert_true(bp_tensors_add(written, name, BP_TENSOR_U8, 1, (const size_t[]){1}, "x"));
    }
    must(bp_tensors_save_memory("bp_net_save", written, &bytes, &size));
    must(bp_tensors_load_memory("bp_net_load", "file", bytes, size, true, &read));
    for (size_t i = 0; i < 50 * N; i++) {
        snprintf(name, sizeof name, "%zu", i % N);
        assert_string_equal(bp_tensors_get(read, name)->name, name);
    }
    assert_null(bp_tensors_get(read, "x"));
    bp_tensors_destroy(written);
    bp_tensors_destroy(read);
    free(bytes);
}

/* What others write: no padding, no checksum, any order; tensors that do not lie aligned are copied. */
static void test_unaligned(void **state)
{
    (void)state;
    static const char header[] = TWO(TENSOR("a", "U8", "[1]", "0", "1"), TENSOR("b", "F64", "[2]", "1", "17"));
    unsigned char bytes[8 + sizeof header - 1 + 17] = {sizeof header - 1};
    double b[] = {0.1, -3e300};
    memcpy(bytes + 8, header, sizeof header - 1);
    bytes[sizeof bytes - 17] = 7;
    memcpy(bytes + sizeof bytes - 16, b, 16);
    for (size_t shift = 0; shift < 8; shift++) {
        unsigned char *block = malloc(sizeof bytes + 8);
        assert_non_null(block);
        memcpy(block + shift, bytes, sizeof bytes);
        bp_tensors *tensors;
        must(bp_tensors_load_memory("test", "memory", block + shift, sizeof bytes, false, &tensors));
        const double *found = bp_tensors_find(tensors, "b", BP_TENSOR_F64, 1, (const size_t[]){2});
        assert_int_equal((uintptr_t)found % sizeof *found, 0);
        assert_memory_equal(found, b, sizeof b);
        assert_int_equal(*(const unsigned char *)bp_tensors_get(tensors, "a")->data, 7);
        bp_tensors_destroy(tensors);
        free(block);
    }
}

/* A checksum that stands somewhere else, with spaces, is verified as well. */
static void test_checksum_elsewhere(void **state)
{
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},\"__metadata__\":"
                                 "{\"b\":\"c\",\"crc32\" :\n\"1a9d2b4f\"}}";
    unsigned char bytes[8 + sizeof header - 1 + 1] = {sizeof header - 1};
    memcpy(bytes + 8, header, sizeof header - 1);
    bytes[sizeof bytes - 1] = 42;
    must(load(bytes, sizeof bytes, true));
    bytes[sizeof bytes - 1] = 43;
    REFUSED(load(bytes, sizeof bytes, false), BP_ERROR_FORMAT, "its checksum is 1a9d2b4f");
}

static void test_what_cannot_be_written(void **state)
{
    (void)state;
    static const struct {
        const char *name, *key, *value, *tensors[2], *words;
    } cases[] = {
        {"two tensors", NULL, NULL, {"a", "a"}, "two of the name \"a\""},
        {"metadata as a name", NULL, NULL, {"__metadata__", NULL}, "__metadata__"},
        {"checksum as a key", "crc32", "00000000", {NULL}, "crc32"},
        {"key in Latin-1", "gr\xf6\xdf", "", {NULL}, "UTF-8"},
        {"text in Latin-1", "name", "gr\xf6\xdf", {NULL}, "UTF-8"},
        {"name in Latin-1", NULL, NULL, {"gr\xf6\xdf", NULL}, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bp_tensors *tensors = bp_tensors_create();
        if (cases[i].key) {
            assert_true(bp_tensors_add_text(tensors, cases[i].key, cases[i].value));
        }
        for (size_t k = 0; k < 2 && cases[i].tensors[k]; k++) {
            assert_true(bp_tensors_add(tensors, cases[i].tensors[k], BP_TENSOR_U8, 1, (const size_t[]){1}, "x"));
        }
        remove(file);
        must_refuse(cases[i].name, bp_tensors_save("bp_net_save", tensors, file), BP_ERROR_ARGUMENT, cases[i].words);
        assert_int_equal(access(file, F_OK), -1);
        bp_tensors_destroy(tensors);
    }
    bp_tensors *tensors = bp_tensors_create();
    assert_false(bp_tensors_add(tensors, "a", BP_TENSOR_F32, 2, (const size_t[]){SIZE_MAX / 4, 2}, "x"));
    assert_false(bp_tensors_add(tensors, "a", BP_TENSOR_U8, 9, (const size_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, "x"));
    bp_tensors_destroy(tensors);
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    bp_tensors *tensors = NULL;
    remove(file);
    REFUSED(bp_tensors_load("bp_net_load", file, false, &tensors), BP_ERROR_IO, "No such file");
    REFUSED(bp_tensors_load("bp_net_load", folder, false, &tensors), BP_ERROR_IO, "a directory");
    assert_int_equal(mkfifo(file, 0600), 0);
    alarm(20); /* a hang ends it */
    REFUSED(bp_tensors_load("bp_net_load", file, false, &tensors), BP_ERROR_IO, "not a regular file");
    REFUSED(bp_tensors_load("bp_net_load", "/dev/zero", false, &tensors), BP_ERROR_IO, "not a regular file");
    alarm(0);
    remove(file);
    FILE *stream = fopen(file, "wb");
    assert_true(stream && fclose(stream) == 0);
    REFUSED(bp_tensors_load("bp_net_load", file, false, &tensors), BP_ERROR_FORMAT, "0 bytes");
    assert_null(tensors);
}

/* Each allocation fails in turn; the call says so, and works when they no longer do. AddressSanitizer sees what is not freed. */
static void test_no_memory(void **state)
{
    (void)state;
    json_set_alloc_funcs(__wrap_malloc, free);
    bp_tensors *tensors = small_tensors(), *loaded = NULL;
    bp_status status = BP_ERROR_MEMORY;
    int saving = 0, loading = 0;
    for (; status != BP_OK; saving++) {
        allocations_before = saving;
        status = bp_tensors_save("bp_net_save", tensors, file);
        allocations_before = -1;
        if (status != BP_OK) {
            must_refuse("save", status, BP_ERROR_MEMORY, "bp_net_save: out of memory");
        }
    }
    for (bool ran_out = true; ran_out; loading++) {
        allocations_before = loading;
        status = bp_tensors_load("bp_net_load", file, true, &loaded);
        ran_out = allocations_before < 0;
        allocations_before = -1;
        if (ran_out && status != BP_ERROR_MEMORY) { /* Jansson takes the end of memory for that of a token */
            must_refuse("load", status, BP_ERROR_FORMAT, "byte");
        }
    }
    must(status);
    assert_true(saving > 20 && loading > 20);
    unsigned char *expected = small_file();
    must_save_as(loaded, expected, SMALL_SIZE);
    free(expected);
    bp_tensors_destroy(loaded);
    bp_tensors_destroy(tensors);
    int adding = 0;
    for (bool whole = false; !whole; adding++) {
        allocations_before = adding;
        tensors = bp_tensors_create();
        whole = tensors && bp_tensors_add_text(tensors, "key", "value") && bp_tensors_add(tensors, "a", BP_TENSOR_U8, 0, NULL, "x");
        allocations_before = -1;
        bp_tensors_destroy(tensors);
    }
    assert_int_equal(adding, 7);
    json_set_alloc_funcs(malloc, free);
}

static void test_swapping(void **state)
{
    (void)state;
    static const unsigned char in[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        unsigned width;
        unsigned char out[8];
    } cases[] = {
        {1, {1, 2, 3, 4, 5, 6, 7, 8}}, {2, {2, 1, 4, 3, 6, 5, 8, 7}}, {4, {4, 3, 2, 1, 8, 7, 6, 5}}, {8, {8, 7, 6, 5, 4, 3, 2, 1}}};
    for (size_t i = 0; i < 4; i++) {
        unsigned char out[8] = {0};
        bp_swap_bytes(out, in, sizeof in, cases[i].width);
        assert_memory_equal(out, cases[i].out, 8);
    }
}

int main(void)
{
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed: numbers are to look the same */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_of_a_small_file),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_nothing_is_a_file_too),
        cmocka_unit_test(test_a_flipped_byte_is_refused),
        cmocka_unit_test(test_a_cut_or_longer_file_is_refused),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_header_lengths),
        cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_checksum_elsewhere),
        cmocka_unit_test(test_what_cannot_be_written),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_swapping),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
