#ifndef BP_CORE_NAMES_H
#define BP_CORE_NAMES_H

#include <stddef.h>

/* n texts in one block that free ends; NULL without memory. */
char **bp_names_copy(size_t n, const char *const *names);

#endif
