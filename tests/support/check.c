#include "support/check.h"

#include "core/random.h"

#include <string.h>

void must(bp_status status)
{
    if (status != BP_OK) {
        fail_msg("%s: %s", bp_status_name(status), bp_last_error());
    }
}

void must_refuse(const char *what, bp_status status, bp_status expected, const char *word)
{
    if (status != expected) {
        fail_msg("%s: expected %s, got %s", what, bp_status_name(expected), bp_status_name(status));
    }
    if (!strstr(bp_last_error(), word)) {
        fail_msg("%s: no \"%s\" in \"%s\"", what, word, bp_last_error());
    }
}

double number(uint64_t index)
{
    return 2 * bp_random_uniform(2026, 7, index) - 1;
}

bp_net *make_net(bp_dtype dtype, size_t n_inputs, size_t n_layers, const size_t *widths, bp_activation hidden, bp_activation output,
                 int bias, uint64_t seed)
{
    bp_net *net;
    must(bp_net_create(&net, dtype, n_inputs));
    for (size_t l = 0; l < n_layers; l++) {
        must(bp_net_add_dense(net, widths[l], l + 1 < n_layers ? hidden : output, bias));
    }
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, seed));
    return net;
}
