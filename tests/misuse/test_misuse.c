/*
 * Every exported function is called with everything that its arguments can be by mistake, one argument at a time: it says so in its status and in a
 * sentence that names function and argument, and changes nothing. The calls are those that tests/misuse/generate finds in the headers.
 */
#include "misuse/world.h"

#include "support/check.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ELEMENTS = 256, MAX_VALUES = KIND_COUNT };

static const unsigned char PATTERN = 0xa5;

/* What arguments point to. */
typedef struct arrays {
    float f32[ELEMENTS], nan_f32[ELEMENTS], infinite_f32[ELEMENTS];
    double f64[ELEMENTS], nan_f64[ELEMENTS], infinite_f64[ELEMENTS];
    size_t indices[ELEMENTS];
    int columns[ELEMENTS];
    uint32_t classes[ELEMENTS];
    const char *names[ELEMENTS], *hole[ELEMENTS], *bytes[ELEMENTS];
} arrays;

static arrays input, input_before;
static union {
    unsigned char bytes[ELEMENTS * sizeof(double)];
    void *pointer;
    double real;
} room[MAX_ARGUMENTS];

static world *of_all;
static uint64_t digest;
static size_t n_calls, n_skipped;

/* ---- values ---- */

static void fill_arrays(void)
{
    static char texts[ELEMENTS][8];
    for (size_t i = 0; i < ELEMENTS; i++) {
        input.f64[i] = input.nan_f64[i] = input.infinite_f64[i] = 0.25 + (double)(i % 7) / 16;
        input.f32[i] = input.nan_f32[i] = input.infinite_f32[i] = (float)input.f64[i];
        input.indices[i] = i % 4;
        input.columns[i] = (int)i;
        input.classes[i] = (uint32_t)i % 2;
        snprintf(texts[i], sizeof texts[i], "name%zu", i);
        input.names[i] = input.hole[i] = input.bytes[i] = texts[i];
    }
    input.nan_f32[1] = NAN;
    input.nan_f64[1] = (double)NAN;
    input.infinite_f32[1] = -INFINITY;
    input.infinite_f64[1] = (double)-INFINITY;
    input.hole[1] = NULL;
    input.bytes[1] = "\xff\xfe";
    input_before = input;
}

/* A pointer that functions take without const, though they do not write there. */
static value pointer_to(const void *memory)
{
    return (value){.pointer = (void *)(uintptr_t)memory};
}

static int progress(void *context, const bp_progress *p)
{
    (void)context, (void)p;
    return 0;
}

static int fold(void *context, size_t i, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    (void)context, (void)train, (void)validation;
    *score = (double)i;
    return 0;
}

static int move_f32(void *context, uint64_t step, double rate, size_t n, float *theta, const float *gradient, size_t n_state, float *state)
{
    (void)context, (void)step, (void)rate, (void)n, (void)theta, (void)gradient, (void)n_state, (void)state;
    return 0;
}

static int move_f64(void *context, uint64_t step, double rate, size_t n, double *theta, const double *gradient, size_t n_state,
                    double *state)
{
    (void)context, (void)step, (void)rate, (void)n, (void)theta, (void)gradient, (void)n_state, (void)state;
    return 0;
}

static bp_status complete_f32(void *context, bp_status status, float *mean_loss, size_t n, float *gradient)
{
    (void)context, (void)mean_loss, (void)n, (void)gradient;
    return status;
}

static bp_status complete_f64(void *context, bp_status status, double *mean_loss, size_t n, double *gradient)
{
    (void)context, (void)mean_loss, (void)n, (void)gradient;
    return status;
}

static void ready_f32(void *context, size_t first, size_t n, float *gradient)
{
    (void)context, (void)first, (void)n, (void)gradient;
}

static void ready_f64(void *context, size_t first, size_t n, double *gradient)
{
    (void)context, (void)first, (void)n, (void)gradient;
}

