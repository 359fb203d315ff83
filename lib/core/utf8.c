#include "core/utf8.h"

#include <stddef.h>

/* The bytes of the character here, before the text's end; 0: there is none. */
static size_t character_size(const unsigned char *at)
{
    unsigned first = *at;
    size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    /* the second byte keeps out long forms, surrogates, and what lies beyond */
    unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80, most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < size; i++, least = 0x80, most = 0xBF) {
        if (at[i] < least || at[i] > most) {
            return 0;
        }
    }
    return size;
}

bool bp_is_utf8(const char *text)
{
    size_t size = 1;
    for (const unsigned char *at = (const unsigned char *)text; *at && size; at += size) {
        size = character_size(at);
    }
    return size;
}

void bp_make_line(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at;) {
        size_t size = character_size(at);
        bool is_control = *at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0);
        if (is_control || size == 0) {
            *at = '?';
            size = 1;
        }
        at += size;
    }
}
