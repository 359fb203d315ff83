/* FANN's nets, for both types. */
#include "fuzz/harness.h"
#include "model/fann.h"

static void import(const uint8_t *bytes, size_t size, bp_dtype dtype)
{
    bp_net *net = NULL;
    bp_status status = bp_fann_net("import", "memory", bytes, size, dtype, &net);
    if (made("import", status, net)) {
        use_net(net);
        save_net(net);
    }
    bp_net_destroy(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    import(bytes, size, BP_F32);
    import(bytes, size, BP_F64);
    return 0;
}