static value function_of(const char *type)
{
    static const struct {
        const char *type;
        void (*function)(void);
    } functions[] = {
        {"bp_progress_function *", (void (*)(void))progress},         {"bp_fold_function *", (void (*)(void))fold},
        {"bp_optimizer_function_f32 *", (void (*)(void))move_f32},    {"bp_optimizer_function_f64 *", (void (*)(void))move_f64},
        {"bp_gradient_ready_f32 *", (void (*)(void))ready_f32},       {"bp_gradient_ready_f64 *", (void (*)(void))ready_f64},
        {"bp_gradient_complete_f32 *", (void (*)(void))complete_f32}, {"bp_gradient_complete_f64 *", (void (*)(void))complete_f64},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(type, functions[i].type) == 0) {
            return (value){.function = functions[i].function};
        }
    }
    fail_msg("there is no function for the type %s", type);
    return (value){0};
}

/* Objects, arrays and room for results. */
static value value_of_type(const call *c, size_t i)
{
    static const struct {
        const char *type;
        const void *array;
    } in[] = {
        {"const float *", input.f32},        {"const double *", input.f64},  {"const size_t *", input.indices},
        {"const uint32_t *", input.classes}, {"const int *", input.columns}, {"const char *const *", input.names},
    };
    const char *type = c->arguments[i].type;
    if (c->arguments[i].class == FUNCTION) {
        return function_of(type);
    }
    if (kind_of(type) < KIND_COUNT && !strstr(type, "**")) {
        return (value){.pointer = world_object(of_all, c->is_f64, kind_of(type))};
    }
    for (size_t k = 0; k < sizeof in / sizeof *in; k++) {
        if (strcmp(type, in[k].type) == 0) {
            return pointer_to(in[k].array);
        }
    }
    return (value){.pointer = room[i].bytes};
}

static value number_of(class class, double number)
{
    switch (class) {
    case SIZE:
        return (value){.size = (size_t)number};
    case NUMBER:
        return (value){.number = (uint64_t)number};
    case INTEGER:
        return (value){.integer = (int)number};
    default:
        return (value){.real = number};
    }
}

static value valid_value(const call *c, size_t i)
{
    const argument *a = &c->arguments[i];
    if (!a->valid) {
        return value_of_type(c, i);
    }
    return a->valid[0] >= '0' && a->valid[0] <= '9' ? number_of(a->class, strtod(a->valid, NULL))
                                                    : world_thing(of_all, c->is_f64, a->valid);
}

static bool is_path(const argument *a)
{
    return strstr(a->name, "path") != NULL;
}

static const void *array_with(const argument *a, const char *what)
{
    bool is_nan = strcmp(what, "nan") == 0;
    if (strstr(a->type, "float")) {
        return is_nan ? input.nan_f32 : input.infinite_f32;
    }
    return is_nan ? input.nan_f64 : input.infinite_f64;
}

/* An object that was there: zeros, as one is left, and where nothing minds a look at freed memory, that. */
static size_t ended_objects(int kind, value *values)
{
    static const uint64_t ended[8];
    values[0] = pointer_to(ended);
#if defined(__GLIBC__) && !defined(BP_TEST_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    void *object = object_create(of_all, kind);
    volatile uintptr_t address = (uintptr_t)object;
    object_destroy(kind, object);
    values[1] = (value){.pointer = (void *)address};
    return 2;
#else
    (void)kind;
    return 1;
#endif
}

static size_t wrong_objects(const call *c, const argument *a, const char *what, value *values)
{
    int kind = kind_of(a->type);
    if (strcmp(what, "kind") == 0) {
        size_t n = 0;
        for (int k = 0; k < KIND_COUNT; k++) {
            if (k != kind) {
                values[n++].pointer = world_object(of_all, c->is_f64, k);
            }
        }
        return n;
    }
    if (strcmp(what, "ended") == 0) {
        return ended_objects(kind, values);
    }
    values[0].pointer = strcmp(what, "other") == 0   ? world_other(of_all, c->is_f64, kind)
                        : strcmp(what, "dtype") == 0 ? world_object(of_all, !c->is_f64, kind)
                                                     : world_empty(of_all, c->is_f64, kind);
    return 1;
}

