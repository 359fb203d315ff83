#include "suites.h"

#include "bp/optimizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add(bench_cases *list, bench_case c)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->cases = realloc(list->cases, list->capacity * sizeof *list->cases);
        if (!list->cases) {
            fputs("bp-bench: no memory for the list of rows\n", stderr);
            exit(1);
        }
    }
    list->cases[list->n++] = c;
}

/* The prototype with each of these shapes, a list that ends with NULL. */
static void add_shapes(bench_cases *list, const bench_case *prototype, const char *const *shapes)
{
    for (; *shapes; shapes++) {
        bench_case c = *prototype;
        c.shape = bench_shape_parse(*shapes);
        add(list, c);
    }
}

/* From what call overhead decides to what memory bandwidth decides. */
static const char *const online_shapes[] = {
    "2-3-2-1",
    "8-16-16-1",
    "64-32-10",
    "120-20-3",
    "784-100-10",
    "784-300-100-10",
    "256-256-256-256-256",
    "784-1024-1024-10",
    "4096-4096-10",
    "784-2500-2000-1500-1000-500-10",
    NULL,
};

static void list_online(bench_cases *list, const bench_case *prototype)
{
    bench_case c = *prototype;
    c.method = "sgd";
    add_shapes(list, &c, online_shapes);
}

static void list_layer(bench_cases *list, const bench_case *prototype)
{
    static const char *const operations[] = {"forward", "backward", "update", "fused"};
    static const char *const widths[] = {"2", "4", "8", "16", "32", "64", "128", "256", "512", "1024", "2048", "4096", "8192"};
    for (size_t o = 0; o < sizeof operations / sizeof *operations; o++) {
        for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
            bench_case c = *prototype;
            c.operation = operations[o];
            c.shape = bench_shape_parse(widths[i]);
            c.shape.widths[c.shape.n_widths++] = c.shape.widths[0];
            add(list, c);
        }
    }
}

static void list_infer(bench_cases *list, const bench_case *prototype)
{
    static const size_t batches[] = {1, 32, 512};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        bench_case c = *prototype;
        c.batch = batches[i];
        add_shapes(list, &c, online_shapes);
    }
}

/* Methods that this libbp has not are left out. */
static void list_batch(bench_cases *list, const bench_case *prototype)
{
    static const char *const shapes[] = {
        "64-32-10", "784-100-10", "784-300-100-10", "784-256-128-10", "256-256-256-256-256", "784-1024-1024-10", NULL,
    };
    static const char *const methods[] = {"sgd", "adam"};
    static const size_t batches[] = {1, 2, 4, 8, 32, 128, 512};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        bp_method method;
        for (size_t i = 0; bp_method_from_name(methods[m], &method) == BP_OK && i < sizeof batches / sizeof *batches; i++) {
            bench_case c = *prototype;
            c.method = methods[m];
            c.batch = batches[i];
            add_shapes(list, &c, shapes);
        }
    }
}

/* With 1, 2, 4, … threads and the most; without --threads that is one a CPU, but 2 at least. */
static void list_threads(bench_cases *list, const bench_case *prototype)
{
    static const size_t batches[] = {1, 128};
    size_t cpus = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = prototype->threads > 1 ? prototype->threads : cpus > 2 ? cpus : 2;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        for (size_t threads = 1; threads <= most; threads = threads < most && 2 * threads > most ? most : 2 * threads) {
            bench_case c = *prototype;
            c.method = "sgd";
            c.batch = batches[i];
            c.threads = threads;
            add_shapes(list, &c, online_shapes);
        }
    }
}

/* As many samples as the digits of tests/data have. */
static void list_train(bench_cases *list, const bench_case *prototype)
{
    static const char *const shapes[] = {"64-32-10", "784-100-10", NULL};
    static const char *const methods[] = {"sgd", "adam"};
    static const size_t batches[] = {32, 1};
    bench_case c = *prototype;
    c.operation = "epoch";
    c.samples = 1797;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
            c.method = methods[m];
            c.batch = batches[i];
            add_shapes(list, &c, shapes);
        }
    }
    c.operation = "sweep";
    c.samples = 0;
    c.threads = 1;
    add_shapes(list, &c, shapes + 1);
}

