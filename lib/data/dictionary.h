/* Texts, each with the number that it was given when it came first: 0, 1, 2 … */
#ifndef BP_DATA_DICTIONARY_H
#define BP_DATA_DICTIONARY_H

#include "data/buffer.h"

#include <stddef.h>
#include <stdint.h>

typedef struct bp_dictionary {
    bp_buffer texts;   /* each with its NUL */
    bp_buffer offsets; /* size_t each, of the texts */
    size_t n;
    uint32_t *slots; /* hash table: number + 1; 0: free */
    size_t n_slots;  /* a power of two, or 0 */
} bp_dictionary;

/* What a text's number is where there is none. */
#define BP_NO_TEXT SIZE_MAX

/* The number of a text, which need not end with a NUL; BP_NO_TEXT if it is not there. */
size_t bp_dictionary_find(const bp_dictionary *dictionary, const char *text, size_t length);

/* The same, and a text that is not there is added; BP_NO_TEXT without memory. */
size_t bp_dictionary_add(bp_dictionary *dictionary, const char *text, size_t length);

const char *bp_dictionary_text(const bp_dictionary *dictionary, size_t number);

void bp_dictionary_release(bp_dictionary *dictionary);

/* The same for one that lies in memory of its own; NULL is allowed. */
void bp_dictionary_destroy(bp_dictionary *dictionary);

#endif
