/*
 * Read by clang-tidy before every source of lib/ (tests/quality/analyse): that what reports a failure never returns BP_OK, which its analyzer
 * cannot know, for their bodies are in core/status.c. Without it, it takes each refusal for a success and follows the null pointer behind it.
 */
#include "core/handle.h"
#include "core/status.h"

#define bp_fail(status, ...) ((void)bp_fail((status), __VA_ARGS__), (status))
#define bp_fail_null(function, argument) ((void)bp_fail_null((function), (argument)), BP_ERROR_ARGUMENT)
#define bp_fail_memory(function) ((void)bp_fail_memory(function), BP_ERROR_MEMORY)
#define bp_fail_enum(function, argument, value) ((void)bp_fail_enum((function), (argument), (value)), BP_ERROR_ARGUMENT)
#define bp_fail_dtype(function, object, dtype) ((void)bp_fail_dtype((function), (object), (dtype)), BP_ERROR_DTYPE)
#define bp_fail_handle(function, argument, object, handle)                                                                                 \
    ((void)bp_fail_handle((function), (argument), (object), (handle)), BP_ERROR_ARGUMENT)
#define bp_fail_size(function, argument, value) ((void)bp_fail_size((function), (argument), (value)), BP_ERROR_ARGUMENT)
