/*
 * Learns handwritten digits: 64 pixels, 32 hidden units, 10 classes, trained with backpropagation on four fifths of the UCI digits and
 * tested on the rest.
 */
#include "show.h"

#include <bp/bp.h>

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HIDDEN_COUNT = 32, SHOWN_COUNT = 5 };

typedef struct options {
    const char *file;
    size_t epochs, batch;
    double learning_rate, require_accuracy;
    uint64_t seed;
} options;

static const char usage[] =
    "Usage: digits [OPTION]...\n"
    "Trains a 64-32-10 network on handwritten digits and shows how well it reads others.\n"
    "\n"
    "  --data FILE             CSV, plain or gzip: 64 pixels of 0 to 16, then the digit (default: the shipped set)\n"
    "  --epochs N              passes over the training digits, 1 to 100000 (default 60)\n"
    "  --batch N               digits in a step, 1 to 10000; 1 is on-line learning (default 16)\n"
    "  --learning-rate R       more than 0 (default 0.2)\n"
    "  --seed N                of the split, the first weights and the order of the digits (default 1)\n"
    "  --require-accuracy A    exit with 1 if the test accuracy is below A, 0 to 1\n"
    "  --help                  this text\n";

/* The objects of a run; all may be NULL. */
typedef struct run {
    bp_csv_reader *reader;
    bp_dataset *all, *train, *test;
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    size_t *order;
    float *x, *target, *y; /* the training digits in this epoch's order; outputs */
    uint32_t *predicted;   /* of the test digits */
} run;

