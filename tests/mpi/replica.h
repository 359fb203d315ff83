/* What tests of libbp_mpi share: samples that ranks divide, the trainer of this rank, and one that has all samples and no ranks. */
#ifndef BP_TESTS_MPI_REPLICA_H
#define BP_TESTS_MPI_REPLICA_H

#include <bp/bp.h>
#include <bp/mpi.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#if BP_REAL_BITS == 32
#define REAL(name) name##_f32
#define REAL_DTYPE BP_F32
typedef float real;
#else
#define REAL(name) name##_f64
#define REAL_DTYPE BP_F64
typedef double real;
#endif

enum { INPUTS = 5, CLASSES = 3, HIDDEN = 300, COLUMNS = BP_HISTORY_VALIDATION_R2 + 1 };

/* Fails the test with the library's sentence unless the status is BP_OK. */
void must(bp_status status);

/* Fails the test unless the status is this one, on this rank, and the sentence has the word. */
void must_refuse(const char *what, bp_status status, bp_status expected, const char *word);

#define REFUSED(call, status, word) must_refuse(#call, call, status, word)

/* What samples are, and in what they come. */
typedef enum kind {
    OF_CLASSES,     /* CLASSES classes, one-hot */
    OF_NUMBERS,     /* two target numbers */
    OF_TWO_CLASSES, /* two classes and one output */
    OF_IDX,         /* classes, in mapped files of bytes */
    OF_NPY          /* numbers, in mapped files of the dtype */
} kind;

/* Samples first to end − 1 of those that a seed stands for. */
bp_dataset *make_samples(kind kind, uint64_t seed, size_t first, size_t end);

/* Where the samples of a rank begin when n are divided unequally. */
size_t first_of(size_t n, size_t rank, size_t n_ranks);

/* A net 5-300-C, tanh and softmax, identity or logistic, by the kind; the weights depend on seed. */
bp_net *make_net(kind kind, uint64_t seed);

bp_loss loss_of(kind kind);

/* A net and what trains it: by the ranks of mpi, each with its part of the n samples, or with mpi NULL alone with all of them. */
typedef struct replica {
    bp_dataset *training, *validation;
    bp_net *net;
    bp_optimizer *opt;
    bp_mpi_trainer *shared; /* NULL: alone */
    bp_trainer *trainer;
} replica;

/* The learning rate is 0.05, of Adam 0.005; n_validation may be 0. */
replica make_replica(bp_mpi *mpi, kind kind, bp_method method, size_t n, size_t n_validation);
void destroy_replica(replica *r);

void set(replica *r, bp_trainer_setting setting, double value);

/* Runs, which must end for this reason. */
void run(replica *r, bp_stop expected);

/* A copy of θ, to be freed. */
real *parameters(const replica *r);

/* That parameters and history are within `within` of each other's, relative to 1 + |a|; steps, epochs and the best epoch the same. */
void expect_near(const char *what, const replica *a, const replica *b, double within);

/* That parameters, history and steps have the same bits. */
void expect_same(const char *what, const replica *a, const replica *b);

/* That this rank's have the bits of rank 0's. */
void expect_all_same(const char *what, MPI_Comm communicator, const replica *r);

/* That bp_last_error is the same on all ranks. */
void expect_one_sentence(const char *what, MPI_Comm communicator);

/* What sums in another order may make of the last digits in some epochs. */
double rounding(void);

/* The communicator of the first n ranks; MPI_COMM_NULL on others. */
MPI_Comm first_ranks(int n);

/* Rank and number of ranks in MPI_COMM_WORLD. */
size_t world_rank(void);
size_t world_size(void);

/* A file in the temporary folder of this process; the folder ends with remove_files, a CMocka teardown. */
const char *file_path(const char *name);
int remove_files(void **state);

/* The same file for all ranks: rank 0's. */
const char *shared_path(const char *name);

/* All ranks, from begin_mpi to end_mpi: a CMocka setup and teardown. */
extern bp_mpi *mpi;
int begin_mpi(void **state);
int end_mpi(void **state);

/* main of a test program: cmocka's under MPI. */
int run_program(int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests);

#endif
