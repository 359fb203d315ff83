#include "core/utf8.h"

#include <stddef.h>

bool bp_is_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        unsigned first = *at;
        size_t more = first < 0x80 ? 0 : first < 0xC2 ? 4 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 4;
        if (more > 3) {
            return false;
        }
        /* the second byte keeps out long forms, surrogates, and what lies beyond */
        unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80, most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        for (size_t i = 0; i < more; i++, least = 0x80, most = 0xBF) {
            at++;
            if (*at < least || *at > most) {
                return false;
            }
        }
    }
    return true;
}