static void destroy_run(run *r)
{
    bp_csv_reader_destroy(r->reader);
    bp_dataset_destroy(r->all);
    bp_dataset_destroy(r->train);
    bp_dataset_destroy(r->test);
    bp_optimizer_destroy(r->opt);
    bp_workspace_destroy(r->ws);
    bp_net_destroy(r->net);
    free(r->order);
    free(r->x);
    free(r->target);
    free(r->y);
    free(r->predicted);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Reads the file and divides it; true if all went well. */
static bool load(const options *o, run *r)
{
    if (bp_csv_reader_create(&r->reader) || bp_csv_reader_set_class_column(r->reader, -1) ||
        bp_csv_reader_read(r->reader, BP_F32, o->file, &r->all) || bp_dataset_split(r->all, 0.2, o->seed, &r->train, &r->test)) {
        fprintf(stderr, "digits: %s\n", bp_last_error());
        return false;
    }
    if (bp_dataset_input_count(r->all) != PIXEL_COUNT || bp_dataset_class_count(r->all) != CLASS_COUNT) {
        fprintf(stderr, "digits: %s has %zu inputs and %zu classes; this net is for %d and %d\n", o->file, bp_dataset_input_count(r->all),
                bp_dataset_class_count(r->all), PIXEL_COUNT, CLASS_COUNT);
        return false;
    }
    return true;
}

static bool build(const options *o, run *r)
{
    float offset[PIXEL_COUNT], scale[PIXEL_COUNT];
    if (bp_net_create(&r->net, BP_F32, PIXEL_COUNT) || bp_net_add_dense(r->net, HIDDEN_COUNT, BP_ACTIVATION_TANH, 1) ||
        bp_net_add_dense(r->net, CLASS_COUNT, BP_ACTIVATION_SOFTMAX, 1) ||
        bp_net_initialize(r->net, BP_INITIALIZER_GLOROT_UNIFORM, o->seed) ||
        bp_dataset_fit_scaling_f32(r->train, BP_SCALING_MIN_MAX, offset, scale) || bp_net_set_input_scaling_f32(r->net, offset, scale) ||
        bp_workspace_create(&r->ws, r->net, o->batch) || bp_optimizer_create(&r->opt, BP_METHOD_SGD, r->net) ||
        bp_optimizer_set(r->opt, BP_OPTIMIZER_LEARNING_RATE, o->learning_rate)) {
        fprintf(stderr, "digits: %s\n", bp_last_error());
        return false;
    }
    size_t n = bp_dataset_sample_count(r->train);
    r->order = malloc(n * sizeof *r->order);
    r->x = malloc(n * PIXEL_COUNT * sizeof *r->x);
    r->target = malloc(n * CLASS_COUNT * sizeof *r->target);
    r->y = malloc(n * CLASS_COUNT * sizeof *r->y);
    r->predicted = malloc(n * sizeof *r->predicted);
    if (!r->order || !r->x || !r->target || !r->y || !r->predicted) {
        fprintf(stderr, "digits: out of memory\n");
        return false;
    }
    return true;
}

/* One pass over the training digits in a new order. */
static bp_status train_epoch(const options *o, run *r, size_t epoch, double *mean_loss)
{
    size_t n = bp_dataset_sample_count(r->train);
    bp_status status = bp_random_permutation(o->seed, epoch, n, r->order);
    if (status == BP_OK) {
        status = bp_dataset_gather_f32(r->train, n, r->order, r->x, r->target);
    }
    double sum = 0;
    for (size_t i = 0; status == BP_OK && i < n; i += o->batch) {
        size_t batch = n - i < o->batch ? n - i : o->batch;
        float loss;
        status = bp_net_train_step_f32(r->net, r->ws, r->opt, BP_LOSS_CROSS_ENTROPY, batch, r->x + i * PIXEL_COUNT,
                                       r->target + i * CLASS_COUNT, &loss);
        if (status == BP_OK) {
            sum += (double)batch * (double)loss;
        }
    }
    *mean_loss = sum / (double)n;
    return status;
}

/* The share of a dataset that is read right; predicted gets the answers. */
static bp_status measure(run *r, const bp_dataset *data, uint32_t *predicted, double *accuracy)
{
    const float *x;
    size_t n = bp_dataset_sample_count(data), right = 0;
    bp_status status = bp_dataset_inputs_f32(data, &x);
    if (status == BP_OK) {
        status = bp_net_predict_f32(r->net, r->ws, n, x, r->y);
    }
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        predicted[i] = argmax(CLASS_COUNT, r->y + i * CLASS_COUNT);
        right += predicted[i] == bp_dataset_classes(data)[i];
    }
    *accuracy = (double)right / (double)n;
    return status;
}

static bool train(const options *o, run *r, double *test_accuracy)
{
    bool live = isatty(STDOUT_FILENO);
    double training_time = 0, last_shown = 0;
    for (size_t epoch = 1; epoch <= o->epochs; epoch++) {
        double loss, train_accuracy, start = seconds();
        bp_status status = train_epoch(o, r, epoch, &loss);
        training_time += seconds() - start;
        if (status == BP_OK) {
            status = measure(r, r->train, r->predicted, &train_accuracy);
        }
        if (status == BP_OK) {
            status = measure(r, r->test, r->predicted, test_accuracy);
        }
        if (status != BP_OK) {
            fprintf(stderr, "%sdigits: %s\n", live ? "\n" : "", bp_last_error());
            return false;
        }
        /* a terminal's line is rewritten 20 times a second, a file gets every tenth epoch */
        bool last = epoch == o->epochs;
        if (last || (live ? seconds() - last_shown > 0.05 : epoch == 1 || epoch % 10 == 0)) {
            last_shown = seconds();
            double speed = (double)(epoch * bp_dataset_sample_count(r->train)) / training_time;
            printf("%sepoch %*zu/%zu   loss %.4f   training %5.1f%%   test %5.1f%%   %7.0f samples/s%s", live ? "\r" : "",
                   o->epochs < 100 ? 2 : 5, epoch, o->epochs, loss, 100 * train_accuracy, 100 * *test_accuracy, speed,
                   live && !last ? "" : "\n");
            fflush(stdout);
        }
    }
    printf("\n%zu of %zu test digits read right (%.1f%%) after %.2f s of training\n",
           (size_t)lround(*test_accuracy * (double)bp_dataset_sample_count(r->test)), bp_dataset_sample_count(r->test),
           100 * *test_accuracy, training_time);
    return true;
}

