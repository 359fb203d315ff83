/* Numbers as files have them: their types and byte orders. */
#ifndef BP_DATA_ELEMENTS_H
#define BP_DATA_ELEMENTS_H

#include "bp/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum bp_element {
    BP_ELEMENT_U8,
    BP_ELEMENT_I8,
    BP_ELEMENT_U16,
    BP_ELEMENT_I16,
    BP_ELEMENT_U32,
    BP_ELEMENT_I32,
    BP_ELEMENT_U64,
    BP_ELEMENT_I64,
    BP_ELEMENT_F32,
    BP_ELEMENT_F64
} bp_element;

/* "u8" … "f64" */
const char *bp_element_name(bp_element element);

/* Bytes: 1, 2, 4 or 8. */
size_t bp_element_size(bp_element element);

bool bp_element_is_float(bp_element element);

/* The element that a dtype is. */
bp_element bp_element_of(bp_dtype dtype);

/* Whether this machine puts a number's last byte first. */
bool bp_is_little_endian(void);

/*
 * An integer element, of any type but u64 beyond an int64_t, which becomes the largest. Any alignment; swapped: not in this machine's byte
 * order.
 */
int64_t bp_element_integer(bp_element element, bool swapped, const unsigned char *from);

/* n numbers, rounded to the type. */
void bp_convert_f32(bp_element element, bool swapped, size_t n, const unsigned char *from, float *to);
void bp_convert_f64(bp_element element, bool swapped, size_t n, const unsigned char *from, double *to);

#endif
