/* Names of a net's inputs and classes, and its metadata. */
#include "fuzz/api.h"

#include <string.h>

enum { NO_NAMES = -1 };

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static size_t class_count(const net_slot *n)
{
    return n->class_names == NO_NAMES ? 0 : output_count(n) == 1 ? 2 : output_count(n);
}

void check_labels(const net_slot *n)
{
    for (size_t i = 0; i <= n->n_inputs; i++) {
        const char *expected = n->input_names == NO_NAMES || i == n->n_inputs ? NULL : text_at((unsigned)n->input_names + (unsigned)i);
        check(same_text(bp_net_input_name(n->net, i), expected), "that inputs have their names");
    }
    check(bp_net_class_count(n->net) == class_count(n), "that classes are counted");
    for (size_t i = 0; i <= class_count(n); i++) {
        const char *expected = i == class_count(n) ? NULL : text_at((unsigned)n->class_names + (unsigned)i);
        check(same_text(bp_net_class_name(n->net, i), expected), "that classes have their names");
    }
    check(bp_net_metadata_count(n->net) == n->n_metadata, "that metadata are counted");
    for (size_t i = 0; i < n->n_metadata; i++) {
        const char *key = text_at(n->metadata[i].key);
        check(same_text(bp_net_metadata_key(n->net, i), key) && same_text(bp_net_metadata(n->net, key), text_at(n->metadata[i].value)),
              "that metadata are kept, in their order");
    }
    check(!bp_net_metadata_key(n->net, n->n_metadata) && !bp_net_metadata(n->net, "no such key"), "that there are no other metadata");
}

/* count texts from one on; whether all are texts */
static const char *const *take_names(unsigned first, size_t count, bool *are_texts)
{
    const char **names = scratch(count * sizeof *names);
    *are_texts = true;
    for (size_t i = 0; i < count; i++) {
        names[i] = text_at(first + (unsigned)i);
        *are_texts = *are_texts && is_text(first + (unsigned)i);
    }
    return names;
}

void call_net_set_input_names(void)
{
    net_slot *n = take_net();
    unsigned first = take(), odd = take_odd();
    if (n->giant) {
        return;
    }
    bool are_texts = true;
    const char *const *names = take_names(first, n->n_inputs, &are_texts);
    bool removes = odd == ODD_NULL;
    if (UNTYPED(IF(!n->net || (!removes && !are_texts), BP_ERROR_ARGUMENT), 0, bp_net_set_input_names, n->net, removes ? NULL : names)) {
        n->input_names = removes ? NO_NAMES : (int)first;
    }
    check_net(n);
}

void call_net_set_class_names(void)
{
    net_slot *n = take_net();
    unsigned first = take(), odd = take_odd();
    if (n->giant) {
        return;
    }
    size_t right = output_count(n) == 1 ? 2 : output_count(n), count = odd == 3 ? 0 : odd == 4 ? right + 1 : right;
    bool are_texts = true;
    const char *const *names = odd == ODD_NULL ? NULL : take_names(first, count, &are_texts);
    unsigned wrong =
        IF(!n->net || (count && (!names || count != right || !are_texts)), BP_ERROR_ARGUMENT) | IF(n->net && !n->identity, BP_ERROR_STATE);
    if (UNTYPED(wrong, 0, bp_net_set_class_names, n->net, count, names)) {
        n->class_names = count ? (int)first : NO_NAMES;
    }
    check_net(n);
}

/* The model's place of a key; n_metadata if it is not there. */
static size_t find(const net_slot *n, const char *key)
{
    size_t i = 0;
    while (i < n->n_metadata && strcmp(text_at(n->metadata[i].key), key) != 0) {
        i++;
    }
    return i;
}

static void set(net_slot *n, unsigned key, unsigned value)
{
    size_t i = find(n, text_at(key));
    if (text_at(value)) {
        n->metadata[i].key = key;
        n->metadata[i].value = value;
        n->n_metadata += i == n->n_metadata;
    } else if (i < n->n_metadata) {
        n->n_metadata--;
        memmove(&n->metadata[i], &n->metadata[i + 1], (n->n_metadata - i) * sizeof n->metadata[0]);
    }
}

void call_net_set_metadata(void)
{
    net_slot *n = take_net();
    unsigned key = take(), value = take();
    const char *text = text_at(key);
    unsigned wrong = IF(!n->net || !is_text(key) || !*text || (text_at(value) && !is_text(value)), BP_ERROR_ARGUMENT);
    if (UNTYPED(wrong, 0, bp_net_set_metadata, n->net, text, text_at(value))) {
        set(n, key, value);
    }
    if (!n->giant) {
        check_net(n);
    }
}
