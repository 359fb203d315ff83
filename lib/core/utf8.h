#ifndef BP_CORE_UTF8_H
#define BP_CORE_UTF8_H

#include <stdbool.h>

/* Whether a text is UTF-8 as RFC 3629 says: no surrogates, nothing beyond U+10FFFF, no form longer than it need be. */
bool bp_is_utf8(const char *text);

/* Puts question marks in the place of control characters, and of bytes that are no UTF-8. */
void bp_make_line(char *text);

#endif