/* Some test digits, first those that were read wrong. */
static void show_some(const run *r)
{
    const uint32_t *truth = bp_dataset_classes(r->test);
    size_t n = bp_dataset_sample_count(r->test), samples[SHOWN_COUNT], count = 0;
    for (size_t i = 0; i < n && count < 2; i++) {
        if (r->predicted[i] != truth[i]) {
            samples[count++] = i;
        }
    }
    for (size_t i = 0; i < n && count < SHOWN_COUNT; i++) {
        if (r->predicted[i] == truth[i]) {
            samples[count++] = i;
        }
    }
    const float *images;
    if (bp_dataset_inputs_f32(r->test, &images) == BP_OK) {
        show_digits(count, samples, images, truth, r->predicted);
    }
}

/* A number from the command line, in [least, most]; the program ends with 2 if it is none. */
static double number(const char *option, const char *text, double least, double most)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= least && value <= most)) {
        fprintf(stderr, "digits: --%s is \"%s\"; it can be %g to %g\n", option, text, least, most);
        exit(2);
    }
    return value;
}

/* The same for whole numbers. */
static uint64_t whole_number(const char *option, const char *text, double least, double most)
{
    double value = number(option, text, least, most);
    if (value != floor(value)) {
        fprintf(stderr, "digits: --%s is \"%s\"; it is to be a whole number\n", option, text);
        exit(2);
    }
    return (uint64_t)value;
}

static options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"data", required_argument, NULL, 'd'},  {"epochs", required_argument, NULL, 'e'},
        {"batch", required_argument, NULL, 'b'}, {"learning-rate", required_argument, NULL, 'l'},
        {"seed", required_argument, NULL, 's'},  {"require-accuracy", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    options o = {.file = BP_DIGITS_FILE, .epochs = 60, .batch = 16, .learning_rate = 0.2, .seed = 1};
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "h", known, &index)) != -1) {
        const char *name = known[index].name;
        switch (option) {
        case 'd':
            o.file = optarg;
            break;
        case 'e':
            o.epochs = (size_t)whole_number(name, optarg, 1, 100000);
            break;
        case 'b':
            o.batch = (size_t)whole_number(name, optarg, 1, 10000);
            break;
        case 'l':
            o.learning_rate = number(name, optarg, 1e-12, 1e6);
            break;
        case 's':
            o.seed = whole_number(name, optarg, 0, 9007199254740992.0);
            break;
        case 'a':
            o.require_accuracy = number(name, optarg, 0, 1);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs("Try --help.\n", stderr);
            exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "digits: \"%s\" is not an option\nTry --help.\n", argv[optind]);
        exit(2);
    }
    return o;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    run r = {0};
    double accuracy = 0;
    bool done = load(&o, &r) && build(&o, &r);
    if (done) {
        printf("%zu digits to learn from, %zu to be tested with; net %d-%d-%d with %zu parameters\n\n", bp_dataset_sample_count(r.train),
               bp_dataset_sample_count(r.test), PIXEL_COUNT, HIDDEN_COUNT, CLASS_COUNT, bp_net_parameter_count(r.net));
        done = train(&o, &r, &accuracy);
    }
    if (done) {
        show_confusion(bp_dataset_sample_count(r.test), bp_dataset_classes(r.test), r.predicted);
        show_some(&r);
    }
    destroy_run(&r);
    if (done && accuracy < o.require_accuracy) {
        fprintf(stderr, "digits: the test accuracy is %.4f, less than the %.4f required\n", accuracy, o.require_accuracy);
        return 1;
    }
    return done ? 0 : 1;
}
