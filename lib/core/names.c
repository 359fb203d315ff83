#include "core/names.h"

#include <stdlib.h>
#include <string.h>

char **bp_names_copy(size_t n, const char *const *names)
{
    size_t bytes = n * sizeof(char *);
    for (size_t i = 0; i < n; i++) {
        bytes += strlen(names[i]) + 1;
    }
    char **copy = malloc(bytes ? bytes : 1);
    if (!copy) {
        return NULL;
    }
    char *text = (char *)(copy + n);
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(names[i]) + 1;
        copy[i] = memcpy(text, names[i], length);
        text += length;
    }
    return copy;
}
