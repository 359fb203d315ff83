/**
 * libbp_mpi: training by the processes of an MPI communicator (pkg-config module bp-mpi). Each rank has a replica of the net and its own samples;
 * gradients are summed over the ranks while the backward pass is still going on.
 *
 *     MPI_Init(&argc, &argv);
 *     bp_mpi_create(&mpi, MPI_COMM_WORLD);
 *     status = bp_csv_reader_read(reader, BP_F32, own_file, &samples);
 *     status = bp_mpi_agree(mpi, status);                             // all go on, or none
 *     …                                                               // the same net, optimizer and loss on every rank
 *     bp_mpi_trainer_create(&replica, mpi, net, opt, loss, samples);  // weights and scaling are rank 0's from here
 *     bp_trainer *trainer = bp_mpi_trainer_trainer(replica);          // settings, validation set, progress, history: trainer.h
 *     bp_trainer_set(trainer, BP_TRAINER_BATCH_SIZE, 256);            // of all ranks together
 *     bp_trainer_run(trainer);
 *     bp_mpi_trainer_save(replica, "checkpoint.safetensors");         // for any number of ranks
 *
 * Every call here but those marked "alone", and bp_trainer_run with such a trainer, is to be made by all ranks of the communicator, in the same order.
 * A call that fails on one rank fails on all, with the same status, and the sentence of the first rank that failed; so does a run.
 *
 * A rank that does not come within BP_MPI_TIMEOUT, or that MPI reports as lost, is BP_ERROR_CONNECTION on the others. The communicator is of no
 * more use then: all later calls return the same at once, and what is left to do is MPI_Abort, before net, optimizer and samples are freed, to which
 * MPI may still write. (mpirun ends all processes when one dies.) So it is when ranks are found in different calls, which is BP_ERROR_STATE first.
 *
 * Calls are made by the thread that called MPI_Init, or with MPI_THREAD_SERIALIZED by one thread at a time. MPI_Init and MPI_Finalize are the
 * program's.
 */
#ifndef BP_MPI_H
#define BP_MPI_H

#include "bp/dataset.h"
#include "bp/export.h"
#include "bp/loss.h"
#include "bp/net.h"
#include "bp/optimizer.h"
#include "bp/status.h"
#include "bp/trainer.h"

#include <mpi.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** This process among the ranks of a communicator. */
typedef struct bp_mpi bp_mpi;

/** A trainer that is one of several, with what it trains with. */
typedef struct bp_mpi_trainer bp_mpi_trainer;

/** Behind each setting: its range, and what it is unless set. They are to be the same on all ranks. */
typedef enum bp_mpi_setting {
    /** 1: parts of a gradient are summed (MPI_Iallreduce) while the backward pass goes on; 0: all of it behind it (MPI_Allreduce); 1 */
    BP_MPI_OVERLAP = 0,
    /** Bytes of such a part, the last one may have less; 4096 to 2³⁰; 2¹⁸ */
    BP_MPI_BUCKET_BYTES = 1,
    /**
     * 1: sums are made in the order of ranks, and so have the same bits whenever there are as many; each rank adds up its part of the gradient (MPI_
     * Ialltoallv) and gives it to all (MPI_Iallgatherv). It takes memory for another gradient. 0: in the order that MPI likes best; 0
     */
    BP_MPI_FIXED_ORDER = 2,
    /**
     * k, 0 to 2³⁰. 0: gradients are summed in every step. k: each rank makes k steps by itself, and then parameters are averaged (local SGD:
     * Stich 2019, "Local SGD converges fast and communicates little"), as at each epoch's end; an optimizer's state stays the rank's own; 0
     */
    BP_MPI_AVERAGING_STEPS = 3,
    BP_MPI_TIMEOUT = 4 /**< seconds to wait for other ranks, 0.001 to 1e9; 600 */
} bp_mpi_setting;

/**
 * Takes part in a communicator, of which a copy is made. Returns BP_ERROR_ARGUMENT (NULL, MPI_COMM_NULL, an intercommunicator), BP_ERROR_STATE
 * (MPI is not initialized, or finalized; a rank with another version of libbp or other kernels, which BP_KERNEL can make the same),
 * BP_ERROR_MEMORY, BP_ERROR_CONNECTION. The caller destroys it, before MPI_Finalize.
 */
BP_API bp_status bp_mpi_create(bp_mpi **mpi, MPI_Comm communicator);

/** Ends it; NULL is allowed. Not before the trainers made with it. After BP_ERROR_CONNECTION it waits for nobody. */
BP_API void bp_mpi_destroy(bp_mpi *mpi);

