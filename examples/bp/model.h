/* Model files of every format. */
#ifndef MODEL_H
#define MODEL_H

#include <bp/bp.h>

#include <stdbool.h>

typedef enum model_format { MODEL_UNKNOWN, MODEL_SAFETENSORS, MODEL_ONNX, MODEL_FANN, MODEL_C } model_format;

/* "safetensors", "onnx", "fann", "c"; NULL for a value that is no format. */
const char *model_format_name(model_format format);

/* The format that a file's ending stands for: .safetensors, .onnx, .net, .c; MODEL_UNKNOWN for others. */
model_format model_format_of_path(const char *path);

/* Whether the library can write it, which for ONNX depends on its build; false with a sentence on stderr. */
bool model_can_write(model_format format);

/* Loads a file by its content; false with a sentence on stderr. The net is the caller's. */
bool model_read(const char *path, bp_net **net, model_format *format);

/* Writes a net; function_name is for C, and NULL makes one of the path. False with a sentence on stderr. */
bool model_write(const bp_net *net, const char *path, model_format format, const char *function_name);

#endif