static size_t wrong_texts(const argument *a, const char *what, value *values)
{
    static char path[64];
    snprintf(path, sizeof path, "%s.none/\xff", new_file());
    if (strcmp(a->type, "const char *const *") == 0) {
        values[0] = pointer_to(strcmp(what, "hole") == 0 ? input.hole : input.bytes);
    } else {
        values[0] = pointer_to(strcmp(what, "empty") == 0 ? "" : is_path(a) ? path : "\xff\xfe");
    }
    return 1;
}

static size_t wrong_numbers(const argument *a, const char *what, value *values)
{
    static const double integers[] = {-1, 1000, INT_MIN, INT_MAX};
    size_t n = 0;
    if (strcmp(what, "zero") == 0) {
        values[n++] = (value){0};
    } else if (strcmp(what, "max") == 0 && a->class == SIZE) {
        values[n++].size = SIZE_MAX;
        values[n++].size = SIZE_MAX / 2 + 1;
    } else if (strcmp(what, "max") == 0) {
        values[n++].number = UINT64_MAX;
    } else if (strcmp(what, "unknown") == 0) {
        for (; n < sizeof integers / sizeof *integers; n++) {
            values[n] = number_of(INTEGER, integers[n]);
        }
    } else if (strcmp(what, "negative") == 0) {
        values[n++] = number_of(a->class, -1);
        if (strcmp(a->type, "int") == 0) {
            values[n++].integer = INT_MIN;
        }
    } else if (strcmp(what, "huge") == 0) {
        values[n++].integer = INT_MAX;
    } else if (strcmp(what, "nan") == 0) {
        values[n++].real = (double)NAN;
    } else if (strcmp(what, "infinite") == 0) {
        values[n++].real = (double)INFINITY;
        values[n++].real = (double)-INFINITY;
    } else {
        values[n++] = number_of(a->class, strtod(what, NULL));
    }
    return n;
}

/* The values that are wrong in this way. */
static size_t wrong_values(const call *c, const argument *a, const char *what, value *values)
{
    if (strcmp(what, "null") == 0) {
        values[0] = (value){.pointer = NULL};
        if (a->class == FUNCTION) {
            values[0] = (value){.function = NULL};
        }
        return 1;
    }
    if (a->class != POINTER) {
        return wrong_numbers(a, what, values);
    }
    if (kind_of(a->type) < KIND_COUNT) {
        return wrong_objects(c, a, what, values);
    }
    if (strncmp(a->type, "const char *", 12) == 0) {
        return wrong_texts(a, what, values);
    }
    values[0] = pointer_to(array_with(a, what));
    return 1;
}

/* ---- calls ---- */

typedef struct attempt {
    const call *call;
    size_t argument; /* the wrong one; call->n_arguments: none */
    const char *what, *expected;
    size_t n_problems;
} attempt;

static void complain(attempt *t, const char *problem, const char *detail)
{
    const argument *a = t->argument < t->call->n_arguments ? &t->call->arguments[t->argument] : NULL;
    print_error("%s, %s is %s: %s%s\n", t->call->name, a ? a->name : "nothing", a ? t->what : "wrong", problem, detail);
    t->n_problems++;
}

/* Ends what a call that succeeded made. */
static void release(const call *c)
{
    for (size_t i = 0; i < c->n_arguments; i++) {
        const char *type = c->arguments[i].type;
        void *made = room[i].pointer;
        if (strncmp(type, "const ", 6) == 0 || !strstr(type, "**") || room[i].bytes[0] == PATTERN) {
            continue;
        }
        if (kind_of(type) < KIND_COUNT) {
            object_destroy(kind_of(type), made);
        } else {
            bp_free(made);
        }
    }
    remove(new_file());
}

/* Whether words, with "/" between them, have this one. */
static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at++) {
        if ((at == words || at[-1] == '/') && (at[length] == '/' || !at[length])) {
            return true;
        }
    }
    return false;
}

