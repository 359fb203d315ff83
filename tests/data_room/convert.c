/*
 * Reads a file, or a file of inputs and one of targets, and writes what it has as NPY: convert OUTPUT INPUTS [TARGETS]. For scripts of
 * tests.
 */
#include <bp/bp.h>

#include <stdio.h>
#include <stdlib.h>

static int check(bp_status status)
{
    if (status != BP_OK) {
        fprintf(stderr, "%s: %s\n", bp_status_name(status), bp_last_error());
        exit(1);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fputs("convert OUTPUT INPUTS [TARGETS]\n", stderr);
        return 2;
    }
    bp_dataset *dataset;
    check(argc == 3 ? bp_dataset_read(&dataset, argv[2], BP_F64) : bp_dataset_read_pair(&dataset, argv[2], argv[3], BP_F64, 0));
    size_t n = bp_dataset_sample_count(dataset), n_inputs = bp_dataset_input_count(dataset), n_outputs = bp_dataset_output_count(dataset);
    double *rows = calloc(n * (n_inputs + n_outputs), sizeof *rows);
    for (size_t i = 0; rows && i < n; i++) {
        double *row = rows + i * (n_inputs + n_outputs);
        check(bp_dataset_gather_f64(dataset, 1, &i, row, n_outputs ? row + n_inputs : NULL));
    }
    check(rows ? bp_write_npy_f64(argv[1], n, n_inputs + n_outputs, rows) : BP_ERROR_MEMORY);
    free(rows);
    bp_dataset_destroy(dataset);
    return 0;
}
