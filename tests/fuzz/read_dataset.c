/* Bytes into datasets, in all ways that there are. */
#include "fuzz/harness.h"

#include <stdlib.h>

static bp_dtype dtype_of(unsigned settings)
{
    return settings & SETTING_F64 ? BP_F64 : BP_F32;
}

void read_dataset(unsigned settings, const uint8_t *bytes, size_t size)
{
    bp_dataset *dataset = NULL;
    uint8_t *stretched = (settings & SETTING_STRETCHED) == SETTING_STRETCHED ? stretch(bytes, size, &size) : NULL;
    unsigned char *packed = settings & SETTING_PACKED ? pack(stretched ? stretched : bytes, size, &size) : NULL;
    const void *content = packed ? packed : stretched ? stretched : bytes;
    if (settings & SETTING_FILE) {
        memory_file file = open_file(content, size);
        bp_status status = bp_dataset_read(&dataset, file.path, dtype_of(settings));
        if (made("bp_dataset_read", status, dataset)) {
            use_dataset(dataset);
        }
        close_file(&file);
    } else {
        bp_status status = bp_dataset_read_memory(&dataset, content, size, dtype_of(settings));
        if (made("bp_dataset_read_memory", status, dataset)) {
            use_dataset(dataset);
        }
    }
    bp_dataset_destroy(dataset);
    free(packed);
    free(stretched);
}

static void read_pair(unsigned settings, const uint8_t *inputs, size_t n_inputs, const uint8_t *targets, size_t n_targets)
{
    static const size_t class_counts[] = {0, 3, 256, 65536};
    bp_dataset *dataset = NULL;
    unsigned char *packed = settings & SETTING_PACKED ? pack(targets, n_targets, &n_targets) : NULL;
    memory_file inputs_file = open_file(inputs, n_inputs), targets_file = open_file(packed ? packed : targets, n_targets);
    bp_status status =
        bp_dataset_read_pair(&dataset, inputs_file.path, targets_file.path, dtype_of(settings), class_counts[settings >> 4 & 3]);
    if (made("bp_dataset_read_pair", status, dataset)) {
        use_dataset(dataset);
    }
    bp_dataset_destroy(dataset);
    close_file(&inputs_file);
    close_file(&targets_file);
    free(packed);
}

void read_arrays(const uint8_t *bytes, size_t size, const char *magic, size_t magic_size)
{
    if (size < 2) {
        return;
    }
    size_t n_targets = bytes[0] & SETTING_PAIR ? bytes[1] : 0, n_inputs = size - 2;
    n_targets = n_targets < n_inputs ? n_targets : n_inputs;
    n_inputs -= n_targets;
    uint8_t *inputs = copy_with_magic(bytes + 2, n_inputs, magic, magic_size);
    if (bytes[0] & SETTING_PAIR) {
        uint8_t *targets = copy_with_magic(bytes + 2 + n_inputs, n_targets, magic, magic_size);
        read_pair(bytes[0], inputs, n_inputs, targets, n_targets);
        free(targets);
    } else {
        read_dataset(bytes[0], inputs, n_inputs);
    }
    free(inputs);
}
