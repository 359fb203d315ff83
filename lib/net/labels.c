/* Texts that say what a net is for: names of inputs and classes, metadata. */
#include "core/handle.h"
#include "core/names.h"
#include "core/status.h"
#include "core/utf8.h"
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

/* Their keys are compared one by one; without a limit, a file of many would take long. */
enum { MAX_METADATA = 4096 };

static bp_status check_text(const char *function, const char *name, size_t index, const char *text)
{
    if (!text) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s[%zu] is NULL", function, name, index);
    }
    return bp_is_utf8(text) ? BP_OK : bp_fail(BP_ERROR_ARGUMENT, "%s: %s[%zu] is not UTF-8", function, name, index);
}

/* Puts copies of n texts in the place of *kept; names NULL: none. */
static bp_status replace_names(const char *function, char ***kept, size_t n, const char *const *names)
{
    for (size_t i = 0; names && i < n; i++) {
        bp_status status = check_text(function, "names", i, names[i]);
        if (status != BP_OK) {
            return status;
        }
    }
    char **copy = names ? bp_names_copy(n, names) : NULL;
    if (names && !copy) {
        return bp_fail_memory(function);
    }
    free(*kept);
    *kept = copy;
    return BP_OK;
}

bp_status bp_net_set_input_names(bp_net *net, const char *const *names)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    return replace_names(__func__, &net->input_names, net->n_inputs, names);
}

bp_status bp_net_set_class_names(bp_net *net, size_t n_classes, const char *const *names)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (n_classes > 0 && !names) {
        return bp_fail_null(__func__, "names");
    }
    if (!net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is not initialized; call bp_net_initialize first", __func__);
    }
    size_t n_outputs = bp_net_output_count(net), expected = n_outputs == 1 ? 2 : n_outputs;
    if (n_classes != 0 && n_classes != expected) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: n_classes is %zu; with %zu output%s it can be 0 or %zu", __func__, n_classes, n_outputs,
                       n_outputs == 1 ? "" : "s", expected);
    }
    bp_status status = replace_names(__func__, &net->class_names, n_classes, n_classes ? names : NULL);
    if (status == BP_OK) {
        net->n_classes = n_classes;
    }
    return status;
}

/* The place of a key; n_metadata if it is not there. */
static size_t find(const bp_net *net, const char *key)
{
    size_t i = 0;
    while (i < net->n_metadata && strcmp(net->metadata[2 * i], key) != 0) {
        i++;
    }
    return i;
}

static void remove_metadata(bp_net *net, size_t i)
{
    free(net->metadata[2 * i]);
    free(net->metadata[2 * i + 1]);
    net->n_metadata--;
    memmove(net->metadata + 2 * i, net->metadata + 2 * i + 2, 2 * (net->n_metadata - i) * sizeof *net->metadata);
}

static char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* A new pair behind the others, or another value; false without memory. */
static bool put(bp_net *net, size_t i, const char *key, const char *value)
{
    char *new_value = copy_of(value), *new_key = i == net->n_metadata ? copy_of(key) : NULL;
    char **grown = i == net->n_metadata ? realloc(net->metadata, 2 * (i + 1) * sizeof *grown) : net->metadata;
    net->metadata = grown ? grown : net->metadata;
    if (!new_value || !grown || (i == net->n_metadata && !new_key)) {
        free(new_value);
        free(new_key);
        return false;
    }
    if (i == net->n_metadata) {
        net->n_metadata++;
        grown[2 * i] = new_key;
    } else {
        free(grown[2 * i + 1]);
    }
    grown[2 * i + 1] = new_value;
    return true;
}

bp_status bp_net_set_metadata(bp_net *net, const char *key, const char *value)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!key) {
        return bp_fail_null(__func__, "key");
    }
    if (!*key) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: key is empty; it has at least one character", __func__);
    }
    if (!bp_is_utf8(key) || (value && !bp_is_utf8(value))) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: %s is not UTF-8", __func__, bp_is_utf8(key) ? "value" : "key");
    }
    size_t i = find(net, key);
    if (!value) {
        if (i < net->n_metadata) {
            remove_metadata(net, i);
        }
        return BP_OK;
    }
    if (i == MAX_METADATA) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the net has %d metadata; there can be no more", __func__, MAX_METADATA);
    }
    return put(net, i, key, value) ? BP_OK : bp_fail_memory(__func__);
}

const char *bp_net_input_name(const bp_net *net, size_t index)
{
    return bp_is(net, BP_HANDLE_NET) && net->input_names && index < net->n_inputs ? net->input_names[index] : NULL;
}

size_t bp_net_class_count(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->n_classes : 0;
}

const char *bp_net_class_name(const bp_net *net, size_t index)
{
    return bp_is(net, BP_HANDLE_NET) && index < net->n_classes ? net->class_names[index] : NULL;
}

size_t bp_net_metadata_count(const bp_net *net)
{
    return bp_is(net, BP_HANDLE_NET) ? net->n_metadata : 0;
}

const char *bp_net_metadata_key(const bp_net *net, size_t index)
{
    return bp_is(net, BP_HANDLE_NET) && index < net->n_metadata ? net->metadata[2 * index] : NULL;
}

const char *bp_net_metadata(const bp_net *net, const char *key)
{
    size_t i = bp_is(net, BP_HANDLE_NET) && key ? find(net, key) : 0;
    return bp_is(net, BP_HANDLE_NET) && key && i < net->n_metadata ? net->metadata[2 * i + 1] : NULL;
}

void bp_net_release_labels(bp_net *net)
{
    free(net->input_names);
    free(net->class_names);
    while (net->n_metadata > 0) {
        remove_metadata(net, net->n_metadata - 1);
    }
    free(net->metadata);
}

bool bp_net_copy_labels(bp_net *copy, const bp_net *net)
{
    bool done = true;
    if (net->input_names) {
        copy->input_names = bp_names_copy(net->n_inputs, (const char *const *)net->input_names);
        done = copy->input_names;
    }
    if (done && net->class_names) {
        copy->class_names = bp_names_copy(net->n_classes, (const char *const *)net->class_names);
        done = copy->class_names;
        copy->n_classes = done ? net->n_classes : 0;
    }
    for (size_t i = 0; done && i < net->n_metadata; i++) {
        done = put(copy, i, net->metadata[2 * i], net->metadata[2 * i + 1]);
    }
    return done;
}
