#include "data/elements.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} elements[] = {
    [BP_ELEMENT_U8] = {"u8", 1},   [BP_ELEMENT_I8] = {"i8", 1},   [BP_ELEMENT_U16] = {"u16", 2}, [BP_ELEMENT_I16] = {"i16", 2},
    [BP_ELEMENT_U32] = {"u32", 4}, [BP_ELEMENT_I32] = {"i32", 4}, [BP_ELEMENT_U64] = {"u64", 8}, [BP_ELEMENT_I64] = {"i64", 8},
    [BP_ELEMENT_F32] = {"f32", 4}, [BP_ELEMENT_F64] = {"f64", 8},
};

const char *bp_element_name(bp_element element)
{
    return elements[element].name;
}

size_t bp_element_size(bp_element element)
{
    return elements[element].size;
}

bool bp_element_is_float(bp_element element)
{
    return element >= BP_ELEMENT_F32;
}

bp_element bp_element_of(bp_dtype dtype)
{
    return dtype == BP_F32 ? BP_ELEMENT_F32 : BP_ELEMENT_F64;
}

bool bp_is_little_endian(void)
{
    uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1;
}

int64_t bp_element_integer(bp_element element, bool swapped, const unsigned char *from)
{
    size_t size = bp_element_size(element);
    bool little = bp_is_little_endian() != swapped;
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | from[little ? size - 1 - i : i];
    }
    bool is_signed = element == BP_ELEMENT_I8 || element == BP_ELEMENT_I16 || element == BP_ELEMENT_I32 || element == BP_ELEMENT_I64;
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): each element has a size */
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    if (is_signed && bits & sign) {
        return -(int64_t)((sign - 1) - (bits & (sign - 1))) - 1;
    }
    return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
}
