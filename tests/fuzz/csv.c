/* CSV by bp_csv_reader. The first three bytes are the reader's settings. */
#include "fuzz/harness.h"

#include <stdlib.h>

static void must(bp_status status)
{
    check(status == BP_OK, "that the reader's own settings are taken");
}

static void set_columns(bp_csv_reader *reader, unsigned kind)
{
    static const char *const class_names[] = {"a", "b", "c"};
    switch (kind) {
    case 1:
        must(bp_csv_reader_set_class_column(reader, -1));
        break;
    case 2:
        must(bp_csv_reader_set_class_column(reader, 0));
        must(bp_csv_reader_set_one_hot(reader, 0));
        break;
    case 3:
        must(bp_csv_reader_set_class_column(reader, 1));
        must(bp_csv_reader_set_class_names(reader, 3, class_names));
        break;
    case 4:
        must(bp_csv_reader_set_target_columns(reader, 1, (const int[]){-1}));
        break;
    case 5:
        must(bp_csv_reader_set_target_columns(reader, 2, (const int[]){2, 0}));
        break;
    case 6:
        must(bp_csv_reader_set_target_columns(reader, 2, (const int[]){0, -1}));
        break;
    default:
        break;
    }
}

/* A reader for a net that knows a column of numbers, and one of two texts. */
static void set_net(bp_csv_reader *reader)
{
    static const char *const names[] = {"b", "c=u", "c=v"};
    static const float offset[] = {0.5f, 0.25f, 0.75f}, scale[] = {1, 2, 3};
    bp_net *net;
    must(bp_net_create(&net, BP_F32, 3));
    must(bp_net_add_dense(net, 1, BP_ACTIVATION_IDENTITY, 1));
    must(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 1));
    must(bp_net_set_input_names(net, names));
    must(bp_net_set_input_scaling_f32(net, offset, scale));
    must(bp_net_set_metadata(net, "input_scaling", bp_scaling_name(BP_SCALING_STANDARD)));
    must(bp_csv_reader_set_net(reader, net));
    bp_net_destroy(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { SETTINGS = 3 };
    static const char delimiters[] = {',', ';', '\t', ' '};
    if (size < SETTINGS) {
        return 0;
    }
    unsigned how = bytes[0], what = bytes[1], where = bytes[2];
    bp_csv_reader *reader;
    must(bp_csv_reader_create(&reader));
    must(bp_csv_reader_set_header(reader, (bp_csv_header)((how & 3) % 3)));
    must(bp_csv_reader_set_missing(reader, (bp_csv_missing)((how >> 2 & 3) % 3)));
    must(bp_csv_reader_set_delimiter(reader, delimiters[how >> 4 & 3]));
    must(bp_csv_reader_set_one_hot_inputs(reader, how >> 6 & 1));
    set_columns(reader, what & 7);
    if (what & 8) {
        set_net(reader);
    }
    bp_dtype dtype = where & SETTING_F64 ? BP_F64 : BP_F32;
    size -= SETTINGS;
    bytes += SETTINGS;
    uint8_t *stretched = (where & SETTING_STRETCHED) == SETTING_STRETCHED ? stretch(bytes, size, &size) : NULL;
    unsigned char *packed = where & SETTING_PACKED ? pack(stretched ? stretched : bytes, size, &size) : NULL;
    const void *content = packed ? packed : stretched ? stretched : bytes;
    bp_dataset *dataset = NULL;
    if (where & SETTING_FILE) {
        memory_file file = open_file(content, size);
        bp_status status = bp_csv_reader_read(reader, dtype, file.path, &dataset);
        made("bp_csv_reader_read", status, dataset);
        close_file(&file);
    } else {
        bp_status status = bp_csv_reader_read_memory(reader, dtype, content, size, &dataset);
        made("bp_csv_reader_read_memory", status, dataset);
    }
    bp_csv_reader_destroy(reader);
    if (dataset) {
        use_dataset(dataset);
    }
    bp_dataset_destroy(dataset);
    free(packed);
    free(stretched);
    return 0;
}