/* Files of 16 MB; those that are only opened, of 16 MB and of 512 MB; a model of 1 GB. */
static void list_io(bench_cases *list, const bench_case *prototype)
{
    static const struct {
        const char *operation, *name;
        double bytes;
    } rows[] = {
        {"csv", "4 decimals", 16e6}, {"csv", "17 digits", 16e6}, {"csv", "integers", 16e6}, {"open", "16 MB", 16e6},
        {"open", "512 MB", 512e6},   {"batch", "u8", 16e6},      {"model", "1 GB", 1e9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench_case c = *prototype;
        c.operation = rows[i].operation;
        c.shape.name = rows[i].name;
        c.bytes = rows[i].bytes;
        add(list, c);
    }
}

/* Nets whose gradients take long to sum, or to compute; the batch is of all ranks together. */
static void list_mpi(bench_cases *list, const bench_case *prototype)
{
    static const struct {
        const char *shape;
        size_t batch;
    } nets[] = {{"784-4096-10", 32}, {"784-1024-1024-10", 256}, {"784-256-128-10", 128}};
    static const struct {
        const char *operation;
        size_t ranks;
    } rows[] = {{"blocking", 2}, {"overlapped", 2}, {"fixed-order", 2}, {"averaged", 2}, {"blocking", 4}, {"overlapped", 4}};
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            bench_case c = *prototype;
            c.method = "sgd";
            c.shape = bench_shape_parse(nets[n].shape);
            c.batch = nets[n].batch;
            c.operation = rows[i].operation;
            c.ranks = rows[i].ranks;
            add(list, c);
        }
    }
}

