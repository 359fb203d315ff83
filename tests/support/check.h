/* What the tests share: a call that must succeed, reproducible numbers, and nets made in one line. */
#ifndef BP_TESTS_CHECK_H
#define BP_TESTS_CHECK_H

#include <bp/bp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Fails the test with the library's sentence unless the status is BP_OK. */
void must(bp_status status);

/* Fails the test unless the status is this one and the sentence has the word. */
void must_refuse(const char *what, bp_status status, bp_status expected, const char *word);

#define REFUSED(call, status, word) must_refuse(#call, call, status, word)

/* A number in (−1, 1) that depends on index alone. */
double number(uint64_t index);

/* An initialized net: n_layers widths after the inputs', the last with the output activation, the others with hidden. */
bp_net *make_net(bp_dtype dtype, size_t n_inputs, size_t n_layers, const size_t *widths, bp_activation hidden, bp_activation output,
                 int bias, uint64_t seed);

#endif
