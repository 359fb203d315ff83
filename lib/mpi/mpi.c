#include "mpi/compare.h"
#include "mpi/rank.h"

#include "bp/kernel.h"
#include "bp/version.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A setting's values go from minimum to maximum. */
static const struct {
    const char *name;
    double initial, minimum, maximum;
    bool is_whole;
} settings[BP_MPI_SETTING_COUNT] = {
    [BP_MPI_OVERLAP] = {"overlap", 1, 0, 1, true},          [BP_MPI_BUCKET_BYTES] = {"bucket_bytes", 1 << 18, 4096, 1 << 30, true},
    [BP_MPI_FIXED_ORDER] = {"fixed_order", 0, 0, 1, true},  [BP_MPI_AVERAGING_STEPS] = {"averaging_steps", 0, 0, 1 << 30, true},
    [BP_MPI_TIMEOUT] = {"timeout", 600, 0.001, 1e9, false},
};

const char *bp_mpi_setting_name(bp_mpi_setting setting)
{
    return (unsigned)setting < BP_MPI_SETTING_COUNT ? settings[setting].name : NULL;
}

bp_status bp_mpi_setting_from_name(const char *name, bp_mpi_setting *setting)
{
    if (!name || !setting) {
        return bp_mpi_fail_null(__func__, name ? "setting" : "name");
    }
    for (int i = 0; i < BP_MPI_SETTING_COUNT; i++) {
        if (strcmp(name, settings[i].name) == 0) {
            *setting = (bp_mpi_setting)i;
            return BP_OK;
        }
    }
    return bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: there is no \"%.100s\"", __func__, name);
}

static bp_status check_setting(const char *function, bp_mpi_setting setting)
{
    return bp_mpi_setting_name(setting)
               ? BP_OK
               : bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: setting is %d, which is none of its enum's values", function, (int)setting);
}

bp_status bp_mpi_set(bp_mpi *mpi, bp_mpi_setting setting, double value)
{
    if (!mpi) {
        return bp_mpi_fail_null(__func__, "mpi");
    }
    bp_status status = check_setting(__func__, setting);
    if (status != BP_OK) {
        return status;
    }
    const char *name = settings[setting].name;
    if (!(value >= settings[setting].minimum && value <= settings[setting].maximum)) {
        return bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: %s is %.17g; it can be %g to %.17g", __func__, name, value, settings[setting].minimum,
                           settings[setting].maximum);
    }
    if (settings[setting].is_whole && value != floor(value)) {
        return bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: %s is %.17g; it is to be a whole number", __func__, name, value);
    }
    mpi->settings[setting] = value;
    return BP_OK;
}

bp_status bp_mpi_get(const bp_mpi *mpi, bp_mpi_setting setting, double *value)
{
    if (!mpi || !value) {
        return bp_mpi_fail_null(__func__, mpi ? "value" : "mpi");
    }
    bp_status status = check_setting(__func__, setting);
    if (status == BP_OK) {
        *value = mpi->settings[setting];
    }
    return status;
}

static bp_status check_communicator(const char *function, MPI_Comm communicator)
{
    int is_initialized, is_finalized, is_between = 0;
    MPI_Initialized(&is_initialized);
    MPI_Finalized(&is_finalized);
    if (!is_initialized || is_finalized) {
        return bp_mpi_fail(BP_ERROR_STATE, "%s: MPI is %s", function, is_finalized ? "finalized" : "not initialized; call MPI_Init");
    }
    if (communicator == MPI_COMM_NULL) {
        return bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: communicator is MPI_COMM_NULL", function);
    }
    MPI_Comm_test_inter(communicator, &is_between);
    return is_between ? bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: communicator is an intercommunicator", function) : BP_OK;
}

/* What ranks compute with. */
static bp_status compare_libraries(const char *function, bp_mpi *mpi)
{
    bp_mpi_notes notes = {0};
    bp_mpi_note(&notes, "libbp's version", bp_version());
    bp_mpi_note(&notes, "the name of the kernels (BP_KERNEL chooses)", bp_kernel_name());
    bp_mpi_note_number(&notes, "the size of a pointer", (double)sizeof(void *));
    return bp_mpi_compare_notes(function, mpi, &notes);
}

static void free_communicators(bp_mpi *mpi)
{
    MPI_Comm *const communicators[] = {&mpi->data, &mpi->control};
    for (int i = 0; i < 2; i++) {
        if (*communicators[i] != MPI_COMM_NULL) {
            MPI_Comm_free(communicators[i]);
        }
    }
}

bp_status bp_mpi_create(bp_mpi **mpi, MPI_Comm communicator)
{
    bp_status status = check_communicator(__func__, communicator);
    if (status != BP_OK) {
        return status;
    }
    bp_mpi *made = malloc(sizeof *made);
    int own = !mpi ? BP_ERROR_ARGUMENT : !made ? BP_ERROR_MEMORY : BP_OK, worst;
    MPI_Allreduce(&own, &worst, 1, MPI_INT, MPI_MAX, communicator); /* there is nothing yet to tell more with */
    if (worst != BP_OK) {
        free(made);
        return worst == BP_ERROR_MEMORY ? bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", __func__) : bp_mpi_fail_null(__func__, "mpi");
    }
    *made = (bp_mpi){.data = MPI_COMM_NULL, .control = MPI_COMM_NULL};
    for (int i = 0; i < BP_MPI_SETTING_COUNT; i++) {
        made->settings[i] = settings[i].initial;
    }
    MPI_Comm_size(communicator, &made->n_ranks);
    MPI_Comm_rank(communicator, &made->rank);
    status = bp_mpi_started(made, __func__, MPI_Comm_dup(communicator, &made->data));
    if (status == BP_OK) {
        status = bp_mpi_started(made, __func__, MPI_Comm_dup(communicator, &made->control));
    }
    if (status == BP_OK) { /* what goes wrong is this library's to say */
        MPI_Comm_set_errhandler(made->data, MPI_ERRORS_RETURN);
        MPI_Comm_set_errhandler(made->control, MPI_ERRORS_RETURN);
        status = compare_libraries(__func__, made);
    }
    if (status != BP_OK) {
        bp_mpi_destroy(made);
        return status;
    }
    *mpi = made;
    return BP_OK;
}

void bp_mpi_destroy(bp_mpi *mpi)
{
    int is_finalized = 0;
    MPI_Finalized(&is_finalized);
    if (mpi && mpi->is_lost) {
        return; /* MPI may still write to it */
    }
    if (mpi && !is_finalized) {
        free_communicators(mpi);
    }
    free(mpi);
}

size_t bp_mpi_rank(const bp_mpi *mpi)
{
    return mpi ? (size_t)mpi->rank : 0;
}

size_t bp_mpi_rank_count(const bp_mpi *mpi)
{
    return mpi ? (size_t)mpi->n_ranks : 0;
}

bp_status bp_mpi_agree(bp_mpi *mpi, bp_status status)
{
    if (!mpi) {
        return bp_mpi_fail_null(__func__, "mpi");
    }
    if (!bp_status_name(status)) {
        status = bp_mpi_fail(BP_ERROR_ARGUMENT, "%s: status is %d, which is none of its enum's values", __func__, (int)status);
    }
    return bp_mpi_meet(mpi, BP_MPI_AGREE, status);
}
