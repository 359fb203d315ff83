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

enum { HIDDEN_COUNT = 32, SHOWN_COUNT = 5 };

static const double LABEL_SMOOTHING = 0.1; /* no answer is to be quite certain: digits of other hands are read better */

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
    bp_optimizer *opt;
    bp_trainer *trainer;
    bp_workspace *ws;
} run;

static void destroy_run(run *r)
{
    bp_workspace_destroy(r->ws);
    bp_trainer_destroy(r->trainer);
    bp_optimizer_destroy(r->opt);
    bp_net_destroy(r->net);
    bp_dataset_destroy(r->test);
    bp_dataset_destroy(r->train);
    bp_dataset_destroy(r->all);
    bp_csv_reader_destroy(r->reader);
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

/* Every fifth epoch has a line that stays; on a terminal the others are seen while they go on. */
static int show_progress(void *file, const bp_progress *progress)
{
    bp_progress shown = *progress;
    shown.size = sizeof shown;
    shown.is_epoch_end = progress->is_epoch_end && (progress->epoch % 5 == 0 || progress->epoch == progress->epochs);
    return bp_progress_print(file, &shown);
}

static bool train(const options *o, run *r)
{
    float offset[PIXEL_COUNT], scale[PIXEL_COUNT];
    if (bp_net_create(&r->net, BP_F32, PIXEL_COUNT) || bp_net_add_dense(r->net, HIDDEN_COUNT, BP_ACTIVATION_TANH, 1) ||
        bp_net_add_dense(r->net, CLASS_COUNT, BP_ACTIVATION_SOFTMAX, 1) ||
        bp_net_initialize(r->net, BP_INITIALIZER_GLOROT_UNIFORM, o->seed) ||
        bp_dataset_fit_scaling_f32(r->train, BP_SCALING_MIN_MAX, offset, scale) || bp_net_set_input_scaling_f32(r->net, offset, scale) ||
        bp_optimizer_create(&r->opt, BP_METHOD_SGD, r->net) || bp_optimizer_set(r->opt, BP_OPTIMIZER_LEARNING_RATE, o->learning_rate) ||
        bp_trainer_create(&r->trainer, r->net, r->opt, BP_LOSS_CROSS_ENTROPY, r->train) || bp_trainer_set_validation(r->trainer, r->test) ||
        bp_trainer_set(r->trainer, BP_TRAINER_LABEL_SMOOTHING, LABEL_SMOOTHING) ||
        bp_trainer_set(r->trainer, BP_TRAINER_EPOCHS, (double)o->epochs) ||
        bp_trainer_set(r->trainer, BP_TRAINER_BATCH_SIZE, (double)o->batch) ||
        bp_trainer_set(r->trainer, BP_TRAINER_SEED, (double)o->seed) ||
        bp_trainer_set_progress(r->trainer, show_progress, stdout, BP_PROGRESS_BATCH) || bp_trainer_run(r->trainer)) {
        fprintf(stderr, "digits: %s\n", bp_last_error());
        return false;
    }
    return true;
}

/* The confusion matrix, and some test digits, first those that were read wrong. */
static bool show(run *r, double *accuracy)
{
    uint64_t confusion[CLASS_COUNT * CLASS_COUNT];
    double metrics[BP_METRIC_ACCURACY + 1];
    size_t n = bp_dataset_sample_count(r->test), samples[SHOWN_COUNT], count = 0;
    const uint32_t *truth = bp_dataset_classes(r->test);
    float *y = malloc(n * CLASS_COUNT * sizeof *y);
    uint32_t *answers = malloc(n * sizeof *answers);
    const float *images;
    if (!y || !answers || bp_workspace_create(&r->ws, r->net, 64) ||
        bp_net_evaluate(r->net, r->ws, BP_LOSS_CROSS_ENTROPY, r->test, 1, BP_METRIC_ACCURACY + 1, metrics, confusion) ||
        bp_dataset_inputs_f32(r->test, &images) || bp_net_predict_f32(r->net, r->ws, n, images, y)) {
        fprintf(stderr, "digits: %s\n", y && answers ? bp_last_error() : "out of memory");
        free(y);
        free(answers);
        return false;
    }
    *accuracy = metrics[BP_METRIC_ACCURACY];
    printf("\n%.0f of %zu test digits read right (%.1f%%)\n", *accuracy * (double)n, n, 100 * *accuracy);
    show_confusion(confusion);
    for (int wrong = 1; wrong >= 0; wrong--) {
        for (size_t i = 0; i < n && count < (wrong ? 2 : SHOWN_COUNT); i++) {
            answers[i] = argmax(CLASS_COUNT, y + i * CLASS_COUNT);
            if ((answers[i] != truth[i]) == wrong) {
                samples[count++] = i;
            }
        }
    }
    show_digits(count, samples, images, truth, answers);
    free(y);
    free(answers);
    return true;
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
    bool done = load(&o, &r);
    if (done) {
        printf("%zu digits to learn from, %zu to be tested with; net %d-%d-%d\n\n", bp_dataset_sample_count(r.train),
               bp_dataset_sample_count(r.test), PIXEL_COUNT, HIDDEN_COUNT, CLASS_COUNT);
        done = train(&o, &r) && show(&r, &accuracy);
    }
    destroy_run(&r);
    if (done && accuracy < o.require_accuracy) {
        fprintf(stderr, "digits: the test accuracy is %.4f, less than the %.4f required\n", accuracy, o.require_accuracy);
        return 1;
    }
    return done ? 0 : 1;
}
