/* What is to be the same on all ranks, as lines of a name and a value: rank 0's go to all, and each rank looks for the first that is not its own. */
#include "mpi/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bp_mpi_note(bp_mpi_notes *notes, const char *name, const char *value)
{
    size_t needed = strlen(name) + strlen(value) + 3;
    if (notes->failed || notes->size - notes->length < needed) {
        char *text = notes->failed ? NULL : realloc(notes->text, 2 * (notes->size + needed));
        notes->failed = !text;
        if (!text) {
            return;
        }
        notes->text = text;
        notes->size = 2 * (notes->size + needed);
    }
    notes->length += (size_t)snprintf(notes->text + notes->length, notes->size - notes->length, "%s\t%s\n", name, value);
}

void bp_mpi_note_number(bp_mpi_notes *notes, const char *name, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    bp_mpi_note(notes, name, text);
}

void bp_mpi_note_count(bp_mpi_notes *notes, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    bp_mpi_note(notes, name, text);
}

/* Looks for the first line that differs. */
static bp_status compare(const char *function, const bp_mpi *mpi, const char *own, const char *first)
{
    for (;;) {
        size_t n = strcspn(own, "\n"), n_first = strcspn(first, "\n");
        if (n != n_first || memcmp(own, first, n) != 0) {
            const char *value = memchr(own, '\t', n), *value_first = memchr(first, '\t', n_first);
            if (!value || !value_first) {
                return bp_mpi_fail(BP_ERROR_STATE, "%s: rank 0 has layers that this rank has not, or the reverse", function);
            }
            return bp_mpi_fail(BP_ERROR_STATE, "%s: %.*s is %.*s on rank 0, but %.*s on rank %d", function, (int)(value - own), own,
                               (int)(n_first - (size_t)(value_first + 1 - first)), value_first + 1, (int)(n - (size_t)(value + 1 - own)),
                               value + 1, mpi->rank);
        }
        if (own[n] == '\0') {
            return BP_OK;
        }
        own += n + 1;
        first += n_first + 1;
    }
}

bp_status bp_mpi_compare_notes(const char *function, bp_mpi *mpi, bp_mpi_notes *notes)
{
    bp_mpi_note(notes, "the end", "there");
    bp_status status = notes->failed ? bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", function) : BP_OK;
    status = bp_mpi_meet(mpi, BP_MPI_AGREE, status);
    size_t length = notes->length;
    char *first = NULL;
    if (status == BP_OK) {
        status = bp_mpi_broadcast(mpi, sizeof length, &length);
    }
    if (status == BP_OK) {
        first = calloc(length + 1, 1);
        status = bp_mpi_meet(mpi, BP_MPI_AGREE, first ? BP_OK : bp_mpi_fail(BP_ERROR_MEMORY, "%s: out of memory", function));
    }
    if (status == BP_OK) {
        if (mpi->rank == 0) {
            memcpy(first, notes->text, length);
        }
        status = bp_mpi_broadcast(mpi, length, first);
    }
    if (status == BP_OK) {
        status = bp_mpi_meet(mpi, BP_MPI_AGREE, compare(function, mpi, notes->text, first));
    }
    free(first);
    free(notes->text);
    *notes = (bp_mpi_notes){0};
    return status;
}
