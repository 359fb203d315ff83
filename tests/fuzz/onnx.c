/* ONNX models. */
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    bp_net *net = NULL;
    bp_status status = bp_net_import_onnx_memory(&net, bytes, size);
    if (made("bp_net_import_onnx_memory", status, net)) {
        use_net(net);
        save_net(net);
    }
    bp_net_destroy(net);
    return 0;
}
