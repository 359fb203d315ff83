/* bp convert: a net from one format to another. */
#include "command.h"
#include "model.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: bp convert IN OUT [OPTION]...\n"
    "Writes the net in IN, a safetensors file of bp, an ONNX or a FANN file, to OUT in the format that its name ends with:\n"
    ".safetensors, .onnx, or .c, which is a C function that needs no library.\n"
    "\n"
    "  --to FORMAT            safetensors, onnx or c, whatever OUT ends with\n"
    "  --function NAME        of the C function (default: OUT without folder and ending)\n"
    "  -h, --help             this text\n"
    "\n"
    "Examples\n"
    "  bp convert xor.net xor.safetensors\n"
    "  bp convert digits.safetensors digits.onnx\n"
    "  bp convert mlp.onnx mlp.c --function mlp_forward\n"
    "\n"
    "Exit status: 0; 1 if a file cannot be read or written, or has what the other format has not; 2 for a mistake on the command\n"
    "line.\n";

typedef struct convert_options {
    const char *in, *out, *function;
    model_format to;
} convert_options;

static model_format format_from_name(const char *name)
{
    for (int i = MODEL_SAFETENSORS; model_format_name((model_format)i); i++) {
        if (i != MODEL_FANN && strcmp(name, model_format_name((model_format)i)) == 0) {
            return (model_format)i;
        }
    }
    refuse_value("to", name, "safetensors, onnx or c");
}

static convert_options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"to", required_argument, NULL, 't'},
        {"function", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    convert_options o = {0};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 't':
            o.to = format_from_name(optarg);
            break;
        case 'f':
            o.function = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            refuse_option();
        }
    }
    const char *arguments[2];
    parse_arguments(argc, argv, 2, (const char *const[]){"IN", "OUT"}, arguments);
    o.in = arguments[0];
    o.out = arguments[1];
    if (!o.to) {
        o.to = model_format_of_path(o.out);
    }
    if (!o.to || o.to == MODEL_FANN) {
        refuse("OUT is \"%s\"; it can end with .safetensors, .onnx or .c, or --to says what it is to be", o.out);
    }
    if (o.function && o.to != MODEL_C) {
        refuse("--function is of C, and OUT is to be %s", model_format_name(o.to));
    }
    return o;
}

int command_convert(int argc, char **argv)
{
    convert_options o = parse(argc, argv);
    bp_net *net = NULL;
    model_format from;
    bool done = model_read(o.in, &net, &from) && model_write(net, o.out, o.to, o.function);
    bp_net_destroy(net);
    return done ? 0 : STATUS_FAILURE;
}
