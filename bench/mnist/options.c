#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: bp-mnist [OPTION]...\n"
    "Trains 784-300-100-10 on the 60000 digits of MNIST and tests it with the other 10000: ReLU hidden layers, softmax, cross-entropy.\n"
    "\n"
    "  --data FOLDER          the four files that bench/fetch-mnist fetches (default " BENCH_MNIST_FOLDER ")\n"
    "  --method NAME          how the weights move: sgd, adam, ... (default adam)\n"
    "  --batch N              digits in a step, 1 to 60000 (default 128)\n"
    "  --learning-rate R      more than 0 (default 0.001; sgd: 0.1; --online: 0.01)\n"
    "  --epochs N             at most, 1 to 10000 (default 20; --online: 1)\n"
    "  --target-accuracy A    end with the epoch whose test accuracy reaches A, 0 to 1; 0: make all epochs\n"
    "                         (default 0.98; --online: 0)\n"
    "  --threads N            of the workspace, 1 to 1024 (default 1)\n"
    "  --seed N               of the first weights and the order of the digits (default 1)\n"
    "  --runs N               this many runs, each with the next seed, 1 to 1000 (default 1)\n"
    "  --online               one digit a step: tanh hidden layers, identity outputs, mean squared error, sgd; beside FANN if built with "
    "it\n"
    "  --json FILE            write the results, for bench/report\n"
    "  --help                 this text\n"
    "\n"
    "Exit status: 0; 1 if a run failed, or missed a --target-accuracy; 2 for a mistake on the command line or in the data.\n";

/* The same for all mistakes: which option, what it says, what it can say. */
static _Noreturn void refuse(const char *option, const char *text, const char *allowed)
{
    fprintf(stderr, "bp-mnist: --%s is \"%s\"; it can be %s\n", option, text, allowed);
    exit(2);
}

/* A number in (above, most], or in [0, most] if above is negative. */
static double number(const char *option, const char *text, double above, double most, const char *allowed)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value > above && value >= 0 && value <= most)) {
        refuse(option, text, allowed);
    }
    return value;
}

static uint64_t whole_number(const char *option, const char *text, double above, double most, const char *allowed)
{
    double value = number(option, text, above, most, allowed);
    if (value != floor(value)) {
        refuse(option, text, allowed);
    }
    return (uint64_t)value;
}

static bp_method method_named(const char *name)
{
    bp_method method;
    if (bp_method_from_name(name, &method) != BP_OK) {
        char known[256] = "";
        size_t length = 0;
        for (int i = 0; bp_method_name((bp_method)i) && length < sizeof known; i++) {
            length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", bp_method_name((bp_method)i));
        }
        refuse("method", name, known);
    }
    return method;
}

/* Now, and not after minutes of training. */
static void check_writable(const char *path)
{
    FILE *file = fopen(path, "a");
    if (!file) {
        fprintf(stderr, "bp-mnist: --json is \"%s\": %s\n", path, strerror(errno));
        exit(2);
    }
    fclose(file);
}

mnist_options mnist_options_parse(int argc, char **argv)
{
    enum { ONLINE = 1, HELP, DATA, METHOD, BATCH, RATE, EPOCHS, TARGET, THREADS, SEED, RUNS, JSON };
    static const struct option known[] = {
        {"online", no_argument, NULL, ONLINE},
        {"help", no_argument, NULL, HELP},
        {"data", required_argument, NULL, DATA},
        {"method", required_argument, NULL, METHOD},
        {"batch", required_argument, NULL, BATCH},
        {"learning-rate", required_argument, NULL, RATE},
        {"epochs", required_argument, NULL, EPOCHS},
        {"target-accuracy", required_argument, NULL, TARGET},
        {"seed", required_argument, NULL, SEED},
        {"runs", required_argument, NULL, RUNS},
        {"json", required_argument, NULL, JSON},
        {"threads", required_argument, NULL, THREADS},
        {NULL, 0, NULL, 0},
    };
    mnist_options o = {.folder = BENCH_MNIST_FOLDER, .seed = 1, .runs = 1, .threads = 1, .target_accuracy = -1};
    const char *method = NULL, *batch = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case ONLINE:
            o.online = true;
            break;
        case HELP:
            fputs(usage, stdout);
            exit(0);
        case DATA:
            o.folder = optarg;
            break;
        case METHOD:
            method = optarg;
            break;
        case BATCH:
            batch = optarg;
            o.batch = (size_t)whole_number("batch", optarg, 0, 60000, "1 to 60000");
            break;
        case RATE:
            o.learning_rate = number("learning-rate", optarg, 0, 1e6, "any number above 0, up to 1000000");
            break;
        case EPOCHS:
            o.epochs = (size_t)whole_number("epochs", optarg, 0, 10000, "1 to 10000");
            break;
        case TARGET:
            o.target_accuracy = number("target-accuracy", optarg, -1, 1, "0 to 1");
            o.require_target = o.target_accuracy > 0;
            break;
        case THREADS:
            o.threads = (size_t)whole_number("threads", optarg, 0, 1024, "1 to 1024");
            break;
        case SEED:
            o.seed = whole_number("seed", optarg, -1, 9007199254740992.0, "a whole number from 0 to 2^53");
            break;
        case RUNS:
            o.runs = (size_t)whole_number("runs", optarg, 0, 1000, "1 to 1000");
            break;
        case JSON:
            check_writable(optarg);
            o.json = optarg;
            break;
        default:
            fputs("Try --help.\n", stderr);
            exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bp-mnist: \"%s\" is not an option\nTry --help.\n", argv[optind]);
        exit(2);
    }
    if (o.online && (method || batch)) {
        fprintf(stderr, "bp-mnist: --online is for sgd, one digit a step; it goes with neither --method nor --batch\n");
        exit(2);
    }
    o.method = o.online ? BP_METHOD_SGD : method_named(method ? method : "adam");
    o.batch = o.online ? 1 : o.batch ? o.batch : 128;
    if (o.target_accuracy < 0) {
        o.target_accuracy = o.online ? 0 : 0.98;
    }
    o.epochs = o.epochs ? o.epochs : o.online ? 1 : 20;
    if (o.learning_rate == 0) {
        o.learning_rate = o.online ? 0.01 : o.method == BP_METHOD_SGD ? 0.1 : 0.001;
    }
    return o;
}
