/* Nets from the command line. --help says more. */
#include "command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "Usage: bp COMMAND [ARGUMENT]...\n"
    "Trains feed-forward neural networks on data files, uses them, and exchanges them with other programs.\n"
    "\n"
    "  bp train DATA -o MODEL       trains a net on a CSV file, and says how good it is on samples it has not seen\n"
    "  bp predict MODEL DATA        the net's answer to each sample\n"
    "  bp evaluate MODEL DATA       metrics and confusion matrix on samples whose answers are known\n"
    "  bp inspect MODEL             layers, parameters, metadata\n"
    "  bp convert IN OUT            from safetensors, ONNX or FANN to safetensors, ONNX or C\n"
    "\n"
    "  bp COMMAND --help            more about one of them\n"
    "  bp --version\n"
    "\n"
    "DATA can be - for standard input.\n"
    "Exit status: 0; 1 if a file, the training or a requirement fails; 2 for a mistake on the command line.\n";

typedef struct command {
    const char *name, *full_name;
    command_function *function;
} command;

static const command commands[] = {
    {"train", "bp train", command_train},       {"predict", "bp predict", command_predict}, {"evaluate", "bp evaluate", command_evaluate},
    {"inspect", "bp inspect", command_inspect}, {"convert", "bp convert", command_convert},
};

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name) {
        complain("COMMAND is missing");
        refuse_option();
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        printf("bp %s\n", bp_version());
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            command_set_name(commands[i].full_name);
            argv[1] = (char *)commands[i].full_name; /* what getopt's sentences begin with */
            return commands[i].function(argc - 1, argv + 1);
        }
    }
    complain("there is no command \"%s\"; it can be train, predict, evaluate, inspect or convert", name);
    refuse_option();
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that would be larger than it may be is a write that fails, after which nothing is left behind */
    int status = run(argc, argv);
    if (ferror(stdout) | fclose(stdout)) {
        perror("bp: standard output");
        return status ? status : STATUS_FAILURE;
    }
    return status;
}
