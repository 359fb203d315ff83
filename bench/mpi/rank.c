/*
 * One rank of a measurement: trains a net on numbers of its own for some epochs of few steps, and rank 0 prints a line: seconds a step, seconds of it
 * that went to waiting for sums, seconds of a bare MPI_Allreduce of as many elements, bytes sent a step, and the window: seconds of a rank's backward
 * pass, without MPI, from the first part of its gradient to the last, in which sums of other parts can be on their way.
 *
 *     mpirun -n 2 bp-bench-rank 784-1024-1024-10 f32 sgd 256 overlap=1 bucket_bytes=1048576
 */
#include <bp/bp.h>
#include <bp/mpi.h>

#include <float.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 16, STEPS = 8, REPEATS = 5, BARE_REPEATS = 16 };

typedef struct problem {
    size_t n_layers, widths[MAX_LAYERS]; /* the first is the inputs' */
    bp_dtype dtype;
    bp_method method;
    size_t batch;
} problem;

static void fail(const char *what)
{
    fprintf(stderr, "bp-bench-rank: %s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1); /* which nobody says MPI_Abort does */
}

static void must(bp_status status)
{
    if (status != BP_OK) {
        fail(bp_last_error());
    }
}

static void parse(int argc, char **argv, problem *p, bp_mpi *mpi)
{
    if (argc < 5) {
        fail("usage: bp-bench-rank WIDTHS f32|f64 METHOD BATCH [SETTING=VALUE]...");
    }
    for (char *at = argv[1]; p->n_layers < MAX_LAYERS; at++) {
        p->widths[p->n_layers++] = strtoul(at, &at, 10);
        if (*at != '-') {
            break;
        }
    }
    must(bp_dtype_from_name(argv[2], &p->dtype));
    must(bp_method_from_name(argv[3], &p->method));
    p->batch = strtoul(argv[4], NULL, 10);
    for (int i = 5; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        bp_mpi_setting setting;
        if (!value) {
            fail("a setting without a value");
        }
        *value = '\0';
        must(bp_mpi_setting_from_name(argv[i], &setting));
        must(bp_mpi_set(mpi, setting, strtod(value + 1, NULL)));
    }
}

static bp_net *make_net(const problem *p)
{
    bp_net *net;
    must(bp_net_create(&net, p->dtype, p->widths[0]));
    for (size_t l = 1; l < p->n_layers; l++) {
        bool is_last = l + 1 == p->n_layers;
        must(bp_net_add_dense(net, p->widths[l], is_last ? BP_ACTIVATION_SOFTMAX : BP_ACTIVATION_RELU, 1));
    }
    must(bp_net_initialize(net, BP_INITIALIZER_HE_UNIFORM, 1));
    return net;
}

static bp_dataset *make_samples(const problem *p, size_t n, uint64_t seed)
{
    size_t n_inputs = p->widths[0], n_classes = p->widths[p->n_layers - 1];
    uint32_t *classes = malloc(n * sizeof *classes);
    double *inputs = malloc(n * n_inputs * sizeof *inputs);
    float *inputs_f32 = malloc(n * n_inputs * sizeof *inputs_f32);
    bp_dataset *made;
    if (!classes || !inputs || !inputs_f32) {
        fail("out of memory");
    }
    for (size_t i = 0; i < n * n_inputs; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        inputs[i] = (double)(seed >> 40) * 0x1p-24;
        inputs_f32[i] = (float)inputs[i];
    }
    for (size_t i = 0; i < n; i++) {
        classes[i] = (uint32_t)(i % n_classes);
    }
    must(p->dtype == BP_F32 ? bp_dataset_create_classes_f32(&made, n, n_inputs, n_classes, inputs_f32, classes)
                            : bp_dataset_create_classes_f64(&made, n, n_inputs, n_classes, inputs, classes));
    free(classes);
    free(inputs);
    free(inputs_f32);
    return made;
}

/* Seconds of a bare sum, the least of some. */
static double bare_allreduce(const problem *p, size_t n)
{
    MPI_Datatype type = p->dtype == BP_F32 ? MPI_FLOAT : MPI_DOUBLE;
    void *vector = calloc(n, sizeof(double));
    double least = DBL_MAX;
    if (!vector) {
        fail("out of memory");
    }
    for (int i = 0; i < BARE_REPEATS; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        MPI_Allreduce(MPI_IN_PLACE, vector, (int)n, type, MPI_SUM, MPI_COMM_WORLD);
        double seconds = MPI_Wtime() - start, longest;
        MPI_Allreduce(&seconds, &longest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        least = longest < least ? longest : least;
    }
    free(vector);
    return least;
}

/* ---- the window ---- */

typedef struct window {
    double start, least; /* start: of this step; 0: no part has come */
} window;

static void open_window(window *w)
{
    w->start = w->start > 0 ? w->start : MPI_Wtime();
}

static void close_window(window *w)
{
    double seconds = MPI_Wtime() - w->start;
    w->least = seconds < w->least ? seconds : w->least;
    w->start = 0;
}

static void ready_f32(void *context, size_t first, size_t n, float *gradient)
{
    (void)first, (void)n, (void)gradient;
    open_window(context);
}

static void ready_f64(void *context, size_t first, size_t n, double *gradient)
{
    (void)first, (void)n, (void)gradient;
    open_window(context);
}

static bp_status complete_f32(void *context, bp_status status, float *mean_loss, size_t n, float *gradient)
{
    (void)mean_loss, (void)n, (void)gradient;
    close_window(context);
    return status;
}

static bp_status complete_f64(void *context, bp_status status, double *mean_loss, size_t n, double *gradient)
{
    (void)mean_loss, (void)n, (void)gradient;
    close_window(context);
    return status;
}

/* The least of some steps that each rank makes by itself, all at once, as in training. */
static double measure_window(const problem *p, bp_net *net, size_t n_ranks)
{
    window w = {.least = DBL_MAX};
    size_t batch = p->batch / n_ranks;
    bp_dataset *samples = make_samples(p, STEPS * batch, 1);
    bp_optimizer *opt;
    bp_trainer *trainer;
    must(bp_optimizer_create(&opt, p->method, net));
    must(bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, 1e-3));
    must(p->dtype == BP_F32 ? bp_optimizer_set_gradient_hook_f32(opt, ready_f32, complete_f32, &w)
                            : bp_optimizer_set_gradient_hook_f64(opt, ready_f64, complete_f64, &w));
    must(bp_trainer_create(&trainer, net, opt, BP_LOSS_CROSS_ENTROPY, samples));
    must(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, (double)batch));
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 2));
    MPI_Barrier(MPI_COMM_WORLD);
    must(bp_trainer_run(trainer));
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_dataset_destroy(samples);
    return w.least;
}

