#include "data/elements.h"

#include "core/real.h"

#include <string.h>

static inline uint64_t bits_at(const unsigned char *from, size_t size, bool swapped)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (size) {
    case 1:
        return *from;
    case 2:
        memcpy(&two, from, size);
        return swapped ? __builtin_bswap16(two) : two;
    case 4:
        memcpy(&four, from, size);
        return swapped ? __builtin_bswap32(four) : four;
    default:
        memcpy(&eight, from, size);
        return swapped ? __builtin_bswap64(eight) : eight;
    }
}

static inline real number_of(bp_element element, uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float single;
    double number;
    switch (element) {
    case BP_ELEMENT_U8:
    case BP_ELEMENT_U16:
        return (real)(int32_t)low;
    case BP_ELEMENT_I8:
        return (real)(int8_t)low;
    case BP_ELEMENT_I16:
        return (real)(int16_t)low;
    case BP_ELEMENT_U32:
        return (real)low;
    case BP_ELEMENT_I32:
        return (real)(int32_t)low;
    case BP_ELEMENT_U64:
        return (real)bits;
    case BP_ELEMENT_I64:
        return (real)(int64_t)bits;
    case BP_ELEMENT_F32:
        memcpy(&single, &low, sizeof single);
        return (real)single;
    default:
        memcpy(&number, &bits, sizeof number);
        return (real)number;
    }
}

/* Called with constants, so that each is a loop of its own. */
static inline void convert(bp_element element, size_t size, bool swapped, size_t n, const unsigned char *from, real *to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = number_of(element, bits_at(from + i * size, size, swapped));
    }
}

static inline void convert_order(bp_element element, size_t size, bool swapped, size_t n, const unsigned char *from, real *to)
{
    if (swapped) {
        convert(element, size, true, n, from, to);
    } else {
        convert(element, size, false, n, from, to);
    }
}

void REAL(bp_convert)(bp_element element, bool swapped, size_t n, const unsigned char *from, real *to)
{
    if (element == bp_element_of(REAL_DTYPE) && !swapped) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    switch (element) {
    case BP_ELEMENT_U8:
        convert(BP_ELEMENT_U8, 1, false, n, from, to);
        break;
    case BP_ELEMENT_I8:
        convert(BP_ELEMENT_I8, 1, false, n, from, to);
        break;
    case BP_ELEMENT_U16:
        convert_order(BP_ELEMENT_U16, 2, swapped, n, from, to);
        break;
    case BP_ELEMENT_I16:
        convert_order(BP_ELEMENT_I16, 2, swapped, n, from, to);
        break;
    case BP_ELEMENT_U32:
        convert_order(BP_ELEMENT_U32, 4, swapped, n, from, to);
        break;
    case BP_ELEMENT_I32:
        convert_order(BP_ELEMENT_I32, 4, swapped, n, from, to);
        break;
    case BP_ELEMENT_U64:
        convert_order(BP_ELEMENT_U64, 8, swapped, n, from, to);
        break;
    case BP_ELEMENT_I64:
        convert_order(BP_ELEMENT_I64, 8, swapped, n, from, to);
        break;
    case BP_ELEMENT_F32:
        convert_order(BP_ELEMENT_F32, 4, swapped, n, from, to);
        break;
    case BP_ELEMENT_F64:
        convert_order(BP_ELEMENT_F64, 8, swapped, n, from, to);
        break;
    }
}
