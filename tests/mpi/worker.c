/*
 * A rank of the tests that end processes (faults): worker MODE FILE. It trains and saves a checkpoint in FILE at each epoch's end; in the third
 * epoch rank 1 ends by exit or a signal, as MODE says. "different": rank 0 saves
 * behind each batch, alone; "create" only takes part in the communicator; "load" goes on from FILE.
 */
#define _POSIX_C_SOURCE 200809L

#include <bp/bp.h>
#include <bp/mpi.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES = 60, INPUTS = 4 };

typedef struct worker {
    const char *mode, *file;
    bp_mpi *mpi;
    bp_mpi_trainer *shared;
} worker;

/* What a program does when a call fails: says so, and ends all. */
static void must(bp_status status)
{
    if (status != BP_OK) {
        fprintf(stderr, "worker: %s: %s\n", bp_status_name(status), bp_last_error());
        MPI_Abort(MPI_COMM_WORLD, 4);
    }
}

static int end_or_save(void *context, const bp_progress *progress)
{
    const worker *w = context;
    if (progress->is_epoch_end || (strcmp(w->mode, "different") == 0 && bp_mpi_rank(w->mpi) == 0)) {
        must(bp_mpi_trainer_save(w->shared, w->file));
    } else if (bp_mpi_rank(w->mpi) == 1 && progress->epoch == 3) {
        if (strcmp(w->mode, "exit") == 0) {
            exit(3);
        }
        if (strcmp(w->mode, "kill") == 0 || strcmp(w->mode, "stop") == 0) {
            raise(strcmp(w->mode, "kill") == 0 ? SIGKILL : SIGSTOP);
        }
    }
    return 0;
}

static void train(worker *w)
{
    float x[SAMPLES * INPUTS], z[SAMPLES];
    for (size_t i = 0; i < SAMPLES * INPUTS; i++) {
        x[i] = (float)((i * 7919 + bp_mpi_rank(w->mpi) * 31) % 101) / 101;
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        z[i] = x[i * INPUTS];
    }
    bp_dataset *samples;
    bp_net *net;
    bp_optimizer *opt;
    must(bp_dataset_create_f32(&samples, SAMPLES, INPUTS, 1, x, z));
    must(bp_net_create(&net, BP_F32, INPUTS));
    must(bp_net_add_dense(net, 8, BP_ACTIVATION_TANH, 1));
    must(bp_net_add_dense(net, 1, BP_ACTIVATION_IDENTITY, 1));
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 1));
    must(bp_optimizer_create(&opt, BP_METHOD_ADAM, net));
    must(bp_mpi_trainer_create(&w->shared, w->mpi, net, opt, BP_LOSS_MSE, samples));
    bp_trainer *trainer = bp_mpi_trainer_trainer(w->shared);
    if (strcmp(w->mode, "load") == 0) {
        must(bp_mpi_trainer_load(w->shared, w->file));
        printf("loaded at epoch %zu\n", bp_trainer_epoch_count(trainer));
    }
    must(bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 5));
    must(bp_trainer_set_progress(trainer, end_or_save, w, BP_PROGRESS_BATCH));
    must(bp_trainer_run(trainer));
    bp_mpi_trainer_destroy(w->shared);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    bp_dataset_destroy(samples);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    if (argc != 3) {
        fprintf(stderr, "usage: worker MODE FILE\n");
        return 2;
    }
    worker w = {.mode = argv[1], .file = argv[2]};
    char name[600];
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(name, sizeof name, "%s.pid%d", w.file, rank);
    FILE *pid = fopen(name, "w");
    if (pid) {
        fprintf(pid, "%ld\n", (long)getpid());
        fclose(pid);
    }
    bp_status status = bp_mpi_create(&w.mpi, MPI_COMM_WORLD);
    if (strcmp(w.mode, "create") == 0) {
        printf("rank %d: %s: %s\n", rank, bp_status_name(status), bp_last_error());
    } else {
        must(status);
        must(bp_mpi_set(w.mpi, BP_MPI_TIMEOUT, 2));
        train(&w);
    }
    if (status == BP_OK) {
        bp_mpi_destroy(w.mpi);
    }
    MPI_Finalize();
    return 0;
}
