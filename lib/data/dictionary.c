#include "data/dictionary.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, its upper half folded in */
static size_t hash_of(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ hash >> 32);
}

const char *bp_dictionary_text(const bp_dictionary *dictionary, size_t number)
{
    size_t offset;
    memcpy(&offset, dictionary->offsets.bytes + number * sizeof offset, sizeof offset);
    return dictionary->texts.bytes + offset;
}

/* The slot where the text is, or would be. */
static size_t slot_of(const bp_dictionary *d, const char *text, size_t length)
{
    size_t slot = hash_of(text, length) & (d->n_slots - 1);
    while (d->slots[slot]) {
        const char *there = bp_dictionary_text(d, d->slots[slot] - 1);
        if (strncmp(there, text, length) == 0 && there[length] == '\0') {
            break;
        }
        slot = (slot + 1) & (d->n_slots - 1);
    }
    return slot;
}

size_t bp_dictionary_find(const bp_dictionary *dictionary, const char *text, size_t length)
{
    uint32_t found = dictionary->n_slots ? dictionary->slots[slot_of(dictionary, text, length)] : 0;
    return found ? found - 1 : BP_NO_TEXT;
}

/* Twice as many slots. */
static bool grow(bp_dictionary *d)
{
    size_t n_slots = d->n_slots ? 2 * d->n_slots : 16;
    uint32_t *slots = d->n < UINT32_MAX / 4 ? calloc(n_slots, sizeof *slots) : NULL;
    if (!slots) {
        return false;
    }
    free(d->slots);
    d->slots = slots;
    d->n_slots = n_slots;
    for (size_t i = 0; i < d->n; i++) {
        const char *text = bp_dictionary_text(d, i);
        slots[slot_of(d, text, strlen(text))] = (uint32_t)i + 1;
    }
    return true;
}

size_t bp_dictionary_add(bp_dictionary *d, const char *text, size_t length)
{
    size_t found = bp_dictionary_find(d, text, length), offset = d->texts.size;
    if (found != BP_NO_TEXT) {
        return found;
    }
    if (2 * (d->n + 1) > d->n_slots && !grow(d)) {
        return BP_NO_TEXT;
    }
    if (!bp_buffer_reserve(&d->offsets, sizeof offset) || !bp_buffer_reserve(&d->texts, length + 1)) {
        return BP_NO_TEXT;
    }
    bp_buffer_append(&d->texts, text, length);
    bp_buffer_append(&d->texts, "", 1);
    bp_buffer_append(&d->offsets, &offset, sizeof offset);
    d->slots[slot_of(d, text, length)] = (uint32_t)d->n + 1;
    return d->n++;
}

void bp_dictionary_release(bp_dictionary *dictionary)
{
    free(dictionary->texts.bytes);
    free(dictionary->offsets.bytes);
    free(dictionary->slots);
    *dictionary = (bp_dictionary){0};
}

void bp_dictionary_destroy(bp_dictionary *dictionary)
{
    if (dictionary) {
        bp_dictionary_release(dictionary);
        free(dictionary);
    }
}