/* What a sentence may call an argument beside its name. */
static const char *other_name(const attempt *t)
{
    static const char *const other_names[][2] = {
        {"ws", "workspace"}, {"opt", "optimizer"}, {"training", "dataset"}, {"validation", "dataset"},
        {"x", "loss"},       {"target", "loss"},   {"bytes", "memory"},
    };
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
        if (strcmp(t->call->arguments[t->argument].name, other_names[i][0]) == 0) {
            return other_names[i][1];
        }
    }
    if (strcmp(t->call->arguments[t->argument].name, "value") == 0 && t->call->n_arguments == 3) {
        return strstr(t->call->name, "optimizer")  ? bp_optimizer_setting_name(BP_OPTIMIZER_LEARNING_RATE)
               : strstr(t->call->name, "schedule") ? bp_schedule_setting_name(BP_SCHEDULE_FACTOR)
                                                   : bp_trainer_setting_name(BP_TRAINER_EPOCHS);
    }
    if (strstr(t->call->name, "_from_name")) {
        return t->argument == 0 ? "there is no" : "the second argument";
    }
    return t->call->arguments[t->argument].name;
}

/* Whether a sentence has this word. */
static bool names(const char *sentence, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = sentence; (at = strstr(at, word)); at++) {
        if (!isalnum((unsigned char)at[-1]) && at[-1] != '_' && !isalnum((unsigned char)at[length]) && at[length] != '_') {
            return true;
        }
    }
    return false;
}

/* "FUNCTION: …", one line, with the argument in it, or where a file is the trouble what the caller gave for its name. */
static void check_sentence(attempt *t, bp_status status)
{
    const char *sentence = bp_last_error(), *function = t->call->name;
    const argument *a = &t->call->arguments[t->argument];
    size_t length = strlen(function);
    bool is_of_file = (is_path(a) && status == BP_ERROR_IO) || status == BP_ERROR_FORMAT;
    if (strncmp(sentence, function, length) != 0 || strncmp(sentence + length, ": ", 2) != 0) {
        complain(t, "the sentence is of another function: ", sentence);
    } else if (strchr(sentence, '\n')) {
        complain(t, "the sentence has more than one line: ", sentence);
    } else if (!is_of_file && status != BP_ERROR_MEMORY && !names(sentence + length, a->name) && !names(sentence + length, other_name(t))) {
        complain(t, "the sentence does not name it: ", sentence);
    }
}

static void check_unchanged(attempt *t)
{
    for (size_t i = 0; i < t->call->n_arguments; i++) {
        for (size_t k = 0; k < sizeof room[i].bytes; k++) {
            if (room[i].bytes[k] != PATTERN) {
                complain(t, "something was written to ", t->call->arguments[i].name);
                break;
            }
        }
    }
    if (access(new_file(), F_OK) == 0) {
        complain(t, "a file was written", "");
        remove(new_file());
    }
    if (world_digest(of_all) != digest) {
        if (!has_word(t->expected, "changed")) {
            complain(t, "an object is not as it was", "");
        }
        world_destroy(of_all);
        of_all = world_create();
    }
}

/* The status or, for functions that have none, what else is to come. */
static void check_status(attempt *t, bp_status status)
{
    const char *name = bp_status_name(status);
    bool is_missing = status == BP_ERROR_UNSUPPORTED && strstr(t->call->name, "onnx") && !bp_has_feature("onnx");
    if (!name || (!has_word(t->expected, name) && !is_missing)) {
        complain(t, "", name ? name : "a status that is none");
        print_error("    expected: %s; the sentence is now: %s\n", t->expected, bp_last_error());
    } else if (status != BP_OK && !is_missing) {
        check_sentence(t, status);
    }
    if (status == BP_OK) {
        release(t->call);
        world_destroy(of_all);
        of_all = world_create();
    } else {
        check_unchanged(t);
    }
}

static bool is_expected(const attempt *t, const value *result)
{
    switch (t->call->result) {
    case POINTER:
        return strcmp(t->expected, "any") == 0 ? result->pointer != NULL : result->pointer == NULL;
    case SIZE:
        return result->size == (strcmp(t->expected, "max") == 0 ? SIZE_MAX : 0);
    case NUMBER:
        return result->number == 0;
    case INTEGER:
        return result->integer == 0;
    case REAL:
        return strcmp(t->expected, "nan") == 0 ? isnan(result->real) : result->real == 0;
    default:
        return true;
    }
}

