/* In the place of the readers of data files in a build without files (BP_FILES). */
#include "bp/csv_reader.h"
#include "bp/dataset_file.h"

#include "core/status.h"

static bp_status refuse(const char *function)
{
    return bp_fail(BP_ERROR_UNSUPPORTED, "%s: this build reads no files (BP_FILES)", function);
}

bp_status bp_csv_reader_read(const bp_csv_reader *reader, bp_dtype dtype, const char *path, bp_dataset **dataset)
{
    (void)reader, (void)dtype, (void)path, (void)dataset;
    return refuse(__func__);
}

bp_status bp_csv_reader_read_memory(const bp_csv_reader *reader, bp_dtype dtype, const void *bytes, size_t size, bp_dataset **dataset)
{
    (void)reader, (void)dtype, (void)bytes, (void)size, (void)dataset;
    return refuse(__func__);
}

bp_status bp_dataset_read(bp_dataset **dataset, const char *path, bp_dtype dtype)
{
    (void)dataset, (void)path, (void)dtype;
    return refuse(__func__);
}

bp_status bp_dataset_read_memory(bp_dataset **dataset, const void *bytes, size_t size, bp_dtype dtype)
{
    (void)dataset, (void)bytes, (void)size, (void)dtype;
    return refuse(__func__);
}

bp_status bp_dataset_read_pair(bp_dataset **dataset, const char *inputs_path, const char *targets_path, bp_dtype dtype, size_t n_classes)
{
    (void)dataset, (void)inputs_path, (void)targets_path, (void)dtype, (void)n_classes;
    return refuse(__func__);
}
