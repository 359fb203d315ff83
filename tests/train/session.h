/* What tests of the trainer share: sets of samples, and a net, an optimizer and a trainer made in one line. */
#ifndef BP_TESTS_SESSION_H
#define BP_TESTS_SESSION_H

#include "core/real.h"
#include "support/check.h"

enum { INPUTS = 5, CLASSES = 3, METRICS = BP_METRIC_R2 + 1, COLUMNS = BP_HISTORY_VALIDATION_R2 + 1 };

/* Samples of CLASSES classes that overlap a little; others for another seed. */
bp_dataset *make_classes(size_t n_samples, uint64_t seed);

/* Samples of two functions of the inputs. */
bp_dataset *make_curves(size_t n_samples, uint64_t seed);

/* A net 5-7-C, tanh and softmax or identity by the loss, with the optimizer and the trainer. Settings of the trainer are the initial ones. */
typedef struct session {
    bp_net *net;
    bp_optimizer *opt;
    bp_trainer *trainer;
} session;

/* The weights depend on seed. L-BFGS must be there. */
session open_session(const bp_dataset *training, bp_method method, uint64_t seed);
void close_session(session *s);

/* Whether this build has the method. */
bool has_method(bp_method method);

/* Sets a setting that must be accepted. */
void set(session *s, bp_trainer_setting setting, double value);

/* Runs, which must succeed and end for this reason. */
void run(session *s, bp_stop expected);

/* A copy of θ, to be freed. */
real *parameters(const bp_net *net);

double history(const session *s, bp_history column, size_t epoch);

/* The same numbers, bit by bit, or both NaN. */
bool same_number(double a, double b);

/* The same parameters, step count, history but seconds, and best epoch; what names the case. */
void expect_same(const char *what, const session *a, const session *b);

/* A folder for files, made by the first call, and a file in it; both end with remove_files, a CMocka teardown. */
const char *file_path(const char *name);
int remove_files(void **state);

/* The bytes of a file, to be freed. */
unsigned char *read_bytes(const char *path, size_t *size);
void write_bytes(const char *path, const void *bytes, size_t size);

void expect_same_file(const char *what, const char *a, const char *b);

#endif
