/* bp predict: a net's answers. */
#include "answers.h"
#include "command.h"
#include "model.h"
#include "samples.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: bp predict MODEL DATA [OPTION]...\n"
    "Writes the net's answer to each sample of DATA: of classes the class and its probability, else the numbers.\n"
    "MODEL is a file of bp train, or any safetensors file of bp, ONNX or FANN file. DATA is CSV, NPY or IDX, plain or gzip, or FANN's;\n"
    "- is standard input. Columns of a CSV file are found by the names of the net's inputs, in any order; others are ignored.\n"
    "\n"
    "  -o, --output FILE      write there instead of to standard output: .csv, or .npy (classes by their numbers from 0)\n"
    "  --probabilities        write all outputs of a net of classes, a column for each class\n"
    "  --header KIND          of the first row: names, none or skip (default: as it looks)\n"
    "  --missing WHAT         where a value is missing: error, drop (the row) or mean (that of training, if the net has it; default:\n"
    "                         mean if it was trained so, else error)\n"
    "  --threads N            1 to 1024 (default 1); they change no result\n"
    "  -h, --help             this text\n"
    "\n"
    "Examples\n"
    "  bp predict iris.safetensors flowers.csv\n"
    "  zcat digits.csv.gz | bp predict digits.safetensors - --probabilities -o digits.npy\n"
    "\n"
    "Exit status: 0; 1 if a file cannot be read or written, or does not fit the net; 2 for a mistake on the command line.\n";

typedef struct predict_options {
    const char *output;
    bool probabilities;
    samples_options samples;
} predict_options;

static const char *output_file(const char *path)
{
    const char *ending = strrchr(path, '.');
    bool is_device = strncmp(path, "/dev/", 5) == 0;
    if (!is_device && (!ending || (strcmp(ending, ".csv") != 0 && strcmp(ending, ".npy") != 0))) {
        refuse_value("output", path, "a file that ends with .csv or .npy");
    }
    return path;
}

static predict_options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'},
        {"probabilities", no_argument, NULL, 'p'},
        {"header", required_argument, NULL, 'b'},
        {"missing", required_argument, NULL, 'u'},
        {"threads", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    predict_options o = {.samples = {.n_threads = 1}};
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "ho:", known, &index)) != -1) {
        const char *name = known[index].name;
        switch (option) {
        case 'o':
            o.output = output_file(optarg);
            break;
        case 'p':
            o.probabilities = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            if (!samples_option(&o.samples, option, name, optarg)) {
                refuse_option();
            }
        }
    }
    samples_arguments(&o.samples, argc, argv);
    return o;
}

int command_predict(int argc, char **argv)
{
    predict_options o = parse(argc, argv);
    bp_net *net = NULL;
    bp_dataset *dataset = NULL;
    model_format format;
    int exit_status = STATUS_FAILURE;
    if (model_read(o.samples.model, &net, &format) && samples_read(&o.samples, net, &dataset, &exit_status)) {
        answers a;
        bp_status status = answers_make(&a, net, dataset, o.samples.n_threads);
        if (status != BP_OK) {
            complain_of(status);
        } else if (answers_write(&a, is_classifier(net) && !o.probabilities ? ANSWERS_CLASSES : ANSWERS_OUTPUTS, o.output)) {
            exit_status = 0;
        }
        answers_release(&a);
    }
    bp_dataset_destroy(dataset);
    bp_net_destroy(net);
    return exit_status;
}