static void make(attempt *t, const value *wrong)
{
    const call *c = t->call;
    value arguments[MAX_ARGUMENTS] = {{0}}, result = {0};
    for (size_t i = 0; i < c->n_arguments; i++) {
        arguments[i] = i == t->argument ? *wrong : valid_value(c, i);
        memset(room[i].bytes, PATTERN, sizeof room[i].bytes);
    }
    bp_dtype_from_name(NULL, NULL); /* another sentence */
    c->make(arguments, &result);
    n_calls++;
    if (c->result == STATUS) {
        check_status(t, (bp_status)result.integer);
    } else {
        if (t->argument < c->n_arguments && !is_expected(t, &result)) {
            complain(t, "the result is not ", t->expected);
        }
        check_unchanged(t);
    }
    if (memcmp(&input, &input_before, sizeof input) != 0) {
        complain(t, "an input was written to", "");
        input = input_before;
    }
}

static void test_function(void **state)
{
    const call *c = *state;
    attempt t = {.call = c, .argument = c->n_arguments, .expected = "ok"};
    world_forward(of_all);
    make(&t, NULL);
    for (size_t i = 0; i < c->n_arguments; i++) {
        for (size_t w = 0; w < c->arguments[i].n_wrong; w++) {
            value values[MAX_VALUES];
            t.argument = i;
            t.what = c->arguments[i].wrong[w].value;
            t.expected = c->arguments[i].wrong[w].expected;
            if (strcmp(t.expected, "skip") == 0) {
                n_skipped++;
                continue;
            }
            size_t n = wrong_values(c, &c->arguments[i], t.what, values);
            for (size_t k = 0; k < n; k++) {
                world_forward(of_all);
                if (k > 0) { /* a new world has new objects */
                    n = wrong_values(c, &c->arguments[i], t.what, values);
                }
                make(&t, &values[k]);
            }
        }
    }
    if (t.n_problems > 0) {
        fail_msg("%s: %zu problems", c->name, t.n_problems);
    }
}

/* ---- ends ---- */

static const void *ending;
static uint32_t first_number; /* of the memory of ending, when it was given back */

void __real_free(void *memory);
void __wrap_free(void *memory);

void __wrap_free(void *memory)
{
    if (memory && memory == ending) {
        memcpy(&first_number, memory, sizeof first_number);
    }
    __real_free(memory);
}

static void check_end(const void *object, int kind, void *owner)
{
    memcpy(&first_number, object, sizeof first_number);
    assert_true(first_number != 0);
    ending = object;
    object_destroy(kind, owner);
    ending = NULL;
    assert_true(first_number == 0);
}

/* What an object is, its memory says no more when it is given back: no compiler has left that out. */
static void test_end(void **state)
{
    (void)state;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        void *object = object_create(of_all, kind);
        check_end(object, kind, object);
    }
    bp_net *net = object_create(of_all, NET);
    bp_layer *layer;
    must(bp_net_layer(net, 0, &layer));
    check_end(layer, NET, net);
}

static int begin(void **state)
{
    fill_arrays();
    if (folder_begin(state) != 0) {
        return -1;
    }
    of_all = world_create();
    digest = world_digest(of_all);
    return 0;
}

static int end(void **state)
{
    world_destroy(of_all);
    print_message("%zu functions, %zu calls; %zu kinds of wrong values are skipped\n", call_count, n_calls, n_skipped);
    return folder_end(state);
}

int main(void)
{
    struct CMUnitTest *tests = calloc(call_count + 1, sizeof *tests);
    if (!tests) {
        return 1;
    }
    for (size_t i = 0; i < call_count; i++) {
        tests[i] = (struct CMUnitTest){.name = calls[i].name, .test_func = test_function, .initial_state = (void *)(uintptr_t)&calls[i]};
    }
    tests[call_count] = (struct CMUnitTest){.name = "end", .test_func = test_end};
    int failed = _cmocka_run_group_tests("misuse", tests, call_count + 1, begin, end);
    free(tests);
    return failed;
}