/* ---- a step ---- */

/* Seconds of a step and of the waiting in it, and bytes, in the best of some epochs. */
static void measure(const problem *p, bp_mpi *mpi, bp_net *net, double result[3])
{
    bp_optimizer *opt;
    bp_mpi_trainer *replica;
    size_t n_ranks = bp_mpi_rank_count(mpi);
    bp_dataset *samples = make_samples(p, STEPS * p->batch / n_ranks, bp_mpi_rank(mpi) + 1);
    must(bp_optimizer_create(&opt, p->method, net));
    must(bp_optimizer_set(opt, BP_OPTIMIZER_LEARNING_RATE, 1e-3));
    must(bp_mpi_trainer_create(&replica, mpi, net, opt, BP_LOSS_CROSS_ENTROPY, samples));
    bp_trainer *trainer = bp_mpi_trainer_trainer(replica);
    must(bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, (double)p->batch));
    must(bp_trainer_set(trainer, BP_TRAINER_SHUFFLE, 0));
    result[0] = DBL_MAX;
    for (int epoch = 1; epoch <= 1 + REPEATS; epoch++) { /* the first warms up */
        double waited[2], bytes[2];
        must(bp_mpi_trainer_traffic(replica, &bytes[0], &waited[0]));
        must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, epoch));
        must(bp_trainer_run(trainer));
        must(bp_mpi_trainer_traffic(replica, &bytes[1], &waited[1]));
        double seconds;
        must(bp_trainer_history(trainer, BP_HISTORY_SECONDS, (size_t)epoch - 1, &seconds));
        if (epoch > 1 && seconds / STEPS < result[0]) {
            result[0] = seconds / STEPS;
            result[1] = (waited[1] - waited[0]) / STEPS;
            result[2] = (bytes[1] - bytes[0]) / STEPS;
        }
    }
    bp_mpi_trainer_destroy(replica);
    bp_optimizer_destroy(opt);
    bp_dataset_destroy(samples);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    bp_mpi *mpi;
    must(bp_mpi_create(&mpi, MPI_COMM_WORLD));
    problem p = {0};
    parse(argc, argv, &p, mpi);
    bp_net *net = make_net(&p);
    double result[3] = {0}, bare = bare_allreduce(&p, bp_net_parameter_count(net));
    double seconds = measure_window(&p, net, bp_mpi_rank_count(mpi));
    measure(&p, mpi, net, result);
    if (bp_mpi_rank(mpi) == 0) {
        printf("{\"seconds\": %.9g, \"waiting\": %.9g, \"allreduce\": %.9g, \"window\": %.9g, \"bytes\": %.0f, \"parameters\": %zu, "
               "\"ranks\": %zu}\n",
               result[0], result[1], bare, seconds, result[2], bp_net_parameter_count(net), bp_mpi_rank_count(mpi));
    }
    bp_net_destroy(net);
    bp_mpi_destroy(mpi);
    MPI_Finalize();
    return 0;
}
