/* What must hold before protobuf-c sees the bytes of a file. The encoding is protobuf's ("Encoding", protobuf.dev). */
#include "model/onnx_read.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

bp_status bp_onnx_fail(const bp_onnx_source *from, bp_status status, const char *format, ...)
{
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return bp_fail(status, "%s: %.150s: %s", from->function, from->path, text);
}

typedef struct scan {
    const bp_onnx_source *from;
    const unsigned char *bytes;
    size_t position, n_fields;
} scan;

/* A number of 7 bits a byte; false: it does not end before end, or has more than 64 bits. */
static bool read_varint(scan *s, size_t end, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && s->position < end; shift += 7) {
        unsigned char byte = s->bytes[s->position++];
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

static bp_status fail(const scan *s, size_t position, const char *reason)
{
    return bp_onnx_fail(s->from, BP_ERROR_FORMAT, "this is no ONNX model, or a damaged one: byte %zu: %s", position, reason);
}

/* The field of this number; n_fields: there is none. */
static unsigned find_field(const ProtobufCMessageDescriptor *message, uint64_t number)
{
    unsigned index = 0;
    while (index < message->n_fields && message->fields[index].id != number) {
        index++;
    }
    return index;
}

/* The message that lasts to end. */
static bp_status scan_message(scan *s, const ProtobufCMessageDescriptor *message, size_t end, unsigned depth)
{
    uint64_t seen = 0; /* fields that can be there once; no message of ONNX has 64 fields */
    while (s->position < end) {
        size_t start = s->position;
        uint64_t tag, length = 0;
        if (++s->n_fields > BP_ONNX_MAX_FIELDS) {
            return bp_onnx_fail(s->from, BP_ERROR_UNSUPPORTED, "byte %zu: more than %d fields", start, BP_ONNX_MAX_FIELDS);
        }
        if (!read_varint(s, end, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) {
            return fail(s, start, "a field without a proper number");
        }
        unsigned wire_type = tag & 7, index = find_field(message, tag >> 3);
        const ProtobufCFieldDescriptor *field = index < message->n_fields ? message->fields + index : NULL;
        if (field && field->label != PROTOBUF_C_LABEL_REPEATED) {
            if (index >= 64 || seen >> index & 1) {
                return fail(s, start, "a field that is there twice");
            }
            seen |= (uint64_t)1 << index;
        }
        if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
            if (!read_varint(s, end, &length)) {
                return fail(s, start, "a number that does not end");
            }
            continue;
        }
        if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            if (!read_varint(s, end, &length)) {
                return fail(s, start, "a length that does not end");
            }
        } else if (wire_type == PROTOBUF_C_WIRE_TYPE_64BIT || wire_type == PROTOBUF_C_WIRE_TYPE_32BIT) {
            length = wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
        } else {
            return fail(s, start, "a field of no known kind");
        }
        if (length > end - s->position) {
            return fail(s, start, "a field that is longer than what is left");
        }
        size_t field_end = s->position + (size_t)length;
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            if (depth == BP_ONNX_MAX_DEPTH) {
                return bp_onnx_fail(s->from, BP_ERROR_UNSUPPORTED, "byte %zu: more than %d messages within one another", start,
                                    BP_ONNX_MAX_DEPTH);
            }
            bp_status status = scan_message(s, field->descriptor, field_end, depth + 1);
            if (status != BP_OK) {
                return status;
            }
        }
        s->position = field_end;
    }
    return BP_OK;
}

bp_status bp_onnx_check_bytes(const bp_onnx_source *from, const unsigned char *bytes, size_t size)
{
    scan s = {.from = from, .bytes = bytes};
    return scan_message(&s, &bp_onnx__model_proto__descriptor, size, 1);
}
