/* bp inspect: what a model file holds. */
#include "command.h"
#include "model.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: bp inspect MODEL [--json]\n"
    "Says what the net is: layers, parameters, names, metadata. MODEL is a safetensors file of bp, an ONNX or a FANN file.\n"
    "\n"
    "  --json                 as JSON, with all names\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0; 1 if the file cannot be read; 2 for a mistake on the command line.\n";

enum { SHOWN_NAMES = 12 };

static const char *parse(int argc, char **argv, bool *json)
{
    static const struct option known[] = {{"json", no_argument, NULL, 'J'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'J':
            *json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            refuse_option();
        }
    }
    const char *path;
    parse_arguments(argc, argv, 1, (const char *const[]){"MODEL"}, &path);
    return path;
}

static size_t parameter_count(const bp_layer *layer)
{
    return bp_layer_output_count(layer) * (bp_layer_input_count(layer) + (size_t)bp_layer_has_bias(layer));
}

/* ---- text ---- */

/* Up to SHOWN_NAMES of the names that get gives. */
static void print_list(const char *title, const bp_net *net, size_t n, const char *(*get)(const bp_net *net, size_t index))
{
    if (n == 0 || !get(net, 0)) {
        return;
    }
    printf("%-12s", title);
    for (size_t i = 0; i < n && i < SHOWN_NAMES; i++) {
        printf("%s%s", i ? ", " : "", get(net, i));
    }
    if (n > SHOWN_NAMES) {
        printf(", ... %zu in all", n);
    }
    printf("\n");
}

static void print_layers(bp_net *net)
{
    printf("\n%5s  %10s  %10s  %-12s  %-4s  %12s\n", "layer", "inputs", "units", "activation", "bias", "parameters");
    for (size_t i = 0; i < bp_net_layer_count(net); i++) {
        bp_layer *layer;
        if (bp_net_layer(net, i, &layer) == BP_OK) {
            printf("%5zu  %10zu  %10zu  %-12s  %-4s  %12zu\n", i, bp_layer_input_count(layer), bp_layer_output_count(layer),
                   bp_activation_name(bp_layer_activation(layer)), bp_layer_has_bias(layer) ? "yes" : "no", parameter_count(layer));
        }
    }
    printf("%5s  %10s  %10s  %-12s  %-4s  %12zu\n", "", "", "", "", "", bp_net_parameter_count(net));
}

static void print_text(const char *path, bp_net *net, model_format format)
{
    printf("%-12s%s\n%-12s%s\n%-12s%s\n", "file", path, "format", model_format_name(format), "numbers", bp_dtype_name(bp_net_dtype(net)));
    bool of_inputs = bp_net_has_input_scaling(net), of_outputs = bp_net_has_output_scaling(net);
    printf("%-12s%s\n%-12s%s%s%s\n", "rule", bp_rule_name(bp_net_rule(net)), "scaling", of_inputs ? "inputs (x - offset) * scale" : "",
           of_inputs && of_outputs ? ", " : "",
           of_outputs  ? "outputs y / scale + offset"
           : of_inputs ? ""
                       : "none");
    print_list("inputs", net, bp_net_input_count(net), bp_net_input_name);
    print_list("classes", net, bp_net_class_count(net), bp_net_class_name);
    print_layers(net);
    for (size_t i = 0; i < bp_net_metadata_count(net); i++) {
        const char *key = bp_net_metadata_key(net, i);
        printf("%s  %-20s  %s\n", i ? "" : "\nmetadata\n", key, bp_net_metadata(net, key));
    }
}

/* ---- JSON: NULL where something cannot be made, so that nothing is left out ---- */

static json_t *whole(json_t *all, bool made)
{
    if (!made) {
        json_decref(all);
    }
    return made ? all : NULL;
}

static json_t *list(const bp_net *net, size_t n, const char *(*get)(const bp_net *net, size_t index))
{
    json_t *names = json_array();
    bool made = true;
    for (size_t i = 0; made && i < n && get(net, i); i++) {
        made = json_array_append_new(names, json_string(get(net, i))) == 0;
    }
    return whole(names, made);
}

static json_t *layers(bp_net *net)
{
    json_t *all = json_array();
    bool made = true;
    for (size_t i = 0; made && i < bp_net_layer_count(net); i++) {
        bp_layer *layer;
        if (bp_net_layer(net, i, &layer) == BP_OK) {
            made = json_array_append_new(all, json_pack("{s:I, s:I, s:s, s:b, s:I}", "inputs", (json_int_t)bp_layer_input_count(layer),
                                                        "units", (json_int_t)bp_layer_output_count(layer), "activation",
                                                        bp_activation_name(bp_layer_activation(layer)), "bias", bp_layer_has_bias(layer),
                                                        "parameters", (json_int_t)parameter_count(layer))) == 0;
        }
    }
    return whole(all, made);
}

static json_t *metadata(const bp_net *net)
{
    json_t *all = json_object();
    bool made = true;
    for (size_t i = 0; made && i < bp_net_metadata_count(net); i++) {
        const char *key = bp_net_metadata_key(net, i);
        made = json_object_set_new(all, key, json_string(bp_net_metadata(net, key))) == 0;
    }
    return whole(all, made);
}

/* A path that is no UTF-8 is not in it. */
static bool print_json(const char *path, bp_net *net, model_format format)
{
    json_error_t error = {0};
    json_t *file = json_pack_ex(&error, 0, "s", path);
    bool has_file = file || json_error_code(&error) == json_error_invalid_utf8;
    json_t *root =
        json_pack("{s:o*, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:o, s:o, s:o, s:o}", "file", file, "format", model_format_name(format),
                  "dtype", bp_dtype_name(bp_net_dtype(net)), "rule", bp_rule_name(bp_net_rule(net)), "inputs",
                  (json_int_t)bp_net_input_count(net), "outputs", (json_int_t)bp_net_output_count(net), "parameters",
                  (json_int_t)bp_net_parameter_count(net), "input_scaling", bp_net_has_input_scaling(net), "output_scaling",
                  bp_net_has_output_scaling(net), "input_names", list(net, bp_net_input_count(net), bp_net_input_name), "class_names",
                  list(net, bp_net_class_count(net), bp_net_class_name), "layers", layers(net), "metadata", metadata(net));
    bool done = has_file && root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    printf("\n");
    json_decref(root);
    if (!done) {
        complain("%s: its description cannot be written as JSON", path);
    }
    return done;
}

int command_inspect(int argc, char **argv)
{
    bool json = false;
    const char *path = parse(argc, argv, &json);
    bp_net *net = NULL;
    model_format format;
    int exit_status = STATUS_FAILURE;
    if (model_read(path, &net, &format)) {
        exit_status = 0;
        if (!json) {
            print_text(path, net, format);
        } else if (!print_json(path, net, format)) {
            exit_status = STATUS_FAILURE;
        }
    }
    bp_net_destroy(net);
    return exit_status;
}
