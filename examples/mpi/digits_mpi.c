/*
 * Handwritten digits, learnt by all ranks of MPI together: each reads the file and keeps its share of the samples. With the same --batch and --seed any
 * number of ranks comes to the same net, within rounding.
 */
#include <bp/bp.h>
#include <bp/mpi.h>

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HIDDEN_COUNT = 64, CLASS_COUNT = 10 };

typedef struct options {
    const char *images, *labels; /* labels: NULL for CSV */
    const char *checkpoint;
    size_t epochs, batch;
    double learning_rate, require_accuracy, timeout;
    uint64_t seed;
    bool resume;
} options;

static const char usage[] =
    "Usage: mpirun -n RANKS digits_mpi [OPTION]...\n"
    "Trains a network with 64 hidden units on handwritten digits, a fifth of which it is tested with.\n"
    "\n"
    "  --data FILE             CSV whose last column is the digit, plain or gzip; or images in IDX or NPY, see --labels\n"
    "                          (default: the shipped set)\n"
    "  --labels FILE           the digits of these images, in IDX or NPY\n"
    "  --epochs N              passes over the training digits, 1 to 100000 (default 20)\n"
    "  --batch N               digits in a step of all ranks together, the number of ranks to 100000 (default 32)\n"
    "  --learning-rate R       more than 0 (default 0.003)\n"
    "  --seed N                of the split, the first weights and the order of the digits (default 1)\n"
    "  --checkpoint FILE       is written at each epoch's end, by rank 0\n"
    "  --resume                goes on from --checkpoint if it is there, with as many ranks as there are now\n"
    "  --timeout SECONDS       to wait for another rank before all end (default 600)\n"
    "  --require-accuracy A    exit with 1 if the test accuracy is below A, 0 to 1\n"
    "  --help                  this text\n";

/* The objects of a run; all may be NULL. */
typedef struct run {
    bp_mpi *mpi;
    bp_dataset *train, *test; /* this rank's */
    bp_net *net;
    bp_optimizer *opt;
    bp_mpi_trainer *replica;
} run;

static void destroy_run(run *r)
{
    bp_mpi_trainer_destroy(r->replica);
    bp_optimizer_destroy(r->opt);
    bp_net_destroy(r->net);
    bp_dataset_destroy(r->test);
    bp_dataset_destroy(r->train);
    bp_mpi_destroy(r->mpi);
}

/* ---- samples ---- */

static bp_status read_all(const options *o, bp_dataset **all)
{
    if (o->labels) {
        return bp_dataset_read_pair(all, o->images, o->labels, BP_F32, CLASS_COUNT);
    }
    bp_csv_reader *reader = NULL;
    bp_status status = bp_csv_reader_create(&reader);
    if (status == BP_OK) {
        status = bp_csv_reader_set_class_column(reader, -1);
    }
    if (status == BP_OK) {
        status = bp_csv_reader_read(reader, BP_F32, o->images, all);
    }
    bp_csv_reader_destroy(reader);
    return status;
}

/*
 * The rank's share of a set: those from n r / ranks on. This program's files are small, and every rank reads them whole; where they are not, each rank
 * has a file of its own, and share is not needed.
 */
static bp_status share(const bp_mpi *mpi, const bp_dataset *all, bp_dataset **own)
{
    size_t ranks = bp_mpi_rank_count(mpi), rank = bp_mpi_rank(mpi), n_inputs = bp_dataset_input_count(all);
    size_t n = bp_dataset_sample_count(all), first = n * rank / ranks, count = n * (rank + 1) / ranks - first;
    if (count == 0) {
        return bp_set_last_error(BP_ERROR_ARGUMENT, "there are fewer samples than ranks");
    }
    size_t *indices = malloc(count * sizeof *indices);
    float *inputs = malloc(count * n_inputs * sizeof *inputs);
    bp_status status = indices && inputs ? BP_OK : bp_set_last_error(BP_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; indices && i < count; i++) {
        indices[i] = first + i;
    }
    if (status == BP_OK) {
        status = bp_dataset_gather_f32(all, count, indices, inputs, NULL);
    }
    if (status == BP_OK) {
        status = bp_dataset_create_classes_f32(own, count, n_inputs, CLASS_COUNT, inputs, bp_dataset_classes(all) + first);
    }
    free(indices);
    free(inputs);
    return status;
}

