#include "model/json_texts.h"

#include <jansson.h>
#include <stdbool.h>

char *bp_json_texts(const bp_net *net, size_t n, const char *(*get)(const bp_net *net, size_t index))
{
    json_t *list = json_array();
    bool done = list;
    for (size_t i = 0; done && i < n; i++) {
        done = json_array_append_new(list, json_string(get(net, i))) == 0;
    }
    char *text = done ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return text;
}
