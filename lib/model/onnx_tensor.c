/* Constants of a model: numbers whose count is what their shape says. */
#include "core/memory.h"
#include "model/onnx_read.h"
#include "model/tensors.h"

#include <string.h>

static const char *const type_names[] = {NULL,   "FLOAT",   "UINT8",  "INT8",   "UINT16", "INT16",     "INT32",      "INT64",   "STRING",
                                         "BOOL", "FLOAT16", "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"};

const char *bp_onnx_type_name(int type)
{
    return type > 0 && (size_t)type < sizeof type_names / sizeof *type_names ? type_names[type] : "unknown";
}

/* The number of elements. */
static bp_status count_elements(const bp_onnx_source *from, const char *what, const BpOnnx__TensorProto *proto, size_t *count)
{
    *count = 1;
    for (size_t i = 0; i < proto->n_dims; i++) {
        if (proto->dims[i] < 0) {
            return bp_onnx_fail(from, BP_ERROR_FORMAT, "%s has a dimension of %lld", what, (long long)proto->dims[i]);
        }
        if ((uint64_t)proto->dims[i] > SIZE_MAX || !bp_multiply(*count, (size_t)proto->dims[i], count)) {
            return bp_onnx_fail(from, BP_ERROR_FORMAT, "%s has a shape that no memory can hold", what);
        }
    }
    return BP_OK;
}

bp_status bp_onnx_open_tensor(const bp_onnx_source *from, const char *what, const BpOnnx__TensorProto *proto, bp_onnx_tensor *tensor)
{
    if (proto->n_external_data > 0 || proto->data_location != BP_ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT || proto->segment) {
        return bp_onnx_fail(from, BP_ERROR_UNSUPPORTED, "%s has its numbers in another file", what);
    }
    size_t n_typed;
    *tensor = (bp_onnx_tensor){.proto = proto, .raw = proto->has_raw_data};
    switch (proto->data_type) {
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        tensor->width = sizeof(float);
        tensor->data = (const unsigned char *)proto->float_data;
        n_typed = proto->n_float_data;
        break;
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        tensor->width = sizeof(double);
        tensor->data = (const unsigned char *)proto->double_data;
        n_typed = proto->n_double_data;
        break;
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        tensor->width = sizeof(int64_t);
        tensor->data = (const unsigned char *)proto->int64_data;
        n_typed = proto->n_int64_data;
        break;
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
        tensor->width = tensor->raw && proto->data_type == BP_ONNX__TENSOR_PROTO__DATA_TYPE__BOOL ? 1 : sizeof(int32_t);
        tensor->data = (const unsigned char *)proto->int32_data;
        n_typed = proto->n_int32_data;
        break;
    default:
        return bp_onnx_fail(from, BP_ERROR_UNSUPPORTED, "%s has the element type %s", what, bp_onnx_type_name(proto->data_type));
    }
    bp_status status = count_elements(from, what, proto, &tensor->count);
    if (status != BP_OK) {
        return status;
    }
    if (tensor->raw && n_typed > 0) {
        return bp_onnx_fail(from, BP_ERROR_FORMAT, "%s has its numbers twice", what);
    }
    size_t n = tensor->raw ? proto->raw_data.len / tensor->width : n_typed;
    if (n != tensor->count || (tensor->raw && proto->raw_data.len % tensor->width != 0)) {
        return bp_onnx_fail(from, BP_ERROR_FORMAT, "%s has %zu numbers, but a shape of %zu", what, n, tensor->count);
    }
    tensor->data = tensor->raw ? proto->raw_data.data : tensor->data;
    return BP_OK;
}

double bp_onnx_number(const bp_onnx_tensor *tensor, size_t index)
{
    union {
        unsigned char bytes[8];
        float f32;
        double f64;
        int32_t i32;
        int64_t i64;
    } number;
    const unsigned char *at = tensor->data + index * tensor->width;
    if (tensor->raw && BP_TENSORS_SWAPPED) {
        bp_swap_bytes(number.bytes, at, tensor->width, tensor->width);
    } else {
        memcpy(number.bytes, at, tensor->width);
    }
    switch (tensor->proto->data_type) {
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        return (double)number.f32;
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        return number.f64;
    case BP_ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return (double)number.i64;
    default:
        return tensor->width == 1 ? (double)number.bytes[0] : (double)number.i32;
    }
}