/* Reads the file, divides it and takes this rank's share; offset and scale are of all training digits. */
static bp_status load(const options *o, run *r, float **scaling)
{
    bp_dataset *all = NULL, *train = NULL, *test = NULL;
    bp_status status = read_all(o, &all);
    if (status == BP_OK && bp_dataset_class_count(all) != CLASS_COUNT) {
        status = bp_set_last_error(BP_ERROR_FORMAT, "the file has not ten digits");
    }
    if (status == BP_OK) {
        status = bp_dataset_split(all, 0.2, o->seed, &train, &test);
    }
    if (status == BP_OK) {
        size_t n_inputs = bp_dataset_input_count(all);
        *scaling = malloc(2 * n_inputs * sizeof **scaling);
        status = *scaling ? bp_dataset_fit_scaling_f32(train, BP_SCALING_MIN_MAX, *scaling, *scaling + n_inputs)
                          : bp_set_last_error(BP_ERROR_MEMORY, "out of memory");
    }
    if (status == BP_OK) {
        status = share(r->mpi, train, &r->train);
    }
    if (status == BP_OK) {
        status = share(r->mpi, test, &r->test);
    }
    bp_dataset_destroy(all);
    bp_dataset_destroy(train);
    bp_dataset_destroy(test);
    return status;
}

/* ---- training ---- */

static bp_status make(const options *o, run *r, const float *scaling)
{
    size_t n_inputs = bp_dataset_input_count(r->train);
    if (bp_net_create(&r->net, BP_F32, n_inputs) || bp_net_add_dense(r->net, HIDDEN_COUNT, BP_ACTIVATION_TANH, 1) ||
        bp_net_add_dense(r->net, CLASS_COUNT, BP_ACTIVATION_SOFTMAX, 1) ||
        bp_net_initialize(r->net, BP_INITIALIZER_GLOROT_UNIFORM, o->seed) ||
        bp_net_set_input_scaling_f32(r->net, scaling, scaling + n_inputs) || bp_optimizer_create(&r->opt, BP_METHOD_ADAM, r->net) ||
        bp_optimizer_set(r->opt, BP_OPTIMIZER_LEARNING_RATE, o->learning_rate)) {
        return BP_ERROR_STATE; /* which, bp_last_error says */
    }
    return BP_OK;
}

typedef struct progress {
    const options *o;
    const run *r;
} progress;

/* Called on every rank at each epoch's end: all take part in the checkpoint, rank 0 prints. */
static int show_and_save(void *context, const bp_progress *p)
{
    const progress *c = context;
    if (bp_mpi_rank(c->r->mpi) == 0) {
        printf("epoch %llu of %llu: loss %.4f, test loss %.4f, test accuracy %.4f\n", (unsigned long long)p->epoch,
               (unsigned long long)p->epochs, p->training[BP_METRIC_LOSS], p->validation[BP_METRIC_LOSS],
               p->validation[BP_METRIC_ACCURACY]);
        fflush(stdout);
    }
    if (c->o->checkpoint && bp_mpi_trainer_save(c->r->replica, c->o->checkpoint) != BP_OK) {
        fprintf(stderr, "digits_mpi: %s\n", bp_last_error()); /* training goes on without */
    }
    return 0;
}

/* Whether there is a checkpoint, as rank 0 sees it: all go on from it, or none. */
static bool has_checkpoint(const options *o, const run *r)
{
    int found = 0;
    if (bp_mpi_rank(r->mpi) == 0) {
        FILE *file = fopen(o->checkpoint, "rb");
        found = file != NULL;
        if (file) {
            fclose(file);
        }
    }
    MPI_Bcast(&found, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return found;
}

static bp_status train(const options *o, run *r, double *accuracy)
{
    bp_status status = bp_mpi_trainer_create(&r->replica, r->mpi, r->net, r->opt, BP_LOSS_CROSS_ENTROPY, r->train);
    if (status != BP_OK) {
        return status;
    }
    bp_trainer *trainer = bp_mpi_trainer_trainer(r->replica);
    progress context = {o, r};
    if (bp_trainer_set_validation(trainer, r->test) || bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, (double)o->batch) ||
        bp_trainer_set(trainer, BP_TRAINER_SEED, (double)o->seed) ||
        bp_trainer_set_progress(trainer, show_and_save, &context, BP_PROGRESS_EPOCH)) {
        return BP_ERROR_ARGUMENT;
    }
    if (o->resume && has_checkpoint(o, r)) { /* its settings become the trainer's */
        status = bp_mpi_trainer_load(r->replica, o->checkpoint);
    }
    if (status == BP_OK) {
        status = bp_trainer_set(trainer, BP_TRAINER_EPOCHS, (double)o->epochs);
    }
    if (status == BP_OK) {
        status = bp_trainer_run(trainer);
    }
    size_t epochs = bp_trainer_epoch_count(trainer);
    if (status == BP_OK && epochs > 0) {
        status = bp_trainer_history(trainer, BP_HISTORY_VALIDATION_ACCURACY, epochs - 1, accuracy);
    }
    return status;
}

