/* Comparing what ranks have. */
#ifndef BP_MPI_COMPARE_H
#define BP_MPI_COMPARE_H

#include "mpi/rank.h"

#include <stdint.h>

/* A text of lines; begins as zeros. */
typedef struct bp_mpi_notes {
    char *text;
    size_t length, size;
    bool failed; /* there was no memory */
} bp_mpi_notes;

/* The name goes into a sentence: "the element type". */
void bp_mpi_note(bp_mpi_notes *notes, const char *name, const char *value);
void bp_mpi_note_number(bp_mpi_notes *notes, const char *name, double value);
void bp_mpi_note_count(bp_mpi_notes *notes, const char *name, uint64_t value);

/* That they are the same on all ranks; ends them. */
bp_status bp_mpi_compare_notes(const char *function, bp_mpi *mpi, bp_mpi_notes *notes);

#endif
