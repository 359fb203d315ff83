/* Model files; those whose numbers are not finite, too, where that is allowed. */
#include "fuzz/harness.h"

#include <stdlib.h>

static void load_as(bp_dtype dtype, const void *bytes, size_t size)
{
    bp_net *net = NULL;
    memory_file file = open_file(bytes, size);
    bp_status status = bp_net_load_as(&net, file.path, dtype, 1);
    if (made("bp_net_load_as", status, net)) {
        check(bp_net_dtype(net) == dtype, "that the net has the type that was asked for");
        use_net(net);
    }
    bp_net_destroy(net);
    close_file(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = repair_tensors(bytes, size);
    bp_net *net = NULL;
    bp_status status = bp_net_load_memory(&net, copy, size);
    if (made("bp_net_load_memory", status, net)) {
        use_net(net);
        save_net(net);
    }
    bp_net_destroy(net);
    if (status == BP_OK || status == BP_ERROR_NONFINITE) {
        load_as(BP_F32, copy, size);
        load_as(BP_F64, copy, size);
    }
    free(copy);
    return 0;
}
