/* Model files: a net as a safetensors file, or as its bytes. */
#include "bp/model.h"

#include "core/handle.h"
#include "core/status.h"
#include "model/net_tensors.h"

#include <stdlib.h>

/* The net as tensors, and the memory they are in. */
static bp_status make_tensors(const char *function, const bp_net *net, bp_tensors **file, void **theta)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(function, "net", net, BP_HANDLE_NET);
    }
    if (!net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is not initialized; call bp_net_initialize first", function);
    }
    *file = bp_tensors_create();
    return *file ? bp_net_to_tensors(function, net, *file, theta) : bp_fail_memory(function);
}

bp_status bp_net_save(const bp_net *net, const char *path)
{
    bp_tensors *file = NULL;
    void *theta = NULL;
    bp_status status = path ? make_tensors(__func__, net, &file, &theta) : bp_fail_null(__func__, "path");
    if (status == BP_OK) {
        status = bp_tensors_save(__func__, file, path);
    }
    bp_tensors_destroy(file);
    free(theta);
    return status;
}

bp_status bp_net_save_memory(const bp_net *net, void **bytes, size_t *size)
{
    bp_tensors *file = NULL;
    void *theta = NULL;
    bp_status status = bytes && size ? make_tensors(__func__, net, &file, &theta) : bp_fail_null(__func__, bytes ? "size" : "bytes");
    if (status == BP_OK) {
        unsigned char *block;
        status = bp_tensors_save_memory(__func__, file, &block, size);
        if (status == BP_OK) {
            *bytes = block;
        }
    }
    bp_tensors_destroy(file);
    free(theta);
    return status;
}

static bp_status load(const char *function, bp_net **net, const char *path, bp_dtype dtype, bool allow_nonfinite)
{
    if (!net || !path) {
        return bp_fail_null(function, net ? "path" : "net");
    }
    bp_tensors *file = NULL;
    bp_status status = bp_tensors_open(function, path, false, &file);
    if (status == BP_OK) {
        status = bp_net_from_tensors(function, path, file, dtype, allow_nonfinite, net);
    }
    bp_tensors_destroy(file);
    return status;
}

bp_status bp_net_load(bp_net **net, const char *path)
{
    return load(__func__, net, path, (bp_dtype)0, false);
}

bp_status bp_net_load_as(bp_net **net, const char *path, bp_dtype dtype, int allow_nonfinite)
{
    if (!bp_dtype_name(dtype)) {
        return bp_fail_enum(__func__, "dtype", (int)dtype);
    }
    if (allow_nonfinite != 0 && allow_nonfinite != 1) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: allow_nonfinite is %d; it can be 0 or 1", __func__, allow_nonfinite);
    }
    return load(__func__, net, path, dtype, allow_nonfinite);
}

bp_status bp_net_load_memory(bp_net **net, const void *bytes, size_t size)
{
    if (!net || !bytes) {
        return bp_fail_null(__func__, net ? "bytes" : "net");
    }
    bp_tensors *file = NULL;
    bp_status status = bp_tensors_open_memory(__func__, "bytes", bytes, size, false, &file);
    if (status == BP_OK) {
        status = bp_net_from_tensors(__func__, "bytes", file, (bp_dtype)0, false, net);
    }
    bp_tensors_destroy(file);
    return status;
}

void bp_free(void *memory)
{
    free(memory);
}
