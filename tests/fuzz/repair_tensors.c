#define _GNU_SOURCE /* memmem */

#include "fuzz/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LENGTH = 8, DIGITS = 8 };

static void repair_length(uint8_t *bytes, size_t size)
{
    static const uint8_t ones[LENGTH] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    if (size >= LENGTH && memcmp(bytes, ones, LENGTH) == 0) {
        const uint8_t *end = memchr(bytes + LENGTH, '\n', size - LENGTH);
        size_t length = (end ? (size_t)(end + 1 - bytes) : size) - LENGTH;
        for (size_t i = 0; i < LENGTH; i++) {
            bytes[i] = (uint8_t)((uint64_t)length >> (8 * i));
        }
    }
}

static void repair_checksum(uint8_t *bytes, size_t size)
{
    static const char text[] = "\"crc32\":\"00000000\"";
    uint8_t *found = memmem(bytes, size, text, sizeof text - 1);
    if (found) {
        char digits[DIGITS + 1];
        snprintf(digits, sizeof digits, "%08lx", crc32_z(crc32_z(0, NULL, 0), bytes, size) & 0xFFFFFFFF);
        memcpy(found + sizeof text - 2 - DIGITS, digits, DIGITS);
    }
}

uint8_t *repair_tensors(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = copy_with_magic(bytes, size, "", 0);
    repair_length(copy, size);
    repair_checksum(copy, size);
    return copy;
}