/* ---- options ---- */

/* A number from the command line, in [least, most]; the program ends with 2 if it is none. */
static double number(const char *option, const char *text, double least, double most, bool is_whole)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= least && value <= most) || (is_whole && value != floor(value))) {
        fprintf(stderr, "digits_mpi: --%s is \"%s\"; it can be %g to %g%s\n", option, text, least, most, is_whole ? ", whole" : "");
        exit(2);
    }
    return value;
}

static options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"data", required_argument, NULL, 'd'},
        {"labels", required_argument, NULL, 'L'},
        {"epochs", required_argument, NULL, 'e'},
        {"batch", required_argument, NULL, 'b'},
        {"seed", required_argument, NULL, 's'},
        {"learning-rate", required_argument, NULL, 'l'},
        {"checkpoint", required_argument, NULL, 'c'},
        {"resume", no_argument, NULL, 'r'},
        {"timeout", required_argument, NULL, 't'},
        {"require-accuracy", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    options o = {.images = BP_DIGITS_FILE, .epochs = 20, .batch = 32, .learning_rate = 0.003, .seed = 1, .timeout = 600};
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "h", known, &index)) != -1) {
        const char *name = known[index].name;
        switch (option) {
        case 'd':
            o.images = optarg;
            break;
        case 'L':
            o.labels = optarg;
            break;
        case 'e':
            o.epochs = (size_t)number(name, optarg, 1, 100000, true);
            break;
        case 'b':
            o.batch = (size_t)number(name, optarg, 1, 100000, true);
            break;
        case 'l':
            o.learning_rate = number(name, optarg, 1e-12, 1e6, false);
            break;
        case 's':
            o.seed = (uint64_t)number(name, optarg, 0, 9007199254740992.0, true);
            break;
        case 'c':
            o.checkpoint = optarg;
            break;
        case 'r':
            o.resume = true;
            break;
        case 't':
            o.timeout = number(name, optarg, 0.001, 1e9, false);
            break;
        case 'a':
            o.require_accuracy = number(name, optarg, 0, 1, false);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs("Try --help.\n", stderr);
            exit(2);
        }
    }
    if (optind < argc || (o.resume && !o.checkpoint)) {
        fputs(optind < argc ? "digits_mpi: there are only options\nTry --help.\n" : "digits_mpi: --resume needs --checkpoint\n", stderr);
        exit(2);
    }
    return o;
}

/* Whatever went wrong is the same on all ranks, and one says it. A rank that is lost is not waited for. */
static int end(run *r, bp_status status)
{
    if (status != BP_OK && (!r->mpi || bp_mpi_rank(r->mpi) == 0 || status == BP_ERROR_CONNECTION)) {
        fprintf(stderr, "digits_mpi: %s\n", bp_last_error());
    }
    if (status == BP_ERROR_CONNECTION || !r->mpi) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    destroy_run(r);
    MPI_Finalize();
    return status == BP_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv); /* before MPI_Init: a mistake ends all ranks alike */
    run r = {0};
    float *scaling = NULL;
    double accuracy = 0;
    MPI_Init(&argc, &argv);
    bp_status status = bp_mpi_create(&r.mpi, MPI_COMM_WORLD);
    if (status == BP_OK) {
        bp_mpi_set(r.mpi, BP_MPI_TIMEOUT, o.timeout);
        status = bp_mpi_agree(r.mpi, load(&o, &r, &scaling));
    }
    if (status == BP_OK) {
        if (bp_mpi_rank(r.mpi) == 0) {
            printf("%zu ranks; rank 0 has %zu digits to learn from and %zu to test with\n", bp_mpi_rank_count(r.mpi),
                   bp_dataset_sample_count(r.train), bp_dataset_sample_count(r.test));
        }
        status = bp_mpi_agree(r.mpi, make(&o, &r, scaling));
    }
    if (status == BP_OK) {
        status = train(&o, &r, &accuracy);
    }
    free(scaling);
    bool is_good = status != BP_OK || accuracy >= o.require_accuracy;
    if (!is_good && bp_mpi_rank(r.mpi) == 0) {
        fprintf(stderr, "digits_mpi: the test accuracy is %.4f, less than the %.4f required\n", accuracy, o.require_accuracy);
    }
    return end(&r, status) || !is_good;
}