/** Who this is, and how many there are; 0 for NULL. Alone. */
BP_API size_t bp_mpi_rank(const bp_mpi *mpi);
BP_API size_t bp_mpi_rank_count(const bp_mpi *mpi);

/**
 * Changes a setting, for trainers made from then on; BP_MPI_TIMEOUT at once. Alone. Returns BP_ERROR_ARGUMENT (NULL, unknown setting, value NaN, out of
 * the setting's range, or not whole where it is to be).
 */
BP_API bp_status bp_mpi_set(bp_mpi *mpi, bp_mpi_setting setting, double value);

/** Reads a setting. Alone. Returns BP_ERROR_ARGUMENT (NULL, unknown setting). */
BP_API bp_status bp_mpi_get(const bp_mpi *mpi, bp_mpi_setting setting, double *value);

/** "overlap", "bucket_bytes", …; NULL for a value that is no setting. Static text. Thread-safe. */
BP_API const char *bp_mpi_setting_name(bp_mpi_setting setting);

/** The setting whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_mpi_setting_from_name(const char *name, bp_mpi_setting *setting);

/**
 * What became of something that each rank did by itself, as reading its file: status on this one, whose sentence is bp_last_error's. Returns BP_OK if
 * all have that, else the status of the first rank that has not, with its sentence. Returns also BP_ERROR_ARGUMENT (NULL),
 * BP_ERROR_STATE (ranks are in different calls), BP_ERROR_CONNECTION.
 */
BP_API bp_status bp_mpi_agree(bp_mpi *mpi, bp_status status);

/**
 * Makes this rank's trainer. net, optimizer and training set (this rank's samples, at least one; the number may differ) stay the caller's, as for
 * bp_trainer_create; nothing else is to be done with net and optimizer while it lives, and layers that are frozen stay so. They are compared, as are
 * the settings of mpi: rank 0's parameters and scaling become those of all, last, so that nothing changes where ranks differ. (An optimizer's state is
 * not compared: one that has made steps has made the same on all.) The batch is of 32 samples of all ranks unless set, or of all if there are fewer.
 * Before each epoch samples are sent to where the order of the epoch wants them, which is that of one process with all ranks' samples one after the
 * other: memory for twice the rank's samples, and 8 bytes for each of all samples.
 * Returns what bp_trainer_create does, and BP_ERROR_STATE (a net, dtype, loss, optimization method, setting of the optimizer, or width or classes
 * of a training set that is not rank 0's; the sentence has both), BP_ERROR_UNSUPPORTED (L-BFGS; a training set of which a rank has more than 2³¹ − 1
 * samples, or a sample so many bytes), BP_ERROR_CONNECTION.
 */
BP_API bp_status bp_mpi_trainer_create(bp_mpi_trainer **trainer, bp_mpi *mpi, bp_net *net, bp_optimizer *opt, bp_loss loss,
                                       const bp_dataset *training);

/**
 * Ends it, and the trainer that it lends; the optimizer is as before. NULL is allowed. From within the progress function nothing happens, and
 * bp_last_error says so. Alone.
 */
BP_API void bp_mpi_trainer_destroy(bp_mpi_trainer *trainer);

/**
 * The trainer of trainer.h, lent. Settings, schedule and validation set (its own samples on each rank) are made the same way on all ranks;
 * BP_TRAINER_BATCH_SIZE is of all ranks together. NULL for NULL. Alone.
 */
BP_API bp_trainer *bp_mpi_trainer_trainer(const bp_mpi_trainer *trainer);

/**
 * Rank 0 writes a checkpoint as bp_trainer_save does; from within the progress function as well, of all ranks. With BP_MPI_AVERAGING_STEPS at an
 * epoch's end. Returns the errors of bp_trainer_save, BP_ERROR_CONNECTION.
 */
BP_API bp_status bp_mpi_trainer_save(bp_mpi_trainer *trainer, const char *path);

/**
 * Rank 0 reads a checkpoint, of any number of ranks or of one process with all samples, and all go on from there: path is rank 0's alone. Returns
 * the errors of bp_trainer_load, BP_ERROR_CONNECTION. On failure nothing has changed on any rank.
 */
BP_API bp_status bp_mpi_trainer_load(bp_mpi_trainer *trainer, const char *path);

/**
 * What a rank has sent and received of gradients or parameters so far, in bytes as 2 (n − 1) / n of their size for each sum over n ranks (ring; Patarasuk,
 * Yuan 2009), and the seconds in which it waited for them. Either may be NULL. Alone. Returns BP_ERROR_ARGUMENT (NULL trainer).
 */
BP_API bp_status bp_mpi_trainer_traffic(const bp_mpi_trainer *trainer, double *bytes, double *seconds);

#ifdef __cplusplus
}
#endif

#endif
