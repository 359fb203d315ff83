/* In the place of onnx_export.c and onnx_import.c where protobuf-c is not. */
#include "bp/onnx.h"

#include "core/handle.h"
#include "core/status.h"

static bp_status refuse(const char *function)
{
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: this build has no ONNX (protobuf-c)", function);
}

bp_status bp_net_export_onnx(const bp_net *net, const char *path)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    return path ? refuse(__func__) : bp_fail_null(__func__, "path");
}

bp_status bp_net_export_onnx_memory(const bp_net *net, void **bytes, size_t *size)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    return bytes && size ? refuse(__func__) : bp_fail_null(__func__, bytes ? "size" : "bytes");
}

bp_status bp_net_import_onnx(bp_net **net, const char *path)
{
    return net && path ? refuse(__func__) : bp_fail_null(__func__, net ? "path" : "net");
}

bp_status bp_net_import_onnx_memory(bp_net **net, const void *bytes, size_t size)
{
    (void)size;
    return net && bytes ? refuse(__func__) : bp_fail_null(__func__, net ? "bytes" : "net");
}
