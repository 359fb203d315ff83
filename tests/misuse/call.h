/* What tests/misuse/generate writes about each exported function: how to call it, and what is to become of what is wrong. */
#ifndef BP_TESTS_MISUSE_CALL_H
#define BP_TESTS_MISUSE_CALL_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_ARGUMENTS = 12 };

/* An argument or a result; which member it is, the class says. */
typedef union value {
    void *pointer;
    void (*function)(void);
    size_t size;
    uint64_t number;
    int integer; /* enums, too */
    double real;
} value;

typedef enum class { NOTHING, STATUS, POINTER, FUNCTION, SIZE, NUMBER, INTEGER, REAL } class;

/* A wrong value, and what comes back: names of statuses, with a "/" between them, or what the function returns instead. */
typedef struct wrong {
    const char *value, *expected;
} wrong;

typedef struct argument {
    const char *name, *type;
    class class;
    const char *valid; /* a number, or what world_thing knows; NULL: by type */
    const wrong *wrong;
    size_t n_wrong;
} argument;

typedef struct call {
    const char *name;
    bool is_f64;
    class result;
    void (*make)(const value *arguments, value *result);
    const argument *arguments;
    size_t n_arguments;
} call;

extern const call calls[];
extern const size_t call_count;

#endif