static const bench_suite suites[] = {
    {
        .name = "step",
        .what = "One on-line training step: forward, backward, update with one sample; tanh hidden layers, identity output, bias, MSE.\n"
                "libbp: bp_net_train_step, which checks its arguments and that the loss is finite.",
        .peers = {"cblas", "panel", "fann"},
        .peer_notes = "cblas: the same formulas by plain cblas calls (gemv, gemv_t, ger), and libm's tanh.\n"
                      "panel: the same, but gemv_t and ger go through W together, by panels of rows that take half of the level-2 cache.\n"
                      "fann: FANN's fann_train, where libfann was found; f32 only, and not for the largest nets.",
        .list = list_online,
        .row_f32 = bench_step_f32,
        .row_f64 = bench_step_f64,
    },
    {
        .name = "online",
        .what = "A sample of on-line training, with many samples in one call; nets as in step.\n"
                "libbp: bp_net_train_online.",
        .peers = {"cblas"},
        .peer_notes = "cblas: the same formulas by plain cblas calls, sample after sample, and libm's tanh.",
        .list = list_online,
        .row_f32 = bench_online_f32,
        .row_f64 = bench_online_f64,
    },
    {
        .name = "layer",
        .what = "One operation on the weights of an n × n layer: without bias, identity activation.\n"
                "libbp: bp_layer_forward (y = W x), bp_layer_backward (δ_prev = Wᵀ δ), bp_layer_update (W += η g xᵀ), which check their\n"
                "arguments; fused is the kernel that a training step calls for the last two.",
        .peers = {"cblas"},
        .peer_notes = "cblas: gemv, gemv_t, ger; gemv_t and ger for fused.",
        .list = list_layer,
        .row_f32 = bench_layer_f32,
        .row_f64 = bench_layer_f64,
    },
    {
        .name = "batch",
        .what = "A training step with a batch of B samples; nets as in step.\n"
                "libbp: bp_net_train_step.",
        .peers = {"gemm"},
        .peer_notes =
            "gemm: only the products of that step, by cblas gemm: forward, backward but for the inputs, W += α Gᵀ X. No bias, no\n"
            "activation, no loss, no optimizer. Before, with all of these, it is checked to come to the same weights.",
        .list = list_batch,
        .row_f32 = bench_batch_f32,
        .row_f64 = bench_batch_f64,
    },
    {
        .name = "infer",
        .what = "Inference of B samples at once; nets as in step.\n"
                "libbp: bp_net_predict.",
        .peers = {"cblas"},
        .peer_notes = "cblas: gemv for one sample, gemm for more, and libm's tanh.",
        .list = list_infer,
        .row_f32 = bench_infer_f32,
        .row_f64 = bench_infer_f64,
    },
    {
        .name = "threads",
        .what = "A training step with one sample, or with B samples, on some threads; nets as in step.\n"
                "libbp: bp_net_train_step after bp_workspace_set_threads.",
        .peers = {"1 thread"},
        .peer_notes = "1 thread: the same on one thread.",
        .list = list_threads,
        .row_f32 = bench_threads_f32,
        .row_f64 = bench_threads_f64,
    },
    {
        .name = "train",
        .what = "An epoch of training with 1797 samples in a new order, batches of B samples (B=1: on-line); nets as in step.\n"
                "libbp: bp_trainer_run. sweep: no epoch, but an update of Adam with one sample, what a step does behind its backward pass.",
        .peers = {"steps", "bare", "copy"},
        .peer_notes =
            "steps: the same by hand: bp_random_permutation, and bp_dataset_gather and bp_net_train_step for each batch (B=1:\n"
            "bp_net_train_online for 256 samples).\n"
            "bare: only those training calls, on samples that lie in their order already.\n"
            "copy: as many bytes as W, m and v have, read and written once. Before, with Adam's arithmetic, it is checked to come\n"
            "to the same weights.",
        .list = list_train,
        .row_f32 = bench_train_f32,
        .row_f64 = bench_train_f64,
    },
    {
        .name = "io",
        .what = "A data file.\n"
                "libbp: csv: bp_dataset_read on 16 MB of 20 columns. open: bp_dataset_read on an IDX file, which is mapped. batch:\n"
                "bp_dataset_gather of 128 samples of 784 pixels in a random order from such a file. model: bp_net_load of a file of 1 GB.",
        .peers = {"libcsv", "read", "memcpy"},
        .peer_notes = "libcsv: csv_parse on the same text in memory, with a callback that counts the fields and reads no number.\n"
                      "read: read(2) of the whole file into new memory.\n"
                      "memcpy: as many numbers copied as the batch has.",
        .list = list_io,
        .row_f32 = bench_io_f32,
        .row_f64 = bench_io_f64,
    },
    {
        .name = "mpi",
        .what = "A training step of some ranks of MPI, B samples of all together; relu hidden layers, softmax.\n"
                "libbp: bp_mpi_trainer. blocking: overlap 0. fixed-order: overlap 1, sums in the order of ranks. averaged: no sums of\n"
                "gradients; parameters are averaged every 8 steps. oversubscribed: more ranks than CPUs. mpirun starts bp-bench-rank.",
        .peers = {"1 rank", "waiting", "allreduce"},
        .peer_notes = "1 rank: the same batch on one rank, so that the ratio is the speed-up.\n"
                      "waiting: the part of libbp's own step in which it waited for others and for sums.\n"
                      "allreduce: a bare MPI_Allreduce of as many elements as the gradient has, of as many ranks.",
        .list = list_mpi,
        .row_f32 = bench_mpi,
        .row_f64 = bench_mpi,
    },
};

const bench_suite *bench_suite_at(size_t index)
{
    return index < sizeof suites / sizeof *suites ? &suites[index] : NULL;
}

const bench_suite *bench_suite_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (strlen(suites[i].name) == length && memcmp(suites[i].name, name, length) == 0) {
            return &suites[i];
        }
    }
    return NULL;
}
