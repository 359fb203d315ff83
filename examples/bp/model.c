#include "model.h"

#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct format {
    const char *name, *ending;
} format;

static const format formats[] = {
    [MODEL_SAFETENSORS] = {"safetensors", ".safetensors"},
    [MODEL_ONNX] = {"onnx", ".onnx"},
    [MODEL_FANN] = {"fann", ".net"},
    [MODEL_C] = {"c", ".c"},
};

enum { FORMAT_COUNT = sizeof formats / sizeof *formats, HEAD_SIZE = 9 };

const char *model_format_name(model_format format)
{
    return (unsigned)format < FORMAT_COUNT ? formats[format].name : NULL;
}

model_format model_format_of_path(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (int i = MODEL_SAFETENSORS; ending && i < FORMAT_COUNT; i++) {
        if (strcmp(ending, formats[i].ending) == 0) {
            return (model_format)i;
        }
    }
    return MODEL_UNKNOWN;
}

bool model_can_write(model_format format)
{
    bp_net *none;
    if (format != MODEL_ONNX || bp_net_import_onnx_memory(&none, "", 0) != BP_ERROR_UNSUPPORTED) {
        return true;
    }
    complain("%s", bp_last_error());
    return false;
}

/* FANN's files begin with their version, safetensors with 8 bytes of length and a JSON object, ONNX with the number of its own version. */
static model_format recognize(const char *path)
{
    char head[HEAD_SIZE] = {0};
    struct stat about;
    bool is_file = stat(path, &about) == 0 && S_ISREG(about.st_mode); /* a FIFO would be waited for; reading refuses it */
    FILE *file = is_file ? fopen(path, "rb") : NULL;
    size_t n = file ? fread(head, 1, sizeof head, file) : 0;
    if (file) {
        fclose(file);
    }
    if (n >= 5 && memcmp(head, "FANN_", 5) == 0) {
        return MODEL_FANN;
    }
    bool is_onnx = n >= 2 && head[0] == 8 && head[1] > 0 && head[1] < 32;
    return n == HEAD_SIZE && head[8] == '{'                      ? MODEL_SAFETENSORS
           : is_onnx || model_format_of_path(path) == MODEL_ONNX ? MODEL_ONNX
                                                                 : MODEL_SAFETENSORS;
}

bool model_read(const char *path, bp_net **net, model_format *format)
{
    *format = recognize(path);
    bp_status status = *format == MODEL_FANN   ? bp_net_import_fann(net, path, BP_F32)
                       : *format == MODEL_ONNX ? bp_net_import_onnx(net, path)
                                               : bp_net_load(net, path);
    if (status != BP_OK) {
        complain_of(status);
    }
    return status == BP_OK;
}

/* The function has this name or, without one, that of the path's last part; behind net_ where that is none for C, as a keyword is not. */
static bp_status write_c(const bp_net *net, const char *path, const char *function_name)
{
    enum { PREFIX = 4 };
    char name[64] = "net_";
    const char *slash = strrchr(path, '/'), *part = slash ? slash + 1 : path;
    size_t length = strcspn(part, "."), most = sizeof name - PREFIX - 1;
    for (size_t i = 0; i < length && i < most; i++) {
        name[PREFIX + i] = isalnum((unsigned char)part[i]) ? part[i] : '_';
    }
    if (function_name) {
        return bp_net_export_c(net, path, function_name);
    }
    bp_status status = bp_net_export_c(net, path, name + PREFIX);
    return status == BP_ERROR_ARGUMENT ? bp_net_export_c(net, path, name) : status;
}

bool model_write(const bp_net *net, const char *path, model_format format, const char *function_name)
{
    bp_status status = format == MODEL_ONNX ? bp_net_export_onnx(net, path)
                       : format == MODEL_C  ? write_c(net, path, function_name)
                                            : bp_net_save(net, path);
    if (status != BP_OK) {
        complain_of(status);
    }
    return status == BP_OK;
}
